//! A pack as a person writes it: one file of TOML, with the scripts inside.

use crate::error::Broken;
use crate::pack::{Head, Pack, Reason, Rule, Words};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    version: String,
    title: Both,
    source: Both,
    #[serde(rename = "rule")]
    rules: Vec<FileRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    id: String,
    head: FileHead,
    article: Both,
    question: Both,
    reasons: BTreeMap<String, Both>,
    script: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileHead {
    Authenticity,
    Legality,
    Relevance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    zh: String,
    en: String,
}

impl From<Both> for Words {
    fn from(both: Both) -> Self {
        Self { zh: both.zh, en: both.en }
    }
}

impl Pack {
    /// Reads a pack from its TOML. Scripts are not compiled here: [`Engine::compile`](crate::Engine::compile)
    /// and [`lint`](crate::lint()) do.
    ///
    /// # Errors
    /// [`Broken::Text`] with line and column; [`Broken::Rule`] for a broken rule of the format.
    pub fn from_toml(text: &str) -> Result<Self, Broken> {
        let file: File = toml::from_str(text)
            .map_err(|error| Broken::Text { what: "rule pack", why: error.to_string() })?;
        let pack = Self {
            name: file.name,
            version: file.version,
            title: file.title.into(),
            source: file.source.into(),
            rules: file.rules.into_iter().map(rule).collect(),
        };
        pack.check()?;
        Ok(pack)
    }
}

fn rule(rule: FileRule) -> Rule {
    let head = match rule.head {
        FileHead::Authenticity => Head::Authenticity,
        FileHead::Legality => Head::Legality,
        FileHead::Relevance => Head::Relevance,
    };
    let reasons = rule.reasons.into_iter().map(|(id, words)| Reason { id, words: words.into() });
    Rule {
        id: rule.id,
        head,
        article: rule.article.into(),
        question: rule.question.into(),
        reasons: reasons.collect(),
        // The first line break only separates the quotes from the script.
        script: rule.script.trim_start_matches('\n').to_owned(),
    }
}
