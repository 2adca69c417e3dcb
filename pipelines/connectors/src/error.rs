//! Why a source could not be read. No variant keeps what a parser or a server said: it may quote a
//! cell. What is told is where, what, and what to do.

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or folder cannot be opened or read.
    #[error("the file {place} cannot be read")]
    Read {
        /// Path below the sources' folder.
        place: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are not of the declared form.
    #[error("{place} is not valid {format} {at}: {what}")]
    Malformed {
        /// File, relation or address below the server.
        place: String,
        /// `CSV`, `Parquet`, `XML`, `XLSX`, `JSON`, …
        format: &'static str,
        /// Where in it: `near row 7`, `in record 12, table 2, line 40`.
        at: String,
        /// What is wrong, in words that quote nothing.
        what: String,
    },
    /// A bound that keeps a source from taking the machine down was passed.
    #[error("{place} {what}; the bound is {bound}")]
    Bound {
        /// File, relation or address below the server.
        place: String,
        /// What passed it: `unpacks to more than it may`.
        what: &'static str,
        /// The bound, with its unit.
        bound: String,
    },
    /// A column that the contract reads is not there.
    #[error("{place} has no column `{column}`, which the contract reads")]
    MissingColumn {
        /// File, relation or address below the server.
        place: String,
        /// The column.
        column: String,
    },
    /// A column is there twice, so that nobody can say which is meant.
    #[error("{place} has the column `{column}` more than once")]
    DoubledColumn {
        /// File, relation or address below the server.
        place: String,
        /// The column.
        column: String,
    },
    /// The content changed while it was read.
    #[error("{place} changed while it was read; the next night reads it again")]
    Changed {
        /// File or folder.
        place: String,
    },
    /// The server cannot be reached, or lets us not in.
    #[error("the server {server} {what}: {remedy}")]
    Server {
        /// Host and port, never a user or a password.
        server: String,
        /// What it did: `does not answer`, `refused the log-in`.
        what: &'static str,
        /// What an operator can do.
        remedy: String,
    },
    /// The server answered, and something of the table is missing.
    #[error("the server {server} does not give {place}: {what}; {remedy}")]
    Refused {
        /// Host and port.
        server: String,
        /// Relation or path.
        place: String,
        /// What is missing, with the server's own code: `no right to read (SQLSTATE 42501)`.
        what: String,
        /// What an operator can do.
        remedy: String,
    },
    /// A setting of the contract or the configuration is not usable.
    #[error("{place}: the setting `{setting}` {what}")]
    Setting {
        /// Relation, file or server.
        place: String,
        /// Its name.
        setting: String,
        /// What is wrong with it and what is allowed.
        what: String,
    },
    /// A secret is not to be had.
    #[error(transparent)]
    Secret(#[from] crate::SecretError),
}
