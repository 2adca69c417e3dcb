//! What a column's header says about its cells.

use super::labels::{Label, in_header};
use super::normal::normal;
use super::words::split;

/// Which identifiers a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Header {
    /// A bit for each [`Label`].
    says: u32,
}

impl Header {
    pub(super) fn read(header: &str) -> Self {
        let header = normal(header);
        let (words, _) = split(&header);
        let says = in_header(&words).into_iter().fold(0, |says, label| says | 1 << label as u32);
        Self { says }
    }

    pub(super) fn says(self, label: Label) -> bool {
        self.says & 1 << label as u32 != 0
    }

    /// Whether it announces anything, so that short plain cells must be looked at too.
    pub(super) fn speaks(self) -> bool {
        self.says != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_whole_words_in_any_spelling() {
        assert!(Header::read("SO_CCCD").says(Label::Identity));
        assert!(Header::read("Số định danh").says(Label::Identity));
        assert!(Header::read("Họ và tên").says(Label::Name));
        assert!(Header::read("MA_LK").says(Label::Record));
        assert!(!Header::read("ma_lkx").says(Label::Record));
        assert!(!Header::read("hotel").speaks());
        assert!(!Header::read("so_mac Số ca mắc").speaks());
        assert!(!Header::read("ten").speaks());
    }
}
