//! The engine: compiles a pack once, then gives verdicts on facts. No clock, no files, no randomness.
//!
//! A rule is run alone, with a scope of its own. Its script ends in `met(reason)`, `not_met(reason)` or
//! `undetermined(reason)`, each with an optional map of what the words mention; it reads facts by `fact(path)`,
//! which is `()` for one that is not there, and `has(path)`.

use crate::bounds;
use crate::error::Broken;
use crate::facts::{Facts, Value};
use crate::pack::{Pack, Rule};
use crate::verdict::{Argument, Finding, Outcome, Verdict};
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, BasicStringPackage,
    LanguageCorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, Dynamic, EvalAltResult, ImmutableString, NativeCallContext, OptimizationLevel, Scope};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeugma_types::Encode;

/// The name of this engine, as verdicts record it: the version of Rhai, and of the bounds and functions here.
pub const ENGINE: &str = "rhai-1.27.0/zeugma-1";

/// Words of Rhai that a rule does without: text run as code, output, waiting.
const DISABLED: [&str; 4] = ["eval", "print", "debug", "exit"];

/// What a script ends in.
#[derive(Clone, Debug)]
struct Answer {
    outcome: Outcome,
    reason: String,
    arguments: BTreeMap<String, Value>,
}

/// The engine.
pub struct Engine {
    rhai: rhai::Engine,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(ENGINE)
    }
}

/// A pack whose scripts are compiled.
#[derive(Clone, Debug)]
pub struct Compiled {
    pack: Pack,
    digest: [u8; 32],
    scripts: Vec<AST>,
}

impl Compiled {
    /// The pack.
    #[must_use]
    pub const fn pack(&self) -> &Pack {
        &self.pack
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// An engine with every bound set.
    #[must_use]
    pub fn new() -> Self {
        let mut rhai = rhai::Engine::new_raw();
        rhai.register_global_module(LanguageCorePackage::new().as_shared_module())
            .register_global_module(ArithmeticPackage::new().as_shared_module())
            .register_global_module(LogicPackage::new().as_shared_module())
            .register_global_module(BasicStringPackage::new().as_shared_module())
            .register_global_module(MoreStringPackage::new().as_shared_module())
            .register_global_module(BasicArrayPackage::new().as_shared_module())
            .register_global_module(BasicMapPackage::new().as_shared_module())
            .register_global_module(BasicIteratorPackage::new().as_shared_module());
        rhai.set_optimization_level(OptimizationLevel::Simple)
            .set_strict_variables(true)
            .set_fail_on_invalid_map_property(true)
            .set_max_operations(bounds::OPERATIONS)
            .set_max_call_levels(bounds::CALLS)
            .set_max_expr_depths(bounds::EXPRESSION.0, bounds::EXPRESSION.1)
            .set_max_string_size(bounds::SCRIPT_TEXT)
            .set_max_array_size(bounds::SCRIPT_MEMBERS)
            .set_max_map_size(bounds::SCRIPT_MEMBERS)
            .set_max_variables(bounds::VARIABLES)
            .set_max_functions(bounds::FUNCTIONS)
            .set_max_strings_interned(256);
        for symbol in DISABLED {
            rhai.disable_symbol(symbol);
        }
        register(&mut rhai);
        Self { rhai }
    }

    /// Compiles every script of a pack.
    ///
    /// # Errors
    /// [`Broken::Rule`] when the pack breaks a rule of the format; [`Broken::Script`] with rule, line and column.
    pub fn compile(&self, pack: Pack) -> Result<Compiled, Broken> {
        pack.check()?;
        let scripts = pack.rules.iter().map(|rule| {
            self.rhai
                .compile(&rule.script)
                .map_err(|error| Broken::Script { rule: rule.id.clone(), why: error.to_string() })
        });
        Ok(Compiled { scripts: scripts.collect::<Result<_, _>>()?, digest: pack.digest(), pack })
    }

    /// Gives the verdict of the pack on the facts. Each rule gives a finding, whatever it does.
    pub fn evaluate(&mut self, compiled: &Compiled, facts: &Facts) -> Verdict {
        self.rhai.set_default_tag(Dynamic::from(Arc::new(facts.clone())));
        let findings = compiled.pack.rules.iter().zip(&compiled.scripts);
        let findings = findings.map(|(rule, script)| self.find(rule, script)).collect();
        Verdict {
            engine: ENGINE.to_owned(),
            pack_name: compiled.pack.name.clone(),
            pack_version: compiled.pack.version.clone(),
            pack: compiled.digest,
            facts: facts.digest(),
            findings,
        }
    }

    fn find(&self, rule: &Rule, script: &AST) -> Finding {
        let given = self.rhai.eval_ast_with_scope::<Dynamic>(&mut Scope::new(), script);
        let answer = match given {
            Ok(value) => match value.try_cast::<Answer>() {
                Some(answer) if rule.reason(&answer.reason).is_none() => {
                    own("engine.unknown-reason", "reason", Value::Text(clipped(&answer.reason)))
                }
                Some(answer) => answer,
                None => Answer {
                    outcome: Outcome::Undetermined,
                    reason: "engine.no-answer".to_owned(),
                    arguments: BTreeMap::new(),
                },
            },
            Err(error) => failed(&error),
        };
        Finding {
            rule: rule.id.clone(),
            head: rule.head,
            outcome: answer.outcome,
            reason: answer.reason,
            arguments: answer.arguments.into_iter().map(|(name, value)| Argument { name, value }).collect(),
        }
    }
}

fn own(reason: &str, name: &str, value: Value) -> Answer {
    Answer {
        outcome: Outcome::Undetermined,
        reason: reason.to_owned(),
        arguments: BTreeMap::from([(name.to_owned(), value)]),
    }
}

/// The front of a text from a script, short enough for a finding.
fn clipped(text: &str) -> String {
    text.chars().take(bounds::NAME / 4).collect()
}

/// A rule that broke off has found nothing. Only the kind and the line are told: Rhai's sentences may change.
fn failed(error: &EvalAltResult) -> Answer {
    let stopped = |bound: &str| own("engine.stopped", "bound", Value::Text(bound.to_owned()));
    match error.unwrap_inner() {
        EvalAltResult::ErrorTooManyOperations(_) => stopped("operations"),
        EvalAltResult::ErrorDataTooLarge(..) => stopped("size"),
        EvalAltResult::ErrorStackOverflow(_) => stopped("depth"),
        EvalAltResult::ErrorTooManyVariables(_) => stopped("variables"),
        other => {
            let line = other.position().line().unwrap_or_default();
            own("engine.failed", "line", Value::Number(i64::try_from(line).unwrap_or(i64::MAX)))
        }
    }
}

fn register(rhai: &mut rhai::Engine) {
    rhai.register_type_with_name::<Answer>("Answer");
    for outcome in Outcome::ALL {
        rhai.register_fn(outcome.name(), move |reason: ImmutableString| Answer {
            outcome,
            reason: reason.to_string(),
            arguments: BTreeMap::new(),
        });
        rhai.register_fn(outcome.name(), move |reason: ImmutableString, arguments: rhai::Map| {
            answer(outcome, &reason, arguments)
        });
    }
    // Rhai's core waits by a function, which `disable_symbol` does not reach.
    rhai.register_fn("sleep", |_seconds: i64| Err::<(), Box<EvalAltResult>>("a rule does not wait".into()));
    rhai.register_fn("fact", |context: NativeCallContext<'_>, path: ImmutableString| {
        facts_of(&context).and_then(|facts| facts.get(&path).map(dynamic)).unwrap_or(Dynamic::UNIT)
    });
    rhai.register_fn("has", |context: NativeCallContext<'_>, path: ImmutableString| {
        facts_of(&context).is_some_and(|facts| facts.get(&path).is_some())
    });
}

fn facts_of(context: &NativeCallContext<'_>) -> Option<Arc<Facts>> {
    context.tag()?.clone().try_cast::<Arc<Facts>>()
}

fn answer(outcome: Outcome, reason: &str, arguments: rhai::Map) -> Result<Answer, Box<EvalAltResult>> {
    if arguments.len() > bounds::ARGUMENTS {
        return Err(format!("{} arguments are more than {}", arguments.len(), bounds::ARGUMENTS).into());
    }
    let arguments = arguments.into_iter().map(|(name, value)| {
        if name.len() > bounds::NAME {
            return Err(format!("the argument's name {name} is too long").into());
        }
        let plain =
            plain(&value).ok_or_else(|| format!("the argument {name} is not a flag, number or text"))?;
        Ok::<_, Box<EvalAltResult>>((name.to_string(), plain))
    });
    Ok(Answer { outcome, reason: reason.to_owned(), arguments: arguments.collect::<Result<_, _>>()? })
}

fn plain(value: &Dynamic) -> Option<Value> {
    if let Ok(flag) = value.as_bool() {
        return Some(Value::Flag(flag));
    }
    if let Ok(number) = value.as_int() {
        return Some(Value::Number(number));
    }
    let text = value.as_immutable_string_ref().ok()?;
    (text.len() <= bounds::FACT_TEXT).then(|| Value::Text(text.to_string()))
}

fn dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Flag(flag) => (*flag).into(),
        Value::Number(number) => (*number).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(dynamic).collect::<Vec<_>>().into(),
        Value::Map(map) => {
            map.iter().map(|(name, value)| (name.into(), dynamic(value))).collect::<rhai::Map>().into()
        }
    }
}

/// The encoding of a verdict, which is what is stored and compared.
impl Verdict {
    /// The bytes that a bundle carries.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{Head, Reason, Words};

    fn words(text: &str) -> Words {
        Words { zh: text.to_owned(), en: text.to_owned() }
    }

    fn pack(scripts: &[&str]) -> Pack {
        let reasons = ["no", "yes"].map(|id| Reason { id: id.to_owned(), words: words(id) });
        let rule = |(index, script): (usize, &&str)| Rule {
            id: format!("r{index}"),
            head: Head::Authenticity,
            article: words("article"),
            question: words("question"),
            reasons: reasons.to_vec(),
            script: (*script).to_owned(),
        };
        Pack {
            name: "test".to_owned(),
            version: "1".to_owned(),
            title: words("title"),
            source: words("source"),
            rules: scripts.iter().enumerate().map(rule).collect(),
        }
    }

    fn found(script: &str, facts: &str) -> Finding {
        let mut engine = Engine::new();
        let compiled = engine.compile(pack(&[script])).unwrap();
        engine.evaluate(&compiled, &Facts::from_json(facts).unwrap()).findings.remove(0)
    }

    #[test]
    fn a_rule_reads_facts_and_a_missing_one_is_neither_true_nor_false() {
        let script = r#"if fact("shown.log.inclusion") == true { met("yes", #{at: fact("shown.n")}) } else { not_met("no") }"#;
        let facts = r#"{"shown": {"log": {"inclusion": true}, "n": 7}}"#;
        let finding = found(script, facts);
        assert_eq!((finding.outcome, finding.reason.as_str()), (Outcome::Met, "yes"));
        assert_eq!(finding.arguments, [Argument { name: "at".to_owned(), value: Value::Number(7) }]);
        assert_eq!(found(script, "{}").outcome, Outcome::NotMet);
        assert_eq!(
            found(r#"if has("a.b") { met("yes") } else { not_met("no") }"#, "{}").outcome,
            Outcome::NotMet
        );
    }

    #[test]
    fn hostile_scripts_find_nothing_and_say_which_bound_stopped_them() {
        for (script, bound) in [
            ("loop { }", "operations"),
            ("let n = 0; while n < 100000000 { n += 1; } met(\"yes\")", "operations"),
            ("let s = \"x\"; for i in 0..40 { s += s; } met(\"yes\")", "size"),
            ("let a = []; for i in 0..5000 { a.push(i); } met(\"yes\")", "size"),
            // Rhai's bound on maps does not reach an assignment by index: the operations do.
            ("let m = #{}; for i in 0..500000 { m[i.to_string()] = i; } met(\"yes\")", "operations"),
            ("fn f(n) { f(n + 1) } f(0)", "depth"),
        ] {
            let finding = found(script, "{}");
            assert_eq!(finding.outcome, Outcome::Undetermined, "{script}");
            assert_eq!(finding.reason, "engine.stopped", "{script}: {finding:?}");
            assert_eq!(finding.arguments[0].value, Value::Text(bound.to_owned()), "{script}");
        }
    }

    #[test]
    fn a_script_without_an_answer_or_with_a_reason_of_its_own_finds_nothing() {
        assert_eq!(found("42", "{}").reason, "engine.no-answer");
        assert_eq!(found("met(\"maybe\")", "{}").reason, "engine.unknown-reason");
        assert_eq!(found("let x = 1;\nx.nonsense()", "{}").reason, "engine.failed");
        assert_eq!(found("1 / 0", "{}").reason, "engine.failed");
        assert_eq!(found("met(\"yes\", #{a: [1]})", "{}").reason, "engine.failed");
    }

    #[test]
    fn nothing_that_could_differ_between_two_runs_can_be_called() {
        let engine = Engine::new();
        for script in [
            "eval(\"1\")",
            "print(1)",
            "debug(1)",
            "sleep(1)",
            "1.5",
            "import \"x\" as y; 1",
            "let t = timestamp();",
        ] {
            let compiled = engine.compile(pack(&[script]));
            let refused = compiled.is_err() || found(script, "{}").reason == "engine.failed";
            assert!(refused, "{script}");
        }
    }

    #[test]
    fn one_rule_that_breaks_off_does_not_touch_the_next() {
        let mut engine = Engine::new();
        let compiled = engine.compile(pack(&["loop { }", "met(\"yes\")", "missing(1)"])).unwrap();
        let verdict = engine.evaluate(&compiled, &Facts::from_json("{}").unwrap());
        let outcomes: Vec<_> = verdict.findings.iter().map(|finding| finding.outcome).collect();
        assert_eq!(outcomes, [Outcome::Undetermined, Outcome::Met, Outcome::Undetermined]);
        assert_eq!(verdict.head(Head::Authenticity), Some(Outcome::Undetermined));
        assert_eq!(verdict.head(Head::Relevance), None);
    }

    #[test]
    fn the_name_of_the_engine_is_the_version_that_is_linked() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
        let lock = std::fs::read_to_string(lock).expect("the workspace has a lock file");
        let version =
            lock.split("name = \"rhai\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(ENGINE, format!("rhai-{}/zeugma-1", version.expect("rhai is locked")));
    }
}
