//! A minute of files that were valid once. In a process of its own: what it takes up is then that of
//! the readers, and a reader that takes its process down is seen as well.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use super::random::Random;
use super::{Asked, Kind, corpus, leaked, told};
use crate::kinds::files;
use crate::support::succeed;

/// Where the generator begins. Another is taken from `KHOYTE_FUZZ_SEED`.
const SEED: u64 = 0x00b1_3a75_eed5;

/// How long it goes on.
const LASTS: Duration = Duration::from_secs(60);

/// Cases at least, on a slow and busy machine too.
const CASES: usize = 1_000;

/// Bytes that the process may grow by.
const GROWTH: u64 = 512 << 20;

/// Bytes that a case may have.
const LONGEST: usize = 1 << 20;

/// What means something to one of the readers.
const TOKENS: &[&[u8]] = &[
    b"<GIAMDINHHS>",
    b"</HOSO>",
    b"<FILEHOSO>",
    b"<LOAIHOSO>XML1</LOAIHOSO>",
    b"<NOIDUNGFILE>",
    b"<TONG_HOP>",
    b"<MA_LK>1</MA_LK>",
    b"</",
    b"/>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&b;",
    b"&#xD800;",
    b"&amp;",
    b"PFRPTkdfSE9QLz4=",
    b"=",
    b"<row r=\"1048577\">",
    b"<c r=\"XFE1\" t=\"s\"><v>99999999</v></c>",
    b"<c r=\"A1\" s=\"1\"><v>-1</v></c>",
    b"<v>1e308</v>",
    b"<mergeCells><mergeCell ref=\"A1:XFD1048576\"/></mergeCells>",
    b" uniqueCount=\"4294967295\"",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\"",
    b"\"\"",
    b",",
    b"\r\n",
    b"\t",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"{\"resourceType\":\"Observation\"}",
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"\\ud800",
    b"1e999999999",
    b"PAR1",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\xc3\x28",
];

/// Says to the process that this test starts that it is that process.
const INSIDE: &str = "KHOYTE_FUZZ_INSIDE";

#[test]
fn a_minute_of_damaged_files_gives_rows_or_refusals_and_nothing_else() {
    if std::env::var_os(INSIDE).is_some() {
        return one_minute();
    }
    let name = "readers::fuzz::a_minute_of_damaged_files_gives_rows_or_refusals_and_nothing_else";
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.env(INSIDE, "1").args(["--exact", name, "--nocapture"]);
    let output = succeed(&mut program);
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find(|line| line.contains("damaged files,"));
    println!("{}", line.unwrap_or_else(|| panic!("the minute was not run:\n{said}")));
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a test, whose name is elsewhere")]
fn one_minute() {
    let seed = std::env::var("KHOYTE_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(SEED);
    eprintln!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let files = corpus::all();
    for (asked, bytes) in &files {
        let rows = asked.read(folder.path(), bytes);
        assert!(matches!(rows, Ok(1..)), "{asked:?}: {rows:?}");
    }
    let watch = Watch::start();
    let mut random = Random::new(seed);
    let begun = Instant::now();
    let (mut cases, mut refused) = (0, 0);
    while begun.elapsed() < LASTS || cases < CASES {
        let (asked, whole) = &files[cases % files.len()];
        let other = &files[random.below(files.len())].1;
        let bytes = damaged(&mut random, *asked, whole, other);
        let what = format!("case {cases} of seed {seed}, {}", asked.place);
        refused += usize::from(is_refused(*asked, folder.path(), &bytes, &what));
        let grown = watch.grown();
        assert!(grown < GROWTH, "{what}: the process grew by {grown} bytes");
        cases += 1;
    }
    println!("{cases} damaged files, {refused} of them refused; grew by {} bytes", watch.grown());
    assert!(refused > cases / 10 && refused < cases, "{refused} of {cases}");
}

/// Reads a damaged file; whether it was refused, as it should be where it cannot be read.
fn is_refused(asked: Asked, folder: &Path, bytes: &[u8], what: &str) -> bool {
    let outcome = catch_unwind(AssertUnwindSafe(|| asked.read(folder, bytes)));
    let outcome = outcome.unwrap_or_else(|_| panic!("{what}: the reader panicked"));
    let Err(error) = outcome else { return false };
    let text = told(&error);
    assert_eq!(leaked(&text), Vec::<&str>::new(), "{what}: {error}");
    // What a thread that fell over leaves behind.
    assert!(!text.contains("reading thread ended"), "{what}: {error}");
    assert!(text.contains(asked.place), "{what}: {error}");
    true
}

/// A file that was this one. Of workbooks every other is damaged inside, where the archive does not
/// show it.
fn damaged(random: &mut Random, asked: Asked, whole: &[u8], other: &[u8]) -> Vec<u8> {
    if asked.kind == Kind::Book && random.below(2) == 0 {
        let mut parts = files::workbook_parts(&files::sheet_data(&corpus::table()));
        let one = random.below(parts.len());
        let (name, part) = &mut parts[one];
        // Errors tell the names of sheets, so nothing of another file goes among them.
        let other: &[u8] = if *name == "xl/workbook.xml" { &[] } else { other };
        *part = mutated(random, part, other);
        return files::archive(&parts);
    }
    mutated(random, whole, other)
}

fn mutated(random: &mut Random, whole: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(6) {
        change(random, &mut bytes, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

/// One change.
fn change(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(bytes.len() + 1);
    let end = at + random.below(bytes.len() - at + 1);
    match random.below(8) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.byte();
            }
        }
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let chunk = bytes[at..end.min(at + 4096)].repeat(1 + random.below(32));
            bytes.splice(at..at, chunk);
        }
        6 => {
            let from = random.below(other.len() + 1);
            let to = from + random.below(other.len() - from + 1);
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let token = TOKENS[random.below(TOKENS.len())].repeat(1 + random.below(3));
            bytes.splice(at..at, token);
        }
    }
}

/// Looks many times a second at how much memory the process has.
struct Watch {
    first: u64,
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Watch {
    fn start() -> Self {
        let first = resident();
        let (most, is_over) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicBool::new(false)));
        let (own, over) = (Arc::clone(&most), Arc::clone(&is_over));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                own.fetch_max(resident(), Ordering::Relaxed);
                // How often it looks; nothing is waited for.
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { first, most, is_over }
    }

    /// Bytes that there were more at some instant than in the beginning.
    fn grown(&self) -> u64 {
        self.most.load(Ordering::Relaxed).saturating_sub(self.first)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Bytes of memory that the process has.
fn resident() -> u64 {
    static PAGE: LazyLock<u64> = LazyLock::new(|| {
        let output = succeed(Command::new("getconf").arg("PAGESIZE"));
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    });
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * *PAGE
}
