//! What every page has at hand: the warehouse, the settings, and the map drawn once at start.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use warehouse::geography::Geography;
use warehouse::grid::Grid;
use warehouse::names::TableName;
use warehouse::query::{Answer, Door, Via, Warehouse};
use warehouse::spec::Declarations;

use crate::chart::shapes::Shapes;
use crate::error::PageError;
use crate::request::Reader;
use crate::session::Sessions;
use crate::{DashboardError, Settings};

/// Rows that a page reads at most for its own figures; more is a fault of the page.
const PAGE_ROWS: usize = 500_000;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

struct Inner {
    warehouse: Warehouse,
    settings: Settings,
    shapes: Option<Shapes>,
    sessions: Sessions,
}

impl App {
    pub(crate) fn new(warehouse: Warehouse, settings: Settings) -> Result<Self, DashboardError> {
        let shapes = settings.boundaries.as_deref().map(Shapes::load).transpose()?;
        let (users, state) = (settings.users.clone(), settings.state.clone());
        let sessions = Sessions::new(users, state, settings.secure_cookies);
        Ok(Self { inner: Arc::new(Inner { warehouse, settings, shapes, sessions }) })
    }

    /// The one door to every row on a page: it opens on what the reader may see, and `via` tells
    /// what for.
    pub(crate) fn door(&self, reader: &Reader, via: Via) -> Door {
        self.inner.warehouse.door(&reader.principal, via)
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
        Ok(self.inner.warehouse.sight(&reader.principal)?)
    }

    pub(crate) fn declarations(&self) -> &Declarations {
        self.inner.warehouse.declarations()
    }

    pub(crate) fn geography(&self) -> &Geography {
        self.inner.warehouse.geography()
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
