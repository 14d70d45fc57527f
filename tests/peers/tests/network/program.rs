//! The `zeugma` command: where it is, and one run of it.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// Folders with the sources that the command is made of.
const SOURCES: [&str; 8] = ["types", "crypto", "proof", "adapters", "chain", "evidence", "relay", "ops/cli"];

/// Where the command is.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(named) = std::env::var_os("ZEUGMA_BIN") {
            return named.into();
        }
        // target/PROFILE/deps/network-HASH
        let own = std::env::current_exe().unwrap();
        let program = own.parent().and_then(Path::parent).unwrap().join("zeugma");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let newest = SOURCES.iter().filter_map(|folder| newest(&root.join(folder))).max().unwrap();
        let built = fs::metadata(&program).and_then(|meta| meta.modified());
        if !built.is_ok_and(|built| built >= newest) {
            eprintln!("the command is not there or older than its sources: cargo builds it");
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let build = ["build", "--package", "zeugma", "--bin", "zeugma"];
            assert!(Command::new(cargo).args(build).current_dir(&root).status().unwrap().success());
        }
        program
    })
}

/// When the youngest source below a folder was written; tests are no part of the command.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let each = entries.filter_map(|entry| {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            return if name == "tests" || name == "benches" { None } else { newest(&path) };
        }
        let source = path.extension().is_some_and(|kind| kind == "rs" || kind == "toml");
        if source { entry.metadata().ok()?.modified().ok() } else { None }
    });
    each.max()
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the command with `--json`.
pub(crate) fn zeugma(arguments: &[&str]) -> Ran {
    let done =
        Command::new(program()).args(arguments).arg("--json").env_remove("ZEUGMA_TOKEN").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
}

impl Ran {
    /// What it reported, if it was done.
    #[track_caller]
    pub(crate) fn done(self) -> Value {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}", self.out))
    }

    /// Whether it was done.
    pub(crate) fn is_done(&self) -> bool {
        self.code == Some(0)
    }

    /// That it was refused by the rule of this name.
    #[track_caller]
    pub(crate) fn refused(self, rule: &str) {
        assert_eq!(self.code, Some(1), "stdout: {}\nstderr: {}", self.out, self.err);
        assert!(self.err.contains(rule), "{rule}: {}", self.err);
    }
}
