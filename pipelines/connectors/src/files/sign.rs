//! What a simulation leaves beside a file that it wrote: a hidden file that names the bytes. A real
//! file that is put in the place of a simulated one has other bytes, and the sign is not about it.

use crate::fill::MARK;

/// The name of the sign of a file of that name.
pub fn name(file: &str) -> String {
    format!(".{file}.mo_phong")
}

/// What the sign holds: SHA-256 sums, in hex, of what the file may hold. While a file is written
/// anew, these are two: whatever instant the writing ends at, the file has its sign.
pub fn text<'a>(sums: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = format!("{MARK}\n");
    for sum in sums {
        text.push_str(sum);
        text.push('\n');
    }
    text
}

/// Whether a sign is about a file with this sum.
pub fn is_about(sign: &str, sum: &str) -> bool {
    let mut lines = sign.lines().map(str::trim);
    lines.next() == Some(MARK) && lines.any(|line| line.eq_ignore_ascii_case(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_about_the_bytes_that_it_names_and_no_others() {
        let sign = text(["aa", "bb"]);
        assert!(is_about(&sign, "aa") && is_about(&sign, "bb"));
        assert!(!is_about(&sign, "cc") && !is_about(&text([]), "aa"));
        assert!(!is_about("của bệnh viện\naa\n", "aa"));
    }
}
