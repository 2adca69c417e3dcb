//! `[table.risk]`: by what a person of a table could be recognised, and how exposed they may be.
//!
//! What is dropped and what becomes a pseudonym takes names away, not persons: sex, year of birth,
//! place and month together may still single one out. A table that holds pseudonyms of persons says
//! which of its columns an outsider may know (quasi-identifiers) and which nobody should learn
//! (sensitive ones), so that each night can measure it; or, in `because`, why nothing is measured
//! there. A bound refuses the batch after which the table would be more exposed than that.
//!
//! How a column could be made coarser follows from its type and treatment. Of codes it is declared
//! in `coarser`: nothing in the text of a code says what it is.

use std::collections::BTreeMap;

use super::column::{ColumnDraft, misplaced};
use super::nearest::suggestion;
use super::reader::{At, Node};
use super::{Column, ColumnType, Generalisation, SourceTable, Treatment};
use crate::names::Sensitivity;

/// What is measured of a table, and the bounds of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    /// The column whose pseudonyms are persons; where there is none, each row counts as one.
    pub person: Option<String>,
    /// Columns by which an outsider could recognise a person.
    pub quasi_identifiers: Vec<String>,
    /// Columns of which nobody should learn the value.
    pub sensitive: Vec<String>,
    /// What the codes of a quasi-identifier are, where coarser ones are known.
    pub coarser: BTreeMap<String, Codes>,
    /// The fewest persons that may share one combination of quasi-identifiers.
    pub smallest_k: Option<u64>,
    /// The largest share of persons that may be alone in theirs, from 0 to 1.
    pub most_unique: Option<f64>,
}

/// Kinds of values that can be made coarser, where type and treatment do not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// Of diseases (ICD-10): the category of three characters, the chapter.
    Icd10,
    /// Of facilities (`ma_cskcb`): the province in their first two digits.
    Facility,
    /// Whole years of an age or a birth that are kept: groups of 5 and 10.
    Years,
}

const CODES: [(&str, Codes); 3] =
    [("icd10", Codes::Icd10), ("facility", Codes::Facility), ("years", Codes::Years)];

/// What could be done to a quasi-identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coarser {
    /// Left out.
    Without,
    /// A day becomes its month.
    Month,
    /// A day or month becomes its year.
    Year,
    /// Years become groups of 5.
    FiveYears,
    /// Years, or groups of 5, become groups of 10.
    TenYears,
    /// A disease becomes its category of three characters.
    IcdCategory,
    /// A disease becomes its chapter of ICD-10.
    IcdChapter,
    /// A facility becomes its province.
    Province,
}

impl Coarser {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Without,
        Self::Month,
        Self::Year,
        Self::FiveYears,
        Self::TenYears,
        Self::IcdCategory,
        Self::IcdChapter,
        Self::Province,
    ];

    /// The word in `he_thong.rui_ro.muc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Without => "bo_cot",
            Self::Month => "thang",
            Self::Year => "nam",
            Self::FiveYears => "nhom_5_nam",
            Self::TenYears => "nhom_10_nam",
            Self::IcdCategory => "icd_3_ky_tu",
            Self::IcdChapter => "chuong_icd",
            Self::Province => "tinh",
        }
    }
}

impl SourceTable {
    /// The column that is a quasi-identifier and by which the table lies on the disk: the groups of
    /// one partition hold no row of another.
    pub fn risk_partition(&self) -> Option<&str> {
        let by = self.partition.as_deref()?;
        let known = &self.risk.as_ref()?.quasi_identifiers;
        known.iter().any(|name| name == by).then_some(by)
    }

    /// What could be done to its quasi-identifiers, in the order of their declaration: each left
    /// out, then made coarser step by step. Not to the one that parts the table: what that would
    /// bring can be told from all partitions only.
    pub fn risk_ways(&self) -> Vec<(String, Coarser)> {
        let Some(risk) = &self.risk else { return Vec::new() };
        let parting = self.risk_partition();
        let others = risk.quasi_identifiers.iter().filter(|name| Some(name.as_str()) != parting);
        let ways =
            others.filter_map(|name| Some((name, self.column(name)?))).flat_map(|(name, c)| {
                let steps = steps(c, risk.coarser.get(name).copied());
                [Coarser::Without].iter().chain(steps).map(|step| (name.clone(), *step))
            });
        ways.collect()
    }
}

fn steps(column: &Column, codes: Option<Codes>) -> &'static [Coarser] {
    use Coarser::{FiveYears, IcdCategory, IcdChapter, Month, Province, TenYears, Year};
    match (&column.treatment, codes) {
        (Treatment::Generalise(Generalisation::Day), _) => &[Month, Year],
        (Treatment::Generalise(Generalisation::Month), _) => &[Year],
        (Treatment::Generalise(Generalisation::Year), _) => &[FiveYears, TenYears],
        (Treatment::Generalise(Generalisation::AgeBand), _) => &[TenYears],
        (Treatment::Keep, Some(Codes::Icd10)) => &[IcdCategory, IcdChapter],
        (Treatment::Keep, Some(Codes::Facility)) => &[Province],
        (Treatment::Keep, Some(Codes::Years)) => &[FiveYears, TenYears],
        (Treatment::Keep, None) if column.ty == ColumnType::Date => &[Month, Year],
        _ => &[],
    }
}

/// Reads the risk of a table of that class; `complete` says whether `columns` are all that it
/// declares.
pub(super) fn read(
    node: &Node<'_>,
    class: Sensitivity,
    (columns, complete): (&[ColumnDraft], bool),
    name: &At<String>,
) -> Option<Risk> {
    let Some(risk) = node.table("risk") else {
        if complete {
            check_declared(node, class, columns, name);
        }
        return None;
    };
    let person = risk.string("person");
    let quasi_identifiers = risk.strings("quasi_identifiers");
    let sensitive = risk.strings("sensitive");
    let coarser = risk.strings_by_key("coarser");
    let smallest_k = risk.whole_within("smallest_k", 2..=1_000_000);
    let most_unique = risk.number("most_unique");
    let because = risk.optional_text("because");
    risk.finish();
    if because.is_some() || risk.has("because") {
        let measured = ["person", "quasi_identifiers", "sensitive", "coarser"];
        for key in measured.into_iter().chain(["smallest_k", "most_unique"]) {
            if risk.has(key) {
                let help = "`because` says why nothing is measured: keep one of them".to_owned();
                misplaced(&risk, key, "beside `because`", help);
            }
        }
        return None;
    }
    if quasi_identifiers.is_empty() {
        let message = "nothing says by what a person of the table could be recognised";
        let help = "write `quasi_identifiers = [\"…\"]`, or `because = { vi = \"…\", en = \"…\" }`";
        node.file().fault(risk.span(), "missing-key", message, help.to_owned());
    }
    if let Some(share) = most_unique.as_ref().filter(|share| !(0.0..1.0).contains(&share.value)) {
        let message = "`most_unique` is a share, from 0 up to but not 1";
        node.file().fault(share.span.clone(), "out-of-range", message, None);
    }
    if complete {
        check_columns(&risk, columns, person.as_ref(), (&quasi_identifiers, &sensitive));
    }
    let coarser = read_codes(&risk, coarser, &quasi_identifiers);
    let plain = |names: Vec<At<String>>| names.into_iter().map(|name| name.value).collect();
    Some(Risk {
        person: person.map(|name| name.value),
        quasi_identifiers: plain(quasi_identifiers),
        sensitive: plain(sensitive),
        coarser,
        smallest_k: smallest_k.and_then(|k| u64::try_from(k).ok()),
        most_unique: most_unique.map(|share| share.value),
    })
}

/// A table that holds pseudonyms of persons says what is measured, or why nothing is.
fn check_declared(node: &Node<'_>, class: Sensitivity, columns: &[ColumnDraft], name: &At<String>) {
    let of_persons = |draft: &ColumnDraft| {
        matches!(draft.column.treatment, Treatment::Pseudonymise { .. })
            && draft.column.sensitivity >= Sensitivity::Personal
    };
    if class < Sensitivity::Personal || !columns.iter().any(of_persons) {
        return;
    }
    let message = "the table holds pseudonyms of persons, and nothing says how exposed they may be";
    let help = "write [table.risk] with `quasi_identifiers = [\"…\"]`, the columns by which an \
                outsider could recognise a person, or with `because = { vi = \"…\", en = \"…\" }`";
    node.file().fault(name.span.clone(), "risk-undeclared", message, help.to_owned());
}

fn check_columns(
    node: &Node<'_>,
    columns: &[ColumnDraft],
    person: Option<&At<String>>,
    (quasi_identifiers, sensitive): (&[At<String>], &[At<String>]),
) {
    let file = node.file();
    let kept = |name: &At<String>| {
        let mut all = columns.iter().map(|draft| &draft.column);
        let found = all.find(|c| c.name == name.value && c.treatment != Treatment::Drop);
        if found.is_none() {
            let message = format!("there is no column `{}` in the lake", name.value);
            let kept = columns.iter().filter(|draft| draft.column.treatment != Treatment::Drop);
            let names = kept.map(|draft| draft.column.name.as_str());
            file.fault(
                name.span.clone(),
                "unknown-reference",
                message,
                suggestion(&name.value, names),
            );
        }
        found
    };
    let is_pseudonym = |column: &Column| matches!(column.treatment, Treatment::Pseudonymise { .. });
    if let Some(column) = person.and_then(kept).filter(|column| !is_pseudonym(column)) {
        let message = format!("`{}` is no pseudonym of a person", column.name);
        let help = "`person` names the pseudonymised column that is the same for one person; \
                    without it each row counts as one"
            .to_owned();
        file.fault(node.key_span("person"), "bad-risk", message, help);
    }
    for name in quasi_identifiers.iter().chain(sensitive) {
        if let Some(column) = kept(name).filter(|column| is_pseudonym(column)) {
            let message = format!("nobody knows the pseudonyms of `{}`", column.name);
            let help = "name columns whose values mean something outside of the lake".to_owned();
            file.fault(name.span.clone(), "bad-risk", message, help);
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for name in quasi_identifiers.iter().chain(sensitive) {
        if seen.contains(&name.value.as_str()) {
            let message = format!("`{}` is named twice", name.value);
            let help = "a column is either known to an outsider or what nobody should learn";
            file.fault(name.span.clone(), "bad-risk", message, help.to_owned());
        }
        seen.push(&name.value);
    }
}

fn read_codes(
    node: &Node<'_>,
    coarser: Vec<(String, String)>,
    known: &[At<String>],
) -> BTreeMap<String, Codes> {
    let mut all = BTreeMap::new();
    for (name, word) in coarser {
        let place = node.key_span("coarser");
        if !known.iter().any(|one| one.value == name) {
            let message = format!("`{name}` is none of the quasi-identifiers");
            let help = suggestion(&name, known.iter().map(|one| one.value.as_str()));
            node.file().fault(place.clone(), "unknown-reference", message, help);
        }
        match CODES.iter().find(|(one, _)| *one == word) {
            Some((_, codes)) => drop(all.insert(name, *codes)),
            None => {
                let message = format!("`{word}` is no kind of values that can be made coarser");
                let help = suggestion(&word, CODES.iter().map(|(one, _)| *one));
                node.file().fault(place, "unknown-value", message, help);
            }
        }
    }
    all
}
