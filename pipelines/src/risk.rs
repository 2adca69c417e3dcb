//! How exposed the persons of a table are: k-anonymity (Sweeney, 2002), distinct ℓ-diversity
//! (Machanavajjhala et al., 2007), and who is alone in their group, as `khoyte disclosure microdata`
//! counts them of a file; an empty cell is a value like others.
//!
//! Rows are read once, of the few columns that are asked about, and grouped by all quasi-identifiers
//! together. What leaving a column out or making it coarser would bring is made from these groups
//! and not from rows again. For that a group keeps its first and its last person: groups that become
//! one hold a single person where both are the same. (How many different persons a larger one would
//! hold cannot be told from its parts, nor is it asked.) A row without a pseudonym is a person of its
//! own. All is SQL within the memory of all queries, and spills.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt64Type};
use warehouse::query::{QueryError, Warehouse, Workshop};
use warehouse::spec::{Coarser, Risk, SourceTable, arrow_schema};
use warehouse::store::{Alike, Asked, Exposure, Measured};

/// The name under which SQL sees the groups.
const GROUPS: &str = "nhom";

/// Persons in groups of fewer are told apart: the least that open data show of a count.
const FEW: u64 = 5;

/// What is asked of a table.
pub(crate) fn asked(table: &SourceTable, risk: &Risk) -> Asked {
    let ways = table.risk_ways().into_iter();
    Asked {
        person: risk.person.clone(),
        quasi_identifiers: risk.quasi_identifiers.clone(),
        sensitive: risk.sensitive.clone(),
        by: table.risk_partition().map(str::to_owned),
        ways: ways.map(|(column, way)| (column, way.as_str().to_owned())).collect(),
    }
}

/// The figures, by partition, of the rows of `relations`: tables of `workshop`, each with the
/// condition of its rows.
pub(crate) async fn measure(
    warehouse: &Warehouse,
    workshop: &Workshop,
    table: &SourceTable,
    risk: &Risk,
    relations: &[(&str, Option<String>)],
) -> Result<BTreeMap<String, Exposure>, QueryError> {
    let question = Question::of(table, risk);
    let rows = question.rows_sql(relations);
    let groups = workshop.stage(&question.groups_sql(&rows)).await?;
    let grouped = warehouse.workshop([(GROUPS.to_owned(), groups.into())])?;
    let mut parts = ask(&grouped, &question.figures_sql()).await?;
    let mut all: BTreeMap<String, Exposure> = BTreeMap::new();
    for (part, figures) in &mut parts {
        let mut figures = figures.drain(..);
        let mut next = || figures.next().unwrap_or_default();
        let mut exposure = Exposure {
            groups: next(),
            persons: next(),
            smallest: next(),
            alone: next(),
            few: next(),
            ..Exposure::default()
        };
        exposure.spread = figures.map(|persons| Alike { fewest: 1, persons }).collect();
        all.insert(part.clone(), exposure);
    }
    for at in 0..risk.sensitive.len() {
        // Where a group has one value, that is the fewest.
        if all.values().all(|one| one.spread.get(at).is_some_and(|alike| alike.persons > 0)) {
            continue;
        }
        for (part, fewest) in ask(workshop, &question.fewest_sql(&rows, at)).await? {
            let spread = all.get_mut(&part).and_then(|one| one.spread.get_mut(at));
            if let (Some(alike), Some(fewest)) = (spread, fewest.first()) {
                alike.fewest = *fewest;
            }
        }
    }
    for (column, way) in table.risk_ways() {
        for (part, left) in ask(&grouped, &question.left_sql(&column, way)).await? {
            if let Some(one) = all.get_mut(&part) {
                one.left.extend(left);
            }
        }
    }
    Ok(all)
}

/// Numbers by partition: the first column of a result is the partition, the others are counts.
async fn ask(workshop: &Workshop, sql: &str) -> Result<BTreeMap<String, Vec<u64>>, QueryError> {
    let add = |parts: &mut BTreeMap<String, Vec<u64>>, rows: &RecordBatch| {
        // The engine's own types for text and counts cast to these.
        let column = |at: usize, ty: &DataType| cast(rows.column(at), ty).ok();
        let Some(names) = column(0, &DataType::Utf8) else { return };
        let counts: Vec<_> =
            (1..rows.num_columns()).filter_map(|at| column(at, &DataType::UInt64)).collect();
        for (row, name) in names.as_string::<i32>().iter().enumerate() {
            let counts = counts.iter().map(|count| count.as_primitive::<UInt64Type>().value(row));
            parts.insert(name.unwrap_or_default().to_owned(), counts.collect());
        }
    };
    workshop.fold(sql, BTreeMap::new(), add).await
}

/// A table's question, in SQL. In it the quasi-identifiers are `q0`, `q1` …, the sensitive columns
/// `s0`, `s1` …, the person is `ai`.
struct Question<'a> {
    risk: &'a Risk,
    /// The quasi-identifier that parts the table.
    by: Option<usize>,
    /// Whether a quasi-identifier is text.
    are_texts: Vec<bool>,
}

impl<'a> Question<'a> {
    fn of(table: &SourceTable, risk: &'a Risk) -> Self {
        let names = || risk.quasi_identifiers.iter();
        let by = table.risk_partition();
        let schema = arrow_schema(table);
        let is_text = |name: &String| {
            schema.field_with_name(name).is_ok_and(|field| *field.data_type() == DataType::Utf8)
        };
        Self {
            risk,
            by: by.and_then(|by| names().position(|name| name == by)),
            are_texts: names().map(is_text).collect(),
        }
    }

    fn quasi(&self) -> Vec<String> {
        (0..self.risk.quasi_identifiers.len()).map(|at| format!("q{at}")).collect()
    }

    /// The partition of a group, as text.
    fn part(&self) -> String {
        self.by.map_or("''".to_owned(), |by| format!("CAST(q{by} AS VARCHAR)"))
    }

    fn rows_sql(&self, relations: &[(&str, Option<String>)]) -> String {
        let named = |names: &[String], letter: char| {
            let one = |(at, name): (usize, &String)| format!("\"{name}\" AS {letter}{at}");
            names.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        let mut columns = named(&self.risk.quasi_identifiers, 'q');
        columns.push(match &self.risk.person {
            Some(person) => format!("{} AS ai", number(person)),
            None => "CAST(NULL AS BIGINT) AS ai".to_owned(),
        });
        for (at, name) in self.risk.sensitive.iter().enumerate() {
            columns.push(format!("coalesce(CAST(\"{name}\" AS VARCHAR), '') AS s{at}"));
        }
        let columns = columns.join(", ");
        let reads = relations.iter().map(|(relation, only)| {
            let only = only.as_ref().map(|only| format!(" WHERE {only}")).unwrap_or_default();
            format!("SELECT {columns} FROM {relation}{only}")
        });
        reads.collect::<Vec<_>>().join(" UNION ALL ")
    }

    /// The groups: `nguoi` persons, `vo_danh` of them without a pseudonym, the `dau` and `cuoi` of
    /// the others, and of each sensitive column the smallest and largest value.
    fn groups_sql(&self, rows: &str) -> String {
        let quasi = self.quasi().join(", ");
        let each = |form: fn(usize) -> String| {
            (0..self.risk.sensitive.len()).map(form).collect::<String>()
        };
        let within = each(|at| format!(", min(s{at}) AS n{at}, max(s{at}) AS x{at}"));
        let over = each(|at| format!(", min(n{at}) AS n{at}, max(x{at}) AS x{at}"));
        format!(
            "SELECT {quasi}, sum(mot) AS nguoi, sum(CASE WHEN ai IS NULL THEN mot ELSE 0 END) \
             AS vo_danh, min(ai) AS dau, max(ai) AS cuoi{over} FROM (SELECT {quasi}, ai, \
             CASE WHEN ai IS NULL THEN count(*) ELSE 1 END AS mot{within} FROM ({rows}) \
             GROUP BY {quasi}, ai) GROUP BY {quasi}"
        )
    }

    fn figures_sql(&self) -> String {
        let alike = |at: usize| format!(", sum(CASE WHEN n{at} = x{at} THEN nguoi ELSE 0 END)");
        let alike: String = (0..self.risk.sensitive.len()).map(alike).collect();
        format!(
            "SELECT phan, count(*), sum(nguoi), min(nguoi), sum(CASE WHEN nguoi = 1 THEN 1 ELSE 0 \
             END), sum(CASE WHEN nguoi < {FEW} THEN nguoi ELSE 0 END){alike} \
             FROM (SELECT {} AS phan, * FROM {GROUPS}) GROUP BY phan",
            self.part()
        )
    }

    /// The fewest values of a sensitive column in a group.
    fn fewest_sql(&self, rows: &str, at: usize) -> String {
        let (quasi, part) = (self.quasi().join(", "), self.part());
        format!(
            "SELECT phan, min(l) FROM (SELECT {part} AS phan, l FROM (SELECT {quasi}, count(*) AS l \
             FROM (SELECT {quasi}, s{at} FROM ({rows}) GROUP BY {quasi}, s{at}) GROUP BY {quasi})) \
             GROUP BY phan"
        )
    }

    /// How many persons are in groups of one where a column is treated that way.
    fn left_sql(&self, column: &str, way: Coarser) -> String {
        let mut keys = Vec::new();
        for (at, name) in self.risk.quasi_identifiers.iter().enumerate() {
            let own = format!("q{at}");
            match (name == column, way) {
                (true, Coarser::Without) => {}
                (true, way) => keys.push((own.clone(), coarse(&own, way, self.are_texts[at]))),
                (false, _) => keys.push((own.clone(), own)),
            }
        }
        if keys.is_empty() {
            // Without the only one, all are one group.
            keys.push(("chung".to_owned(), "0".to_owned()));
        }
        let names = keys.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let keys = keys.iter().map(|(name, sql)| format!("{sql} AS {name}"));
        let keys = keys.collect::<Vec<_>>().join(", ");
        format!(
            "SELECT {} AS phan, sum(CASE WHEN (vo_danh = 0 AND dau = cuoi) OR (vo_danh = 1 AND dau \
             IS NULL) THEN nguoi ELSE 0 END) FROM (SELECT {names}, sum(nguoi) AS nguoi, \
             sum(vo_danh) AS vo_danh, min(dau) AS dau, max(cuoi) AS cuoi FROM (SELECT {keys}, \
             nguoi, vo_danh, dau, cuoi FROM {GROUPS}) GROUP BY {names}) GROUP BY phan",
            self.part()
        )
    }
}

/// The SQL of a person's number: the last 18 digits of the pseudonym, in which the six letters of
/// hexadecimal digits count as the digits 0 to 5. Numbers are grouped and compared several times as
/// fast as text. Pseudonyms are as good as random, so that two persons have one number once in 10^17.
fn number(person: &str) -> String {
    format!("CAST(translate(right(\"{person}\", 18), 'abcdef', '012345') AS BIGINT)")
}

/// The SQL of a coarser value.
fn coarse(of: &str, way: Coarser, is_text: bool) -> String {
    match way {
        Coarser::Without => "NULL".to_owned(),
        Coarser::Month => format!("date_trunc('month', {of})"),
        Coarser::Year => format!("date_part('year', {of})"),
        Coarser::FiveYears => format!("{of} - {of} % 5"),
        // Of an age band, `15-19` or `90+`, the tens of its first year say enough.
        Coarser::TenYears if is_text => {
            format!("CASE WHEN {of} IN ('0-4', '5-9') THEN '0' ELSE left({of}, 1) END")
        }
        Coarser::TenYears => format!("{of} - {of} % 10"),
        Coarser::IcdCategory => format!("left({of}, 3)"),
        Coarser::IcdChapter => chapter(of),
        Coarser::Province => format!("left({of}, 2)"),
    }
}

/// The chapter of a disease, by the letter with which it begins: several letters make one chapter,
/// and two letters are shared (D00–D48 are neoplasms, D50 and later blood; H00–H59 eyes, H60 and
/// later ears).
fn chapter(of: &str) -> String {
    format!(
        "CASE WHEN left({of}, 1) IN ('A', 'B') THEN 'AB' \
         WHEN left({of}, 1) = 'C' OR left({of}, 3) BETWEEN 'D00' AND 'D49' THEN 'CD' \
         WHEN left({of}, 3) BETWEEN 'H00' AND 'H59' THEN 'H0' \
         WHEN left({of}, 1) IN ('S', 'T') THEN 'ST' \
         WHEN left({of}, 1) IN ('V', 'W', 'X', 'Y') THEN 'VY' ELSE left({of}, 1) END"
    )
}

/// Why a batch after which the table would be so exposed is refused, if it is.
pub(crate) fn verdict(risk: &Risk, measured: &Measured) -> Option<String> {
    let whole = measured.whole();
    let advice = || remedy(measured, &whole);
    if let Some(bound) =
        risk.smallest_k.filter(|bound| 0 < whole.smallest && whole.smallest < *bound)
    {
        return Some(format!(
            "k = {}, dưới ngưỡng smallest_k = {bound}: {}",
            whole.smallest,
            advice()
        ));
    }
    let share = whole.share(whole.alone);
    let bound = risk.most_unique.filter(|bound| share > *bound)?;
    Some(format!(
        "{} {} đứng một mình trong nhóm của mình, quá ngưỡng most_unique = {}: {}",
        percent(share),
        unit(measured),
        percent(bound),
        advice()
    ))
}

/// What to say where less than a tenth of a bound is left.
pub(crate) fn near(risk: &Risk, measured: &Measured) -> Option<String> {
    let whole = measured.whole();
    let k = risk.smallest_k.filter(|bound| {
        whole.smallest > 0 && whole.smallest as f64 <= (*bound as f64 * 1.1).floor()
    });
    if let Some(bound) = k {
        return Some(format!(
            "gần ngưỡng rủi ro lộ: k = {}, ngưỡng smallest_k = {bound}",
            whole.smallest
        ));
    }
    let share = whole.share(whole.alone);
    let bound = risk.most_unique.filter(|bound| whole.alone > 0 && share >= bound * 0.9)?;
    Some(format!(
        "gần ngưỡng rủi ro lộ: {} {} đứng một mình, ngưỡng most_unique = {}",
        percent(share),
        unit(measured),
        percent(bound)
    ))
}

/// What would bring most, as it is measured.
fn remedy(measured: &Measured, whole: &Exposure) -> String {
    let ways = measured.asked.ways.iter().zip(&whole.left);
    let best = |is_dropped: bool| {
        let some =
            ways.clone().filter(|((_, way), _)| (way == Coarser::Without.as_str()) == is_dropped);
        some.min_by_key(|(_, left)| **left)
    };
    let mut told = Vec::new();
    if let Some(((column, way), left)) = best(false) {
        told.push(format!("{column} thành {way} thì còn {}", percent(whole.share(*left))));
    }
    if let Some(((column, _), left)) = best(true) {
        told.push(format!("bỏ {column} thì còn {}", percent(whole.share(*left))));
    }
    let first = "làm thô hoặc bỏ một cột định danh gián tiếp trong hợp đồng".to_owned();
    let told = (!told.is_empty()).then(|| format!(" ({} đứng một mình)", told.join(", ")));
    format!("{first}{}, hoặc nêu lý do và nới ngưỡng", told.unwrap_or_default())
}

fn unit(measured: &Measured) -> &'static str {
    if measured.asked.person.is_some() { "số người" } else { "số dòng" }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0).replace('.', ",")
}

#[cfg(test)]
mod tests;
