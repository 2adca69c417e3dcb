//! Recall and precision over labelled cells: invented identifiers in every disguise, and honest
//! cells that are near to one.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper cannot go on")]

mod common;

use std::collections::BTreeMap;

use identifiers::{AllowList, ColumnKind, ColumnScan};

use self::common::disguise::{Disguise, NAMED, PACKED, PARTED, SHOWN, SPELT};
use self::common::invent::{Body, Dice, Identifier, KINDS, invent};

const WRITTEN: &str = include_str!("../corpus/identifiers.tsv");
const HONEST: &str = include_str!("../corpus/honest.tsv");
const LIMITS: &str = include_str!("../corpus/limits.tsv");

/// How often each disguise of an identifier is tried.
const ROUNDS: usize = 2;

fn scan(header: &str, allowed: &str) -> ColumnScan {
    let allowed: Vec<String> =
        allowed.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    ColumnScan::new(header, ColumnKind::Text, &allowed, &AllowList::default()).unwrap()
}

/// The lines of a file of the corpus, without its header, by their fields; the last may hold tabs.
fn lines(text: &'static str, fields: usize) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().skip(1).map(move |line| line.splitn(fields, '\t').collect())
}

/// What was found of one kind.
#[derive(Debug, Default)]
struct Row {
    /// Cells that hold an identifier of the kind, and those of them in which one was found.
    cells: u32,
    found: u32,
    /// Cells in which the kind was found, and those of them that are honest.
    hits: u32,
    false_alarms: u32,
}

#[derive(Debug, Default)]
struct Results {
    rows: BTreeMap<&'static str, Row>,
    honest: u32,
    wrong: Vec<String>,
}

impl Results {
    fn identifier(&mut self, kind: &'static str, disguise: &str, cell: &str) {
        let hit = scan("ghi_chu", "").cell(cell);
        let row = self.rows.entry(kind).or_default();
        row.cells += 1;
        row.found += u32::from(hit.is_some());
        match hit {
            Some(hit) => self.rows.entry(hit.as_str()).or_default().hits += 1,
            None => self.wrong.push(format!("missed: {kind}, {disguise}: {cell:?}")),
        }
    }

    fn honest(&mut self, group: &str, scan: &ColumnScan, cell: &str) {
        self.honest += 1;
        if let Some(hit) = scan.cell(cell) {
            let row = self.rows.entry(hit.as_str()).or_default();
            row.hits += 1;
            row.false_alarms += 1;
            self.wrong.push(format!("false alarm: {hit}, {group}: {cell:?}"));
        }
    }

    fn sum(&self, of: fn(&Row) -> u32) -> u32 {
        self.rows.values().map(of).sum()
    }

    fn recall(&self) -> f64 {
        f64::from(self.sum(|row| row.found)) / f64::from(self.sum(|row| row.cells))
    }

    fn precision(&self) -> f64 {
        1.0 - f64::from(self.sum(|row| row.false_alarms)) / f64::from(self.sum(|row| row.hits))
    }

    /// One line for each kind, and each cell that went wrong.
    fn table(&self) -> String {
        let share = |part: u32, of: u32| f64::from(part) / f64::from(of.max(1));
        let line = |kind: &str, row: [u32; 3], recall: f64, precision: f64| {
            let [cells, found, hits] = row;
            format!("{kind:<20}{cells:>8}{found:>8}{recall:>9.4}{hits:>8}{precision:>11.4}")
        };
        let heads = ["cells", "found", "recall", "hits", "precision"];
        let [cells, found, recall, hits, precision] = heads;
        let mut all =
            vec![format!("{:<20}{cells:>8}{found:>8}{recall:>9}{hits:>8}{precision:>11}", "")];
        for (kind, row) in &self.rows {
            let precision = 1.0 - share(row.false_alarms, row.hits);
            let recall = share(row.found, row.cells);
            all.push(line(kind, [row.cells, row.found, row.hits], recall, precision));
        }
        let sums = [|row: &Row| row.cells, |row: &Row| row.found, |row: &Row| row.hits];
        all.push(line("all", sums.map(|of| self.sum(of)), self.recall(), self.precision()));
        all.push(format!("honest cells: {}", self.honest));
        all.extend(self.wrong.iter().cloned());
        all.join("\n")
    }
}

/// The text of an identifier in a disguise, where it makes sense for that identifier.
fn hide(
    identifier: &Identifier,
    list: &[Disguise],
    disguise: Disguise,
    dice: &mut Dice,
) -> Option<String> {
    let (_, hide) = disguise;
    let Identifier { body, lead, core, .. } = identifier;
    let same = |one: &[Disguise]| std::ptr::eq(one.as_ptr(), list.as_ptr());
    let on_core = if same(&PARTED) {
        matches!(body, Body::Digits | Body::Code)
    } else if same(&SPELT) {
        *body == Body::Digits
    } else if same(&NAMED) {
        *body == Body::Name
    } else {
        return Some(hide(&format!("{lead}{core}"), dice));
    };
    on_core.then(|| format!("{lead}{}", hide(core, dice)))
}

#[test]
fn identifiers_are_found_and_honest_cells_pass() {
    let mut results = Results::default();
    for line in lines(WRITTEN, 3) {
        let [kind, disguise, cell] = line[..] else { panic!("three fields: {line:?}") };
        results.identifier(kind, disguise, cell);
    }
    let mut dice = Dice(2026);
    let lists: [&[Disguise]; 5] = [&PARTED, &SPELT, &NAMED, &SHOWN, &PACKED];
    for kind in KINDS {
        for _ in 0..10 {
            let Identifier { lead, core, .. } = invent(kind, &mut dice);
            results.identifier(kind, "plain", &format!("{lead}{core}"));
        }
        for (list, disguise) in
            lists.iter().flat_map(|list| list.iter().map(move |disguise| (*list, *disguise)))
        {
            for _ in 0..ROUNDS {
                let identifier = invent(kind, &mut dice);
                if let Some(cell) = hide(&identifier, list, disguise, &mut dice) {
                    results.identifier(kind, disguise.0, &cell);
                }
            }
        }
    }
    let mut scans: BTreeMap<(&str, &str), ColumnScan> = BTreeMap::new();
    for line in lines(HONEST, 4) {
        let [group, header, allowed, cell] = line[..] else { panic!("four fields: {line:?}") };
        let scan = scans.entry((header, allowed)).or_insert_with(|| scan(header, allowed));
        results.honest(group, scan, cell);
    }
    println!("{}", results.table());
    assert!(results.sum(|row| row.cells) >= 2000 && results.honest >= 1000);
    assert!(results.recall() >= 0.995, "recall {}", results.recall());
    assert!(results.precision() >= 0.99, "precision {}", results.precision());
}

#[test]
fn what_is_known_to_pass_is_little_and_still_passes() {
    let scan = scan("ghi_chu", "");
    let limits: Vec<_> = lines(LIMITS, 3).collect();
    assert!(limits.len() <= 10, "a limit is a thing to mend, not to list");
    for line in limits {
        let [kind, disguise, cell] = line[..] else { panic!("three fields: {line:?}") };
        assert_eq!(scan.cell(cell), None, "{kind} is found now, {disguise}: {cell}");
    }
}
