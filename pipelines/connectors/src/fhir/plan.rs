//! What is wanted of each resource: its type, and the paths of the columns.

use std::borrow::Cow;
use std::sync::Arc;

use super::json::Json;
use super::lines::gone;
use super::path::Path;
use crate::{Request, SourceError};

/// The column that tells whether the resource is gone.
const DELETED: &str = "@deleted";

/// A type and the columns.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) resource: String,
    columns: Arc<[(String, Cell)]>,
}

#[derive(Debug)]
enum Cell {
    At(Path),
    Deleted,
}

impl Plan {
    /// # Errors
    /// When the setting `resource` or a column is not usable.
    pub(super) fn new(request: &Request) -> Result<Self, SourceError> {
        let setting = |setting: &str, what: &str| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        let resource = request.setting("resource", "").to_owned();
        let begins = resource.starts_with(|c: char| c.is_ascii_uppercase());
        if !begins || !resource.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(setting("resource", "must be a type of resource, such as `Encounter`"));
        }
        let compile = |column: &String| match Path::parse(column) {
            _ if column == DELETED => Ok((column.clone(), Cell::Deleted)),
            Ok(path) => Ok((column.clone(), Cell::At(path))),
            Err(what) => Err(setting(column, what)),
        };
        let columns = request.columns.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Self { resource, columns })
    }

    /// The columns' names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Gives the cells of a resource to `push`; what is wrong with it otherwise.
    pub(super) fn resource(
        &self,
        resource: &Json<'_>,
        mut push: impl FnMut(Vec<Option<Cow<'_, str>>>),
    ) -> Result<(), String> {
        if !is_of(resource, &self.resource) {
            let own = &self.resource;
            return Err(format!(
                "it is no {own}; name the files of that type alone, or the right `resource`"
            ));
        }
        push(self.cells(resource, "false")?);
        Ok(())
    }

    /// Gives a row for each resource of the wanted type that a bundle says is gone to `push`; what
    /// is wrong with the bundle otherwise.
    pub(super) fn deletions(
        &self,
        bundle: &Json<'_>,
        at: Option<&str>,
        mut push: impl FnMut(Vec<Option<Cow<'_, str>>>),
    ) -> Result<(), String> {
        let entries = match bundle.member("entry") {
            Some(Json::Array(entries)) if is_of(bundle, "Bundle") => entries.as_slice(),
            None if is_of(bundle, "Bundle") => &[],
            _ => return Err("it is no Bundle, as deletions come in".to_owned()),
        };
        for entry in entries {
            let Some((resource, id)) = gone(entry) else {
                return Err("an entry of the bundle does not name what was deleted".to_owned());
            };
            if resource != self.resource {
                continue;
            }
            if !self.columns.iter().any(|(_, cell)| matches!(cell, Cell::Deleted)) {
                return Err(format!(
                    "it names a {resource} that was deleted, and the contract has no column \
                     `{DELETED}`; read it, or write `deleted = \"ignore\"` to keep such rows"
                ));
            }
            let text = |text: &'_ str| Json::String(Cow::Owned(text.to_owned()));
            let written = at.map_or(Json::Null, text);
            let stands_for_it = Json::Object(vec![
                ("resourceType".into(), text(resource)),
                ("id".into(), text(id)),
                ("meta".into(), Json::Object(vec![("lastUpdated".into(), written)])),
            ]);
            push(self.cells(&stands_for_it, "true")?);
        }
        Ok(())
    }

    fn cells<'a>(
        &self,
        resource: &'a Json<'a>,
        deleted: &'a str,
    ) -> Result<Vec<Option<Cow<'a, str>>>, String> {
        let cell = |(name, cell): &(String, Cell)| match cell {
            Cell::Deleted => Ok(Some(Cow::Borrowed(deleted))),
            Cell::At(path) => {
                path.cell(resource).map_err(|what| format!("the path `{name}` {what}"))
            }
        };
        self.columns.iter().map(cell).collect()
    }
}

fn is_of(resource: &Json<'_>, ty: &str) -> bool {
    matches!(resource.member("resourceType"), Some(Json::String(own)) if own == ty)
}
