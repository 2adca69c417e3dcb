//! Writing made-up rows to a relation of our own: `COPY` into a temporary table, then in one
//! transaction out with the rows of the same key and in with the new ones.

use std::pin::Pin;

use bytes::Bytes;
use futures::SinkExt as _;
use tokio_postgres::CopyInSink;
use tokio_postgres::types::Type;

use super::Server;
use super::connection::{Access, Link, in_time};
use super::faults::{self, Trouble};
use super::relation::quote;
use crate::SourceError;
use crate::fill::{Cells, Holds, MARK, Target};

/// Bytes that go in one message.
const CHUNK: usize = 1 << 18;

/// The temporary table.
const STAGE: &str = "pg_temp.khoyte_moi";

/// Makes the relation where it is not there, and puts the rows in the place of those of the same
/// key, all or none. Returns how many there were.
///
/// # Errors
/// When the server cannot be reached, lacks a right, or has a relation of that name that was not
/// made here.
pub async fn fill(
    server: &Server,
    target: Target<'_>,
    rows: impl Iterator<Item = Cells>,
) -> Result<u64, SourceError> {
    let access = Access::new(server).await?;
    let mut link = access.connect().await?;
    let relation = Relation::of(target.relation)?;
    let told = |why| failed(&access.server, target.relation, why);
    link.run("BEGIN").await.map_err(told)?;
    make(&mut link, &relation, target).await?;
    let quoted = relation.quoted();
    let stage = format!("CREATE TEMPORARY TABLE khoyte_moi (LIKE {quoted}) ON COMMIT DROP");
    link.run(&stage).await.map_err(told)?;
    let names = names(target);
    let sink = link.copy_in(&format!("COPY {STAGE} ({names}) FROM STDIN")).await.map_err(told)?;
    let count = send(&mut link, Box::pin(sink), rows).await.map_err(told)?;
    let same = target.key.iter().map(|name| format!("cu.{0} = moi.{0}", quote(name)));
    let same: Vec<String> = same.collect();
    if !same.is_empty() {
        let same = same.join(" AND ");
        let delete = format!("DELETE FROM {quoted} AS cu USING {STAGE} AS moi WHERE {same}");
        link.run(&delete).await.map_err(told)?;
    }
    if !target.is_gone {
        let insert = format!("INSERT INTO {quoted} ({names}) SELECT {names} FROM {STAGE}");
        link.run(&insert).await.map_err(told)?;
    }
    link.run("COMMIT").await.map_err(told)?;
    Ok(count)
}

/// A relation by its two names.
struct Relation {
    schema: String,
    name: String,
}

impl Relation {
    fn of(place: &str) -> Result<Self, SourceError> {
        match place.split_once('.') {
            Some((schema, name)) if !schema.is_empty() && !name.is_empty() => {
                Ok(Self { schema: schema.to_owned(), name: name.to_owned() })
            }
            _ => Err(SourceError::Setting {
                place: place.to_owned(),
                setting: "relation".to_owned(),
                what: "must be `schema.relation`".to_owned(),
            }),
        }
    }

    fn quoted(&self) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.name))
    }
}

/// Refuses a relation that is not ours; makes one where there is none.
async fn make(link: &mut Link, relation: &Relation, target: Target<'_>) -> Result<(), SourceError> {
    let server = link.server.clone();
    let told = |why| failed(&server, target.relation, why);
    let parameters = [
        (&relation.schema as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT),
        (&relation.name as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT),
    ];
    let there = "SELECT pg_catalog.obj_description(c.oid, 'pg_class') = $3 AND c.relkind = 'r' \
                 FROM pg_catalog.pg_class AS c \
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                 WHERE n.nspname = $1 AND c.relname = $2";
    let mut all = parameters.to_vec();
    all.push((&MARK as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT));
    let found = link.query(there, &all).await.map_err(told)?;
    if let Some(row) = found.first() {
        let ours: Option<bool> = row.try_get(0).ok().flatten();
        return if ours == Some(true) { Ok(()) } else { Err(foreign(&server, target.relation)) };
    }
    let known = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
    let known = link.query(known, &parameters[..1]).await.map_err(told)?;
    if known.is_empty() {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", quote(&relation.schema));
        link.run(&sql).await.map_err(told)?;
    }
    let columns = target.columns.iter().map(|(name, holds)| {
        let ty = match holds {
            Holds::Text => "text".to_owned(),
            Holds::Whole => "bigint".to_owned(),
            Holds::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
            Holds::Day => "date".to_owned(),
            Holds::Instant => "timestamp with time zone".to_owned(),
            Holds::Truth => "boolean".to_owned(),
        };
        format!("{} {ty}", quote(name))
    });
    let columns: Vec<String> = columns.collect();
    let quoted = relation.quoted();
    let mut sql = format!(
        "CREATE TABLE {quoted} ({}); COMMENT ON TABLE {quoted} IS '{MARK}'",
        columns.join(", ")
    );
    if !target.key.is_empty() {
        let key: Vec<String> = target.key.iter().map(|name| quote(name)).collect();
        sql.push_str(&format!("; CREATE INDEX ON {quoted} ({})", key.join(", ")));
    }
    link.run(&sql).await.map_err(told)
}

fn names(target: Target<'_>) -> String {
    let names: Vec<String> = target.columns.iter().map(|(name, _)| quote(name)).collect();
    names.join(", ")
}

async fn send(
    link: &mut Link,
    mut sink: Pin<Box<CopyInSink<Bytes>>>,
    rows: impl Iterator<Item = Cells>,
) -> Result<u64, Trouble> {
    let patience = link.patience.idle;
    let mut buffer = Vec::with_capacity(CHUNK + 4096);
    let mut count = 0;
    for row in rows {
        line(&row, &mut buffer);
        count += 1;
        if buffer.len() >= CHUNK {
            let full = Bytes::from(std::mem::take(&mut buffer));
            in_time(patience, sink.as_mut().send(full)).await?;
        }
    }
    if !buffer.is_empty() {
        in_time(patience, sink.as_mut().send(Bytes::from(buffer))).await?;
    }
    in_time(patience, sink.as_mut().finish()).await?;
    link.rest();
    Ok(count)
}

/// A row in the text format of `COPY`.
fn line(row: &[Option<String>], out: &mut Vec<u8>) {
    for (at, cell) in row.iter().enumerate() {
        if at > 0 {
            out.push(b'\t');
        }
        let Some(cell) = cell else {
            out.extend_from_slice(b"\\N");
            continue;
        };
        for byte in cell.bytes() {
            match byte {
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                byte => out.push(byte),
            }
        }
    }
    out.push(b'\n');
}

fn foreign(server: &str, place: &str) -> SourceError {
    SourceError::Refused {
        server: server.to_owned(),
        place: place.to_owned(),
        what: "a relation of that name is there, and was not made by a simulation".to_owned(),
        remedy: "nothing was written to it; name a server without real data".to_owned(),
    }
}

fn failed(server: &str, place: &str, why: Trouble) -> SourceError {
    let refused = |what: String, remedy: &str| SourceError::Refused {
        server: server.to_owned(),
        place: place.to_owned(),
        what,
        remedy: remedy.to_owned(),
    };
    let code = match &why {
        Trouble::Told(error) => faults::code(error),
        Trouble::Silent => None,
    };
    match code.as_deref() {
        None => faults::reading(server, place, why),
        Some("42501") => refused(
            "no right to write made-up rows (SQLSTATE 42501)".to_owned(),
            "GRANT CREATE, TEMPORARY ON DATABASE to the user, at a server for trials",
        ),
        Some(code) => refused(
            format!("the made-up rows do not fit (SQLSTATE {code})"),
            "where the contract changed since the relation was made, drop the relation",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_what_would_end_it() {
        let mut out = Vec::new();
        line(&[Some("a\tb\\c\n".to_owned()), None, Some(String::new())], &mut out);
        assert_eq!(out, b"a\\tb\\\\c\\n\t\\N\t\n");
    }
}
