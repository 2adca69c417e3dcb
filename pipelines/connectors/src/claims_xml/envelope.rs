//! The envelope of the claims files: `GIAMDINHHS`, its `HOSO` and their `FILEHOSO`.
//!
//! What the standard does not name is passed over, but a part of the envelope that is not where the
//! standard puts it is refused: what it holds would be lost in silence.

use super::Limits;
use super::fault::{Fault, Outcome};
use super::markup::is_blank;
use super::records::too_deep;

/// The outermost element.
pub(super) const ROOT: &[u8] = b"GIAMDINHHS";

/// Bytes of a text of the envelope.
const TEXT_BYTES: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// Open elements, the outermost first.
    open: Vec<Element>,
    /// Of the innermost, where the standard has text.
    text: Vec<u8>,
    /// How many `HOSO` began.
    pub(super) hoso: u64,
    /// `NGAYLAP`.
    pub(super) made: Said,
    /// `MACSKCB`.
    pub(super) facility: Said,
    /// `SOLUONGHOSO`.
    announced: Option<u64>,
    has_list: bool,
    /// `LOAIHOSO` of the open `FILEHOSO`.
    table: Option<u64>,
    has_content: bool,
    ended: bool,
}

/// What the envelope says of its rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) text: Option<String>,
    /// It was said behind some of the rows: the number of `HOSO` by then.
    pub(super) late: Option<u64>,
}

/// An element of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Root,
    Unit,
    Claims,
    List,
    Hoso,
    File,
    /// `NOIDUNGFILE`.
    Content,
    Facility,
    Made,
    Count,
    Kind,
    Signature,
    Other,
}

impl Element {
    fn within(parent: Option<Self>, name: &[u8]) -> Outcome<Self> {
        Ok(match (parent, name) {
            (None, ROOT) => Self::Root,
            (Some(Self::Signature), _) | (Some(Self::Root), b"CHUKYDONVI") => Self::Signature,
            (Some(Self::Root), b"THONGTINDONVI") => Self::Unit,
            (Some(Self::Root), b"THONGTINHOSO") => Self::Claims,
            (Some(Self::Unit), b"MACSKCB") => Self::Facility,
            (Some(Self::Claims), b"NGAYLAP") => Self::Made,
            (Some(Self::Claims), b"SOLUONGHOSO") => Self::Count,
            (Some(Self::Claims), b"DANHSACHHOSO") => Self::List,
            (Some(Self::List), b"HOSO") => Self::Hoso,
            (Some(Self::Hoso), b"FILEHOSO") => Self::File,
            (Some(Self::File), b"LOAIHOSO") => Self::Kind,
            (Some(Self::File), b"NOIDUNGFILE") => Self::Content,
            (
                _,
                ROOT | b"THONGTINHOSO" | b"SOLUONGHOSO" | b"DANHSACHHOSO" | b"HOSO" | b"FILEHOSO"
                | b"LOAIHOSO" | b"NOIDUNGFILE",
            ) => {
                return Err(Fault::wrong(
                    "an element of the envelope is not where the standard puts it",
                ));
            }
            (Some(parent), _) if parent.is_text() => {
                return Err(Fault::wrong(
                    "the envelope has an element where the standard has text",
                ));
            }
            _ => Self::Other,
        })
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Facility | Self::Made | Self::Count | Self::Kind)
    }
}

impl Envelope {
    /// Whether the outermost element was seen.
    pub(super) fn began(&self) -> bool {
        self.ended || !self.open.is_empty()
    }

    /// `LOAIHOSO`, which stands before the `NOIDUNGFILE` that is about to be read.
    pub(super) fn table(&self) -> Outcome<u64> {
        self.table.ok_or_else(|| Fault::wrong("a NOIDUNGFILE has no LOAIHOSO before it"))
    }

    pub(super) fn start(&mut self, name: &[u8], limits: &Limits) -> Outcome<Element> {
        if self.ended {
            return Err(Fault::wrong("something follows GIAMDINHHS"));
        }
        if self.open.len() >= limits.depth {
            return Err(too_deep(limits));
        }
        let element = Element::within(self.open.last().copied(), name)?;
        match element {
            Element::List => self.has_list = true,
            Element::Hoso => self.hoso += 1,
            Element::File => (self.table, self.has_content) = (None, false),
            Element::Content if std::mem::replace(&mut self.has_content, true) => {
                return Err(Fault::wrong("a FILEHOSO has more than one NOIDUNGFILE"));
            }
            _ => {}
        }
        self.text.clear();
        self.open.push(element);
        Ok(element)
    }

    pub(super) fn end(&mut self) -> Outcome {
        // Whoever checks the names refuses an end tag without its begin.
        let Some(element) = self.open.pop() else { return Ok(()) };
        self.ended = self.open.is_empty();
        match element {
            Element::Facility => self.facility = self.said(),
            Element::Made => self.made = self.said(),
            Element::Count => {
                let number = self.number("")?;
                if self.announced.replace(number).is_some() {
                    return Err(Fault::wrong("it has more than one SOLUONGHOSO"));
                }
            }
            Element::Kind => {
                let number = self.number("XML")?;
                if self.table.replace(number).is_some() {
                    return Err(Fault::wrong("a FILEHOSO has more than one LOAIHOSO"));
                }
            }
            Element::File if !self.has_content => {
                return Err(Fault::wrong("a FILEHOSO has no NOIDUNGFILE"));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn text(&mut self, text: &[u8]) -> Outcome {
        match self.open.last() {
            Some(element) if element.is_text() => {
                if self.text.len() + text.len() > TEXT_BYTES {
                    return Err(Fault::bytes(
                        "has an envelope with a longer text than it may have",
                        TEXT_BYTES,
                    ));
                }
                self.text.extend_from_slice(text);
                Ok(())
            }
            Some(Element::Other | Element::Signature) => Ok(()),
            _ if is_blank(text) => Ok(()),
            _ => Err(Fault::wrong("the envelope has text where the standard has elements")),
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&self) -> Outcome {
        if !self.open.is_empty() {
            return Err(Fault::wrong("it ends before its elements do; it is cut short"));
        }
        if !self.ended {
            return Err(Fault::wrong("it is empty"));
        }
        if !self.has_list {
            return Err(Fault::wrong("its GIAMDINHHS has no DANHSACHHOSO"));
        }
        match self.announced {
            Some(announced) if announced != self.hoso => Err(Fault::Wrong(
                format!(
                    "it announces {announced} HOSO in SOLUONGHOSO and holds {}; it is cut short, have \
                     it sent again",
                    self.hoso
                )
                .into(),
            )),
            _ => Ok(()),
        }
    }

    fn number(&self, prefix: &str) -> Outcome<u64> {
        let text = std::str::from_utf8(&self.text).unwrap_or_default().trim();
        let number = text.strip_prefix(prefix).and_then(|number| number.parse().ok());
        number.ok_or_else(|| {
            Fault::wrong(if prefix.is_empty() {
                "its SOLUONGHOSO is not a number"
            } else {
                "a LOAIHOSO is not XML with the number of a table behind it"
            })
        })
    }

    fn said(&self) -> Said {
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        let text = (!text.is_empty()).then(|| text.to_owned());
        Said { text, late: (self.hoso > 0).then_some(self.hoso) }
    }
}
