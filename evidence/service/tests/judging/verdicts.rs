//! Each entry gets its verdict, once, in the order of the log; it is in the bundle, and given again from the bundle.

use crate::world::*;
use serde_json::json;
use tempfile::TempDir;
use zeugma_evidence_rules::replay::{Replay, replay};
use zeugma_evidence_rules::{Engine, Verdict};
use zeugma_evidence_service::judging::facts::{When, of_bundle};
use zeugma_evidence_service::run;
use zeugma_evidence_verify::report::Word;
use zeugma_evidence_verify::{Bundle, Policy, Question, Subject, verify};
use zeugma_proof::testkit::TestNetwork;
use zeugma_types::{BlockTime, Code, Decode as _, Encode as _};

#[test]
fn each_entry_is_judged_and_its_bundle_alone_gives_the_verdict_again_byte_for_byte() {
    let folder = TempDir::new().unwrap();
    let extra = rules("") + configured(folder.path(), "").as_str();
    let service = Service::start(config(folder.path(), &extra));
    let denied = item(b"two", &json!({ "declared.provenance.lawful": "false", "case": "2026-17" }));
    let (status, answer) = service.deposit(&[lawful(b"one"), denied, item(b"three", &json!({}))]);
    assert_eq!(status, 201, "{answer}");
    for (index, outcome, en) in [
        (0, "met", "the source a contract archive is declared lawful"),
        (1, "not_met", "the source a contract archive is declared unlawful"),
        (2, "undetermined", "nothing is said of the source a contract archive"),
    ] {
        let told = &service.judged(index)["verdicts"][0];
        assert_eq!(told["pack"]["digest"], hex::encode(pack().digest()), "{told}");
        assert_eq!(
            (&told["heads"]["legality"], &told["heads"]["authenticity"]),
            (&json!(outcome), &json!("undetermined"))
        );
        let finding = &told["findings"][0];
        assert_eq!((&finding["words"]["en"], &finding["article"]["zh"]), (&json!(en), &json!("第一条")));
        assert!(finding["words"]["zh"].as_str().unwrap().contains("a contract archive"));
        assert_eq!(told["in_force"], json!({ "confirmed": false, "note": "not confirmed in force" }));
    }

    service.get("/v1/entries/0/1?wait=10&for=logged");
    let bytes = service.bytes("/v1/entries/0/1/bundle");
    let bundle = Bundle::from_bytes(&bytes).unwrap();
    let policy = Policy::from_bytes(&service.bytes("/v1/policy")).unwrap();
    assert_eq!(bundle.verdicts.len(), 1);
    let recorded = Verdict::from_bytes(&bundle.verdicts[0].statement).unwrap();
    let facts = of_bundle(&bundle, When::Received).unwrap();
    assert_eq!(replay(&recorded, &pack(), &facts).unwrap(), Replay::Same);
    // By hand as well: the engine on the facts gives the very bytes that were signed.
    let mut engine = Engine::new();
    let compiled = engine.compile(pack()).unwrap();
    assert_eq!(engine.evaluate(&compiled, &facts).to_bytes(), bundle.verdicts[0].statement);

    let trust = TestNetwork::new(4).trust_file();
    let time = BlockTime::new(bundle.verdicts[0].at.get() + 1_000);
    let ask = |bytes: &[u8]| {
        verify(&Question {
            bundle: bytes,
            subject: Subject::File(b"two"),
            trust: &trust,
            policy: &policy,
            time,
        })
    };
    let report = ask(&bytes).unwrap();
    assert!(report.not_shown.iter().all(|line| line.word != Word::NoVerdict), "{report:?}");
    let mut moved = bundle.clone();
    moved.verdicts[0].at = BlockTime::new(bundle.verdicts[0].at.get() + 1);
    assert_eq!(ask(&moved.sealed().to_bytes()).unwrap_err().code, Code::BadSignature);
    let other = Bundle::from_bytes(&service.bytes("/v1/entries/0/0/bundle")).unwrap();
    let mut swapped = bundle.clone();
    swapped.verdicts = other.verdicts;
    assert_eq!(
        ask(&swapped.sealed().to_bytes()).unwrap_err().code,
        Code::BadSignature,
        "a verdict is of one entry"
    );

    let mut closed = bundle;
    closed.disclosure.fields.pop();
    assert!(of_bundle(&closed, When::Received).is_err());
    service.end();
}

#[test]
fn a_pack_judges_what_is_deposited_after_it_was_configured_and_goes_on_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(config(folder.path(), ""));
    service.deposit(&[lawful(b"before")]);
    service.end();

    let extra = rules("") + configured(folder.path(), "").as_str();
    let service = Service::start(config(folder.path(), &extra));
    service.deposit(&[lawful(b"one")]);
    let first = service.judged(1)["verdicts"][0].clone();
    assert_eq!(first["heads"]["legality"], "met", "{first}");
    assert_eq!(service.judged(0)["verdicts"], json!([]));
    service.end();

    // The pack is configured no longer: what it found is still told, and what comes is not judged.
    let service = Service::start(config(folder.path(), ""));
    service.deposit(&[lawful(b"without")]);
    assert_eq!(service.judged(1)["verdicts"][0]["given_at"], first["given_at"]);
    assert_eq!(service.judged(2)["verdicts"], json!([]));
    service.end();

    // It comes again, and takes up what it missed.
    let service = Service::start(config(folder.path(), &extra));
    let many: Vec<_> = (0..150_u32).map(|number| lawful(&number.to_be_bytes())).collect();
    service.deposit(&many);
    for index in [2, 3, 66, 67, 152] {
        assert_eq!(service.judged(index)["verdicts"][0]["heads"]["legality"], "met", "entry {index}");
    }
    assert_eq!(service.judged(1)["verdicts"][0]["given_at"], first["given_at"], "given once");
    let metrics = String::from_utf8(service.bytes("/metrics")).unwrap();
    assert!(metrics.contains("zeugma_evidence_verdicts_total{pack=\"court-filing\"} 151"), "{metrics}");
    assert!(metrics.contains("zeugma_evidence_verdicts_behind{pack=\"court-filing\"} 0"), "{metrics}");
    service.end();
}

#[test]
fn an_erased_record_takes_its_verdict_with_it_and_a_damaged_file_is_named() {
    let folder = TempDir::new().unwrap();
    let extra = rules("") + configured(folder.path(), "").as_str();
    let service = Service::start(config(folder.path(), &extra));
    service.deposit(&[lawful(b"one"), lawful(b"two")]);
    service.judged(0);
    service.judged(1);
    let file = folder.path().join("log/verdicts").join(hex::encode(pack().digest())).join("0/0");
    let before = std::fs::read(&file).unwrap();
    assert_eq!(service.ask("DELETE", "/v1/entries/0/0", &serde_json::Value::Null).0, 204);
    assert!(
        std::fs::read(&file).unwrap().len() < before.len() - 100,
        "the verdict of the erased entry is gone"
    );
    assert_eq!(service.judged(1)["verdicts"][0]["heads"]["legality"], "met");

    let mut bytes = std::fs::read(&file).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (status, problem) = service.ask("GET", "/v1/entries/0/1", &serde_json::Value::Null);
    assert_eq!(
        (status, problem["code"].as_u64()),
        (500, Some(u64::from(Code::Damaged.number()))),
        "{problem}"
    );
    assert!(problem.to_string().contains("verdicts"), "{problem}");
    service.end();
}

#[test]
fn what_cannot_be_judged_is_refused_with_its_field_and_another_pack_stops_the_start() {
    let folder = TempDir::new().unwrap();
    let extra = rules("") + configured(folder.path(), "").as_str();
    let service = Service::start(config(folder.path(), &extra));
    for custom in [json!({ "declared.provenance.lawful": "perhaps" }), json!({ "declared.no.such": "x" })] {
        let (status, problem) = service.deposit(&[lawful(b"one"), item(b"two", &custom)]);
        assert_eq!(
            (status, problem["code"].as_u64()),
            (422, Some(u64::from(Code::BadFacts.number()))),
            "{problem}"
        );
    }
    assert_eq!(service.get("/v1/status")["durable"], 0);
    service.end();

    std::fs::write(folder.path().join("pack.toml"), PACK.replace("1.0.0", "1.0.1")).unwrap();
    let text = rules("")
        + &*format!(
            "[[rules.pack]]\nfile = {:?}\ndigest = \"{}\"\n",
            folder.path().join("pack.toml"),
            hex::encode(pack().digest())
        );
    let config = config(folder.path(), &text);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(run(config, stopped, |_| {})).unwrap_err().to_string();
    assert!(error.contains("800"), "{error}");
}
