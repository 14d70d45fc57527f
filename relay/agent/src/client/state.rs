//! Whether a client is due: decisions without I/O.

use zeugma_types::{BlockTime, Span};

/// Part of the trusting period after which a client is refreshed.
const REFRESH_PART: u64 = 3;

/// What is known of a client and of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Time of the newest trusted state.
    pub trusted_at: BlockTime,
    /// How long it is trusted.
    pub trusting: Span,
    /// Whether the chain is above the newest trusted state.
    pub chain_is_ahead: bool,
    /// Whether those who sign have changed since.
    pub signers: Signers,
}

/// Who signs the chain's newest header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signers {
    /// Those that the trusted state announced.
    Same,
    /// Others: each step away makes the way back longer.
    Changed,
}

/// Why a client is to be updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A third of the trusting period is over.
    Age,
    /// The validators, or the era, changed.
    SignersChanged,
}

/// Whether the client is to be updated at `now`, and why.
#[must_use]
pub fn due(known: &Known, now: BlockTime) -> Option<Due> {
    if !known.chain_is_ahead {
        return None;
    }
    if known.signers == Signers::Changed {
        return Some(Due::SignersChanged);
    }
    let third = Span::millis(known.trusting.get() / REFRESH_PART);
    let refresh_at = known.trusted_at.after(third)?;
    (now >= refresh_at).then_some(Due::Age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_due_at_a_third_of_its_period_and_at_once_when_signers_change() {
        let known = Known {
            trusted_at: BlockTime::new(1_000),
            trusting: Span::millis(9_000),
            chain_is_ahead: true,
            signers: Signers::Same,
        };
        assert_eq!(due(&known, BlockTime::new(3_999)), None);
        assert_eq!(due(&known, BlockTime::new(4_000)), Some(Due::Age));
        let changed = Known { signers: Signers::Changed, ..known };
        assert_eq!(due(&changed, BlockTime::new(1_000)), Some(Due::SignersChanged));
        let behind = Known { chain_is_ahead: false, ..changed };
        assert_eq!(due(&behind, BlockTime::new(9_000)), None, "there is nothing to update to");
        let endless = Known { trusting: Span::MAX, ..known };
        assert_eq!(due(&endless, BlockTime::new(9_000)), None);
    }
}
