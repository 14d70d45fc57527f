//! The facts that packs may ask for, so that a misspelt path is found by `lint` and not in court.
//!
//! `shown.*` comes from the verifier's report; `declared.*` from people, and is only their word. Times are whole
//! milliseconds since the Unix epoch. A path below `declared.custom.` is the pack's own.

/// Path, kind and meaning.
pub(crate) const PATHS: &[(&str, &str, &str)] = &[
    (
        "shown.content",
        "text",
        "`same` or `other`: the file that was handed in against the recorded digest; absent when none was",
    ),
    ("shown.log.inclusion", "flag", "the entry stands in the log at the checkpoint"),
    ("shown.log.origin", "text", "the log's origin"),
    ("shown.log.split_view", "flag", "two inconsistent checkpoints of this log are on record"),
    ("shown.anchor.certified", "flag", "the relay chain's certificate covers the checkpoint"),
    ("shown.anchor.network", "text", "the relay network"),
    ("shown.times.received_at", "number", "when the receipt says that the digest came"),
    ("shown.times.logged_at", "number", "when the checkpoint was cosigned"),
    ("shown.times.anchored_at", "number", "the time of the relay chain's leaf"),
    ("shown.times.stamped_at", "number", "the time in the earliest accepted time stamp"),
    ("shown.timestamps.accepted", "number", "institutions whose time stamps were accepted"),
    ("shown.timestamps.needed", "number", "how many the policy asks for"),
    ("shown.witnesses", "number", "independent institutions that cosigned"),
    ("shown.signature.valid", "flag", "the submitter's signature on the deposit"),
    ("shown.algorithms.living", "flag", "every algorithm counted was before its sunset"),
    ("declared.record.media_type", "text", "the media type of the content, as its record says"),
    ("declared.record.size", "number", "its size in bytes, as its record says"),
    ("declared.platform.filing", "text", "the platform's filing with the authority"),
    ("declared.platform.filed_until", "number", "until when the filing holds"),
    ("declared.platform.security_grade", "text", "the grade of protection that was assessed"),
    ("declared.platform.interest", "flag", "the platform has an interest in the dispute with a party"),
    ("declared.platform.environment_clean", "flag", "the capturing system was clean and in working order"),
    ("declared.platform.cipher_assessed", "flag", "the use of cryptography was assessed"),
    ("declared.provenance.source", "text", "where the data comes from"),
    ("declared.provenance.mechanism", "text", "how it came to be"),
    ("declared.provenance.storage", "text", "how it was kept until the deposit"),
    ("declared.provenance.operator", "text", "who captured it, as a role"),
    ("declared.provenance.tool", "text", "with which tool and version"),
    ("declared.provenance.replayable", "flag", "the capture can be repeated from its record"),
    ("declared.provenance.captured_at", "number", "when it was captured"),
    (
        "declared.provenance.lawful",
        "flag",
        "it was come by without breaking a prohibition or another's rights",
    ),
    ("declared.notary.deed", "text", "number of a notarial deed on the content"),
    ("declared.witness.third_party", "flag", "a third party was present at the capture"),
    ("declared.corroboration.supporting", "number", "other exhibits that agree"),
    ("declared.corroboration.contradicting", "number", "other exhibits that contradict"),
    ("declared.objection.raised", "flag", "the other party objects"),
    ("declared.objection.grounds", "text", "with which grounds"),
    ("declared.relevance.fact_in_issue", "text", "the fact in issue that it bears on"),
    ("declared.certification.signed", "flag", "a qualified person signed the certification"),
    ("declared.certification.qualified_by", "text", "what qualifies that person"),
    ("declared.certification.perjury", "flag", "it is declared under penalty of perjury"),
    ("declared.certification.process", "text", "the process or system, and why its result is accurate"),
    (
        "declared.certification.digest_compared",
        "flag",
        "the person compared the digests of original and copy",
    ),
    ("declared.certification.notice_at", "number", "when notice was given to the other party"),
    ("declared.certification.hearing_at", "number", "when the trial or hearing is"),
    ("declared.vermont.oath", "flag", "the declaration is under oath and states the qualification"),
    ("declared.vermont.entered_at", "number", "(A) when the record was entered in the blockchain"),
    ("declared.vermont.received_at", "number", "(B) when it was received from the blockchain"),
    ("declared.vermont.regular_conducted", "flag", "(C) it was kept as a regularly conducted activity"),
    ("declared.vermont.regular_practice", "flag", "(D) it was made as a regular practice"),
    ("declared.agreement.clause", "flag", "the arbitration agreement covers the dispute"),
    ("declared.agreement.method", "text", "the way of keeping data that the parties agreed on"),
    ("declared.agreement.method_followed", "flag", "that way was followed"),
    ("declared.case.number", "text", "the docket number"),
];

/// Whether packs may ask for this path, or for a map that holds it.
pub(crate) fn knows(path: &str) -> bool {
    let own = path.strip_prefix("declared.custom.").is_some_and(|rest| !rest.is_empty());
    own || PATHS.iter().any(|(known, ..)| {
        *known == path || known.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The kind of the value at this path, if packs may ask for it: `text`, `number` or `flag`.
pub(crate) fn kind(path: &str) -> Option<&'static str> {
    match PATHS.iter().find(|(known, ..)| *known == path) {
        Some((_, kind, _)) => Some(kind),
        None => knows(path).then_some("text").filter(|_| path.starts_with("declared.custom.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_a_map_of_paths_and_custom_paths_are_known_and_others_are_not() {
        for path in ["shown.content", "shown.times", "shown", "declared.custom.grade"] {
            assert!(knows(path), "{path}");
        }
        for path in ["shown.contents", "shown.time", "show", "declared.custom.", ""] {
            assert!(!knows(path), "{path}");
        }
    }

    #[test]
    fn the_page_lists_the_facts_of_the_source() {
        const MARK: &str = "cargo test -p zeugma-evidence-rules schema` -->\n";
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
        let text = std::fs::read_to_string(page).expect("docs/rules.md is there");
        let (head, _) = text.split_once(MARK).expect("the page has the mark of the table");
        let rows: String =
            PATHS.iter().map(|(path, kind, what)| format!("| `{path}` | {kind} | {what} |\n")).collect();
        let expected = format!("{head}{MARK}\n| fact | kind | what it says |\n|---|---|---|\n{rows}");
        if std::env::var_os("ZEUGMA_BLESS").is_some() {
            std::fs::write(page, &expected).expect("docs/rules.md can be written");
        }
        let stands = std::fs::read_to_string(page).expect("docs/rules.md is there");
        assert!(stands == expected, "docs/rules.md lists other facts: run this test with ZEUGMA_BLESS=1");
    }

    #[test]
    fn every_path_stands_once_under_one_of_the_two_roots() {
        for (index, (path, ..)) in PATHS.iter().enumerate() {
            assert!(path.starts_with("shown.") || path.starts_with("declared."), "{path}");
            assert!(PATHS[..index].iter().all(|(other, ..)| other != path), "{path} twice");
        }
    }
}
