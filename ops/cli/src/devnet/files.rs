//! The files of a network on this machine.

use super::{Plan, fault};
use crate::clock;
use crate::failure::Failure;
use crate::families;
use crate::files::{Readers, write_new};
use crate::keyfile::{Key, random};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::bounded::{List, Text};
use zeugma_ledger::gov::Parameters;
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
    secret: SecretKey,
    role: &'static str,
}

impl Seat {
    fn key(&self) -> [u8; 32] {
        *self.secret.public().as_bytes()
    }
}

/// New validators, ascending by key, as the genesis lists them.
pub(super) fn seats(plan: &Plan<'_>) -> Result<Vec<Seat>, Failure> {
    let seat = |place: u8| {
        let role = ROLES[usize::from(place) % ROLES.len()];
        Ok(Seat { secret: SecretKey::from_seed(&*random()?), role })
    };
    let mut seats = (0..plan.validators).map(seat).collect::<Result<Vec<_>, Failure>>()?;
    seats.sort_by_key(Seat::key);
    Ok(seats)
}

/// The genesis: these validators, one account with every role, and every family this program follows.
pub(super) fn genesis(name: &str, seats: &[Seat], account: &Key) -> Result<Genesis, Failure> {
    let refused = |refusal| Failure::refused("the genesis", refusal);
    let validators = seats.iter().enumerate().map(|(place, seat)| {
        Ok(Validator {
            name: Text::new(&format!("{name} validator {place}"))?,
            role: Text::new(seat.role)?,
            key: seat.key(),
        })
    });
    let validators = validators.collect::<Result<_, _>>().map_err(refused)?;
    let founder = Founder { key: account.public(), roles: Roles::of(Role::ALL) };
    let genesis = Genesis {
        version: Genesis::VERSION,
        name: Text::new(name).map_err(refused)?,
        time: clock::now(),
        epoch_length: Genesis::USUAL_EPOCH_LENGTH,
        validators: List::new(validators).map_err(refused)?,
        accounts: List::new(vec![founder]).map_err(refused)?,
        parameters: Parameters {
            families: List::new(families::numbers()).map_err(refused)?,
            ..Parameters::default()
        },
    };
    genesis.check().map_err(refused)?;
    Ok(genesis)
}

/// Writes genesis, identities and configurations, and gives the addresses of the APIs.
pub(super) fn write(
    paths: &Paths,
    genesis: &Genesis,
    seats: &[Seat],
    token: &str,
) -> Result<Vec<SocketAddr>, Failure> {
    write_new(&paths.genesis(), &genesis.to_bytes(), Readers::Anyone)?;
    let mut addresses = free_addresses(2 * seats.len())?;
    let apis = addresses.split_off(seats.len());
    let mut peers = String::new();
    for (seat, address) in seats.iter().zip(&addresses) {
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
        let seed = Zeroizing::new(hex::encode(seat.secret.expose().as_slice()));
        write_secret(&paths.identity(place), seed.as_bytes())?;
        let text = format!(
            "[node]\ndata = \"data\"\ngenesis = \"../genesis.bin\"\nidentity = \"identity.key\"\nshare = \"share.key\"\n\n\
             [network]\nlisten = \"{address}\"\n{peers}\n[runtime]\nworkers = {WORKERS}\n\n\
             [api]\nlisten = \"{api}\"\ntokens = [{token}]\n"
        );
        write_new(&paths.config(place), text.as_bytes(), Readers::Anyone)?;
    }
    Ok(apis)
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
