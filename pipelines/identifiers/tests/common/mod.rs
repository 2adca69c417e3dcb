//! What the tests of the scan share: invented identifiers, and ways to hide them.

pub(crate) mod disguise;
pub(crate) mod invent;
