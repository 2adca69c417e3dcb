//! The one list of addresses, and what every response carries.

use axum::Router;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware;
use axum::routing::{MethodRouter, get};
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::set_header::SetResponseHeaderLayer;
use warehouse::query::Warehouse;

use crate::app::App;
use crate::pages::{board, catalogue, files, home, indicator, indicators, source, sql, table};
use crate::{DashboardError, Settings, error};

/// What a page may load: its own style sheet and its own pictures, nothing else, and no script.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// All pages over `warehouse`.
///
/// # Errors
/// When the boundaries file is given and cannot be used.
pub fn router(warehouse: Warehouse, settings: Settings) -> Result<Pages, DashboardError> {
    let public_dir = settings.public_dir.clone();
    let app = App::new(warehouse, settings)?;
    let pages: [(&str, MethodRouter<App>); 10] = [
        ("/", get(home::show)),
        ("/bang-dieu-khien", get(board::show)),
        ("/chi-tieu", get(indicators::show)),
        ("/chi-tieu/{id}", get(indicator::show)),
        ("/danh-muc", get(catalogue::show)),
        ("/danh-muc/{source}", get(source::show)),
        ("/bang/{table}", get(table::show)),
        ("/sql", get(sql::show)),
        ("/sql.csv", get(sql::csv)),
        ("/sql.json", get(sql::json)),
    ];
    let mut router = Router::new();
    for (path, page) in pages {
        router = router.route(path, page.clone()).route(&format!("/en{path}"), page);
    }
    let router = router
        .route("/en", get(files::to_english))
        .route("/health", get(files::health))
        .route(files::style_address(), get(files::style))
        .route("/robots.txt", get(files::robots));
    let router = match public_dir {
        Some(folder) => router
            .route("/du-lieu-mo", get(files::to_open_data))
            .nest_service(files::OPEN_DATA, files::open_data(&folder)),
        None => router,
    };
    Ok(Pages { router: with_headers(router.with_state(app)) })
}

/// All pages, ready to be served by [`serve`].
#[derive(Debug, Clone)]
pub struct Pages {
    router: Router,
}

/// Answers requests on `listener` until the returned future is dropped.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, pages: Pages) -> std::io::Result<()> {
    axum::serve(listener, pages.router).await
}

fn with_headers(router: Router) -> Router {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    // Parquet is compressed inside and read in ranges, for which its length must stay known.
    let worthwhile =
        DefaultPredicate::new().and(NotForContentType::const_new("application/vnd.apache.parquet"));
    let compression = CompressionLayer::new().compress_when(worthwhile);
    let router = router.layer(middleware::from_fn(error::finish)).layer(compression);
    fixed.into_iter().fold(router, |router, (name, value)| {
        let value = HeaderValue::from_static(value);
        router.layer(SetResponseHeaderLayer::overriding(name, value))
    })
}
