//! The made-up systems of a demonstration: what its contracts read beside the files of the small
//! country. A web service is in this process, servers are those of a file that `deploy/demo-servers`
//! writes; the configuration names both while the demonstration lasts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{Days, NaiveDate};
use pipelines::simulate::by_contract::{self, Services, Serving, Wish};
use tokio::net::TcpListener;
use warehouse::names::TableName;
use warehouse::spec::Origin;

use super::super::{House, password, simulate};
use super::write_private;
use crate::config::{Config, ServerConfig, Servers};
use crate::report::Reporter;

/// The folder of secrets, of which a server of the configuration is told to be the demonstration's.
const FOLDER: &str = "servers";

/// Sources whose contracts read files alone.
const OF_FILES: [&str; 3] = ["benh_an", "bhyt", "hiv_bao_cao"];

/// The source that is a web service.
const SERVICE: &str = "dvc_duoc";

/// Sources on servers, and how one gets them.
const ON_SERVERS: [&str; 3] = ["duoc", "kcb", "tiem_chung"];
const HOW: &str = "it is on a server, which deploy/demo starts";

/// Nights of rows, the last of them the demonstration's, and rows of each.
const NIGHTS: u32 = 3;
const ROWS: u64 = 200;
const SEED: u64 = 1;

/// Requests a second that the service bears: more than are ever made.
const REQUESTS: u32 = 1_000;

/// See the module.
pub(super) struct Systems {
    listener: TcpListener,
    servers: Servers,
}

impl Systems {
    /// Takes a port for the service, and the servers that `file` names.
    pub(super) async fn begin(dir: &Path, file: Option<&Path>) -> anyhow::Result<Self> {
        let mut servers = match file {
            Some(file) => Servers::read(file)?,
            None => Servers::default(),
        };
        let listener = Services::listen(([127, 0, 0, 1], 0).into()).await?;
        let address = format!("http://{}/{SERVICE}", listener.local_addr()?);
        let folder = secrets(dir)?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let token = folder.join(format!("{SERVICE}.token"));
        if !token.exists() {
            write_private(&token, &password::random_text()?)?;
        }
        let service = ServerConfig::of_this_machine(address, token, REQUESTS);
        servers.servers.insert(SERVICE.to_owned(), service);
        Ok(Self { listener, servers })
    }

    /// Names the servers in the configuration.
    pub(super) fn place(&self, config: &mut Config) {
        config.servers.extend(self.servers.servers.clone());
    }

    /// Fills what the contracts read, and begins to serve.
    pub(super) async fn fill(
        self,
        house: &House,
        night: NaiveDate,
        out: &Reporter,
    ) -> anyhow::Result<()> {
        let declarations = house.warehouse.declarations();
        let servers = house.config.servers()?;
        let folder = house.config.sources_folder.clone().unwrap_or_default();
        let there = ON_SERVERS.into_iter().filter(|source| servers.contains_key(*source));
        let only = OF_FILES.into_iter().chain([SERVICE]).chain(there);
        let only: Vec<String> = only.map(str::to_owned).collect();
        let wish = Wish {
            declarations,
            reference: simulate::reference(declarations),
            only: &only,
            servers: &servers,
            folder: Some(&folder),
            first: night - Days::new(u64::from(NIGHTS) - 1),
            nights: NIGHTS,
            night: None,
            rows: ROWS,
            seed: SEED,
            faults: None,
        };
        let mut told = |table: &TableName, _: NaiveDate| out.working_on(&table.to_string());
        let filled = by_contract::fill(wish, &mut told).await?;
        // Many tables, some of them of files of one source: a line for each source and kind.
        let mut rows: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for (name, _, count) in &filled.tables {
            let Some((contract, table)) = declarations.source_table(name) else { continue };
            let Origin::Read { kind, .. } = &table.origin else { continue };
            *rows.entry((contract.id.as_str(), kind.as_str())).or_default() += count;
        }
        for ((source, kind), rows) in rows {
            out.say(&format!("  simulated  {source} ({kind}): {rows} rows"));
        }
        for (table, reason) in &filled.left_out {
            out.say(&format!("  left out   {table}: {reason}"));
        }
        for source in ON_SERVERS.into_iter().filter(|source| !servers.contains_key(*source)) {
            out.say(&format!("  left out   {source}: {HOW}"));
        }
        let only = [SERVICE.to_owned()];
        let serving = Serving { declarations, only: &only, servers: &servers, folder: &folder };
        let services = Services::of(serving).await?;
        tokio::spawn(async move {
            if let Err(error) = services.serve(self.listener).await {
                tracing::warn!(%error, "the made-up service ended");
            }
        });
        Ok(())
    }
}

/// Takes the servers of a demonstration out of the configuration: with it, they are gone.
pub(super) fn forget(config: &mut Config, dir: &Path) -> anyhow::Result<()> {
    let folder = secrets(dir)?;
    config.servers.retain(|_, server| {
        server.secret_file.as_ref().is_none_or(|file| !file.starts_with(&folder))
    });
    Ok(())
}

fn secrets(dir: &Path) -> anyhow::Result<PathBuf> {
    let dir = dir.canonicalize().with_context(|| format!("cannot open {}", dir.display()))?;
    Ok(dir.join(FOLDER))
}
