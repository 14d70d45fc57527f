//! The accountant: whole numbers, added and subtracted, from what users did and what was answered.
//!
//! It knows the bytes of the ledger's state by `docs/byte-layout.md`, section 16, and calls none of the ledger's code.
//! What it holds against the chains:
//!
//! 1. at any time, accounts of ledgers hold together at most what the coin's bank has locked: nothing exists twice;
//! 2. a transfer ends once, as its sender's chain says: it arrived whole, or came back whole. At the end each user
//!    holds what he held at first, less what arrived elsewhere, and what arrived for him;
//! 3. at the end what is held is what is locked, and each escrow is what is held behind it.

use crate::chain::Chain;
use crate::world::{COINS, LEDGERS, NODES, Node, World};
use std::collections::BTreeMap;
use zeugma_crypto::hash::sha256;

/// A user: chain and number.
pub type User = (usize, u8);

/// What a user sent.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Who sent it.
    pub from: User,
    /// For whom; nobody, where the receiver cannot be.
    pub to: Option<User>,
    /// Which coin.
    pub coin: usize,
    /// How much.
    pub amount: i128,
    /// Whether it arrived, once that is known.
    pub arrived: Option<bool>,
}

/// What every user holds, by coin.
pub type Held = BTreeMap<(User, usize), i128>;

fn amount_in(value: &[u8]) -> (String, i128) {
    let length =
        usize::try_from(u32::from_be_bytes(value[..4].try_into().expect("four bytes"))).expect("short");
    let name = std::str::from_utf8(&value[4..4 + length]).expect("a name").to_owned();
    let (high, low) = value[4 + length..4 + length + 32].split_at(16);
    assert_eq!(high, [0; 16], "small amounts");
    (name, i128::from_be_bytes(low.try_into().expect("sixteen bytes")))
}

/// The coin of a name.
fn coin_of(name: &str) -> Option<usize> {
    COINS.iter().position(|(coin, _)| name.rsplit('/').next() == Some(coin))
}

/// What accounts of a ledger hold, by account and coin; what stands under names that no user should hold counts too.
fn of_ledger(node: usize, chain: &Chain) -> Vec<([u8; 32], usize, i128)> {
    let mut held = Vec::new();
    for (key, value) in chain.store.under(&[0x30, 3, 1]) {
        let (name, amount) = amount_in(value);
        let coin = coin_of(&name).expect("no other coin exists");
        assert_eq!(name, World::name_at(coin, node), "an asset under another name");
        held.push((key.as_bytes()[3..35].try_into().expect("an account"), coin, amount));
    }
    held
}

/// What every user of every chain holds now.
#[must_use]
pub fn held(world: &World) -> Held {
    let mut all = Held::new();
    for (at, node) in world.nodes.iter().enumerate() {
        match node {
            Node::Bank(bank) => {
                let coin = coin_of(bank.coin).expect("a bank's coin");
                for (user, amount) in (0_u8..).zip(bank.users) {
                    all.insert(((at, user), coin), amount);
                }
            }
            Node::Ledger(chain) => {
                let number = u8::try_from(at).expect("few chains");
                for (account, coin, amount) in of_ledger(at, chain) {
                    let user = (0..World::users())
                        .find(|user| *Chain::account(number, *user).as_bytes() == account)
                        .expect("only users are sent anything");
                    all.insert(((at, user), coin), amount);
                }
            }
        }
    }
    all.retain(|_, amount| *amount != 0);
    all
}

/// Rule 1.
///
/// # Errors
/// What exists twice.
pub fn check_now(world: &World) -> Result<(), String> {
    for (coin, (name, home)) in COINS.iter().enumerate() {
        let Node::Bank(bank) = &world.nodes[*home] else { return Err(format!("{name} has no home")) };
        let mut all = 0;
        for (at, node) in world.nodes.iter().enumerate() {
            if let Node::Ledger(chain) = node {
                all += of_ledger(at, chain).iter().filter(|one| one.1 == coin).map(|one| one.2).sum::<i128>();
            }
        }
        if all > bank.locked {
            return Err(format!("accounts hold {all} {name}, of which {} are locked", bank.locked));
        }
    }
    Ok(())
}

/// What went out of a ledger by its client of a neighbour, of a coin.
fn escrow(world: &World, node: usize, neighbour: usize, coin: usize) -> i128 {
    let Node::Ledger(chain) = &world.nodes[node] else { return 0 };
    let client = World::client(node, neighbour);
    let name = World::name_at(coin, node);
    let pair = sha256(&[&sha256(&[client.as_str().as_bytes()]), &sha256(&[name.as_bytes()])]);
    let key = [&[0x30, 3, 2][..], &pair].concat();
    let found = chain.store.under(&key).next();
    found.map_or(0, |(_, value)| {
        let length = usize::try_from(u32::from_be_bytes(value[..4].try_into().expect("four bytes")));
        amount_in(&value[4 + length.expect("short")..]).1
    })
}

/// Rules 2 and 3, when every packet has ended.
///
/// # Errors
/// Whose sum is another.
pub fn check_end(world: &World, first: &Held, transfers: &[Transfer]) -> Result<(), String> {
    let mut expected = first.clone();
    for transfer in transfers {
        match (transfer.arrived, transfer.to) {
            (Some(false), _) => {}
            (Some(true), Some(to)) => {
                *expected.entry((transfer.from, transfer.coin)).or_default() -= transfer.amount;
                *expected.entry((to, transfer.coin)).or_default() += transfer.amount;
            }
            (Some(true), None) => return Err(format!("arrived with nobody: {transfer:?}")),
            (None, _) => return Err(format!("never ended: {transfer:?}")),
        }
    }
    expected.retain(|_, amount| *amount != 0);
    let found = held(world);
    if found != expected {
        return Err(format!("users hold {found:?}, and should hold {expected:?}"));
    }
    for (coin, (name, home)) in COINS.iter().enumerate() {
        let Node::Bank(bank) = &world.nodes[*home] else { continue };
        let on_ledgers = |of: &dyn Fn(usize) -> bool| -> i128 {
            let those = found.iter().filter(|(((at, _), its), _)| *its == coin && *at < LEDGERS && of(*at));
            those.map(|(_, amount)| amount).sum()
        };
        if on_ledgers(&|_| true) != bank.locked {
            return Err(format!("{} {name} held, {} locked", on_ledgers(&|_| true), bank.locked));
        }
        // Of each pair of ledgers, the one nearer home keeps what is held beyond the other.
        for node in 0..LEDGERS {
            for (neighbour, _) in world.neighbours(node) {
                let outward = World::name_at(coin, neighbour).len() > World::name_at(coin, node).len();
                let beyond = if outward { on_ledgers(&|at| beyond(at, neighbour, node)) } else { 0 };
                let kept = escrow(world, node, neighbour, coin);
                if neighbour < NODES && kept != beyond {
                    return Err(format!(
                        "{node} keeps {kept} {name} for {neighbour}, where {beyond} are held"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Whether the way from a ledger to `node` leads through `neighbour`.
fn beyond(at: usize, neighbour: usize, node: usize) -> bool {
    at == neighbour
        || (at != node && World::toward(at, node).is_some_and(|next| beyond(next, neighbour, node)))
}
