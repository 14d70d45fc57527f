//! `zeugma evidence token`: tokens of a service, made, listed and revoked in its folder, while it runs or not.

use super::serve::Configured;
use crate::clock;
use crate::failure::{Failure, Rule};
use crate::files::{self, Readers};
use crate::output::{Output, Report, plain};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use zeugma_evidence_service::access::{Grant, Issued, Role, TokenFile, TokenRow, TokensError};
use zeugma_types::{BlockTime, Span};

/// Tokens of the service in a folder
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token: it is shown once, and its digest is kept
    New(New),
    /// What each token opens, and until when
    List {
        #[command(flatten)]
        configured: Configured,
    },
    /// Revoke a token: from the next request on it opens nothing
    Revoke {
        /// Its name, as `list` shows it
        id: String,
        #[command(flatten)]
        configured: Configured,
    },
}

/// What a new token opens.
#[derive(Clone, Debug, Args)]
pub(crate) struct New {
    /// Whose entries it opens
    #[arg(long, value_name = "NAME")]
    tenant: String,
    /// What entries deposited with it call their submitter; without it, the tenant's name
    #[arg(long, value_name = "NAME")]
    pseudonym: Option<String>,
    /// party, clerk, judge, notary, regulator or operator
    #[arg(long)]
    role: Role,
    /// After how many days it ends; without it, when it is revoked
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// Write the token here, for its owner alone, instead of showing it; a file that exists is not written over
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    configured: Configured,
}

impl Token {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::New(new) => new.run(output),
            Self::List { configured } => {
                let rows = file(&configured)?.rows().map_err(failed)?;
                let text: String = rows.iter().map(line).collect();
                output.report(&Report {
                    text,
                    json: json!({ "tokens": rows.iter().map(TokenRow::shown).collect::<Vec<_>>() }),
                });
                Ok(())
            }
            Self::Revoke { id, configured } => {
                let row = file(&configured)?.revoke(&id, clock::now()).map_err(failed)?;
                output.report(&Report { text: line(&row), json: row.shown() });
                Ok(())
            }
        }
    }
}

impl New {
    fn run(self, output: &Output) -> Result<(), Failure> {
        let now = clock::now();
        let ends = |days: u32| now.after(Span::seconds(u64::from(days) * 86_400)).unwrap_or(BlockTime::MAX);
        let pseudonym = self.pseudonym.unwrap_or_else(|| self.tenant.clone());
        let expires_at = self.days.map(ends);
        let grant = Grant { tenant: self.tenant, pseudonym, role: self.role, made_at: now, expires_at };
        let file = file(&self.configured)?;
        let Issued { row, token } = file.add(grant).map_err(failed)?;
        let mut json = row.shown();
        let mut text = line(&row);
        match &self.out {
            Some(path) => {
                let written = files::write_new(path, format!("{token}\n").as_bytes(), Readers::Owner);
                if let Err(failure) = written {
                    // Nobody has seen it: it is to open nothing.
                    file.revoke(&row.id, now).map_err(failed)?;
                    return Err(failure);
                }
                json["token_file"] = json!(path.display().to_string());
                text.push_str(&format!("token in {}\n", plain(&path.display().to_string())));
            }
            None => {
                json["token"] = json!(token);
                text.push_str(&format!("token: {token}\nIt is not kept here and not shown again.\n"));
            }
        }
        output.report(&Report { text, json });
        Ok(())
    }
}

fn file(configured: &Configured) -> Result<TokenFile, Failure> {
    let folder = configured.read()?.log.folder;
    if !folder.is_dir() {
        let todo = "name the folder of a service: --folder FOLDER";
        return Err(Failure::usage(format!("{} is no folder", folder.display()), todo));
    }
    Ok(TokenFile::in_folder(&folder))
}

fn failed(error: TokensError) -> Failure {
    match error {
        TokensError::Unknown(id) => {
            let what = format!("there is no token {}", plain(&id));
            Failure::own(Rule::NoSuchName, &id, what, "see them: zeugma evidence token list")
        }
        error => Failure::usage(error, "put right what it names"),
    }
}

fn line(row: &TokenRow) -> String {
    let at = |at: u64| clock::show(BlockTime::new(at));
    let until = match (row.revoked_at, row.expires_at) {
        (Some(revoked), _) => format!("revoked {}", at(revoked)),
        (None, Some(expires)) => format!("until {}", at(expires)),
        (None, None) => "until it is revoked".to_owned(),
    };
    let (tenant, role) = (plain(&row.tenant), row.role.name());
    format!("{}  {tenant} as {} in the role {role}, {until}\n", row.id, plain(&row.pseudonym))
}
