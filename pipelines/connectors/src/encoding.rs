//! Text in the encodings that Vietnamese files come in, as UTF-8.
//!
//! Reading is a stream: a file of any size takes the memory of a few buffers. A byte that an
//! encoding does not have is refused, and never becomes a replacement character: a name that lost a
//! letter is another name. The old Vietnamese encodings give letters as Unicode composes them.
//!
//! Nothing is guessed here: which encoding a file has is declared. A single name does not tell
//! TCVN3 from VNI.

mod vietnamese;

use std::io::{self, Read};

use encoding_rs::DecoderResult;

use self::vietnamese::Letters;

/// Bytes that are decoded at once.
const CHUNK: usize = 1 << 16;

/// How a file writes its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8; a byte-order mark is not text.
    Utf8,
    /// UTF-16; its byte-order mark decides, without one the low byte comes first.
    Utf16,
    /// Windows-1258: Latin letters and five tones behind them.
    Windows1258,
    /// TCVN3, also called ABC: one byte for each letter; capitals have no tones.
    Tcvn3,
    /// VNI for Windows: a letter and behind it a byte with its marks.
    Vni,
}

impl Encoding {
    /// The names that [`Self::named`] knows.
    pub const NAMES: &str = "utf-8, utf-16, windows-1258, tcvn3 and vni";

    /// The encoding of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "utf-8" => Self::Utf8,
            "utf-16" => Self::Utf16,
            "windows-1258" => Self::Windows1258,
            "tcvn3" => Self::Tcvn3,
            "vni" => Self::Vni,
            _ => return None,
        })
    }
}

/// Text (NFC) as TCVN3 writes it, for made-up files; a capital with a tone, which that encoding has
/// not, is written small. `None` where it has no byte for a letter.
pub fn to_tcvn3(text: &str) -> Option<Vec<u8>> {
    vietnamese::to_tcvn3(text)
}

/// Reads what `inner` holds as UTF-8. What comes before a byte that the encoding does not have is
/// given first, so that who counts rows knows where it is; then comes an error that
/// [`is_foreign`] knows.
#[derive(Debug)]
pub struct Decoded<R> {
    inner: R,
    codec: Codec,
    /// Bytes that were read; the first `kept` of them wait for those that complete a letter.
    raw: Vec<u8>,
    kept: usize,
    text: Vec<u8>,
    /// How much of `text` was given.
    given: usize,
    is_over: bool,
    met_foreign: bool,
}

impl<R: Read> Decoded<R> {
    /// A reader of `inner`, which writes its letters in `encoding`.
    pub fn new(inner: R, encoding: Encoding) -> Self {
        let codec = match encoding {
            Encoding::Utf8 => Codec::Utf8 { at_start: true },
            Encoding::Utf16 => Codec::Utf16(None),
            Encoding::Windows1258 => Codec::Letters(Letters::windows_1258()),
            Encoding::Tcvn3 => Codec::Letters(Letters::tcvn3()),
            Encoding::Vni => Codec::Letters(Letters::vni()),
        };
        let (raw, text) = (vec![0; CHUNK], Vec::new());
        Self { inner, codec, raw, kept: 0, text, given: 0, is_over: false, met_foreign: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let read = loop {
            match self.inner.read(&mut self.raw[self.kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.is_over = read == 0;
        let bytes = &self.raw[..self.kept + read];
        self.text.clear();
        self.given = 0;
        let used = self.codec.decode(bytes, self.is_over, &mut self.text);
        let kept = bytes.len() - used.bytes;
        self.met_foreign = used.met_foreign || (self.is_over && kept > 0);
        self.raw.copy_within(used.bytes..used.bytes + kept, 0);
        self.kept = kept;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let waiting = &self.text[self.given..];
            if !waiting.is_empty() {
                let length = waiting.len().min(buffer.len());
                buffer[..length].copy_from_slice(&waiting[..length]);
                self.given += length;
                return Ok(length);
            }
            if self.met_foreign {
                return Err(io::Error::new(io::ErrorKind::InvalidData, ForeignByte));
            }
            if self.is_over {
                return Ok(0);
            }
            self.refill()?;
        }
    }
}

/// Whether a reader's error says that a byte is not of the encoding.
pub fn is_foreign(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<ForeignByte>())
}

#[derive(Debug, thiserror::Error)]
#[error("a byte is not of the declared encoding")]
struct ForeignByte;

/// How far some bytes were decoded.
struct Used {
    bytes: usize,
    met_foreign: bool,
}

enum Codec {
    Utf8 { at_start: bool },
    Utf16(Option<encoding_rs::Decoder>),
    Letters(Letters),
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf8 { .. } => "UTF-8",
            Self::Utf16(_) => "UTF-16",
            Self::Letters(_) => "letters of one or two bytes",
        })
    }
}

impl Codec {
    /// Decodes what of `bytes` is complete; they are the `last` ones.
    fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) -> Used {
        match self {
            Self::Utf8 { at_start } => utf8(at_start, bytes, last, text),
            Self::Utf16(decoder) => utf16(decoder, bytes, last, text),
            Self::Letters(letters) => {
                let (bytes, met_foreign) = letters.decode(bytes, last, text);
                Used { bytes, met_foreign }
            }
        }
    }
}

fn utf8(at_start: &mut bool, bytes: &[u8], last: bool, text: &mut Vec<u8>) -> Used {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let mut skipped = 0;
    if *at_start {
        if bytes.len() < MARK.len() && MARK.starts_with(bytes) && !last {
            return Used { bytes: 0, met_foreign: false };
        }
        *at_start = false;
        if bytes.starts_with(MARK) {
            skipped = MARK.len();
        }
    }
    let bytes = &bytes[skipped..];
    let (valid, met_foreign) = match std::str::from_utf8(bytes) {
        Ok(_) => (bytes.len(), false),
        Err(error) => (error.valid_up_to(), error.error_len().is_some()),
    };
    text.extend_from_slice(&bytes[..valid]);
    Used { bytes: skipped + valid, met_foreign }
}

fn utf16(
    decoder: &mut Option<encoding_rs::Decoder>,
    bytes: &[u8],
    last: bool,
    text: &mut Vec<u8>,
) -> Used {
    let mut skipped = 0;
    if decoder.is_none() {
        if bytes.len() < 2 && !last {
            return Used { bytes: 0, met_foreign: false };
        }
        let (encoding, mark) = match bytes {
            [0xfe, 0xff, ..] => (encoding_rs::UTF_16BE, 2),
            [0xff, 0xfe, ..] => (encoding_rs::UTF_16LE, 2),
            _ => (encoding_rs::UTF_16LE, 0),
        };
        skipped = mark;
        *decoder = Some(encoding.new_decoder_without_bom_handling());
    }
    let Some(decoder) = decoder else { return Used { bytes: 0, met_foreign: true } };
    let bytes = &bytes[skipped..];
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    text.resize(room.unwrap_or(bytes.len() * 4 + 16), 0);
    let (result, read, written) = decoder.decode_to_utf8_without_replacement(bytes, text, last);
    text.truncate(written);
    Used { bytes: skipped + read, met_foreign: matches!(result, DecoderResult::Malformed(..)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, so that every letter is cut everywhere.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(1).min(self.0.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn text(bytes: &[u8], encoding: Encoding) -> Option<String> {
        let mut whole = String::new();
        let whole_read = Decoded::new(bytes, encoding).read_to_string(&mut whole);
        let mut drops = String::new();
        let drops_read = Decoded::new(Drops(bytes), encoding).read_to_string(&mut drops);
        if let Err(error) = &whole_read {
            assert!(is_foreign(error), "{error}");
        }
        assert_eq!(whole_read.is_ok(), drops_read.is_ok());
        whole_read.is_ok().then(|| {
            assert_eq!(whole, drops);
            whole
        })
    }

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf_8_is_itself_without_its_mark() {
        assert_eq!(text("\u{feff}Phạm".as_bytes(), Encoding::Utf8).unwrap(), "Phạm");
        assert_eq!(text("Phạm".as_bytes(), Encoding::Utf8).unwrap(), "Phạm");
        assert_eq!(text(b"\xef\xbb", Encoding::Utf8), None);
        assert_eq!(text(b"", Encoding::Utf8).unwrap(), "");
        assert_eq!(text(b"Ph\xb9m", Encoding::Utf8), None);
        assert_eq!(text(&"Phạm".as_bytes()[..4], Encoding::Utf8), None);
    }

    #[test]
    fn utf_16_is_read_in_both_orders() {
        let name = "Phạm Thị Hường 😀";
        for written in [
            utf_16(&format!("\u{feff}{name}"), u16::to_le_bytes),
            utf_16(&format!("\u{feff}{name}"), u16::to_be_bytes),
            utf_16(name, u16::to_le_bytes),
        ] {
            assert_eq!(text(&written, Encoding::Utf16).unwrap(), name);
            assert_eq!(text(&written[..written.len() - 1], Encoding::Utf16), None);
            assert_eq!(text(&written[..written.len() - 2], Encoding::Utf16), None);
        }
        assert_eq!(text(&[0xd8, 0xde, b'a', 0], Encoding::Utf16), None);
        assert_eq!(text(b"", Encoding::Utf16).unwrap(), "");
    }

    #[test]
    fn the_same_name_in_three_old_encodings() {
        let name = "Phạm Thị Hường, Đỗ Vũ";
        let tcvn3 = b"Ph\xb9m Th\xde H\xad\xeang, \xa7\xe7 V\xf2";
        let vni = b"Pha\xefm Th\xf2 H\xf6\xf4\xf8ng, \xd1o\xe3 Vu\xf5";
        let windows = b"Pha\xf2m Thi\xf2 H\xfd\xf5\xccng";
        assert_eq!(text(tcvn3, Encoding::Tcvn3).unwrap(), name);
        assert_eq!(text(vni, Encoding::Vni).unwrap(), name);
        assert_eq!(text(windows, Encoding::Windows1258).unwrap(), "Phạm Thị Hường");
    }

    #[test]
    fn a_byte_that_an_encoding_does_not_have_is_refused() {
        assert_eq!(text(b"a\x93b", Encoding::Tcvn3), None);
        assert_eq!(text(b"a\xb0b", Encoding::Tcvn3), None);
        assert_eq!(text(b"m\xf9", Encoding::Vni), None);
        assert_eq!(text(b"\xf9", Encoding::Vni), None);
        assert_eq!(text(b"a\x90b", Encoding::Windows1258), None);
    }

    #[test]
    fn what_comes_before_a_refused_byte_is_given_first() {
        let mut reader = Decoded::new(&b"row 1\nrow \x93"[..], Encoding::Tcvn3);
        let mut read = Vec::new();
        assert!(is_foreign(&reader.read_to_end(&mut read).unwrap_err()));
        assert_eq!(read, b"row 1\nrow ");
    }

    #[test]
    fn what_is_written_in_tcvn3_is_read_as_it_was_but_for_capitals_with_tones() {
        let written = to_tcvn3("Đường Nguyễn Văn Cừ, ỐM").unwrap();
        let mut text = String::new();
        Decoded::new(&written[..], Encoding::Tcvn3).read_to_string(&mut text).unwrap();
        assert_eq!(text, "Đường Nguyễn Văn Cừ, ốM");
        assert_eq!(to_tcvn3("→"), None);
    }

    #[test]
    fn long_texts_are_whole() {
        let name = "Nguyễn Thị Ánh Tuyết\n";
        let long = name.repeat(10_000);
        assert_eq!(text(long.as_bytes(), Encoding::Utf8).unwrap(), long);
        assert_eq!(text(&utf_16(&long, u16::to_le_bytes), Encoding::Utf16).unwrap(), long);
    }
}
