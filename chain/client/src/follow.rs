//! Following the chain block by block.

use crate::answer::Happened;
use crate::http::Http;
use crate::{Error, wire};
use std::io::{BufRead, BufReader, Read as _};
use zeugma_types::Height;

/// Longest line of a stream that is read, in bytes: a block with as many events as its cost allows.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// Final blocks, one after the other and without a gap, as long as it is asked for them.
///
/// A stream that breaks is opened again after the last block that came. When that fails the error is given, and
/// asking on tries again: who follows decides how long to pause.
pub struct Follow {
    http: Http,
    from: Option<Height>,
    last: Option<Height>,
    named: bool,
    lines: Option<BufReader<ureq::BodyReader<'static>>>,
}

impl Follow {
    pub(crate) const fn new(http: Http, from: Option<Height>) -> Self {
        Self { http, from, last: None, named: false, lines: None }
    }

    pub(crate) const fn naming_transactions(mut self) -> Self {
        self.named = true;
        self
    }

    /// The height of the last block that came.
    #[must_use]
    pub const fn last(&self) -> Option<Height> {
        self.last
    }

    fn open(&self) -> Result<BufReader<ureq::BodyReader<'static>>, Error> {
        let mut path = "/v1/stream/blocks".to_owned();
        let from = self.from.map(|from| format!("from={from}"));
        let asked: Vec<String> =
            from.into_iter().chain(self.named.then(|| "transactions=ids".to_owned())).collect();
        if !asked.is_empty() {
            path = format!("{path}?{}", asked.join("&"));
        }
        let body = self.http.stream(&path, self.last.map(Height::get))?;
        // Without end as a whole; a line has its bound.
        Ok(BufReader::new(body.into_with_config().limit(u64::MAX).reader()))
    }

    /// The data of the next event; none when the stream broke.
    fn event(lines: &mut impl BufRead) -> Option<String> {
        let mut data = String::new();
        loop {
            let mut line = String::new();
            let read = lines.by_ref().take(MAX_LINE).read_line(&mut line).ok()?;
            if read == 0 || !line.ends_with('\n') {
                return None;
            }
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() && !data.is_empty() {
                return Some(data);
            }
            // Other fields repeat what the data says, or are signs of life.
            if let Some(part) = line.strip_prefix("data:") {
                data.push_str(part.trim_start());
            }
        }
    }

    fn accept(&mut self, data: &str) -> Result<Happened, Error> {
        let happened: wire::Happened =
            serde_json::from_str(data).map_err(|error| Error::unreadable("a block", error))?;
        let happened = happened.read()?;
        let expected = self.last.and_then(Height::next).or(self.from);
        if expected.is_some_and(|expected| expected != happened.height) {
            return Err(Error::Unreadable(format!("block {} comes out of its turn", happened.height)));
        }
        self.last = Some(happened.height);
        Ok(happened)
    }
}

impl Iterator for Follow {
    type Item = Result<Happened, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // A broken stream is opened once more; if that one breaks before a block came, the asker is told.
        for _ in 0..2 {
            let mut lines = match self.lines.take().map_or_else(|| self.open(), Ok) {
                Ok(lines) => lines,
                Err(error) => return Some(Err(error)),
            };
            if let Some(data) = Self::event(&mut lines) {
                let accepted = self.accept(&data);
                // After an answer that cannot be read the stream is not believed any more.
                self.lines = accepted.is_ok().then_some(lines);
                return Some(accepted);
            }
        }
        Some(Err(self.http.broken()))
    }
}
