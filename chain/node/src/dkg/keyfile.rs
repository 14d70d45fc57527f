//! What a validator keeps of its era's key, and how secrets are written.
//!
//! ```text
//! ZGSHARE1 ‖ network (32) ‖ era u64 ‖ origin ‖ polynomial (bytes) ‖ share (bytes)
//! ```

use crate::consensus::{PublicKey, Scheme};
use bytes::Bytes;
use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::bls12381::primitives::{
    group::Share,
    sharing::{ModeVersion, Sharing},
    variant::MinSig,
};
use std::fs;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;
use zeugma_ledger::Genesis;
use zeugma_proof::{Certificate, Committee, GroupKey, KeyOrigin, MAX_MEMBERS, Member};
use zeugma_types::codec::put_bytes;
use zeugma_types::{Code, Decode, Encode, Era, NetworkId, Reader, Refusal};

const MAGIC: [u8; 8] = *b"ZGSHARE1";
/// Longest polynomial, in bytes: a point of G2 for each of the most members that are needed, and its prefix.
const MAX_POLYNOMIAL: usize = 96 * MAX_MEMBERS + 64;
/// Longest share, in bytes.
const MAX_SHARE: usize = 64;
/// Longest file of ours that holds a key, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// A validator's share of the group key, and the public side of the key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The network.
    pub network: NetworkId,
    /// The era.
    pub era: Era,
    /// How the key was made.
    pub origin: KeyOrigin,
    /// The group's public polynomial, in the engine's encoding.
    pub polynomial: Vec<u8>,
    /// The share. Secret.
    pub share: Vec<u8>,
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyFile")
            .field("network", &self.network)
            .field("era", &self.era)
            .finish_non_exhaustive()
    }
}

impl KeyFile {
    /// What a finished ceremony leaves to a member.
    #[must_use]
    pub fn new(network: NetworkId, outcome: &super::Outcome) -> Self {
        Self {
            network,
            era: Era::ZERO,
            origin: KeyOrigin::Distributed { transcript: outcome.transcript },
            polynomial: outcome.output.public().encode().to_vec(),
            share: outcome.share.encode().to_vec(),
        }
    }

    fn sharing(&self, members: usize) -> Result<Sharing<MinSig>, String> {
        let members =
            u32::try_from(members).ok().and_then(NonZeroU32::new).ok_or("a genesis names validators")?;
        let bytes = Bytes::copy_from_slice(&self.polynomial);
        let sharing = Sharing::<MinSig>::decode_cfg(bytes, &(members, ModeVersion::v0()))
            .map_err(|error| format!("the polynomial of the key file: {error}"))?;
        // The engine asserts both: a key file comes from outside, and is refused here in words.
        let members = members.get();
        let quorum = members - (members - 1) / 3;
        if sharing.total().get() != members || sharing.required() != quorum {
            return Err(format!(
                "the polynomial of the key file is for {} of {} members, the genesis asks for {quorum} of {members}",
                sharing.required(),
                sharing.total()
            ));
        }
        Ok(sharing)
    }

    /// The committee that a trust file lists for this key, from the validators of `genesis`.
    ///
    /// # Errors
    /// In words, when the file is not of this genesis.
    pub fn committee(&self, genesis: &Genesis) -> Result<Committee, String> {
        self.require(genesis)?;
        let sharing = self.sharing(genesis.validators.len())?;
        let key = sharing.public().encode();
        let key: [u8; 96] = key.as_ref().try_into().map_err(|_| "a group key has 96 bytes")?;
        let group_key = GroupKey::parse(&key).map_err(|refusal| refusal.to_string())?;
        let members = genesis.validators.iter().map(|validator| Member {
            name: validator.name.as_str().into(),
            role: validator.role.as_str().into(),
            key: validator.key,
            seal_keys: Vec::new(),
        });
        Committee::new(group_key, self.origin, members.collect()).map_err(|refusal| refusal.to_string())
    }

    /// The signing scheme of the member who holds this file.
    ///
    /// # Errors
    /// In words, when the file is not of this genesis or its share is of no member.
    pub fn scheme(&self, genesis: &Genesis) -> Result<Scheme, String> {
        self.require(genesis)?;
        let sharing = self.sharing(genesis.validators.len())?;
        let share = Share::decode(Bytes::copy_from_slice(&self.share))
            .map_err(|error| format!("the share of the key file: {error}"))?;
        let namespace = Certificate::namespace(&self.network);
        Scheme::signer(&namespace, crate::members(genesis)?, sharing, share)
            .ok_or_else(|| "the share of the key file is of no member of this committee".into())
    }

    fn require(&self, genesis: &Genesis) -> Result<(), String> {
        let network = genesis.network();
        if self.network == network {
            return Ok(());
        }
        Err(format!("the key file is of network {}, the genesis names {network}", self.network))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// In words, with what to do.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = read_secret(path)?;
        Self::from_bytes(&bytes).map_err(|refusal| format!("{} is not a key file: {refusal}", path.display()))
    }

    /// Writes a new file that only its owner can read. A file that is there is never replaced.
    ///
    /// # Errors
    /// In words.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        write_secret(path, &Zeroizing::new(self.to_bytes()))
    }
}

impl Encode for KeyFile {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        self.network.encode(out);
        self.era.encode(out);
        self.origin.encode(out);
        put_bytes(out, &self.polynomial);
        put_bytes(out, &self.share);
    }
}

impl Decode for KeyFile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if reader.array()? != MAGIC {
            return Err(Refusal::new(Code::BadMagic).needed("ZGSHARE1"));
        }
        Ok(Self {
            network: NetworkId::decode(reader)?,
            era: Era::decode(reader)?,
            origin: KeyOrigin::decode(reader)?,
            polynomial: reader.bytes(MAX_POLYNOMIAL)?.to_vec(),
            share: reader.bytes(MAX_SHARE)?.to_vec(),
        })
    }
}

/// The bytes of a file that holds a secret: refused when others than its owner may read it.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let shown = path.display();
    let about = fs::metadata(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "{shown} holds a secret and others may read it (mode {mode:o}, needed 600): chmod 600 {shown}"
        ));
    }
    if about.len() > MAX_FILE {
        return Err(format!("{shown} has {} bytes, a key of ours at most {MAX_FILE}", about.len()));
    }
    fs::read(path).map(Zeroizing::new).map_err(|error| format!("cannot read {shown}: {error}"))
}

/// Writes a secret into a new file that only its owner can read (mode 0600), durably. A file that is there is
/// never replaced.
///
/// # Errors
/// In words; when the file exists, too.
pub fn write_secret(path: &Path, secret: &[u8]) -> Result<(), String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot write {shown}: {error}");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| format!("{shown} is not a name of a file"))?.to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.new", std::process::id()));
    // The bytes first, under another name, then the name, then the folder: a crash at any point leaves no file
    // under this name, or a whole one. A link, because a rename would replace what is there.
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(failed)?;
    let written = file.write_all(secret).and_then(|()| file.sync_all());
    let named = written.and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    named.map_err(failed)?;
    removed.map_err(failed)?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// The public key of bytes that a genesis or a configuration names.
pub(crate) fn public_key(bytes: &[u8; 32]) -> Result<PublicKey, String> {
    PublicKey::decode(Bytes::copy_from_slice(bytes)).map_err(|error| format!("not an Ed25519 key: {error}"))
}
