//! People who may connect with a password, as the configuration lists them.
//!
//! What is kept is what SCRAM-SHA-256 needs, never the password: `ITERATIONS:SALT:SALTED` in hex.

use std::collections::BTreeMap;

use datafusion_postgres::pgwire::api::auth::sasl::scram::gen_salted_password;

use crate::access::Principal;

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

/// All users, by name.
#[derive(Debug, Clone, Default)]
pub struct Users {
    users: BTreeMap<String, (Principal, Secret)>,
}

impl Users {
    /// Adds a user, in place of one of the same name.
    pub fn add(&mut self, principal: Principal, secret: Secret) {
        self.users.insert(principal.name.clone(), (principal, secret));
    }

    /// Who `name` is.
    pub fn principal(&self, name: &str) -> Option<&Principal> {
        self.users.get(name).map(|(principal, _)| principal)
    }

    pub(super) fn secret(&self, name: &str) -> Option<&Secret> {
        self.users.get(name).map(|(_, secret)| secret)
    }

    pub(super) fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.users.values().map(|(principal, _)| principal)
    }
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
