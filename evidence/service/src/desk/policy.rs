//! The policy that believes a desk: where a court begins its own.

use super::Desk;
use zeugma_evidence_verify::policy::{Later, Policy, Shards, Witness, log_of};
use zeugma_types::Refusal;

impl Desk {
    /// A policy that believes this service, and the time authorities and witnesses that it asks: where a court begins its own.
    #[must_use]
    pub fn policy(&self, operator: &str) -> Policy {
        let origin = self.origin();
        self.policy_under(origin, operator).expect("the open shard's origin was a name when it was opened")
    }

    /// As [`Desk::policy`], for the log of one shard. Shards that are named below one origin have one policy, that of the origin;
    /// one with a name of its own has its own.
    ///
    /// # Errors
    /// [`zeugma_types::Code::NoSuchEntry`] when there is no such shard.
    pub fn policy_of(&self, shard: u32, operator: &str) -> Result<Policy, Refusal> {
        self.policy_under(self.log.origin_of(shard)?, operator)
    }

    fn policy_under(&self, origin: String, operator: &str) -> Result<Policy, Refusal> {
        let keys = |signer: &zeugma_evidence_log::LogSigner| {
            [Some(signer.key()), signer.second_key()].into_iter().flatten().map(|key| key.to_text()).collect()
        };
        let origin = log_of(&origin);
        let signers = self.signers(origin)?;
        Ok(Policy {
            origin: origin.to_owned(),
            operator: operator.to_owned(),
            log_keys: keys(&signers.first),
            second_keys: signers.second.as_ref().map(keys).unwrap_or_default(),
            service_key: Some(*self.keys.desk.public().as_bytes()),
            witnesses: self.witnesses(),
            authorities: self
                .stamping
                .authorities()
                .iter()
                .map(zeugma_evidence_anchors::Authority::listed)
                .collect(),
            witnesses_needed: self.witnesses_needed,
            authorities_needed: self.needed,
            institutions_needed: 1,
            network: zeugma_evidence_verify::policy::Network::Optional,
            later: Some(Later { shards: Shards::Followed, services: Vec::new() }),
        })
    }

    fn witnesses(&self) -> Vec<Witness> {
        let each = self.witnessing.witnesses().iter();
        let keys = each.flat_map(|one| one.keys.iter().map(|key| (&one.institution, key)));
        keys.map(|(institution, key)| Witness { institution: institution.clone(), key: key.to_text() })
            .collect()
    }
}
