//! Why something failed, in words that cannot hold a value: the names of the errors' variants from
//! the outermost to the innermost. What errors say of themselves quotes cells, literals and paths.

use std::error::Error;
use std::io;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use deltalake_core::DeltaTableError;
use parquet::errors::ParquetError;

use crate::stage::StageError;
use crate::store::StoreError;

/// `External/Read/ObjectStore/NotFound`.
pub(super) fn of(error: &DataFusionError) -> String {
    let mut names = Vec::new();
    let mut at: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = at {
        names.extend(name(error));
        at = inside(error).or_else(|| error.source());
    }
    names.join("/")
}

/// What is boxed or shared is no cause of its own to `source`.
fn inside<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<DataFusionError>()? {
        DataFusionError::External(inner) => Some(inner.as_ref()),
        DataFusionError::Shared(inner) => Some(inner.as_ref()),
        _ => None,
    }
}

/// The name of an error's variant, for errors that are written as enumerations are.
fn name(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return Some(error.kind().to_string());
    }
    let shown = if let Some(error) = error.downcast_ref::<DataFusionError>() {
        format!("{error:?}")
    } else if let Some(error) = error.downcast_ref::<ArrowError>() {
        format!("{error:?}")
    } else if let Some(error) = error.downcast_ref::<ParquetError>() {
        format!("{error:?}")
    } else if let Some(error) = error.downcast_ref::<object_store::Error>() {
        format!("{error:?}")
    } else if let Some(error) = error.downcast_ref::<DeltaTableError>() {
        format!("{error:?}")
    } else if let Some(error) = error.downcast_ref::<StoreError>() {
        format!("{error:?}")
    } else if let Some(error) = error.downcast_ref::<StageError>() {
        format!("{error:?}")
    } else {
        return None;
    };
    let end = shown.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(shown.len());
    Some(shown[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_names_what_failed_and_quotes_nothing() {
        let cell = "079203001234";
        let parse = ArrowError::ParseError(cell.to_owned());
        let error = DataFusionError::ArrowError(Box::new(parse), None);
        assert_eq!(of(&error), "ArrowError/ParseError");
        let error = io::Error::new(io::ErrorKind::PermissionDenied, cell);
        let error = DataFusionError::External(Box::new(error));
        assert_eq!(of(&error), "External/permission denied");
    }
}
