//! Nothing that a reader sends takes the server down.
//!
//! The real program is spawned on free ports with little memory and short deadlines, and is sent
//! what strangers, careless planners and broken drivers might send: texts that grow without end,
//! queries that ask for more memory or time than there is, bytes that are no protocol. After each
//! the process lives, another answer is right, the pages answer, and the memory comes back.
//!
//! A run in CI keeps to minutes. The long forms, each by a variable of the environment:
//!
//! | variable | what it does |
//! |---|---|
//! | `KHOYTE_BENCH=1` | the bounds of time as they are promised, for a release build on a quiet machine |
//! | `KHOYTE_FUZZ=full` | more sizes of each shape, more broken conversations |
//! | `KHOYTE_FUZZ_SEED=N` | another seed of the generators |
//! | `KHOYTE_LOAD_SECS`, `KHOYTE_LOAD_CONNECTIONS` | how long the mixed load lasts, and of how many |
//! | `KHOYTE_PROGRAM=FILE` | the program under test, in place of the one built with the tests |
//!
//! The tests take turns: each looks at the memory and the time of a server of its own.

#![allow(clippy::print_stdout, reason = "what a test saw is shown where it fails")]

mod arena;
mod attack;
mod broken;
mod cancel;
mod conversations;
mod cpu;
mod depth;
mod disorder;
mod fuzz;
mod grammar;
mod http;
mod hygiene;
mod load;
mod login;
mod memory;
mod message;
mod numbers;
mod parameters;
mod process;
mod random;
mod requests;
mod scram;
mod secrets;
mod shapes;
mod shutdown;
mod target;
mod text;
mod vocabulary;
mod volume;
mod watch;
mod wide;
mod wire;

pub(crate) use self::wire::Client;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Memory that the queries of a server under attack may use together.
const MEMORY_BYTES: u64 = 512 << 20;

/// What the process may have at most beside that.
fn beside_bytes() -> u64 {
    1 << 30
}

/// How much more memory than at its start a server may keep.
fn kept_bytes() -> u64 {
    200 << 20
}

/// How long an answer is waited for at most before the server counts as hanging: far more than any
/// deadline that a test configures.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the promised bounds of time are asked for, rather than patient ones.
fn strict() -> bool {
    std::env::var_os("KHOYTE_BENCH").is_some()
}

/// Whether the long form of the generators is asked for.
fn full() -> bool {
    std::env::var("KHOYTE_FUZZ").is_ok_and(|value| value == "full")
}

/// A bound as promised, or a patient one for a debug build on shared processors.
fn bound(promised: Duration, patient: Duration) -> Duration {
    if strict() { promised } else { patient }
}

/// How long `/health` may take.
fn health_within() -> Duration {
    bound(Duration::from_millis(200), Duration::from_secs(1))
}

/// How long what is cancelled may go on.
fn ends_within() -> Duration {
    bound(Duration::from_secs(1), Duration::from_secs(3))
}

/// The right to attack: one test at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a number in the environment says.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
