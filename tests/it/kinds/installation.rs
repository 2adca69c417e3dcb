//! A server or a file for each kind of source, and installations that read them all.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::files;
use super::mariadb::{self, Maria};
use super::rows::{Cells, NUMBER, Table, table};
use super::web::{TOKEN, Web};
use crate::growth::House;
use crate::users::server::{PASSWORD, Postgres};

/// The night whose files are there.
pub(super) const NIGHT: &str = "2026-07-15";

/// The night after it.
pub(super) const NEXT: &str = "2026-07-16";

/// Servers that hold their rows.
pub(super) struct Servers {
    pub(super) postgres: Postgres,
    maria: Maria,
    pub(super) web: Web,
}

impl Servers {
    /// Those of tests that change nothing at them; they end with the last of these tests.
    pub(super) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Servers>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *shared = Arc::downgrade(&started);
        started
    }

    /// Servers of one's own.
    pub(super) fn start() -> Self {
        let postgres = Postgres::start();
        postgres.ask("postgres", "CREATE DATABASE kinds");
        let texts = "so_dinh_danh varchar(20), ho_ten varchar(100), dien_thoai varchar(20), \
                     ngay date, loai varchar(100), so_luong varchar(20)";
        postgres.ask(
            "kinds",
            &format!(
                "CREATE SCHEMA his; CREATE TABLE his.luot (so_thu_tu integer, {texts}, \
                 cap_nhat_luc timestamptz); CREATE TABLE his.luot_odbc (so_thu_tu integer, {texts})"
            ),
        );
        postgres.ask("kinds", &insert("his.luot", table("nguon.pg_luot"), true));
        postgres.ask("kinds", &insert("his.luot_odbc", table("nguon.odbc_luot"), false));
        let maria = Maria::start();
        maria.ask(&format!("CREATE TABLE kinds.luot (so_thu_tu integer, {texts})"));
        maria.ask(&insert("kinds.luot", table("nguon.maria_luot"), false));
        let web = Web::start(files::members(table("nguon.http_luot")));
        Self { postgres, maria, web }
    }

    /// How many rows the source itself counts.
    pub(super) fn count(&self, table: &Table) -> usize {
        let told = match table.name {
            "nguon.pg_luot" => self.postgres.ask("kinds", "SELECT count(*) FROM his.luot"),
            "nguon.odbc_luot" => self.postgres.ask("kinds", "SELECT count(*) FROM his.luot_odbc"),
            "nguon.maria_luot" => self.maria.ask("SELECT count(*) FROM kinds.luot"),
            _ => return table.rows.len(),
        };
        told.trim().parse().unwrap()
    }

    /// A new installation that reads them, and files of every form.
    pub(super) fn house(&self) -> House {
        let contracts = contracts();
        let contracts: Vec<&str> = contracts.iter().map(String::as_str).collect();
        let house = House::of(&contracts, &self.config());
        let claims = files::claims(table("nguon.bhyt_ho_so"), table("nguon.bhyt_dich_vu"));
        house.write(&format!("bhyt/{NIGHT}/01001.xml"), claims);
        house.write("fhir/Observation.1.ndjson", files::fhir(table("nguon.fhir_luot")));
        house.write("bao_cao/thang.xlsx", files::workbook(table("nguon.xlsx_luot")));
        let old = files::delimited(table("nguon.csv_luot"), ",");
        house.write("cu/luot.csv", files::tcvn3(&old));
        house.write("tram/luot.tsv", files::delimited(table("nguon.tsv_luot"), "\t"));
        house.write("xn/luot.parquet", files::parquet(table("nguon.parquet_luot")));
        house
    }

    fn config(&self) -> String {
        let port = self.postgres.port();
        let odbc = format!(
            "DRIVER={{PostgreSQL Unicode}};SERVER=127.0.0.1;PORT={port};DATABASE=kinds;\
             SSLMODE=disable;UseDeclareFetch=1;Fetch=1000;BoolsAsChar=0;Protocol=7.4-0"
        );
        let postgres = format!("postgresql://127.0.0.1:{port}/kinds");
        let maria = format!("mariadb://127.0.0.1:{}/kinds", self.maria.port);
        let web = format!("http://127.0.0.1:{}/api", self.web.port);
        let server = |id: &str, address: &str, user: &str, secret: &str| {
            format!(
                "\n[servers.{id}]\naddress = {address:?}\n{user}secret_command = [\"echo\", \
                 {secret:?}]\nplain = true\nrequests_per_second = 1000\n"
            )
        };
        [
            server("pg", &postgres, "user = \"khoyte\"\n", PASSWORD),
            server("odbc", &odbc, "user = \"khoyte\"\n", PASSWORD),
            server("maria", &maria, "user = \"doc\"\n", mariadb::PASSWORD),
            server("http", &web, "", TOKEN),
        ]
        .concat()
    }
}

/// The contracts of all kinds.
fn contracts() -> Vec<String> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kinds/pipelines/contracts");
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| std::fs::read_to_string(entry.path()).unwrap()).collect()
}

/// The statement that puts in the rows, and, where it is `written`, when each was.
fn insert(into: &str, table: &Table, written: bool) -> String {
    let literal = |cell: &Option<String>| match cell {
        Some(text) => format!("'{text}'"),
        None => "NULL".to_owned(),
    };
    let row = |row: &Cells| {
        let mut cells: Vec<String> = row.iter().map(literal).collect();
        if written {
            cells.push(format!("'{}'", written_at(row)));
        }
        format!("({})", cells.join(", "))
    };
    let rows: Vec<String> = table.rows.iter().map(row).collect();
    format!("INSERT INTO {into} VALUES {}", rows.join(", "))
}

/// A minute for each number, on the day before the night.
fn written_at(row: &Cells) -> String {
    let number: u32 = row[NUMBER].as_deref().unwrap().parse().unwrap();
    format!("2026-07-14 {:02}:{:02}:00+07", 8 + number / 60, number % 60)
}
