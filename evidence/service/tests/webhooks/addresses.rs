//! What a tenant cannot make the service call.

use crate::certified::Root;
use crate::receiver::Receiver;
use crate::world::{Service, item, tenant};
use crate::{entries, key, register, settings, until};
use serde_json::json;
use tempfile::TempDir;
use zeugma_types::Code;

const REFUSED: u16 = Code::AddressRefused.number();

#[test]
fn an_address_inside_is_refused_when_it_is_registered_whatever_it_is_called() {
    let folder = TempDir::new().unwrap();
    let service =
        Service::start(folder.path(), &(tenant("one", "party") + "[webhooks]\nplain_http = true\n"));
    for url in [
        "https://127.0.0.1/",
        "http://127.0.0.1:8080/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
        "https://[64:ff9b::a00:1]/",
        "https://0.0.0.0/",
        "https://user@1.1.1.1/",
        "file:///etc/passwd",
        "gopher://1.1.1.1/",
        "https://no-such-name.invalid/",
    ] {
        let answer = service.ask("one", "POST", "/v1/webhooks", &json!({ "url": url, "events": ["logged"] }));
        assert_eq!(
            (answer.status, answer.code()),
            (400, Some(u64::from(REFUSED))),
            "{url}: {}",
            answer.json()
        );
    }
    assert_eq!(service.get("one", "/v1/webhooks").json(), json!({ "webhooks": [] }));
    service.end();
}

#[test]
fn an_address_that_may_no_longer_be_called_is_not_called() {
    let (folder, receiver) = (TempDir::new().unwrap(), Receiver::start());
    let service = Service::start(folder.path(), &settings(""));
    // Its name is looked at anew with each call: what it resolves to then is what counts.
    let url = format!("http://localhost:{}/told", receiver.address.port());
    let answer = service.ask("one", "POST", "/v1/webhooks", &json!({ "url": url, "events": ["logged"] }));
    let allowed = settings("").replace("127.0.0.0/8", "127.0.0.0/8\", \"::1");
    let service = if answer.status == 201 {
        service
    } else {
        // Here the name has an address of version 6 too.
        service.end();
        Service::start(folder.path(), &allowed)
    };
    let id = match answer.status {
        201 => answer.json()["id"].as_str().unwrap().to_owned(),
        _ => register(&service, "one", &url, &["logged"]),
    };
    service.end();

    let service =
        Service::start(folder.path(), &(tenant("one", "party") + "[webhooks]\nplain_http = true\n"));
    service.deposit("one", &[item(b"one", "1")]);
    let refused = until("an attempt", || {
        let answer = service.get("one", &format!("/v1/webhooks/{id}/attempts")).json();
        answer["attempts"].as_array().unwrap().first().cloned()
    });
    assert!(refused["why"].as_str().unwrap().starts_with("719 AddressRefused"), "{refused}");
    assert_eq!((receiver.got().len(), &refused["status"]), (0, &json!(null)), "nothing was sent");
    service.end();

    // Plain HTTP is an address that may not be called either.
    let strict = tenant("one", "party") + "[webhooks]\nallow = [\"127.0.0.0/8\", \"::1\"]\n";
    let service = Service::start(folder.path(), &strict);
    until("an attempt", || {
        let answer = service.get("one", &format!("/v1/webhooks/{id}/attempts")).json();
        let why = answer["attempts"][0]["why"].as_str()?.to_owned();
        why.contains("https://").then_some(())
    });
    assert_eq!(receiver.got().len(), 0);
    service.end();
    let service = Service::start(folder.path(), &allowed);
    let key = key(&service);
    until("it arrives once it may", || (entries(&key, &receiver, "entries.logged") == [0]).then_some(()));
    service.end();
}

#[test]
fn a_receiver_over_tls_is_called_only_under_a_root_that_is_believed() {
    let folder = TempDir::new().unwrap();
    let (root, other) = (Root::new(), Root::new());
    let own = root.certify("127.0.0.1");
    let receiver = Receiver::secured(&own.pem, &own.key);
    let roots = |name: &str, root: &Root| {
        let path = folder.path().join(name);
        std::fs::write(&path, &root.pem).unwrap();
        settings(&format!("rest_seconds = 1\nca = {path:?}\n"))
    };
    let service = Service::start(folder.path(), &roots("other.pem", &other));
    let url = format!("https://{}/told", receiver.address);
    let id = register(&service, "one", &url, &["logged"]);
    service.deposit("one", &[item(b"one", "1")]);
    until("an attempt", || {
        let answer = service.get("one", &format!("/v1/webhooks/{id}/attempts")).json();
        let first = answer["attempts"].as_array().unwrap().first().cloned()?;
        (first["delivered"] == false && first["status"].is_null()).then_some(())
    });
    assert_eq!(receiver.got().len(), 0);
    service.end();
    let service = Service::start(folder.path(), &roots("own.pem", &root));
    let key = key(&service);
    until("it arrives", || (entries(&key, &receiver, "entries.logged") == [0]).then_some(()));
    service.end();
}
