//! The demonstration beside servers of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{self, succeed};

/// Runs the demonstration as `deploy/demo` does, without serving.
fn demonstrate(dir: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/demo-servers");
    let mut command = Command::new(script);
    command.arg(dir).arg(env!("CARGO_BIN_EXE_khoyte")).arg("--dir").arg(dir);
    command.args(["demo", "--no-serve"]).env("KHOYTE_LOG", "off");
    succeed(&mut command);
}

#[test]
fn it_reads_servers_that_end_with_it_and_takes_them_up_again() {
    let folder = tempfile::tempdir().unwrap();
    // The servers' users have to get through to their data.
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
    demonstrate(folder.path());
    let warehouse = support::open(folder.path());
    let loaded = "SELECT count(DISTINCT bang) FROM he_thong.lan_chay WHERE ket_qua = 'moi' \
                  AND bang IN ('nguon.kcb_luot_kham', 'nguon.tiem_chung_mui_tiem', \
                  'nguon.duoc_gia_ke_khai', 'nguon.bhyt_thuoc', 'nguon.benh_an_luot_kham', \
                  'nguon.dvc_duoc_ho_so', 'nguon.hiv_bao_cao_xet_nghiem')";
    assert_eq!(support::rows(&warehouse, loaded).rows[0][0].as_i64(), Some(7));
    let config = fs::read_to_string(folder.path().join("khoyte.toml")).unwrap();
    assert!(!config.contains("[servers"), "what has ended is named no more:\n{config}");
    for server in ["postgresql", "mariadb"] {
        let secret = folder.path().join(format!("servers/{server}.password"));
        assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = support::files(&folder.path().join("lake"));
    demonstrate(folder.path());
    let after = support::files(&folder.path().join("lake"));
    assert_eq!(support::differing(&before, &after), Vec::<String>::new());
}
