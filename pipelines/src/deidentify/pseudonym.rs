//! Keyed tokens that stand for identifiers.
//!
//! A token is `v1:` and 32 hexadecimal digits: HMAC-SHA-256 under the domain's key, truncated to
//! 128 bits (RFC 2104; NIST SP 800-107 allows truncation to half). With 128 bits, two of 100
//! million persons share a token with a probability of 10⁻²³.
//!
//! The number in front is the epoch of the key. A token of a later epoch is the HMAC of the token of
//! the epoch before it, under the later key:
//!
//! ```text
//! v1:… = HMAC(key 1 of the domain, value)
//! v2:… = HMAC(key 2 of the domain, v1:…)
//! ```
//!
//! So the tokens in a lake are taken to the next epoch as they stand, with nobody asking whose they
//! are ([`Pseudonymiser::renew`]), and whoever has the keys of earlier epochs only can neither make
//! nor recognise one. Rows that joined before join afterwards.
//!
//! The same person must get the same token however a clerk typed the number, so a value is brought
//! to one form first: NFC, invisible characters and all spaces, hyphens and dots dropped, digits of
//! other scripts to ASCII, upper case. An 11-digit number that becomes a valid citizen identity
//! number with a zero in front gets that zero back: spreadsheets cut it, and leaving it off would
//! split one person in two. No two valid identifiers become one by this.
//!
//! A cell may hold several values, separated by `;` (a claim whose insurance card changed during
//! the stay). It becomes the tokens of each, in the cell's order, separated by `;`, a repeated
//! value once: a token of the whole cell would match neither card.
//!
//! Tokens cannot be turned back, here or elsewhere in the product.

use std::borrow::Cow;
use std::fmt;

use arrow::array::{Array, StringArray, StringBuilder};
use hmac::{Hmac, Mac};
use identifiers::{is_citizen_id, text};
use sha2::Sha256;

use super::keys::DomainKeys;

const TOKEN_BYTES: usize = 16;

/// Makes the tokens of one domain.
#[derive(Clone)]
pub struct Pseudonymiser {
    /// By epoch, the first first.
    keyed: Vec<Hmac<Sha256>>,
}

impl fmt::Debug for Pseudonymiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonymiser(secret)")
    }
}

impl Pseudonymiser {
    /// Tokens under these keys.
    pub fn new(keys: &DomainKeys) -> Self {
        let keyed = |key| Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        Self { keyed: keys.bytes().map(keyed).collect() }
    }

    /// The token or tokens of each cell; null where it names no one.
    pub(super) fn column(&self, raw: &StringArray) -> StringArray {
        let bytes = raw.len() * ("v1:".len() + 2 * TOKEN_BYTES);
        let mut tokens = StringBuilder::with_capacity(raw.len(), bytes);
        for cell in raw {
            tokens.append_option(cell.and_then(|cell| self.token(cell)));
        }
        tokens.finish()
    }

    /// The token or tokens of a raw cell; `None` when it names no one (empty, or separators only).
    pub fn token(&self, raw: &str) -> Option<String> {
        if !raw.contains(';') {
            return normalise(raw).map(|value| self.one(&value));
        }
        let mut tokens: Vec<String> = Vec::new();
        for value in raw.split(';') {
            let Some(value) = normalise(value) else { continue };
            let token = self.one(&value);
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        (!tokens.is_empty()).then(|| tokens.join(";"))
    }

    /// The token or tokens of a cell that holds some, of whichever epoch, taken to the newest;
    /// `None` where it holds anything else.
    pub fn renew(&self, cell: &str) -> Option<String> {
        let renew = |token: &str| {
            let epoch = epoch_of(token).filter(|epoch| *epoch <= self.keyed.len())?;
            Some(self.after(epoch, token))
        };
        let tokens: Option<Vec<String>> = cell.split(';').map(renew).collect();
        Some(tokens?.join(";"))
    }

    fn one(&self, value: &str) -> String {
        self.after(0, value)
    }

    /// What a value, or its token of an epoch, is in the newest epoch.
    fn after(&self, epoch: usize, text: &str) -> String {
        let later = self.keyed.iter().enumerate().skip(epoch);
        later.fold(text.to_owned(), |before, (at, keyed)| token(at + 1, keyed, &before))
    }
}

fn token(epoch: usize, keyed: &Hmac<Sha256>, text: &str) -> String {
    let mut mac = keyed.clone();
    mac.update(text.as_bytes());
    let full = mac.finalize().into_bytes();
    let mut token = format!("v{epoch}:");
    token.reserve(2 * TOKEN_BYTES);
    for byte in &full[..TOKEN_BYTES] {
        for half in [byte >> 4, byte & 15] {
            token.push(char::from(b"0123456789abcdef"[usize::from(half)]));
        }
    }
    token
}

/// The epoch of a token; `None` for what is none.
fn epoch_of(token: &str) -> Option<usize> {
    let (epoch, digits) = token.strip_prefix('v')?.split_once(':')?;
    let is_hex = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let epoch = epoch.parse().ok().filter(|epoch| *epoch > 0)?;
    (is_hex && digits.len() == 2 * TOKEN_BYTES).then_some(epoch)
}

/// The one form of a value, before it is hashed; `None` when nothing is left of it. Signs between the
/// digits of a person's number are only how it was typed; in a key that a program made they tell one
/// key from another (`L2-11`, `L21-1`), and stay.
fn normalise(value: &str) -> Option<String> {
    let clean = text::clean(value);
    let mut typed = if clean.is_ascii() {
        clean.to_ascii_uppercase()
    } else {
        clean.chars().flat_map(char::to_uppercase).collect()
    };
    typed.retain(|c| !c.is_whitespace());
    let mut form = Cow::Borrowed(typed.as_str());
    if typed.contains(['-', '.']) {
        form.to_mut().retain(|c| !matches!(c, '-' | '.'));
    }
    if form.is_empty() {
        return None;
    }
    if !is_persons_number(&form) {
        return Some(typed);
    }
    if form.len() == 11 && is_citizen_id(&format!("0{form}")) {
        form.to_mut().insert(0, '0');
    }
    Some(form.into_owned())
}

/// Whether it may be a person's: nine digits or more, or an insurance card, two letters and thirteen
/// digits.
fn is_persons_number(form: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_card = form.len() == 15
        && form.is_char_boundary(2)
        && form[..2].bytes().all(|b| b.is_ascii_uppercase())
        && digits(&form[2..]);
    is_card || (form.len() >= 9 && digits(form))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::keys::KeyRing;
    use super::*;

    fn tokens() -> Pseudonymiser {
        Pseudonymiser::new(&KeyRing::from_bytes(&[[3; 32]]).domain("nguoi_benh").unwrap())
    }

    #[test]
    fn one_person_typed_in_many_ways_is_one_token() {
        let tokens = tokens();
        let one = tokens.token("001203004567");
        for same in [
            " 001203004567 ",
            "001 203 004 567",
            "001-203-004567",
            "1203004567 ",
            "００１２０３００４５６７",
        ] {
            let same_token = tokens.token(same);
            // Ten digits are not eleven: only the single lost zero is given back.
            if same.trim() == "1203004567" {
                assert_ne!(same_token, one);
            } else {
                assert_eq!(same_token, one, "{same}");
            }
        }
        assert_eq!(tokens.token("79203004567"), tokens.token("079203004567"));
        assert_eq!(tokens.token("dn4 79 99 0012 3456"), tokens.token("DN4799900123456"));
        assert_eq!(tokens.token("DN-4799900-123456"), tokens.token("DN4799900123456"));
        assert_ne!(tokens.token("L2-11"), tokens.token("L21-1"));
        assert_eq!(tokens.token("Nguye\u{302}\u{303}n"), tokens.token("NGUYỄN"));
    }

    #[test]
    fn the_token_is_versioned_known_and_bound_to_its_domain() {
        let token = tokens().token("001203004567").unwrap();
        assert_eq!(token.len(), 35);
        assert!(token.starts_with("v1:"));
        // Worked out apart from this code. Fixed for ever: a change here orphans every stored token.
        assert_eq!(token, "v1:4288c27090bf045c5982ba51a9986229");
        let other = KeyRing::from_bytes(&[[3; 32]]).domain("nhan_vien").unwrap();
        let other = Pseudonymiser::new(&other);
        assert_ne!(other.token("001203004567").unwrap(), token);
    }

    #[test]
    fn nothing_is_null_and_several_values_are_several_tokens() {
        let tokens = tokens();
        for nothing in ["", "  ", ";", " - ; "] {
            assert_eq!(tokens.token(nothing), None);
        }
        let (a, b) = (tokens.token("DN479A").unwrap(), tokens.token("HT279B").unwrap());
        assert_eq!(tokens.token("DN479A;HT279B; DN479A").unwrap(), format!("{a};{b}"));
    }

    /// Tokens of so many epochs, whose keys are 3, 4, 5, …
    fn rotated(epochs: u8) -> Pseudonymiser {
        let masters: Vec<[u8; 32]> = (3..3 + epochs).map(|byte| [byte; 32]).collect();
        Pseudonymiser::new(&KeyRing::from_bytes(&masters).domain("nguoi_benh").unwrap())
    }

    #[test]
    fn what_is_no_token_or_one_of_a_later_epoch_is_not_renewed() {
        let later = rotated(3).token("DN479A").unwrap();
        let token = tokens().token("DN479A").unwrap();
        let mixed = format!("{token};x");
        for cell in ["", "001203004567", "v1:", &token[..34], mixed.as_str(), later.as_str()] {
            assert_eq!(rotated(2).renew(cell), None, "{cell}");
        }
    }

    #[test]
    fn the_keys_of_earlier_epochs_make_no_token_of_a_later_one() {
        let value = "001203004567";
        let now = rotated(2).token(value).unwrap();
        let digits = |token: &str| token.split_once(':').map(|(_, digits)| digits.to_owned());
        // What a thief of the first key can make of the number, and of the token of before.
        let old = tokens().token(value).unwrap();
        let again = tokens().token(&old).unwrap();
        for made in [&old, &again] {
            assert_ne!(digits(made), digits(&now));
        }
        let without_first = KeyRing::from_bytes(&[[4; 32]]).domain("nguoi_benh").unwrap();
        assert_ne!(digits(&Pseudonymiser::new(&without_first).token(value).unwrap()), digits(&now));
    }

    proptest! {
        #[test]
        fn a_token_taken_to_a_later_epoch_is_the_token_made_in_it(
            cell in "[0-9A-Z]{1,15}(;[0-9A-Z]{1,15}){0,3}",
            (from, to) in (1_u8..4, 0_u8..3),
        ) {
            let before = rotated(from).token(&cell).unwrap();
            let after = rotated(from + to).token(&cell).unwrap();
            prop_assert_eq!(rotated(from + to).renew(&before), Some(after.clone()));
            let prefix = format!("v{}:", from + to);
            prop_assert!(after.split(';').all(|token| token.starts_with(&prefix)));
        }

        #[test]
        fn a_token_never_holds_the_value(value in "[0-9]{9,15}") {
            let token = tokens().token(&value).unwrap();
            prop_assert!(!token.contains(&value));
            prop_assert_eq!(tokens().token(&value).unwrap(), token);
        }
    }
}
