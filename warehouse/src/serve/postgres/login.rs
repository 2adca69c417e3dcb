//! Log-in by SCRAM-SHA-256.
//!
//! A wrong password, a name that nobody has and a name that is locked are answered alike, and in
//! the same number of messages. Everything that is asked of [`Users`] is asked here.

use std::time::{Duration, Instant};

use datafusion_postgres::pgwire::api::auth::Password;
use datafusion_postgres::pgwire::api::auth::sasl::SCRAM_SHA_256_METHOD;
use datafusion_postgres::pgwire::api::auth::sasl::scram::ScramServerAuth;
use datafusion_postgres::pgwire::error::PgWireError;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::startup::Authentication;

use super::super::users::{Secret, Users};
use super::fault::{Fault, Result};
use super::incoming::{Incoming, LOST};
use super::messages::Body;
use super::outgoing::Outgoing;
use crate::access::Principal;

/// How long what is known of an account is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// Who is connected, asked again from time to time.
pub(super) struct Account {
    users: Users,
    pub(super) principal: Principal,
    secret: Secret,
    asked_at: Instant,
}

impl Account {
    pub(super) fn new(users: &Users, principal: Principal, secret: Secret) -> Self {
        Self { users: users.clone(), principal, secret, asked_at: Instant::now() }
    }

    /// Fails when the account is not there any more, or not the one that logged in: what was
    /// prepared under other rights must not run under these.
    pub(super) async fn still_stands(&mut self) -> Result<()> {
        if self.asked_at.elapsed() < BELIEVED {
            return Ok(());
        }
        let found = self.users.find(&self.principal.name).await.map_err(|_| unreadable(false))?;
        match found {
            Some((principal, secret)) if principal == self.principal && secret == self.secret => {
                self.asked_at = Instant::now();
                Ok(())
            }
            Some(_) => Err(Fault::fatal("57P01", "your account has changed; connect again").into()),
            None => Err(Fault::fatal("57P01", "your account was removed").into()),
        }
    }
}

/// Asks for the password of `name`.
pub(super) async fn log_in(
    users: &Users,
    name: &str,
    incoming: &mut Incoming,
    out: &mut Outgoing,
) -> Result<Account> {
    let mechanisms = Authentication::SASL(vec![SCRAM_SHA_256_METHOD.to_owned()]);
    say(out, mechanisms).await?;
    let first = heard(incoming).await?;
    let mut body = Body::new(&first);
    if body.text()? != SCRAM_SHA_256_METHOD {
        return Err(Fault::protocol("log in with SCRAM-SHA-256").into());
    }
    let length = usize::try_from(body.number()?);
    let first = body.bytes(length.map_err(|_| malformed())?)?;

    let known = users.find(name).await.map_err(|_| unreadable(true))?;
    let secret = known.as_ref().map(|(_, secret)| secret.clone());
    let secret = secret.unwrap_or_else(|| users.of_nobody(name));
    let password = Password::new(Some(secret.salt), secret.salted);
    let (challenge, waiting) =
        ScramServerAuth::new().on_client_first_message(first, password).map_err(|_| malformed())?;
    say(out, Authentication::SASLContinue(challenge.into())).await?;

    let last = heard(incoming).await?;
    let proof = match waiting.on_client_final_message(&last) {
        Ok(proof) => Some(proof),
        Err(PgWireError::InvalidPassword(_)) => None,
        Err(_) => return Err(malformed().into()),
    };
    let right = known.zip(proof);
    let stands = users.settle(name, right.is_some()).await.map_err(|_| unreadable(true))?;
    let Some(((principal, secret), proof)) = right.filter(|_| stands) else {
        let text = format!("password authentication failed for user \"{name}\"");
        return Err(Fault::fatal("28P01", text).into());
    };
    out.feed(PgWireBackendMessage::Authentication(Authentication::SASLFinal(proof.into()))).await?;
    Ok(Account::new(users, principal, secret))
}

async fn say(out: &mut Outgoing, words: Authentication) -> Result<()> {
    out.feed(PgWireBackendMessage::Authentication(words)).await?;
    out.flush().await
}

async fn heard(incoming: &mut Incoming) -> Result<bytes::Bytes> {
    Ok(incoming.frame().await?.ok_or(LOST)?.body)
}

fn malformed() -> Fault {
    Fault::protocol("the log-in is not of the form of SCRAM-SHA-256")
}

fn unreadable(fatal: bool) -> Fault {
    let text = "accounts cannot be read at the moment; try again later";
    if fatal { Fault::fatal("58030", text) } else { Fault::new("58030", text) }
}
