//! MariaDB, from Debian's package.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::{bound, give, run, succeed};

/// Makes a data folder in `folder`, whose user `root` needs no password on the socket there.
pub fn make(folder: &Path) {
    give(folder, "mysql");
    let mut make = program("mariadb-install-db");
    make.arg("--no-defaults")
        .arg(format!("--datadir={}", folder.join("data").display()))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    succeed(&mut make);
}

/// Serves the data of `folder`, with more settings, until it accepts connections.
pub fn serve(folder: &Path, port: u16, settings: &[String]) -> Child {
    let mut server = program("mariadbd");
    server
        .arg("--no-defaults")
        .arg(format!("--datadir={}", folder.join("data").display()))
        .arg(format!("--socket={}", folder.join("socket").display()))
        .arg(format!("--port={port}"))
        .args(["--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-buffer-pool-size=24M"])
        .args(["--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"])
        .args(settings);
    run(server, "ready for connections")
}

/// Ends a server at once, as a lost machine would; one that is gone already is as good.
pub fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A program that its user may run.
pub fn program(name: &str) -> Command {
    let places = ["/usr/sbin", "/usr/bin"].map(|folder| PathBuf::from(folder).join(name));
    let found = places.into_iter().find(|path| path.exists());
    let missing =
        || panic!("{name} of Debian's packages mariadb-server and openssl is not installed");
    bound(&found.unwrap_or_else(missing), "mysql", "KILL")
}
