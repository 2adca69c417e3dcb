//! From bytes to frames, within bounds.
//!
//! A frame is a length and what follows it; from the log-in on, a letter comes first that says what
//! it is. Its length is looked at as soon as it is there: a frame that is too long is refused
//! before it is kept.

use bytes::{Buf, Bytes, BytesMut};

use super::WireLimits;
use super::fault::Fault;

/// Bytes of a frame before the log-in, and of those that hold neither SQL nor parameters after it.
pub(super) const SHORT: usize = 10_000;

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Frames without a letter: what is wanted, and by whom.
    Start,
    /// Passwords.
    LogIn,
    /// Everything else.
    Open,
}

/// How long frames may be after the log-in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    statement: usize,
    bind: usize,
}

impl From<&WireLimits> for Bounds {
    fn from(limits: &WireLimits) -> Self {
        Self { statement: limits.statement_bytes, bind: limits.bind_bytes }
    }
}

/// One message, not taken apart yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Its letter; 0 at the start.
    pub(super) kind: u8,
    /// What follows the length.
    pub(super) body: Bytes,
}

/// Takes the first frame out of `buffer`; `None` while it is not whole.
pub(super) fn take(
    buffer: &mut BytesMut,
    phase: Phase,
    bounds: Bounds,
) -> Result<Option<Frame>, Fault> {
    let letters = usize::from(phase != Phase::Start);
    let Some(&first) = buffer.first() else { return Ok(None) };
    let kind = if letters == 1 { first } else { 0 };
    let most = longest(kind, phase, bounds)?;
    let Some(length) = buffer.get(letters..letters + 4) else { return Ok(None) };
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
    if length < 4 {
        return Err(Fault::protocol("a message is shorter than its own length"));
    }
    if length > most {
        let text = format!("a message of {length} bytes is too long; {most} are taken at most");
        let code = if phase == Phase::Open { "54000" } else { "08P01" };
        return Err(Fault::fatal(code, text));
    }
    if buffer.len() < letters + length {
        return Ok(None);
    }
    buffer.advance(letters + 4);
    Ok(Some(Frame { kind, body: buffer.split_to(length - 4).freeze() }))
}

/// Bytes that a frame of this kind may have, its length among them.
fn longest(kind: u8, phase: Phase, bounds: Bounds) -> Result<usize, Fault> {
    match (phase, kind) {
        (Phase::Start, _) | (Phase::LogIn, b'p') => Ok(SHORT),
        (Phase::LogIn, _) => Err(Fault::protocol("a password was expected")),
        (Phase::Open, b'Q' | b'P') => Ok(bounds.statement),
        (Phase::Open, b'B') => Ok(bounds.bind),
        (Phase::Open, b'D' | b'E' | b'S' | b'H' | b'C' | b'X' | b'F' | b'd' | b'c' | b'f') => {
            Ok(SHORT)
        }
        (Phase::Open, _) => Err(Fault::protocol("a message of an unknown kind")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { statement: 100_000, bind: 200_000 };

    fn whole(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = if kind == 0 { Vec::new() } else { vec![kind] };
        bytes.extend((body.len() as u32 + 4).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn code(bytes: &[u8], phase: Phase) -> Option<String> {
        let taken = take(&mut BytesMut::from(bytes), phase, BOUNDS);
        taken.err().map(|fault| fault.sqlstate().to_owned())
    }

    #[test]
    fn frames_come_whole_however_they_are_split() {
        let sent = [whole(b'Q', b"SELECT 1\0"), whole(b'S', b""), whole(b'X', b"")].concat();
        for step in 1..sent.len() {
            let (mut buffer, mut kinds) = (BytesMut::new(), Vec::new());
            for piece in sent.chunks(step) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = take(&mut buffer, Phase::Open, BOUNDS).unwrap() {
                    kinds.push(frame.kind);
                }
            }
            assert_eq!(kinds, b"QSX", "pieces of {step}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn hostile_lengths_are_refused_before_their_bytes_come() {
        for length in [0_u32, 3, 10_001, 1 << 20, i32::MAX as u32, u32::MAX] {
            let bytes = length.to_be_bytes();
            assert_eq!(code(&bytes, Phase::Start).as_deref(), Some("08P01"), "{length}");
            let bytes = [&b"p"[..], &bytes].concat();
            assert_eq!(code(&bytes, Phase::LogIn).as_deref(), Some("08P01"), "{length}");
        }
        let header = |kind: u8, length: u32| [&[kind][..], &length.to_be_bytes()].concat();
        for (kind, most) in [(b'Q', 100_000), (b'P', 100_000), (b'B', 200_000), (b'E', 10_000)] {
            assert_eq!(code(&header(kind, most), Phase::Open), None);
            assert_eq!(code(&header(kind, most + 1), Phase::Open).as_deref(), Some("54000"));
        }
    }

    #[test]
    fn unknown_kinds_are_refused_by_their_first_byte() {
        assert_eq!(code(b"Q", Phase::LogIn).as_deref(), Some("08P01"));
        for kind in [0, 0x16, b'z', 0xff] {
            assert_eq!(code(&[kind], Phase::Open).as_deref(), Some("08P01"));
        }
        // A greeting in TLS reads as a very long frame.
        assert_eq!(code(&[0x16, 3, 1, 2, 0, 1], Phase::Start).as_deref(), Some("08P01"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_fall(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            phase in 0..3_usize,
        ) {
            let phase = [Phase::Start, Phase::LogIn, Phase::Open][phase];
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = take(&mut buffer, phase, BOUNDS) {}
        }
    }
}
