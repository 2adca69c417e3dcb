//! Logs: plain lines on a terminal, JSON for machines. Never a row's values, a query's text or
//! literals, a path of the lake, or a secret.
//!
//! Libraries log what they work on: statements, paths, cells. So the product's own words are the
//! only ones that are written, at every level, and a panic is told by its place alone.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Whose events are written.
const OWN: [&str; 6] =
    ["khoyte", "warehouse", "pipelines", "connectors", "open_data", "dashboards"];

/// Starts logging with a filter such as `info` or `warehouse=debug`.
pub(crate) fn start(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let own = filter_fn(|event| {
        let krate = event.target().split("::").next().unwrap_or_default();
        OWN.contains(&krate)
    });
    let base = fmt::layer().with_writer(std::io::stderr).with_target(true);
    let layer = if json { base.json().boxed() } else { base.compact().boxed() };
    let started = tracing_subscriber::registry().with(layer.with_filter(filter.and(own)));
    // A second start keeps the first one's settings.
    let _ = started.try_init();
    std::panic::set_hook(Box::new(|panic| {
        // What a panic says may quote a cell or a literal.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault of ours stopped a piece of work");
    }));
}
