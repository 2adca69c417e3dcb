//! The web pages of the warehouse: catalogue, indicators, the leaders' dashboard, the SQL page and
//! the open-data site, in Vietnamese first and in English under `/en/`.
//!
//! Pages are read without scripts: every choice is a link or a form, every chart is drawn on the
//! server and has its table beside it. Every row on a page came through the warehouse's one door
//! with its reader's own eyes: whoever has not logged in reads what is open and nothing else, and
//! what a reader may not see is not there, rather than forbidden.
//!
//! This crate does not write anything but web sessions, open the lake itself, or know how data are
//! loaded or released: it meets the other crates in the warehouse's tables.

mod app;
mod boards;
mod chart;
mod error;
mod figures;
mod form;
mod freshness;
mod front;
mod lang;
mod origin;
mod pages;
mod passage;
mod period;
mod request;
mod router;
mod scope;
mod server;
mod session;
mod shell;
mod simulated;
mod sql;
mod tables;
mod text;

use std::path::PathBuf;

use chrono::NaiveDate;
use warehouse::state::State;

pub use self::router::{Pages, router};
pub use self::server::serve;

/// What the pages need beside the warehouse.
#[derive(Debug, Clone)]
pub struct Settings {
    /// GeoJSON of the provinces in force today, WGS 84, with `properties.code` and `name`;
    /// without it maps are drawn as tiles.
    pub boundaries: Option<PathBuf>,
    /// The folder of the open-data site, served under `/du-lieu-mo/`; without it that address
    /// says that nothing is released yet.
    pub public_dir: Option<PathBuf>,
    /// Rows that the SQL page shows at most; downloads are not cut.
    pub sql_row_limit: usize,
    /// Where web sessions are kept.
    pub state: State,
    /// Names under which the pages are reached, beside those of the machine itself.
    pub hosts: Vec<String>,
    /// Whether the session's cookie goes over TLS only: where a proxy in front speaks it.
    pub secure_cookies: bool,
    /// Connections at the same time; 0 is no bound.
    pub connections: usize,
    /// Connections of one address at the same time; 0 is no bound.
    pub connections_per_address: usize,
    /// The day on which a page is read: it decides today's provinces and what is late.
    pub today: fn() -> NaiveDate,
}

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The file of boundaries cannot be read.
    #[error("the boundaries file {path} cannot be read")]
    Boundaries {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file of boundaries is not what [`Settings::boundaries`] asks for.
    #[error("the boundaries file {path} is not GeoJSON of provinces with properties.code")]
    Shapes {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}
