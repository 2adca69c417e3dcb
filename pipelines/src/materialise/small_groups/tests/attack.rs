//! What somebody computes who reads all that is shown: rows, totals less rows, and what follows
//! from all sums of sister tables at once.

use std::collections::{BTreeMap, BTreeSet};

use warehouse::spec::Query;

use super::{Row, together};

/// Every figure that is shown stands for enough persons, and so do those that it leaves out.
pub(super) fn rows(query: &Query, rows: &[Row], seed: u64) {
    let declared = query.smallest_group.as_ref().unwrap();
    let least = declared.at_least as usize;
    for row in rows {
        for figure in row.figures.iter().filter(|figure| figure.shown) {
            let (persons, others) = &row.groups[figure.group];
            let nobody = figure.group > 0 && row.is_empty(figure.group);
            let told = figure.group > 0 && declared.parts[figure.group - 1].others.is_some();
            let alone = figure.group == 0 || (told && others.is_empty());
            let enough = persons.len() >= least && (alone || others.len() >= least);
            let place = (seed, &query.id, &row.about, &figure.column);
            assert!(nobody || enough, "{place:?}: {} and {}", persons.len(), others.len());
        }
    }
}

/// A total over the declared columns less all that is shown stands for enough persons, or for
/// nobody, or is the total itself.
pub(super) fn differences(query: &Query, rows: &[Row], seed: u64) {
    let declared = query.smallest_group.as_ref().unwrap();
    if declared.total_over.is_empty() {
        return;
    }
    let least = declared.at_least as usize;
    let mut blocks: BTreeMap<&Vec<String>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        blocks.entry(&row.block).or_default().push(row);
    }
    for (block, rows) in blocks {
        for group in 0..=declared.parts.len() {
            let left: Vec<&&Row> = rows.iter().filter(|row| row.hides(group)).collect();
            if left.is_empty() || left.len() == rows.len() {
                continue;
            }
            let place = (seed, &query.id, block, group);
            let persons = together(left.iter().map(|row| &row.groups[group].0));
            let others = together(left.iter().map(|row| &row.groups[group].1));
            let nobody = left.iter().all(|row| row.is_empty(group));
            assert!(nobody || persons.len() >= least, "{place:?}: {}", persons.len());
            let alone = nobody || others.is_empty() || others.len() >= least;
            assert!(alone, "{place:?}: {} others", others.len());
        }
    }
}

/// The figures that are hidden, each with its persons, and sums of figures of which one is another.
#[derive(Default)]
struct Sums<'a> {
    hidden: Vec<&'a BTreeSet<String>>,
    sums: Vec<BTreeMap<usize, f64>>,
}

impl<'a> Sums<'a> {
    /// The number of a figure among the hidden ones.
    fn hidden(&mut self, row: &'a Row, column: &str) -> Option<usize> {
        let figure = row.figure(column);
        (!figure.shown).then(|| {
            self.hidden.push(&row.groups[figure.group].0);
            self.hidden.len() - 1
        })
    }

    /// What is known of one figure is its sum of parts.
    fn add(&mut self, total: Option<usize>, parts: &[Option<usize>]) {
        let parts = parts.iter().flatten().map(|&part| (part, -1.0));
        self.sums.push(total.map(|total| (total, 1.0)).into_iter().chain(parts).collect());
    }

    /// Hidden figures, and plain sums of them, that follow: by elimination of all others.
    fn follow(mut self) -> Vec<BTreeSet<String>> {
        let mut settled: Vec<BTreeMap<usize, f64>> = Vec::new();
        for at in 0..self.hidden.len() {
            let Some(row) = self.sums.iter().position(|sum| sum.contains_key(&at)) else {
                continue;
            };
            let row = self.sums.swap_remove(row);
            for other in self.sums.iter_mut().chain(&mut settled) {
                let Some(&times) = other.get(&at) else { continue };
                let times = times / row[&at];
                for (&part, value) in &row {
                    *other.entry(part).or_default() -= times * value;
                }
                other.retain(|_, value| value.abs() > 1e-9);
            }
            settled.push(row);
        }
        let is_sum = |sum: &&BTreeMap<usize, f64>| {
            sum.values().all(|value| *value > 0.0) || sum.values().all(|value| *value < 0.0)
        };
        let persons = |sum: &BTreeMap<usize, f64>| together(sum.keys().map(|at| self.hidden[*at]));
        settled.iter().filter(is_sum).map(persons).collect()
    }
}

/// The visits of a month and province stand in three tables: by type of care, by chapter, and as a
/// total; those of inpatients of all chapters are one type of care. What follows from all of these
/// sums is of enough persons.
pub(super) fn sisters(all: &BTreeMap<String, Vec<Row>>, seed: u64) {
    for total in &all["bhyt_luot_kham"] {
        let place = [&total.about["ky"], &total.about["don_vi"]];
        let same = |row: &&Row| [&row.about["thang"], &row.about["don_vi"]] == place;
        let types: Vec<&Row> = all["luot_kham_thang"].iter().filter(same).collect();
        let chapters: Vec<&Row> = all["luot_kham_chuong_thang"].iter().filter(same).collect();
        let mut sums = Sums::default();
        let whole = sums.hidden(total, "tu_so");
        let by_type: Vec<_> = types.iter().map(|row| sums.hidden(row, "so_luot")).collect();
        let by_chapter: Vec<_> = chapters.iter().map(|row| sums.hidden(row, "so_luot")).collect();
        let stays: Vec<_> =
            chapters.iter().map(|row| sums.hidden(row, "so_luot_noi_tru")).collect();
        sums.add(whole, &by_type);
        sums.add(whole, &by_chapter);
        if let Some(at) = types.iter().position(|row| row.about["ma_loai_kcb"] == "03") {
            sums.add(by_type[at], &stays);
        }
        for persons in sums.follow().iter().filter(|persons| !persons.is_empty()) {
            assert!(persons.len() >= 5, "{seed}, {place:?}: {persons:?} can be computed");
        }
    }
}
