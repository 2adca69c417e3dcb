//! Secrets by reference: a declaration or a configuration says where a secret is, never what it is.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// How long a command may take to tell a secret.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file that its owner alone may read.
    File(PathBuf),
    /// The value of a variable of the environment, as the configuration read it.
    Value(Secret),
    /// What a command prints: the program and its arguments, without a shell.
    Command(Vec<String>),
}

/// A secret; it shows itself to nobody who does not ask for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that is at hand.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Why a secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Its file cannot be read.
    #[error("the secret's file {path} cannot be read")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner may read its file.
    #[error("others may read the secret's file {path}: chmod 600 {path}")]
    Open {
        /// The file.
        path: String,
    },
    /// Its command failed, took too long, or printed nothing.
    #[error("the command `{program}` told no secret: {what}")]
    Command {
        /// The program, without its arguments, which may hold what is nobody's business.
        program: String,
        /// What happened.
        what: &'static str,
    },
}

impl SecretPlace {
    /// Fetches the secret. A line end behind it is not part of it.
    ///
    /// # Errors
    /// When it is not to be had, or lies open.
    pub async fn fetch(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Value(secret) => Ok(secret.clone()),
            Self::File(path) => {
                let shown = path.display().to_string();
                let read = |source| SecretError::Read { path: shown.clone(), source };
                let mode = std::fs::metadata(path).map_err(read)?.mode();
                if mode & 0o077 != 0 {
                    return Err(SecretError::Open { path: shown });
                }
                let text = std::fs::read_to_string(path).map_err(read)?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            Self::Command(words) => tell(words).await,
        }
    }
}

async fn tell(words: &[String]) -> Result<Secret, SecretError> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |what| SecretError::Command { program: program.clone(), what };
    let mut command = tokio::process::Command::new(&program);
    command.args(words.iter().skip(1)).stdin(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true);
    let told = tokio::time::timeout(COMMAND_TIMEOUT, command.output()).await;
    let told = told.map_err(|_| failed("it did not end within 20 seconds"))?;
    let told = told.map_err(|_| failed("it cannot be started"))?;
    if !told.status.success() {
        return Err(failed("it failed"));
    }
    let text = String::from_utf8(told.stdout).map_err(|_| failed("what it printed is no text"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(failed("it printed nothing"));
    }
    Ok(Secret::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_secret_that_lies_open_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "s3cret\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let place = SecretPlace::File(path.clone());
        let error = place.fetch().await.unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains("s3cret"), "{error}");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(place.fetch().await.unwrap().reveal(), "s3cret");
    }

    #[tokio::test]
    async fn a_command_tells_or_is_said_to_have_failed() {
        let ask = |words: &[&str]| {
            SecretPlace::Command(words.iter().map(|word| (*word).to_owned()).collect())
        };
        assert_eq!(ask(&["echo", "s3cret"]).fetch().await.unwrap().reveal(), "s3cret");
        let error = ask(&["false", "s3cret"]).fetch().await.unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("s3cret".to_owned())), "(secret)");
    }
}
