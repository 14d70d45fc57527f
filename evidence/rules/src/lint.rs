//! What a careful reader would say of a pack before it is registered.

use crate::engine::Engine;
use crate::pack::{Pack, Rule, Words};
use crate::schema;
use crate::verdict::Outcome;
use std::collections::BTreeSet;

/// One remark. A pack without remarks is fit to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The rule's id, or `pack`.
    pub at: String,
    /// What is wrong, and what to do.
    pub what: String,
}

/// Reads a pack and says what is wrong with it: a script that does not compile, a reason that no script gives
/// or that is not written down, words whose placeholders differ between languages, a fact nobody provides.
#[must_use]
pub fn lint(pack: &Pack) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if let Err(broken) = Engine::new().compile(pack.clone()) {
        remarks.push(Remark { at: "pack".to_owned(), what: broken.to_string() });
    }
    for rule in &pack.rules {
        let mut say = |what: String| remarks.push(Remark { at: rule.id.clone(), what });
        reasons(rule, &mut say);
        facts(rule, &mut say);
    }
    remarks
}

fn reasons(rule: &Rule, say: &mut impl FnMut(String)) {
    let mut given = BTreeSet::new();
    for outcome in Outcome::ALL {
        for name in calls(&rule.script, outcome.name()) {
            match name {
                Some(name) => {
                    given.insert(name);
                }
                None => say(format!(
                    "`{}(...)` must be given the reason as text in quotes, so that it can be read here",
                    outcome.name()
                )),
            }
        }
    }
    if given.is_empty() {
        say("the script gives no answer: end it in met(...), not_met(...) or undetermined(...)".to_owned());
    }
    for name in &given {
        if rule.reason(name).is_none() {
            say(format!("the script gives the reason {name:?}, which has no words: add it under `reasons`"));
        }
    }
    for reason in &rule.reasons {
        if !given.contains(&reason.id) {
            say(format!("the reason {:?} is never given: use it or take it out", reason.id));
        }
        let Words { zh, en } = &reason.words;
        if placeholders(zh) != placeholders(en) {
            say(format!("the reason {:?} mentions other arguments in zh than in en", reason.id));
        }
    }
}

fn facts(rule: &Rule, say: &mut impl FnMut(String)) {
    for function in ["fact", "has"] {
        for path in calls(&rule.script, function) {
            match path {
                Some(path) if !schema::knows(&path) => say(format!(
                    "nobody provides the fact {path:?}: use a listed one or one below `declared.custom.`"
                )),
                Some(_) => {}
                None => say(format!("`{function}(...)` must be given its path as text in quotes")),
            }
        }
    }
}

/// The facts that a rule reads, in order, each once.
pub(crate) fn reads(rule: &Rule) -> BTreeSet<String> {
    ["fact", "has"].into_iter().flat_map(|function| calls(&rule.script, function)).flatten().collect()
}

/// The first argument of each call of `function`: its text, or `None` when it is not a text in quotes.
fn calls(script: &str, function: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = script[from..].find(function).map(|at| at + from) {
        from = at + function.len();
        let before = script[..at].chars().next_back();
        let continues = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"' || c == '.');
        let Some(arguments) = script[from..].trim_start().strip_prefix('(') else { continue };
        if continues || commented(script, at) {
            continue;
        }
        let text = arguments.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
        found.push(text.map(|(text, _)| text.to_owned()));
    }
    found
}

fn commented(script: &str, at: usize) -> bool {
    let line = script[..at].rfind('\n').map_or(0, |end| end + 1);
    script[line..at].contains("//")
}

/// The names between braces.
fn placeholders(words: &str) -> BTreeSet<&str> {
    words.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_by_their_own_name_and_not_in_comments() {
        let script = "// met(\"c\")\nif x { met( \"a\" ) } else { not_met(\"b\") }; met(y)";
        assert_eq!(calls(script, "met"), [Some("a".to_owned()), None]);
        assert_eq!(calls(script, "not_met"), [Some("b".to_owned())]);
    }

    #[test]
    fn each_kind_of_fault_gets_its_remark() {
        let fault = |change: fn(&mut Rule)| {
            let mut pack = crate::shipped::packs().remove(0);
            pack.rules.truncate(1);
            change(&mut pack.rules[0]);
            lint(&pack).into_iter().map(|remark| remark.what).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(fault(|_| ()), "");
        assert!(fault(|rule| rule.script.push_str("\n{{")).contains("does not compile"));
        assert!(fault(|rule| rule.script.push_str("\n;met(\"other\")")).contains("has no words"));
        assert!(
            fault(|rule| rule.script.push_str("\n;fact(\"shown.nonsense\")")).contains("nobody provides")
        );
        assert!(fault(|rule| rule.script.push_str("\n;fact(1)")).contains("in quotes"));
        assert!(fault(|rule| rule.script = "42".to_owned()).contains("gives no answer"));
        assert!(fault(|rule| rule.reasons[0].words.zh.push_str("{extra}")).contains("other arguments"));
    }
}
