//! Logs: plain lines on a terminal, JSON for machines. Never a row's values, a query's literals or
//! a secret.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts logging with a filter such as `info` or `warehouse=debug`.
pub(crate) fn start(filter: &str, json: bool) {
    // Engines below us log whole plans and paths at debug level; ask for them by name.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let base = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    let started = if json { base.json().try_init() } else { base.compact().try_init() };
    // A second start keeps the first one's settings.
    drop(started);
}
