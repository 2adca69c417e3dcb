//! Opens the room: the file or server, its settings, and the migrations, built into the program.

use std::fs::File;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, SqlStr};

use super::error::{Cause, StateError};
use super::place::Place;
use super::run::{beside, lock_file};

/// Every migration, in order: never edited, only added to.
const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "state", include_str!("../../migrations/0001_state.sql"))];

/// Connections of one process beside the one that writes the account of queries.
const CONNECTIONS: u32 = 8;

/// How long a caller waits for one of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects, with the settings that are ours.
pub(super) async fn connect(options: &AnyConnectOptions) -> Result<AnyConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    settle(&mut connection).await?;
    Ok(connection)
}

/// What is committed stays: the disk is waited for, whatever the default is. SQLite's five seconds
/// of patience with other writers are the driver's default.
async fn settle(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let statement = match connection.backend_name() {
        "SQLite" => "PRAGMA synchronous = FULL",
        _ => {
            "SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') = 'off'"
        }
    };
    sqlx::query(statement).fetch_all(connection).await.map(|_| ())
}

/// The connections that everything but the account of queries shares.
pub(super) fn pool(options: AnyConnectOptions) -> AnyPool {
    AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(settle(connection)))
        .connect_lazy_with(options)
}

/// Keeps others from opening the same SQLite file at the same time: turning on the write-ahead log
/// and migrating are not safe for two. On a server the migrations have a lock of their own.
pub(super) async fn opening(place: &Place) -> Result<Option<File>, StateError> {
    let Some(path) = place.file().map(|file| beside(file, "-lock")) else { return Ok(None) };
    let failed = |cause: Cause| StateError::Open { place: place.to_string(), cause };
    let locked = tokio::task::spawn_blocking(move || {
        let file = lock_file(&path)?;
        file.lock().map(|()| file)
    });
    match locked.await {
        Ok(Ok(file)) => Ok(Some(file)),
        Ok(Err(error)) => Err(failed((&error).into())),
        Err(_) => Err(failed(Cause::new("the lock beside it was not waited for"))),
    }
}

/// Brings the tables up to date; refuses those of a newer version.
pub(super) async fn migrate(
    connection: &mut AnyConnection,
    place: &Place,
) -> Result<(), StateError> {
    let open =
        |error: &sqlx::Error| StateError::Open { place: place.to_string(), cause: error.into() };
    if place.file().is_some() {
        sqlx::query("PRAGMA journal_mode = WAL")
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| open(&error))?;
    }
    // `Migrator::run` on a borrowed connection makes a future that no other thread may run.
    let migrated = migrator(&MIGRATIONS).run_direct(None, connection, false).await;
    let place = place.to_string();
    migrated.map_err(|error| match error {
        MigrateError::VersionMissing(version) => StateError::Newer { place, version },
        MigrateError::VersionMismatch(version) => StateError::Altered { place, version },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => open(&error),
        _ => {
            StateError::Open { place, cause: Cause::new("its tables cannot be brought up to date") }
        }
    })
}

pub(super) fn migrator(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        let (kind, sql) = (MigrationType::Simple, SqlStr::from_static(sql));
        Migration::new(*version, (*name).into(), kind, sql, false)
    };
    let mut migrator = Migrator::with_migrations(migrations.iter().map(migration).collect());
    // A server's database may hold the tables of others.
    migrator.dangerous_set_table_name("khoyte_migrations");
    migrator
}

/// How a transaction that writes begins: SQLite's others may fail halfway where two write.
pub(super) fn begin(connection: &AnyConnection) -> &'static str {
    match connection.backend_name() {
        "SQLite" => "BEGIN IMMEDIATE",
        _ => "BEGIN",
    }
}

/// Random bytes of the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], StateError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StateError::Failed {
        doing: "get random bytes of the system",
        cause: Cause::new(error.to_string()),
    })?;
    Ok(bytes)
}
