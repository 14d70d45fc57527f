//! A signature belongs to a purpose. Each purpose has its own domain, so that bytes signed for one
//! never count for another; nothing signs bare bytes.

use alloc::vec::Vec;

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $domain:literal;)*) => {
        /// What a digest or a signature is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Purpose {
            $($(#[$doc])* $name,)*
        }

        impl Purpose {
            /// Every purpose.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The ASCII domain, at most 64 bytes.
            #[must_use]
            pub const fn domain(self) -> &'static str {
                match self {
                    $(Self::$name => $domain,)*
                }
            }
        }
    };
}

purposes! {
    /// The committee's certificate; the namespace of simplex is this domain and the network id.
    Certificate = "zeugma.finalize.1";
    /// Digest of a header.
    Header = "zeugma.header.1";
    /// Digest that a second seal signs.
    Seal = "zeugma.seal.1";
    /// Digest that names a network: its genesis.
    Genesis = "zeugma.genesis.1";
    /// Digest of a transaction, also what its sender signs.
    Transaction = "zeugma.transaction.1";
    /// Account identifier from a public key.
    Account = "zeugma.account.1";
    /// Value of a `Handover` leaf.
    Handover = "zeugma.handover.1";
    /// Value of a `Standing` leaf.
    Standing = "zeugma.standing.1";
    /// Value of a `Closed` leaf.
    Closed = "zeugma.closed.1";
    /// Value of a `Retraction` leaf.
    Retraction = "zeugma.retraction.1";
    /// Value of an `Anchor` leaf.
    Anchor = "zeugma.anchor.1";
    /// Value of a `SplitView` leaf.
    SplitView = "zeugma.split-view.1";
    /// Value of a client's event leaf.
    ClientEvent = "zeugma.client-event.1";
    /// Value of a registry leaf.
    Registry = "zeugma.registry.1";
    /// Digest of a trust file that its institutions sign.
    TrustFile = "zeugma.trust-file.1";
    /// Digest of a committee's list of members.
    Committee = "zeugma.committee.1";
    /// Digest that the institutions of a substitute key sign.
    Substitute = "zeugma.substitute.1";
    /// Digest of the public transcript of a distributed key generation.
    Transcript = "zeugma.dkg-transcript.1";
    /// Digest of a client's canonical profile.
    Profile = "zeugma.profile.1";
    /// What a log signs when it promises to log a batch.
    Receipt = "zeugma.receipt.1";
    /// What a service signs when a rule pack judged an entry.
    RuleVerdict = "zeugma.rule-verdict.1";
    /// Digests of a bundle, or of its part before a renewal.
    Bundle = "zeugma.bundle.1";
    /// What the time-stamps of a renewal are over.
    Renewal = "zeugma.renewal.1";
    /// Digest of a verification policy.
    Policy = "zeugma.policy.1";
    /// Digest of a rule pack.
    RulePack = "zeugma.rule-pack.1";
    /// Digest of the facts that a verdict rests on.
    Facts = "zeugma.facts.1";
    /// Commitment of an evidence log's entry to all fields of its record.
    Entry = "zeugma.entry.1";
    /// Salted commitment to one field of a record.
    EntryField = "zeugma.entry-field.1";
    /// Salt of one field, from the seed of its entry.
    EntrySalt = "zeugma.entry-salt.1";
    /// Identity of a record inside one tenant, never published.
    EntryIdentity = "zeugma.entry-identity.1";
    /// Digest of a deposit's idempotency key.
    DepositKey = "zeugma.deposit-key.1";
    /// Digest of the body that came with an idempotency key.
    DepositBody = "zeugma.deposit-body.1";
    /// Tag of a row of a search index.
    SearchTag = "zeugma.search-tag.1";
}

impl Purpose {
    /// The frame that starts every preimage of this purpose: one byte of length, then the domain.
    #[must_use]
    pub fn frame(self) -> Vec<u8> {
        let domain = self.domain().as_bytes();
        let mut frame = Vec::with_capacity(domain.len() + 1);
        frame.push(u8::try_from(domain.len()).expect("a domain has at most 64 bytes"));
        frame.extend_from_slice(domain);
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_frame_is_the_beginning_of_another() {
        for a in Purpose::ALL {
            assert!(a.domain().len() <= 64 && a.domain().is_ascii());
            for b in Purpose::ALL {
                assert_eq!(a == b, b.frame().starts_with(&a.frame()), "{a:?} {b:?}");
            }
        }
    }
}
