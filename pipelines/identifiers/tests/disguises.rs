//! Whatever is done to an identifier, up to ten disguises on top of each other, it is found.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper cannot go on")]

mod common;

use std::sync::LazyLock;

use identifiers::{AllowList, ColumnKind, ColumnScan};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use self::common::disguise::{NAMED, PACKED, PARTED, SHOWN, SPELT};
use self::common::invent::{Body, Dice, Identifier, KINDS, invent};

/// A cell that has grown beyond this is disguised no further.
const LONG: usize = 2000;

static SCAN: LazyLock<ColumnScan> = LazyLock::new(|| {
    ColumnScan::new("ghi_chu", ColumnKind::Text, &[], &AllowList::default()).unwrap()
});

/// Disguises that are a wrong encoding.
const OLD: [&str; 2] = ["read as Windows-1252", "TCVN3"];

/// An identifier of a kind after this many disguises, and the names of those.
fn hidden(kind: &'static str, seed: u64, many: usize) -> (String, Vec<&'static str>) {
    let mut dice = Dice(seed);
    let Identifier { body, lead, mut core, .. } = invent(kind, &mut dice);
    let mut names = Vec::new();
    let mut written = |lists: &[&[common::disguise::Disguise]],
                       core: &mut String,
                       dice: &mut Dice| {
        for list in lists {
            if names.len() < many && dice.below(2) == 0 {
                let (name, hide) = list[usize::try_from(dice.below(list.len() as u64)).unwrap()];
                *core = hide(core, dice);
                names.push(name);
            }
        }
    };
    match body {
        Body::Digits => written(&[&PARTED, &SPELT], &mut core, &mut dice),
        Body::Code => written(&[&PARTED], &mut core, &mut dice),
        Body::Name => written(&[&NAMED], &mut core, &mut dice),
        Body::Text => {}
    }
    let mut cell = format!("{lead}{core}");
    while names.len() < many && cell.len() < LONG {
        // What was read in a wrong encoding is no text whose characters one could change.
        let packed = names.iter().any(|name| OLD.contains(name)) || dice.below(3) == 0;
        let list: &[_] = if packed { &PACKED } else { &SHOWN };
        let (name, hide) = list[usize::try_from(dice.below(list.len() as u64)).unwrap()];
        cell = hide(&cell, &mut dice);
        names.push(name);
    }
    (cell, names)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000,
        failure_persistence: None,
        // The same identifiers in every run: a change is judged by what it changes.
        rng_seed: RngSeed::Fixed(2026),
        ..ProptestConfig::default() })]

    #[test]
    fn an_identifier_is_found_through_ten_disguises(
        kind in prop::sample::select(KINDS.to_vec()), seed: u64, many in 0..=10_usize,
    ) {
        let (cell, names) = hidden(kind, seed, many);
        prop_assert!(SCAN.cell(&cell).is_some(), "{kind} passed as {names:?}: {cell:?}");
    }
}
