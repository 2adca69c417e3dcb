//! Why a query failed, by kind; each protocol turns the kind into its own code once.

mod cause;

use std::time::Duration;

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use super::running::Stopped;
use crate::names::Lang;
use crate::store::StoreError;

const TOO_LARGE: &str =
    "the query needs more memory than it may have; ask for fewer rows or groups";

/// What kind of failure, which decides the SQLSTATE and the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not SQL that we read.
    Syntax,
    /// It names a table, column or function that is not there for this principal.
    NotFound,
    /// It would change something.
    ReadOnly,
    /// The data do not fit what was asked: a cast that fails, a division by zero.
    Data,
    /// It asks for something that the engine does not do.
    Unsupported,
    /// It is longer or deeper than what is planned at all.
    TooComplex,
    /// It needs more memory than it may have.
    TooLarge,
    /// It ran longer than it may.
    Timeout,
    /// Its reader wanted it no more.
    Cancelled,
    /// Too many others are waiting.
    Busy,
    /// The product is being stopped.
    ShuttingDown,
    /// The lake cannot be read at the moment.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// A failed query.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    kind: ErrorKind,
    sqlstate: &'static str,
    message: String,
    #[source]
    source: Option<Box<DataFusionError>>,
}

impl QueryError {
    fn new(kind: ErrorKind, sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { kind, sqlstate, message: message.into(), source: None }
    }

    pub(super) fn empty() -> Self {
        Self::new(ErrorKind::Syntax, "42601", "there is no statement")
    }

    pub(super) fn several() -> Self {
        Self::new(ErrorKind::Syntax, "42601", "send one statement at a time")
    }

    pub(crate) fn read_only() -> Self {
        let message = "the warehouse is read-only: SELECT, EXPLAIN and SHOW are the statements it \
                       answers";
        Self::new(ErrorKind::ReadOnly, "25006", message)
    }

    pub(super) fn unsupported(message: &str) -> Self {
        Self::new(ErrorKind::Unsupported, "0A000", message)
    }

    pub(super) fn too_complex(reason: &str) -> Self {
        let message = format!("the statement is too complex: {reason}");
        Self::new(ErrorKind::TooComplex, "54001", message)
    }

    pub(super) fn too_large() -> Self {
        Self::new(ErrorKind::TooLarge, "53200", TOO_LARGE)
    }

    pub(super) fn answer_too_large() -> Self {
        let message = "the answer is larger than what leaves at once; ask for fewer rows or \
                       columns";
        Self::new(ErrorKind::TooLarge, "54000", message)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "57014", "the query was cancelled")
    }

    pub(super) fn busy() -> Self {
        let message = "too many queries are waiting; try again in a moment";
        Self::new(ErrorKind::Busy, "53300", message)
    }

    pub(crate) fn shutting_down() -> Self {
        Self::new(ErrorKind::ShuttingDown, "57P01", "the server is shutting down")
    }

    pub(super) fn unaccounted() -> Self {
        let message = "the query cannot be accounted for, so it was not answered";
        Self::new(ErrorKind::Unavailable, "58030", message)
    }

    pub(super) fn panicked() -> Self {
        Self::new(ErrorKind::Internal, "XX000", "the query could not be answered")
    }

    pub(crate) fn timeout(limit: Duration) -> Self {
        let message = format!("the query was stopped after {:.0} s", limit.as_secs_f64());
        Self::new(ErrorKind::Timeout, "57014", message)
    }

    pub(super) fn syntax(error: ParserError) -> Self {
        Self::engine(DataFusionError::SQL(Box::new(error), None))
    }

    /// What the engine says, by what it means to whoever asked.
    pub(crate) fn engine(error: DataFusionError) -> Self {
        if find::<Stopped>(&error).is_some() {
            return Self::cancelled();
        }
        if let Some(fault) = find::<StoreError>(&error) {
            let message = fault.to_string();
            tracing::error!(cause = cause::of(&error), "{message}");
            let (kind, source) = (ErrorKind::Unavailable, Some(Box::new(error)));
            return Self { kind, sqlstate: "58030", message, source };
        }
        let (kind, sqlstate) = classify(&error);
        if kind == ErrorKind::Internal {
            tracing::error!(cause = cause::of(&error), "a query failed on our side");
        }
        let message = match kind {
            ErrorKind::Internal => "the query could not be answered".to_owned(),
            ErrorKind::TooLarge => TOO_LARGE.to_owned(),
            _ => first_line(&error),
        };
        Self { kind, sqlstate, message, source: Some(Box::new(error)) }
    }

    /// What kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// PostgreSQL's code for it.
    pub fn sqlstate(&self) -> &'static str {
        self.sqlstate
    }

    /// What a person is told, without internals.
    pub fn user_message(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.message.clone();
        }
        let what = match self.kind {
            ErrorKind::Syntax => "Câu lệnh SQL chưa đúng",
            ErrorKind::NotFound => "Không có bảng, cột hoặc hàm này, hoặc bạn không có quyền đọc",
            ErrorKind::ReadOnly => "Kho dữ liệu chỉ cho đọc: dùng SELECT, EXPLAIN hoặc SHOW",
            ErrorKind::Data => "Dữ liệu không phù hợp với phép tính",
            ErrorKind::Unsupported => "Hệ thống chưa hỗ trợ cú pháp này",
            ErrorKind::TooComplex => "Câu lệnh quá dài hoặc quá phức tạp; hãy chia nhỏ",
            ErrorKind::TooLarge => "Truy vấn cần quá nhiều bộ nhớ; hãy thu hẹp phạm vi",
            ErrorKind::Cancelled => "Truy vấn đã bị hủy",
            ErrorKind::Busy => "Đang có quá nhiều truy vấn chờ; hãy thử lại sau ít phút",
            ErrorKind::ShuttingDown => "Máy chủ đang dừng",
            ErrorKind::Timeout => "Truy vấn chạy quá thời gian cho phép và đã dừng",
            ErrorKind::Unavailable => "Kho dữ liệu tạm thời không đọc được; hãy thử lại sau",
            ErrorKind::Internal => "Hệ thống chưa trả lời được truy vấn này",
        };
        match self.kind {
            ErrorKind::Syntax | ErrorKind::NotFound | ErrorKind::Data | ErrorKind::Unsupported => {
                format!("{what}: {}", self.message)
            }
            _ => what.to_owned(),
        }
    }
}

/// A fault of that type, wherever in the chain it stands.
fn find<T: std::error::Error + 'static>(error: &DataFusionError) -> Option<&T> {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = at {
        let found = error.downcast_ref::<T>();
        if found.is_some() {
            return found;
        }
        // What is boxed or shared between partitions is no cause of its own to `source`.
        at = match error.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            _ => error.source(),
        };
    }
    None
}

fn classify(error: &DataFusionError) -> (ErrorKind, &'static str) {
    match error.find_root() {
        DataFusionError::SQL(..) => (ErrorKind::Syntax, "42601"),
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound { .. } => (ErrorKind::NotFound, "42703"),
            SchemaError::AmbiguousReference { .. } => (ErrorKind::Syntax, "42702"),
            SchemaError::DuplicateQualifiedField { .. }
            | SchemaError::DuplicateUnqualifiedField { .. } => (ErrorKind::Syntax, "42701"),
        },
        DataFusionError::Plan(text) if text.contains("table") && text.contains("not found") => {
            (ErrorKind::NotFound, "42P01")
        }
        DataFusionError::Plan(text) if text.contains("Invalid function") => {
            (ErrorKind::NotFound, "42883")
        }
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => {
            classify(inner)
        }
        DataFusionError::Plan(_) => (ErrorKind::Syntax, "42601"),
        DataFusionError::NotImplemented(_) => (ErrorKind::Unsupported, "0A000"),
        DataFusionError::ResourcesExhausted(_) => (ErrorKind::TooLarge, "53200"),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            datafusion::arrow::error::ArrowError::DivideByZero => (ErrorKind::Data, "22012"),
            _ => (ErrorKind::Data, "22000"),
        },
        // Constants are worked out while a plan is made.
        DataFusionError::Execution(_) => (ErrorKind::Data, "22000"),
        _ => (ErrorKind::Internal, "XX000"),
    }
}

/// The message without the engine's prefixes and its back-trace.
fn first_line(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let text = text.lines().next().unwrap_or_default();
    let known = [
        "Error during planning: ",
        "SQL error: ",
        "Schema error: ",
        "Arrow error: ",
        "Execution error: ",
        "This feature is not implemented: ",
    ];
    let text = known.iter().fold(text, |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    let text = text.strip_prefix("ParserError(\"").map_or(text, |t| t.trim_end_matches("\")"));
    text.to_owned()
}
