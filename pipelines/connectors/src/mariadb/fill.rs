//! Writing made-up rows to a relation of our own: into a temporary table by the batch, then in one
//! transaction out with the rows of the same key and in with the new ones.

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::sql::{self, Relation, quoted};
use super::{CONNECT_TIMEOUT, Peer, Server, faults, options};
use crate::SourceError;
use crate::fill::{Cells, Holds, MARK, Target};

/// Parameters of one statement, of the 65,535 that the protocol has.
const PARAMETERS: usize = 20_000;

/// Rows of one statement.
const ROWS: usize = 500;

/// The temporary table.
const STAGE: &str = "`khoyte_moi`";

/// Characters of a column of a key that are indexed.
const INDEXED: usize = 64;

/// Makes the relation where it is not there, and puts the rows in the place of those of the same
/// key, all or none. Returns how many there were.
///
/// # Errors
/// When the server cannot be reached, lacks a right, or has a relation of that name that was not
/// made here.
pub async fn fill(
    server: &Server,
    target: Target<'_>,
    rows: impl Iterator<Item = Cells>,
) -> Result<u64, SourceError> {
    let peer = Peer {
        label: format!("{}:{}", server.host, server.port),
        database: server.database.clone(),
        options: options(server).await?,
        id: 0,
    };
    let relation = Relation::parse(target.relation, &peer.database)?;
    let entered = tokio::time::timeout(CONNECT_TIMEOUT, peer.options.connect()).await;
    let entered = entered.map_err(|_| peer.silent())?;
    let mut connection = entered.map_err(|error| peer.not_entered(&error))?;
    let told = |error: sqlx::Error| failed(&peer, &relation, &error);
    make(&peer, &mut connection, &relation, target).await?;
    let place = relation.quoted();
    run(&mut connection, format!("CREATE TEMPORARY TABLE {STAGE} LIKE {place}"))
        .await
        .map_err(told)?;
    run(&mut connection, "START TRANSACTION".to_owned()).await.map_err(told)?;
    let count = send(&mut connection, target, rows).await.map_err(told)?;
    let same = target.key.iter().map(|name| format!("cu.{0} = moi.{0}", quoted(name)));
    let same: Vec<String> = same.collect();
    if !same.is_empty() {
        let same = same.join(" AND ");
        let delete = format!("DELETE cu FROM {place} AS cu JOIN {STAGE} AS moi ON {same}");
        run(&mut connection, delete).await.map_err(told)?;
    }
    if !target.is_gone {
        let names = names(target);
        let insert = format!("INSERT INTO {place} ({names}) SELECT {names} FROM {STAGE}");
        run(&mut connection, insert).await.map_err(told)?;
    }
    run(&mut connection, "COMMIT".to_owned()).await.map_err(told)?;
    // What was committed stays, however the session ends.
    let _ = connection.close().await;
    Ok(count)
}

async fn run(connection: &mut MySqlConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

/// Refuses a relation that is not ours; makes one where there is none.
async fn make(
    peer: &Peer,
    connection: &mut MySqlConnection,
    relation: &Relation,
    target: Target<'_>,
) -> Result<(), SourceError> {
    let told = |error: sqlx::Error| failed(peer, relation, &error);
    let comment = sql::comment(relation, connection).await.map_err(told)?;
    if let Some(comment) = comment {
        if comment.as_deref() == Some(MARK) {
            return Ok(());
        }
        return Err(peer.refused(
            relation,
            "a relation of that name is there, and was not made by a simulation",
            "nothing was written to it; name a server without real data",
        ));
    }
    let known = sqlx::query_scalar::<_, i64>(
        "SELECT count(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
    );
    let known = known.bind(relation.database.clone()).fetch_one(&mut *connection).await;
    if known.map_err(told)? == 0 {
        let database = quoted(&relation.database);
        let sql = format!("CREATE DATABASE {database} CHARACTER SET utf8mb4");
        run(connection, sql).await.map_err(told)?;
    }
    run(connection, create(relation, target)).await.map_err(told)
}

fn create(relation: &Relation, target: Target<'_>) -> String {
    let columns = target.columns.iter().map(|(name, holds)| {
        let ty = match holds {
            Holds::Text => "TEXT".to_owned(),
            Holds::Whole => "BIGINT".to_owned(),
            Holds::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
            Holds::Day => "DATE".to_owned(),
            Holds::Instant => "DATETIME".to_owned(),
            Holds::Truth => "TINYINT(1)".to_owned(),
        };
        format!("{} {ty} NULL", quoted(name))
    });
    let mut parts: Vec<String> = columns.collect();
    let key = target.key.iter().map(|name| {
        let held = target.columns.iter().find(|(column, _)| column == name).map(|(_, holds)| holds);
        let length =
            if held == Some(&Holds::Text) { format!("({INDEXED})") } else { String::new() };
        format!("{}{length}", quoted(name))
    });
    let key: Vec<String> = key.collect();
    if !key.is_empty() {
        parts.push(format!("INDEX ({})", key.join(", ")));
    }
    // Text is compared as it is written: two keys that differ in case are two rows.
    format!(
        "CREATE TABLE {} ({}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT=DYNAMIC \
         COMMENT='{MARK}'",
        relation.quoted(),
        parts.join(", ")
    )
}

fn names(target: Target<'_>) -> String {
    let names: Vec<String> = target.columns.iter().map(|(name, _)| quoted(name)).collect();
    names.join(", ")
}

async fn send(
    connection: &mut MySqlConnection,
    target: Target<'_>,
    mut rows: impl Iterator<Item = Cells>,
) -> Result<u64, sqlx::Error> {
    let width = target.columns.len().max(1);
    let most = (PARAMETERS / width).clamp(1, ROWS);
    let mut count = 0;
    loop {
        let batch: Vec<Cells> = rows.by_ref().take(most).collect();
        if batch.is_empty() {
            return Ok(count);
        }
        count += batch.len() as u64;
        let one = format!("({})", vec!["?"; width].join(", "));
        let all = vec![one.as_str(); batch.len()].join(", ");
        let sql = format!("INSERT INTO {STAGE} ({}) VALUES {all}", names(target));
        let mut insert = sqlx::query::<sqlx::MySql>(AssertSqlSafe(sql)).persistent(false);
        for row in batch {
            for (cell, (_, holds)) in row.into_iter().zip(target.columns) {
                insert = insert.bind(cell.map(|cell| written(cell, *holds)));
            }
        }
        insert.execute(&mut *connection).await?;
    }
}

/// A cell as the server reads it.
fn written(cell: String, holds: Holds) -> String {
    match holds {
        // Its own time is that of Viet Nam.
        Holds::Instant => cell.get(..19).map_or(cell.clone(), |told| told.replace('T', " ")),
        Holds::Truth => if cell == "true" { "1" } else { "0" }.to_owned(),
        _ => cell,
    }
}

/// A failure of the server, by its number alone: its words may quote a cell.
fn failed(peer: &Peer, relation: &Relation, error: &sqlx::Error) -> SourceError {
    match error.as_database_error() {
        Some(told) => peer.refused(
            relation,
            format_args!("the made-up rows are not taken (error {})", faults::number(told)),
            "give the user the rights CREATE, INDEX, SELECT, INSERT, DELETE and CREATE TEMPORARY \
             TABLES, at a server for trials; where the contract changed since the relation was \
             made, drop the relation",
        ),
        None => peer.server(
            "broke the connection off while made-up rows were written",
            "look whether it runs, and write them again",
        ),
    }
}
