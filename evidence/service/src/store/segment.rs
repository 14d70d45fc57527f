//! Segments: files of frames, each twice where the store has a twin.
//!
//! ```text
//! Segment = "ZGSEG01\n" · length u32 · body · check [16] · Frame…
//! body    = shard u32 · number u32 · sequence u64 · origin text<255> · check of the frame before [16] · Trees
//! ```
//!
//! A segment gets its name when its header is durable, so a file of that name has one. Frames are whole up to where the
//! file ends; only the newest segment of the newest shard may end in a frame that was cut short.

use super::disk::{Disk, DiskFile, replace};
use super::frame::{Check, HEAD, Head, check};
use super::trees::{MAX_STATE, Trees};
use super::{damaged, io_refusal};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeugma_types::codec::put_bytes;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

const MAGIC: &[u8; 8] = b"ZGSEG01\n";
const MAX_HEADER: usize = MAX_STATE + 1024;

/// Where segments lie: the store's folder, and its twin's.
#[derive(Clone)]
pub(super) struct Places {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) roots: Vec<PathBuf>,
}

impl Places {
    /// The folder of a shard's segments, in each place.
    pub(super) fn folders(&self, shard: u32) -> impl Iterator<Item = PathBuf> {
        self.roots.iter().map(move |root| root.join(format!("shards/{shard}/segments")))
    }

    pub(super) fn public(&self, shard: u32) -> PathBuf {
        self.roots[0].join(format!("shards/{shard}/public"))
    }

    /// Opens one copy of a segment.
    pub(super) fn open(&self, place: usize, id: SegmentId) -> Result<Reading, Refusal> {
        let path = self.path(place, id);
        let file = self.disk.open(&path, false).map_err(|error| io_refusal(&error))?;
        Reading::start(file, id, path)
    }

    pub(super) fn path(&self, place: usize, id: SegmentId) -> PathBuf {
        self.roots[place].join(format!("shards/{}/segments/{}", id.shard, id.name()))
    }

    /// The shards there are, ascending.
    pub(super) fn shards(&self) -> io::Result<Vec<u32>> {
        let mut shards: Vec<u32> = self
            .disk
            .list(&self.roots[0].join("shards"))?
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        shards.sort_unstable();
        Ok(shards)
    }

    /// The segments of a shard, ascending; a copy in either place counts.
    pub(super) fn segments(&self, shard: u32) -> io::Result<Vec<SegmentId>> {
        let mut found = Vec::new();
        for folder in self.folders(shard) {
            for name in self.disk.list(&folder)? {
                let number = name.strip_suffix(".seg").and_then(|number| number.parse().ok());
                found.extend(number.map(|number| SegmentId { shard, number }));
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Names a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SegmentId {
    pub(super) shard: u32,
    pub(super) number: u32,
}

impl SegmentId {
    fn name(self) -> String {
        format!("{:010}.seg", self.number)
    }
}

/// What a segment begins with.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) id: SegmentId,
    /// Of the first frame.
    pub(super) sequence: u64,
    pub(super) origin: String,
    pub(super) previous: Check,
    pub(super) trees: Trees,
}

impl Header {
    fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.id.shard.encode(&mut body);
        self.id.number.encode(&mut body);
        self.sequence.encode(&mut body);
        put_bytes(&mut body, self.origin.as_bytes());
        self.previous.encode(&mut body);
        self.trees.encode(&mut body);
        let mut bytes = MAGIC.to_vec();
        put_bytes(&mut bytes, &body);
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        bytes
    }

    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(body);
        let header = Self {
            id: SegmentId { shard: reader.u32()?, number: reader.u32()? },
            sequence: reader.u64()?,
            origin: reader.text(255)?,
            previous: reader.array()?,
            trees: Trees::decode(&mut reader)?,
        };
        reader.finish()?;
        Ok(header)
    }
}

/// The segment that grows.
pub(super) struct Writing {
    pub(super) id: SegmentId,
    files: Vec<Box<dyn DiskFile>>,
    /// Bytes that are durable in every place.
    length: u64,
    /// What was written behind them may still be there, in part.
    dirty: bool,
}

impl Writing {
    /// Makes a new segment, durable with its name in every place.
    pub(super) fn create(places: &Places, header: &Header) -> io::Result<Self> {
        let bytes = header.to_bytes();
        let mut files = Vec::new();
        for (place, folder) in places.folders(header.id.shard).enumerate() {
            make_dirs(places, place, &folder)?;
            let path = places.path(place, header.id);
            replace(&*places.disk, &path, &bytes)?;
            files.push(places.disk.open(&path, false)?);
        }
        Ok(Self { id: header.id, files, length: bytes.len() as u64, dirty: false })
    }

    /// Goes on behind `length` bytes; the rest is cut off, durably.
    pub(super) fn resume(places: &Places, id: SegmentId, length: u64) -> io::Result<Self> {
        let mut files = Vec::new();
        for place in 0..places.roots.len() {
            files.push(places.disk.open(&places.path(place, id), false)?);
        }
        let mut writing = Self { id, files, length, dirty: true };
        writing.cut()?;
        Ok(writing)
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Appends a frame and makes it durable. After an error nothing of it counts: it is cut off before anything else
    /// is written.
    pub(super) fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.cut()?;
        self.dirty = true;
        for file in &self.files {
            file.write_at(self.length, frame)?;
        }
        for file in &self.files {
            file.sync()?;
        }
        self.dirty = false;
        self.length += frame.len() as u64;
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        if self.dirty {
            for file in &self.files {
                if file.len()? != self.length {
                    file.set_len(self.length)?;
                }
                file.sync()?;
            }
            self.dirty = false;
        }
        Ok(())
    }
}

/// Makes the folders of a place, each durable in the one above it.
pub(super) fn make_dirs(places: &Places, place: usize, folder: &Path) -> io::Result<()> {
    places.disk.create_dir(folder)?;
    for above in folder.ancestors() {
        places.disk.sync_dir(above)?;
        if above == places.roots[place] {
            break;
        }
    }
    Ok(())
}

/// A segment that is read.
pub(super) struct Reading {
    file: Box<dyn DiskFile>,
    pub(super) header: Header,
    /// For messages.
    pub(super) path: PathBuf,
    length: u64,
    at: u64,
    sequence: u64,
    previous: Check,
    next: u64,
}

/// What stands at a place of a segment.
pub(super) enum Step {
    /// A frame whose place in the chain is right, and where it begins.
    Frame { at: u64, bytes: Vec<u8> },
    /// The file ends here, behind the last frame.
    End,
    /// Not a frame of the chain.
    Bad { at: u64, why: Refusal },
}

impl Reading {
    fn start(file: Box<dyn DiskFile>, id: SegmentId, path: PathBuf) -> Result<Self, Refusal> {
        let length = file.len().map_err(|error| io_refusal(&error))?;
        let name = path.display().to_string();
        let mut front = [0; 12];
        let bad = |what: &str| damaged(format!("{name}: {what}"));
        file.read_at(0, &mut front).map_err(|_| bad("header"))?;
        let (magic, body) = front.split_at(8);
        let body = u32::from_be_bytes(*body.first_chunk().expect("four bytes are left")) as usize;
        if magic != MAGIC || body > MAX_HEADER {
            return Err(bad("header"));
        }
        let mut bytes = vec![0; 12 + body + 16];
        file.read_at(0, &mut bytes).map_err(|_| bad("header"))?;
        let (signed, stored) = bytes.split_at(12 + body);
        if stored != check(signed) {
            return Err(bad("check of the header"));
        }
        let header = Header::parse(&signed[12..])?;
        if header.id != id {
            return Err(bad("header of another segment"));
        }
        Ok(Self {
            at: bytes.len() as u64,
            sequence: header.sequence,
            previous: header.previous,
            next: header.trees.size().get(),
            file,
            header,
            path,
            length,
        })
    }

    /// The chain's end so far: next sequence, check of the last frame, next index, length.
    pub(super) const fn end(&self) -> (u64, Check, u64, u64) {
        (self.sequence, self.previous, self.next, self.at)
    }

    /// Takes in what was written since: for a segment that grows.
    pub(super) fn look_again(&mut self) -> Result<(), Refusal> {
        self.length = self.file.len().map_err(|error| io_refusal(&error))?;
        Ok(())
    }

    /// The next frame.
    pub(super) fn step(&mut self) -> Result<Step, Refusal> {
        if self.at == self.length {
            return Ok(Step::End);
        }
        match self.read()? {
            Ok(bytes) => {
                let at = self.at;
                let head = Head::parse(bytes.first_chunk().expect("a frame has a head"))?;
                self.at += bytes.len() as u64;
                self.sequence += 1;
                self.next = head.end();
                let public_end = HEAD + head.public as usize;
                self.previous = *bytes[public_end..].first_chunk().expect("a frame has its check");
                Ok(Step::Frame { at, bytes })
            }
            Err(why) => Ok(Step::Bad { at: self.at, why }),
        }
    }

    /// Reads the frame here: outside, what the disk refuses; inside, what the bytes are not.
    fn read(&self) -> Result<Result<Vec<u8>, Refusal>, Refusal> {
        let bad = |what: &str| damaged(format!("{} at {}: {what}", self.path.display(), self.at));
        let mut front = [0; HEAD];
        if self.length - self.at < HEAD as u64 {
            return Ok(Err(bad("end of the file")));
        }
        self.file.read_at(self.at, &mut front).map_err(|error| io_refusal(&error))?;
        let head = match Head::parse(&front) {
            Ok(head) => head,
            Err(_) => return Ok(Err(bad("head"))),
        };
        if head.length() > self.length - self.at {
            return Ok(Err(bad("end of the file")));
        }
        let chained = head.sequence == self.sequence
            && head.previous == self.previous
            && head.first == self.next
            && head.shard == self.header.id.shard;
        if !chained {
            return Ok(Err(bad("not the next of the chain")));
        }
        let length = usize::try_from(head.length()).map_err(|_| bad("length"))?;
        let mut bytes = vec![0; length];
        self.file.read_at(self.at, &mut bytes).map_err(|error| io_refusal(&error))?;
        let public_end = HEAD + head.public as usize;
        if check(&bytes[..public_end]) != bytes[public_end..public_end + 16] {
            return Ok(Err(bad("check")));
        }
        Ok(Ok(bytes))
    }

    /// Whether a frame that was written later than here still stands behind: then what is here was damaged, and is not
    /// the end of a write that was cut short, behind which nothing was ever written.
    pub(super) fn goes_on_behind(&self) -> Result<bool, Refusal> {
        const STEP: usize = 1 << 20;
        let mut at = self.at + 1;
        let mut window = vec![0; STEP + HEAD];
        while at + (HEAD as u64) <= self.length {
            let held =
                usize::try_from((self.length - at).min(window.len() as u64)).expect("bounded by the window");
            let bytes = &mut window[..held];
            self.file.read_at(at, bytes).map_err(|error| io_refusal(&error))?;
            for (offset, found) in bytes.windows(HEAD).enumerate().take(STEP) {
                if found.starts_with(super::frame::MAGIC) && self.is_later(at + offset as u64, found)? {
                    return Ok(true);
                }
            }
            at += STEP as u64;
        }
        Ok(false)
    }

    fn is_later(&self, at: u64, front: &[u8]) -> Result<bool, Refusal> {
        let Ok(head) = Head::parse(front.first_chunk().expect("a window of a head")) else {
            return Ok(false);
        };
        let near = head.sequence > self.sequence && head.sequence - self.sequence < 1 << 32;
        if !near || head.length() > self.length - at {
            return Ok(false);
        }
        let mut public = vec![0; HEAD + head.public as usize + 16];
        self.file.read_at(at, &mut public).map_err(|error| io_refusal(&error))?;
        let (signed, stored) = public.split_at(public.len() - 16);
        Ok(stored == check(signed))
    }

    /// Reads one frame where it is known to begin, outside the chain's order.
    pub(super) fn frame_at(&self, at: u64) -> Result<Vec<u8>, Refusal> {
        let bad = |what: &str| damaged(format!("{} at {at}: {what}", self.path.display()));
        let mut front = [0; HEAD];
        self.file.read_at(at, &mut front).map_err(|_| bad("end of the file"))?;
        let head = Head::parse(&front).map_err(|_| bad("head"))?;
        if at.checked_add(head.length()).is_none_or(|end| end > self.length) {
            return Err(bad("end of the file"));
        }
        let mut bytes = vec![0; usize::try_from(head.length()).map_err(|_| bad("length"))?];
        self.file.read_at(at, &mut bytes).map_err(|error| io_refusal(&error))?;
        Ok(bytes)
    }

    /// The heads of the frames from here on, without their contents: where each begins and its first index.
    pub(super) fn heads(&self) -> Result<Vec<(u64, Head)>, Refusal> {
        let (mut at, mut heads) = (self.at, Vec::new());
        let mut front = [0; HEAD];
        while at + (HEAD as u64) <= self.length {
            self.file.read_at(at, &mut front).map_err(|error| io_refusal(&error))?;
            let Ok(head) = Head::parse(&front) else { break };
            if head.length() > self.length - at || head.shard != self.header.id.shard {
                break;
            }
            heads.push((at, head));
            at += head.length();
        }
        Ok(heads)
    }

    /// Writes zeros over a part of this copy, durably.
    pub(super) fn erase(&self, at: u64, length: usize) -> io::Result<()> {
        self.file.write_at(at, &vec![0; length])
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}

/// # Errors
/// [`Code::NoSuchEntry`].
pub(super) fn no_entry(found: u64, size: u64) -> Refusal {
    Refusal::new(Code::NoSuchEntry).needed(size).found(found)
}
