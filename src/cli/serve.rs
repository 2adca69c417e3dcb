//! `khoyte serve`: `PostgreSQL` clients and the pages, until a signal comes.

use anyhow::Context;
use dashboards::Settings;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use warehouse::access::Principal;
use warehouse::serve::postgres;

use super::{CommandLine, Exit, House};
use crate::config;
use crate::report::Reporter;

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
    let mut config = line.config()?;
    config.web.listen = args.web.unwrap_or(config.web.listen);
    config.postgres.listen = args.postgres.unwrap_or(config.postgres.listen);
    let house = match House::open(config, out)? {
        Ok(house) => house,
        Err(exit) => return Ok(exit),
    };
    serve(&house, None, out).await?;
    Ok(Exit::Done)
}

/// Serves until SIGINT or SIGTERM.
pub(super) async fn serve(
    house: &House,
    password: Option<(&str, &str)>,
    out: &Reporter,
) -> anyhow::Result<()> {
    let web = bind(house.config.web.listen, "web").await?;
    let sql = bind(house.config.postgres.listen, "postgres").await?;
    let (web_at, sql_at) = (web.local_addr()?, sql.local_addr()?);
    let settings = Settings {
        boundaries: house.config.web.boundaries_file.clone(),
        public_dir: Some(house.config.public_folder.clone()),
        sql_row_limit: house.config.web.sql_row_limit,
        sql_principal: Principal::planner("web"),
        today: config::today,
    };
    let pages = dashboards::router(house.warehouse.clone(), settings)?;
    let users = house.users().await?;
    out.result(&format!("web       http://{web_at}/\n"));
    match password {
        Some((user, password)) => out.result(&format!(
            "psql      PGPASSWORD={password} psql -h {} -p {} -U {user} khoyte\n",
            sql_at.ip(),
            sql_at.port()
        )),
        None => out.result(&format!("postgres  {sql_at}\n")),
    }
    out.say("serving; stop with Ctrl-C");
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    };
    tokio::select! {
        served = axum_serve(web, pages) => served,
        served = postgres::serve(&house.warehouse, users, sql) => Ok(served?),
        () = stop => Ok(()),
    }
}

async fn axum_serve(listener: TcpListener, pages: dashboards::Pages) -> anyhow::Result<()> {
    dashboards::serve(listener, pages).await.context("the web server stopped")
}

async fn bind(address: std::net::SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address}; give another with --{key} ADDRESS or in the configuration"
        )
    })
}
