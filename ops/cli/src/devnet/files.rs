//! The files of a network on this machine.

use super::links::Links;
use super::{Plan, fault};
use crate::clock;
use crate::failure::Failure;
use crate::files::{Readers, write_new};
use crate::keyfile::{Key, Kind, random};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::bounded::{List, Text};
use zeugma_ledger::gov::{OpenSubmission, Parameters};
use zeugma_ledger::{Founder, Genesis, Role, Roles, Validator};
use zeugma_node::api::TokenDigest;
use zeugma_node::dkg::{self, KeyFile};
use zeugma_proof::{EraEntry, Institution, Institutions, Signatures, TrustFile};
use zeugma_types::{Encode as _, Era, Purpose, Span};

/// How long the group key of a trial network is believed after the trust file was made.
const TRUSTING: Span = Span::seconds(90 * 24 * 60 * 60);
/// The institutions that sign the trust file, and how many of them must.
const INSTITUTIONS: [&str; 3] =
    ["Trial Court of First Instance", "Trial Chamber of Notaries", "Trial Forensic Institute"];
const SIGNERS: u16 = 2;
/// What the validators are to the network, in turns.
const ROLES: [&str; 4] = ["court", "notary", "bank", "university"];
/// Threads of each node: a machine of trials runs many.
const WORKERS: usize = 2;

/// Where everything is.
#[derive(Clone, Debug)]
pub(super) struct Paths(PathBuf);

impl Paths {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub(super) fn trust(&self) -> PathBuf {
        self.0.join("trust.json")
    }

    pub(super) fn genesis(&self) -> PathBuf {
        self.0.join("genesis.bin")
    }

    pub(super) fn account(&self) -> PathBuf {
        self.0.join("account.json")
    }

    pub(super) fn relayer(&self, place: usize) -> PathBuf {
        self.0.join(format!("relayer-{place}.json"))
    }

    pub(super) fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    pub(super) fn node(&self, place: usize) -> PathBuf {
        self.0.join(format!("node-{place}"))
    }

    pub(super) fn config(&self, place: usize) -> PathBuf {
        self.node(place).join("node.toml")
    }

    pub(super) fn identity(&self, place: usize) -> PathBuf {
        self.node(place).join("identity.key")
    }

    pub(super) fn share(&self, place: usize) -> PathBuf {
        self.node(place).join("share.key")
    }

    pub(super) fn log(&self, place: usize) -> PathBuf {
        self.node(place).join("log.txt")
    }
}

/// One validator.
pub(super) struct Seat {
    key: Key,
    role: &'static str,
}

impl Seat {
    fn key(&self) -> [u8; 32] {
        self.key.public()
    }
}

/// New validators, ascending by key, as the genesis lists them.
pub(super) fn seats(plan: &Plan<'_>) -> Result<Vec<Seat>, Failure> {
    let seat = |place: u8| {
        let role = ROLES[usize::from(place) % ROLES.len()];
        Ok(Seat { key: Key::generate(Kind::Node)?, role })
    };
    let mut seats = (0..plan.validators).map(seat).collect::<Result<Vec<_>, Failure>>()?;
    seats.sort_by_key(Seat::key);
    Ok(seats)
}

/// New keys of relayers, each in its file.
pub(super) fn relayers(paths: &Paths, count: u8) -> Result<Vec<Key>, Failure> {
    let make = |place: u8| {
        let key = Key::generate(Kind::Account)?;
        key.write(&paths.relayer(place.into()))?;
        Ok(key)
    };
    (0..count).map(make).collect()
}

/// The genesis: these validators, one account with every role, relayers, and every family this program follows.
pub(super) fn genesis(
    plan: &Plan<'_>,
    seats: &[Seat],
    account: &Key,
    relayers: &[Key],
) -> Result<Genesis, Failure> {
    let refused = |refusal| Failure::refused("the genesis", refusal);
    let validators = seats.iter().enumerate().map(|(place, seat)| {
        Ok(Validator {
            name: Text::new(&format!("{} validator {place}", plan.name))?,
            role: Text::new(seat.role)?,
            key: seat.key(),
        })
    });
    let validators = validators.collect::<Result<_, _>>().map_err(refused)?;
    let mut founders = vec![Founder { key: account.public(), roles: Roles::of(Role::ALL) }];
    founders
        .extend(relayers.iter().map(|key| Founder { key: key.public(), roles: Roles::of(&[Role::Relayer]) }));
    founders.extend(plan.load.iter().map(|key| Founder { key: *key, roles: Roles::of(&[Role::Member]) }));
    // As the genesis lists them.
    founders.sort_by_key(|founder| founder.key);
    let genesis = Genesis {
        version: Genesis::VERSION,
        name: Text::new(plan.name).map_err(refused)?,
        time: clock::now(),
        epoch_length: Genesis::USUAL_EPOCH_LENGTH,
        validators: List::new(validators).map_err(refused)?,
        accounts: List::new(founders).map_err(refused)?,
        parameters: if plan.load.is_empty() {
            plan.parameters.clone()
        } else {
            unbounded(plan.parameters.clone())
        },
    };
    genesis.check().map_err(refused)?;
    Ok(genesis)
}

/// The same parameters, but anyone submits, and an account is bounded by the block alone.
fn unbounded(parameters: Parameters) -> Parameters {
    Parameters {
        open_submission: OpenSubmission::Accepted,
        allowance_capacity: 1_000_000_000,
        allowance_per_second: 1_000_000_000,
        ..parameters
    }
}

/// Writes genesis, identities and configurations, and gives the addresses of the APIs.
pub(super) fn write(
    plan: &Plan<'_>,
    paths: &Paths,
    genesis: &Genesis,
    seats: &[Seat],
    token: &str,
) -> Result<(Vec<SocketAddr>, Option<Links>), Failure> {
    write_new(&paths.genesis(), &genesis.to_bytes(), Readers::Anyone)?;
    let mut addresses = free_addresses(2 * seats.len())?;
    let apis = addresses.split_off(seats.len());
    // Where the others find each: at its own address, or before a slow link.
    let (links, doors) = match plan.delay {
        Duration::ZERO => (None, addresses.clone()),
        delay => Links::before(&addresses, delay).map(|(links, doors)| (Some(links), doors))?,
    };
    let mut peers = String::new();
    for (seat, address) in seats.iter().zip(&doors) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            peers,
            "[[network.peers]]\nkey = \"{}\"\naddress = \"{address}\"",
            hex::encode(seat.key())
        );
    }
    let token = serde_json::to_string(&TokenDigest::of(token)).expect("a digest is text");
    for (place, ((seat, address), api)) in seats.iter().zip(&addresses).zip(&apis).enumerate() {
        let folder = paths.node(place);
        std::fs::create_dir_all(&folder).map_err(|why| Failure::unreadable(&folder, &why))?;
        seat.key.write(&paths.identity(place))?;
        let text = format!(
            "[node]\ndata = \"data\"\ngenesis = \"../genesis.bin\"\nidentity = \"identity.key\"\nshare = \"share.key\"\n\n\
             [network]\nlisten = \"{address}\"\n{peers}\n[runtime]\nworkers = {WORKERS}\n\n\
             [api]\nlisten = \"{api}\"\ntokens = [{token}]\n"
        );
        write_new(&paths.config(place), text.as_bytes(), Readers::Anyone)?;
    }
    Ok((apis, links))
}

/// Addresses that nobody listens on. They are taken together, so that no two are one.
fn free_addresses(count: usize) -> Result<Vec<SocketAddr>, Failure> {
    let take = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held = (0..count).map(take).collect::<Result<Vec<_>, _>>();
    let held =
        held.map_err(|why| Failure::unreachable(format!("no free port: {why}"), "check: ip addr show lo"))?;
    let addresses = held.iter().map(TcpListener::local_addr).collect::<Result<_, _>>();
    addresses.map_err(|why| fault("a port", why))
}

/// Writes a file that only its owner may read.
pub(super) fn write_secret(path: &Path, secret: &[u8]) -> Result<(), Failure> {
    dkg::write_secret(path, secret).map_err(|why| {
        Failure::own(
            crate::failure::Rule::NotWritten,
            path.display(),
            why,
            "check room and permission: df -h; ls -ld",
        )
    })
}

/// The trust file of the genesis under the key of `share`, signed by enough institutions made for it.
pub(super) fn trust(genesis: &Genesis, share: &KeyFile) -> Result<TrustFile, Failure> {
    let refused = |refusal| Failure::refused("the trust file", refusal);
    let committee = share.committee(genesis).map_err(|why| fault("the first share", why))?;
    let era = EraEntry { era: Era::ZERO, committee, pin: None };
    let secrets = (0..INSTITUTIONS.len())
        .map(|_| Ok(SecretKey::from_seed(&*random()?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let list = INSTITUTIONS.iter().zip(&secrets);
    let list =
        list.map(|(name, secret)| Institution { name: (*name).to_owned(), key: *secret.public().as_bytes() });
    let institutions = Institutions::new(SIGNERS, list.collect()).map_err(refused)?;
    let mut file = TrustFile::new(genesis.network(), clock::now(), TRUSTING, vec![era], institutions)
        .map_err(refused)?;
    // What is signed is all but the signatures; without any, they are the empty list at the end.
    let bytes = file.to_bytes();
    let unsigned = &bytes[..bytes.len() - Signatures::default().to_bytes().len()];
    let signatures = (0..SIGNERS)
        .zip(&secrets)
        .map(|(place, secret)| (place, secret.sign(Purpose::TrustFile, &[unsigned])));
    file.signatures = Signatures::new(signatures.collect()).map_err(refused)?;
    file.verify(&file.institutions).map_err(refused)?;
    Ok(file)
}
