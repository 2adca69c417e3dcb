//! An identifier under many disguises.

use super::common::disguise::{Disguise, NAMED, PACKED, PARTED, SHOWN, SPELT};
use super::common::invent::{Body, Dice, Identifier, invent};

/// A cell that has grown beyond this is disguised no further.
const LONG: usize = 2000;

/// Disguises that are a wrong encoding.
const OLD: [&str; 2] = ["read as Windows-1252", "TCVN3"];

/// An identifier of a kind as it is, in a cell after this many disguises, and the names of those.
pub(crate) fn hidden(
    kind: &'static str,
    seed: u64,
    many: usize,
) -> (String, String, Vec<&'static str>) {
    let mut dice = Dice(seed);
    let Identifier { body, lead, mut core, .. } = invent(kind, &mut dice);
    let (plain, mut names) = (core.clone(), Vec::new());
    let mut written = |lists: &[&[Disguise]], core: &mut String, dice: &mut Dice| {
        for list in lists {
            if names.len() < many && dice.below(2) == 0 {
                let (name, hide) = list[usize::try_from(dice.below(list.len() as u64)).unwrap()];
                *core = hide(core, dice);
                names.push(name);
            }
        }
    };
    match body {
        Body::Digits => written(&[&PARTED, &SPELT], &mut core, &mut dice),
        Body::Code => written(&[&PARTED], &mut core, &mut dice),
        Body::Name => written(&[&NAMED], &mut core, &mut dice),
        Body::Text => {}
    }
    let mut cell = format!("{lead}{core}");
    while names.len() < many && cell.len() < LONG {
        // What was read in a wrong encoding is no text whose characters one could change.
        let packed = names.iter().any(|name| OLD.contains(name)) || dice.below(3) == 0;
        let list: &[_] = if packed { &PACKED } else { &SHOWN };
        let (name, hide) = list[usize::try_from(dice.below(list.len() as u64)).unwrap()];
        cell = hide(&cell, &mut dice);
        names.push(name);
    }
    (plain, cell, names)
}
