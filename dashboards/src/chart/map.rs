//! The map of provinces coloured by classes: outlines where they are given for these provinces,
//! tiles otherwise. A province without a figure is hatched, never pale: pale is a low figure.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use askama::filters::HtmlSafe;

use super::classes::Classes;
use super::scale::coordinate;
use super::shapes::Shapes;
use super::tiles;
use crate::figures::PlaceFigure;

const TILE_WIDTH: f64 = 62.0;
const TILE_HEIGHT: f64 = 34.0;
const TILE_GAP: f64 = 3.0;
/// With more columns than this the names would be too small to read on a phone; tiles then hold
/// codes in larger letters, and the table beside the map has the names.
const NAMED_COLUMNS: u8 = 6;
/// The archipelagos: name, the province that they belong to by its code in both lists, and where
/// their name stands on a map.
const ARCHIPELAGOS: [(&str, &str, (f64, f64)); 2] =
    [("Hoàng Sa", "48", (111.9, 15.3)), ("Trường Sa", "56", (115.9, 7.9))];

/// A map.
#[derive(Template)]
#[template(path = "chart/map.svg")]
pub(crate) struct Map {
    id: &'static str,
    title: String,
    description: String,
    width: f64,
    height: f64,
    areas: Vec<Area>,
    /// Drawn again above the others.
    chosen: Option<Outline>,
    labels: Vec<Label>,
    /// Whether tiles hold codes in place of names.
    coded: bool,
}

impl HtmlSafe for Map {}

struct Area {
    outline: Outline,
    /// 0 is missing.
    shade: usize,
    /// Name and figure, as a tooltip.
    tip: String,
    lines: Vec<Label>,
}

#[derive(Clone)]
enum Outline {
    Path(String),
    Tile(String, String),
}

struct Label {
    x: String,
    y: String,
    text: String,
}

/// What is said about a map and which province is chosen.
pub(crate) struct About<'a> {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) description: String,
    /// The unit key of the chosen province.
    pub(crate) chosen: &'a str,
    /// Writes a figure.
    pub(crate) figure: &'a dyn Fn(Option<f64>) -> String,
}

impl Map {
    pub(crate) fn new(
        about: About<'_>,
        places: &[PlaceFigure],
        classes: &Classes,
        shapes: Option<&Shapes>,
    ) -> Self {
        let shapes = shapes.filter(|shapes| is_of(shapes, places));
        match shapes {
            Some(shapes) => Self::outlines(about, places, classes, shapes),
            None => Self::tiles(about, places, classes),
        }
    }

    fn outlines(
        about: About<'_>,
        places: &[PlaceFigure],
        classes: &Classes,
        shapes: &Shapes,
    ) -> Self {
        let by_code: BTreeMap<&str, &PlaceFigure> =
            places.iter().map(|place| (place.code.as_str(), place)).collect();
        let mut chosen = None;
        let mut areas = Vec::new();
        for shape in &shapes.provinces {
            let Some(place) = by_code.get(shape.code.as_str()) else { continue };
            let outline = Outline::Path(shape.path.clone());
            if place.unit == about.chosen {
                chosen = Some(outline.clone());
            }
            areas.push(area(place, outline, Vec::new(), &about, classes));
        }
        let labels = ARCHIPELAGOS.map(|(name, _, (longitude, latitude))| {
            let (x, y) = shapes.at(longitude, latitude);
            Label { x: coordinate(x), y: coordinate(y), text: format!("Quần đảo {name}") }
        });
        let (width, height) = (shapes.width, shapes.height);
        Self::of(about, (width, height), areas, chosen, labels.into(), false)
    }

    fn tiles(about: About<'_>, places: &[PlaceFigure], classes: &Classes) -> Self {
        let mut codes: Vec<&str> = places.iter().map(|place| place.code.as_str()).collect();
        codes.sort_unstable();
        let layout = tiles::layout(&codes);
        let columns = layout.values().map(|place| place.0).max().unwrap_or_default() + 1;
        let rows = layout.values().map(|place| place.1).max().unwrap_or_default() + 1;
        // The archipelagos have a column of their own.
        let coded = columns + 1 > NAMED_COLUMNS;
        let mut areas = Vec::new();
        let mut chosen = None;
        for place in places {
            let Some(&(column, row)) = layout.get(place.code.as_str()) else { continue };
            let words = if coded { vec![place.code.clone()] } else { tiles::lines(&place.name) };
            let (outline, labels) = tile(column, row, &words, coded);
            if place.unit == about.chosen {
                chosen = Some(outline.clone());
            }
            areas.push(area(place, outline, labels, &about, classes));
            // The archipelagos lie east of their province and have its figure.
            if let Some((name, ..)) = ARCHIPELAGOS.iter().find(|(_, code, _)| *code == place.code) {
                let words = if coded { tiles::lines(name) } else { vec![(*name).to_owned()] };
                let (outline, labels) = tile(columns, row, &words, coded);
                areas.push(area(place, outline, labels, &about, classes));
            }
        }
        let width = f64::from(columns + 1) * (TILE_WIDTH + TILE_GAP) + TILE_GAP;
        let height = f64::from(rows) * (TILE_HEIGHT + TILE_GAP) + TILE_GAP;
        Self::of(about, (width, height), areas, chosen, Vec::new(), coded)
    }

    fn of(
        about: About<'_>,
        (width, height): (f64, f64),
        areas: Vec<Area>,
        chosen: Option<Outline>,
        labels: Vec<Label>,
        coded: bool,
    ) -> Self {
        let About { id, title, description, .. } = about;
        Self { id, title, description, width, height, areas, chosen, labels, coded }
    }

    /// Whether the provinces are tiles.
    pub(crate) fn is_tiled(&self) -> bool {
        self.areas.iter().any(|area| matches!(area.outline, Outline::Tile(..)))
    }

    /// Whether tiles hold codes in place of names.
    pub(crate) fn is_coded(&self) -> bool {
        self.coded
    }

    fn tile_size(&self) -> (f64, f64) {
        (TILE_WIDTH, TILE_HEIGHT)
    }
}

/// Whether the outlines are those of these provinces, by their codes.
fn is_of(shapes: &Shapes, places: &[PlaceFigure]) -> bool {
    let drawn: BTreeSet<&str> = shapes.provinces.iter().map(|shape| shape.code.as_str()).collect();
    let asked: BTreeSet<&str> = places.iter().map(|place| place.code.as_str()).collect();
    drawn == asked
}

fn area(
    place: &PlaceFigure,
    outline: Outline,
    lines: Vec<Label>,
    about: &About<'_>,
    classes: &Classes,
) -> Area {
    let tip = format!("{}: {}", place.name, (about.figure)(place.value));
    Area { outline, shade: classes.shade(place.value), tip, lines }
}

fn tile(column: u8, row: u8, lines: &[String], large: bool) -> (Outline, Vec<Label>) {
    let x = TILE_GAP + f64::from(column) * (TILE_WIDTH + TILE_GAP);
    let y = TILE_GAP + f64::from(row) * (TILE_HEIGHT + TILE_GAP);
    // Line height and the middle of a letter above its foot, as the style sheet sizes the text.
    let (step, middle) = if large { (14.5, 5.2) } else { (11.5, 3.6) };
    let first = y + TILE_HEIGHT / 2.0 + middle - step * (lines.len() as f64 - 1.0) / 2.0;
    let labels = lines.iter().enumerate().map(|(at, text)| Label {
        x: coordinate(x + TILE_WIDTH / 2.0),
        y: coordinate(first + step * at as f64),
        text: text.clone(),
    });
    (Outline::Tile(coordinate(x), coordinate(y)), labels.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(code: &str, name: &str, value: Option<f64>) -> PlaceFigure {
        PlaceFigure {
            unit: format!("{code}@2025-07-01"),
            code: code.to_owned(),
            name: name.to_owned(),
            numerator: None,
            denominator: None,
            value,
            parts: (1, 1),
            is_there: value.is_some(),
        }
    }

    #[test]
    fn a_wide_map_of_tiles_holds_codes_and_keeps_names_in_titles() {
        let codes: Vec<String> = (0..7).map(|code| format!("{code:02}")).collect();
        let places: Vec<PlaceFigure> =
            codes.iter().map(|code| place(code, &format!("Tỉnh {code}"), Some(1.0))).collect();
        let classes = Classes::of(places.iter().filter_map(|place| place.value));
        let figure = |value: Option<f64>| value.map_or("–".to_owned(), |v| v.to_string());
        let (title, description) = (String::new(), String::new());
        let about = About { id: "m", title, description, chosen: "", figure: &figure };
        let map = Map::new(about, &places, &classes, None);
        assert!(map.is_coded());
        let svg = map.to_string();
        assert!(svg.contains(">06</text>") && svg.contains("Tỉnh 06: 1</title>"), "{svg}");
        assert!(!svg.contains("Tỉnh 06</text>"), "{svg}");
    }

    #[test]
    fn a_province_without_a_figure_is_hatched_and_an_archipelago_follows_its_province() {
        let places = [place("01", "Hà Nội", Some(1.0)), place("48", "Đà Nẵng", None)];
        let classes = Classes::of(places.iter().filter_map(|place| place.value));
        let figure = |value: Option<f64>| value.map_or("–".to_owned(), |v| v.to_string());
        let about = About {
            id: "m",
            title: "Bản đồ".to_owned(),
            description: String::new(),
            chosen: "01@2025-07-01",
            figure: &figure,
        };
        let svg = Map::new(about, &places, &classes, None).to_string();
        assert!(svg.contains("Hoàng Sa"), "{svg}");
        assert_eq!(svg.matches("url(#m-hatch)").count(), 2, "{svg}");
        assert!(svg.contains("Hà Nội: 1") && !svg.contains("style="), "{svg}");
    }
}
