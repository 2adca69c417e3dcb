//! Which indicators stand first, declared in `boards/lanh_dao.toml`.

use std::sync::LazyLock;

use serde::Deserialize;
use warehouse::spec::{Indicator, Query, QueryKind};

use crate::app::App;
use crate::request::Reader;

const LEADERS: &str = include_str!("../boards/lanh_dao.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Board {
    indicators: Vec<String>,
}

fn leaders() -> &'static Board {
    static BOARD: LazyLock<Board> =
        LazyLock::new(|| toml::from_str(LEADERS).expect("a test reads the board"));
    &BOARD
}

/// An indicator as declared.
pub(crate) type Declared<'a> = (&'a Query, &'a Indicator);

/// The declared indicators whose figures the reader may see, those of the leaders' board first. The
/// others are not there for them.
pub(crate) fn visible<'a>(app: &'a App, reader: &Reader) -> Vec<Declared<'a>> {
    let mut all: Vec<Declared<'_>> = app
        .declarations()
        .of_kind(QueryKind::Indicator)
        .filter(|query| reader.may_read(query.sensitivity))
        .filter_map(|query| Some((query, query.indicator.as_ref()?)))
        .collect();
    let board = &leaders().indicators;
    let place = |id: &str| board.iter().position(|other| other == id).unwrap_or(board.len());
    all.sort_by(|(a, _), (b, _)| (place(&a.id), &a.id).cmp(&(place(&b.id), &b.id)));
    all
}

/// The indicator of that id, if the reader may see it.
pub(crate) fn find<'a>(app: &'a App, reader: &Reader, id: &str) -> Option<Declared<'a>> {
    visible(app, reader).into_iter().find(|(query, _)| query.id == id)
}

/// Whether all provinces' figures of that indicator are the reader's to see.
pub(crate) fn is_whole(app: &App, reader: &Reader, id: &str) -> bool {
    find(app, reader, id).is_some_and(|(query, _)| reader.reads_whole(query.sensitivity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_board_names_indicators_that_are_declared_and_none_twice() {
        let board: Board = toml::from_str(LEADERS).expect("a board");
        let once: BTreeSet<&String> = board.indicators.iter().collect();
        assert_eq!(once.len(), board.indicators.len());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../queries/indicators");
        for id in &board.indicators {
            assert!(folder.join(format!("{id}.sql")).exists(), "{id}");
        }
    }
}
