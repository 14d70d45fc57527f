//! Why a command did not do what it was asked, and what to do about it.
//!
//! A refusal names a rule of the one table that all verifiers share, so every one has a number, and words in
//! English and Chinese. The numbers from 600 on are of this command and the machine it runs on.

use crate::output::{Lang, plain};
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::Path;
use zeugma_types::{Code, Permanence, Refusal, Side};

/// A rule that this command judges itself: one of the table.
pub(crate) use zeugma_types::Code as Rule;

/// Why a command failed. The kind decides the exit code.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// A rule was broken: exit 1.
    Refused(Box<Refused>),
    /// The command line asks for what cannot be: exit 2.
    Usage(Told),
    /// Something outside did not answer: exit 3.
    Unreachable(Told),
}

/// What happened and what to do.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    what: String,
    todo: String,
}

/// A refusal of one thing.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    subject: String,
    cause: Cause,
    todo: Option<String>,
}

#[derive(Clone, Debug)]
enum Cause {
    /// With both values.
    Table(Refusal),
    /// With what was found in words.
    Own(Code, String),
}

impl Failure {
    /// The command line asks for what cannot be.
    pub(crate) fn usage(what: impl Display, todo: impl Display) -> Self {
        Self::Usage(Told { what: what.to_string(), todo: todo.to_string() })
    }

    /// A file that was named cannot be read.
    pub(crate) fn unreadable(path: &Path, why: &std::io::Error) -> Self {
        let shown = path.display();
        let todo = match why.kind() {
            std::io::ErrorKind::NotFound => format!("check the name: ls -l {shown}"),
            std::io::ErrorKind::PermissionDenied => {
                format!("use an account that may read it: ls -l {shown}")
            }
            _ => format!("try to read it with another program: cat {shown} > /dev/null"),
        };
        Self::usage(format!("cannot read {shown}: {why}"), todo)
    }

    /// A rule of the shared table refused `subject`.
    pub(crate) fn refused(subject: impl Display, refusal: Refusal) -> Self {
        let (subject, cause) = (subject.to_string(), Cause::Table(refusal));
        Self::Refused(Box::new(Refused { subject, cause, todo: None }))
    }

    /// A rule that this command judges refused `subject`: what was found, and what to do.
    pub(crate) fn own(rule: Rule, subject: impl Display, what: impl Display, todo: impl Display) -> Self {
        let (subject, cause) = (subject.to_string(), Cause::Own(rule, what.to_string()));
        Self::Refused(Box::new(Refused { subject, cause, todo: Some(todo.to_string()) }))
    }

    /// Something outside did not answer.
    pub(crate) fn unreachable(what: impl Display, todo: impl Display) -> Self {
        Self::Unreachable(Told { what: what.to_string(), todo: todo.to_string() })
    }

    /// Why a node gave no answer about `subject`.
    pub(crate) fn client(subject: impl Display, error: zeugma_client::Error) -> Self {
        use zeugma_client::Error;
        match error {
            Error::Refused(refusal) | Error::Unproven(refusal) => Self::refused(subject, refusal),
            Error::Declined { status: 401 | 403, .. } => Self::own(
                Rule::Declined,
                subject,
                error,
                "give a token that may do this: --token-file FILE, or ZEUGMA_TOKEN",
            ),
            Error::Unreachable { .. } => Self::unreachable(
                format!("{subject}: {error}"),
                "start the node, or name another with --node http://HOST:PORT",
            ),
            error if error.is_passing() => {
                Self::unreachable(format!("{subject}: {error}"), "try again later")
            }
            error => {
                Self::own(Rule::Declined, subject, error, "check that --node names the API of a Zeugma node")
            }
        }
    }

    /// The exit code.
    pub(crate) const fn exit(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }

    /// The rule of the shared table that broke, if that is why.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(refused) => match &refused.cause {
                Cause::Table(Refusal { code, .. }) | Cause::Own(code, _) => Some(*code),
            },
            Self::Usage(_) | Self::Unreachable(_) => None,
        }
    }

    /// For people: one line with code and rule, one line with what to do.
    pub(crate) fn text(&self, lang: Lang) -> String {
        match self {
            Self::Refused(refused) => refused.text(lang),
            Self::Usage(told) | Self::Unreachable(told) => {
                let todo = lang.pick("what to do", "建议");
                let colon = lang.pick(": ", "：");
                format!("{}\n{todo}{colon}{}\n", plain(&told.what), plain(&told.todo))
            }
        }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Refused(refused) => json!({ "refused": refused.json() }),
            Self::Usage(told) => json!({ "usage": told.json() }),
            Self::Unreachable(told) => json!({ "unreachable": told.json() }),
        }
    }
}

impl Told {
    fn json(&self) -> Value {
        json!({ "what": self.what, "to_do": self.todo })
    }
}

impl Refused {
    fn todo(&self, lang: Lang) -> &str {
        match (&self.todo, &self.cause) {
            (Some(todo), _) => todo,
            (None, Cause::Table(Refusal { code, .. }) | Cause::Own(code, _)) => advice(*code, lang),
        }
    }

    fn text(&self, lang: Lang) -> String {
        let colon = lang.pick(": ", "：");
        let rule = match (&self.cause, lang) {
            (Cause::Table(refusal), Lang::En) => refusal.to_string(),
            (Cause::Table(refusal), Lang::Zh) => chinese(refusal),
            (Cause::Own(code, what), _) => {
                format!(
                    "{} {}{colon}{}{colon}{what}",
                    code.number(),
                    code.name(),
                    lang.pick(code.en(), code.zh())
                )
            }
        };
        let head = lang.pick("refused", "拒绝");
        let mut text = format!("{head}{colon}{}{colon}{}\n", plain(&self.subject), plain(&rule));
        let head = lang.pick("what to do", "建议");
        text.push_str(&format!("{head}{colon}{}\n", plain(self.todo(lang))));
        text
    }

    fn json(&self) -> Value {
        let (code, needed, found, what) = match &self.cause {
            Cause::Table(Refusal { code, needed, found }) => (code, side(needed), side(found), None),
            Cause::Own(code, what) => (code, None, None, Some(what)),
        };
        json!({
            "subject": self.subject,
            "code": code.number(),
            "name": code.name(),
            "permanence": match code.permanence() {
                Permanence::Never => "never",
                Permanence::NotYet => "not yet",
            },
            "rule": { "en": code.en(), "zh": code.zh() },
            "needed": needed,
            "found": found,
            "what": what,
            "to_do": self.todo(Lang::En),
        })
    }
}

fn side(side: &Side) -> Option<String> {
    (*side != Side::Nothing).then(|| side.to_string())
}

fn chinese(refusal: &Refusal) -> String {
    let Refusal { code, needed, found } = refusal;
    let values = match (needed, found) {
        (Side::Nothing, Side::Nothing) => String::new(),
        (needed, Side::Nothing) => format!("：需要 {needed}"),
        (Side::Nothing, found) => format!("：实际 {found}"),
        (needed, found) => format!("：需要 {needed}，实际 {found}"),
    };
    format!("{} {}：{}{values}", code.number(), code.name(), code.zh())
}

/// What whoever was refused can do.
fn advice(code: Code, lang: Lang) -> &'static str {
    let (en, zh) = match code {
        Code::BadMagic => (
            "give the proof first and the trust file with --trust; each begins with its own mark",
            "请先给出证明文件，并用 --trust 给出信任文件；两者开头的标记不同",
        ),
        Code::WrongNetwork => (
            "use the trust file of the network that made the proof; `zeugma trust show` tells which one a file is of",
            "请使用出具该证明的网络的信任文件；`zeugma trust show` 可显示其所属网络",
        ),
        Code::UnknownEra | Code::TrustExpired => (
            "get a newer trust file and check it with `zeugma trust show NEW --signed-by OLD`",
            "请获取更新的信任文件，并用 `zeugma trust show NEW --signed-by OLD` 核对",
        ),
        Code::RetiredEra => (
            "ask the network for the same leaf proved under its present key",
            "请向网络索取用现行密钥出具的同一叶的证明",
        ),
        Code::ConsistencyMissing => (
            "ask whoever gave the proof for one with its consistency section",
            "请索取附带一致性证明的证明文件",
        ),
        Code::WrongPath | Code::WrongValue => (
            "this proof speaks of something else than you asked about; without --path and --value it is judged for what it says",
            "该证明所述并非您所询问的内容；不加 --path 与 --value 则按其自身内容判断",
        ),
        Code::TrustFileUnsigned | Code::QuorumNotReached | Code::UnknownSigner => (
            "do not rely on this file; ask the institutions you know for one that enough of them signed",
            "请勿依赖该文件；请向您所知的机构索取有足够签名的文件",
        ),
        Code::UnsupportedSuite => {
            ("ask for the proof under the committee's certificate", "请索取由委员会证书背书的证明")
        }
        Code::UnknownAccount | Code::NotAllowed => (
            "let governors give the account the role: zeugma tx propose roles --of ACCOUNT --grant ROLE; `zeugma query account ACCOUNT` shows what it has",
            "请由治理者授予角色：zeugma tx propose roles --of ACCOUNT --grant ROLE；`zeugma query account ACCOUNT` 可查看现有角色",
        ),
        Code::AllowanceSpent => (
            "wait: the allowance refills each second; `zeugma query account ACCOUNT` shows it",
            "请稍候：额度每秒恢复；`zeugma query account ACCOUNT` 可查看",
        ),
        Code::TooEarly => ("wait until the time that is told and ask again", "请等到所示时间后再试"),
        Code::UnknownClient => {
            ("check the client's name: zeugma query client ID", "请核对客户端名称：zeugma query client ID")
        }
        Code::ClientFrozen | Code::ClientExpired => (
            "make a client of the same chain with an equal profile, and let a guardian ask for recovery: zeugma tx propose-recovery --client ID --substitute ID",
            "请建立同一链、配置相同的客户端，并由监护者提出恢复：zeugma tx propose-recovery --client ID --substitute ID",
        ),
        Code::StillActive => (
            "nothing is to be done: an active client is moved by zeugma tx update-client",
            "无需操作：活动客户端用 zeugma tx update-client 更新",
        ),
        Code::NotContinuous => (
            "make the substitute with the profile of the client, of the same chain, from a header not below the client's newest",
            "请以相同配置、同一链、不低于原客户端最新高度的区块头建立替代客户端",
        ),
        Code::NoRecovery => {
            ("propose it first: zeugma tx propose-recovery", "请先提出：zeugma tx propose-recovery")
        }
        Code::RecoveryProposed => (
            "see which with zeugma query recovery ID; a governor can stop it with zeugma tx cancel-recovery",
            "用 zeugma query recovery ID 查看；治理者可用 zeugma tx cancel-recovery 撤销",
        ),
        Code::NoCounterparty => (
            "name the other network's client of this one: zeugma tx register-counterparty",
            "请登记对端：zeugma tx register-counterparty",
        ),
        Code::RouteHalted => (
            "a governor resumes it: zeugma tx revoke-digest --kind halt --name CLIENT",
            "由治理者恢复：zeugma tx revoke-digest --kind halt --name CLIENT",
        ),
        Code::TimeoutNotReached => (
            "wait until a block of the receiver is past the packet's timeout",
            "请等到接收方区块时间超过数据包超时",
        ),
        Code::UnknownOrigin => {
            ("register the log first: zeugma tx register-origin", "请先登记日志：zeugma tx register-origin")
        }
        Code::CheckpointOlder | Code::NotConsistent => (
            "take the log's newest checkpoint and its consistency proof from the size anchored last",
            "请使用日志的最新检查点，并附自上次锚定大小起的一致性证明",
        ),
        Code::SecondTreeNeeded => {
            ("give both checkpoints: --note and --sm3-note", "请同时给出两个检查点：--note 与 --sm3-note")
        }
        Code::UnknownProposal | Code::ProposalLapsed => (
            "see what waits: zeugma query proposal N, zeugma query schedule; propose it anew if it lapsed",
            "请查看：zeugma query proposal N、zeugma query schedule；已失效的请重新提出",
        ),
        Code::AlreadyApproved => (
            "another governor has to approve it; zeugma query proposal N shows who did",
            "须由另一治理者批准；zeugma query proposal N 可查看已批准者",
        ),
        Code::TooFewGovernors => (
            "make another governor first, or lower --governors-needed",
            "请先增加治理者，或调低 --governors-needed",
        ),
        Code::ProgramTooOld => {
            ("install the newer program, then start the node again", "请安装新版程序后重新启动节点")
        }
        other if (100..200).contains(&other.number()) => (
            "the file is damaged or of another kind; fetch it again from where it came from",
            "文件已损坏或类型不符；请重新从来源获取",
        ),
        other if (200..400).contains(&other.number()) => (
            "do not rely on this file; ask whoever gave it for another",
            "请勿依赖该文件；请向提供者另行索取",
        ),
        other if (400..420).contains(&other.number()) && other.permanence() == Permanence::Never => (
            "ask another node of that chain for the bytes; if they are refused too, the chain's profile or state here is not of it",
            "请向该链的另一节点索取数据；若仍被拒绝，则此处的配置或状态不属于该链",
        ),
        other => match other.permanence() {
            Permanence::NotYet => (
                "nothing was changed; once what the rule needs is there, ask again",
                "未作任何更改；规则所需条件具备后请再试",
            ),
            Permanence::Never => (
                "nothing was changed; the same request is never accepted, so change what the rule names",
                "未作任何更改；同一请求永不会被接受，请修改规则所指之处",
            ),
        },
    };
    lang.pick(en, zh)
}
