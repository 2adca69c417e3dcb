//! `khoyte serve`: `PostgreSQL` clients and the pages, until a signal comes.

mod reload;

use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use dashboards::Settings;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use warehouse::serve::postgres;
use warehouse::serve::served::Served;
use warehouse::serve::users::Users;
use warehouse::state::State;

pub(super) use self::reload::Before;
use self::reload::Reload;
use super::{CommandLine, Exit, House, open_state};
use crate::config;
use crate::report::{Both, Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address of the pages, in place of the configured one; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    web: Option<std::net::SocketAddr>,
    /// Address for `PostgreSQL` clients, in place of the configured one
    #[arg(long, value_name = "ADDRESS")]
    postgres: Option<std::net::SocketAddr>,
}

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let before = Before::look(line)?;
    let mut config = line.config()?;
    config.web.listen = args.web.unwrap_or(config.web.listen);
    config.postgres.listen = args.postgres.unwrap_or(config.postgres.listen);
    let house = match House::open(config, out)? {
        Ok(house) => house,
        Err(exit) => return Ok(exit),
    };
    serve(&house, None, (line, before), out).await?;
    Ok(Exit::Done)
}

/// Serves until SIGINT or SIGTERM. Then nothing new is taken, queries are stopped but for those of
/// downloads, and what is under way may come to its end within the configured time; a second
/// signal ends it at once.
pub(super) async fn serve(
    house: &House,
    password: Option<(&str, &str)>,
    (line, before): (&CommandLine, Before),
    out: &Reporter,
) -> anyhow::Result<()> {
    let web = bind(house.config.web.listen, "web").await?;
    let sql = bind(house.config.postgres.listen, "postgres").await?;
    let (web_at, sql_at) = (web.local_addr()?, sql.local_addr()?);
    let state = open_state(&house.config).await?;
    let warehouse = house.warehouse.clone().with_state(state.clone());
    let listed = house.config.listed(warehouse.geography())?;
    let users = Users::new(listed, state.clone()).await?;
    let served = Served::new(warehouse.clone(), users);
    let pages = dashboards::router(served.clone(), settings(house, &state))?;
    let reload = Reload::new(line, out, &served, before)?;
    let mut signals = Signals::new()?;
    told("web", &format!("http://{web_at}/"), out);
    match password {
        Some((user, password)) => {
            let (ip, port) = (sql_at.ip(), sql_at.port());
            let command = format!("PGPASSWORD={password} psql -h {ip} -p {port} -U {user} khoyte");
            told("psql", &command, out);
        }
        None => told("postgres", &sql_at.to_string(), out),
    }
    out.say("serving; stop with Ctrl-C");
    let stop = CancellationToken::new();
    let grace = Duration::from_secs(house.config.stop_grace_secs);
    let limits = house.config.wire_limits();
    let mut watching = pin!(reload.watch());
    let mut serving = pin!(async {
        tokio::join!(
            dashboards::serve(web, pages, stop.clone(), grace),
            postgres::serve(served.clone(), limits, sql, stop.clone()),
        )
    });
    tokio::select! {
        _ = &mut serving => return Ok(()),
        () = signals.next() => (),
        never = &mut watching => match never {},
    }
    out.say("stopping: what is under way may end; once more to stop at once");
    warehouse.close();
    stop.cancel();
    tokio::select! {
        _ = &mut serving => (),
        () = signals.next() => (),
    }
    warehouse.stop();
    state.flush().await?;
    Ok(())
}

/// Tells where something is reached.
fn told(what: &str, at: &str, out: &Reporter) {
    out.result(&Both { text: format!("{what:<9} {at}\n"), object: json!({ what: at }) });
}

fn settings(house: &House, state: &State) -> Settings {
    let web = &house.config.web;
    Settings {
        boundaries: web.boundaries_file.clone(),
        public_dir: Some(house.config.public_folder.clone()),
        sql_row_limit: web.sql_row_limit,
        state: state.clone(),
        hosts: web.hosts.clone(),
        secure_cookies: web.secure_cookies,
        connections: web.connections,
        connections_per_address: web.connections_per_address,
        today: config::today,
    }
}

/// The signals that end the program.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let (interrupt, terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}

async fn bind(address: std::net::SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address}; give another with --{key} ADDRESS or in the configuration"
        )
    })
}
