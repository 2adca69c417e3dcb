//! The pages: each one struct, one template, one handler.

pub(crate) mod board;
pub(crate) mod card;
pub(crate) mod catalogue;
pub(crate) mod files;
pub(crate) mod home;
pub(crate) mod indicator;
pub(crate) mod indicators;
pub(crate) mod log_in;
pub(crate) mod notes;
pub(crate) mod risk;
pub(crate) mod source;
pub(crate) mod sql;
pub(crate) mod table;
