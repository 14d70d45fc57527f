//! Ledgers and banks, and the routes between them.
//!
//! ```text
//!  bank 3 (coin) --- ledger 0 --- ledger 1 --- bank 4 (gold)
//!                        |
//!                    ledger 2
//! ```
//!
//! Routes are a tree, so an asset has one name at each ledger. Each chain has a clock of its own, and knows of a
//! neighbour what it was shown.

use crate::bank::Bank;
use crate::chain::{Chain, Sealed, USERS};
use crate::told::Told;
use std::collections::BTreeMap;
use zeugma_ledger::PlantedBug;
use zeugma_types::ClientId;

/// Ledgers.
pub const LEDGERS: usize = 3;
/// Ledgers and banks.
pub const NODES: usize = 5;
/// The coins of the banks, and where each is at home.
pub const COINS: [(&str, usize); 2] = [("coin", 3), ("gold", 4)];
/// What each user of a bank holds at first.
const EACH: i128 = 1_000;
/// When all begins, in milliseconds.
const START: u64 = 1_767_225_600_000;
/// The routes, each between two chains.
const ROUTES: [(usize, usize); 4] = [(3, 0), (0, 1), (0, 2), (1, 4)];

/// A chain of either kind.
#[derive(Clone)]
pub enum Node {
    /// A ledger.
    Ledger(Box<Chain>),
    /// A bank.
    Bank(Box<Bank>),
}

impl Node {
    /// Its time, in milliseconds.
    #[must_use]
    pub fn time(&self) -> u64 {
        match self {
            Self::Ledger(chain) => chain.time,
            Self::Bank(bank) => bank.time,
        }
    }

    /// Time passes.
    pub fn pass(&mut self, millis: u64) {
        match self {
            Self::Ledger(chain) => chain.pass(millis),
            Self::Bank(bank) => bank.time += millis,
        }
    }

    /// What it told since it was asked last.
    pub fn take_told(&mut self) -> Vec<Told> {
        match self {
            Self::Ledger(chain) => chain.take_told(),
            Self::Bank(bank) => bank.take_told(),
        }
    }

    fn seal(&mut self) -> Sealed {
        match self {
            Self::Ledger(chain) => chain.seal(),
            Self::Bank(bank) => bank.seal(),
        }
    }
}

/// One end of a route: a chain and its client of the other.
pub type End = (usize, ClientId);

/// See the module.
#[derive(Clone)]
pub struct World {
    /// The chains.
    pub nodes: Vec<Node>,
    routes: Vec<[End; 2]>,
    /// What each chain was shown of each neighbour, the newest last.
    known: BTreeMap<(usize, usize), Vec<Sealed>>,
}

fn number(node: usize) -> u8 {
    u8::try_from(node).expect("few chains")
}

/// The name that a chain gives its client of another: a ledger counts its clients, in the order of routes.
fn client_at(node: usize, other: usize) -> ClientId {
    let before = ROUTES.iter().take_while(|(a, b)| (*a, *b) != (node, other) && (*b, *a) != (node, other));
    let count = before.filter(|(a, b)| *a == node || *b == node).count();
    let name = if node < LEDGERS { format!("mirror-{count}") } else { format!("bank-{node}") };
    ClientId::new(&name).expect("a name")
}

impl World {
    /// All chains, with a route wherever there is one, and nothing moved.
    ///
    /// # Panics
    /// Never: what it asks for cannot be refused.
    #[must_use]
    pub fn new() -> Self {
        let mut nodes = Vec::new();
        for node in 0..NODES {
            nodes.push(match COINS.iter().find(|(_, home)| *home == node) {
                None => Node::Ledger(Box::new(Chain::new(number(node), START))),
                Some((coin, _)) => {
                    let neighbour = neighbour_of_bank(node);
                    let mut bank = Bank::new(coin, client_at(node, neighbour), EACH, START);
                    bank.counterparty = Some(client_at(neighbour, node));
                    Node::Bank(Box::new(bank))
                }
            });
        }
        let mut world = Self { nodes, routes: Vec::new(), known: BTreeMap::new() };
        for (a, b) in ROUTES {
            for (viewer, of) in [(a, b), (b, a)] {
                let sealed = world.nodes[of].seal();
                // A client begins at a state that is not ahead of the ledger's own clock.
                let behind = sealed.time.saturating_sub(world.nodes[viewer].time());
                world.nodes[viewer].pass(behind);
                if let Node::Ledger(chain) = &mut world.nodes[viewer] {
                    let client = chain.follow(number(viewer), number(of), &sealed, &client_at(of, viewer));
                    assert_eq!(client, client_at(viewer, of), "clients are counted in the order of routes");
                }
                world.known.insert((viewer, of), vec![sealed]);
            }
            world.routes.push([(a, client_at(a, b)), (b, client_at(b, a))]);
        }
        for node in &mut world.nodes {
            node.take_told();
        }
        world
    }

    /// All ledgers run a program with this bug from now on.
    pub fn plant(&mut self, bug: PlantedBug) {
        for node in &mut self.nodes {
            if let Node::Ledger(chain) = node {
                chain.plant(Some(bug));
            }
        }
    }

    /// The neighbours of a chain, each with the chain's client of it.
    #[must_use]
    pub fn neighbours(&self, node: usize) -> Vec<End> {
        let of = |[a, b]: &[End; 2]| match node {
            node if a.0 == node => Some((b.0, a.1.clone())),
            node if b.0 == node => Some((a.0, b.1.clone())),
            _ => None,
        };
        self.routes.iter().filter_map(of).collect()
    }

    /// The chain behind a client.
    ///
    /// # Panics
    /// When the chain has no such client.
    #[must_use]
    pub fn behind(&self, node: usize, client: &ClientId) -> usize {
        let found = self.neighbours(node).into_iter().find(|(_, its)| its == client);
        found.expect("a client is one end of a route").0
    }

    /// A chain's client of its neighbour.
    #[must_use]
    pub fn client(node: usize, neighbour: usize) -> ClientId {
        client_at(node, neighbour)
    }

    /// A chain is shown what its neighbour holds now.
    pub fn learn(&mut self, viewer: usize, of: usize) {
        let sealed = self.nodes[of].seal();
        if let Node::Ledger(chain) = &mut self.nodes[viewer] {
            chain.learn(number(viewer), &client_at(viewer, of), &sealed);
        }
        self.known.entry((viewer, of)).or_default().push(sealed);
    }

    /// What a chain was shown of its neighbour: never nothing.
    #[must_use]
    pub fn known(&self, viewer: usize, of: usize) -> &[Sealed] {
        self.known.get(&(viewer, of)).map_or(&[], Vec::as_slice)
    }

    /// What a coin is called at a chain.
    #[must_use]
    pub fn name_at(coin: usize, node: usize) -> String {
        let (name, home) = COINS[coin];
        let mut way = vec![node];
        while *way.last().expect("it begins somewhere") != home {
            way.push(toward(*way.last().expect("it begins somewhere"), home));
        }
        let hops = way.windows(2).map(|pair| format!("transfer/{}/", client_at(pair[0], pair[1])));
        hops.chain([name.to_owned()]).collect()
    }

    /// How a user is written at a chain.
    #[must_use]
    pub fn user_at(node: usize, user: u8) -> String {
        if node < LEDGERS {
            Chain::account(number(node), user).to_string()
        } else {
            crate::bank::user_name(user)
        }
    }

    /// Users of each chain.
    #[must_use]
    pub const fn users() -> u8 {
        USERS
    }

    /// The neighbour of a chain on the way to another; none from a chain to itself.
    #[must_use]
    pub fn toward(node: usize, goal: usize) -> Option<usize> {
        (node != goal).then(|| toward(node, goal))
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn neighbour_of_bank(bank: usize) -> usize {
    let route = ROUTES.iter().find(|(a, b)| *a == bank || *b == bank).expect("a bank has a route");
    if route.0 == bank { route.1 } else { route.0 }
}

/// The neighbour of a chain on the way to another.
fn toward(node: usize, goal: usize) -> usize {
    let near = |from: usize| {
        ROUTES.iter().filter_map(move |(a, b)| match from {
            from if *a == from => Some(*b),
            from if *b == from => Some(*a),
            _ => None,
        })
    };
    let reaches = |first: usize| {
        let mut ways = vec![(node, first)];
        while let Some((from, at)) = ways.pop() {
            if at == goal {
                return true;
            }
            ways.extend(near(at).filter(|next| *next != from).map(|next| (at, next)));
        }
        false
    };
    near(node).find(|first| reaches(*first)).expect("all chains are joined")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_has_the_name_of_its_way() {
        assert_eq!(World::name_at(0, 3), "coin");
        assert_eq!(World::name_at(0, 0), "transfer/mirror-0/coin");
        assert_eq!(World::name_at(0, 1), "transfer/mirror-0/transfer/mirror-0/coin");
        assert_eq!(World::name_at(1, 0), "transfer/mirror-1/transfer/mirror-1/gold");
        assert_eq!(World::name_at(1, 2), "transfer/mirror-0/transfer/mirror-1/transfer/mirror-1/gold");
    }
}
