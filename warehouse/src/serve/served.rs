//! What is served now: the one handle that every protocol asks, so that other declarations and
//! other users count everywhere from one instant on.
//!
//! Whoever has taken the warehouse keeps it: a query, a page or a download that began before a
//! change ends with what it began with.

use std::sync::{Arc, PoisonError, RwLock};

use super::users::{Secret, Users};
use crate::access::Principal;
use crate::query::Warehouse;

/// The warehouse that is served, and who may log in to it; clones see the same.
#[derive(Clone)]
pub struct Served {
    warehouse: Arc<RwLock<Warehouse>>,
    users: Users,
}

impl Served {
    /// Serves `warehouse` to `users`, until another takes its place.
    pub fn new(warehouse: Warehouse, users: Users) -> Self {
        Self { warehouse: Arc::new(RwLock::new(warehouse)), users }
    }

    /// What is served at this instant.
    pub fn now(&self) -> Warehouse {
        self.warehouse.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who may log in.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// Serves `warehouse` from now on, to the accounts and to those whom the configuration lists
    /// now.
    pub fn replace(&self, warehouse: Warehouse, listed: Vec<(Principal, Secret)>) {
        // Nobody takes the new warehouse before the users that belong to it are there.
        let mut served = self.warehouse.write().unwrap_or_else(PoisonError::into_inner);
        self.users.list(listed);
        *served = warehouse;
    }
}
