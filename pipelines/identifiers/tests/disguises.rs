//! Whatever is done to an identifier, up to ten disguises on top of each other, it is found.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper cannot go on")]

mod common;
#[path = "common/hidden.rs"]
mod hidden;

use std::sync::LazyLock;

use identifiers::{AllowList, ColumnKind, ColumnScan};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use self::common::invent::KINDS;
use self::hidden::hidden;

static SCAN: LazyLock<ColumnScan> = LazyLock::new(|| {
    ColumnScan::new("ghi_chu", ColumnKind::Text, &[], &AllowList::default()).unwrap()
});

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
        let (_, cell, names) = hidden(kind, seed, many);
        prop_assert!(SCAN.cell(&cell).is_some(), "{kind} passed as {names:?}: {cell:?}");
    }
}
