//! Paths of leaves as people type and read them: `namespace:what`.
//!
//! | namespace | text |
//! |---|---|
//! | `ibc` | `ibc:CLIENT/commitment/SEQUENCE`, also `receipt`, `acknowledgement` |
//! | `handover`, `standing`, `retraction` | `handover:ERA`, `standing:EPOCH`, `retraction:INDEX` |
//! | `closed` | `closed:CLIENT/SEQUENCE` |
//! | `anchor` | `anchor:ORIGIN@SIZE`, or `anchor:sha256-HEX@SIZE` |
//! | `split-view` | `split-view:ORIGIN`, or `split-view:sha256-HEX` |
//! | `client` | `client:CLIENT` |
//! | `registry` | `registry:KIND/NAME`, the kind as its number |
//! | any | `NAMESPACE:0xHEX`, the bytes inside the namespace |
//!
//! Bytes that have no such form are shown in the last.

use zeugma_proof::body::origin_digest;
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    ClientId, Decode, Encode, Epoch, Era, LeafIndex, LeafPath, Namespace, Sequence, TreeSize,
};

const HASHED: &str = "sha256-";
const FORMS: &str = "one of ibc:CLIENT/commitment|receipt|acknowledgement/SEQUENCE, handover:ERA, standing:EPOCH, \
    closed:CLIENT/SEQUENCE, retraction:INDEX, anchor:ORIGIN@SIZE, split-view:ORIGIN, client:CLIENT, \
    registry:KIND/NAME, NAMESPACE:0xHEX";

/// A packet as a path names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PacketName {
    /// The client under which it was sent, received or answered.
    pub(crate) client: ClientId,
    /// What the path says of it.
    pub(crate) kind: PacketPath,
    /// Its sequence.
    pub(crate) sequence: Sequence,
}

/// The packet that a path of the namespaces `ibc` and `closed` names, if its bytes are of that form.
pub(crate) fn packet(path: &[u8]) -> Option<PacketName> {
    let (client, rest) = path.split_at_checked(path.len().checked_sub(9)?)?;
    let (kind, sequence) = rest.split_first()?;
    let kind = kind_name_of(*kind)?;
    let client = ClientId::new(std::str::from_utf8(client).ok()?).ok()?;
    Some(PacketName { client, kind, sequence: Sequence::from_bytes(sequence).ok()? })
}

const fn kind_name_of(byte: u8) -> Option<PacketPath> {
    match byte {
        1 => Some(PacketPath::Commitment),
        2 => Some(PacketPath::Receipt),
        3 => Some(PacketPath::Acknowledgement),
        _ => None,
    }
}

const fn kind_name(kind: PacketPath) -> &'static str {
    match kind {
        PacketPath::Commitment => "commitment",
        PacketPath::Receipt => "receipt",
        PacketPath::Acknowledgement => "acknowledgement",
    }
}

/// The path as text; [`parse`] reads it back.
pub(crate) fn show(path: &LeafPath) -> String {
    let namespace = path.namespace();
    let what = named(namespace, path.path()).unwrap_or_else(|| format!("0x{}", hex::encode(path.path())));
    format!("{namespace}:{what}")
}

fn named(namespace: Namespace, path: &[u8]) -> Option<String> {
    let number = || u64::from_bytes(path).ok().map(|number| number.to_string());
    match namespace {
        Namespace::Ibc => {
            let PacketName { client, kind, sequence } = packet(path)?;
            Some(format!("{client}/{}/{sequence}", kind_name(kind)))
        }
        Namespace::Closed => {
            let name = packet(path).filter(|name| name.kind == PacketPath::Receipt)?;
            Some(format!("{}/{}", name.client, name.sequence))
        }
        Namespace::Handover | Namespace::Standing | Namespace::Retraction => number(),
        Namespace::Anchor => {
            let (origin, size) = path.split_first_chunk::<32>()?;
            let size = u64::from_bytes(size).ok()?;
            Some(format!("{HASHED}{}@{size}", hex::encode(origin)))
        }
        Namespace::SplitView => {
            let origin: &[u8; 32] = path.try_into().ok()?;
            Some(format!("{HASHED}{}", hex::encode(origin)))
        }
        Namespace::Client => Some(ClientId::new(std::str::from_utf8(path).ok()?).ok()?.to_string()),
        Namespace::Registry => {
            let (kind, name) = path.split_first()?;
            let name = std::str::from_utf8(name).ok()?;
            Some(format!("{kind}/{name}"))
        }
    }
}

/// Reads a path from its text.
pub(crate) fn parse(text: &str) -> Result<LeafPath, String> {
    let wrong = || format!("no such path; write {FORMS}");
    let (namespace, what) = text.split_once(':').ok_or_else(wrong)?;
    let namespace =
        Namespace::ALL.iter().copied().find(|known| known.name() == namespace).ok_or_else(wrong)?;
    if let Some(digits) = what.strip_prefix("0x") {
        let bytes = hex::decode(digits).map_err(|why| why.to_string())?;
        return LeafPath::new(namespace, &bytes).map_err(|refusal| refusal.to_string());
    }
    let number = |text: &str| text.parse::<u64>().map_err(|why| format!("{text}: {why}"));
    let client = |text: &str| ClientId::new(text).map_err(|refusal| refusal.to_string());
    Ok(match namespace {
        Namespace::Ibc => {
            let (rest, sequence) = what.rsplit_once('/').ok_or_else(wrong)?;
            let (id, kind) = rest.rsplit_once('/').ok_or_else(wrong)?;
            let kind = (1..=3).filter_map(kind_name_of).find(|one| kind_name(*one) == kind);
            LeafPath::packet(&client(id)?, kind.ok_or_else(wrong)?, Sequence::new(number(sequence)?))
        }
        Namespace::Closed => {
            let (id, sequence) = what.rsplit_once('/').ok_or_else(wrong)?;
            LeafPath::closed(&client(id)?, Sequence::new(number(sequence)?))
        }
        Namespace::Handover => LeafPath::handover(Era::new(number(what)?)),
        Namespace::Standing => LeafPath::standing(Epoch::new(number(what)?)),
        Namespace::Retraction => LeafPath::retraction(LeafIndex::new(number(what)?)),
        Namespace::Anchor => {
            let (origin, size) = what.rsplit_once('@').ok_or_else(wrong)?;
            LeafPath::anchor(&digest_of(origin)?, TreeSize::new(number(size)?))
        }
        Namespace::SplitView => LeafPath::split_view(&digest_of(what)?),
        Namespace::Client => LeafPath::client(&client(what)?),
        Namespace::Registry => {
            let (kind, name) = what.split_once('/').ok_or_else(wrong)?;
            let kind = kind.parse::<u8>().map_err(|why| format!("{kind}: {why}"))?;
            LeafPath::registry(kind, name).map_err(|refusal| refusal.to_string())?
        }
    })
}

/// The digest of an origin, given as the origin itself or as its digest.
fn digest_of(origin: &str) -> Result<[u8; 32], String> {
    let Some(digits) = origin.strip_prefix(HASHED) else { return Ok(origin_digest(origin)) };
    let bytes = hex::decode(digits).map_err(|why| why.to_string())?;
    bytes.try_into().map_err(|_| format!("{HASHED} takes 64 hexadecimal digits"))
}

/// The canonical bytes of a path, as hexadecimal digits.
pub(crate) fn canonical(path: &LeafPath) -> String {
    hex::encode(path.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_shown_is_read_back() {
        for text in [
            "ibc:07-tendermint-3/commitment/7",
            "ibc:client-1/acknowledgement/18446744073709551615",
            "handover:1",
            "standing:12",
            "closed:client-1/9",
            "retraction:0",
            "client:08-zeugma-0",
            "registry:1/rules of court/2026",
            "ibc:0x00",
            "split-view:sha256-bdc0c3dca386bdad88431ffca58979085946c04048bcd237ed04e388f75c92f3",
        ] {
            assert_eq!(show(&parse(text).unwrap()), text);
        }
        let named = parse("anchor:court.example/log@17").unwrap();
        assert_eq!(parse(&show(&named)).unwrap(), named);
        assert_eq!(named, LeafPath::anchor(&origin_digest("court.example/log"), TreeSize::new(17)));
    }

    #[test]
    fn what_is_no_path_is_refused_with_the_forms() {
        for text in ["", "ibc", "ibc:client-1/sent/7", "nowhere:1", "anchor:log", "handover:x", "client:"] {
            parse(text).unwrap_err();
        }
    }

    #[test]
    fn bytes_of_another_form_are_shown_as_they_are() {
        let path = LeafPath::new(Namespace::Handover, &[1, 2, 3]).unwrap();
        assert_eq!(show(&path), "handover:0x010203");
        assert_eq!(parse("handover:0x010203").unwrap(), path);
    }
}
