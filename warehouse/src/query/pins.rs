//! The versions that one statement reads: each table is looked up once, when it is first asked for,
//! and every part of the statement reads that version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::names::TableName;
use crate::store::{Lake, StoreError, Version};

type Pin = Arc<OnceCell<Option<Arc<Version>>>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Pins {
    lake: Lake,
    pinned: Mutex<HashMap<TableName, Pin>>,
}

impl Pins {
    pub(super) fn new(lake: Lake) -> Self {
        Self { lake, pinned: Mutex::default() }
    }

    /// The same versions, but for some tables others.
    pub(super) fn with(&self, others: impl IntoIterator<Item = (TableName, Version)>) -> Self {
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let pin = |version| Arc::new(OnceCell::new_with(Some(Some(Arc::new(version)))));
        pinned.extend(others.into_iter().map(|(name, version)| (name, pin(version))));
        Self { lake: self.lake.clone(), pinned: Mutex::new(pinned) }
    }

    /// The version of `name` that this statement reads; `None` where it was never written.
    pub(super) async fn version(
        &self,
        name: &TableName,
    ) -> Result<Option<Arc<Version>>, StoreError> {
        let pin = {
            let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(pinned.entry(name.clone()).or_default())
        };
        pin.get_or_try_init(|| self.lake.newest(name)).await.cloned()
    }
}
