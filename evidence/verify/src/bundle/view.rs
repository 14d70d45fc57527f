//! The bundle as JSON: for people and programs that do not read the canonical bytes.

use super::{Bundle, Logged, Stamp};
use crate::json::{Json, hex};
use alloc::string::String;
use zeugma_evidence_log::Shown;
use zeugma_types::Encode;

impl Bundle {
    /// The JSON view, members in a fixed order. Nothing is judged by it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.object(|json| {
            json.text("format", "ZGBUNDL1");
            json.hex("entry", &self.entry.to_bytes());
            json.list("fields", &self.disclosure.fields, |json, shown| {
                json.object(|json| field(json, shown))
            });
            json.number("index", self.logging.index.get());
            json.member("log", |json| tree(json, &self.logging.first));
            match &self.logging.second {
                Some(second) => json.member("log_sm3", |json| tree(json, second)),
                None => json.null("log_sm3"),
            }
            match &self.receipt {
                None => json.null("receipt"),
                Some(receipt) => json.member("receipt", |json| {
                    json.text("origin", &receipt.origin);
                    json.time("received_at", receipt.received_at);
                    json.time("due_at", receipt.due_at);
                    json.number("first", receipt.first.get());
                    json.number("size", receipt.size.get());
                    json.number("place", receipt.place.get());
                    json.list("path", &receipt.path, |json, hash| json.item(&hex(hash)));
                    json.hex("signature", &receipt.signature);
                }),
            }
            match &self.proof {
                Some(proof) => json.hex("proof", proof),
                None => json.null("proof"),
            }
            json.list("stamps", &self.stamps, stamp);
            json.list("verdicts", &self.verdicts, |json, verdict| {
                json.object(|json| {
                    json.time("at", verdict.at);
                    json.hex("statement", &verdict.statement);
                    json.hex("signature", &verdict.signature);
                });
            });
            json.list("anchors", &self.anchors, |json, anchor| {
                json.object(|json| {
                    json.text("kind", anchor.kind.name());
                    json.hex("bytes", &anchor.bytes);
                });
            });
            json.list("renewals", &self.renewals, |json, renewal| {
                json.object(|json| {
                    json.hex("sha256", &renewal.over.sha256);
                    json.hex("sm3", &renewal.over.sm3);
                    json.list("stamps", &renewal.stamps, stamp);
                });
            });
            json.member("seal", |json| {
                json.hex("sha256", &self.seal.sha256);
                json.hex("sm3", &self.seal.sm3);
            });
        });
        json.finish()
    }
}

fn tree(json: &mut Json, logged: &Logged) {
    json.text("note", &logged.note);
    json.list("path", &logged.path, |json, hash| json.item(&hex(hash)));
}

fn field(json: &mut Json, shown: &Shown) {
    match shown {
        Shown::Open { salt, field } => {
            json.text("name", field.name());
            json.hex("salt", salt);
            json.hex("field", &field.to_bytes());
        }
        Shown::Closed { sha256, sm3 } => {
            json.hex("sha256", sha256);
            match sm3 {
                Some(sm3) => json.hex("sm3", sm3),
                None => json.null("sm3"),
            }
        }
    }
}

fn stamp(json: &mut Json, stamp: &Stamp) {
    json.object(|json| {
        json.hex("token", &stamp.token);
        json.list("certificates", &stamp.certificates, |json, one| json.item(&hex(one)));
        json.list("revocation", &stamp.revocation, |json, one| json.item(&hex(one)));
    });
}
