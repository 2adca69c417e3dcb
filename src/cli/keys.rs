//! `khoyte keys`: the keys of the pseudonyms. How they stand, a backup of them, and what to do when
//! one is stolen or lost.

mod change;
mod status;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Subcommand;
use pipelines::deidentify::keys::{Backup, KeyError, KeyRing};
use pipelines::rotation::{self, Standing};
use warehouse::spec::SourceTable;
use warehouse::store::{Location, Note};

pub(super) use self::change::renew;

use super::{CommandLine, Exit, House};
use crate::config::Config;
use crate::report::Reporter;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the epochs of the keys, the epoch of each table, and whether there is a backup
    Status {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Write the keys of all epochs to a file, for a place apart from the lake and this machine
    Backup {
        /// The file, which must not be there yet
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Put keys back from a backup, if they are those that the lake was made with
    Restore {
        /// The backup
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Make a new key and renew all pseudonyms in the lake with it: what to do when a key may have
    /// been copied
    ///
    /// Tokens of before join neither those of after nor identity numbers that are tried with the old
    /// key. Run again after a stop, it does what is left.
    Rotate {
        /// Take away the files of earlier versions as well, which hold the tokens of before
        #[arg(long)]
        forget_old_files: bool,
    },
    /// Take away the files of earlier versions of all tables in which tokens of earlier keys may be
    ForgetOldFiles {
        /// Do it, rather than say what would be done
        #[arg(long)]
        yes: bool,
    },
    /// Where a key is lost for good: make a new one, and empty the tables whose pseudonyms were made
    /// with the lost one, so that the next night loads them whole
    BeginAnew {
        /// Do it, rather than say what would be done
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let config = line.config()?;
    if let What::Backup { to } = &args.what {
        return back_up(&config, to, out);
    }
    let opened = match &args.what {
        What::Restore { .. } => House::open(config, out)?,
        _ => House::open_to_read(config, out)?,
    };
    let house = match opened {
        Ok(house) => house,
        Err(exit) => return Ok(exit),
    };
    match &args.what {
        What::Status { json } => status::show(&house, *json, out).await,
        What::Backup { to } => back_up(&house.config, to, out),
        What::Restore { from } => restore(&house, from, out).await,
        What::Rotate { forget_old_files } => change::rotate(&house, *forget_old_files, out).await,
        What::ForgetOldFiles { yes } => change::forget(&house, *yes, out).await,
        What::BeginAnew { yes } => change::begin_anew(&house, *yes, out).await,
    }
}

/// The keys, and the tables whose pseudonyms are of an earlier epoch, for those who load sources. A
/// new key is made only where nothing in the lake was made with another: it would silently break
/// every link.
pub(super) async fn of(house: &House) -> anyhow::Result<(KeyRing, Vec<&SourceTable>)> {
    let (folder, lake) = places(&house.config);
    let warehouse = &house.warehouse;
    let noted = rotation::noted(warehouse.lake(), warehouse.declarations()).await?;
    if noted.is_empty() {
        return Ok((KeyRing::open_or_create(folder, lake)?, Vec::new()));
    }
    let keys = match KeyRing::open(folder, lake) {
        Err(error @ (KeyError::Absent { .. } | KeyError::Missing { .. })) => {
            return Err(anyhow::Error::new(error).context(lost(&noted)));
        }
        keys => keys?,
    };
    let behind = match Standing::of(&keys, &noted) {
        Standing::Whole => Vec::new(),
        Standing::Behind(tables) => tables,
        Standing::Foreign(table, print) => bail!(foreign(table, print.as_deref(), folder)),
    };
    Ok((keys, behind))
}

/// The key folder, and the lake's folder, in which it must not be.
pub(super) fn places(config: &Config) -> (&Path, Option<&Path>) {
    (&config.keys_folder, Some(config.lake.folder.as_path()))
}

/// Whether a table's pseudonyms were made with a key that is not there.
pub(super) fn foreign(table: &SourceTable, print: Option<&str>, folder: &Path) -> String {
    format!(
        "the lake holds pseudonyms of {} made with another key ({}) than the one in {}. {WAYS_ON}",
        table.name,
        print.unwrap_or("not noted"),
        folder.display(),
    )
}

fn lost(noted: &[(&SourceTable, Note)]) -> String {
    let print = noted.iter().find_map(|(_, note)| note.key.as_deref());
    format!(
        "the lake holds pseudonyms of {} tables, made with the key {}, which is not there. {WAYS_ON}",
        noted.len(),
        print.unwrap_or("of which no fingerprint was noted"),
    )
}

/// What follows from a lost key, and what can be done.
pub(super) const WAYS_ON: &str = "Tokens of a new key would not join those of before, so nothing is \
    loaded: put the key back with `khoyte keys restore --from FILE`, or, where there is no backup, \
    have all these tables loaded afresh under a new key with `khoyte keys begin-anew`";

/// What an operator is told of keys without a backup.
pub(super) fn unsaved(keys: &KeyRing, folder: &Path) -> String {
    let epoch = keys.newest();
    format!(
        "the key of epoch {} in {} has no backup yet: make one now with `khoyte keys backup --to \
         FILE`, and keep it apart from the lake and from this machine; if the key is lost, later \
         tokens do not join those of before",
        epoch.number,
        folder.display()
    )
}

fn back_up(config: &Config, to: &Path, out: &Reporter) -> anyhow::Result<Exit> {
    let (folder, lake) = places(config);
    let keys = KeyRing::open(folder, lake)?;
    let mut never = vec![config.public_folder.clone()];
    never.extend(config.sources_folder.clone());
    if let Location::Folder(lake) = config.location() {
        // Whoever copies the folder that the lake is in takes all that lies beside it.
        let around = lake.canonicalize().ok().and_then(|lake| Some(lake.parent()?.to_owned()));
        never.extend(around.filter(|around| around.parent().is_some()));
        never.push(lake);
    }
    let record = keys.back_up(folder, to, &never)?;
    let epochs = keys.newest().number;
    out.result(&format!(
        "{}: keys of {epochs} epochs, the newest {}\n",
        to.display(),
        record.fingerprint
    ));
    out.say(
        "keep the file apart from the lake, from its backups and from this machine, on a medium in \
         a safe or printed: whoever has it and the lake can try identity numbers against tokens. \
         After each rotation make another; an earlier one is of no use by itself",
    );
    Ok(Exit::Done)
}

async fn restore(house: &House, from: &Path, out: &Reporter) -> anyhow::Result<Exit> {
    let (folder, lake) = places(&house.config);
    let backup = Backup::read(from)?;
    let warehouse = &house.warehouse;
    let noted = rotation::noted(warehouse.lake(), warehouse.declarations()).await?;
    if let Standing::Foreign(table, print) = Standing::of(backup.keys(), &noted) {
        out.fail(&format!(
            "khoyte: {} holds keys up to {}, but {} was made with {}: it is the backup of another \
             lake, or older than the last rotation; nothing was put back",
            from.display(),
            backup.keys().fingerprint(),
            table.name,
            print.as_deref().unwrap_or("another"),
        ));
        return Ok(Exit::Refused);
    }
    let keys = backup.put_back(folder, lake)?;
    let epoch = keys.newest();
    let shown = folder.display();
    out.result(&format!("{shown}: keys of {} epochs, {}\n", epoch.number, epoch.fingerprint));
    if let Standing::Behind(_) = Standing::of(&keys, &noted) {
        out.say("a rotation is unfinished: `khoyte keys rotate` ends it, or the next night does");
    }
    Ok(Exit::Done)
}
