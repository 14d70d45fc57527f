//! A pack of rules, its canonical encoding and its digest.

use crate::bounds;
use crate::error::Broken;
use std::collections::BTreeMap;
use zeugma_crypto::hash::framed;
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Purpose, Reader, Refusal};

/// The number of this encoding.
const FORMAT: u16 = 1;

/// The same text in the languages that every report is given in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The three heads under which a court weighs evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Head {
    /// Is it what it is said to be? 真实性
    Authenticity,
    /// Was it come by and made in a lawful form? 合法性
    Legality,
    /// Does it bear on a fact in issue? 关联性
    Relevance,
}

impl Head {
    /// Every head, in the order of a verdict.
    pub const ALL: [Self; 3] = [Self::Authenticity, Self::Legality, Self::Relevance];

    /// What it is called in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authenticity => "authenticity",
            Self::Legality => "legality",
            Self::Relevance => "relevance",
        }
    }

    /// What it is called in reports.
    #[must_use]
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            Self::Authenticity => ("真实性", "authenticity"),
            Self::Legality => ("合法性", "legality"),
            Self::Relevance => ("关联性", "relevance"),
        };
        Words { zh: zh.to_owned(), en: en.to_owned() }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Authenticity => 1,
            Self::Legality => 2,
            Self::Relevance => 3,
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let number = reader.u8()?;
        Self::ALL
            .into_iter()
            .find(|head| head.number() == number)
            .ok_or(Refusal::new(Code::UnknownTag).needed(3_u64).found(number))
    }
}

/// A reason in words. `{name}` stands for the argument of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What scripts call it.
    pub id: String,
    /// What reports say.
    pub words: Words,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name within the pack.
    pub id: String,
    /// The head it stands under.
    pub head: Head,
    /// The article it rests on.
    pub article: Words,
    /// What it asks.
    pub question: Words,
    /// What it may answer with.
    pub reasons: Vec<Reason>,
    /// The script, in Rhai.
    pub script: String,
}

/// A pack of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name in the registry.
    pub name: String,
    /// Its version, for people; the digest is what counts.
    pub version: String,
    /// Its title.
    pub title: Words,
    /// The text of law or the agreement it restates.
    pub source: Words,
    /// The rules, in the order of a verdict.
    pub rules: Vec<Rule>,
}

impl Pack {
    /// The digest that verdicts and the registry name: SHA-256 under the purpose `zeugma.rule-pack.1`.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        framed(Purpose::RulePack, &[&self.to_bytes()])
    }

    /// The rule of that name.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Checks what the encoding alone does not: names, and that each name stands once.
    ///
    /// # Errors
    /// [`Broken::Rule`] with the rule's id.
    pub fn check(&self) -> Result<(), Broken> {
        name(&self.name, "the pack's name")?;
        filled(&self.version, bounds::NAME, "pack", "version")?;
        words(&self.title, "pack", "title")?;
        words(&self.source, "pack", "source")?;
        if self.rules.is_empty() || self.rules.len() > bounds::RULES {
            return Err(Broken::rule(
                "pack",
                format!("1 to {} rules are asked; found {}", bounds::RULES, self.rules.len()),
            ));
        }
        let mut ids = BTreeMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            name(&rule.id, "a rule's id")?;
            if let Some(first) = ids.insert(&rule.id, index) {
                return Err(Broken::rule(
                    &rule.id,
                    format!("rules {} and {} have the same id", first + 1, index + 1),
                ));
            }
            rule.check()?;
        }
        let length = self.to_bytes().len();
        if length > bounds::PACK {
            return Err(Broken::bound("pack", "bytes", length, bounds::PACK));
        }
        Ok(())
    }
}

impl Rule {
    /// The reason of that name.
    #[must_use]
    pub fn reason(&self, id: &str) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.id == id)
    }

    fn check(&self) -> Result<(), Broken> {
        words(&self.article, &self.id, "article")?;
        words(&self.question, &self.id, "question")?;
        filled(&self.script, bounds::SCRIPT, &self.id, "script")?;
        if self.reasons.is_empty() || self.reasons.len() > bounds::REASONS {
            return Err(Broken::rule(
                &self.id,
                format!("1 to {} reasons are asked; found {}", bounds::REASONS, self.reasons.len()),
            ));
        }
        if self.reasons.windows(2).any(|pair| pair[0].id >= pair[1].id) {
            return Err(Broken::rule(&self.id, "reasons stand in ascending order of their ids, each once"));
        }
        for reason in &self.reasons {
            name(&reason.id, &format!("a reason of rule {}", self.id))?;
            words(&reason.words, &self.id, &reason.id)?;
        }
        Ok(())
    }
}

fn name(text: &str, what: &str) -> Result<(), Broken> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    if text.is_empty() || text.len() > bounds::NAME || !text.bytes().all(plain) {
        return Err(Broken::rule(
            what,
            format!("1 to {} of a-z, 0-9, - and . are asked; found {text:?}", bounds::NAME),
        ));
    }
    Ok(())
}

fn words(words: &Words, at: &str, what: &str) -> Result<(), Broken> {
    filled(&words.zh, bounds::TEXT, at, &format!("{what}, zh"))?;
    filled(&words.en, bounds::TEXT, at, &format!("{what}, en"))
}

fn filled(text: &str, bound: usize, at: &str, what: &str) -> Result<(), Broken> {
    if text.trim().is_empty() {
        return Err(Broken::rule(at, format!("{what}: must not be empty")));
    }
    if text.len() > bound {
        return Err(Broken::bound(at, &format!("{what}, bytes"), text.len(), bound));
    }
    Ok(())
}

impl Encode for Words {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.zh.as_bytes());
        put_bytes(out, self.en.as_bytes());
    }
}

impl Decode for Words {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { zh: reader.text(bounds::TEXT)?, en: reader.text(bounds::TEXT)? })
    }
}

impl Encode for Rule {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.id.as_bytes());
        out.push(self.head.number());
        self.article.encode(out);
        self.question.encode(out);
        put_list(out, &self.reasons, |out, reason| {
            put_bytes(out, reason.id.as_bytes());
            reason.words.encode(out);
        });
        put_bytes(out, self.script.as_bytes());
    }
}

impl Decode for Rule {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            id: reader.text(bounds::NAME)?,
            head: Head::read(reader)?,
            article: Words::decode(reader)?,
            question: Words::decode(reader)?,
            reasons: reader.list(bounds::REASONS, |reader| {
                Ok(Reason { id: reader.text(bounds::NAME)?, words: Words::decode(reader)? })
            })?,
            script: reader.text(bounds::SCRIPT)?,
        })
    }
}

impl Encode for Pack {
    fn encode(&self, out: &mut Vec<u8>) {
        FORMAT.encode(out);
        put_bytes(out, self.name.as_bytes());
        put_bytes(out, self.version.as_bytes());
        self.title.encode(out);
        self.source.encode(out);
        put_list(out, &self.rules, |out, rule| rule.encode(out));
    }
}

impl Decode for Pack {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let format = reader.u16()?;
        if format != FORMAT {
            return Err(Refusal::new(Code::UnknownTag).needed(FORMAT).found(format));
        }
        let pack = Self {
            name: reader.text(bounds::NAME)?,
            version: reader.text(bounds::NAME)?,
            title: Words::decode(reader)?,
            source: Words::decode(reader)?,
            rules: reader.list(bounds::RULES, Rule::decode)?,
        };
        pack.check().map_err(|_| Refusal::new(Code::NotCanonical))?;
        Ok(pack)
    }
}
