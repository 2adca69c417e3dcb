//! What holds of the state room in an SQLite file and on a PostgreSQL server alike.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use warehouse::access::{Principal, Role, Scope};
use warehouse::names::Sensitivity;
use warehouse::serve::users::{LogIn, Secret, Users};
use warehouse::state::{Ended, INTERRUPTED, NewQuery, Place, State, StateError};

use super::server::Postgres;
use crate::support::wait;

/// One server for all tests that only need a database of their own.
fn server() -> &'static Postgres {
    static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);
    &SERVER
}

/// A new room of each kind.
fn rooms() -> (TempDir, [Place; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let file = Place::File(folder.path().join("state.sqlite"));
    (folder, [file, Place::Postgres(server().database())])
}

/// Runs a test on each kind of room.
fn on_both<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    let (_folder, places) = rooms();
    for place in places {
        wait(test(place));
    }
}

/// A clock that a test moves.
#[derive(Clone)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(Utc::now().timestamp())))
    }

    fn pass(&self, time: TimeDelta) {
        self.0.fetch_add(time.num_seconds(), Ordering::Relaxed);
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.load(Ordering::Relaxed), 0).unwrap()
    }

    async fn open(&self, place: &Place) -> State {
        let clock = self.clone();
        State::open(place).await.unwrap().with_clock(move || clock.now())
    }
}

fn person(name: &str) -> Principal {
    Principal {
        name: name.to_owned(),
        role: Role::Inspector,
        clearance: Sensitivity::Personal,
        scope: Scope::parse("24@2025-07-01;79@2025-07-01"),
    }
}

fn secret(password: &str) -> Secret {
    Secret::derive(password, &[7; 16])
}

fn query(principal: &str) -> NewQuery {
    NewQuery {
        principal: principal.to_owned(),
        role: "planner".to_owned(),
        via: "page",
        tables: vec!["kho.sot_xuat_huyet".to_owned()],
        columns: vec!["kho.sot_xuat_huyet.nam".to_owned(), "có \0 \"dấu\"".to_owned()],
        started_at: DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap(),
    }
}

fn done(rows: u64) -> Ended {
    Ended { outcome: "xong", rows, bytes: u64::MAX, duration_ms: 12 }
}

#[test]
fn accounts_are_kept_changed_and_removed() {
    on_both(|place| async move {
        let state = State::open(&place).await.unwrap();
        state.add_account(&person("lan"), &secret("một mật khẩu")).await.unwrap();
        state.add_account(&Principal::planner("an"), &secret("x")).await.unwrap();
        let again = state.add_account(&person("lan"), &secret("y")).await;
        assert!(matches!(again, Err(StateError::Exists(name)) if name == "lan"));

        let other = State::open(&place).await.unwrap();
        let names: Vec<_> =
            other.accounts().await.unwrap().into_iter().map(|a| a.principal.name).collect();
        assert_eq!(names, ["an", "lan"]);
        let account = other.account("lan").await.unwrap().unwrap();
        assert_eq!((account.principal, account.secret), (person("lan"), secret("một mật khẩu")));
        assert!(other.account("LAN").await.unwrap().is_none());
        assert!(other.account("la\0n").await.unwrap().is_none());

        state.replace_secret("lan", &secret("khác")).await.unwrap();
        assert_eq!(other.account("lan").await.unwrap().unwrap().secret, secret("khác"));
        other.remove_account("lan").await.unwrap();
        assert!(state.account("lan").await.unwrap().is_none());
        for gone in
            [state.remove_account("lan").await, state.replace_secret("lan", &secret("z")).await]
        {
            assert!(matches!(gone, Err(StateError::NoAccount(name)) if name == "lan"));
        }
    });
}

#[test]
fn five_failures_in_a_quarter_of_an_hour_lock_a_name_for_as_long() {
    on_both(|place| async move {
        let clock = Clock::new();
        let state = clock.open(&place).await;
        for _ in 0..4 {
            state.log_in_failed("lan").await.unwrap();
            clock.pass(TimeDelta::minutes(3));
        }
        assert_eq!(state.locked_until("lan").await.unwrap(), None);
        state.log_in_failed("lan").await.unwrap();
        let until = clock.now() + TimeDelta::minutes(15);
        assert_eq!(state.locked_until("lan").await.unwrap(), Some(until));
        assert_eq!(state.locked_until("an").await.unwrap(), None, "another name is not locked");

        // A restart does not forget, and more failures do not make it longer.
        let again = clock.open(&place).await;
        clock.pass(TimeDelta::minutes(14));
        again.log_in_failed("lan").await.unwrap();
        assert_eq!(again.locked_until("lan").await.unwrap(), Some(until));
        clock.pass(TimeDelta::minutes(1));
        assert_eq!(again.locked_until("lan").await.unwrap(), None);
        again.log_in_failed("lan").await.unwrap();
        assert_eq!(again.locked_until("lan").await.unwrap(), None, "counted afresh");
    });
}

#[test]
fn failures_far_apart_or_before_a_log_in_do_not_lock() {
    on_both(|place| async move {
        let clock = Clock::new();
        let state = clock.open(&place).await;
        for _ in 0..12 {
            state.log_in_failed("lan").await.unwrap();
            clock.pass(TimeDelta::minutes(4));
            assert_eq!(state.locked_until("lan").await.unwrap(), None);
        }
        for _ in 0..3 {
            for _ in 0..4 {
                state.log_in_failed("an").await.unwrap();
            }
            state.log_in_succeeded("an").await.unwrap();
        }
        assert_eq!(state.locked_until("an").await.unwrap(), None);
    });
}

#[test]
fn a_session_ends_when_idle_after_half_a_day_or_with_the_account() {
    on_both(|place| async move {
        let clock = Clock::new();
        let state = clock.open(&place).await;
        let who = async |token: &str| state.session(token).await.unwrap();
        let token = state.open_session("lan").await.unwrap();
        assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(token, state.open_session("lan").await.unwrap());
        // Used every hour it lasts until its twelfth.
        for _ in 0..11 {
            clock.pass(TimeDelta::hours(1));
            assert_eq!(who(&token).await.as_deref(), Some("lan"));
        }
        clock.pass(TimeDelta::hours(1));
        assert_eq!(who(&token).await, None);

        let idle = state.open_session("lan").await.unwrap();
        clock.pass(TimeDelta::minutes(119));
        assert_eq!(who(&idle).await.as_deref(), Some("lan"));
        clock.pass(TimeDelta::hours(2));
        assert_eq!(who(&idle).await, None);
        assert_eq!(who("").await, None);

        state.add_account(&person("lan"), &secret("x")).await.unwrap();
        let (first, other) = (state.open_session("lan").await, state.open_session("an").await);
        state.replace_secret("lan", &secret("y")).await.unwrap();
        assert_eq!(who(&first.unwrap()).await, None, "another password closes sessions");
        let (second, other) = (state.open_session("lan").await, other.unwrap());
        state.remove_account("lan").await.unwrap();
        assert_eq!(who(&second.unwrap()).await, None, "a removed account has no sessions");
        assert_eq!(who(&other).await.as_deref(), Some("an"));
        let more = state.open_session("an").await.unwrap();
        state.close_session(&other).await.unwrap();
        assert_eq!((who(&other).await, who(&more).await.as_deref()), (None, Some("an")));
        state.close_sessions_of("an").await.unwrap();
        assert_eq!(who(&more).await, None);
    });
}

#[test]
fn no_password_no_token_and_no_failed_name_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("state.sqlite"));
    let (_state, token) = wait(async {
        let state = State::open(&place).await.unwrap();
        state.add_account(&person("lan"), &secret("mat-khau-cua-lan")).await.unwrap();
        state.log_in_failed("mat-khau-o-nham-cho").await.unwrap();
        let token = state.open_session("lan").await.unwrap();
        (state, token)
    });
    let kept = crate::support::files(folder.path());
    assert!(kept.values().any(|bytes| contains(bytes, "inspector")), "it is the right place");
    for secret in ["mat-khau", &token] {
        assert!(!kept.values().any(|bytes| contains(bytes, secret)), "{secret}");
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn queries_are_accounted_in_order_from_begin_to_end() {
    on_both(|place| async move {
        let state = State::open(&place).await.unwrap();
        let many = (0..200).map(|n| state.begin(query(&format!("u{n}"))));
        let begun = futures::future::join_all(many).await;
        let ids: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
        assert!(ids.iter().map(|id| id.get()).eq(1..=200));

        // Durable, and to be seen from elsewhere, before any end.
        let other = State::open(&place).await.unwrap();
        let page = other.queries(197, 2).await.unwrap();
        let shown: Vec<_> = page.iter().map(|row| (row.id, row.outcome.as_deref())).collect();
        assert_eq!(shown, [(198, None), (199, None)]);
        let (row, asked) = (&page[0], query("u197"));
        assert_eq!(
            (&row.principal, &row.role, &row.via[..]),
            (&asked.principal, &asked.role, "page")
        );
        assert_eq!((&row.tables, &row.columns), (&asked.tables, &asked.columns));
        assert_eq!((row.started_at, row.rows, row.bytes), (asked.started_at, None, None));

        for (at, id) in ids.iter().enumerate() {
            state.end(*id, done(at as u64));
        }
        state.flush().await.unwrap();
        let rows = other.queries(0, 1000).await.unwrap();
        assert_eq!(rows.len(), 200);
        for (at, row) in rows.iter().enumerate() {
            let expected = (Some("xong"), Some(at as i64), Some(i64::MAX), Some(12));
            assert_eq!((row.outcome.as_deref(), row.rows, row.bytes, row.duration_ms), expected);
        }
    });
}

#[test]
fn eight_that_open_a_new_room_at_once_all_find_it_made() {
    let (_folder, places) = rooms();
    for place in places {
        let begun = wait(async {
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let place = place.clone();
                    tokio::spawn(async move { State::open(&place).await?.begin(query("a")).await })
                })
                .collect();
            futures::future::join_all(tasks).await
        });
        let mut ids: Vec<i64> = begun.into_iter().map(|id| id.unwrap().unwrap().get()).collect();
        ids.sort_unstable();
        assert!(ids.into_iter().eq(1..=8));
    }
}

/// Where a killed process leaves queries, for [`left_running`].
const LEFT: &str = "KHOYTE_TEST_LEFT_RUNNING";

/// Run by the test below in a process of its own: begins a query and waits to be killed.
#[test]
fn left_running() {
    let Ok(text) = std::env::var(LEFT) else { return };
    let place =
        if text.starts_with('/') { Place::File(text.into()) } else { Place::Postgres(text) };
    wait(async {
        let state = State::open(&place).await.unwrap();
        let ended = state.begin(query("ended")).await.unwrap();
        state.end(ended, done(1));
        state.flush().await.unwrap();
        state.begin(query("killed")).await.unwrap();
        println!("\nbegun");
        std::future::pending::<()>().await;
    });
}

#[test]
fn what_a_killed_process_left_is_interrupted_and_what_runs_elsewhere_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.sqlite");
    let address = server().database();
    for (place, text) in [
        (Place::File(file.clone()), file.display().to_string()),
        (Place::Postgres(address.clone()), address),
    ] {
        let state = wait(State::open(&place)).unwrap();
        let ours = wait(state.begin(query("ours"))).unwrap();
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "users::state::left_running", "--nocapture"])
            .env(LEFT, text)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "begun"));

        let outcomes = |state: State| async move {
            let rows = state.queries(0, 10).await.unwrap();
            rows.into_iter().map(|row| row.outcome.unwrap_or_default()).collect::<Vec<_>>()
        };
        let during = wait(State::open(&place)).unwrap();
        assert_eq!(wait(outcomes(during)), ["", "xong", ""], "it is alive");
        child.kill().unwrap();
        child.wait().unwrap();
        // A server sees a moment later that its client is gone.
        loop {
            let after = wait(State::open(&place)).unwrap();
            let outcomes = wait(outcomes(after));
            assert_eq!((&*outcomes[0], &*outcomes[1]), ("", "xong"));
            if outcomes[2] == INTERRUPTED {
                break;
            }
        }
        state.end(ours, done(3));
        wait(state.flush()).unwrap();
        assert_eq!(wait(outcomes(state)), ["xong", "xong", INTERRUPTED]);
    }
}

#[test]
fn a_server_that_is_away_refuses_queries_until_it_is_back() {
    let mut server = Postgres::start();
    let place = Place::Postgres(server.database());
    let state = wait(State::open(&place)).unwrap();
    let first = wait(state.begin(query("before"))).unwrap();
    server.stop();
    state.end(first, done(7));
    for _ in 0..3 {
        let refused = wait(state.begin(query("away"))).unwrap_err();
        assert!(matches!(refused, StateError::Failed { .. }), "{refused:?}");
    }
    assert!(wait(state.flush()).is_err());
    assert!(wait(state.account("lan")).is_err());
    server.start_again();
    wait(state.begin(query("after"))).unwrap();
    wait(state.flush()).unwrap();
    let rows = wait(state.queries(0, 10)).unwrap();
    let seen: Vec<_> = rows.iter().map(|r| (&r.principal[..], r.outcome.as_deref())).collect();
    assert_eq!(seen, [("before", Some("xong")), ("after", None)]);
}

#[test]
fn a_server_of_a_newer_version_and_a_wrong_password_are_refused_without_showing_it() {
    let address = server().database();
    let name = address.rsplit('/').next().unwrap();
    drop(wait(State::open(&Place::Postgres(address.clone()))).unwrap());
    server().ask(
        name,
        "INSERT INTO khoyte_migrations (version, description, success, checksum, execution_time) \
         VALUES (999, 'later', TRUE, ''::bytea, 0)",
    );
    let refused = wait(State::open(&Place::Postgres(address.clone()))).unwrap_err();
    assert!(matches!(refused, StateError::Newer { version: 999, .. }), "{refused}");

    let wrong = address.replace(super::server::PASSWORD, "sai-mat-khau");
    let refused = wait(State::open(&Place::Postgres(wrong))).unwrap_err();
    let shown = format!("{refused} {refused:?}");
    assert!(shown.contains("password authentication failed"), "{shown}");
    assert!(!shown.contains("sai-mat-khau"), "{shown}");
}

#[test]
fn people_log_in_by_account_or_configuration_and_are_locked_alike() {
    on_both(|place| async move {
        let clock = Clock::new();
        let state = clock.open(&place).await;
        state.add_account(&person("lan"), &secret("mật khẩu của Lan")).await.unwrap();
        state.add_account(&person("minh"), &secret("của tài khoản")).await.unwrap();
        let listed = (Principal::planner("minh"), secret("của cấu hình"));
        let users = Users::new(vec![listed.clone()], state.clone()).await.unwrap();

        assert_eq!(users.find("minh").await.unwrap(), Some(listed), "the configuration wins");
        let found = users.find("lan").await.unwrap().map(|(principal, _)| principal);
        assert_eq!((found, users.find("la").await.unwrap()), (Some(person("lan")), None));

        let verify = async |name: &str, password: &str| users.verify(name, password).await.unwrap();
        assert_eq!(verify("lan", "mật khẩu của Lan").await, LogIn::In(person("lan")));
        assert_eq!(verify("minh", "của cấu hình").await, LogIn::In(Principal::planner("minh")));
        assert_eq!(verify("minh", "của tài khoản").await, LogIn::Wrong);

        // All at once: no more guesses are taken than one after the other.
        for name in ["lan", "không có", "minh"] {
            let before = if name == "minh" { 1 } else { 0 };
            let guesses = (0..20).map(|n| users.verify(name, if n == 9 { "" } else { "đoán" }));
            let answers = futures::future::join_all(guesses).await;
            let wrong = answers.iter().filter(|a| matches!(a, Ok(LogIn::Wrong))).count();
            let locked = answers.iter().filter(|a| matches!(a, Ok(LogIn::Locked(_)))).count();
            assert_eq!((wrong, locked), (5 - before, 15 + before), "{name}");
        }
        let until = clock.now() + TimeDelta::minutes(15);
        assert_eq!(verify("lan", "mật khẩu của Lan").await, LogIn::Locked(until));
        assert_eq!(verify("không có", "x").await, LogIn::Locked(until));
        clock.pass(TimeDelta::minutes(15));
        assert_eq!(verify("lan", "mật khẩu của Lan").await, LogIn::In(person("lan")));
        assert_eq!(verify("không có", "x").await, LogIn::Wrong);

        // An unknown name is answered the same before and after a restart, as a known one is.
        let again = Users::new(Vec::new(), clock.open(&place).await).await.unwrap();
        assert_eq!(again.of_nobody("ai đó"), users.of_nobody("ai đó"));
        assert_ne!(again.of_nobody("ai đó"), users.of_nobody("ai khác"));
    });
}
