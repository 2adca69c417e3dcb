//! What only an SQLite file shows, and what needs a look inside; what holds on both databases is
//! in `tests/it/state.rs`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use futures::future::join_all;

use super::*;

fn place(folder: &tempfile::TempDir) -> (Place, PathBuf) {
    let file = folder.path().join("một thư mục?").join("state #1 %20.sqlite");
    (Place::File(file.clone()), file)
}

fn query(principal: &str) -> NewQuery {
    NewQuery {
        principal: principal.into(),
        role: "planner".into(),
        via: "page",
        tables: vec!["kho.a".into()],
        columns: vec!["kho.a.b".into(), "kho.a.c".into()],
        started_at: Utc::now(),
    }
}

fn ended() -> Ended {
    Ended { outcome: "xong", rows: 1, bytes: 2, duration_ms: 3 }
}

async fn outcomes(state: &State) -> Vec<Option<String>> {
    let rows = state.queries(0, 1000).await.expect("readable");
    rows.into_iter().map(|row| row.outcome).collect()
}

async fn execute(path: &Path, sql: &'static str) {
    let options = Place::File(path.to_owned()).options().expect("a path");
    let mut connection = room::connect(&options).await.expect("a file");
    sqlx::query(sql).execute(&mut connection).await.expect("a statement");
}

#[tokio::test]
async fn the_file_and_what_lies_beside_it_are_for_their_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, file) = place(&folder);
    let state = State::open(&place).await.expect("opens");
    state.begin(query("a")).await.expect("written");
    let names = std::fs::read_dir(file.parent().expect("a parent")).expect("a folder");
    let mut seen = 0;
    for entry in names.map(|entry| entry.expect("an entry")) {
        let mode = entry.metadata().expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        seen += 1;
    }
    assert!(seen >= 4, "the file, its log, its index, the lock of the run");
    assert!(file.exists());
}

#[tokio::test]
async fn calls_that_come_together_share_a_commit_and_are_numbered_without_gaps() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(&place(&folder).0).await.expect("opens");
    let before = state.writer.commits();
    let begun = join_all((0..64).map(|n| state.begin(query(&format!("u{n}"))))).await;
    let ids: Vec<i64> = begun.into_iter().map(|id| id.expect("written").get()).collect();
    assert_eq!(ids, (1..=64).collect::<Vec<_>>());
    assert!(state.writer.commits() - before <= 2, "{}", state.writer.commits());
    for id in ids.iter().rev() {
        state.end(QueryId(*id), ended());
    }
    state.flush().await.expect("written");
    assert_eq!(outcomes(&state).await, vec![Some("xong".to_owned()); 64]);
}

#[tokio::test]
async fn a_query_whose_asker_went_away_is_not_left_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(&place(&folder).0).await.expect("opens");
    let mut begin = Box::pin(state.begin(query("a")));
    assert!(futures::poll!(&mut begin).is_pending());
    drop(begin);
    state.flush().await.expect("written");
    assert!(outcomes(&state).await.iter().all(Option::is_some));
}

#[tokio::test]
async fn a_file_taken_away_refuses_queries_until_it_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, file) = place(&folder);
    let state = State::open(&place).await.expect("opens");
    let first = state.begin(query("a")).await.expect("written");
    let away = folder.path().join("away");
    std::fs::rename(&file, &away).expect("renamed");
    state.end(first, ended());
    for _ in 0..3 {
        let refused = state.begin(query("b")).await;
        assert!(matches!(refused, Err(StateError::Moved(_))), "{refused:?}");
    }
    assert!(state.flush().await.is_err());
    std::fs::rename(&away, &file).expect("renamed");
    state.begin(query("c")).await.expect("written again");
    state.flush().await.expect("written again");
    let rows = state.queries(0, 10).await.expect("readable");
    let seen: Vec<_> = rows.iter().map(|r| (r.principal.as_str(), r.outcome.as_deref())).collect();
    assert_eq!(seen, [("a", Some("xong")), ("c", None)]);
}

#[tokio::test]
async fn another_writer_is_waited_for_and_a_lock_that_stays_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, file) = place(&folder);
    let state = State::open(&place).await.expect("opens");
    let options = Place::File(file).options().expect("a path");
    let mut other = room::connect(&options).await.expect("a file");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locked");
    let mut begin = Box::pin(state.begin(query("a")));
    assert!(futures::poll!(&mut begin).is_pending());
    // As long as the driver is patient: then it is an error, and the next one works.
    assert!(matches!(begin.await, Err(StateError::Failed { .. })));
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocked");
    state.begin(query("b")).await.expect("written");
}

#[tokio::test]
async fn only_runs_that_are_over_leave_interrupted_queries() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, file) = place(&folder);
    let first = State::open(&place).await.expect("opens");
    let id = first.begin(query("first")).await.expect("written");
    let second = State::open(&place).await.expect("opens");
    second.begin(query("second")).await.expect("written");
    assert_eq!(outcomes(&second).await, [None, None], "both run");
    // Its task lets go of the lock when it is done.
    drop(second);
    let folder = file.parent().expect("a parent");
    let runs = || {
        let names = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one"));
        names.filter(|entry| entry.file_name().to_string_lossy().contains("-run-")).count()
    };
    while runs() > 1 {
        tokio::task::yield_now().await;
    }
    // As a kill leaves it: the file of a run that nobody holds.
    std::fs::write(run::beside(&file, "-run-0000000000000001"), "").expect("written");
    let third = State::open(&place).await.expect("opens");
    let interrupted = Some(INTERRUPTED.to_owned());
    assert_eq!(outcomes(&third).await, [None, interrupted.clone()]);
    assert_eq!(runs(), 2, "those of the first and the third");
    first.end(id, ended());
    first.flush().await.expect("written");
    assert_eq!(outcomes(&third).await, [Some("xong".to_owned()), interrupted]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_open_a_new_file_at_once_both_find_it_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, _) = place(&folder);
    let opened = (0..8).map(|_| {
        let place = place.clone();
        tokio::spawn(async move { State::open(&place).await?.begin(query("a")).await })
    });
    let ids: Vec<_> = join_all(opened.collect::<Vec<_>>()).await;
    let mut ids: Vec<i64> =
        ids.into_iter().map(|id| id.expect("ran").expect("opened").get()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=8).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_newer_or_an_altered_state_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, file) = place(&folder);
    drop(State::open(&place).await.expect("opens"));
    execute(
        &file,
        "INSERT INTO khoyte_migrations (version, description, success, checksum, execution_time) \
         VALUES (999, 'later', TRUE, x'00', 0)",
    )
    .await;
    let refused = State::open(&place).await.expect_err("newer");
    assert!(matches!(refused, StateError::Newer { version: 999, .. }), "{refused}");
    execute(&file, "DELETE FROM khoyte_migrations WHERE version = 999").await;
    execute(&file, "UPDATE khoyte_migrations SET checksum = x'00'").await;
    let refused = State::open(&place).await.expect_err("altered");
    assert!(matches!(refused, StateError::Altered { version: 1, .. }), "{refused}");
}

#[tokio::test]
async fn what_is_no_database_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state.sqlite");
    std::fs::write(&file, "x".repeat(8192)).expect("written");
    let refused = State::open(&Place::File(file)).await.expect_err("no database");
    let cause = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("not a database"), "{refused}: {cause}");
    let refused = State::open(&Place::File("/proc/none/state.sqlite".into())).await;
    assert!(matches!(refused, Err(StateError::Open { .. })), "{refused:?}");
}

#[tokio::test]
async fn failures_are_bounded_whoever_floods() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(&place(&folder).0).await.expect("opens");
    let count = || async {
        let count = sqlx::query_scalar("SELECT count(*) FROM dang_nhap_sai");
        count.fetch_one(&state.pool).await.map(|count: i64| count)
    };
    for name in 0..20 {
        state.log_in_failed(&format!("ten-la-{name}")).await.expect("counted");
    }
    state.forget_failures(7).await.expect("forgotten");
    assert_eq!(count().await.expect("counted"), 7);
}
