//! `khoyte demo`: everything on the embedded default, from source files to served pages.

mod systems;

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;
use warehouse::access::Role;
use warehouse::names::Sensitivity;
use warehouse::serve::users::Secret;

use self::systems::Systems;
use super::{CommandLine, Exit, House, night, password, release, serve, simulate};
use crate::config::{self, Config, UsageError, UserConfig};
use crate::report::Reporter;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of public source files; without it, small simulated sources are made
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Servers of sources to fill and to read: a TOML file of `[servers.<source>]`, as
    /// `deploy/demo-servers` writes it
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    servers: Option<PathBuf>,
    /// The night's date [default: today; of simulated sources 2026-07-01, the same on every day]
    #[arg(long, value_name = "DATE", value_parser = config::parse_date)]
    date: Option<NaiveDate>,
    /// Stop when everything is made
    #[arg(long)]
    no_serve: bool,
    /// Address of the pages
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    web: std::net::SocketAddr,
    /// Address for `PostgreSQL` clients
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5433")]
    postgres: std::net::SocketAddr,
}

/// The user that the demonstration makes.
const USER: &str = "ke_hoach";

/// Where the password of that user is kept, for the next start.
const PASSWORD_FILE: &str = "password.txt";

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let dir = &line.dir;
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let systems = match args.data {
        None => Some(Systems::begin(dir, args.servers.as_deref()).await?),
        Some(_) => None,
    };
    let (config, password) = furnish(args, dir, systems.as_ref())?;
    let shown = show(args, line, (config, systems), &password, out).await;
    // Servers that end with this process are none to those who come later.
    forget_servers(dir)?;
    shown
}

async fn show(
    args: &Args,
    line: &CommandLine,
    (config, systems): (Config, Option<Systems>),
    password: &str,
    out: &Reporter,
) -> anyhow::Result<Exit> {
    let started = std::time::Instant::now();
    let date = args.date.unwrap_or_else(|| default_date(args.data.is_some()));
    let before = serve::Before::look(line)?;
    let mut house = match House::open(config, out)? {
        Ok(house) => house,
        Err(exit) => return Ok(exit),
    };
    if let Some(systems) = systems {
        out.say("1/4 simulating sources");
        let folder = house.config.sources_folder.clone().unwrap_or_default();
        let options = simulate::demo_options(date);
        simulate::fill(&folder, options, house.warehouse.declarations(), out)?;
        systems.fill(&house, date, out).await?;
    } else {
        out.say("1/4 reading public data");
    }
    out.say("2/4 the night: extract, de-identify, check, commit");
    let work = night::Work { date, only: Vec::new(), again: None, afresh: Vec::new() };
    let summary = night::night(&house, work, out).await?;
    out.say("3/4 releasing open data");
    let released = release::publish(&house, date, out).await?;
    out.say(&format!("done in {:.1} s", started.elapsed().as_secs_f64()));
    let exit = if summary.is_clean() { released } else { Exit::Failed };
    if args.no_serve {
        let dir = line.dir.display();
        out.say(&format!("ask it: khoyte --dir {dir} sql 'SELECT * FROM he_thong.lan_chay'"));
        return Ok(exit);
    }
    out.say("4/4 serving");
    house.config.web.listen = args.web;
    house.config.postgres.listen = args.postgres;
    serve::serve(&house, Some((USER, password)), (line, before), out).await?;
    Ok(exit)
}

/// Made-up sources are told of in one night, so that a second start finds what the first one made.
fn default_date(is_public: bool) -> NaiveDate {
    if is_public {
        return config::today();
    }
    NaiveDate::from_ymd_opt(2026, 7, 1).expect("a calendar day")
}

/// Makes the folder and its configuration, or takes those that are there.
fn furnish(args: &Args, dir: &Path, systems: Option<&Systems>) -> anyhow::Result<(Config, String)> {
    let file = dir.join(config::FILE_NAME);
    let secret_file = dir.join(PASSWORD_FILE);
    let mut new_password = false;
    let password = match fs::read_to_string(&secret_file) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => {
            new_password = true;
            let text = password::random_text()?;
            write_private(&secret_file, &text)?;
            text
        }
    };
    let sources = match &args.data {
        Some(data) => data.canonicalize().ok().filter(|data| data.is_dir()).ok_or_else(|| {
            UsageError(format!("the data folder {} is not there", data.display()))
        })?,
        None => PathBuf::from("sources"),
    };
    let before = written(&file)?;
    let text_before = before.as_ref().map(text_of).transpose()?;
    let mut config = before.unwrap_or_default();
    let boundaries = sources.join("vn_province_boundaries/provinces_34_simplified.geojson");
    config.web.boundaries_file = Some(boundaries).filter(|path| path.exists());
    config.sources_folder = Some(sources);
    // Those of a demonstration that was killed are gone as well.
    systems::forget(&mut config, dir)?;
    if let Some(systems) = systems {
        systems.place(&mut config);
    }
    if new_password || !config.users.iter().any(|user| user.name == USER) {
        let secret = Secret::derive(&password, &password::random::<16>()?);
        config.users.retain(|user| user.name != USER);
        config.users.push(UserConfig {
            name: USER.to_owned(),
            clearance: Sensitivity::Business,
            role: Role::Planner,
            provinces: Vec::new(),
            secret: secret.encode(),
        });
    }
    // A file that says the same already keeps its comments.
    let text = text_of(&config)?;
    if text_before.as_ref() != Some(&text) {
        write_private(&file, &text)?;
    }
    Ok((Config::read(&file, true)?, password))
}

/// The configuration as its file has it, where there is one.
fn written(file: &Path) -> anyhow::Result<Option<Config>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(
            toml::from_str(&text).map_err(|e| UsageError(format!("{}: {e}", file.display())))?,
        )),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn text_of(config: &Config) -> anyhow::Result<String> {
    toml::to_string(config).context("the configuration has no text form")
}

fn forget_servers(dir: &Path) -> anyhow::Result<()> {
    let file = dir.join(config::FILE_NAME);
    let Some(mut config) = written(&file)? else { return Ok(()) };
    let before = text_of(&config)?;
    systems::forget(&mut config, dir)?;
    let text = text_of(&config)?;
    if text != before {
        write_private(&file, &text)?;
    }
    Ok(())
}

/// Writes a file that only its owner reads, whole or not at all.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let staged = path.with_extension("new");
    // A file left by a run that was stopped may have another mode.
    if staged.exists() {
        fs::remove_file(&staged).with_context(|| format!("cannot replace {}", staged.display()))?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file =
        options.open(&staged).with_context(|| format!("cannot write {}", staged.display()))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).context("cannot write")?;
    fs::rename(&staged, path).with_context(|| format!("cannot write {}", path.display()))
}
