//! Outlines of provinces from a GeoJSON file, drawn once at start: equirectangular projection,
//! points closer than the eye can tell left out. Every island of the file stays visible, however
//! small: those below a pixel become a dot.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::scale::coordinate;
use crate::DashboardError;

/// Width of the paper; the height follows from the file.
const WIDTH: f64 = 480.0;
const MARGIN: f64 = 6.0;
/// Outlines may be off by this much, in the paper's units.
const TOLERANCE: f64 = 0.35;
/// Rings smaller than this are drawn as a dot.
const SMALLEST: f64 = 1.6;

/// All provinces of a file.
#[derive(Debug, Clone)]
pub(crate) struct Shapes {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) provinces: Vec<Shape>,
    projection: Projection,
}

/// One province.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) code: String,
    /// The outline as SVG path data.
    pub(crate) path: String,
}

#[derive(Deserialize)]
struct Collection {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Geometry,
}

#[derive(Deserialize)]
struct Properties {
    code: String,
}

type Ring = Vec<[f64; 2]>;

#[derive(Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Polygon(Vec<Ring>),
    MultiPolygon(Vec<Vec<Ring>>),
}

impl Geometry {
    fn rings(&self) -> Vec<&Ring> {
        match self {
            Self::Polygon(rings) => rings.iter().collect(),
            Self::MultiPolygon(polygons) => polygons.iter().flatten().collect(),
        }
    }
}

/// Degrees to paper: straight, with degrees of longitude shortened as in the middle of the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Projection {
    west: f64,
    north: f64,
    /// Units of the paper in a degree of longitude and of latitude.
    scale: (f64, f64),
}

impl Projection {
    /// Fits the box from `west`/`south` to `east`/`north` into `width`; gives the height too.
    fn fit(west: f64, south: f64, east: f64, north: f64, width: f64) -> (Self, f64) {
        let shorten = ((north + south) / 2.0).to_radians().cos();
        let across = ((east - west) * shorten).max(f64::EPSILON);
        let scale = (width - 2.0 * MARGIN) / across;
        let height = (north - south) * scale + 2.0 * MARGIN;
        (Self { west, north, scale: (scale * shorten, scale) }, height)
    }

    /// Where a place is on the paper.
    pub(crate) fn at(&self, longitude: f64, latitude: f64) -> (f64, f64) {
        let x = MARGIN + (longitude - self.west) * self.scale.0;
        let y = MARGIN + (self.north - latitude) * self.scale.1;
        (x, y)
    }
}

impl Shapes {
    /// Reads and draws a file.
    pub(crate) fn load(path: &Path) -> Result<Self, DashboardError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| DashboardError::Boundaries { path: path.to_owned(), source })?;
        Self::parse(&text)
            .map_err(|source| DashboardError::Shapes { path: path.to_owned(), source })
    }

    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let collection: Collection = serde_json::from_str(text)?;
        let mut edges = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
        for &[x, y] in
            collection.features.iter().flat_map(|feature| feature.geometry.rings()).flatten()
        {
            edges = (edges.0.min(x), edges.1.min(y), edges.2.max(x), edges.3.max(y));
        }
        if edges.0 > edges.2 {
            return Err(serde::de::Error::custom("the file holds no outline"));
        }
        let (projection, height) = Projection::fit(edges.0, edges.1, edges.2, edges.3, WIDTH);
        let provinces = collection
            .features
            .iter()
            .map(|feature| Shape {
                code: feature.properties.code.clone(),
                path: outline(&feature.geometry, &projection),
            })
            .collect();
        Ok(Self { width: WIDTH, height: height.ceil(), provinces, projection })
    }

    /// Where a place is on the paper.
    pub(crate) fn at(&self, longitude: f64, latitude: f64) -> (f64, f64) {
        self.projection.at(longitude, latitude)
    }
}

fn outline(geometry: &Geometry, projection: &Projection) -> String {
    let mut path = String::new();
    let mut dots = BTreeSet::new();
    for ring in geometry.rings() {
        let points: Vec<(f64, f64)> = ring.iter().map(|&[x, y]| projection.at(x, y)).collect();
        let (Some(low), Some(high)) = (corner(&points, f64::min), corner(&points, f64::max)) else {
            continue;
        };
        if (high.0 - low.0).max(high.1 - low.1) < SMALLEST {
            let center = ((low.0 + high.0) / 2.0, (low.1 + high.1) / 2.0);
            // Islets closer to each other than a dot is wide share one.
            dots.insert(((center.0 / SMALLEST) as i64, (center.1 / SMALLEST) as i64));
            continue;
        }
        push_ring(&mut path, &simplify(&points));
    }
    for (x, y) in dots {
        let (x, y) = (x as f64 * SMALLEST, y as f64 * SMALLEST);
        let side = coordinate(SMALLEST);
        path.push_str(&format!("M{} {}h{side}v{side}h-{side}z", coordinate(x), coordinate(y)));
    }
    path
}

fn corner(points: &[(f64, f64)], pick: fn(f64, f64) -> f64) -> Option<(f64, f64)> {
    points.iter().copied().reduce(|a, b| (pick(a.0, b.0), pick(a.1, b.1)))
}

fn push_ring(path: &mut String, points: &[(f64, f64)]) {
    for (at, (x, y)) in points.iter().enumerate() {
        path.push(if at == 0 { 'M' } else { 'L' });
        path.push_str(&format!("{} {}", coordinate(*x), coordinate(*y)));
    }
    path.push('z');
}

/// The ring without the points that lie within [`TOLERANCE`] of what remains (Douglas–Peucker,
/// from the point farthest from the first, so that a ring keeps its extent).
fn simplify(ring: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let open = match ring {
        [first, middle @ .., last] if first == last && middle.len() > 1 => &ring[..ring.len() - 1],
        _ => ring,
    };
    let Some(&first) = open.first() else { return Vec::new() };
    let distance = |at: &(f64, f64)| (at.0 - first.0).hypot(at.1 - first.1);
    let farthest =
        (0..open.len()).max_by(|&a, &b| distance(&open[a]).total_cmp(&distance(&open[b])));
    let farthest = farthest.unwrap_or_default();
    let mut keep = vec![false; open.len()];
    keep[0] = true;
    keep[farthest] = true;
    thin(open, 0, farthest, &mut keep);
    let mut closed = open.to_vec();
    closed.push(first);
    let mut tail = vec![false; closed.len()];
    thin(&closed, farthest, closed.len() - 1, &mut tail);
    let kept = (0..open.len()).filter(|&at| keep[at] || tail[at]);
    kept.map(|at| open[at]).collect()
}

/// Marks the points between two kept ones that stand out from the line joining those.
fn thin(points: &[(f64, f64)], first: usize, last: usize, keep: &mut [bool]) {
    let mut open = vec![(first, last)];
    while let Some((first, last)) = open.pop() {
        let between = first + 1..last;
        let off = |at: usize| distance_to_line(points[at], points[first], points[last]);
        let Some(worst) = between.max_by(|&a, &b| off(a).total_cmp(&off(b))) else { continue };
        if off(worst) > TOLERANCE {
            keep[worst] = true;
            open.push((first, worst));
            open.push((worst, last));
        }
    }
}

fn distance_to_line(at: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length == 0.0 {
        return (at.0 - from.0).hypot(at.1 - from.1);
    }
    ((at.0 - from.0) * dy - (at.1 - from.1) * dx).abs() / length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn north_is_up_and_a_degree_of_longitude_is_shorter() {
        let (projection, height) = Projection::fit(102.0, 8.0, 110.0, 24.0, 200.0);
        let (west, north) = projection.at(102.0, 24.0);
        assert_eq!((west, north), (MARGIN, MARGIN));
        let (east, south) = projection.at(110.0, 8.0);
        assert!((east - (200.0 - MARGIN)).abs() < 1e-9 && (south - (height - MARGIN)).abs() < 1e-9);
        let (degree_x, degree_y) = projection.scale;
        assert!((degree_x / degree_y - 16f64.to_radians().cos()).abs() < 1e-9);
    }

    #[test]
    fn a_straight_side_loses_its_points_and_a_corner_stays() {
        let ring = [(0.0, 0.0), (5.0, 0.05), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)];
        let thin = simplify(&ring);
        assert_eq!(thin, [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]);
    }

    #[test]
    fn the_smallest_island_is_still_drawn() {
        let text = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"code":"01","name":"A"},"geometry":{"type":"Polygon",
             "coordinates":[[[102,8],[110,8],[110,24],[102,24],[102,8]]]}},
            {"type":"Feature","properties":{"code":"56","name":"B"},"geometry":
             {"type":"MultiPolygon","coordinates":[[[[117,9],[117.001,9],[117,9.001],[117,9]]]]}}]}"#;
        let shapes = Shapes::parse(text).expect("a map");
        assert_eq!(shapes.provinces.len(), 2);
        assert!(shapes.provinces[1].path.ends_with('z'), "{}", shapes.provinces[1].path);
        assert!(Shapes::parse("{\"features\":[]}").is_err());
        assert!(Shapes::parse("{}").is_err());
    }
}
