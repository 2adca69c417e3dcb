//! The document of a `NOIDUNGFILE` out of its base64. White space within it is legal, and some senders
//! break lines; anything else is refused, as is what is cut short.

use base64_simd::{AsOut, STANDARD};

use super::fault::{Fault, Outcome};

/// Buffers that the next document uses again.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Grows, and begins with the document.
    document: Vec<u8>,
    /// Text without its white space.
    dense: Vec<u8>,
}

impl Decoder {
    /// The document of a text that comes as one piece, most often without white space. It may have
    /// `most` bytes.
    pub(super) fn whole(&mut self, text: &[u8], most: usize) -> Outcome<&[u8]> {
        let text = text.trim_ascii();
        let room = STANDARD.estimated_decoded_length(text.len());
        if room <= most {
            self.reserve(room);
            let decoded = STANDARD.decode(text, self.document.as_mut_slice().as_out());
            if let Ok(length) = decoded.map(|document| document.len()) {
                return Ok(&self.document[..length]);
            }
        }
        self.dense.clear();
        self.push(text);
        self.finish(most)
    }

    /// Forgets the pieces that came.
    pub(super) fn clear(&mut self) {
        self.dense.clear();
    }

    /// Whether nothing but white space came.
    pub(super) fn is_empty(&self) -> bool {
        self.dense.is_empty()
    }

    /// Takes a piece.
    pub(super) fn push(&mut self, text: &[u8]) {
        for run in text.split(u8::is_ascii_whitespace) {
            self.dense.extend_from_slice(run);
        }
    }

    /// The document of all pieces, which may have `most` bytes.
    pub(super) fn finish(&mut self, most: usize) -> Outcome<&[u8]> {
        let (groups, rest) = self.dense.split_at(self.dense.len() / 4 * 4);
        let room = STANDARD.estimated_decoded_length(groups.len());
        if room > most {
            return Err(Fault::bytes("has a document longer than it may be", most));
        }
        let whole = rest.is_empty();
        self.reserve(room);
        let groups = &self.dense[..self.dense.len() / 4 * 4];
        let Ok(document) = STANDARD.decode(groups, self.document.as_mut_slice().as_out()) else {
            return Err(Fault::wrong("NOIDUNGFILE is neither base64 nor an XML document"));
        };
        if whole {
            Ok(document)
        } else {
            Err(Fault::wrong("the base64 of NOIDUNGFILE is cut short"))
        }
    }

    fn reserve(&mut self, bytes: usize) {
        if self.document.len() < bytes {
            self.document.resize(bytes, 0);
        }
    }
}
