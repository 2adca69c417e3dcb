//! The web pages of the warehouse: catalogue, indicators, the leaders' dashboard, the SQL page and
//! the open-data site, in Vietnamese first and in English under `/en/`.
//!
//! Pages are read without scripts: every choice is a link or a GET form, every chart is drawn on
//! the server and has its table beside it. All figures come through the warehouse's one door as
//! [`Settings::sql_principal`]; rows of tables in the catalogue are shown only where they are open.
//!
//! This crate does not write anything, open the lake itself, or know how data are loaded or
//! released: it meets the other crates in the warehouse's tables.

mod app;
mod boards;
mod chart;
mod error;
mod figures;
mod freshness;
mod lang;
mod pages;
mod period;
mod request;
mod router;
mod shell;
mod sql;
mod tables;
mod text;

use std::path::PathBuf;

use chrono::NaiveDate;
use warehouse::access::Principal;

pub use self::router::{Pages, router, serve};

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
    /// Whom the SQL page and the pages of indicators act as: what this principal may not read is
    /// not shown.
    pub sql_principal: Principal,
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
