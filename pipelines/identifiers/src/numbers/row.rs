//! Runs of digits that stand together, and whether they may be parts of one number.

/// A run of digits, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
    /// How it hangs on the run before it.
    pub(super) joint: Joint,
}

/// What stands between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// What parts numbers.
    Break,
    /// Blanks.
    Space,
    /// Brackets, perhaps between blanks.
    Bracket,
    /// One sign, perhaps several times and between blanks.
    Sign(char),
    /// Different signs.
    Signs,
    /// Words such as `rồi`, `đuôi`.
    Words,
}

impl Run {
    pub(super) fn length(&self) -> usize {
        self.end - self.start
    }
}

/// Signs at which a number ends: sums, comparisons, shares.
const BREAKS: &str = "<>=+%^×÷±≤≥≈°$";
/// Words between the parts of one number.
const CONNECTORS: [&str; 26] = [
    "roi", "va", "tiep", "den", "duoi", "dau", "sau", "do", "la", "then", "and", "so", "cuoi",
    "giua", "theo", "cham", "gach", "ngang", "dot", "dash", "space", "x", "noi", "voi", "them",
    "phay",
];
/// The longest text between two parts of one number, in bytes.
const FAR: usize = 24;

/// All runs of digits of a text.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let bytes = text.as_bytes();
    let mut all: Vec<Run> = Vec::with_capacity(8);
    let mut at = 0;
    while let Some(skipped) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + skipped;
        at = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let joint = all.last().map_or(Joint::Break, |last| joint(&text[last.end..start]));
        all.push(Run { start, end: at, joint });
    }
    all
}

fn joint(between: &str) -> Joint {
    if between.len() > FAR {
        return Joint::Break;
    }
    let (mut sign, mut several, mut letters, mut count) = (None, false, false, 0);
    let mut bracket = false;
    for c in between.chars() {
        count += 1;
        match c {
            ' ' => {}
            '(' | ')' | '[' | ']' | '{' | '}' => bracket = true,
            _ if c.is_alphabetic() => letters = true,
            _ if BREAKS.contains(c) => return Joint::Break,
            _ => {
                several |= sign.is_some_and(|sign| sign != c);
                sign = Some(c);
            }
        }
    }
    if letters {
        return words_between(between);
    }
    match sign {
        _ if count > 4 && !between.trim().is_empty() => Joint::Break,
        None if bracket => Joint::Bracket,
        None => Joint::Space,
        Some(_) if several => Joint::Signs,
        Some(sign) => Joint::Sign(sign),
    }
}

fn words_between(between: &str) -> Joint {
    let mut words = between.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let all = words.clone().count() <= 3 && words.all(is_connector);
    if all { Joint::Words } else { Joint::Break }
}

/// Whether the word may stand between the parts of one number.
pub(super) fn is_connector(word: &str) -> bool {
    CONNECTORS.contains(&super::super::text::words(word).trim())
}

/// The whole row of which some runs may be one number.
pub(super) struct Window<'a> {
    pub(super) bytes: &'a [u8],
    /// All runs that hang together.
    pub(super) row: &'a [Run],
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Window<'_> {
    pub(super) fn runs(&self) -> &[Run] {
        &self.row[self.from..self.to]
    }

    /// Whether the runs may be parts of one number, which no word announces.
    pub(super) fn may_join(&self) -> bool {
        let runs = self.runs();
        let longest = runs.iter().map(Run::length).max().unwrap_or_default();
        !self.is_dated()
            && !self.is_time()
            && !self.is_decimal()
            && !self.is_service_code()
            && !self.is_list()
            && self.is_even()
            && (self.is_whole() || self.is_regular())
            && self.is_parted_evenly()
            && (longest > 2 || self.stands_apart())
    }

    /// Whether the runs are all that hang together.
    pub(super) fn is_whole(&self) -> bool {
        self.from == 0 && self.to == self.row.len()
    }

    /// Whether the runs between the first and the last are of one width, as in a number that was
    /// parted, and not in a list.
    fn is_regular(&self) -> bool {
        let runs = self.runs();
        let inner = &runs[1..runs.len() - 1];
        runs.len() < 4 || inner.iter().all(|run| run.length() == inner[0].length())
    }

    /// Whether signs that part the members of a list stand between parts of one width, as of a
    /// number, from the first on.
    fn is_parted_evenly(&self) -> bool {
        let runs = self.runs();
        if !matches!(runs[1].joint, Joint::Sign(',' | ';')) {
            return true;
        }
        let (last, others) = (runs[runs.len() - 1], &runs[..runs.len() - 1]);
        let even = others.iter().all(|run| run.length() == others[0].length());
        let usual = runs.iter().map(Run::length).eq([4, 3, 3]);
        self.is_whole() && (usual || even && last.length() <= others[0].length())
    }

    /// Whether the signs between the runs are of one kind, or short runs are not parted at random.
    fn is_even(&self) -> bool {
        let inner = &self.runs()[1..];
        let first = inner[0].joint;
        if inner.iter().all(|run| run.joint == first) {
            return first != Joint::Words || self.runs()[0].length() > 2;
        }
        let usual = |run: &Run| match run.joint {
            Joint::Space | Joint::Bracket | Joint::Sign('.' | '-' | '_' | '/') => true,
            Joint::Words => run.length() > 2,
            _ => false,
        };
        let shortest = self.runs().iter().skip(1).map(Run::length).min().unwrap_or_default();
        if shortest > 1 {
            return inner.iter().all(usual);
        }
        // Digit by digit with a sign of its own each; decimals beside each other alternate.
        let alternate = inner.windows(3).all(|three| three[0].joint == three[2].joint);
        !alternate && self.runs().iter().all(|run| run.length() == 1)
    }

    /// Whether nothing that looks like one more part stands beside the runs.
    fn stands_apart(&self) -> bool {
        let inner = self.row[self.from + 1].joint;
        let before = self.from == 0 || self.row[self.from].joint != inner;
        let after = self.to == self.row.len() || self.row[self.to].joint != inner;
        before && after
    }

    fn value(&self, run: &Run) -> u64 {
        let digits = &self.bytes[run.start..run.end];
        digits.iter().fold(0, |sum: u64, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        })
    }

    /// Whether a date is among the runs, or began before them and reaches into them.
    pub(super) fn is_dated(&self) -> bool {
        let is_year = |run: &Run| run.length() == 4 && (1900..=2099).contains(&self.value(run));
        let is_month = |run: &Run| run.length() <= 2 && (1..=12).contains(&self.value(run));
        let is_day = |run: &Run| run.length() <= 2 && (1..=31).contains(&self.value(run));
        let around = &self.row[self.from.saturating_sub(2)..self.to];
        let dated = around.windows(3).any(|three| {
            is_day(&three[0]) && is_month(&three[1]) && is_year(&three[2])
                || is_year(&three[0]) && is_month(&three[1]) && is_day(&three[2])
        });
        let packed = self.runs().iter().any(|run| {
            let date = self.value(run);
            run.length() == 8
                && (1900..=2099).contains(&(date / 10_000))
                && (1..=12).contains(&(date / 100 % 100))
                && date % 100 <= 31
        });
        dated || packed
    }

    /// `07:30 - 11:30`: a time of day among the runs.
    fn is_time(&self) -> bool {
        let runs = self.runs();
        let is_pair = |two: &[Run]| {
            two[1].joint == Joint::Sign(':')
                && two.iter().all(|run| run.length() <= 2)
                && self.value(&two[0]) < 24
                && self.value(&two[1]) < 60
        };
        let colons = runs[1..].iter().filter(|run| run.joint == Joint::Sign(':')).count();
        runs.windows(2).any(is_pair) && (runs.len() <= 3 || colons < runs.len() - 1)
    }

    /// `0.912345678`, `0,9`.
    fn is_decimal(&self) -> bool {
        let runs = self.runs();
        let point = matches!(runs[1].joint, Joint::Sign('.' | ','));
        runs.len() == 2 && runs[0].length() == 1 && point
    }

    /// Whether a single run is what follows the point of a decimal number.
    pub(super) fn is_fraction(&self) -> bool {
        let run = self.row[self.from];
        let Some(whole) = self.from.checked_sub(1).map(|at| self.row[at]) else { return false };
        let point = matches!(run.joint, Joint::Sign('.' | ',')) && run.start - whole.end == 1;
        point && run.length() > 8 && whole.length() < 4 && self.from == 1 && self.row.len() == 2
    }

    /// A code of the list of equivalent services (Decision 7603/QĐ-BYT): `03.0467.0230`, chapter,
    /// service, price; a third of them begin like a telephone number.
    fn is_service_code(&self) -> bool {
        let runs = self.runs();
        runs.iter().map(Run::length).eq([2, 4, 4])
            && runs[1..].iter().all(|run| run.joint == Joint::Sign('.'))
    }

    /// Codes of one width, all with a zero in front, or numbers at one distance.
    fn is_list(&self) -> bool {
        let runs = self.runs();
        let width = runs[0].length();
        if runs.iter().any(|run| run.length() != width) {
            return false;
        }
        let parted = matches!(runs[1].joint, Joint::Sign(',' | ';'));
        let zeros = width > 1 && runs.iter().all(|run| self.bytes[run.start] == b'0');
        let step = self.value(&runs[1]).wrapping_sub(self.value(&runs[0]));
        let steps = runs
            .windows(2)
            .all(|two| self.value(&two[1]).wrapping_sub(self.value(&two[0])) == step);
        (zeros && (width < 3 || parted)) || (runs.len() > 2 && steps && (width < 3 || parted))
    }

    /// `84.912.345.678`: thousands, as amounts are written.
    pub(super) fn is_amount(&self) -> bool {
        let runs = self.runs();
        runs[1..]
            .iter()
            .all(|run| run.length() == 3 && matches!(run.joint, Joint::Sign('.' | ',' | '\'')))
    }
}
