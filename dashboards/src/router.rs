//! The one list of addresses, and what every response of a page carries.

use std::path::PathBuf;

use axum::Router;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::set_header::SetResponseHeaderLayer;
use warehouse::serve::served::Served;

use crate::app::Site;
use crate::front::hosts::Hosts;
use crate::front::shelf::Shelf;
use crate::front::{Front, SECURITY};
use crate::pages::{
    board, catalogue, files, home, indicator, indicators, log_in, source, sql, table,
};
use crate::{DashboardError, Settings, passage};

/// All pages, ready to be served by [`crate::serve`].
#[derive(Debug)]
pub struct Pages {
    pub(crate) front: Front,
    pub(crate) connections: usize,
    pub(crate) connections_per_address: usize,
}

/// All pages over what is served.
///
/// # Errors
/// When the boundaries file is given and cannot be used.
pub fn router(served: Served, settings: Settings) -> Result<Pages, DashboardError> {
    let hosts = Hosts::new(&settings.hosts);
    let public_dir = settings.public_dir.clone();
    let bounds = (settings.connections, settings.connections_per_address);
    let site = Site::new(served, settings)?;
    let router = routes(site, public_dir.as_ref());
    let front = Front { hosts, shelf: Shelf::new(public_dir), router };
    Ok(Pages { front, connections: bounds.0, connections_per_address: bounds.1 })
}

fn routes(site: Site, public_dir: Option<&PathBuf>) -> Router {
    let pages: [(&str, MethodRouter<Site>); 12] = [
        ("/", get(home::show)),
        ("/bang-dieu-khien", get(board::show)),
        ("/chi-tieu", get(indicators::show)),
        ("/chi-tieu/{id}", get(indicator::show)),
        ("/danh-muc", get(catalogue::show)),
        ("/danh-muc/{source}", get(source::show)),
        ("/bang/{table}", get(table::show)),
        ("/sql", get(sql::form).post(sql::run)),
        ("/sql.csv", post(sql::csv)),
        ("/sql.json", post(sql::json)),
        ("/dang-nhap", get(log_in::form).post(log_in::log_in)),
        ("/dang-xuat", post(log_in::log_out)),
    ];
    let mut router = Router::new();
    for (path, page) in pages {
        router = router.route(path, page.clone()).route(&format!("/en{path}"), page);
    }
    let router = router
        .route("/en", get(files::to_english))
        .route(files::HEALTH, get(files::health))
        .route("/robots.txt", get(files::robots));
    let router = match public_dir {
        Some(folder) => router
            .route("/du-lieu-mo", get(files::to_open_data))
            .nest_service(files::OPEN_DATA, files::open_data(folder)),
        None => router,
    };
    with_layers(router.with_state(site.clone()), site)
}

fn with_layers(router: Router, site: Site) -> Router {
    // Parquet is compressed inside and read in ranges, for which its length must stay known.
    let worthwhile =
        DefaultPredicate::new().and(NotForContentType::const_new("application/vnd.apache.parquet"));
    let compression = CompressionLayer::new().compress_when(worthwhile);
    let passed = middleware::from_fn_with_state(site, passage::pass);
    let router = router.layer(passed).layer(compression);
    SECURITY.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::overriding(name, value))
    })
}
