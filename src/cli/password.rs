//! `khoyte password`: the secret of a user, for the configuration.

use std::io::Read;

use anyhow::Context;
use serde_json::json;
use warehouse::serve::users::Secret;

use super::Exit;
use crate::report::{Both, Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, out: &Reporter) -> anyhow::Result<Exit> {
    let password = read()?;
    if password.is_empty() {
        out.fail("khoyte: give the password on standard input");
        return Ok(Exit::Usage);
    }
    let secret = Secret::derive(&password, &random::<16>()?);
    let secret = secret.encode();
    out.result(&Both { text: format!("{secret}\n"), object: json!({ "secret": secret }) });
    Ok(Exit::Done)
}

/// The password on standard input, without the end of its line.
pub(super) fn read() -> anyhow::Result<String> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("cannot read the password")?;
    password.truncate(password.trim_end_matches(['\r', '\n']).len());
    Ok(password)
}

/// Random bytes of the operating system.
pub(super) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| anyhow::anyhow!("the system gives no random bytes: {e}"))?;
    Ok(bytes)
}

/// A random password of 24 hexadecimal digits.
pub(super) fn random_text() -> anyhow::Result<String> {
    Ok(random::<12>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
