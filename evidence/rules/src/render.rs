//! Verdicts and packs in words.

use crate::facts::Value;
use crate::lint;
use crate::pack::{Head, Pack, Words};
use crate::verdict::{Finding, Outcome, Verdict};
use std::fmt::Write as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A language of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

impl Language {
    fn pick(self, words: &Words) -> &str {
        match self {
            Self::Zh => &words.zh,
            Self::En => &words.en,
        }
    }

    const fn of(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    const fn outcome(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Met => self.of("符合", "met"),
            Outcome::NotMet => self.of("不符合", "not met"),
            Outcome::Undetermined => self.of("无法判断", "undetermined"),
        }
    }
}

/// The reasons that the engine itself gives: id, zh, en.
const ENGINE_REASONS: [(&str, &str, &str); 4] = [
    ("engine.stopped", "规则超出上限({bound})而被中止", "the rule was stopped at a bound ({bound})"),
    ("engine.failed", "规则在第 {line} 行出错", "the rule failed in line {line}"),
    ("engine.no-answer", "规则没有给出结论", "the rule gave no answer"),
    (
        "engine.unknown-reason",
        "规则给出了未登记的理由 {reason}",
        "the rule gave a reason that is not written down: {reason}",
    ),
];

/// The verdict as a report of lines. The same verdict and pack give the same text, under any locale.
#[must_use]
pub fn render(verdict: &Verdict, pack: &Pack, language: Language) -> String {
    let mut out = String::new();
    let title = language.pick(&pack.title);
    line(&mut out, &format!("{title} · {} {}", verdict.pack_name, verdict.pack_version));
    line(&mut out, &format!("{}: {}", language.of("依据", "source"), language.pick(&pack.source)));
    line(
        &mut out,
        &format!("{}: {}", language.of("规则包摘要", "digest of the pack"), hex::encode(verdict.pack)),
    );
    line(
        &mut out,
        &format!("{}: {}", language.of("事实摘要", "digest of the facts"), hex::encode(verdict.facts)),
    );
    for head in Head::ALL {
        let Some(outcome) = verdict.head(head) else { continue };
        line(&mut out, "");
        line(&mut out, &format!("{}: {}", language.pick(&head.words()), language.outcome(outcome)));
        for finding in verdict.findings.iter().filter(|finding| finding.head == head) {
            let article = pack.rule(&finding.rule).map_or("", |rule| language.pick(&rule.article));
            let reason = reason(finding, pack, language);
            line(&mut out, &format!("  [{}] {article}: {reason}", language.outcome(finding.outcome)));
        }
    }
    line(&mut out, "");
    line(&mut out, language.of(
        "本结论仅陈述规则在所列事实上的结果, 不认定内容真实; 是否采信由法庭决定。",
        "This states what the rules give on the facts listed. It does not say that the content is so; that is for the court.",
    ));
    out
}

/// The reason of one finding in words, with its arguments filled in. The same finding and pack give the same text.
#[must_use]
pub fn reason(finding: &Finding, pack: &Pack, language: Language) -> String {
    let own = ENGINE_REASONS.iter().find(|(id, ..)| *id == finding.reason);
    let words = match own {
        Some((_, zh, en)) => language.of(zh, en),
        None => match pack.rule(&finding.rule).and_then(|rule| rule.reason(&finding.reason)) {
            Some(reason) => language.pick(&reason.words),
            None => &finding.reason,
        },
    };
    finding.arguments.iter().fold(words.to_owned(), |words, argument| {
        let plain = format!("{{{}}}", argument.name);
        let as_time = format!("{{{}:time}}", argument.name);
        words.replace(&plain, &shown(&argument.value)).replace(&as_time, &time(&argument.value))
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}

/// Milliseconds as RFC 3339 in UTC; a number out of the calendar stays a number.
fn time(value: &Value) -> String {
    let Value::Number(milliseconds) = value else { return shown(value) };
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(*milliseconds) * 1_000_000);
    at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| milliseconds.to_string())
}

/// A pack in words: each rule's article, question, the facts it reads and the reasons it may give.
#[must_use]
pub fn explain(pack: &Pack, language: Language) -> String {
    let mut out = String::new();
    line(&mut out, &format!("{} · {} {}", language.pick(&pack.title), pack.name, pack.version));
    line(&mut out, &format!("{}: {}", language.of("依据", "source"), language.pick(&pack.source)));
    line(&mut out, &format!("{}: {}", language.of("摘要", "digest"), hex::encode(pack.digest())));
    for rule in &pack.rules {
        line(&mut out, "");
        let head = rule.head.words();
        line(&mut out, &format!("{} · {} · {}", rule.id, language.pick(&head), language.pick(&rule.article)));
        line(&mut out, &format!("  {}", language.pick(&rule.question)));
        for path in lint::reads(rule) {
            line(&mut out, &format!("  {} {path}", language.of("读取", "reads")));
        }
        for reason in &rule.reasons {
            line(
                &mut out,
                &format!(
                    "  {} {}: {}",
                    language.of("理由", "reason"),
                    reason.id,
                    language.pick(&reason.words)
                ),
            );
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes every line");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_and_a_wild_number_stays_one() {
        assert_eq!(time(&Value::Number(0)), "1970-01-01T00:00:00Z");
        assert_eq!(time(&Value::Number(i64::MAX)), i64::MAX.to_string());
    }
}
