//! `khoyte sql`: one query through the one door, in the form that the reader wants.

use std::io::Write;

use anyhow::Context;
use arrow::array::RecordBatch;
use clap::ValueEnum;
use warehouse::access::Principal;
use warehouse::names::Lang;
use warehouse::query::{Answer, ErrorKind, QueryError, Via};

use super::{CommandLine, Exit, House, open_state};
use crate::report::Reporter;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The statement
    query: String,
    /// Run as this user, or as `public` [default: the operator, who sees everything]
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: Option<String>,
    /// Form of the result [default: table, json with --log-json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, for people
    Table,
    /// Comma-separated, UTF-8, with a header
    Csv,
    /// One JSON object a line
    Json,
    /// Arrow IPC stream
    Arrow,
    /// Apache Parquet
    Parquet,
}

/// Rows that a table on a terminal shows at most; the other forms show all.
const TABLE_ROWS: usize = 10_000;

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let house = match House::open_to_read(line.config()?, out)? {
        Ok(house) => house,
        Err(exit) => return Ok(exit),
    };
    let Some(principal) = principal(&house, args.principal.as_deref()).await? else {
        let name = args.principal.as_deref().unwrap_or_default();
        out.fail(&format!("khoyte: there is no user `{name}`; `khoyte user list` shows them"));
        return Ok(Exit::Usage);
    };
    show(&house, &principal, &args.query, args.format, out).await
}

/// Runs a query and prints what comes of it.
pub(super) async fn show(
    house: &House,
    principal: &Principal,
    query: &str,
    format: Option<Format>,
    out: &Reporter,
) -> anyhow::Result<Exit> {
    let format = format.unwrap_or(if out.is_json() { Format::Json } else { Format::Table });
    let state = open_state(&house.config).await?;
    let warehouse = house.warehouse.clone().with_state(state.clone());
    let written = match warehouse.door(principal, Via::CommandLine).ask(query).await {
        Ok(answer) => write(answer, format, out).await?,
        Err(error) => Err(error),
    };
    state.flush().await?;
    Ok(match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            out.fail(&format!("khoyte: {error} (SQLSTATE {})", error.sqlstate()));
            if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable) {
                // Whoever runs this reads the lake itself: nothing is internal to them.
                for cause in anyhow::Chain::new(&error).skip(1) {
                    out.fail(&format!("  because {cause}"));
                }
            }
            match error.kind() {
                ErrorKind::Syntax | ErrorKind::NotFound | ErrorKind::TooComplex => Exit::Usage,
                ErrorKind::ReadOnly => Exit::Refused,
                _ => Exit::Failed,
            }
        }
    })
}

async fn principal(house: &House, name: Option<&str>) -> anyhow::Result<Option<Principal>> {
    Ok(match name {
        None => Some(Principal::operator("operator")),
        Some("public") => Some(Principal::public()),
        Some(name) => house.users().await?.find(name).await?.map(|(principal, _)| principal),
    })
}

async fn write(
    mut answer: Answer,
    format: Format,
    out: &Reporter,
) -> anyhow::Result<Result<(), QueryError>> {
    if format == Format::Table {
        return Ok(match answer.grid(TABLE_ROWS).await {
            Ok(grid) => {
                out.print(&crate::report::table(&grid, Lang::En));
                Ok(())
            }
            Err(error) => Err(error),
        });
    }
    let schema = answer.schema();
    let mut sink = Sink::new(format, &schema, out).context("cannot write the result")?;
    loop {
        match answer.next().await {
            Ok(Some(batch)) => sink.write(&batch).context("cannot write the result")?,
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        }
    }
    sink.finish().context("cannot write the result")?;
    Ok(Ok(()))
}

type Out = Box<dyn Write + Send>;

enum Sink {
    Csv(arrow::csv::Writer<Out>),
    Json(arrow::json::LineDelimitedWriter<Out>),
    Arrow(arrow::ipc::writer::StreamWriter<Out>),
    Parquet(parquet::arrow::ArrowWriter<Out>),
}

impl Sink {
    fn new(
        format: Format,
        schema: &arrow::datatypes::SchemaRef,
        out: &Reporter,
    ) -> anyhow::Result<Self> {
        let writer: Out = Box::new(out.writer());
        Ok(match format {
            Format::Json => Self::Json(arrow::json::LineDelimitedWriter::new(writer)),
            Format::Arrow => {
                Self::Arrow(arrow::ipc::writer::StreamWriter::try_new(writer, schema)?)
            }
            Format::Parquet => {
                let schema = std::sync::Arc::clone(schema);
                Self::Parquet(parquet::arrow::ArrowWriter::try_new(writer, schema, None)?)
            }
            Format::Csv | Format::Table => {
                let mut csv = arrow::csv::Writer::new(writer);
                // The header stands even over no rows.
                csv.write(&RecordBatch::new_empty(std::sync::Arc::clone(schema)))?;
                Self::Csv(csv)
            }
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Self::Csv(writer) => writer.write(batch)?,
            Self::Json(writer) => writer.write(batch)?,
            Self::Arrow(writer) => writer.write(batch)?,
            Self::Parquet(writer) => writer.write(batch)?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Csv(writer) => writer.into_inner().flush()?,
            Self::Json(mut writer) => writer.finish()?,
            Self::Arrow(mut writer) => writer.finish()?,
            Self::Parquet(writer) => {
                writer.close()?;
            }
        }
        Ok(())
    }
}
