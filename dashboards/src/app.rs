//! What every page has at hand: the warehouse, the settings, and the map drawn once at start.

use std::sync::Arc;

use chrono::NaiveDate;
use warehouse::access::Principal;
use warehouse::geography::Geography;
use warehouse::grid::Grid;
use warehouse::names::Sensitivity;
use warehouse::query::{Answer, QueryError, Warehouse};
use warehouse::spec::Declarations;

use crate::chart::shapes::Shapes;
use crate::error::PageError;
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
    public: Principal,
    /// Reads what the product knows about its own nights, which is not open row by row; pages show
    /// states, counts and reasons from it, never contents.
    inspector: Principal,
}

impl App {
    pub(crate) fn new(warehouse: Warehouse, settings: Settings) -> Result<Self, DashboardError> {
        let shapes = settings.boundaries.as_deref().map(Shapes::load).transpose()?;
        let mut inspector = Principal::planner("dashboards");
        inspector.clearance = Sensitivity::Internal;
        let public = Principal::public();
        let inner = Inner { warehouse, settings, shapes, public, inspector };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Rows of indicators, as the principal of the settings; callers show those of
    /// [`Self::may_see`] only.
    pub(crate) async fn figures(&self, sql: &str) -> Result<Grid, PageError> {
        whole(self.ask(sql).await?).await
    }

    /// Rows that anyone may read.
    pub(crate) async fn read(&self, sql: &str) -> Result<Grid, PageError> {
        whole(self.inner.warehouse.execute(&self.inner.public, sql).await?).await
    }

    /// Rows of `he_thong` for the pages' own summaries; never with text from a request.
    pub(crate) async fn inspect(&self, sql: &'static str) -> Result<Grid, PageError> {
        whole(self.inner.warehouse.execute(&self.inner.inspector, sql).await?).await
    }

    /// SQL as the principal of the settings.
    pub(crate) async fn ask(&self, sql: &str) -> Result<Answer, QueryError> {
        self.inner.warehouse.execute(&self.inner.settings.sql_principal, sql).await
    }

    /// Whether anyone may read rows of that class.
    pub(crate) fn is_public(&self, class: Sensitivity) -> bool {
        self.inner.public.may_read(class)
    }

    /// Whether the reader of indicators may see figures of that class.
    pub(crate) fn may_see(&self, class: Sensitivity) -> bool {
        self.inner.settings.sql_principal.may_read(class)
    }

    pub(crate) fn declarations(&self) -> &Declarations {
        self.inner.warehouse.declarations()
    }

    pub(crate) fn geography(&self) -> &Geography {
        self.inner.warehouse.geography()
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
