//! What the catalogue says of a relation: its columns, their types, and what we may read.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::connection::Link;
use super::faults;
use super::kinds::Kind;
use crate::SourceError;
use crate::fill::MARK;

/// The schema and, where it is there, the relation and whether its comment is the mark.
const RELATION: &str = "\
SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE'), c.oid,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class') = $3, false)
FROM pg_catalog.pg_namespace AS n
LEFT JOIN pg_catalog.pg_class AS c
  ON c.relnamespace = n.oid AND c.relname = $2 AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
WHERE n.nspname = $1";

/// Its columns; a domain is followed to what it is based on.
const COLUMNS: &str = "\
WITH RECURSIVE base AS (
  SELECT attname, attnum, atttypid AS declared, atttypid AS based
  FROM pg_catalog.pg_attribute
  WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT base.attname, base.attnum, base.declared, t.typbasetype
  FROM base JOIN pg_catalog.pg_type AS t ON t.oid = base.based AND t.typtype = 'd'
)
SELECT base.attname::text, t.oid, t.typname::text, t.typtype::text,
       pg_catalog.format_type(base.declared, NULL),
       pg_catalog.has_column_privilege($1, base.attnum, 'SELECT')
FROM base JOIN pg_catalog.pg_type AS t ON t.oid = base.based AND t.typtype <> 'd'";

/// A relation that is there.
pub(super) struct Relation {
    /// Host and port.
    server: String,
    /// As it was asked for.
    pub(super) place: String,
    /// As SQL names it.
    pub(super) quoted: String,
    /// Whether a simulation made it.
    pub(super) is_simulated: bool,
    columns: BTreeMap<String, Declared>,
}

struct Declared {
    kind: Option<Kind>,
    /// The type as the server writes it.
    ty: String,
    readable: bool,
}

/// Asks the catalogue.
///
/// # Errors
/// When the place names no relation, or one in a schema that we may not use.
pub(super) async fn look(link: &mut Link, place: &str) -> Result<Relation, SourceError> {
    let server = link.server.clone();
    let failed = |why| faults::reading(&server, place, why);
    let missing = |what: &str, remedy: String| SourceError::Refused {
        server: server.clone(),
        place: place.to_owned(),
        what: what.to_owned(),
        remedy,
    };
    let (schema, name) = split(place)?;
    let asked = [(&schema as _, Type::TEXT), (&name as _, Type::TEXT), (&MARK as _, Type::TEXT)];
    let found = link.query(RELATION, &asked).await.map_err(failed)?;
    let Some(found) = found.first() else {
        return Err(missing(
            "there is no such schema (SQLSTATE 3F000)",
            "correct the place of the contract: schema.relation, as the catalogue writes them"
                .to_owned(),
        ));
    };
    if !cell::<bool>(found, 0, &server)? {
        return Err(missing(
            "no right to use its schema (SQLSTATE 42501)",
            format!("GRANT USAGE ON SCHEMA {schema} to the user of the warehouse"),
        ));
    }
    let Some(oid) = cell::<Option<u32>>(found, 1, &server)? else {
        return Err(missing(
            "there was no such table or view at the source's instant (SQLSTATE 42P01)",
            "correct the place of the contract, or have it made".to_owned(),
        ));
    };
    let rows = link.query(COLUMNS, &[(&oid as _, Type::OID)]).await.map_err(failed)?;
    let mut columns = BTreeMap::new();
    for row in &rows {
        let (base, sort): (String, String) = (cell(row, 2, &server)?, cell(row, 3, &server)?);
        let declared = Declared {
            kind: Kind::of(cell(row, 1, &server)?, &base, &sort),
            ty: cell(row, 4, &server)?,
            readable: cell(row, 5, &server)?,
        };
        columns.insert(cell(row, 0, &server)?, declared);
    }
    let quoted = format!("{}.{}", quote(schema), quote(name));
    let is_simulated = cell(found, 2, &server)?;
    Ok(Relation { server, place: place.to_owned(), quoted, is_simulated, columns })
}

impl Relation {
    /// The kind of a column; `None` where there is no such column.
    ///
    /// # Errors
    /// When we may not read it, or its type has no place in Arrow.
    pub(super) fn kind(&self, column: &str) -> Result<Option<Kind>, SourceError> {
        let Some(declared) = self.columns.get(column) else { return Ok(None) };
        if !declared.readable {
            return Err(self.refused(
                format!("no right to read the column `{column}` (SQLSTATE 42501)"),
                format!("GRANT SELECT ON {} to the user of the warehouse", self.place),
            ));
        }
        match declared.kind {
            Some(kind) => Ok(Some(kind)),
            None => Err(self.refused(
                format!("the column `{column}` is of the type {}", declared.ty),
                "read a view that casts it to text or to a number".to_owned(),
            )),
        }
    }

    pub(super) fn refused(&self, what: String, remedy: String) -> SourceError {
        SourceError::Refused {
            server: self.server.clone(),
            place: self.place.clone(),
            what,
            remedy,
        }
    }
}

/// A cell of the catalogue's answer.
fn cell<'a, T: FromSql<'a>>(row: &'a Row, at: usize, server: &str) -> Result<T, SourceError> {
    row.try_get(at).map_err(|_| SourceError::Server {
        server: server.to_owned(),
        what: "has a catalogue of another form",
        remedy: "it has to be PostgreSQL".to_owned(),
    })
}

fn split(place: &str) -> Result<(&str, &str), SourceError> {
    match place.split_once('.') {
        Some((schema, name)) if !schema.is_empty() && !name.is_empty() => Ok((schema, name)),
        _ => Err(SourceError::Setting {
            place: place.to_owned(),
            setting: "place".to_owned(),
            what: "is not of the form schema.relation".to_owned(),
        }),
    }
}

/// A name as SQL takes it, whatever is in it.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quote("Ngày \"vào\"; --"), "\"Ngày \"\"vào\"\"; --\"");
    }
}
