//! Protocols that open the one door to programs: PostgreSQL's wire protocol.

pub mod postgres;
pub mod served;
pub mod users;
