//! People who may log in with a password: those whom the configuration lists, and the accounts of
//! the state room. A configured user wins over an account of the same name.
//!
//! What is kept is what SCRAM-SHA-256 needs, never the password: `ITERATIONS:SALT:SALTED` in hex.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use datafusion_postgres::pgwire::api::auth::sasl::scram::gen_salted_password;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{Mutex, Semaphore};

use crate::access::Principal;
use crate::state::{State, StateError};

/// Rounds of PBKDF2; PostgreSQL's own default.
const ITERATIONS: usize = 4096;

/// A user's stored secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub(super) salt: Vec<u8>,
    pub(super) salted: Vec<u8>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a stored secret cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the secret is not of the form 4096:SALT:SALTED in hex; make one with `khoyte password`")]
pub struct SecretError;

impl Secret {
    /// The secret of `password` under `salt`, which should be 16 random bytes.
    pub fn derive(password: &str, salt: &[u8]) -> Self {
        Self { salt: salt.to_vec(), salted: gen_salted_password(password, salt, ITERATIONS) }
    }

    /// Whether `password` is the one. Takes as long for a wrong one as for the right one.
    pub fn matches(&self, password: &str) -> bool {
        let typed = gen_salted_password(password, &self.salt, ITERATIONS);
        typed.ct_eq(&self.salted).into()
    }

    /// The form that a configuration holds.
    pub fn encode(&self) -> String {
        format!("{ITERATIONS}:{}:{}", hex(&self.salt), hex(&self.salted))
    }

    /// Reads [`Self::encode`]'s form.
    ///
    /// # Errors
    /// When the text is of another form.
    pub fn decode(text: &str) -> Result<Self, SecretError> {
        let mut parts = text.split(':');
        let (rounds, salt, salted) = (parts.next(), parts.next(), parts.next());
        let rounds: usize = rounds.and_then(|r| r.parse().ok()).ok_or(SecretError)?;
        let salt = salt.and_then(unhex).ok_or(SecretError)?;
        let salted = salted.and_then(unhex).ok_or(SecretError)?;
        if rounds != ITERATIONS || salt.is_empty() || salted.len() != 32 || parts.next().is_some() {
            return Err(SecretError);
        }
        Ok(Self { salt, salted })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// What came of a name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogIn {
    /// Who it is.
    In(Principal),
    /// No such name, or not its password: which of the two is not told.
    Wrong,
    /// No password is taken for that name until then, the right one included.
    Locked(DateTime<Utc>),
}

/// Log-ins that wait for one another are those of names that share one of these.
const TURNS: usize = 256;

/// Passwords that are worked on at the same time.
const AT_ONCE: usize = 4;

/// The people whom the configuration lists, by name.
type Listed = Arc<BTreeMap<String, (Principal, Secret)>>;

/// All who may log in; cheap to clone.
#[derive(Clone)]
pub struct Users {
    configured: Arc<RwLock<Listed>>,
    state: State,
    /// Random bytes of the state room.
    key: Arc<str>,
    turns: Arc<Turns>,
}

struct Turns {
    hasher: RandomState,
    /// One log-in of a name at a time: a thousand guesses at once would else all be made before
    /// the first failure is counted.
    names: Vec<Mutex<()>>,
    passwords: Semaphore,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

impl Users {
    /// The users that the configuration lists, and the accounts of the state room.
    ///
    /// # Errors
    /// When the state room cannot be read.
    pub async fn new(
        configured: Vec<(Principal, Secret)>,
        state: State,
    ) -> Result<Self, StateError> {
        let turns = Turns {
            hasher: RandomState::new(),
            names: (0..TURNS).map(|_| Mutex::default()).collect(),
            passwords: Semaphore::new(AT_ONCE),
        };
        Ok(Self {
            configured: Arc::new(RwLock::new(by_name(configured))),
            key: state.nobody_key().await?.into(),
            state,
            turns: Arc::new(turns),
        })
    }

    /// Lists these people in the place of those whom the configuration listed before.
    pub(super) fn list(&self, configured: Vec<(Principal, Secret)>) {
        let mut listed = self.configured.write().unwrap_or_else(PoisonError::into_inner);
        *listed = by_name(configured);
    }

    fn listed(&self, name: &str) -> Option<(Principal, Secret)> {
        let listed = self.configured.read().unwrap_or_else(PoisonError::into_inner);
        listed.get(name).cloned()
    }

    /// Who `name` is, and what a password is compared with.
    ///
    /// # Errors
    /// When the name is not configured and the accounts cannot be read.
    pub async fn find(&self, name: &str) -> Result<Option<(Principal, Secret)>, StateError> {
        if let Some(configured) = self.listed(name) {
            return Ok(Some(configured));
        }
        let account = self.state.account(name).await?;
        Ok(account.map(|account| (account.principal, account.secret)))
    }

    /// What comes of a log-in of which another protocol has found whether the password is right:
    /// counted as [`Self::verify`] counts, and false for a name that is locked.
    ///
    /// # Errors
    /// When the state room cannot be read or written: then nobody is let in.
    pub async fn settle(&self, name: &str, right: bool) -> Result<bool, StateError> {
        let at = self.turns.hasher.hash_one(name) as usize % TURNS;
        let _turn = self.turns.names[at].lock().await;
        if self.state.locked_until(name).await?.is_some() {
            return Ok(false);
        }
        if right {
            self.state.log_in_succeeded(name).await?;
        } else {
            self.state.log_in_failed(name).await?;
        }
        Ok(right)
    }

    /// Lets in whoever gives the name and its password. Wrong ones are counted, and lock the name
    /// for a while; an unknown name takes as long and is locked as a known one.
    ///
    /// # Errors
    /// When the state room cannot be read or written: then nobody is let in.
    pub async fn verify(&self, name: &str, password: &str) -> Result<LogIn, StateError> {
        let at = self.turns.hasher.hash_one(name) as usize % TURNS;
        let _turn = self.turns.names[at].lock().await;
        if let Some(until) = self.state.locked_until(name).await? {
            return Ok(LogIn::Locked(until));
        }
        // Asked for a configured name too, which would else be answered sooner than others.
        let account = self.state.account(name).await?;
        let account = account.map(|account| (account.principal, account.secret));
        let (principal, secret) = match self.listed(name).or(account) {
            Some((principal, secret)) => (Some(principal), secret),
            None => (None, self.of_nobody(name)),
        };
        // Before who it is matters: nobody's takes as long.
        let right = self.matches(secret, password).await?;
        match principal.filter(|_| right) {
            Some(principal) => {
                self.state.log_in_succeeded(name).await?;
                Ok(LogIn::In(principal))
            }
            None => {
                self.state.log_in_failed(name).await?;
                Ok(LogIn::Wrong)
            }
        }
    }

    /// Rounds of hashing, apart from the threads that serve.
    async fn matches(&self, secret: Secret, password: &str) -> Result<bool, StateError> {
        let password = password.to_owned();
        // The semaphore is never closed.
        let _permit = self.turns.passwords.acquire().await.map_err(|_| StateError::Stopped)?;
        let work = tokio::task::spawn_blocking(move || secret.matches(&password));
        work.await.map_err(|_| StateError::Stopped)
    }

    /// The secret of a name that nobody has: one that no password gives, always the same for the
    /// same name, so that from outside it cannot be told from a known one.
    pub fn of_nobody(&self, name: &str) -> Secret {
        let derive = |purpose: &[u8]| {
            let parts = [self.key.as_bytes(), purpose, name.as_bytes()];
            let digest = parts.iter().fold(Sha256::new(), |hasher, part| hasher.chain_update(part));
            digest.finalize().to_vec()
        };
        let mut salt = derive(b"salt");
        salt.truncate(16);
        Secret { salt, salted: derive(b"salted") }
    }
}

fn by_name(people: Vec<(Principal, Secret)>) -> Listed {
    let named = people.into_iter().map(|person| (person.0.name.clone(), person));
    Arc::new(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_own_form_and_shows_nothing() {
        let secret = Secret::derive("bí mật", &[7; 16]);
        assert_eq!(Secret::decode(&secret.encode()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(Secret::decode("bí mật"), Err(SecretError));
    }
}
