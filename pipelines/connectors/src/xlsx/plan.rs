//! What is asked of each sheet: the settings and columns of a request, checked.

use super::address::{Address, Area, column};
use crate::{Request, SourceError};

/// More header rows than this are no header.
const HEADER_ROWS: u32 = 20;

/// A request that can be answered.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The request's place.
    pub(super) place: String,
    pub(super) sheets: Sheets,
    /// The table, its header included.
    pub(super) area: Area,
    /// Rows of the header.
    pub(super) header: u32,
    /// The text at which the table ends, without space around it.
    pub(super) stop: Option<String>,
    pub(super) skip_empty: bool,
    pub(super) fill: bool,
    /// Name and meaning of each column.
    pub(super) columns: Vec<(String, Wanted)>,
}

/// Which sheets hold the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sheets {
    /// The only visible one.
    Only,
    /// That of this name.
    Named(String),
    /// The visible ones whose names begin and end so.
    Fitting(String, String),
}

/// What a column asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A column by its letters.
    Column(u32),
    /// A column by its header.
    Headed(String),
    /// A cell.
    Cell(Address),
    /// The sheet's name.
    Sheet,
    /// The file's name.
    File,
}

impl Plan {
    /// Checks a request.
    pub(super) fn new(request: &Request) -> Result<Self, SourceError> {
        let wrong = |setting: &str, what: String| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what,
        };
        let area = match request.setting("range", "") {
            "" => Area::SHEET,
            text => Area::parse(text)
                .ok_or_else(|| wrong("range", "is not like `B6:M70` or `B6:M`".to_owned()))?,
        };
        let header = request.setting("header", "0").parse().ok();
        let header = header.filter(|rows| *rows <= HEADER_ROWS);
        let header = header
            .ok_or_else(|| wrong("header", format!("is no number of rows, 0 to {HEADER_ROWS}")))?;
        if area.bottom.is_some_and(|bottom| area.top + header > bottom) {
            return Err(wrong("header", "leaves no row of the range to the table".to_owned()));
        }
        let one_of = |setting: &str, otherwise: &str, [no, yes]: [&str; 2]| match request
            .setting(setting, otherwise)
        {
            value if value == yes => Ok(true),
            value if value == no => Ok(false),
            _ => Err(wrong(setting, format!("is neither {no} nor {yes}"))),
        };
        let stop = tidy(request.setting("stop", ""));
        let column = |name: &String| {
            let wanted = wanted(name, header, &area).map_err(|what| wrong(name, what))?;
            Ok::<_, SourceError>((name.clone(), wanted))
        };
        Ok(Self {
            place: request.place.clone(),
            sheets: sheets(request.setting("sheet", "")),
            area,
            header,
            stop: (!stop.is_empty()).then_some(stop),
            skip_empty: one_of("skip_empty", "true", ["false", "true"])?,
            fill: one_of("fill", "none", ["none", "down"])?,
            columns: request.columns.iter().map(column).collect::<Result<_, _>>()?,
        })
    }

    /// The first row below the header.
    pub(super) fn first_row(&self) -> u32 {
        self.area.top + self.header
    }
}

/// A text with single spaces, and none around it: what a header cell and a name are compared as.
pub(super) fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sheets(text: &str) -> Sheets {
    match text.split_once('*') {
        _ if text.is_empty() => Sheets::Only,
        Some((begin, end)) => Sheets::Fitting(begin.to_owned(), end.to_owned()),
        None => Sheets::Named(text.to_owned()),
    }
}

fn wanted(name: &str, header: u32, area: &Area) -> Result<Wanted, String> {
    match name.strip_prefix('@') {
        Some("sheet") => return Ok(Wanted::Sheet),
        Some("file") => return Ok(Wanted::File),
        Some(cell) => {
            let cell = Address::parse(cell).map(Wanted::Cell);
            return cell.ok_or_else(|| "is neither @sheet, @file, nor a cell like @B3".to_owned());
        }
        None => {}
    }
    if header > 0 {
        return Ok(Wanted::Headed(tidy(name)));
    }
    let Some(column) = column(name) else {
        return Err(
            "is no column's letters such as `C`; names need the setting `header`".to_owned()
        );
    };
    if !area.has_column(column) {
        return Err("lies outside the setting `range`".to_owned());
    }
    Ok(Wanted::Column(column))
}
