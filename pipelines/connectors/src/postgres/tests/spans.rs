//! Which rows a span of time chooses.

use super::server::Database;
use super::{first, request, set};
use crate::{Request, Source, Span};

fn spanned(column: &str, from: &str, below: &str) -> Request {
    let at = |text: &str| (!text.is_empty()).then(|| format!("2026-{text}").parse().unwrap());
    let span = Span { column: column.to_owned(), from: at(from), below: at(below) };
    let request = set(request("kcb.luot", &["a"]), "order", "a");
    Request { span: Some(span), ..request }
}

async fn database() -> Database {
    let database = Database::new().await;
    database
        .make(
            "CREATE DOMAIN thoi_diem AS char(14);
             CREATE TABLE luot (a int, d date, t timestamp, tz timestamptz, x varchar(14),
                                c thoi_diem, j json);
             INSERT INTO luot (a, d, t, tz, x, c) VALUES
               (1, '2026-06-30', '2026-06-30 23:59:59.999999', '2026-06-30 16:59:59.999999+00',
                '20260630235959', '202606302359'),
               (2, '2026-07-01', '2026-07-01', '2026-06-30 17:00+00', '20260701', '20260701'),
               (3, '2026-07-01', '2026-07-01', '2026-07-01 00:00+07', '202607010000',
                '202607010000'),
               (4, '2026-07-01', '2026-07-01', '2026-06-30 20:00+03', '20260701000000',
                '20260701000000'),
               (5, '2026-07-31', '2026-07-31 12:00', '2026-07-31 12:00+07', '202607311200',
                '20260731120000'),
               (6, '2026-08-01', '2026-08-01', '2026-07-31 17:00+00', '20260801', '20260801');
             INSERT INTO luot (a) VALUES (7)",
        )
        .await;
    database
}

#[tokio::test]
async fn a_span_of_each_type_begins_and_ends_with_the_day_in_viet_nam() {
    let database = database().await;
    let source = database.source().await;
    for column in ["d", "t", "tz", "x", "c"] {
        let july = spanned(column, "07-01T00:00:00", "08-01T00:00:00");
        source.examine(&july).await.unwrap();
        assert_eq!(first(&source, &july).await, ["2", "3", "4", "5"], "{column}");
        let before = spanned(column, "", "07-01T00:00:00");
        assert_eq!(first(&source, &before).await, ["1"], "{column}");
        let after = spanned(column, "08-01T00:00:00", "");
        assert_eq!(first(&source, &after).await, ["6"], "{column}");
        let known = spanned(column, "", "");
        assert_eq!(first(&source, &known).await, ["1", "2", "3", "4", "5", "6"], "{column}");
    }
}

#[tokio::test]
async fn a_limit_within_a_day_counts() {
    let database = database().await;
    let source = database.source().await;
    for column in ["t", "tz", "x", "c"] {
        let noon = spanned(column, "07-31T12:00:00", "");
        assert_eq!(first(&source, &noon).await, ["5", "6"], "{column}");
        let later = spanned(column, "07-31T12:00:01", "");
        assert_eq!(first(&source, &later).await, ["6"], "{column}");
        let until = spanned(column, "07-01T00:00:01", "07-31T12:00:00.000001");
        assert_eq!(first(&source, &until).await, ["5"], "{column}");
    }
    // A date is the beginning of its day.
    assert_eq!(first(&source, &spanned("d", "07-31T12:00:00", "")).await, ["6"]);
}

#[tokio::test]
async fn a_span_and_ranges_go_together() {
    let database = database().await;
    let source = database.source().await;
    let mut july = spanned("tz", "07-01T00:00:00", "08-01T00:00:00");
    july.settings.clear();
    for column in ["tz", "a", "d"] {
        let mut rows = first(&source, &set(july.clone(), "split", column)).await;
        rows.sort();
        assert_eq!(rows, ["2", "3", "4", "5"], "{column}");
    }
}

#[tokio::test]
async fn a_column_without_time_has_no_spans() {
    let database = database().await;
    let source = database.source().await;
    for column in ["a", "j"] {
        let error = source.open(&spanned(column, "07-01T00:00:00", "")).await.unwrap_err();
        let error = error.to_string();
        assert!(error.contains(&format!("by time in the column `{column}`")), "{error}");
    }
    let error = source.open(&spanned("ngay", "07-01T00:00:00", "")).await.unwrap_err().to_string();
    assert!(error.contains("has no column `ngay`"), "{error}");
}
