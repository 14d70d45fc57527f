//! The state's bytes, where it was written, and the contradictions that are kept.
//!
//! ```text
//! state  = "ZGW1" · machine text<128> · boot text<128> · file u64 · born u64 · keys [32]
//!        · list<(origin text<255> · size u64 · root [32] · at u64 · note text<65536>), 256> · check [32]
//! check  = SHA-256 of all before it
//! ```
//!
//! The file names itself: its inode and the moment of its birth. The system gives both, and gives them to no copy.

use super::{Home, Reboots, WitnessKeys, failed};
use crate::store::{read as read_file, temporary};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::NoteBounds;
use zeugma_proof::body::{LogView, MAX_ORIGIN, origin_digest};
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal, UnixSeconds};

const MAGIC: &[u8; 4] = b"ZGW1";
/// Most logs that a witness follows.
pub(super) const MAX_LOGS: usize = 256;
/// Longest name of a machine or of its start, in bytes.
const MAX_NAME: usize = 128;
/// Longest state, in bytes.
const MAX_STATE: usize = 512 + MAX_LOGS * (NoteBounds::USUAL.bytes + 512);
/// Most contradictions of each kind that are kept of one log: whoever has two checkpoints can bring them again and again.
const MAX_KEPT: usize = 32;

/// A machine and its start, as its system names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The machine; empty where the system has no name for it.
    pub id: String,
    /// Another at each start of the machine.
    pub boot: String,
}

impl Machine {
    /// This one.
    ///
    /// # Errors
    /// When the system does not tell its start.
    pub fn this() -> io::Result<Self> {
        let id = match std::fs::read_to_string("/etc/machine-id") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let short = |text: String| text.trim().chars().take(MAX_NAME / 4).collect();
        Ok(Self { id: short(id), boot: short(boot) })
    }
}

/// A file as the system names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) number: u64,
    pub(super) born: u64,
}

/// Where a state was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) machine: String,
    pub(super) boot: String,
    pub(super) file: FileName,
}

/// What a witness cosigned last of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Size and root.
    pub view: LogView,
    /// When.
    pub at: UnixSeconds,
    /// The checkpoint with the log's signatures that held.
    pub note: String,
}

/// What a witness must not forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Fingerprint of the keys that signed.
    pub(super) keys: [u8; 32],
    /// By origin.
    pub(super) logs: BTreeMap<String, Seen>,
}

/// A state with where it was written, and the file in which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) held: Held,
    pub(super) place: Place,
    found: FileName,
}

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("state")
}

fn encode(place: &Place, held: &Held) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_bytes(&mut out, place.machine.as_bytes());
    put_bytes(&mut out, place.boot.as_bytes());
    place.file.number.encode(&mut out);
    place.file.born.encode(&mut out);
    held.keys.encode(&mut out);
    put_list(&mut out, held.logs.iter().collect::<Vec<_>>().as_slice(), |out, (origin, seen)| {
        put_bytes(out, origin.as_bytes());
        seen.view.encode(out);
        seen.at.encode(out);
        put_bytes(out, seen.note.as_bytes());
    });
    let check = sha256(&[&out]);
    out.extend_from_slice(&check);
    out
}

fn decode(bytes: &[u8]) -> Result<(Place, Held), Refusal> {
    let damaged = || Refusal::new(Code::Damaged).found("the witness's state");
    let (body, check) = bytes.split_last_chunk::<32>().ok_or_else(damaged)?;
    if sha256(&[body]) != *check {
        return Err(damaged());
    }
    let mut reader = Reader::new(body);
    if reader.array::<4>()? != *MAGIC {
        return Err(Refusal::new(Code::BadMagic).found("the witness's state"));
    }
    let place = Place {
        machine: reader.text(MAX_NAME)?,
        boot: reader.text(MAX_NAME)?,
        file: FileName { number: reader.u64()?, born: reader.u64()? },
    };
    let keys = reader.array()?;
    let logs = reader.list(MAX_LOGS, |reader| {
        let origin = reader.text(MAX_ORIGIN)?;
        let view = LogView::decode(reader)?;
        let at = UnixSeconds::decode(reader)?;
        Ok((origin, Seen { view, at, note: reader.text(NoteBounds::USUAL.bytes)? }))
    })?;
    reader.finish()?;
    Ok((place, Held { keys, logs: logs.into_iter().collect() }))
}

/// The state in the folder, or `None` where there is none.
pub(super) fn read(home: &Home) -> Result<Option<State>, Refusal> {
    let path = path(&home.folder);
    let found = match home.disk.open(&path, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.and_then(|file| file.identity()).map_err(|error| failed(&error))?.into(),
    };
    let bytes = read_file(&*home.disk, &path, MAX_STATE).map_err(|error| failed(&error))?;
    let (place, held) = decode(&bytes)?;
    Ok(Some(State { held, place, found }))
}

/// Writes a state in place of the one before: a crash leaves the old one or the new one.
pub(super) fn write(home: &Home, held: &Held) -> Result<State, Refusal> {
    let write = || {
        let (disk, path) = (&*home.disk, path(&home.folder));
        let new = temporary(&path);
        // One that a crash left may be half of an older state, and another file is born.
        match disk.remove(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = disk.open(&new, true)?;
        let found: FileName = file.identity()?.into();
        let Home { machine, .. } = home;
        let place = Place { machine: machine.id.clone(), boot: machine.boot.clone(), file: found };
        file.write_at(0, &encode(&place, held))?;
        file.sync()?;
        disk.rename(&new, &path)?;
        disk.sync_dir(&home.folder)?;
        Ok(State { held: held.clone(), place, found })
    };
    write().map_err(|error| failed(&error))
}

impl State {
    pub(super) fn require_keys(&self, keys: &WitnessKeys) -> Result<(), Refusal> {
        let own = keys.fingerprint();
        if self.held.keys == own {
            return Ok(());
        }
        Err(Refusal::new(Code::WitnessStateMoved).needed(self.held.keys).found(own))
    }

    pub(super) fn require_place(&self, machine: &Machine, reboots: Reboots) -> Result<(), Refusal> {
        let moved = |needed: String, found: String| {
            Err(Refusal::new(Code::WitnessStateMoved).needed(needed).found(found))
        };
        if self.place.machine != machine.id {
            return moved(format!("machine {}", self.place.machine), format!("machine {}", machine.id));
        }
        if self.place.file != self.found {
            let name = |file: &FileName| format!("file {} born {}", file.number, file.born);
            return moved(name(&self.place.file), name(&self.found));
        }
        if self.place.boot != machine.boot && reboots == Reboots::Refuse {
            return moved(format!("start {}", self.place.boot), format!("start {}", machine.boot));
        }
        Ok(())
    }
}

fn kept_in(folder: &Path) -> PathBuf {
    folder.join("contradictions")
}

/// Keeps a pair of checkpoints with the request that brought the second, unless it or enough of its kind are there.
/// `certain`: they contradict each other; else the second was not shown to continue the first, which may be the fault
/// of whoever asked.
pub(super) fn keep(
    home: &Home,
    origin: &str,
    seen: &Seen,
    (other, certain): (&str, bool),
    request: &[u8],
) -> Result<Option<PathBuf>, Refusal> {
    let text = |note: &str| note.rsplit_once("\n\n").map_or(String::new(), |(text, _)| text.to_owned());
    if text(&seen.note) == text(other) {
        // The same checkpoint with a wrong proof shows nothing of the log.
        return Ok(None);
    }
    let keep = || {
        let folder = kept_in(&home.folder);
        home.disk.create_dir(&folder)?;
        let kind = if certain { "split" } else { "unshown" };
        let begin = format!("{kind}-{}-", hex::encode(&origin_digest(origin)[..8]));
        let pair = sha256(&[text(&seen.note).as_bytes(), b"\n", text(other).as_bytes()]);
        let path = folder.join(format!("{begin}{}.json", hex::encode(&pair[..8])));
        let names = home.disk.list(&folder)?;
        let alike = names.iter().filter(|name| name.starts_with(&begin) && name.ends_with(".json"));
        if alike.count() >= MAX_KEPT || home.disk.open(&path, false).is_ok() {
            return Ok(None);
        }
        let written = serde_json::json!({
            "origin": origin,
            "contradiction": certain,
            "one": seen.note,
            "one_cosigned_at": seen.at.get(),
            "other": other,
            "request": String::from_utf8_lossy(request),
        });
        crate::store::replace(&*home.disk, &path, written.to_string().as_bytes())?;
        Ok(Some(path))
    };
    keep().map_err(|error| failed(&error))
}

/// How many pairs of each kind are kept.
pub(super) fn contradictions(home: &Home) -> (usize, usize) {
    let names = home.disk.list(&kept_in(&home.folder)).unwrap_or_default();
    let of =
        |kind: &str| names.iter().filter(|name| name.starts_with(kind) && name.ends_with(".json")).count();
    (of("split-"), of("unshown-"))
}
