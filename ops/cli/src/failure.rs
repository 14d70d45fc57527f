//! Why a command did not do what it was asked, and what to do about it.
//!
//! A refusal names a rule: one of the table that all verifiers share, or one that only this command
//! has ([`Rule`]). Both have their words in English and Chinese.

use crate::output::{Lang, plain};
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::Path;
use zeugma_types::{Code, Permanence, Refusal, Side};

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
    Table(Refusal),
    Own(Rule, String),
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $en:literal $zh:literal;)*) => {
        /// Rules that only this command has; the shared table has the others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            const fn words(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::En) => $en, (Self::$name, Lang::Zh) => $zh,)*
                }
            }
        }
    };
}

rules! {
    /// The readable part of a trust file is not what its canonical bytes say.
    ViewDiffers "the readable part says something else than the canonical bytes" "可读部分与规范字节不一致";
    /// The JSON around a trust file is not of its form.
    NotTrustJson "the file is not a trust file, nor its JSON form" "文件既不是信任文件，也不是其 JSON 形式";
    /// The trust file is another one than that whose fingerprint was given.
    WrongFingerprint "the trust file has another fingerprint than the one given" "信任文件的指纹与所给指纹不符";
    /// A file is never written over.
    FileExists "the file exists, and is not written over" "文件已存在，不会被覆盖";
    /// A secret that others could read.
    OpenToOthers "the file holds a secret and others may read it" "文件含有秘密，但他人可以读取";
    /// A key file that is not of its form.
    NotKeyFile "the file is not a key file" "文件不是密钥文件";
    /// The disk did not take it.
    NotWritten "the file could not be written" "文件无法写入";
    /// A check of `zeugma doctor` failed.
    Unfit "a check failed" "检查未通过";
    /// A node ended though nobody asked it to.
    NodeEnded "the node cannot go on" "节点无法继续运行";
    /// A key generation ended without a key.
    NoGroupKey "no group key was made" "未能生成群密钥";
    /// A node answers something else than was asked, or not in our form.
    Declined "the node does not answer this" "节点未予答复";
    /// What was asked for is not there.
    NotThere "there is no such thing" "所查内容不存在";
    /// It did not happen within the time.
    TooSlow "it did not happen in time" "未在限定时间内完成";
    /// Someone asked to end before it was done.
    Interrupted "it was asked to end before it was done" "在完成之前被要求结束";
    /// What was shown is not what was expected: a fault in this program.
    Unexpected "something else happened than must" "结果与应有的不符";
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

    /// A rule of this command refused `subject`.
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
                Cause::Table(refusal) => Some(refusal.code),
                Cause::Own(..) => None,
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
    fn todo(&self, lang: Lang) -> Option<&str> {
        match (&self.todo, &self.cause) {
            (Some(todo), _) => Some(todo),
            (None, Cause::Table(refusal)) => advice(refusal.code, lang),
            (None, Cause::Own(..)) => None,
        }
    }

    fn text(&self, lang: Lang) -> String {
        let colon = lang.pick(": ", "：");
        let rule = match (&self.cause, lang) {
            (Cause::Table(refusal), Lang::En) => refusal.to_string(),
            (Cause::Table(refusal), Lang::Zh) => chinese(refusal),
            (Cause::Own(rule, what), _) => {
                format!("{}{colon}{}{colon}{what}", rule.name(), rule.words(lang))
            }
        };
        let head = lang.pick("refused", "拒绝");
        let mut text = format!("{head}{colon}{}{colon}{}\n", plain(&self.subject), plain(&rule));
        if let Some(todo) = self.todo(lang) {
            let head = lang.pick("what to do", "建议");
            text.push_str(&format!("{head}{colon}{}\n", plain(todo)));
        }
        text
    }

    fn json(&self) -> Value {
        let todo = self.todo(Lang::En);
        match &self.cause {
            Cause::Table(Refusal { code, needed, found }) => json!({
                "subject": self.subject,
                "code": code.number(),
                "name": code.name(),
                "permanence": match code.permanence() {
                    Permanence::Never => "never",
                    Permanence::NotYet => "not yet",
                },
                "rule": { "en": code.en(), "zh": code.zh() },
                "needed": side(needed),
                "found": side(found),
                "to_do": todo,
            }),
            Cause::Own(rule, what) => json!({
                "subject": self.subject,
                "code": null,
                "name": rule.name(),
                "permanence": "never",
                "rule": { "en": rule.words(Lang::En), "zh": rule.words(Lang::Zh) },
                "what": what,
                "to_do": todo,
            }),
        }
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
fn advice(code: Code, lang: Lang) -> Option<&'static str> {
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
        other if (100..200).contains(&other.number()) => (
            "the file is damaged or of another kind; fetch it again from where it came from",
            "文件已损坏或类型不符；请重新从来源获取",
        ),
        other if (200..400).contains(&other.number()) => (
            "do not rely on this file; ask whoever gave it for another",
            "请勿依赖该文件；请向提供者另行索取",
        ),
        _ => return None,
    };
    Some(lang.pick(en, zh))
}
