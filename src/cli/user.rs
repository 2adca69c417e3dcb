//! `khoyte user`: the accounts of people who may log in, beside those whom the configuration lists.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use warehouse::access::{Principal, Role, Scope};
use warehouse::grid::{Cell, ColumnKind, Grid, GridColumn};
use warehouse::names::{Lang, Sensitivity};
use warehouse::serve::users::Secret;
use warehouse::state::{State, StateError};

use super::{CommandLine, Exit, password};
use crate::config::{self, Config, UsageError};
use crate::report::{Both, Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an account; its password comes from standard input
    ///
    /// The person may log in at once, also where `khoyte serve` is running. Run it as the user
    /// whom the service runs as, so that the state file stays theirs:
    ///
    ///   sudo -u khoyte khoyte user add lan --clearance business --province 24 < password
    #[command(verbatim_doc_comment)]
    Add(Add),
    /// List everyone who may log in, without secrets
    List {
        /// As JSON: a list of objects
        #[arg(long)]
        json: bool,
    },
    /// Remove an account; its sessions end at once
    Remove {
        /// The account
        name: String,
    },
    /// Give an account another password, from standard input; its sessions end at once
    Password {
        /// The account
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Name to log in with: a-z, 0-9, `_`, `-` and `.`, beginning with a letter
    name: String,
    /// The most sensitive class of table that they may read
    #[arg(long, value_enum)]
    clearance: Clearance,
    /// In which capacity they ask; an inspector also reads the account of everybody's queries
    #[arg(long, value_enum, default_value_t = GivenRole::Planner)]
    role: GivenRole,
    /// Keep them to this province where a table is not open: a unit key, or the two digits that
    /// name it today; may be repeated [default: the whole country]
    #[arg(long = "province", value_name = "UNIT")]
    provinces: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Clearance {
    Open,
    Internal,
    Business,
    Personal,
    Family,
    Restricted,
}

impl From<Clearance> for Sensitivity {
    fn from(clearance: Clearance) -> Self {
        match clearance {
            Clearance::Open => Self::Open,
            Clearance::Internal => Self::Internal,
            Clearance::Business => Self::Business,
            Clearance::Personal => Self::Personal,
            Clearance::Family => Self::Family,
            Clearance::Restricted => Self::Restricted,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GivenRole {
    Planner,
    Leader,
    Inspector,
}

impl From<GivenRole> for Role {
    fn from(role: GivenRole) -> Self {
        match role {
            GivenRole::Planner => Self::Planner,
            GivenRole::Leader => Self::Leader,
            GivenRole::Inspector => Self::Inspector,
        }
    }
}

/// Characters of a password at least.
const SHORTEST: usize = 12;

/// Names that stand for something else in the account of queries and in `--as`.
const RESERVED: [&str; 5] = ["dashboards", "khoyte", "operator", "public", "web"];

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let config = line.config()?;
    match &args.what {
        What::Add(add) => self::add(add, &config, out).await,
        What::List { json } => list(*json, &config, out).await,
        What::Remove { name } => {
            not_listed(name, &config, "remove it there")?;
            done(open(&config).await?.remove_account(name).await)?;
            out.say(&format!("removed the account {name}; its sessions are closed"));
            Ok(Exit::Done)
        }
        What::Password { name } => {
            not_listed(name, &config, "change its secret there (`khoyte password`)")?;
            let Some(secret) = new_secret(out)? else { return Ok(Exit::Refused) };
            done(open(&config).await?.replace_secret(name, &secret).await)?;
            out.say(&format!("changed the password of {name}; its sessions are closed"));
            Ok(Exit::Done)
        }
    }
}

async fn add(add: &Add, config: &Config, out: &Reporter) -> anyhow::Result<Exit> {
    check_name(&add.name)?;
    not_listed(&add.name, config, "change it there, or choose another name")?;
    let scope = scope(&add.provinces, config)?;
    let Some(secret) = new_secret(out)? else { return Ok(Exit::Refused) };
    let (name, clearance) = (add.name.clone(), add.clearance.into());
    let principal = Principal { name, role: add.role.into(), clearance, scope };
    done(open(config).await?.add_account(&principal, &secret).await)?;
    out.say(&format!(
        "added {}: {}, {}, {}",
        principal.name,
        principal.role.as_str(),
        principal.clearance.as_str(),
        principal.scope
    ));
    Ok(Exit::Done)
}

async fn open(config: &Config) -> anyhow::Result<State> {
    super::open_state(config).await
}

/// What is wrong with what was asked is a usage error; the rest is a failure.
fn done(result: Result<(), StateError>) -> anyhow::Result<()> {
    let hint = match &result {
        Err(StateError::Exists(name)) => {
            format!("`khoyte user password {name}` changes its password")
        }
        Err(StateError::NoAccount(_)) => "`khoyte user list` shows those there are".to_owned(),
        _ => return Ok(result?),
    };
    let Err(error) = result else { return Ok(()) };
    Err(UsageError(format!("{error}; {hint}")).into())
}

fn check_name(name: &str) -> Result<(), UsageError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !begins || name.len() > 63 || !name.chars().all(plain) {
        return Err(UsageError(format!(
            "`{name}` is not a name: use a-z, 0-9, _, - and ., beginning with a letter, at most \
             63 characters"
        )));
    }
    if RESERVED.contains(&name) {
        return Err(UsageError(format!("`{name}` stands for the program: choose another name")));
    }
    Ok(())
}

fn not_listed(name: &str, config: &Config, instead: &str) -> Result<(), UsageError> {
    if config.lists(name) {
        let text = format!("`{name}` is a [[user]] of the configuration: {instead}");
        return Err(UsageError(text));
    }
    Ok(())
}

/// The secret of the password on standard input; none where it is too weak, which is said.
fn new_secret(out: &Reporter) -> anyhow::Result<Option<Secret>> {
    let password = password::read()?;
    if password.chars().count() < SHORTEST {
        out.fail(&format!(
            "khoyte: give a password of at least {SHORTEST} characters on standard input"
        ));
        return Ok(None);
    }
    if password.chars().any(char::is_control) {
        out.fail("khoyte: the password must be one line without control characters");
        return Ok(None);
    }
    Ok(Some(Secret::derive(&password, &password::random::<16>()?)))
}

/// Unit keys as they are, bare codes with today's list.
fn scope(provinces: &[String], config: &Config) -> anyhow::Result<Scope> {
    if provinces.is_empty() {
        return Ok(Scope::Country);
    }
    let declarations = super::declarations(config)?.declarations;
    let units = super::geography(&declarations)?;
    let key = |text: &str| {
        let unit = units.unit(text).or_else(|| units.find(text, config::today()));
        unit.map(|unit| unit.key.clone()).ok_or_else(|| config::unknown_unit(text, &units))
    };
    config::scope(provinces, key).map_err(|fault| UsageError(fault).into())
}

/// One person, as `--json` shows them.
#[derive(Serialize)]
struct Person {
    name: String,
    role: &'static str,
    clearance: &'static str,
    /// Null is the whole country.
    provinces: Option<BTreeSet<String>>,
    from: &'static str,
    created_at: Option<DateTime<Utc>>,
    locked_until: Option<DateTime<Utc>>,
}

impl Person {
    fn new(
        principal: Principal,
        from: &'static str,
        created_at: Option<DateTime<Utc>>,
        locked_until: Option<DateTime<Utc>>,
    ) -> Self {
        let provinces = match principal.scope {
            Scope::Country => None,
            Scope::Units(units) => Some(units),
        };
        let (role, clearance) = (principal.role.as_str(), principal.clearance.as_str());
        let name = principal.name;
        Self { name, role, clearance, provinces, from, created_at, locked_until }
    }

    fn cells(self) -> Vec<Cell> {
        let time = |at: Option<DateTime<Utc>>| at.map_or(Cell::Null, Cell::Time);
        let provinces = match self.provinces {
            None => "country".to_owned(),
            Some(units) => units.into_iter().collect::<Vec<_>>().join(" "),
        };
        let texts = [self.name, self.role.into(), self.clearance.into(), provinces];
        let mut cells: Vec<Cell> = texts.into_iter().map(Cell::Text).collect();
        cells.extend([
            Cell::Text(self.from.into()),
            time(self.created_at),
            time(self.locked_until),
        ]);
        cells
    }
}

async fn list(json: bool, config: &Config, out: &Reporter) -> anyhow::Result<Exit> {
    let state = open(config).await?;
    let mut people = Vec::new();
    for user in &config.users {
        let locked = state.locked_until(&user.name).await?;
        let provinces = config::scope(&user.provinces, |key| Ok::<_, UsageError>(key.to_owned()))?;
        let (name, clearance) = (user.name.clone(), user.clearance);
        let principal = Principal { name, role: user.role, clearance, scope: provinces };
        people.push(Person::new(principal, "configuration", None, locked));
    }
    for account in state.accounts().await? {
        let name = &account.principal.name;
        // The configured user of that name is the one who may log in.
        if !config.lists(name) {
            let locked = state.locked_until(name).await?;
            let created_at = Some(account.created_at);
            people.push(Person::new(account.principal, "account", created_at, locked));
        }
    }
    people.sort_by(|a, b| a.name.cmp(&b.name));
    if out.is_json() {
        people.into_iter().for_each(|object| out.result(&Both { text: String::new(), object }));
        return Ok(Exit::Done);
    }
    if json {
        out.print(&format!("{}\n", serde_json::to_string_pretty(&people)?));
        return Ok(Exit::Done);
    }
    let column = |(name, kind): (&str, ColumnKind)| GridColumn { name: name.to_owned(), kind };
    let columns = [
        ("name", ColumnKind::Text),
        ("role", ColumnKind::Text),
        ("clearance", ColumnKind::Text),
        ("provinces", ColumnKind::Text),
        ("from", ColumnKind::Text),
        ("created at", ColumnKind::Time),
        ("locked until", ColumnKind::Time),
    ];
    let grid = Grid {
        columns: columns.into_iter().map(column).collect(),
        rows: people.into_iter().map(Person::cells).collect(),
        truncated: false,
    };
    out.print(&crate::report::table(&grid, Lang::En));
    Ok(Exit::Done)
}
