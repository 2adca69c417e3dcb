//! A dimension: its codes, and what is a sum of what.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use warehouse::diagnostic::Diagnostic;

use super::Faults;
use super::spec::DimensionSpec;
use super::table::{Table, read_rows};

/// A code's place in its [`Dimension`].
pub(crate) type Node = u32;

/// The codes of one dimension and the groupings of its elements.
#[derive(Debug, Clone)]
pub(crate) struct Dimension {
    pub(crate) column: String,
    pub(crate) codes: Vec<String>,
    pub(crate) index: BTreeMap<String, Node>,
    pub(crate) total: Option<Node>,
    /// Parent and children; deeper groups first, the total's own last.
    pub(crate) groups: Vec<Group>,
    /// For each code, its depth: 0 for the total, 1 for what it is first divided into …
    pub(crate) depth: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) parent: Node,
    pub(crate) children: Vec<Node>,
    /// Which hierarchy says so.
    pub(crate) hierarchy: usize,
}

impl Dimension {
    /// Elements: codes that nothing divides further.
    pub(crate) fn leaves(&self) -> Vec<Node> {
        let parents: BTreeSet<Node> = self.groups.iter().map(|group| group.parent).collect();
        (0..self.codes.len() as Node).filter(|node| !parents.contains(node)).collect()
    }

    /// For each code, the elements whose sum it is; an element's is itself.
    pub(crate) fn elements_below(&self) -> Vec<Vec<Node>> {
        let ancestors = self.ancestors();
        let mut below = vec![Vec::new(); self.codes.len()];
        for leaf in self.leaves() {
            ancestors[leaf as usize].iter().for_each(|&code| below[code as usize].push(leaf));
        }
        below
    }

    /// For each code, every code whose sum it enters, at any distance, itself first.
    pub(crate) fn ancestors(&self) -> Vec<Vec<Node>> {
        let mut parents = vec![Vec::new(); self.codes.len()];
        for group in &self.groups {
            group.children.iter().for_each(|&child| parents[child as usize].push(group.parent));
        }
        (0..self.codes.len())
            .map(|node| {
                let mut all = vec![node as Node];
                let mut at = 0;
                while at < all.len() {
                    for &parent in &parents[all[at] as usize] {
                        if !all.contains(&parent) {
                            all.push(parent);
                        }
                    }
                    at += 1;
                }
                all
            })
            .collect()
    }
}

/// One hierarchy file, read: the rows of codes from coarse to fine with their places.
struct Levels {
    name: String,
    rows: Vec<Vec<(String, Range<usize>)>>,
}

/// Reads a dimension's hierarchies and completes it with the codes its tables use.
pub(crate) fn load(
    spec: &DimensionSpec,
    spec_name: &str,
    tables: &[Table],
    faults: &mut Faults,
) -> Dimension {
    let files: Vec<_> = spec.hierarchies.iter().filter_map(|f| read_levels(f, faults)).collect();
    let mut builder = Builder::new(spec);
    for (number, levels) in files.iter().enumerate() {
        builder.add(number, levels, faults);
    }
    if builder.is_cyclic() {
        let message = format!("the hierarchies of `{}` contradict each other", spec.column);
        let fault = Diagnostic::error(spec_name, "cyclic-hierarchy", message).at(spec.span.clone());
        faults.push(fault.help("one names a group as part of what another names as its part"));
        builder.parents.clear();
    }
    builder.check_same_elements(&files, faults);
    builder.use_codes(spec, tables, !files.is_empty(), faults);
    builder.finish(spec, files.len())
}

fn read_levels(path: &std::path::Path, faults: &mut Faults) -> Option<Levels> {
    let (name, text) = faults.read(path)?;
    let rows = read_rows(&name, &text, faults)?;
    let mut levels = Vec::new();
    for row in rows.records {
        if let Some((_, span)) = row.fields.iter().find(|(code, _)| code.is_empty()) {
            let fault = Diagnostic::error(&name, "empty-code", "a level has no code");
            faults.push(fault.at(span.clone()).help("repeat the group's own code there"));
            continue;
        }
        levels.push(row.fields);
    }
    if levels.is_empty() {
        faults.push(Diagnostic::error(&name, "empty-file", "the hierarchy has no row"));
        return None;
    }
    Some(Levels { name, rows: levels })
}

struct Builder {
    total: Option<String>,
    /// Per hierarchy: child → parent; the total for the coarsest level.
    parents: Vec<BTreeMap<String, Option<String>>>,
    /// Codes in the order met.
    codes: Vec<String>,
    known: BTreeSet<String>,
}

impl Builder {
    fn new(spec: &DimensionSpec) -> Self {
        let mut builder = Self {
            total: spec.total.clone(),
            parents: Vec::new(),
            codes: Vec::new(),
            known: BTreeSet::new(),
        };
        spec.total.iter().for_each(|total| builder.know(total));
        builder
    }

    fn know(&mut self, code: &str) {
        if self.known.insert(code.to_owned()) {
            self.codes.push(code.to_owned());
        }
    }

    fn add(&mut self, number: usize, levels: &Levels, faults: &mut Faults) {
        let mut parents: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut level_of: BTreeMap<&str, usize> = BTreeMap::new();
        // Codes that stand below themselves: elements that are their own group.
        let mut own: BTreeMap<&str, Range<usize>> = BTreeMap::new();
        'rows: for row in &levels.rows {
            let mut parent: Option<&str> = None;
            for (level, (code, span)) in row.iter().enumerate() {
                let fault = |kind, message| Diagnostic::error(&levels.name, kind, message);
                if parent == Some(code) {
                    own.entry(code).or_insert_with(|| span.clone());
                    continue;
                }
                if Some(code.as_str()) == self.total.as_deref() {
                    if level > 0 {
                        let message = format!("the total `{code}` stands below a group");
                        faults.push(fault("total-inside", message).at(span.clone()));
                    }
                    continue;
                }
                let at = *level_of.entry(code).or_insert(level);
                if at != level {
                    let message = format!("`{code}` names a code of two levels");
                    let help = "two meanings of one code cannot be told apart; prefix one of them";
                    faults.push(fault("ambiguous-code", message).at(span.clone()).help(help));
                    break 'rows;
                }
                let old = parents.entry(code.clone()).or_insert_with(|| parent.map(str::to_owned));
                if old.as_deref() != parent {
                    let message = format!("`{code}` belongs to two groups of one hierarchy");
                    let help = "give each grouping a file of its own";
                    faults.push(fault("two-parents", message).at(span.clone()).help(help));
                }
                self.know(code);
                parent = Some(code);
            }
        }
        for (code, span) in own {
            if parents.values().any(|parent| parent.as_deref() == Some(code)) {
                let message = format!("`{code}` is a group and one of its own parts");
                let help = "two meanings of one code cannot be told apart; prefix one of them";
                let fault = Diagnostic::error(&levels.name, "ambiguous-code", message);
                faults.push(fault.at(span).help(help));
            }
        }
        debug_assert_eq!(self.parents.len(), number);
        self.parents.push(parents);
    }

    fn is_cyclic(&self) -> bool {
        let mut open: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (child, parent) in self.parents.iter().flatten() {
            let parents = open.entry(child).or_default();
            parents.extend(parent.as_deref());
        }
        loop {
            let done: Vec<&str> = open
                .iter()
                .filter(|(_, parents)| parents.iter().all(|parent| !open.contains_key(parent)))
                .map(|(&code, _)| code)
                .collect();
            if done.is_empty() {
                return !open.is_empty();
            }
            done.iter().for_each(|code| drop(open.remove(code)));
        }
    }

    /// Codes that no hierarchy divides.
    fn elements(&self) -> BTreeSet<&str> {
        let parents: BTreeSet<&str> =
            self.parents.iter().flatten().filter_map(|(_, parent)| parent.as_deref()).collect();
        let all = self.parents.iter().flatten().map(|(code, _)| code.as_str());
        all.filter(|code| !parents.contains(code)).collect()
    }

    fn check_same_elements(&self, files: &[Levels], faults: &mut Faults) {
        let elements = self.elements();
        for (parents, file) in self.parents.iter().zip(files) {
            for code in elements.iter().filter(|&&code| !parents.contains_key(code)) {
                let message = format!("the grouping leaves out `{code}`, which another one holds");
                faults.push(
                    Diagnostic::error(&file.name, "incomplete-hierarchy", message)
                        .help("every grouping must divide the same elements"),
                );
            }
        }
    }

    fn use_codes(
        &mut self,
        spec: &DimensionSpec,
        tables: &[Table],
        has_hierarchy: bool,
        faults: &mut Faults,
    ) {
        for table in tables {
            let Some(column) = table.column(&spec.column) else { continue };
            let mut told = BTreeSet::new();
            for row in &table.rows {
                let (code, span) = &row.fields[column];
                if self.known.contains(code) {
                    continue;
                }
                if !has_hierarchy {
                    self.know(code);
                } else if told.insert(code.clone()) {
                    let message =
                        format!("`{code}` of `{}` is in none of its hierarchies", spec.column);
                    let fault = Diagnostic::error(&table.name, "unknown-code", message);
                    let help = "add it to the hierarchy, or correct the code (leading zeros?)";
                    faults.push(fault.at(span.clone()).help(help));
                }
            }
        }
    }

    fn finish(self, spec: &DimensionSpec, hierarchies: usize) -> Dimension {
        let index: BTreeMap<String, Node> =
            self.codes.iter().enumerate().map(|(i, code)| (code.clone(), i as Node)).collect();
        let total = self.total.as_ref().and_then(|total| index.get(total).copied());
        let mut children: BTreeMap<(usize, Option<Node>), Vec<Node>> = BTreeMap::new();
        for (hierarchy, parents) in self.parents.iter().enumerate() {
            for (child, parent) in parents {
                let parent = parent.as_ref().map(|parent| index[parent]).or(total);
                children.entry((hierarchy, parent)).or_default().push(index[child]);
            }
        }
        if hierarchies == 0 && total.is_some() {
            let all = (0..self.codes.len() as Node).filter(|&node| Some(node) != total);
            children.insert((0, total), all.collect());
        }
        let mut groups: Vec<Group> = children
            .into_iter()
            .filter_map(|((hierarchy, parent), mut children)| {
                children.sort_unstable();
                Some(Group { parent: parent?, children, hierarchy })
            })
            .collect();
        let depth = depths(self.codes.len(), &groups);
        groups.sort_by_key(|group| {
            (std::cmp::Reverse(depth[group.parent as usize]), group.hierarchy, group.parent)
        });
        Dimension { column: spec.column.clone(), codes: self.codes, index, total, groups, depth }
    }
}

/// The longest way from a root to each code.
fn depths(codes: usize, groups: &[Group]) -> Vec<u32> {
    let mut depth = vec![0_u32; codes];
    for _ in 0..codes {
        let mut changed = false;
        for group in groups {
            let below = depth[group.parent as usize] + 1;
            for &child in &group.children {
                if depth[child as usize] < below && (below as usize) < codes {
                    depth[child as usize] = below;
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    depth
}
