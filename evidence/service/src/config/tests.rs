use super::*;

#[test]
fn nothing_at_all_is_a_whole_configuration() {
    let config = Config::from_toml("").unwrap();
    assert!(config.api.listen.ip().is_loopback() && config.tenant.is_empty());
}

#[test]
fn the_example_is_a_configuration_with_the_defaults_and_every_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ops/config/evidence.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let config = Config::from_toml(&text).unwrap();
    let (log, default) = (&config.log, LogConfig::default());
    assert_eq!((&log.folder, &log.origin, log.second), (&default.folder, &default.origin, default.second));
    assert_eq!(
        (log.publish_milliseconds, log.promise_seconds),
        (default.publish_milliseconds, default.promise_seconds)
    );
    let (api, default) = (&config.api, ApiConfig::default());
    assert_eq!(
        (api.listen, api.body_bytes, api.requests, api.request_seconds),
        (default.listen, default.body_bytes, default.requests, default.request_seconds)
    );
    assert_eq!((api.connections, api.idle_seconds), (default.connections, default.idle_seconds));
    assert!(api.tls.as_ref().unwrap().client_ca.is_some());
    assert_eq!((api.reads, api.arriving_bytes), (default.reads, default.arriving_bytes));
    let all = |quota: &QuotaConfig| {
        let QuotaConfig { requests_per_second, items_per_second, bytes_per_second, burst_seconds } = *quota;
        [requests_per_second, items_per_second, bytes_per_second, burst_seconds]
    };
    assert_eq!(all(&config.quota), all(&QuotaConfig::default()));
    assert!(config.tenant[0].quota.is_some());
    assert_eq!(config.chain.as_ref().unwrap().anchor_seconds, anchor_seconds());
    let (stamping, default) = (&config.stamping, StampingConfig::default());
    assert_eq!(
        (stamping.every_seconds, stamping.timeout_seconds, stamping.rest_seconds),
        (default.every_seconds, default.timeout_seconds, default.rest_seconds)
    );
    assert_eq!((stamping.clock_milliseconds, stamping.needed), (default.clock_milliseconds, default.needed));
    let (asking, default) = (&config.witnessing, crate::WitnessingConfig::default());
    assert_eq!(
        (asking.patience_milliseconds, asking.timeout_seconds, asking.rest_seconds, asking.needed),
        (default.patience_milliseconds, default.timeout_seconds, default.rest_seconds, default.needed)
    );
    let (rules, default) = (&config.rules, RulesConfig::default());
    assert_eq!(
        (rules.workers, rules.deadline_seconds, rules.memory_mebibytes, rules.standing_seconds),
        (default.workers, default.deadline_seconds, default.memory_mebibytes, default.standing_seconds)
    );
    let (held, default) = (&config.quarantine, QuarantineConfig::default());
    assert_eq!((held.cases, held.mebibytes, held.days), (default.cases, default.mebibytes, default.days));
    assert_eq!((config.rules.pack.len(), config.rules.pack[0].when), (1, When::Anchored));
    assert!(text.contains("# twin = ") && config.tenant.len() == 1 && config.authority.len() == 1);
    assert_eq!(config.witness.len(), 1);
}

#[test]
fn each_relation_is_refused_with_its_key_and_both_values() {
    let tenant = |name: &str, token: &str| {
        format!(
            "[[tenant]]\nname = \"{name}\"\npseudonym = \"p\"\nrole = \"party\"\ntoken_sha256 = \"{token}\"\n"
        )
    };
    let authority = |institution: &str, url: &str| {
        format!("[[authority]]\ninstitution = \"{institution}\"\nurl = \"{url}\"\nanchor = \"a.pem\"\n")
    };
    let pack = |name: &str, more: &str| {
        format!("[[rules.pack]]\nfile = \"{name}\"\ndigest = \"{}\"\n{more}", "ab".repeat(32))
    };
    let digest = "ab".repeat(32);
    let tls = "[api.tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n";
    let shown = format!("certificate_sha256 = \"{}\"\n", "cd".repeat(32));
    let neither = "[[tenant]]\nname = \"a\"\npseudonym = \"p\"\nrole = \"party\"\n";
    for (text, part) in [
        ("[log]\npublish_milliseconds = 5".to_owned(), "found 5"),
        ("[log]\npublish_milliseconds = 9000\npromise_seconds = 17".to_owned(), "18 s; found 17 s"),
        ("[log]\nfolder = \"a\"\ntwin = \"a\"".to_owned(), "log.twin"),
        ("[chain]\nnode = \"http://127.0.0.1:1\"\nanchor_seconds = 0".to_owned(), "anchor_seconds"),
        (tenant("a", "zz"), "64 hex digits"),
        (tenant("a", &digest) + tenant("a", &"cd".repeat(32)).as_str(), "found it twice"),
        (tenant("a", &digest) + tenant("b", &digest).as_str(), "found one shared"),
        ("[api]\nrequests = 0".to_owned(), "api.requests: at least 1"),
        ("[api]\nreads = 0".to_owned(), "api.reads: at least 1"),
        ("[api]\narriving_bytes = 7".to_owned(), "4194304, and at most 2^40 are asked; found 7"),
        ("[quota]\nburst_seconds = 0".to_owned(), "quota.burst_seconds: 1 to 86400"),
        (tenant("a", &digest) + "quota = { burst_seconds = 0 }\n", "quota.burst_seconds"),
        ("[api]\nrequest_seconds = 34".to_owned(), "35 to 600 are asked"),
        ("[log]\nfoldr = \"a\"".to_owned(), "foldr"),
        ("[stamping]\ntimeout_seconds = 0".to_owned(), "stamping.timeout_seconds: 1 to 86400"),
        ("[stamping]\nneeded = 1".to_owned(), "institutions, 0; found 1"),
        (authority("a", "ftp://a"), "https:// without a user"),
        (authority("a", "http://me@a"), "https:// without a user"),
        (authority("a", "http://a") + "ca = \"a.pem\"\n", "a ca is for https"),
        ("[api]\nconnections = 0".to_owned(), "api.connections: 1 to 1048576"),
        ("[api]\nidle_seconds = 4".to_owned(), "api.idle_seconds: 5 to 3600"),
        (tls.to_owned() + "client_required = true", "needs api.tls.client_ca"),
        (
            tls.to_owned() + tenant("a", &digest).as_str() + shown.as_str(),
            "certificate_sha256 needs api.tls.client_ca",
        ),
        (tls.to_owned() + neither, "found neither"),
        ("[rules]\nworkers = 0".to_owned(), "rules.workers: 1 to 64 are asked, found 0"),
        (pack("a", "") + pack("a", "").as_str(), "found it twice"),
        (pack("a", "when = \"anchored\"\nneeded = [\"legality\"]\n"), "when it is received, found anchored"),
        ("[quarantine]\ndays = 0".to_owned(), "quarantine.days: 1 to 3650"),
        (pack("a", "when = \"anchored\"\n"), "takes chain.trust, found none"),
        (authority("", "http://a"), "found 0"),
        (authority("a", "http://a") + authority("b", "http://a").as_str(), "found it twice"),
        (
            "[stamping]\nneeded = 2\n".to_owned()
                + authority("a", "http://a").as_str()
                + authority("a", "http://b").as_str(),
            "institutions, 1; found 2",
        ),
    ] {
        let error = Config::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
