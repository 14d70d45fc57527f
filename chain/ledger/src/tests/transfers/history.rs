//! Any history of transfers, honest and not, against what the test knows of each border.

use super::{data, hub, member, order, taken};
use crate::Role;
use crate::app::transfer::{TAKEN, TransferData};
use crate::ibc::{Acknowledgements, Packet, error_acknowledgement};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use proptest::prelude::*;
use zeugma_types::Code;

/// One step of a history.
#[derive(Clone, Debug)]
enum Act {
    /// The chain's own coin arrives for the member, or is sent on to the other chain.
    Arrive { from: usize, amount: u64, on: bool },
    /// The member sends an asset of a chain's to a chain.
    Send { of: usize, to: usize, amount: u64 },
    /// A chain returns, or claims to return, an asset of the other one.
    Return { from: usize, amount: u64, on: bool },
    /// The oldest open packet is resolved: taken, refused, timed out.
    Resolve { how: u8 },
}

fn act() -> impl Strategy<Value = Act> {
    let chain = 0..2_usize;
    let amount = 1..40_u64;
    prop_oneof![
        (chain.clone(), amount.clone(), any::<bool>()).prop_map(|(from, amount, on)| Act::Arrive {
            from,
            amount,
            on
        }),
        (chain.clone(), chain.clone(), amount.clone()).prop_map(|(of, to, amount)| Act::Send {
            of,
            to,
            amount
        }),
        (chain, amount, any::<bool>()).prop_map(|(from, amount, on)| Act::Return { from, amount, on }),
        (0..3_u8).prop_map(|how| Act::Resolve { how }),
    ]
}

/// What the test knows: of each chain's coin, what its home has locked for us, and what the other chain was given.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
struct Borders {
    locked: u64,
    given: u64,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens in whatever order: what is here of a coin is what its home has locked, and what the other
    /// chain can take out is what it was given. Packets on their way count where they left from until they arrive.
    #[test]
    fn every_history_keeps_the_sum(acts in prop::collection::vec(act(), 1..25)) {
        let mut hub = hub();
        let mut borders = [Borders::default(); 2];
        // Through which chain each went, and from which it had come if it was sent on.
        let mut open: Vec<(usize, Packet, Option<usize>)> = Vec::new();
        let name = |of: usize| format!("transfer/test-{of}/coin");
        let receiver = member().to_string();
        for act in acts {
            match act {
                Act::Arrive { from, amount, on } => {
                    let to = 1 - from;
                    let memo = if on { order(&hub.peers[to].0.clone(), "bob") } else { String::new() };
                    let answer = hub.receive(from, &data("coin", amount, "alice", &receiver, &memo));
                    borders[from].locked += amount;
                    if on {
                        prop_assert_eq!(answer, None);
                        borders[from].given += amount;
                        open.push((to, hub.sent(), Some(from)));
                    } else {
                        prop_assert_eq!(answer.as_deref(), Some(TAKEN));
                    }
                }
                Act::Send { of, to, amount } => {
                    let message = hub.sending(to, &name(of), amount, &receiver);
                    if hub.held(&name(of)) < amount {
                        hub.world.refused(Role::Member, message, Code::NotEnough);
                        continue;
                    }
                    hub.world.ok(Role::Member, message);
                    if of == to { borders[of].locked -= amount } else { borders[of].given += amount }
                    open.push((to, hub.sent(), None));
                }
                Act::Return { from, amount, on } => {
                    let of = 1 - from;
                    let memo = if on { order(&hub.peers[of].0.clone(), "alice") } else { String::new() };
                    let wire = format!("transfer/{}/{}", hub.peers[from].2, name(of));
                    let answer = hub.receive(from, &data(&wire, amount, "bob", &receiver, &memo));
                    if borders[of].given < amount {
                        prop_assert_eq!(answer.unwrap(), error_acknowledgement());
                        continue;
                    }
                    borders[of].given -= amount;
                    if on {
                        prop_assert_eq!(answer, None);
                        borders[of].locked -= amount;
                        open.push((of, hub.sent(), Some(from)));
                    } else {
                        prop_assert_eq!(answer.as_deref(), Some(TAKEN));
                    }
                }
                Act::Resolve { how } => {
                    if open.is_empty() { continue }
                    let (to, packet, behalf) = open.remove(0);
                    let read = TransferData::read(&packet.payloads()[0]).unwrap();
                    let amount: u64 = read.amount.to_string().parse().unwrap();
                    let of = usize::from(read.denom.as_str() == name(1));
                    // A chain that gave back what it now says it never took contradicts itself: the test after this.
                    let honest = of == to || borders[of].given >= amount;
                    match how {
                        how if how == 0 || !honest => {
                            hub.acknowledge(to, packet, taken());
                            continue;
                        }
                        1 => hub.acknowledge(to, packet, Acknowledgements::error()),
                        _ => hub.time_out(to, packet),
                    };
                    // It comes back to where it was before it left.
                    if of == to { borders[of].locked += amount } else { borders[of].given -= amount }
                    if let Some(from) = behalf {
                        if of == from { borders[of].locked -= amount } else { borders[of].given += amount }
                    }
                }
            }
            for (of, expected) in borders.into_iter().enumerate() {
                let found = Borders { locked: hub.supply(&name(of)), given: hub.escrow(1 - of, &name(of)) };
                prop_assert_eq!(found, expected);
                prop_assert_eq!(hub.held(&name(of)), found.locked - found.given);
            }
        }
    }
}
