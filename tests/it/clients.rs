//! Real clients beside psql.

use std::process::Command;

use crate::support::{Server, succeed};

#[test]
fn psycopg_finds_the_database_it_expects() {
    let python = std::env::var_os("KHOYTE_PYTHON")
        .expect("KHOYTE_PYTHON names a Python with psycopg; `tests/run` makes one");
    let server = Server::shared();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/psycopg_client.py");
    succeed(
        Command::new(python)
            .args([script, &server.connection()])
            .env("PGPASSWORD", &server.password),
    );
}
