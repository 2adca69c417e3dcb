//! The open-data publisher: from a declared query to immutable files with a page that explains
//! them, as Decree 102/2025/NĐ-CP orders (Điều 10.2.c, 18.3, 22.2).
//!
//! A dataset goes query → small-cell rule → sorted rows → files → version folder → pages. What is
//! written is static: any web server, a mirror or a USB stick can carry it, and nothing behind it
//! can be reached through it. The same input always gives the same bytes: no clock, no machine, no
//! unordered map reaches a file.
//!
//! It refuses to release what is not declared open, to change a version that is out, and to write
//! a suppressed value as zero.

pub mod formats;
pub mod metadata;
pub mod portal;
pub mod release;

pub use self::metadata::PublisherInfo;
pub use self::release::{
    DatasetFailure, Publisher, Refusal, ReleaseError, Released, VerifyError, VerifyFault,
    VerifyProblem, VerifyReport, verify,
};
