use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta, Utc};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use url::Url;

use super::record::{Record, Records};
use super::{LeaseError, Terms, machine};
use crate::store::{Lake, Location, Note, Replace, Step, StoreError};

/// Handles of two machines on one bucket.
fn bucket() -> [Lake; 2] {
    let store = InMemory::new();
    [(); 2].map(|()| {
        let root = Url::parse("memory:///y-te/kho/").unwrap();
        Lake::over(root, Arc::new(store.clone()), "the bucket".to_owned())
    })
}

/// Handles of two processes on one folder.
fn folder(dir: &tempfile::TempDir) -> [Lake; 2] {
    [(); 2].map(|()| Lake::open(&Location::Folder(dir.path().to_owned())).unwrap())
}

fn records(lake: &Lake) -> Records {
    Records::new(lake.store(), &lake.root).unwrap()
}

/// A record that nobody renews, written `secs` seconds before it lapses.
fn left(fence: u64, secs: i64, machine: Vec<String>) -> Record {
    Record {
        holder: "gone:7".to_owned(),
        token: "of another".to_owned(),
        fence,
        taken_at: Utc::now() - TimeDelta::hours(1),
        expires_at: Utc::now() + TimeDelta::seconds(secs),
        released_at: None,
        machine,
    }
}

/// An attempt to write a table.
async fn write(lake: &Lake) -> Result<u64, StoreError> {
    let rows = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let night = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let note = Note::new(night, Step::Nap, String::new(), "00".to_owned());
    lake.write(&"kho.bang".parse().unwrap(), rows, Replace::Nothing, &note).await
}

#[tokio::test]
async fn a_second_night_is_refused_and_told_who_has_the_lake() {
    let [one, other] = bucket();
    let lease = one.lease("may-1:100").await.unwrap();
    let refused = other.lease("may-2:200").await.unwrap_err();
    let LeaseError::Held { holder, since, until, .. } = &refused else { panic!("{refused}") };
    assert_eq!(holder, "may-1:100");
    assert!(since < until && *until > Utc::now());
    let said = refused.to_string();
    assert!(said.starts_with("another night is running: may-1:100 "), "{said}");
    assert!(said.contains("wait until") && said.contains("_khoyte/night"), "{said}");
    lease.check().unwrap();
}

#[tokio::test]
async fn a_folder_that_is_locked_is_refused_and_told_by_whom() {
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = folder(&dir);
    let lease = one.lease("may-1:100").await.unwrap();
    let said = other.lease("may-1:200").await.unwrap_err().to_string();
    assert!(said.starts_with("another night is running: may-1:100 "), "{said}");
    lease.release().await.unwrap();
    assert_eq!(other.lease("may-1:200").await.unwrap().fence(), 2);
}

#[tokio::test]
async fn a_lease_that_lapsed_is_taken_over_with_a_higher_number() {
    let [lake, _] = bucket();
    // Lapsed by our clock, but the other's may be behind.
    records(&lake).create(&left(7, -10, Vec::new())).await.unwrap();
    assert!(matches!(lake.lease("may-2:200").await, Err(LeaseError::Held { .. })));
    records(&lake).overwrite(&left(7, -600, Vec::new())).await.unwrap();
    let lease = lake.lease("may-2:200").await.unwrap();
    assert_eq!(lease.fence(), 8);
    assert_eq!(records(&lake).read(7).await.unwrap(), None);
}

#[tokio::test]
async fn a_lost_lease_refuses_writes_and_commits() {
    let [lake, _] = bucket();
    let commit = Path::from("y-te/kho/kho/bang/_delta_log/00000000000000000000.json");
    let lease = lake.lease("may-1:100").await.unwrap();
    records(&lake).create(&left(2, 60, Vec::new())).await.unwrap();
    let keeper = lease.held.as_ref().unwrap().keeper.clone();
    let lost = keeper.renew().await.unwrap_err();
    assert!(lost.to_string().contains("is lost to gone:7"), "{lost}");
    assert!(matches!(lease.check(), Err(LeaseError::Lost { .. })));
    assert!(matches!(write(&lake).await, Err(StoreError::Lease { .. })));
    assert!(lake.store().put(&commit, "{}".into()).await.is_err());
    lake.store().put(&Path::from("y-te/kho/kho/bang/rows.parquet"), "".into()).await.unwrap();
    lease.release().await.unwrap();
    lake.store().put(&commit, "{}".into()).await.unwrap();
}

#[tokio::test]
async fn a_lease_whose_record_was_removed_is_lost() {
    let [lake, _] = bucket();
    let lease = lake.lease("may-1:100").await.unwrap();
    records(&lake).forget_below(u64::MAX).await;
    let keeper = lease.held.as_ref().unwrap().keeper.clone();
    assert!(matches!(keeper.renew().await, Err(LeaseError::Lost { to: None, .. })));
    assert_eq!(records(&lake).newest().await.unwrap(), None);
}

#[tokio::test]
async fn a_lease_that_could_not_be_renewed_in_time_refuses_until_it_is() {
    let [lake, _] = bucket();
    let terms = Terms { lasts_secs: 0, skew_secs: 30 };
    let lease = lake.lease_on("may-1:100", terms).await.unwrap();
    assert!(matches!(lease.check(), Err(LeaseError::Late { .. })));
    assert!(matches!(write(&lake).await, Err(StoreError::Lease { .. })));
}

#[tokio::test]
async fn a_renewal_moves_the_end_and_keeps_the_rest() {
    let [lake, _] = bucket();
    let lease = lake.lease("may-1:100").await.unwrap();
    let before = records(&lake).read(1).await.unwrap().unwrap();
    lease.held.as_ref().unwrap().keeper.renew().await.unwrap();
    let after = records(&lake).read(1).await.unwrap().unwrap();
    assert!(after.expires_at > before.expires_at);
    assert_eq!(Record { expires_at: before.expires_at, ..after }, before);
}

#[tokio::test]
async fn what_is_given_back_is_free_at_once() {
    let [one, other] = bucket();
    for (lake, fence) in [(&one, 1), (&other, 2), (&one, 3)] {
        let lease = lake.lease("may-1:100").await.unwrap();
        assert_eq!(lease.fence(), fence);
        lease.release().await.unwrap();
    }
    assert_eq!(records(&one).newest().await.unwrap(), Some(3));
}

#[tokio::test]
async fn a_lease_that_is_dropped_is_given_back() {
    let [one, other] = bucket();
    drop(one.lease("may-1:100").await.unwrap());
    let mut taken = other.lease("may-2:200").await;
    for _ in 0..1000 {
        if taken.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
        taken = other.lease("may-2:200").await;
    }
    assert_eq!(taken.unwrap().fence(), 2);
}

#[tokio::test]
async fn the_lease_of_a_dead_process_of_this_machine_is_free_in_a_folder_only() {
    let holder = "may-1:200";
    let marks = machine::marks(holder);
    assert!(!marks.is_empty(), "the system tells neither its start nor its number");
    let dir = tempfile::tempdir().unwrap();
    for (lake, is_free) in [(&folder(&dir)[0], true), (&bucket()[0], false)] {
        records(lake).create(&left(1, 60, marks.clone())).await.unwrap();
        assert_eq!(lake.lease(holder).await.is_ok(), is_free, "{lake:?}");
    }
}

#[tokio::test]
async fn the_lease_of_another_machine_keeps_a_folder_too() {
    let dir = tempfile::tempdir().unwrap();
    let [lake, _] = folder(&dir);
    records(&lake).create(&left(1, 60, vec!["of another".to_owned()])).await.unwrap();
    assert!(matches!(lake.lease("may-1:200").await, Err(LeaseError::Held { .. })));
}

#[tokio::test]
async fn what_is_no_record_is_named() {
    let [lake, _] = bucket();
    let place = Path::from("y-te/kho/_khoyte/night/00000000000000000004.lease");
    lake.store().put(&place, "{".into()).await.unwrap();
    let said = lake.lease("may-1:100").await.unwrap_err().to_string();
    assert!(said.contains("00000000000000000004.lease") && said.contains("remove it"), "{said}");
}
