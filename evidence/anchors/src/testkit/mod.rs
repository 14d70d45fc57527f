//! A real time authority for tests: OpenSSL signs, and a front speaks HTTP for it on loopback. The front can lie.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test says what broke by a panic")]

mod front;
mod openssl;
mod revocable;

pub use front::{Answered, Front};
pub use openssl::OpensslAuthority;
pub use revocable::{Answers, Revocable};

use std::sync::{Arc, Mutex};
use std::time::Duration;
use zeugma_evidence_verify::tsp::{Imprint, Request};
use zeugma_evidence_verify::x509::Hash;

/// How a front answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// What OpenSSL says.
    Honest,
    /// OpenSSL is asked about another digest.
    WrongImprint,
    /// OpenSSL is asked with another nonce.
    WrongNonce,
    /// Another authority signs.
    OtherChain,
    /// The answer carries the certificate of another signer of time-stamps as well.
    Injected,
    /// OpenSSL refuses to sign.
    Rejected,
    /// Bytes that are no answer.
    Garbage,
    /// An answer without end.
    Oversize,
    /// No answer.
    Stalled,
    /// An answer of which one byte comes at a time.
    Dripping,
    /// A status of HTTP.
    Unavailable,
}

/// An authority at an address, with a manner that can be changed.
#[derive(Debug)]
pub struct Hosted {
    /// Who signs.
    pub authority: Arc<OpensslAuthority>,
    front: Front,
    manner: Arc<Mutex<Manner>>,
}

impl Hosted {
    /// Puts a front before `authority`; `other` signs where a lie needs it.
    #[must_use]
    pub fn new(authority: Arc<OpensslAuthority>, other: Arc<OpensslAuthority>, manner: Manner) -> Self {
        let manner = Arc::new(Mutex::new(manner));
        let (signer, now) = (Arc::clone(&authority), Arc::clone(&manner));
        let front = Front::start(move |query| {
            let manner = *now.lock().unwrap();
            answer(manner, &signer, &other, query)
        });
        Self { authority, front, manner }
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        self.front.url()
    }

    /// From now on it answers so.
    pub fn turn(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Requests so far.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.front.asked()
    }
}

fn answer(manner: Manner, signer: &OpensslAuthority, other: &OpensslAuthority, query: &[u8]) -> Answered {
    let altered = |change: &dyn Fn(&mut Request)| {
        let mut request = Request::parse(query).unwrap();
        change(&mut request);
        request.to_der().unwrap()
    };
    Answered::Body(match manner {
        Manner::Honest => signer.reply(query),
        Manner::WrongImprint => {
            signer.reply(&altered(&|request| request.imprint = Imprint::of(Hash::Sha256, b"another")))
        }
        Manner::WrongNonce => signer.reply(&altered(&|request| request.nonce = Some(vec![7]))),
        Manner::OtherChain => other.reply(query),
        Manner::Injected => signer.reply_with(query, &other.signer()),
        // SM3 is not among the digests of its configuration.
        Manner::Rejected => {
            signer.reply(&altered(&|request| request.imprint = Imprint::of(Hash::Sm3, b"another")))
        }
        Manner::Garbage => b"<html>please log in</html>".to_vec(),
        Manner::Oversize => vec![0x30; 8 * 1024 * 1024],
        Manner::Stalled => return Answered::Never,
        Manner::Dripping => return Answered::Drip(signer.reply(query), Duration::from_millis(50)),
        Manner::Unavailable => return Answered::Status(503),
    })
}
