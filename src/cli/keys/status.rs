//! `khoyte keys status`: which keys there are, and which of them the tables were made with.

use std::fmt::Write as _;

use pipelines::deidentify::keys::{Epoch, KeyError, KeyRing, last_backup};
use pipelines::rotation::{self, Standing};
use serde_json::json;
use warehouse::spec::SourceTable;
use warehouse::store::Note;

use super::{Exit, House, places, unsaved};
use crate::report::{Both, Reporter};

pub(super) async fn show(house: &House, as_json: bool, out: &Reporter) -> anyhow::Result<Exit> {
    let (folder, lake) = places(&house.config);
    let warehouse = &house.warehouse;
    let noted = rotation::noted(warehouse.lake(), warehouse.declarations()).await?;
    let keys = match KeyRing::open(folder, lake) {
        Ok(keys) => Some(keys),
        Err(KeyError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let (word, exit) = match keys.as_ref().map(|keys| Standing::of(keys, &noted)) {
        None if noted.is_empty() => ("none", Exit::Done),
        Some(Standing::Whole) => ("whole", Exit::Done),
        Some(Standing::Behind(_)) => ("unfinished", Exit::Failed),
        None | Some(Standing::Foreign(..)) => ("lost", Exit::Failed),
    };
    let backup = if keys.is_some() { last_backup(folder)? } else { None };
    let is_saved = keys.as_ref().zip(backup.as_ref());
    let is_saved = is_saved.is_some_and(|(keys, backup)| keys.fingerprint() == backup.fingerprint);
    let epochs: Vec<Epoch> = keys.iter().flat_map(KeyRing::epochs).collect();
    let epoch_of = |note: &Note| keys.as_ref()?.epoch_of(note.key.as_deref());
    let epoch = |epoch: &Epoch| {
        json!({
            "epoch": epoch.number,
            "fingerprint": epoch.fingerprint,
            "made_at": epoch.made_at,
        })
    };
    let table = |(table, note): &(&SourceTable, Note)| {
        let name = table.name.to_string();
        json!({ "table": name, "epoch": epoch_of(note), "key": note.key })
    };
    let object = json!({
        "folder": folder,
        "state": word,
        "epochs": epochs.iter().map(epoch).collect::<Vec<_>>(),
        "backup": backup,
        "newest_is_backed_up": is_saved,
        "tables": noted.iter().map(table).collect::<Vec<_>>(),
    });
    let mut text = format!("keys in {}: {}\n", folder.display(), meaning(word));
    for Epoch { number, fingerprint, made_at } in &epochs {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "epoch {number}  {fingerprint}  made {}", made_at.date_naive());
    }
    if let Some(backup) = &backup {
        let _ = writeln!(text, "backup   {}  made {}", backup.fingerprint, backup.at.date_naive());
    }
    for (table, note) in &noted {
        let epoch = epoch_of(note).map_or_else(|| "?".to_owned(), |epoch| epoch.to_string());
        let _ = writeln!(text, "epoch {epoch}  {}", table.name);
    }
    out.result_in(as_json, &Both { text, object });
    if let Some(keys) = keys.as_ref().filter(|_| !is_saved && !as_json) {
        out.say(&unsaved(keys, folder));
    }
    Ok(exit)
}

fn meaning(word: &str) -> &'static str {
    match word {
        "none" => "there is none yet; the first night makes it",
        "whole" => "all pseudonyms of the lake are of the newest",
        "unfinished" => {
            "a rotation is unfinished: `khoyte keys rotate` ends it, or the next night does"
        }
        _ => {
            "pseudonyms of the lake were made with one that is not there: `khoyte keys restore \
             --from FILE`, or `khoyte keys begin-anew`"
        }
    }
}
