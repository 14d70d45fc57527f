//! `zeugma keys`: make a key, look at a key. The secret stays in its file.

use crate::failure::Failure;
use crate::keyfile::{Key, Kind};
use crate::output::{Output, Report, plain};
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Ed25519 keys of accounts and nodes, in files that only their owner may read
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key and write it to a new file of mode 0600
    New {
        /// Whose key it is
        #[arg(value_enum)]
        kind: Kind,
        /// Where to; a file that exists is not written over
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show what is public of a key file
    Show {
        /// The key file
        file: PathBuf,
    },
}

impl Keys {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let (key, path) = match self {
            Self::New { kind, out } => {
                let key = Key::generate(kind)?;
                key.write(&out)?;
                (key, out)
            }
            Self::Show { file } => (Key::read(&file)?, file),
        };
        output.report(&report(&key, &path, output));
        Ok(())
    }
}

fn report(key: &Key, path: &Path, output: &Output) -> Report {
    let (kind, file, public) = (key.kind.name(), path.display().to_string(), hex::encode(key.public()));
    let mut json = json!({ "kind": kind, "file": file, "public": public });
    let pick = |en, zh| output.lang().pick(en, zh);
    let mut text = format!(
        "{}: {kind}\n{}: {}\n{}: {public}\n",
        pick("kind", "种类"),
        pick("file", "文件"),
        plain(&file),
        pick("public key", "公钥"),
    );
    if key.kind == Kind::Account {
        let account = key.account().to_string();
        text.push_str(&format!("{}: {account}\n", pick("account", "账户")));
        json["account"] = account.into();
    }
    Report { text, json }
}
