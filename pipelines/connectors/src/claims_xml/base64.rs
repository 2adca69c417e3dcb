//! The document of a `NOIDUNGFILE`: base64 that comes in pieces, decoded into a buffer that is used
//! again. White space within it is legal, and some senders break lines; anything else is refused, as
//! is what is cut short.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

use super::fault::{Fault, Outcome};
use super::feed::any;

/// Bytes looked through at once: they stay in the nearest cache.
const PIECE: usize = 16 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    /// The beginning of a group of four.
    group: [u8; 4],
    grouped: usize,
    /// A group ended with `=`, so no other may follow.
    padded: bool,
    /// A piece without its white space.
    dense: Vec<u8>,
}

impl Decoder {
    /// Forgets what came.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.grouped = 0;
        self.padded = false;
    }

    /// Whether nothing but white space came.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.grouped == 0
    }

    /// Takes more. The document may have `most` bytes.
    pub(super) fn push(&mut self, text: &[u8], most: usize) -> Outcome {
        for piece in text.chunks(PIECE) {
            if !any(piece, |byte| byte <= b' ') {
                self.dense(piece, most)?;
                continue;
            }
            let mut dense = std::mem::take(&mut self.dense);
            dense.clear();
            for run in piece.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
                dense.extend_from_slice(run);
            }
            let outcome = self.dense(&dense, most);
            self.dense = dense;
            outcome?;
        }
        Ok(())
    }

    /// The whole document.
    pub(super) fn finish(&self) -> Outcome<&[u8]> {
        if self.grouped > 0 {
            return Err(Fault::wrong("the base64 of NOIDUNGFILE is cut short"));
        }
        Ok(&self.bytes)
    }

    fn dense(&mut self, mut text: &[u8], most: usize) -> Outcome {
        if self.grouped > 0 {
            let missing = (4 - self.grouped).min(text.len());
            let (head, rest) = text.split_at(missing);
            self.group[self.grouped..self.grouped + missing].copy_from_slice(head);
            self.grouped += missing;
            text = rest;
            if self.grouped == 4 {
                self.grouped = 0;
                let group = self.group;
                self.decode(&group, most)?;
            }
        }
        let (whole, rest) = text.split_at(text.len() / 4 * 4);
        self.decode(whole, most)?;
        if !rest.is_empty() {
            self.group[..rest.len()].copy_from_slice(rest);
            self.grouped = rest.len();
        }
        Ok(())
    }

    fn decode(&mut self, groups: &[u8], most: usize) -> Outcome {
        let Some(last) = groups.last() else { return Ok(()) };
        let wrong = || Fault::wrong("NOIDUNGFILE is neither base64 nor an XML document");
        if self.padded {
            return Err(wrong());
        }
        let begin = self.bytes.len();
        let more = groups.len() / 4 * 3;
        if begin + more > most {
            return Err(Fault::bytes("has a document longer than it may be", most));
        }
        self.bytes.resize(begin + more, 0);
        let decoded =
            STANDARD.decode_slice(groups, &mut self.bytes[begin..]).map_err(|_| wrong())?;
        self.bytes.truncate(begin + decoded);
        self.padded = *last == b'=';
        Ok(())
    }
}
