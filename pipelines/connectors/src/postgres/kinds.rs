//! Which of the server's types can be read, and as what.

use arrow::datatypes::{DataType, TimeUnit};

/// A type of the server that has a place in Arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Bool,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Uuid,
    /// Text that a span may compare.
    Text,
    /// Text with blanks behind it that mean nothing.
    Padded,
    /// One byte of text.
    Char,
    Jsonb,
    /// What arrives as text and is something else: enums, JSON, XML, names.
    Label,
}

impl Kind {
    /// The kind of a base type, by what `pg_type` says of it: its number, name and sort.
    pub(super) fn of(oid: u32, name: &str, sort: &str) -> Option<Self> {
        Some(match oid {
            16 => Self::Bool,
            18 => Self::Char,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            25 | 1043 => Self::Text,
            26 => Self::Oid,
            19 | 114 | 142 => Self::Label,
            700 => Self::Float4,
            701 => Self::Float8,
            1042 => Self::Padded,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::Timestamptz,
            1700 => Self::Numeric,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ if sort == "e" => Self::Label,
            // An extension's types have other numbers in each database.
            _ if sort == "b" && name == "citext" => Self::Text,
            _ => return None,
        })
    }

    /// What it is in Arrow.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Int2 | Self::Int4 | Self::Int8 | Self::Oid => DataType::Int64,
            Self::Float4 | Self::Float8 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Numeric
            | Self::Time
            | Self::Uuid
            | Self::Text
            | Self::Padded
            | Self::Char
            | Self::Jsonb
            | Self::Label => DataType::Utf8,
        }
    }
}
