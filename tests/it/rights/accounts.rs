//! The account of every query: as many as there were queries, and none is lost with the process.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::hostile::Client;
use crate::support::{self, Server, khoyte, succeed};

const PATIENCE: Duration = Duration::from_secs(20);

/// Accounts of the planner's queries over the wire, by how they ended, as the operator reads them.
fn accounts(folder: &Path, condition: &str) -> u64 {
    let sql = format!(
        "SELECT count(*) AS a FROM he_thong.truy_van \
         WHERE nguoi = 'ke_hoach' AND cua = 'postgresql' AND {condition}"
    );
    let output = succeed(khoyte(folder).args(["sql", "--format", "csv", &sql]));
    String::from_utf8(output.stdout).unwrap().lines().nth(1).unwrap().parse().unwrap()
}

fn log_in(server: &Server) -> Client {
    Client::log_in(server.postgres, "ke_hoach", &server.password, PATIENCE).unwrap()
}

#[test]
fn ten_thousand_queries_have_ten_thousand_accounts() {
    const CONNECTIONS: u64 = 8;
    const QUERIES: u64 = 1_250;
    const WHOLE: &str = "ket_qua = 'xong' AND so_dong = 1";
    let folder = support::copied();
    let server = Server::start(folder.path());
    std::thread::scope(|threads| {
        for _ in 0..CONNECTIONS {
            threads.spawn(|| {
                let mut client = log_in(&server);
                for number in 0..QUERIES {
                    let sql = format!("SELECT {number} AS a");
                    let reply = client.simple(&sql).unwrap();
                    assert_eq!(reply.cell(), Some(number.to_string().as_str()));
                }
            });
        }
    });
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let counted = [WHOLE, "true"].map(|condition| accounts(folder.path(), condition));
    assert_eq!(counted, [CONNECTIONS * QUERIES; 2]);
}

#[test]
fn a_process_that_is_killed_loses_no_account_of_what_it_answered() {
    const KILLS: u64 = 30;
    let folder = support::copied();
    let (answered, asked) = (AtomicU64::new(0), AtomicU64::new(0));
    for kill in 0..KILLS {
        let server = Server::start(folder.path());
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    let Ok(mut client) =
                        Client::log_in(server.postgres, "ke_hoach", &server.password, PATIENCE)
                    else {
                        return;
                    };
                    loop {
                        asked.fetch_add(1, Ordering::Relaxed);
                        match client.simple("SELECT 1 AS a") {
                            Ok(reply) if reply.cell() == Some("1") => {
                                answered.fetch_add(1, Ordering::Relaxed);
                            }
                            _ => break,
                        }
                    }
                });
            }
            let enough = answered.load(Ordering::Relaxed) + 5 + kill % 7;
            while answered.load(Ordering::Relaxed) < enough {
                std::thread::yield_now();
            }
            succeed(Command::new("kill").args(["-KILL", &server.id().to_string()]));
        });
    }
    let kept = accounts(folder.path(), "true");
    let (answered, asked) = (answered.into_inner(), asked.into_inner());
    assert!(kept >= answered && kept <= asked, "{answered} answered, {kept} kept, {asked} asked");
    assert_eq!(accounts(folder.path(), "ket_qua IS NULL"), 0, "what was cut off says so");
}

#[test]
fn what_was_read_is_named_and_what_was_asked_is_not() {
    let folder = support::copied();
    let secret =
        "SELECT don_vi, 'b1m4t-khong-ai-biet' AS x FROM kho.lao_quy WHERE so_benh_nhan > 5";
    succeed(khoyte(folder.path()).args(["sql", "--as", "ke_hoach", "--format", "csv", secret]));
    let last = "SELECT nguoi, cua, bang, cot, ket_qua FROM he_thong.truy_van \
                WHERE nguoi = 'ke_hoach' ORDER BY so DESC LIMIT 1";
    let output = succeed(khoyte(folder.path()).args(["sql", "--format", "csv", last]));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = "ke_hoach,dong_lenh,kho.lao_quy,kho.lao_quy.don_vi;kho.lao_quy.so_benh_nhan,xong";
    assert_eq!(text.lines().nth(1), Some(line));
    let state = std::fs::read(folder.path().join("state.sqlite")).unwrap();
    let told = state.windows(10).any(|bytes| bytes == b"b1m4t-khon");
    assert!(!told, "the state room holds what was asked");
    let refused = khoyte(folder.path())
        .args(["sql", "--as", "ke_hoach", "SELECT count(*) FROM he_thong.truy_van"])
        .output()
        .unwrap();
    assert!(!refused.status.success(), "only inspectors read the account");
}
