//! Who may do what: one table.
//!
//! A role is given to an account at genesis or by governance. Safety of packets and clients rests on
//! proofs and not on roles: a role bounds who can spend the network's work, and who can take back.

use crate::bounded::numbered;
use crate::registry::Kind;
use crate::tx::Message;
use alloc::vec::Vec;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

numbered! {
    /// What an account is trusted with.
    pub enum Role {
        /// Approves changes of the network, together with others.
        Governor = 0, "governor";
        /// Proposes recoveries, takes rule packs and allow-lists out of force.
        Guardian = 1, "guardian";
        /// Creates clients and logs, puts rule packs and allow-lists in force.
        Operator = 2, "operator";
        /// Brings proofs: updates, packets, acknowledgements, timeouts.
        Relayer = 3, "relayer";
        /// Anchors checkpoints of evidence logs.
        Anchorer = 4, "anchorer";
        /// Halts a route, an asset or an account by order.
        Freezer = 5, "freezer";
        /// Sends packets and payloads.
        Member = 6, "member";
    }
}

numbered! {
    /// What a message does, as far as roles are concerned.
    pub enum Action {
        /// [`Message::Opaque`].
        Opaque = 1, "opaque";
        /// [`Message::CreateClient`].
        CreateClient = 10, "create-client";
        /// [`Message::RegisterCounterparty`].
        RegisterCounterparty = 11, "register-counterparty";
        /// [`Message::UpdateClient`].
        UpdateClient = 12, "update-client";
        /// [`Message::SubmitMisbehaviour`].
        SubmitMisbehaviour = 13, "submit-misbehaviour";
        /// [`Message::ProposeRecovery`].
        ProposeRecovery = 14, "propose-recovery";
        /// [`Message::CancelRecovery`].
        CancelRecovery = 15, "cancel-recovery";
        /// [`Message::FinishRecovery`].
        FinishRecovery = 16, "finish-recovery";
        /// [`Message::SendPacket`].
        SendPacket = 20, "send-packet";
        /// [`Message::RecvPacket`], [`Message::Acknowledge`], [`Message::Timeout`], [`Message::ClaimTimeout`].
        Relay = 21, "relay";
        /// [`Message::ReleaseHold`].
        ReleaseHold = 22, "release-hold";
        /// [`Message::RejectHold`].
        RejectHold = 23, "reject-hold";
        /// [`Message::RegisterOrigin`].
        RegisterOrigin = 30, "register-origin";
        /// [`Message::Anchor`].
        Anchor = 31, "anchor";
        /// [`Message::ReportSplitView`].
        ReportSplitView = 32, "report-split-view";
        /// [`Message::SetDigest`] of rule packs and allow-lists.
        SetDigest = 40, "set-digest";
        /// [`Message::RevokeDigest`] of rule packs and allow-lists.
        RevokeDigest = 41, "revoke-digest";
        /// [`Message::SetDigest`] of a halt.
        HaltRoute = 42, "halt-route";
        /// [`Message::RevokeDigest`] of a halt.
        ResumeRoute = 43, "resume-route";
        /// [`Message::Propose`] and [`Message::Approve`].
        Govern = 50, "govern";
    }
}

impl Action {
    /// What `message` does.
    #[must_use]
    pub const fn of(message: &Message) -> Self {
        match message {
            Message::Opaque(_) => Self::Opaque,
            Message::CreateClient(_) => Self::CreateClient,
            Message::RegisterCounterparty(_) => Self::RegisterCounterparty,
            Message::UpdateClient(_) => Self::UpdateClient,
            Message::SubmitMisbehaviour(_) => Self::SubmitMisbehaviour,
            Message::ProposeRecovery(_) => Self::ProposeRecovery,
            Message::CancelRecovery(_) => Self::CancelRecovery,
            Message::FinishRecovery(_) => Self::FinishRecovery,
            Message::SendPacket(_) => Self::SendPacket,
            Message::RecvPacket(_)
            | Message::Acknowledge(_)
            | Message::Timeout(_)
            | Message::ClaimTimeout(_) => Self::Relay,
            Message::ReleaseHold(_) => Self::ReleaseHold,
            Message::RejectHold(_) => Self::RejectHold,
            Message::RegisterOrigin(_) => Self::RegisterOrigin,
            Message::Anchor(_) => Self::Anchor,
            Message::ReportSplitView(_) => Self::ReportSplitView,
            Message::SetDigest(set) if matches!(set.kind, Kind::Halt) => Self::HaltRoute,
            Message::SetDigest(_) => Self::SetDigest,
            Message::RevokeDigest(revoke) if matches!(revoke.kind, Kind::Halt) => Self::ResumeRoute,
            Message::RevokeDigest(_) => Self::RevokeDigest,
            Message::Propose(_) | Message::Approve(_) => Self::Govern,
        }
    }

    /// The roles, any of which suffices.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            // Proof of misbehaviour and of a split view harms only who misbehaved, and a hold ends by its own times:
            // any account may bring them.
            Self::SubmitMisbehaviour | Self::ReportSplitView | Self::ReleaseHold => Role::ALL,
            Self::Opaque | Self::SendPacket => &[Role::Member, Role::Operator, Role::Relayer, Role::Anchorer],
            Self::CreateClient | Self::RegisterCounterparty | Self::RegisterOrigin => {
                &[Role::Operator, Role::Governor]
            }
            Self::UpdateClient | Self::Relay => &[Role::Relayer],
            Self::ProposeRecovery => &[Role::Guardian],
            // One governor stops what one guardian began; the guardian may take it back.
            Self::CancelRecovery => &[Role::Governor, Role::Guardian],
            Self::FinishRecovery => &[Role::Guardian, Role::Relayer],
            Self::Anchor => &[Role::Anchorer],
            Self::SetDigest => &[Role::Operator],
            Self::RevokeDigest => &[Role::Operator, Role::Guardian],
            // Who may halt the route may give back what is held on it.
            Self::HaltRoute | Self::RejectHold => &[Role::Freezer, Role::Guardian],
            // Who halts does not resume.
            Self::ResumeRoute | Self::Govern => &[Role::Governor],
        }
    }
}

/// The roles of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u16);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);

    const KNOWN: u16 = (1 << Role::ALL.len()) - 1;

    /// These roles.
    #[must_use]
    pub const fn of(roles: &[Role]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < roles.len() {
            bits |= 1 << roles[at].number();
            at += 1;
        }
        Self(bits)
    }

    /// Whether `role` is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role.number()) != 0
    }

    /// Whether one of them allows `action`.
    #[must_use]
    pub fn allow(self, action: Action) -> bool {
        action.roles().iter().any(|role| self.has(*role))
    }

    /// These and `others`.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These without `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.has(*role))
    }
}

impl Encode for Roles {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Roles {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u16()? {
            bits if bits & !Self::KNOWN != 0 => Err(Refusal::new(Code::UnknownTag).found(bits)),
            bits => Ok(Self(bits)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The table once more, the other way round: what each role may do, written by hand.
    const BY_ROLE: &[(Role, &[&str])] = &[
        (
            Role::Governor,
            &[
                "create-client",
                "register-counterparty",
                "register-origin",
                "cancel-recovery",
                "resume-route",
                "govern",
            ],
        ),
        (
            Role::Guardian,
            &[
                "propose-recovery",
                "cancel-recovery",
                "finish-recovery",
                "revoke-digest",
                "halt-route",
                "reject-hold",
            ],
        ),
        (
            Role::Operator,
            &[
                "opaque",
                "send-packet",
                "create-client",
                "register-counterparty",
                "register-origin",
                "set-digest",
                "revoke-digest",
            ],
        ),
        (Role::Relayer, &["opaque", "send-packet", "update-client", "relay", "finish-recovery"]),
        (Role::Anchorer, &["opaque", "send-packet", "anchor"]),
        (Role::Freezer, &["halt-route", "reject-hold"]),
        (Role::Member, &["opaque", "send-packet"]),
    ];

    #[test]
    fn each_role_may_do_what_is_written_and_nothing_else() {
        assert_eq!(BY_ROLE.len(), Role::ALL.len());
        for (role, allowed) in BY_ROLE {
            for action in Action::ALL {
                let anyone =
                    ["submit-misbehaviour", "report-split-view", "release-hold"].contains(&action.name());
                let expected = anyone || allowed.contains(&action.name());
                assert_eq!(Roles::of(&[*role]).allow(*action), expected, "{role} {action}");
            }
        }
        assert!(Action::ALL.iter().all(|action| !Roles::NONE.allow(*action)));
    }

    #[test]
    fn a_role_that_is_not_known_is_not_read() {
        let all = Roles::of(Role::ALL);
        assert_eq!(Roles::from_bytes(&all.to_bytes()).unwrap(), all);
        assert_eq!(Roles::from_bytes(&[0x80, 0]).unwrap_err().code, Code::UnknownTag);
    }
}
