//! `khoyte keys rotate`, `forget-old-files` and `begin-anew`: what changes the lake.

use anyhow::Context;
use pipelines::deidentify::keys::{KeyError, KeyRing};
use pipelines::ledger::Outcome;
use pipelines::night::{Event, Night};
use pipelines::rotation::{self, Standing};
use pipelines::sources::{Examined, Sources, Wanted};
use warehouse::names::TableName;
use warehouse::spec::SourceTable;
use warehouse::store::{Note, Outdated, StoreError};

use super::{Exit, House, places, unsaved};
use crate::cli::{doctor, night};
use crate::config::{self, UsageError};
use crate::report::Reporter;

pub(super) async fn rotate(house: &House, forget: bool, out: &Reporter) -> anyhow::Result<Exit> {
    let lake = house.warehouse.lake();
    let (keys, exit) = night::leased(lake, out, rotated(house, out)).await?;
    out.say(&unsaved(&keys, &house.config.keys_folder));
    if exit != Exit::Done {
        return Ok(exit);
    }
    if forget {
        return self::forget(house, true, out).await;
    }
    let old = outdated(house, &keys).await?;
    if old.files > 0 {
        out.say(&format!(
            "{} files of earlier versions, {}, still hold tokens of the earlier keys: `khoyte keys \
             forget-old-files` takes them away",
            old.files,
            doctor::size(old.size_bytes)
        ));
    }
    Ok(exit)
}

/// Ends the rotation that is unfinished, or makes one.
async fn rotated(house: &House, out: &Reporter) -> anyhow::Result<(KeyRing, Exit)> {
    let (folder, lake_folder) = places(&house.config);
    let (warehouse, declared) = (&house.warehouse, house.warehouse.declarations());
    let noted = rotation::noted(warehouse.lake(), declared).await?;
    if noted.is_empty() {
        let text = "the lake holds no pseudonyms: there is nothing to rotate";
        return Err(UsageError(text.to_owned()).into());
    }
    let (mut keys, mut behind) = super::of(house).await?;
    if behind.is_empty() && rotation::made_from_old(warehouse, &keys).await?.is_empty() {
        rotation::examine(warehouse.lake(), &noted).await?;
        keys = keys.with_new_epoch(folder, lake_folder)?;
        behind = noted.iter().map(|(table, _)| *table).collect();
        out.say(&format!("made the key of epoch {}", keys.newest().number));
    } else {
        out.say("ending the rotation that is unfinished");
    }
    renew(house, &keys, &behind, out).await?;
    let sources = house.sources()?;
    let tonight = Night {
        warehouse,
        sources: &sources,
        keys: &keys,
        date: config::today(),
        only: Vec::new(),
        again: None,
        afresh: Vec::new(),
    };
    let summary = tonight.renew(&mut |event| show(event, out)).await?;
    out.end();
    let made = summary.outcomes.len();
    let (tables, epoch) = (behind.len(), keys.newest());
    out.result(&format!(
        "{tables} tables renewed to epoch {} ({}), {made} made anew from them\n",
        epoch.number, epoch.fingerprint
    ));
    let left = rotation::made_from_old(warehouse, &keys).await?;
    for query in &left {
        out.fail(&format!("khoyte: {} still holds what was made with an earlier key", query.id));
    }
    let exit = if left.is_empty() { Exit::Done } else { Exit::Failed };
    Ok((keys, exit))
}

fn show(event: Event<'_>, out: &Reporter) {
    match event {
        Event::Started { steps } => out.begin(steps),
        Event::Begun { name } => out.working_on(name),
        Event::Done(outcome) => {
            out.say(&line(outcome));
            out.step();
        }
    }
}

fn line(outcome: &Outcome) -> String {
    let reason = outcome.reason.as_deref().unwrap_or_default();
    format!("  {:<10} {}: {reason}", outcome.result.in_english(), outcome.name())
        .trim_end_matches([':', ' '])
        .to_owned()
}

/// Renews the tables that are behind, and shows which.
pub(in crate::cli) async fn renew(
    house: &House,
    keys: &KeyRing,
    behind: &[&SourceTable],
    out: &Reporter,
) -> anyhow::Result<()> {
    out.begin(behind.len());
    let progress = |name: &TableName| {
        out.working_on(&name.to_string());
        out.say(&format!("  renewing   {name}"));
        out.step();
    };
    let renewed = rotation::renew(&house.warehouse, keys, behind, progress).await;
    out.end();
    renewed.context(
        "the rotation of the keys is unfinished; what was done stays, and the same command does \
         what is left",
    )
}

/// Files that may hold tokens of earlier keys. With one key there are none.
async fn outdated(house: &House, keys: &KeyRing) -> Result<Outdated, StoreError> {
    doctor::outdated(house.warehouse.lake(), house.warehouse.declarations(), keys).await
}

pub(super) async fn forget(house: &House, yes: bool, out: &Reporter) -> anyhow::Result<Exit> {
    let (keys, behind) = super::of(house).await?;
    if !behind.is_empty() {
        out.fail("khoyte: a rotation is unfinished: end it first with `khoyte keys rotate`");
        return Ok(Exit::Refused);
    }
    if !yes {
        let old = outdated(house, &keys).await?;
        out.result(&format!("{} files, {}\n", old.files, doctor::size(old.size_bytes)));
        out.fail(
            "khoyte: nothing was done. With --yes all files go that only earlier versions of the \
             tables with pseudonyms have: what these tables held before can then not be asked any \
             more, and a query that runs meanwhile may fail",
        );
        return Ok(Exit::Usage);
    }
    let lake = house.warehouse.lake();
    let work = async {
        let mut gone = Outdated::default();
        for table in rotation::held_in(house.warehouse.declarations()) {
            let Outdated { files, size_bytes } = lake.forget(&table).await?;
            gone.files += files;
            gone.size_bytes += size_bytes;
        }
        anyhow::Ok(gone)
    };
    let gone = night::leased(lake, out, work).await?;
    out.result(&format!("{} files, {}, are gone\n", gone.files, doctor::size(gone.size_bytes)));
    Ok(Exit::Done)
}

pub(super) async fn begin_anew(house: &House, yes: bool, out: &Reporter) -> anyhow::Result<Exit> {
    let (warehouse, declared) = (&house.warehouse, house.warehouse.declarations());
    let noted = rotation::noted(warehouse.lake(), declared).await?;
    let (folder, lake_folder) = places(&house.config);
    let there = match KeyRing::open(folder, lake_folder) {
        Ok(keys) => Some(keys),
        Err(KeyError::Absent { .. } | KeyError::Missing { .. } | KeyError::Damaged { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let standing = there.as_ref().map(|keys| Standing::of(keys, &noted));
    if noted.is_empty() || standing.is_some_and(|s| !matches!(s, Standing::Foreign(..))) {
        let text = "nothing is lost: no table was made with a key that is not there";
        return Err(UsageError(text.to_owned()).into());
    }
    let sources = house.sources()?;
    for (table, note) in &noted {
        let source =
            declared.source_table(&table.name).map_or("", |(source, _)| source.id.as_str());
        let how = how(&sources, source, table).await;
        out.say(&format!("  {} (last night {}): {how}", table.name, note.night));
    }
    if !yes {
        out.fail(
            "khoyte: nothing was done. With --yes these tables are emptied, and loaded as said under \
             a new key; rows that their sources do not hold any more do not come back. Look for a \
             backup first: `khoyte keys restore --from FILE`",
        );
        return Ok(Exit::Usage);
    }
    let work = async {
        // Where it was begun before and stopped, the new key is there already.
        let is_begun = |keys: &KeyRing| {
            let print = keys.fingerprint();
            let is_new = |(_, note): &(&SourceTable, Note)| {
                note.batch.is_empty() && note.key.as_ref() == Some(&print)
            };
            noted.iter().any(is_new)
        };
        let keys = match there.filter(is_begun) {
            Some(keys) => keys,
            None => KeyRing::begin_anew(folder, lake_folder)?,
        };
        let emptied = rotation::begin_anew(warehouse.lake(), &keys, &noted).await?;
        anyhow::Ok((keys, emptied.len()))
    };
    let (keys, emptied) = night::leased(warehouse.lake(), out, work).await?;
    out.result(&format!("{emptied} tables emptied; the new key is {}\n", keys.fingerprint()));
    out.say(&unsaved(&keys, folder));
    Ok(Exit::Done)
}

/// How a table that is emptied gets its rows again.
async fn how(sources: &Sources, source: &str, table: &SourceTable) -> String {
    if table.origin.is_nightly() {
        return format!(
            "has a place for each night: load those that are still there with `khoyte night --only \
             {source} --from FIRST --to LAST`"
        );
    }
    let wanted = Wanted { source, table, night: config::today(), span: None };
    match sources.examine(wanted).await {
        Ok(Examined::Ready) => "the next night loads it whole".to_owned(),
        Ok(Examined::Empty | Examined::Nowhere) => {
            "cannot be loaded afresh now: its source holds nothing, or is not configured".to_owned()
        }
        Err(_) => "cannot be loaded afresh now: `khoyte doctor` says why".to_owned(),
    }
}
