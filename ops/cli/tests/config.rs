//! One documented TOML: every setting of a node stands in `ops/config/zeugma.toml` with a comment, nothing else does,
//! and every relation between settings is refused with the values that contradict each other.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Desk;
use std::path::Path;
use zeugma_node::NodeConfig;

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/zeugma.toml");
    std::fs::read_to_string(path).unwrap()
}

/// Whether a line sets something once its `# ` is gone.
fn sets(line: &str) -> bool {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let word =
        |text: &str| !text.is_empty() && text.bytes().all(|one| matches!(one, b'a'..=b'z' | b'_' | b'.'));
    line.split_once(" = ").is_some_and(|(key, _)| word(key))
        || line.trim_start_matches('[').trim_end_matches(']').len() + 2 <= line.len()
            && word(line.trim_matches(['[', ']']))
}

/// The example with everything that it only shows set.
fn whole() -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(shown) if sets(line) => shown.to_owned(),
        _ => line.to_owned(),
    };
    example().lines().map(|one| line(one) + "\n").collect()
}

/// The fields that the program knows in a table: it names them when it refuses another.
fn known(table: &[&str]) -> Vec<String> {
    fn insert(value: &mut toml::Value, table: &[&str]) {
        match (value, table) {
            (toml::Value::Array(many), table) => insert(&mut many[0], table),
            (toml::Value::Table(here), []) => drop(here.insert("no_such_setting".into(), 1.into())),
            (toml::Value::Table(here), [name, rest @ ..]) => insert(here.get_mut(*name).unwrap(), rest),
            (other, _) => panic!("{other} is no table"),
        }
    }
    let mut value: toml::Value = toml::from_str(&whole()).unwrap();
    insert(&mut value, table);
    let refused = format!("{:#}", NodeConfig::parse(&toml::to_string(&value).unwrap()).unwrap_err());
    let (_, names) = refused.split_once("expected ").unwrap_or_else(|| panic!("{table:?}: {refused}"));
    names.lines().next().unwrap().split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The settings of a table as the example has them, each with whether a comment explains it.
fn documented(table: &str) -> Vec<(String, bool)> {
    let (mut here, mut found, mut explained) = (String::new(), Vec::new(), false);
    for line in example().lines() {
        let shown = line.strip_prefix("# ").filter(|_| sets(line)).unwrap_or(line);
        if shown.starts_with('[') {
            here = shown.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = shown.split_once(" = ").filter(|_| sets(line)) {
            if here == table && found.iter().all(|(name, _)| name != key) {
                found.push((key.to_owned(), explained));
            }
            // One comment over the whole table explains the two fields of each of these.
            explained &= ["network.peers", "api.grpc"].contains(&here.as_str());
        } else {
            explained = line.starts_with('#');
        }
    }
    found
}

#[test]
fn every_setting_is_documented_and_every_documented_one_is_known() {
    NodeConfig::parse(&whole()).unwrap().check().unwrap();
    let tables: [&[&str]; 9] = [
        &["node"],
        &["network"],
        &["network", "peers"],
        &["mempool"],
        &["storage"],
        &["runtime"],
        &["api"],
        &["api", "grpc"],
        &["telemetry"],
    ];
    let mut roots = known(&[]);
    for table in tables {
        let name = table.join(".");
        roots.retain(|root| root != table[0]);
        let shown = documented(&name);
        for (key, explained) in &shown {
            assert!(*explained, "{name}.{key} has no comment");
        }
        let mut shown: Vec<String> = shown.into_iter().map(|(key, _)| key).collect();
        // A table of its own is listed as such.
        shown.extend(
            tables
                .iter()
                .filter(|other| other.len() == table.len() + 1 && other.starts_with(table))
                .map(|other| other[table.len()].to_owned()),
        );
        let (mut shown, mut known) = (shown, known(table));
        shown.sort();
        known.sort();
        assert_eq!(shown, known, "[{name}]");
    }
    assert_eq!(roots, [""; 0], "tables that this test does not know");
}

#[test]
fn every_relation_is_refused_with_both_values() {
    let good = whole();
    let refusals: &[(&str, &str, &[&str])] = &[
        ("transactions = 50000", "transactions = 0", &["mempool.transactions", "above 0", "found 0"]),
        ("megabytes = 64", "megabytes = 0", &["mempool.megabytes", "from 1", "found 0"]),
        ("megabytes = 64", "megabytes = 65537", &["mempool.megabytes", "65536", "found 65537"]),
        (
            "cache_megabytes = 4",
            "cache_megabytes = 0",
            &["storage.cache_megabytes", "from 1 to 65536", "found 0"],
        ),
        ("workers = 2", "workers = 1025", &["runtime.workers", "1024", "found 1025"]),
        (
            "share = \"share.key\"",
            "share = \"identity.key\"",
            &["node.identity", "node.share", "identity.key"],
        ),
        ("data = \"data\"", "data = \"genesis.bin\"", &["node.data", "node.genesis", "genesis.bin"]),
        (
            "listen = \"127.0.0.1:7780\"",
            "listen = \"127.0.0.1:7001\"",
            &["api.listen", "network.listen", "127.0.0.1:7001"],
        ),
        (
            "listen = \"127.0.0.1:7781\"",
            "listen = \"127.0.0.1:7001\"",
            &["api.grpc.listen", "network.listen", "127.0.0.1:7001"],
        ),
        (
            "listen = \"127.0.0.1:7781\"",
            "listen = \"127.0.0.1:7780\"",
            &["api.grpc.listen", "api.listen", "127.0.0.1:7780"],
        ),
        (
            "listen = \"127.0.0.1:7780\"",
            "listen = \"0.0.0.0:7780\"",
            &["open-on-loopback", "0.0.0.0:7780", "api.tokens"],
        ),
        (
            "listen = \"127.0.0.1:7781\"",
            "listen = \"0.0.0.0:7781\"",
            &["open-on-loopback", "0.0.0.0:7781", "api.tokens"],
        ),
        ("reads = \"open-on-loopback\"", "reads = \"token\"", &["token", "127.0.0.1:7780", "api.tokens"]),
        ("requests = 256", "requests = 0", &["api.requests", "found 0 and 128"]),
        (
            "connections = 1024",
            "connections = 383",
            &["api.requests and api.streams together, 384", "found 383"],
        ),
        ("connections = 1024", "connections = 1048577", &["1048576", "found 1048577"]),
        ("connections = 256", "connections = 0", &["api.grpc.connections", "found 0"]),
        ("request_seconds = 10", "request_seconds = 601", &["api.request_seconds", "600", "found 601"]),
        (
            "sample_per_mille = 1000",
            "sample_per_mille = 1001",
            &["telemetry.sample_per_mille", "1000", "found 1001"],
        ),
        (
            "\"http://127.0.0.1:4318\"",
            "\"https://collector\"",
            &["telemetry.otlp", "https://collector", "http://HOST:PORT"],
        ),
    ];
    for (from, to, words) in refusals {
        let from = format!(
            "\n{}",
            if from.starts_with('"') { format!("otlp = {from}") } else { (*from).to_owned() }
        );
        let to = format!("\n{}", if to.starts_with('"') { format!("otlp = {to}") } else { (*to).to_owned() });
        assert_eq!(good.matches(&from).count(), 1, "{from}");
        let config =
            NodeConfig::parse(&good.replace(&from, &to)).unwrap_or_else(|why| panic!("{to}: {why:#}"));
        let refused = format!("{:#}", config.check().unwrap_err());
        for word in *words {
            assert!(refused.contains(word), "{to}: {word:?} is not in: {refused}");
        }
    }
    let three = good.rsplit_once("[[network.peers]]").unwrap();
    let rest = three.1.split_once("\n[mempool]").unwrap().1;
    let config = NodeConfig::parse(&format!("{}\n[mempool]{rest}", three.0)).unwrap();
    let refused = config.check().unwrap_err().to_string();
    assert!(refused.contains("at least 4") && refused.contains("found 3"), "{refused}");
}

#[test]
fn the_doctor_looks_at_what_a_configuration_names_and_says_what_to_do() {
    let desk = Desk::new();
    let net = common::Net::start(&desk, "net", &[]);
    let config = "net/node-0/node.toml";
    let doctor = || desk.run(&["doctor", "--config", config, "--json"]).json();
    let of = |found: &serde_json::Value, check: &str| {
        let mut all = found["findings"].as_array().unwrap().iter();
        let one = all.rfind(|finding| finding["check"] == check);
        one.unwrap_or_else(|| panic!("no {check}: {found}")).clone()
    };
    let running = doctor();
    for check in [
        "versions",
        "configuration",
        "identity permissions",
        "identity",
        "genesis",
        "validators",
        "share permissions",
        "running node",
        "peer",
    ] {
        assert_eq!(of(&running, check)["verdict"], "good", "{}", of(&running, check));
    }
    assert_eq!(of(&running, "share")["verdict"], "note", "a dealer's share is told");
    let peers = running["findings"].as_array().unwrap().iter().filter(|one| one["check"] == "peer").count();
    assert_eq!(peers, 3);
    // A node accepts the key file that `zeugma keys` writes: these were.
    let kind = desk.run(&["keys", "show", "net/node-0/identity.key", "--json"]).ends(0).json();
    assert_eq!(kind["kind"], "node");
    drop(net);

    use std::os::unix::fs::PermissionsExt;
    let mode = |mode| {
        std::fs::set_permissions(desk.path("net/node-0/identity.key"), PermissionsExt::from_mode(mode))
            .unwrap()
    };
    mode(0o644);
    let open = of(&doctor(), "identity permissions");
    assert!(open["verdict"] == "bad" && open["fix"].as_str().unwrap().starts_with("chmod 600"), "{open}");
    mode(0o600);
    std::fs::rename(desk.path("net/node-0/identity.key"), desk.path("kept.key")).unwrap();
    desk.run(&["keys", "new", "node", "--out", "net/node-0/identity.key"]).ends(0);
    let stranger = of(&doctor(), "validators");
    assert!(
        stranger["verdict"] == "bad" && stranger["found"].as_str().unwrap().contains("not a validator"),
        "{stranger}"
    );
    std::fs::remove_file(desk.path("net/node-0/identity.key")).unwrap();
    desk.run(&["keys", "new", "account", "--out", "net/node-0/identity.key"]).ends(0);
    let account = of(&doctor(), "identity");
    assert!(account["found"].as_str().unwrap().contains("the key of an account"), "{account}");
    std::fs::remove_file(desk.path("net/node-0/identity.key")).unwrap();
    std::fs::rename(desk.path("kept.key"), desk.path("net/node-0/identity.key")).unwrap();

    let text = desk.text(config);
    let key = text.lines().find(|line| line.starts_with("key = ")).unwrap().to_owned();
    desk.put(config, text.replacen(&key, &format!("key = \"{}\"", "ab".repeat(32)), 1));
    assert_eq!(of(&doctor(), "validators")["verdict"], "bad");
    desk.put(config, text.replace("workers = 2", "workers = 0"));
    let wrong = of(&doctor(), "configuration");
    assert!(wrong["found"].as_str().unwrap().contains("runtime.workers"), "{wrong}");
    desk.put(config, &text);
    std::fs::remove_file(desk.path("net/node-0/share.key")).unwrap();
    let share = of(&doctor(), "share");
    assert!(share["fix"].as_str().unwrap().starts_with("zeugma dkg --config"), "{share}");
    assert_eq!(of(&doctor(), "peer")["verdict"], "note", "nobody runs any more");
    desk.run(&["doctor", "--config", "none.toml"]).ends(1);
}
