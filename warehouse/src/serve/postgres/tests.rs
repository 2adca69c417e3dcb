//! Conversations over a socket, as clients hold them, with a warehouse that holds nothing.

mod renewed;

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion_postgres::pgwire::messages::ProtocolVersion;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::super::served::Served;
use super::super::users::{Secret, Users};
use super::cancel::Cancels;
use super::crowd::Crowd;
use super::fault::Trouble;
use super::frames::Bounds;
use super::incoming::Incoming;
use super::login::Account;
use super::outgoing::Outgoing;
use super::startup::Startup;
use super::{Shared, WireLimits, connection, serve};
use crate::access::Principal;
use crate::geography::Geography;
use crate::query::{Limits, Warehouse};
use crate::spec::Declarations;
use crate::store::{Lake, Location};

/// Ten to the twelfth rows: nobody waits for its end.
const ENDLESS: &str = "SELECT sum(a.value * b.value) FROM generate_series(1, 1000000) AS a \
                       CROSS JOIN generate_series(1, 1000000) AS b";

/// What a person notices.
const AT_ONCE: Duration = Duration::from_secs(1);

fn warehouse() -> Warehouse {
    let lake = Lake::open(&Location::Folder("there/is/nothing/here".into())).unwrap();
    let geography = Arc::new(Geography::empty());
    // Several warehouses share this process, and each looks at the memory of all of it.
    let limits = Limits { memory_bytes: 2 << 30, ..Limits::default() };
    Warehouse::new(lake, Arc::new(Declarations::default()), geography, limits).unwrap()
}

fn who() -> (Principal, Secret) {
    (Principal::planner("an"), Secret::derive("bí mật", &[7; 16]))
}

async fn users() -> Users {
    let (principal, secret) = who();
    let folder = tempfile::tempdir().unwrap();
    let place = crate::state::Place::File(folder.keep().join("state.sqlite"));
    let state = crate::state::State::open(&place).await.unwrap();
    Users::new(vec![(principal, secret)], state).await.unwrap()
}

async fn shared(limits: WireLimits) -> Arc<Shared> {
    Arc::new(Shared {
        served: Served::new(warehouse(), users().await),
        crowd: Arc::new(Crowd::new(&limits)),
        cancels: Arc::new(Cancels::default()),
        limits,
        stop: CancellationToken::new(),
    })
}

/// A client on a socket.
struct Client {
    stream: TcpStream,
    /// Whether frames from the server have a letter: all but the answer to a wish for encryption.
    pid: i32,
    secret: Vec<u8>,
}

/// What a server says: a letter and what follows its length.
type Told = (u8, Vec<u8>);

impl Client {
    async fn send(&mut self, kind: u8, body: &[u8]) {
        let length = (body.len() as u32 + 4).to_be_bytes();
        self.stream.write_all(&[&[kind][..], &length, body].concat()).await.unwrap();
    }

    async fn start(&mut self, body: &[u8]) {
        let length = (body.len() as u32 + 4).to_be_bytes();
        self.stream.write_all(&[&length[..], body].concat()).await.unwrap();
    }

    async fn query(&mut self, sql: &str) -> Vec<Told> {
        self.send(b'Q', &text(sql)).await;
        self.until_ready().await
    }

    /// Parse, bind and describe without names, execute, and wait for nothing.
    async fn pipeline(&mut self, sql: &str, most: i32) {
        self.send(b'P', &[&[0][..], &text(sql), &[0, 0]].concat()).await;
        self.send(b'B', &[0, 0, 0, 0, 0, 0, 0, 0]).await;
        self.send(b'D', b"P\0").await;
        self.send(b'E', &[&[0][..], &most.to_be_bytes()].concat()).await;
    }

    async fn hear(&mut self) -> Option<Told> {
        let kind = self.stream.read_u8().await.ok()?;
        let length = self.stream.read_u32().await.ok()? as usize;
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body).await.ok()?;
        Some((kind, body))
    }

    async fn until(&mut self, last: u8) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.hear().await {
            let ends = told.0 == last;
            all.push(told);
            if ends {
                break;
            }
        }
        all
    }

    async fn until_ready(&mut self) -> Vec<Told> {
        let all = self.until(b'Z').await;
        assert_eq!(all.last().map(|(kind, _)| *kind), Some(b'Z'), "{all:?}");
        all
    }
}

fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

fn kinds(told: &[Told]) -> String {
    told.iter().map(|(kind, _)| char::from(*kind)).collect()
}

/// The code in the first error.
fn code(told: &[Told]) -> String {
    let error = told.iter().find(|(kind, _)| *kind == b'E');
    let (_, body) = error.unwrap_or_else(|| panic!("{}", kinds(told)));
    let fields = body.split(|byte| *byte == 0);
    let code = fields.filter_map(|field| field.strip_prefix(b"C")).next().unwrap();
    String::from_utf8(code.to_vec()).unwrap()
}

/// What a transaction is at, as the last message says.
fn status(told: &[Told]) -> char {
    told.last().map(|(_, body)| char::from(body[0])).unwrap()
}

/// The first cell of each row, as text.
fn cells(told: &[Told]) -> Vec<String> {
    let rows = told.iter().filter(|(kind, _)| *kind == b'D');
    let cell = |row: &[u8]| {
        let length = u32::from_be_bytes(row[2..6].try_into().unwrap()) as usize;
        String::from_utf8(row[6..6 + length].to_vec()).unwrap()
    };
    rows.map(|(_, row)| cell(row)).collect()
}

/// The tags of what was done.
fn tags(told: &[Told]) -> Vec<String> {
    let done = told.iter().filter(|(kind, _)| *kind == b'C');
    done.map(|(_, tag)| String::from_utf8_lossy(&tag[..tag.len() - 1]).into_owned()).collect()
}

/// A client that has logged in, and how its connection will end.
async fn logged_in(shared: &Arc<Shared>) -> (Client, tokio::task::JoinHandle<Trouble>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let shared = Arc::clone(shared);
    let served = tokio::spawn(async move {
        let (reading, writing) = accepted.into_split();
        let mut incoming = Incoming::new(reading, Bounds::from(&shared.limits));
        let mut out = Outgoing::new(writing, shared.limits.patience);
        let (principal, secret) = who();
        let account = Account::new(shared.served.users(), principal, secret);
        let startup = Startup {
            version: ProtocolVersion::PROTOCOL3_0,
            user: "an".to_owned(),
            settings: vec![("application_name".to_owned(), "test".to_owned())],
        };
        let ended = connection::speak(&shared, &startup, account, &mut incoming, &mut out).await;
        match ended {
            Err(Trouble::Fault(fault)) => {
                let sqlstate = fault.sqlstate().to_owned();
                connection::say_last(fault, &mut incoming, out).await;
                Trouble::Fault(super::fault::Fault::new(&sqlstate, ""))
            }
            Err(gone) => gone,
            Ok(()) => Trouble::Gone("ended without a reason"),
        }
    });
    let mut client = Client { stream, pid: 0, secret: Vec::new() };
    let greeting = client.until_ready().await;
    let (_, key) = greeting.iter().find(|(kind, _)| *kind == b'K').unwrap();
    client.pid = i32::from_be_bytes(key[..4].try_into().unwrap());
    client.secret = key[4..].to_vec();
    (client, served)
}

/// Waits until no query is at work.
async fn nothing_runs(shared: &Shared) {
    let due = Instant::now() + AT_ONCE;
    while shared.served.now().at_work() > 0 {
        assert!(Instant::now() < due, "a query runs on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a query is at work.
async fn something_runs(shared: &Shared) {
    let due = Instant::now() + 10 * AT_ONCE;
    while shared.served.now().at_work() == 0 {
        assert!(Instant::now() < due, "no query runs");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn texts_are_answered_one_statement_after_another() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    let told = client.query("SELECT 1 AS a; SELECT 2; SHOW application_name").await;
    assert_eq!(kinds(&told), "TDCTDCTDCZ");
    assert_eq!(cells(&told), ["1", "2", "test"]);
    assert_eq!(tags(&told), ["SELECT 1", "SELECT 1", "SHOW"]);
    assert_eq!(kinds(&client.query(" ; ").await), "IZ");
    let told = client.query("SELECT 1; SELECT a FROM khong_co; SELECT 2").await;
    assert_eq!((kinds(&told).as_str(), code(&told).as_str()), ("TDCEZ", "42P01"));
    for (sql, expected) in [
        ("SELEC 1", "42601"),
        ("DELETE FROM t", "25006"),
        ("SELECT 1 INTO t", "25006"),
        ("LISTEN a", "25006"),
        ("COPY t TO STDOUT", "25006"),
        ("SET datafusion.execution.batch_size = 1", "25006"),
        ("SHOW no_such_setting", "42704"),
        ("FETCH 1 FROM c", "34000"),
        ("DEALLOCATE p", "26000"),
    ] {
        let told = client.query(sql).await;
        assert_eq!((kinds(&told).as_str(), code(&told).as_str()), ("EZ", expected), "{sql}");
    }
    client.send(b'Q', b"SELECT '\xff'\0").await;
    assert_eq!(code(&client.until_ready().await), "22021");
    assert_eq!(cells(&client.query("SELECT 3").await), ["3"]);
}

#[tokio::test]
async fn a_failed_transaction_hears_nothing_but_its_end() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    assert_eq!(status(&client.query("BEGIN; SAVEPOINT s").await), 'T');
    assert_eq!(status(&client.query("SELECT a FROM khong_co").await), 'E');
    for sql in ["SELECT 1", "SHOW TimeZone", "SAVEPOINT s", "SET TimeZone = 'UTC'"] {
        let told = client.query(sql).await;
        assert_eq!((code(&told).as_str(), status(&told)), ("25P02", 'E'), "{sql}");
    }
    client.pipeline("SELECT 1", 0).await;
    client.send(b'S', b"").await;
    assert_eq!(code(&client.until_ready().await), "25P02");
    let told = client.query("ROLLBACK TO SAVEPOINT s").await;
    assert_eq!((tags(&told), status(&told)), (vec!["ROLLBACK".to_owned()], 'T'));
    assert_eq!(status(&client.query("SELECT a FROM khong_co").await), 'E');
    let told = client.query("COMMIT").await;
    assert_eq!((tags(&told), status(&told)), (vec!["ROLLBACK".to_owned()], 'I'));
}

#[tokio::test]
async fn a_portal_is_read_in_pieces() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    client.query("BEGIN").await;
    let sql = "SELECT value FROM generate_series(1, 5)";
    client.send(b'P', &[&text("s")[..], &text(sql), &[0, 0]].concat()).await;
    client.send(b'B', &[&text("p")[..], &text("s"), &[0; 6]].concat()).await;
    client.send(b'D', b"Ss\0").await;
    client.send(b'E', &[&text("p")[..], &2_i32.to_be_bytes()].concat()).await;
    client.send(b'S', b"").await;
    let told = client.until_ready().await;
    assert_eq!(kinds(&told), "12tTDDsZ");
    for (expected, end) in [("DDsZ", "34"), ("DCZ", "5"), ("CZ", "")] {
        client.send(b'E', &[&text("p")[..], &2_i32.to_be_bytes()].concat()).await;
        client.send(b'S', b"").await;
        let told = client.until_ready().await;
        assert_eq!((kinds(&told).as_str(), cells(&told).concat().as_str()), (expected, end));
    }
    client.query("COMMIT").await;
    client.send(b'D', b"Pp\0").await;
    client.send(b'S', b"").await;
    assert_eq!(code(&client.until_ready().await), "34000", "it ended with its transaction");
    nothing_runs(&shared).await;
}

#[tokio::test]
async fn a_cursor_moves_forward_through_its_rows() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    let told = client
        .query(
            "BEGIN; DECLARE c CURSOR FOR SELECT value FROM generate_series(1, 9); FETCH 2 FROM c",
        )
        .await;
    assert_eq!((kinds(&told).as_str(), cells(&told).concat().as_str()), ("CCTDDCZ", "12"));
    assert_eq!(tags(&client.query("MOVE 3 FROM c").await), ["MOVE 3"]);
    client.pipeline("FETCH FORWARD 2 FROM c", 0).await;
    client.send(b'S', b"").await;
    let told = client.until_ready().await;
    assert_eq!((kinds(&told).as_str(), cells(&told).concat().as_str()), ("12TDDCZ", "67"));
    let told = client.query("FETCH ALL FROM c").await;
    assert_eq!((cells(&told).concat(), tags(&told).concat()), ("89".into(), "FETCH 2".into()));
    client.send(b'D', b"Pc\0").await;
    client.send(b'S', b"").await;
    assert_eq!(kinds(&client.until_ready().await), "TZ");
    assert_eq!(code(&client.query("FETCH PRIOR FROM c").await), "55000");
    client.query("ROLLBACK").await;
    assert_eq!(code(&client.query("CLOSE c").await), "34000");
}

#[tokio::test]
async fn after_an_error_the_rest_is_left_out_until_a_sync() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    client.pipeline("SELECT a FROM khong_co", 0).await;
    client.send(b'Q', &text("SELECT 1")).await;
    client.send(b'S', b"").await;
    assert_eq!(kinds(&client.until_ready().await), "EZ");
    client.pipeline("SELECT 1", 0).await;
    client.send(b'S', b"").await;
    assert_eq!(kinds(&client.until_ready().await), "12TDCZ");
    client.pipeline("", 0).await;
    client.send(b'S', b"").await;
    assert_eq!(kinds(&client.until_ready().await), "12nIZ");
    client.pipeline("SET statement_timeout = '7s'", 0).await;
    client.pipeline("SHOW statement_timeout", 0).await;
    client.send(b'S', b"").await;
    let told = client.until_ready().await;
    assert_eq!((kinds(&told).as_str(), cells(&told).concat().as_str()), ("12nC12TDCZ", "7s"));
}

#[tokio::test]
async fn parameters_are_bound_and_refused() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    let sql = "SELECT value FROM generate_series(1, 5) WHERE value > $1";
    client.send(b'P', &[&text("s")[..], &text(sql), &[0, 0]].concat()).await;
    client.send(b'D', b"Ss\0").await;
    client.send(b'S', b"").await;
    let told = client.until_ready().await;
    assert_eq!(kinds(&told), "1tTZ");
    assert_eq!(told[1].1, [0, 1, 0, 0, 0, 20], "one whole number of eight bytes");
    let bind = |value: &[u8]| {
        let length = (value.len() as u32).to_be_bytes();
        [&[0][..], &text("s"), &[0, 0, 0, 1], &length, value, &[0, 0]].concat()
    };
    client.send(b'B', &bind(b"3")).await;
    client.send(b'E', &[0; 5]).await;
    client.send(b'S', b"").await;
    assert_eq!(cells(&client.until_ready().await), ["4", "5"]);
    client.send(b'B', &bind(b"three")).await;
    client.send(b'S', b"").await;
    assert_eq!(code(&client.until_ready().await), "22P02");
    client.send(b'B', &[&[0][..], &text("s"), &[0; 6]].concat()).await;
    client.send(b'S', b"").await;
    assert_eq!(code(&client.until_ready().await), "08P01");
    client.send(b'B', &[&[0][..], &text("s"), &[0, 0, 0, 1, 0x7f, 0, 0, 0]].concat()).await;
    let told = client.until(b'Z').await;
    assert_eq!((kinds(&told).as_str(), code(&told).as_str()), ("E", "08P01"));
}

#[tokio::test]
async fn a_cancellation_stops_what_runs_and_nothing_else() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    let rows = "SELECT value FROM generate_series(1, 1000000000)";
    for (sql, extended) in [(ENDLESS, false), (ENDLESS, true), (rows, false), (rows, true)] {
        shared.cancels.cancel(client.pid, &client.secret);
        if extended {
            client.pipeline(sql, 0).await;
            client.send(b'S', b"").await;
        } else {
            client.send(b'Q', &text(sql)).await;
        }
        something_runs(&shared).await;
        shared.cancels.cancel(client.pid, &[0; 4]);
        let cancelled = Instant::now();
        shared.cancels.cancel(client.pid, &client.secret);
        let told = client.until_ready().await;
        assert_eq!(code(&told), "57014", "{sql}");
        assert!(cancelled.elapsed() < AT_ONCE, "{sql}: {:?}", cancelled.elapsed());
        nothing_runs(&shared).await;
        assert_eq!(cells(&client.query("SELECT 1").await), ["1"], "{sql}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_query_with_it() {
    let shared = shared(WireLimits::default()).await;
    for extended in [false, true] {
        let (mut client, served) = logged_in(&shared).await;
        if extended {
            client.pipeline(ENDLESS, 0).await;
        } else {
            client.send(b'Q', &text(ENDLESS)).await;
        }
        // What was sent ahead does not hide that the client has left.
        client.send(b'Q', &text("SELECT 1")).await;
        something_runs(&shared).await;
        drop(client);
        nothing_runs(&shared).await;
        assert!(matches!(served.await.unwrap(), Trouble::Gone(_)));
    }
}

#[tokio::test]
async fn a_statement_ends_with_the_time_that_its_client_gave() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    client.query("SET statement_timeout = 200").await;
    let began = Instant::now();
    assert_eq!(code(&client.query(ENDLESS).await), "57014");
    client.pipeline(ENDLESS, 0).await;
    client.send(b'S', b"").await;
    assert_eq!(code(&client.until_ready().await), "57014");
    assert!(began.elapsed() < 2 * AT_ONCE);
    nothing_runs(&shared).await;
    client.query("SET statement_timeout = 0").await;
    assert_eq!(cells(&client.query("SELECT 1").await), ["1"]);
}

#[tokio::test]
async fn a_stop_tells_everyone_and_ends_what_runs() {
    let shared = shared(WireLimits::default()).await;
    let (mut idle, _) = logged_in(&shared).await;
    let (mut busy, _) = logged_in(&shared).await;
    busy.send(b'Q', &text(ENDLESS)).await;
    something_runs(&shared).await;
    shared.stop.cancel();
    for client in [&mut idle, &mut busy] {
        let told = client.until(b'Z').await;
        assert_eq!((kinds(&told).as_str(), code(&told).as_str()), ("E", "57P01"));
    }
    nothing_runs(&shared).await;
}

#[tokio::test]
async fn a_connection_is_not_idle_for_ever() {
    let limits = WireLimits {
        idle: Duration::from_millis(200),
        idle_in_transaction: Duration::from_millis(20),
        ..WireLimits::default()
    };
    let shared = shared(limits).await;
    let (mut client, _) = logged_in(&shared).await;
    assert_eq!(code(&client.until(b'Z').await), "57P05");
    let (mut client, _) = logged_in(&shared).await;
    client.query("BEGIN").await;
    assert_eq!(code(&client.until(b'Z').await), "25P03");
}

/// A server, and a stranger who connects to it.
async fn strangers(limits: WireLimits, count: usize) -> (Vec<Client>, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let (served, stopped) = (Served::new(warehouse(), users().await), stop.clone());
    tokio::spawn(async move { serve(served, limits, listener, stopped).await });
    let mut clients = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(address).await.unwrap();
        clients.push(Client { stream, pid: 0, secret: Vec::new() });
    }
    (clients, stop)
}

fn start_of(user: &str) -> Vec<u8> {
    [&196_608_i32.to_be_bytes()[..], b"user\0", &text(user), b"\0"].concat()
}

#[tokio::test]
async fn strangers_are_heard_within_bounds() {
    let (mut clients, _) = strangers(WireLimits::default(), 6).await;
    let [encrypted, long, later, other, short, loud] = &mut clients[..] else { panic!() };
    for magic in [80_877_103_i32, 80_877_104] {
        encrypted.start(&magic.to_be_bytes()).await;
        assert_eq!(encrypted.stream.read_u8().await.unwrap(), b'N');
    }
    encrypted.start(&80_877_103_i32.to_be_bytes()).await;
    assert_eq!(code(&encrypted.until(b'Z').await), "08P01");

    long.stream.write_all(&10_001_u32.to_be_bytes()).await.unwrap();
    assert_eq!(code(&long.until(b'Z').await), "08P01");

    later.start(&start_of("an")).await;
    assert_eq!(later.hear().await.unwrap().0, b'R');
    later.stream.write_all(b"p\x7f\xff\xff\xff").await.unwrap();
    assert_eq!(code(&later.until(b'Z').await), "08P01");

    other.start(&start_of("an")).await;
    assert_eq!(other.hear().await.unwrap().0, b'R');
    other.send(b'Q', &text("SELECT 1")).await;
    assert_eq!(code(&other.until(b'Z').await), "08P01");

    short.start(&131_072_i32.to_be_bytes()).await;
    assert_eq!(code(&short.until(b'Z').await), "0A000");

    loud.start(&start_of("")).await;
    assert_eq!(code(&loud.until(b'Z').await), "28000");
}

#[tokio::test]
async fn malformed_log_ins_end_the_connection_and_not_the_server() {
    let first = |mechanism: &str, length: i32, data: &[u8]| {
        [&text(mechanism)[..], &length.to_be_bytes(), data].concat()
    };
    let scram = "SCRAM-SHA-256";
    let bodies = [
        Vec::new(),
        first("PLAIN", 0, b""),
        first(scram, -1, b""),
        first(scram, i32::MAX, b"n,,n=,r=x"),
        first(scram, 1, b"n,,n=,r=x"),
        first(scram, 9, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        first(scram, 9, b"y,a,n=,r="),
    ];
    let (mut clients, _) = strangers(WireLimits::default(), bodies.len() + 1).await;
    for (client, body) in clients.iter_mut().zip(&bodies) {
        client.start(&start_of("an")).await;
        assert_eq!(client.hear().await.unwrap().0, b'R');
        client.send(b'p', body).await;
        assert_eq!(code(&client.until(b'Z').await), "08P01", "{body:?}");
    }
    let last = clients.last_mut().unwrap();
    last.start(&start_of("nobody")).await;
    assert_eq!(last.hear().await.unwrap().0, b'R');
    let body = first(scram, 9, b"n,,n=,r=x");
    last.send(b'p', &body).await;
    let (kind, challenge) = last.hear().await.unwrap();
    assert_eq!(kind, b'R', "a name that nobody has is asked for its password too");
    let nonce = String::from_utf8(challenge[4..].to_vec()).unwrap();
    let nonce = nonce.split(',').next().unwrap();
    last.send(b'p', format!("c=biws,{nonce},p=AAAA").as_bytes()).await;
    assert_eq!(code(&last.until(b'Z').await), "28P01");
}

#[tokio::test]
async fn those_who_stand_too_long_or_are_too_many_are_told() {
    let limits =
        WireLimits { half_open: 2, log_in: Duration::from_millis(400), ..WireLimits::default() };
    let (mut clients, stop) = strangers(limits, 2).await;
    let address = clients[0].stream.peer_addr().unwrap();
    // The server has seen both before the next comes.
    for client in &mut clients {
        client.start(&80_877_103_i32.to_be_bytes()).await;
        assert_eq!(client.stream.read_u8().await.unwrap(), b'N');
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let mut third = Client { stream, pid: 0, secret: Vec::new() };
    third.start(&start_of("an")).await;
    assert_eq!(third.hear().await.unwrap().0, b'R', "whoever logs in finds room");
    assert_eq!(code(&clients[0].until(b'Z').await), "53300", "it stood there longest");
    assert_eq!(code(&clients[1].until(b'Z').await), "57014", "it said nothing");
    stop.cancel();
}

#[tokio::test]
async fn serving_ends_when_all_connections_are_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn({
        let (served, stop) = (Served::new(warehouse(), users().await), stop.clone());
        async move { serve(served, WireLimits::default(), listener, stop).await }
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let mut client = Client { stream, pid: 0, secret: Vec::new() };
    client.start(&start_of("an")).await;
    assert_eq!(client.hear().await.unwrap().0, b'R');
    stop.cancel();
    assert_eq!(code(&client.until(b'Z').await), "57P01");
    drop(client);
    tokio::time::timeout(3 * AT_ONCE, serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
