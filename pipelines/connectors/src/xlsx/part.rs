//! What a part of a workbook must not hold, because the reader of workbooks would take it at its
//! word: a number of shared texts for which it would take memory at once, addresses beyond any
//! sheet, at which it would count over, and styles without end, which it copies for each format.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::address::{Address, row};

/// Formats of cells at most, twice over: a workbook has 65490, and as many that are named.
const FORMATS: usize = 131_072;

/// Bytes of one style sheet, and of the attributes of one of its elements.
const STYLE_BYTES: usize = 16 << 20;
const STYLE_ATTRIBUTES: usize = 1024;

/// Elements of one style sheet.
const STYLE_ELEMENTS: usize = 1_000_000;

/// So many shared texts may be announced whatever the part's size: some programs count each use.
const ANNOUNCED: usize = 1_000_000;

/// Whether a part is one that the reader could take in. What offices add of their own may be in any
/// encoding, and is never a sheet.
pub(super) fn is_text(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    (name.ends_with(".xml") || name.ends_with(".rels")) && !name.contains("customxml/")
}

/// Looks through a part; what is wrong with it otherwise.
pub(super) fn check(name: &str, bytes: &[u8]) -> Result<(), &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "a part is not UTF-8; save it again")?;
    let is_style = name.to_ascii_lowercase().ends_with("styles.xml");
    if is_style && bytes.len() > STYLE_BYTES {
        return Err("its styles take more than 16 MiB; copy the form to a new workbook");
    }
    let mut reader = Reader::from_str(text);
    // What the reader of workbooks lets pass must pass here, to be seen as it sees it.
    let config = reader.config_mut();
    config.check_end_names = false;
    config.expand_empty_elements = true;
    let (mut formats, mut elements) = (0, 0);
    loop {
        match reader.read_event() {
            Err(_) => return Err("a part is no XML; have it sent again, or save it again"),
            Ok(Event::Eof) => return Ok(()),
            Ok(Event::DocType(_)) => {
                return Err("a part has a document type, which no workbook has");
            }
            Ok(Event::Decl(declaration)) => check_declaration(&declaration)?,
            Ok(Event::Start(element)) => {
                check_element(&element, bytes.len())?;
                if is_style {
                    elements += 1;
                    formats += usize::from(element.local_name().as_ref() == b"xf");
                    check_style(&element, formats, elements)?;
                }
            }
            Ok(_) => {}
        }
    }
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), &'static str> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case(b"utf-8") => Ok(()),
        Some(_) => Err("a part says that it is not UTF-8; save it again"),
    }
}

fn check_element(element: &BytesStart<'_>, bytes: usize) -> Result<(), &'static str> {
    let local = element.local_name();
    match local.as_ref() {
        b"sst" => each(element, b"uniqueCount", |count| {
            // The shortest text is `<si/>`.
            let most = ANNOUNCED.max(bytes / 5);
            let fits = count.parse::<usize>().is_ok_and(|count| count <= most);
            fits.then_some(()).ok_or("it says that it has more texts than its bytes could hold")
        }),
        b"row" => each(element, b"r", |text| {
            row(text).map(|_| ()).ok_or("a row has a number that no sheet has")
        }),
        b"c" => each(element, b"r", |text| {
            Address::parse(text).map(|_| ()).ok_or("a cell has an address that no sheet has")
        }),
        b"dimension" | b"mergeCell" | b"f" => each(element, b"ref", |text| {
            is_region(text).then_some(()).ok_or("a region has an address that no sheet has")
        }),
        b"Relationship" => {
            let mut is_read = false;
            each(element, b"Type", |kind| {
                is_read |= kind.contains('&')
                    || kind.ends_with("/worksheet")
                    || kind.ends_with("/officeDocument");
                Ok(())
            })?;
            each(element, b"Target", |target| {
                (!is_read || is_text(target))
                    .then_some(())
                    .ok_or("a sheet is not kept as XML; save it as .xlsx, not as .xlsb")
            })
        }
        _ => Ok(()),
    }
}

fn check_style(
    element: &BytesStart<'_>,
    formats: usize,
    elements: usize,
) -> Result<(), &'static str> {
    if formats > FORMATS || elements > STYLE_ELEMENTS {
        return Err("it has more styles than Excel allows; copy the form to a new workbook");
    }
    // The root alone has long attributes: its name spaces.
    let is_root = elements == 1;
    if !is_root && element.attributes_raw().len() > STYLE_ATTRIBUTES {
        return Err("a style is longer than Excel allows; copy the form to a new workbook");
    }
    Ok(())
}

/// Looks at each attribute of that name.
fn each(
    element: &BytesStart<'_>,
    name: &[u8],
    mut look: impl FnMut(&str) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    for attribute in element.attributes().with_checks(false) {
        let Ok(attribute) = attribute else { return Err("a part is no XML; save it again") };
        if attribute.key.as_ref() == name {
            let value: Cow<'_, [u8]> = attribute.value;
            look(std::str::from_utf8(&value).map_err(|_| "a part is not UTF-8; save it again")?)?;
        }
    }
    Ok(())
}

fn is_region(text: &str) -> bool {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    match (Address::parse(first), Address::parse(last)) {
        (Some(first), Some(last)) => first.row <= last.row && first.column <= last.column,
        _ => false,
    }
}
