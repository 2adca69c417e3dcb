//! PostgreSQL, from Debian's package.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::{bound, give, run, succeed};

/// Makes a cluster in `folder`, with one user and the password that its other users may have too.
pub fn make(folder: &Path, user: &str, password: &str) {
    give(folder, "postgres");
    let secret = folder.join("password");
    std::fs::write(&secret, password).unwrap();
    let mut make = program("initdb");
    make.arg(format!("--username={user}"))
        .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
        .arg(folder.join("data"))
        .arg(format!("--pwfile={}", secret.display()));
    succeed(&mut make);
}

/// Serves the cluster of `folder`, with more settings, until it accepts connections.
pub fn serve(folder: &Path, port: u16, settings: &[String]) -> Child {
    let mut server = program("postgres");
    server
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
        .args(["-c", "lc_messages=C", "-c", "fsync=off"])
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .arg("-p")
        .arg(port.to_string());
    run(server, "ready to accept connections")
}

/// Ends a server at once, as a lost machine would; one that is gone already is as good.
pub fn stop(child: &mut Child) {
    if child.try_wait().is_ok_and(|ended| ended.is_none()) {
        succeed(Command::new("kill").args(["-QUIT", &child.id().to_string()]));
        child.wait().unwrap();
    }
}

fn program(name: &str) -> Command {
    bound(&programs().join(name), "postgres", "QUIT")
}

/// Where Debian's package has the newest server's programs; they are not on the path.
fn programs() -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("Debian's package postgresql is installed")
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin"))))
        .filter(|(_, programs)| programs.join("postgres").exists())
        .collect();
    versions.sort();
    versions.pop().expect("Debian's package postgresql is installed").1
}
