//! Receivers that do not take what they are sent.

use crate::receiver::{Manner, Receiver};
use crate::world::{Service, item};
use crate::{entries, key, opened, register, settings, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn hook(service: &Service, token: &str, id: &str) -> Value {
    service.get(token, &format!("/v1/webhooks/{id}")).json()
}

fn attempts(service: &Service, token: &str, id: &str) -> Vec<Value> {
    let answer = service.get(token, &format!("/v1/webhooks/{id}/attempts")).json();
    answer["attempts"].as_array().unwrap().iter().rev().cloned().collect()
}

/// The value of a metric.
fn metric(service: &Service, name: &str) -> u64 {
    let text = String::from_utf8(service.get("nobody", "/metrics").body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
}

#[test]
fn what_does_not_arrive_is_sent_again_the_same_bytes_under_the_same_name_with_growing_rests() {
    let (folder, receiver, elsewhere) = (TempDir::new().unwrap(), Receiver::start(), Receiver::start());
    receiver.then([
        Manner::Status(500),
        Manner::Redirect(elsewhere.url()),
        Manner::Stall(Duration::from_secs(3)),
        Manner::Cut,
        Manner::Status(404),
    ]);
    let service = Service::start(folder.path(), &settings("timeout_seconds = 1\nrest_seconds = 2\n"));
    let id = register(&service, "one", &receiver.url(), &["logged"]);
    service.deposit("one", &[item(b"one", "1")]);
    let key = key(&service);
    until("the first delivery", || (entries(&key, &receiver, "entries.logged") == [0]).then_some(()));
    service.deposit("one", &[item(b"two", "1")]);
    until("the second", || (entries(&key, &receiver, "entries.logged") == [0, 1]).then_some(()));

    let got = receiver.got();
    assert_eq!(got.len(), 7);
    for again in &got[1..6] {
        assert_eq!((&again.head["webhook-id"], &again.body), (&got[0].head["webhook-id"], &got[0].body));
        opened(&key, again);
    }
    assert_ne!(got[6].head["webhook-id"], got[0].head["webhook-id"]);
    let rests: Vec<_> = got[..6].windows(2).map(|pair| pair[1].at.duration_since(pair[0].at)).collect();
    for (rest, least) in rests.iter().zip([1_000, 1_900, 2_900, 1_900, 1_900]) {
        assert!(*rest >= Duration::from_millis(least - 50), "{rests:?}");
    }
    assert_eq!(elsewhere.got().len(), 0, "no redirect is followed");

    let told = until("the last is written down", || {
        let told = attempts(&service, "one", &id);
        (told.len() == 7).then_some(told)
    });
    let statuses: Vec<_> = told.iter().map(|one| one["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(500), Some(302), None, None, Some(404), Some(200), Some(200)]);
    let delivered: Vec<_> = told.iter().map(|one| one["delivered"].as_bool().unwrap()).collect();
    assert_eq!(delivered, [false, false, false, false, false, true, true]);
    assert!(told[1]["why"].as_str().unwrap().contains("redirect"), "{}", told[1]);
    assert!(told[2]["why"].as_str().unwrap().starts_with("612 TooSlow"), "{}", told[2]);
    assert_eq!(hook(&service, "one", &id)["state"], "active");
    let name = "zeugma_evidence_webhook_attempts_total";
    let count = |result: &str| metric(&service, &format!("{name}{{result=\"{result}\"}}"));
    assert_eq!(["delivered", "answered", "unanswered", "refused"].map(count), [2, 3, 2, 0]);
    service.end();
}

#[test]
fn a_receiver_and_the_service_are_killed_and_nothing_is_lost() {
    let (folder, receiver) = (TempDir::new().unwrap(), Receiver::start());
    let more = settings("timeout_seconds = 1\nrest_seconds = 1\n");
    let service = Service::start(folder.path(), &more);
    let id = register(&service, "one", &receiver.url(), &["logged"]);
    service.deposit("one", &[item(b"one", "1")]);
    let key = key(&service);
    until("the first", || (entries(&key, &receiver, "entries.logged") == [0]).then_some(()));
    // It takes the next and says nothing; then it is gone, and so is the service.
    receiver.always(Some(Manner::Status(503)));
    service.deposit("one", &[item(b"two", "1")]);
    let begun = until("a call that fails", || receiver.got().into_iter().find(|got| !got.answered));
    let address = receiver.kill();
    service.deposit("one", &[item(b"three", "1")]);
    until("nobody answers", || {
        attempts(&service, "one", &id).last().filter(|one| one["status"].is_null()).map(drop)
    });
    service.end();

    // While it is away, an entry more is logged by another start that calls nobody in time.
    let service = Service::start(folder.path(), &more);
    service.deposit("one", &[item(b"four", "1")]);
    assert_eq!(hook(&service, "one", &id)["state"], "failing");
    let receiver = Receiver::at(address);
    until("all of them", || (entries(&key, &receiver, "entries.logged") == [1, 2, 3]).then_some(()));
    let first = receiver.got().remove(0);
    assert_eq!(
        (&first.head["webhook-id"], &first.body),
        (&begun.head["webhook-id"], &begun.body),
        "what was on its way goes on under its name"
    );
    service.end();
}

#[test]
fn a_dead_receiver_is_disabled_after_its_time_tells_so_and_goes_on_where_it_was_once_enabled() {
    let (folder, receiver) = (TempDir::new().unwrap(), Receiver::start());
    receiver.always(Some(Manner::Status(500)));
    let service = Service::start(folder.path(), &settings("rest_seconds = 1\ndisable_seconds = 3\n"));
    let id = register(&service, "one", &receiver.url(), &["logged"]);
    service.deposit("one", &[item(b"one", "1")]);
    let begun = Instant::now();
    until("it fails", || (hook(&service, "one", &id)["state"] == "failing").then_some(()));
    assert_eq!(metric(&service, "zeugma_evidence_webhooks{state=\"failing\"}"), 1);
    until("it is disabled", || (hook(&service, "one", &id)["state"] == "disabled").then_some(()));
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    let shown = hook(&service, "one", &id);
    assert!(shown["disabled_at"].is_u64() && shown["disabled_for"] == "status 500", "{shown}");
    assert_eq!(metric(&service, "zeugma_evidence_webhooks{state=\"disabled\"}"), 1);
    assert_eq!(metric(&service, "zeugma_evidence_webhook_disabled_total"), 1);
    let acts = until("the act", || {
        let acts = service.get("operator", "/v1/audit").json();
        let find =
            |what: &str| acts["acts"].as_array().unwrap().iter().find(|act| act["what"] == what).cloned();
        Some((find("webhook.register")?, find("webhook.disabled")?))
    });
    assert_eq!((&acts.0["tenant"], &acts.1["role"]), (&json!("one"), &json!("machine")));

    // It is called no more, over a restart too.
    service.end();
    let service = Service::start(folder.path(), &settings("rest_seconds = 1\ndisable_seconds = 3\n"));
    let count = receiver.got().len();
    service.deposit("one", &[item(b"two", "1")]);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(receiver.got().len(), count);
    receiver.always(None);
    let enabled = service.ask("one", "POST", &format!("/v1/webhooks/{id}/enable"), &json!(null));
    assert_eq!((enabled.status, &enabled.json()["state"]), (200, &json!("active")));
    let key = key(&service);
    until("both entries", || (entries(&key, &receiver, "entries.logged") == [0, 1]).then_some(()));
    service.end();
}

#[test]
fn a_receiver_that_says_it_is_gone_is_disabled_at_once() {
    let (folder, receiver) = (TempDir::new().unwrap(), Receiver::start());
    receiver.always(Some(Manner::Status(410)));
    let service = Service::start(folder.path(), &settings(""));
    let id = register(&service, "one", &receiver.url(), &["logged"]);
    service.deposit("one", &[item(b"one", "1")]);
    until("it is disabled", || (hook(&service, "one", &id)["state"] == "disabled").then_some(()));
    assert_eq!(receiver.got().len(), 1);
    service.end();
}

#[test]
fn slow_receivers_of_one_tenant_hold_up_no_other_tenant() {
    let (folder, slow, quick) = (TempDir::new().unwrap(), Receiver::start(), Receiver::start());
    slow.always(Some(Manner::Slow(Duration::from_millis(2_500))));
    // Three places for all, two of them for one tenant at most.
    let bounds = "calls = 3\ncalls_of_tenant = 2\ntimeout_seconds = 4\n";
    let service = Service::start(folder.path(), &settings(bounds));
    for n in 0..4 {
        register(&service, "one", &format!("{}{n}", slow.url()), &["logged"]);
    }
    register(&service, "two", &quick.url(), &["logged"]);
    service.deposit("one", &[item(b"one", "1")]);
    until("the slow ones are called", || (slow.got().len() == 2).then_some(()));
    let key = key(&service);
    for n in 0..5_u8 {
        let begun = Instant::now();
        service.deposit("two", &[item(&[n], "2")]);
        until("it is told", || {
            (entries(&key, &quick, "entries.logged").len() > usize::from(n)).then_some(())
        });
        assert!(begun.elapsed() < Duration::from_millis(2_000), "{n}: {:?}", begun.elapsed());
    }
    until("the others are called after them", || (slow.got().len() >= 4).then_some(()));
    let at: Vec<_> = slow.got().iter().take(4).map(|got| got.at).collect();
    assert!(at[2].duration_since(at[0]) > Duration::from_secs(2), "two at one time, not more");
    service.end();
}
