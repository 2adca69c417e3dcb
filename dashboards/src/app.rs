//! What every page has at hand: the warehouse, the settings, and the map drawn once at start.
//!
//! A page is made of one warehouse from its first row to its last: [`Site`] gives each request an
//! [`App`] with what is served when it comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use axum::extract::FromRef;
use chrono::NaiveDate;
use warehouse::geography::Geography;
use warehouse::grid::Grid;
use warehouse::names::TableName;
use warehouse::query::{Answer, Door, Via, Warehouse};
use warehouse::serve::served::Served;
use warehouse::spec::Declarations;

use crate::chart::shapes::Shapes;
use crate::error::PageError;
use crate::request::Reader;
use crate::session::Sessions;
use crate::{DashboardError, Settings};

/// Rows that a page reads at most for its own figures; more is a fault of the page.
const PAGE_ROWS: usize = 500_000;

/// What the pages are made from, whatever is served; cheap to clone.
#[derive(Clone)]
pub(crate) struct Site {
    served: Served,
    inner: Arc<Inner>,
}

/// What one request is answered from; cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    warehouse: Warehouse,
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    shapes: Option<Shapes>,
    sessions: Sessions,
}

impl Site {
    pub(crate) fn new(served: Served, settings: Settings) -> Result<Self, DashboardError> {
        let shapes = settings.boundaries.as_deref().map(Shapes::load).transpose()?;
        let (users, state) = (served.users().clone(), settings.state.clone());
        let sessions = Sessions::new(users, state, settings.secure_cookies);
        Ok(Self { served, inner: Arc::new(Inner { settings, shapes, sessions }) })
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }
}

impl FromRef<Site> for App {
    fn from_ref(site: &Site) -> Self {
        Self { warehouse: site.served.now(), inner: Arc::clone(&site.inner) }
    }
}

impl App {
    /// The one door to every row on a page: it opens on what the reader may see, and `via` tells
    /// what for.
    pub(crate) fn door(&self, reader: &Reader, via: Via) -> Door {
        self.warehouse.door(&reader.principal, via)
    }

    /// All rows of a query of a page's own, with its reader's eyes.
    pub(crate) async fn rows(&self, reader: &Reader, sql: &str) -> Result<Grid, PageError> {
        whole(self.door(reader, Via::Page).ask(sql).await?).await
    }

    /// The tables that the reader may see, each with the columns that they may see of it.
    pub(crate) fn sight(
        &self,
        reader: &Reader,
    ) -> Result<BTreeMap<TableName, SchemaRef>, PageError> {
        Ok(self.warehouse.sight(&reader.principal)?)
    }

    pub(crate) fn declarations(&self) -> &Declarations {
        self.warehouse.declarations()
    }

    pub(crate) fn geography(&self) -> &Geography {
        self.warehouse.geography()
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn today(&self) -> NaiveDate {
        (self.inner.settings.today)()
    }

    pub(crate) fn shapes(&self) -> Option<&Shapes> {
        self.inner.shapes.as_ref()
    }
}

/// All rows of an answer: figures made from some of them would be wrong.
async fn whole(answer: Answer) -> Result<Grid, PageError> {
    let grid = answer.grid(PAGE_ROWS).await?;
    if grid.truncated { Err(PageError::Truncated(PAGE_ROWS)) } else { Ok(grid) }
}
