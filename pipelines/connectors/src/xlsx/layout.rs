//! Where the columns of a request are in one sheet: what its header says, what its fixed cells hold,
//! and which cells are merged.

use std::collections::{HashMap, HashSet};

use super::address::Address;
use super::book::{Book, Where};
use super::plan::{Plan, Wanted, tidy};
use crate::SourceError;

/// Bytes of all texts of a header and of fixed cells.
const HEAD_BYTES: usize = 8 << 20;

/// What stands between the names of several header rows.
const BETWEEN: &str = " / ";

/// What a sheet has for a request.
#[derive(Debug)]
pub(super) struct Layout {
    /// For each column of the request.
    pub(super) columns: Vec<Place>,
    /// Of regions to be filled the last cell, by their first.
    pub(super) fill: HashMap<Address, Address>,
}

/// Where a column's cells are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a column of the sheet.
    Column(u32),
    /// The same on each row.
    Constant(Option<String>),
}

type Regions = [(Address, Address)];

impl Layout {
    /// Looks at a sheet.
    pub(super) fn survey(book: &mut Book, sheet: &str, plan: &Plan) -> Result<Self, SourceError> {
        let at = book.at(sheet);
        let fixed: Vec<Address> = plan
            .columns
            .iter()
            .filter_map(|(_, wanted)| match wanted {
                Wanted::Cell(cell) => Some(*cell),
                _ => None,
            })
            .collect();
        let needs_merged = plan.header > 0 || plan.fill || !fixed.is_empty();
        let merged = if needs_merged { book.merged(sheet)? } else { Vec::new() };
        let mut owners = header_owners(plan, &merged, &at)?;
        owners.extend(fixed.iter().filter_map(|cell| Some((*cell, owner(*cell, &merged)?))));
        let texts = texts(book, sheet, plan, &fixed, &owners)?;
        let head = Head { plan, owners: &owners, texts: &texts };
        let names = head.names();
        let mut columns = Vec::with_capacity(plan.columns.len());
        for (name, wanted) in &plan.columns {
            columns.push(match wanted {
                Wanted::Column(column) => Place::Column(*column),
                Wanted::Headed(header) => Place::Column(find(&names, header, name, &at)?),
                Wanted::Cell(cell) => Place::Constant(head.text(*cell).map(str::to_owned)),
                Wanted::Sheet => Place::Constant(Some(sheet.to_owned())),
                Wanted::File => Place::Constant(Some(book.file_name())),
            });
        }
        let fill = if plan.fill { to_fill(plan, &merged, &columns) } else { HashMap::new() };
        Ok(Self { columns, fill })
    }
}

/// The texts of a header, and which cell of a merged region has the text.
struct Head<'a> {
    plan: &'a Plan,
    owners: &'a HashMap<Address, Address>,
    texts: &'a HashMap<Address, String>,
}

impl Head<'_> {
    fn owner(&self, cell: Address) -> Address {
        self.owners.get(&cell).copied().unwrap_or(cell)
    }

    fn text(&self, cell: Address) -> Option<&str> {
        self.texts.get(&self.owner(cell)).map(String::as_str)
    }

    /// The columns by the names that the header gives them.
    fn names(&self) -> HashMap<String, Vec<u32>> {
        let mut names: HashMap<String, Vec<u32>> = HashMap::new();
        let area = self.plan.area;
        if self.texts.is_empty() {
            return names;
        }
        for column in area.left..=area.right {
            let mut parts = Vec::new();
            let mut above = None;
            for row in area.top..self.plan.first_row() {
                let cell = Address { row, column };
                // A region that goes over several rows is one name, not several.
                if above.replace(self.owner(cell)) == Some(self.owner(cell)) {
                    continue;
                }
                parts.extend(self.text(cell).map(tidy));
            }
            if !parts.is_empty() {
                names.entry(parts.join(BETWEEN)).or_default().push(column);
            }
        }
        names
    }
}

fn find(
    names: &HashMap<String, Vec<u32>>,
    header: &str,
    name: &str,
    at: &Where,
) -> Result<u32, SourceError> {
    let (place, column) = (at.place(), name.to_owned());
    match names.get(header).map(Vec::as_slice) {
        Some([only]) => Ok(*only),
        Some([_, ..]) => Err(SourceError::DoubledColumn { place, column }),
        _ => Err(SourceError::MissingColumn { place, column }),
    }
}

/// For each merged cell of the header, the cell that has the region's text. Regions that overlap
/// are refused: Excel makes none, and each cell is looked at once only.
fn header_owners(
    plan: &Plan,
    merged: &Regions,
    at: &Where,
) -> Result<HashMap<Address, Address>, SourceError> {
    let mut owners = HashMap::new();
    if plan.header == 0 {
        return Ok(owners);
    }
    let area = plan.area;
    for (first, last) in merged {
        let rows = first.row.max(area.top)..=last.row.min(plan.first_row() - 1);
        for row in rows {
            for column in first.column.max(area.left)..=last.column.min(area.right) {
                let cell = Address { row, column };
                if owners.insert(cell, *first).is_some() {
                    return Err(at.malformed(cell, "two merged regions overlap; undo one of them"));
                }
            }
        }
    }
    Ok(owners)
}

fn owner(cell: Address, merged: &Regions) -> Option<Address> {
    let holds = |(first, last): &&(Address, Address)| {
        (first.row..=last.row).contains(&cell.row)
            && (first.column..=last.column).contains(&cell.column)
    };
    merged.iter().find(holds).map(|(first, _)| *first)
}

/// The texts of the header and of fixed cells.
fn texts(
    book: &mut Book,
    sheet: &str,
    plan: &Plan,
    fixed: &[Address],
    owners: &HashMap<Address, Address>,
) -> Result<HashMap<Address, String>, SourceError> {
    let single: HashSet<Address> = owners.values().chain(fixed).copied().collect();
    let header = (plan.header > 0).then(|| plan.first_row() - 1);
    let Some(last_row) = single.iter().map(|cell| cell.row).chain(header).max() else {
        return Ok(HashMap::new());
    };
    let at = book.at(sheet);
    let mut cells = book.cells(sheet)?;
    let mut texts = HashMap::new();
    let mut bytes = 0;
    while let Some(cell) = cells.next()? {
        if cell.at.row > last_row {
            break;
        }
        let in_header = plan.area.has(cell.at) && cell.at.row < plan.first_row();
        if !in_header && !single.contains(&cell.at) {
            continue;
        }
        let text = cell.text(&at)?;
        bytes += text.len();
        if bytes > HEAD_BYTES {
            return Err(SourceError::Bound {
                place: at.place(),
                what: "has longer texts in its header than it may",
                bound: format!("{} MiB", HEAD_BYTES >> 20),
            });
        }
        if texts.insert(cell.at, text).is_some() {
            return Err(at.malformed(cell.at, "it is there twice; save the workbook again"));
        }
    }
    Ok(texts)
}

/// The regions within the table that cover a column which somebody wants.
fn to_fill(plan: &Plan, merged: &Regions, columns: &[Place]) -> HashMap<Address, Address> {
    let wanted = |(first, last): &&(Address, Address)| {
        let covers = |place: &Place| match place {
            Place::Column(column) => (first.column..=last.column).contains(column),
            Place::Constant(_) => false,
        };
        plan.area.has(*first) && first.row >= plan.first_row() && columns.iter().any(covers)
    };
    merged.iter().filter(wanted).copied().collect()
}
