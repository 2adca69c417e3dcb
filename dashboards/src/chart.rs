//! Pictures drawn on the server as SVG: lines over time and maps. Each is one struct and one
//! template; colours come from the style sheet by class, so that no style is written inline.

pub(crate) mod classes;
pub(crate) mod map;
pub(crate) mod scale;
pub(crate) mod shapes;
pub(crate) mod spark;
pub(crate) mod tiles;
pub(crate) mod trend;
