//! Servers of the tests' own, from Debian's packages: made in a folder that goes with them, on a free
//! port of this machine, ended with whoever started them. A server that is not installed is a failure.

#![allow(clippy::unwrap_used, reason = "what a test is made of fails by panicking")]

pub mod mariadb;
pub mod postgres;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A port of this machine that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a command that must succeed.
///
/// # Panics
/// When it does not.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{shown}", output.status);
    output
}

/// Whether the tests run as root, which servers refuse to.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The number of a user and of its group, as Debian's package made them.
pub fn owner(user: &str) -> (u32, u32) {
    let number = |option: &str| {
        let output = succeed(Command::new("id").args([option, user]));
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    (number("-u"), number("-g"))
}

/// Gives a folder to the user that the server runs as, where that is another.
fn give(folder: &Path, user: &str) {
    if is_root() {
        let (user, group) = owner(user);
        chown(folder, Some(user), Some(group)).unwrap();
    }
}

/// A program that gets a signal when the thread that starts it ends; as `user` where this is root.
fn bound(program: &Path, user: &str, signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal]);
    if is_root() {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={user}")).arg("--clear-groups");
    }
    command.arg(program).current_dir("/").env("LC_ALL", "C");
    command
}

/// Runs a server until it says that it is `ready`. The kernel ends it with the thread that started it,
/// which therefore lasts as long as the process.
fn run(mut server: Command, ready: &str) -> Child {
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        sender.send(server.spawn().unwrap()).unwrap();
        loop {
            std::thread::park();
        }
    });
    let mut child = receiver.recv().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("no server:\n{}", said.join("\n")));
        if line.contains(ready) {
            break;
        }
        said.push(line);
    }
    // A pipe that nobody reads would stop it one day.
    std::thread::spawn(move || lines.for_each(drop));
    child
}
