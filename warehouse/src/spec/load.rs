//! From files to [`Declarations`]: reads all, compares them with each other, keeps what is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::contract::{self, ContractDraft};
use super::header::{self, QueryDraft};
use super::linkage;
use super::offline::ON_BOUNDARIES;
use super::order;
use super::plan::{Planner, Reach, Reads};
use super::reader::{File, Span};
use super::smallest::{self, Persons};
use super::{Loaded, Query, QueryKind, arrow_schema, result};
use crate::diagnostic::Diagnostic;
use crate::geography::Geography;
use crate::names::{Schema, TableName};

const CONTRACTS: &str = "pipelines/contracts";
const REFERENCE: &str = "pipelines/reference";
const FOLDERS: [(&str, QueryKind); 3] = [
    ("queries/indicators", QueryKind::Indicator),
    ("queries/marts", QueryKind::Mart),
    ("queries/open-data", QueryKind::OpenData),
];

static EMBEDDED: [(&str, Dir<'_>); 3] = [
    (CONTRACTS, include_dir!("$CARGO_MANIFEST_DIR/../pipelines/contracts")),
    (REFERENCE, include_dir!("$CARGO_MANIFEST_DIR/../pipelines/reference")),
    ("queries", include_dir!("$CARGO_MANIFEST_DIR/../queries")),
];

/// Texts by path, relative to the declarations' root, with `/`.
type Files = BTreeMap<String, String>;

/// Reads the declarations below `root`: `pipelines/contracts/*.toml`, the CSV files of
/// `pipelines/reference` and the SQL files of `queries/{marts,indicators,open-data}`. Folders
/// that are not there hold nothing. Paths in diagnostics are relative to `root`.
///
/// # Errors
/// When a file or folder cannot be read. What a file says is never an error here: see
/// [`Loaded::diagnostics`].
pub fn load(root: &Path) -> io::Result<Loaded> {
    let mut found = Found::default();
    for folder in [CONTRACTS, REFERENCE].into_iter().chain(FOLDERS.map(|(folder, _)| folder)) {
        found.read_folder(root, folder)?;
    }
    for folder in ["pipelines", "queries"] {
        found.look_beside(root, folder)?;
    }
    Ok(analyse(found))
}

/// SHA-256 in hex of all that [`load`] would read: another one means other declarations.
///
/// # Errors
/// As [`load`].
pub fn fingerprint(root: &Path) -> io::Result<String> {
    let mut found = Found::default();
    for folder in [CONTRACTS, REFERENCE].into_iter().chain(FOLDERS.map(|(folder, _)| folder)) {
        found.read_folder(root, folder)?;
    }
    let mut sum = Sha256::new();
    for (path, text) in &found.files {
        sum.update(path.len().to_le_bytes());
        sum.update(path);
        sum.update(text.len().to_le_bytes());
        sum.update(text);
    }
    Ok(format!("{:x}", sum.finalize()))
}

/// Reads the declarations that this binary carries.
pub fn load_embedded() -> Loaded {
    let mut found = Found::default();
    for (folder, dir) in &EMBEDDED {
        found.read_embedded(folder, dir);
    }
    analyse(found)
}

/// The files that were read, and what is wrong with others.
#[derive(Default)]
struct Found {
    files: Files,
    faults: Vec<Diagnostic>,
}

impl Found {
    fn read_folder(&mut self, root: &Path, folder: &str) -> io::Result<()> {
        for (name, path) in entries(root, folder)? {
            let shown = format!("{folder}/{name}");
            if path.is_dir() {
                if folder.starts_with("queries/") {
                    self.read_folder(root, &shown)?;
                } else {
                    self.ignored(shown, "a folder here is not looked into");
                }
            } else if is_declaration(&shown) {
                self.keep(shown, std::fs::read(path)?);
            } else if looks_like_one(&shown) {
                self.ignored(shown, "its name does not end as those that are read here");
            }
        }
        Ok(())
    }

    /// Finds declarations that lie one folder too high.
    fn look_beside(&mut self, root: &Path, folder: &str) -> io::Result<()> {
        for (name, path) in entries(root, folder)? {
            let shown = format!("{folder}/{name}");
            if path.is_file() && looks_like_one(&shown) && name != "Cargo.toml" {
                self.ignored(shown, "nothing is read in this folder");
            }
        }
        Ok(())
    }

    fn read_embedded(&mut self, folder: &str, dir: &Dir<'_>) {
        for file in dir.files() {
            let path = format!("{folder}/{}", file.path().display());
            if is_declaration(&path) {
                self.keep(path, file.contents().to_vec());
            }
        }
        for inside in dir.dirs() {
            self.read_embedded(folder, inside);
        }
    }

    fn keep(&mut self, path: String, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => {
                self.files.insert(path, text);
            }
            Err(error) => {
                let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
                let message = format!("the file is not UTF-8: see its line {line}");
                let fault = Diagnostic::error(path, "not-utf8", message);
                self.faults.push(fault.help("save it as UTF-8; an editor names it so"));
            }
        }
    }

    fn ignored(&mut self, path: String, why: &str) {
        let fault = Diagnostic::warning(path, "ignored-file", format!("it is not read: {why}"));
        self.faults.push(fault.help(
            "declarations are pipelines/contracts/*.toml, pipelines/reference/*.csv and \
             queries/{marts,indicators,open-data}/**/*.sql, in small letters",
        ));
    }
}

/// Names and paths of what is in a folder; nothing where it is not there.
fn entries(root: &Path, folder: &str) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let named = |entry: io::Result<std::fs::DirEntry>| {
        entry.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
    };
    let mut all = entries.map(named).collect::<io::Result<Vec<_>>>()?;
    all.sort();
    Ok(all)
}

/// Whether someone may take a file for a declaration.
fn looks_like_one(path: &str) -> bool {
    let end = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    ["toml", "sql", "csv"].contains(&end.as_str())
}

fn is_declaration(path: &str) -> bool {
    let wanted = match path {
        _ if path.starts_with(CONTRACTS) => ".toml",
        _ if path.starts_with(REFERENCE) => ".csv",
        _ => ".sql",
    };
    path.ends_with(wanted)
}

/// Finds everything that is declared in `files`, and everything that is wrong with it.
/// Planning waits for nothing, but on a thread of an asynchronous runtime it would be told to let
/// other tasks run, for ever: it gets a thread of its own.
fn analyse(found: Found) -> Loaded {
    std::thread::scope(|scope| match scope.spawn(|| analyse_here(found)).join() {
        Ok(loaded) => loaded,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn analyse_here(Found { files, faults }: Found) -> Loaded {
    let mut loaded = Loaded { diagnostics: faults, ..Loaded::default() };
    let geography = read_geography(&files, &mut loaded.diagnostics);
    let mut planner = match Planner::new(geography) {
        Ok(planner) => planner,
        Err(error) => {
            let message = format!("declarations cannot be planned: {}", error.strip_backtrace());
            loaded.diagnostics.push(Diagnostic::error("", "sql-plan", message));
            return loaded;
        }
    };
    let mut contracts: Vec<ContractDraft<'_>> = files
        .iter()
        .filter(|(path, _)| path.starts_with(CONTRACTS))
        .map(|(path, text)| contract::read(path, text, &files))
        .collect();
    let mut persons = Persons::default();
    settle_contracts(&mut contracts, &mut planner, &mut persons);
    let mut queries = read_queries(&files);
    let sound = settle_queries(&mut queries, &mut planner, &mut persons);

    for draft in contracts {
        if draft.file.is_sound() && draft.tables.iter().all(|t| planner.is_sound(&t.table.name)) {
            let tables = draft.tables.into_iter().map(|table| table.table).collect();
            loaded.declarations.contracts.push(super::Contract { tables, ..draft.contract });
        }
        loaded.diagnostics.extend(draft.file.into_faults());
    }
    loaded.declarations.contracts.sort_by(|a, b| a.id.cmp(&b.id));
    let mut by_place: BTreeMap<usize, Query> = BTreeMap::new();
    for (at, draft) in queries.into_iter().enumerate() {
        loaded.diagnostics.extend(draft.file.into_faults());
        by_place.insert(at, draft.query);
    }
    loaded.declarations.queries = sound.iter().filter_map(|at| by_place.remove(at)).collect();
    for (path, text) in files {
        loaded.sources.insert(path, text);
    }
    loaded
}

/// The declared units, where they are declared.
fn read_geography(files: &Files, faults: &mut Vec<Diagnostic>) -> Geography {
    let path = format!("{REFERENCE}/don_vi.csv");
    let successions = files.get(&format!("{REFERENCE}/ke_thua.csv"));
    let (Some(units), Some(successions)) = (files.get(&path), successions) else {
        return Geography::empty();
    };
    Geography::from_declared(units, successions).unwrap_or_else(|error| {
        faults.push(Diagnostic::error(path, "bad-reference-list", error.to_string()));
        Geography::empty()
    })
}

fn twice(file: &File<'_>, span: Option<Span>, what: &str, name: &str, first: &str) {
    let message = format!("the {what} `{name}` is already declared in {first}");
    file.fault(span, "duplicate-name", message, None);
}

fn settle_contracts(
    contracts: &mut [ContractDraft<'_>],
    planner: &mut Planner,
    persons: &mut Persons,
) {
    let mut ids: BTreeMap<String, &str> = BTreeMap::new();
    let mut tables: BTreeMap<TableName, &str> = BTreeMap::new();
    for draft in contracts.iter() {
        let id = &draft.contract.id;
        match ids.get(id) {
            Some(first) => twice(&draft.file, draft.id_span.clone(), "source", id, first),
            None => drop(ids.insert(id.clone(), draft.file.path)),
        }
        for table in &draft.tables {
            let name = &table.table.name;
            if let Some(first) = tables.get(name) {
                let place = Some(table.span.clone());
                twice(&draft.file, place, "table", &name.to_string(), first);
                continue;
            }
            tables.insert(name.clone(), draft.file.path);
            let schema = table.complete.then(|| arrow_schema(&table.table));
            planner.add(name, schema, true);
            planner.declare(&table.table);
            persons.declare(name, table.table.sensitivity);
        }
    }
    for table in contracts.iter().flat_map(|draft| &draft.tables) {
        planner.refer(&table.table);
    }
    for name in contracts.iter().flat_map(|draft| &draft.guessed) {
        if !tables.contains_key(name) {
            planner.add(name, None, false);
        }
    }
    check_references(contracts, planner);
    linkage::check(contracts);
    let needs: Vec<BTreeSet<TableName>> =
        contracts.iter().map(|draft| plan_contract_checks(draft, planner)).collect();
    condemn_contracts(contracts, &needs, planner);
}

/// Every reference must name a column that another table really keeps.
fn check_references(contracts: &[ContractDraft<'_>], planner: &Planner) {
    let tables: BTreeMap<&TableName, _> = contracts
        .iter()
        .flat_map(|draft| &draft.tables)
        .map(|table| (&table.table.name, table))
        .collect();
    for draft in contracts {
        for column in draft.tables.iter().flat_map(|table| &table.columns) {
            let Some((name, target)) = &column.column.references else { continue };
            let Some(span) = column.references_span.clone() else { continue };
            let Some(table) = tables.get(name) else {
                if planner.knows(name) {
                    continue;
                }
                let message = format!("no contract has a table `{name}`");
                draft.file.fault(span, "unknown-reference", message, None);
                continue;
            };
            let schema = arrow_schema(&table.table);
            if table.complete && schema.field_with_name(target).is_err() {
                let message = format!("`{name}` has no column `{target}`");
                let names = schema.fields().iter().map(|field| field.name().as_str());
                let help = super::nearest::suggestion(target, names);
                draft.file.fault(span, "unknown-reference", message, help);
            }
        }
    }
}

/// Plans the checks; returns the tables of other contracts that this one needs.
fn plan_contract_checks(draft: &ContractDraft<'_>, planner: &Planner) -> BTreeSet<TableName> {
    let mut needs = BTreeSet::new();
    for table in &draft.tables {
        let columns = table.columns.iter();
        needs.extend(columns.filter_map(|c| c.column.references.as_ref().map(|(t, _)| t.clone())));
        if table.complete {
            let schema = arrow_schema(&table.table);
            let checks = &table.checks;
            needs.extend(planner.plan_checks(&draft.file, checks, &schema, Reach::Reference));
            if let Some(deleted) = &table.deleted {
                planner.plan_condition(&draft.file, deleted, &schema);
            }
        }
    }
    needs
}

/// A contract with a fault is not used, nor is one that needs it.
fn condemn_contracts(
    contracts: &[ContractDraft<'_>],
    needs: &[BTreeSet<TableName>],
    planner: &mut Planner,
) {
    let mut condemned = vec![false; contracts.len()];
    loop {
        let mut changed = false;
        for (at, draft) in contracts.iter().enumerate() {
            if condemned[at] {
                continue;
            }
            let need = needs[at].iter().find(|name| !planner.is_sound(name));
            if draft.file.is_sound() && need.is_none() {
                continue;
            }
            if let Some(name) = need.filter(|_| draft.file.is_sound()) {
                depends(&draft.file, None, &name.to_string());
            }
            draft.tables.iter().for_each(|table| planner.condemn(&table.table.name));
            condemned[at] = true;
            changed = true;
        }
        if !changed {
            return;
        }
    }
}

fn depends(file: &File<'_>, span: Option<Span>, name: &str) {
    let message = format!("this is not used: it needs `{name}`, which has faults");
    let mut warning = Diagnostic::warning(file.path, "depends-on-invalid", message);
    warning.span = span;
    file.add(warning);
}

fn read_queries(files: &Files) -> Vec<QueryDraft<'_>> {
    let mut drafts: Vec<QueryDraft<'_>> = Vec::new();
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, text) in files {
        let kind = FOLDERS.iter().find(|(folder, _)| {
            path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        });
        let Some((_, kind)) = kind else { continue };
        let draft = header::read(path, text, *kind);
        match ids.get(draft.file.stem()) {
            Some(first) => twice(&draft.file, None, "query", draft.file.stem(), first),
            None => drop(ids.insert(draft.file.stem(), path)),
        }
        drafts.push(draft);
    }
    drafts
}

/// Plans all queries, each after what it reads; returns those that can be used, in build order.
fn settle_queries(
    drafts: &mut [QueryDraft<'_>],
    planner: &mut Planner,
    persons: &mut Persons,
) -> Vec<usize> {
    for draft in drafts.iter().filter(|draft| draft.query.kind == QueryKind::Mart) {
        if let Some(name) = draft.query.table() {
            planner.add(&name, None, false);
        }
    }
    let needs: Vec<BTreeSet<usize>> =
        drafts.iter().map(|draft| needed(draft, drafts).keys().copied().collect()).collect();
    let order = order::sort(&needs);
    for cycle in &order.cycles {
        report_cycle(drafts, cycle);
    }
    for &at in &order.behind {
        if let Some((needed, span)) = needed(&drafts[at], drafts).into_iter().next() {
            depends(&drafts[at].file, Some(span), &name_of(&drafts[needed].query));
        }
    }
    let stuck = order.cycles.iter().flatten().chain(&order.behind);
    stuck.for_each(|&at| condemn_result(&drafts[at].query, planner));
    let mut sound = Vec::new();
    for at in order.sorted {
        let reads = planner.resolve(&drafts[at].file, &drafts[at].mentions, false);
        if settle_query(at, &mut drafts[at], reads, (planner, persons)) {
            sound.push(at);
        } else {
            condemn_result(&drafts[at].query, planner);
        }
    }
    drop_sisters(drafts, &mut sound, persons);
    sound
}

/// Takes out queries whose totals others show, and what reads them.
fn drop_sisters(drafts: &[QueryDraft<'_>], sound: &mut Vec<usize>, persons: &Persons) {
    let mut dropped = persons.check_sisters(drafts);
    if dropped.is_empty() {
        return;
    }
    // In build order: what reads comes after what it reads.
    sound.retain(|&at| {
        let reads = needed(&drafts[at], drafts).into_iter().find(|(on, _)| dropped.contains(on));
        if let Some((on, span)) = reads {
            depends(&drafts[at].file, Some(span), &name_of(&drafts[on].query));
            dropped.insert(at);
        }
        !dropped.contains(&at)
    });
}

/// What reads all indicators must not be made, or published, while one is missing.
fn condemn_result(query: &Query, planner: &mut Planner) {
    if query.kind == QueryKind::Indicator {
        for name in ["gia_tri", "ca_nuoc"] {
            planner.condemn(&TableName::new(Schema::ChiTieu, name).expect("a plain name"));
        }
    }
}

/// The queries that must run before `draft`, and where it names them.
fn needed(draft: &QueryDraft<'_>, drafts: &[QueryDraft<'_>]) -> BTreeMap<usize, Span> {
    let mut needed = BTreeMap::new();
    let mut add = |found: &dyn Fn(&Query) -> bool, span: &Span| {
        for (at, _) in drafts.iter().enumerate().filter(|(_, other)| found(&other.query)) {
            needed.entry(at).or_insert_with(|| span.clone());
        }
    };
    let indicator = |query: &Query| query.kind == QueryKind::Indicator;
    for (reference, span) in &draft.mentions.tables {
        let Ok(name) = reference.to_string().parse::<TableName>() else { continue };
        match name.schema() {
            Schema::Kho => add(&|query| query.table().as_ref() == Some(&name), span),
            Schema::ChiTieu if name.name() != "dinh_nghia" => add(&indicator, span),
            _ => {}
        }
    }
    for (_, span) in draft.mentions.functions.iter().filter(|(name, _)| name == ON_BOUNDARIES) {
        add(&indicator, span);
    }
    needed
}

fn name_of(query: &Query) -> String {
    match query.kind {
        QueryKind::Mart => query.table().map_or_else(|| query.id.clone(), |name| name.to_string()),
        QueryKind::Indicator | QueryKind::OpenData => query.id.clone(),
    }
}

fn report_cycle(drafts: &[QueryDraft<'_>], cycle: &[usize]) {
    let first = &drafts[cycle[0]];
    let next = cycle.get(1).unwrap_or(&cycle[0]);
    let names: Vec<String> =
        cycle.iter().chain([&cycle[0]]).map(|&at| name_of(&drafts[at].query)).collect();
    let span = needed(first, drafts).remove(next);
    let message = format!("these queries read each other in a circle: {}", names.join(" → "));
    let help = if cycle.len() == 1 && first.query.kind == QueryKind::Indicator {
        "an indicator cannot read the table of indicators that it fills"
    } else {
        "take what they share into a query of its own"
    };
    first.file.fault(span, "cycle", message, help.to_owned());
}

/// Plans one query and compares it with its header; returns whether it can be used.
fn settle_query(
    at: usize,
    draft: &mut QueryDraft<'_>,
    reads: Reads,
    (planner, persons): (&mut Planner, &mut Persons),
) -> bool {
    let planned = draft
        .statement
        .as_ref()
        .filter(|_| reads.exist && reads.plannable)
        .and_then(|statement| planner.plan(&draft.file, &draft.text, statement));
    if let Some((name, span)) = &reads.unsound {
        depends(&draft.file, Some(span.clone()), &name.to_string());
    }
    let mut schema = planned.as_ref().map(|planned| planned.schema.clone());
    draft.query.reads.clone_from(&reads.tables);
    persons.check(draft);
    if let (Some(planned), Some(schema)) = (&planned, &mut schema) {
        result::compare(draft, schema);
        let flows = planner.follow(&draft.query, planned);
        // Of what reads a faulty query, only that is told.
        if reads.unsound.is_none() {
            result::check_free_text(draft, schema, &flows);
            result::check_unit_codes(draft, schema, &flows);
        }
        let flows = planner.follow_persons(&draft.query, planned);
        persons.note(at, draft, schema, &flows);
        *schema = smallest::with_note(draft, schema);
        let reach = Reach::LoadedAnd(&reads.tables);
        let read = planner.plan_checks(&draft.file, &draft.header.checks, schema, reach);
        persons.check_reads_of_checks(draft, &read);
        draft.query.schema = schema.clone();
    }
    let usable = schema.is_some() && draft.file.is_sound() && reads.unsound.is_none();
    if let Some(name) = draft.query.table().filter(|name| name.schema() == Schema::Kho) {
        planner.add(&name, schema, usable);
    }
    usable
}
