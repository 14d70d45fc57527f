//! `zeugma bridge doctor`: what a route between two Zeugma networks lacks, and the command that brings it.
//!
//! It looks at both ends: node, trust file, client, whether each names the other, orders that halt the route, the
//! relayer's account with its role and its allowance. It reads and changes nothing.

use super::remote::{Node, believing};
use super::tx::{parse_32, parse_client};
use crate::failure::{Failure, Rule};
use crate::output::{Output, Report, plain};
use crate::{clock, trust};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use zeugma_client::{Client, Standing};
use zeugma_ledger::Role;
use zeugma_ledger::registry::Kind;
use zeugma_types::{AccountId, ClientId, Span};

/// A client that expires sooner is told: whoever keeps it fresh had two thirds of its trusting period to do so.
const SOON: Span = Span::seconds(60 * 60);

/// A route between two networks
#[derive(Debug, Subcommand)]
pub(crate) enum Bridge {
    /// Each missing endpoint, client, counterparty, permission and allowance, with the command that fixes it
    Doctor(Doctor),
}

/// See [`Bridge::Doctor`].
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    node: Node,
    /// The API of a node of the other network
    #[arg(long, value_name = "URL")]
    other: String,
    /// The other network's trust file
    #[arg(long, value_name = "FILE")]
    other_trust: Option<PathBuf>,
    /// Our client of the other network, if there is one
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: Option<ClientId>,
    /// The other network's client of ours, if there is one
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    other_client: Option<ClientId>,
    /// The relayer's account here, 64 hexadecimal digits
    #[arg(long, value_name = "ACCOUNT", value_parser = parse_32)]
    relayer: Option<[u8; 32]>,
    /// The relayer's account there, 64 hexadecimal digits
    #[arg(long, value_name = "ACCOUNT", value_parser = parse_32)]
    other_relayer: Option<[u8; 32]>,
}

/// What one look found; `fix` is there when something is wrong.
#[derive(Clone, Debug)]
struct Finding {
    subject: String,
    found: String,
    fix: Option<String>,
}

/// One end of the route.
struct End<'e> {
    name: &'static str,
    /// How commands name its node, and the other's.
    node: &'static str,
    other: &'static str,
    client: Client,
    of_other: Option<&'e ClientId>,
    others_of_us: Option<&'e ClientId>,
    relayer: Option<[u8; 32]>,
}

impl Bridge {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let Self::Doctor(doctor) = self;
        doctor.run(output)
    }
}

impl Doctor {
    fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut there = Client::new(&self.other);
        if let Some(path) = &self.other_trust {
            there = believing(there, &trust::read(path)?);
        }
        let ends = [
            End {
                name: "here",
                node: "HERE",
                other: "THERE",
                client: self.node.client()?,
                of_other: self.client.as_ref(),
                others_of_us: self.other_client.as_ref(),
                relayer: self.relayer,
            },
            End {
                name: "there",
                node: "THERE",
                other: "HERE",
                client: there,
                of_other: self.other_client.as_ref(),
                others_of_us: self.client.as_ref(),
                relayer: self.other_relayer,
            },
        ];
        let mut findings = Vec::new();
        for end in &ends {
            end.look(&mut findings);
        }
        let wrong = findings.iter().filter(|finding| finding.fix.is_some()).count();
        output.report(&report(&findings, wrong));
        match wrong {
            0 => Ok(()),
            wrong => {
                let what = format!("{wrong} of {} findings are wrong", findings.len());
                Err(Failure::own(Rule::Unfit, "the route", what, "run the commands that stand beside them"))
            }
        }
    }
}

impl End<'_> {
    fn good(&self, what: &str, found: String) -> Finding {
        Finding { subject: format!("{}, {what}", self.name), found, fix: None }
    }

    fn bad(&self, what: &str, found: impl Into<String>, fix: String) -> Finding {
        Finding { subject: format!("{}, {what}", self.name), found: found.into(), fix: Some(fix) }
    }

    fn look(&self, findings: &mut Vec<Finding>) {
        match self.client.status() {
            Ok(status) => {
                let height = status.certified.map(|(height, _)| height);
                findings.push(match height {
                    Some(height) => {
                        self.good("node", format!("{}, certified to block {height}", status.name))
                    }
                    None => {
                        let fix = format!("zeugma query status --node {}", self.node);
                        self.bad("node", "nothing is certified yet: too few validators agree", fix)
                    }
                });
            }
            Err(error) => {
                let fix = format!("zeugma query status --node {}", self.node);
                findings.push(self.bad("node", error.to_string(), fix));
                // Nothing else can be asked.
                return;
            }
        }
        match self.of_other {
            None => {
                let fix = format!(
                    "zeugma tx create-client --node {} --other {} --other-trust FILE --key FILE",
                    self.node, self.other
                );
                findings.push(self.bad("client", "no client of the other network is named", fix));
            }
            Some(id) => self.client(id, findings),
        }
        if let Some(relayer) = self.relayer {
            findings.push(self.relayer(&AccountId::new(relayer)));
        }
    }

    fn client(&self, id: &ClientId, findings: &mut Vec<Finding>) {
        let what = format!("client {id}");
        let create = || {
            format!(
                "zeugma tx create-client --node {} --other {} --other-trust FILE --key FILE",
                self.node, self.other
            )
        };
        let recover =
            format!("zeugma client recover propose {id} --substitute NEW --node {} --key FILE", self.node);
        let found = match self.client.light_client(id) {
            Ok(Some(found)) => found,
            Ok(None) => return findings.push(self.bad(&what, "there is none of this name", create())),
            Err(error) => return findings.push(self.bad(&what, error.to_string(), create())),
        };
        let soon =
            |expires: &zeugma_types::BlockTime| expires.since(clock::now()).is_none_or(|left| left < SOON);
        findings.push(match (found.status, found.expires_at) {
            (Standing::Frozen, _) => self.bad(&what, "frozen: its chain showed two histories", recover),
            (Standing::Expired, _) => self.bad(&what, "expired", recover),
            (Standing::Active, Some(expires)) if soon(&expires) => {
                let fix = format!(
                    "zeugma tx update-client --client {id} --node {} --other {} --other-trust FILE --key FILE",
                    self.node, self.other
                );
                self.bad(&what, format!("expires at {}", clock::show(expires)), fix)
            }
            (Standing::Active, _) => self.good(&what, format!("active, at height {}", found.latest)),
        });
        let named = self.others_of_us.map_or("ID", ClientId::as_str);
        let register = format!(
            "zeugma tx register-counterparty --client {id} --counterparty {named} --node {} --key FILE",
            self.node
        );
        findings.push(match (&found.counterparty, self.others_of_us) {
            (None, _) => self.bad("counterparty", "none is registered", register),
            (Some(known), Some(named)) if known != named => {
                let found = format!("{known} is registered for ever, and not {named}");
                self.bad("counterparty", found, create())
            }
            (Some(known), _) => self.good("counterparty", known.as_str().to_owned()),
        });
        let order = self.client.registry(Kind::Halt, id.as_str());
        let order = order.map(|entry| entry.and_then(|entry| entry.digest.0));
        findings.push(match order {
            Ok(None) => self.good("route", "no order halts it".to_owned()),
            Ok(Some(order)) => {
                let fix = format!(
                    "zeugma tx revoke-digest --kind halt --name {id} --node {} --key GOVERNOR",
                    self.node
                );
                self.bad("route", format!("halted by order {}", hex::encode(order)), fix)
            }
            Err(error) => {
                let fix = format!("zeugma query registry halt {id} --node {}", self.node);
                self.bad("route", error.to_string(), fix)
            }
        });
    }

    fn relayer(&self, id: &AccountId) -> Finding {
        let what = "relayer";
        let grant =
            format!("zeugma tx propose roles --of {id} --grant relayer --node {} --key GOVERNOR", self.node);
        match self.client.account(id) {
            Ok(Some(account)) if !account.roles.has(Role::Relayer) => {
                self.bad(what, format!("{id} is no relayer"), grant)
            }
            Ok(Some(account)) if account.allowance.thousandths == 0 => {
                let fix = format!("zeugma query account {id} --node {}", self.node);
                self.bad(what, "its allowance is spent; it refills with time", fix)
            }
            Ok(Some(account)) => {
                self.good(what, format!("allowance {}", account.allowance.thousandths / 1_000))
            }
            Ok(None) => self.bad(what, format!("{id} is not known"), grant),
            Err(error) => self.bad(what, error.to_string(), grant),
        }
    }
}

fn report(findings: &[Finding], wrong: usize) -> Report {
    let mut text = String::new();
    for finding in findings {
        let mark = if finding.fix.is_some() { "WRONG" } else { "ok" };
        text.push_str(&format!("{mark:<6} {}: {}\n", plain(&finding.subject), plain(&finding.found)));
        if let Some(fix) = &finding.fix {
            text.push_str(&format!("       {}\n", plain(fix)));
        }
    }
    let shown = |finding: &Finding| -> Value {
        json!({
            "subject": finding.subject,
            "ok": finding.fix.is_none(),
            "found": finding.found,
            "fix": finding.fix,
        })
    };
    let json = json!({ "fit": wrong == 0, "findings": findings.iter().map(shown).collect::<Vec<_>>() });
    Report { text, json }
}
