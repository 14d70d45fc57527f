//! A child process that evaluates, which may be ended at any time.
//!
//! The ceiling on memory and the deadline bound what a hostile pack costs; neither is part of a verdict. When one
//! strikes there is no verdict, the child is gone, and the next call starts another.

use crate::bounds;
use crate::error::{Aborted, Broken};
use crate::facts::Facts;
use crate::pack::Pack;
use crate::verdict::Verdict;
use crate::worker::{self, VERDICT};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use zeugma_types::{Decode, Encode};

/// Memory of a worker, in MiB, unless another number is asked for.
pub(crate) const MEMORY: u64 = 64;
/// How long a pack may run, unless another span is asked for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// Evaluates in a child process.
#[derive(Debug)]
pub struct Sandbox {
    program: PathBuf,
    arguments: Vec<String>,
    mebibytes: u64,
    deadline: Duration,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    input: ChildStdin,
    answers: Receiver<io::Result<(u8, Vec<u8>)>>,
}

impl Sandbox {
    /// A sandbox whose child is `program` with these arguments and the ceiling in MiB as the last. That program
    /// calls [`worker::serve`]. It is started by the first call.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            mebibytes: MEMORY,
            deadline: DEADLINE,
            running: None,
        }
    }

    /// With another deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// With another ceiling on memory, in MiB.
    #[must_use]
    pub fn memory(mut self, mebibytes: u64) -> Self {
        self.mebibytes = mebibytes;
        self
    }

    /// The verdict of the pack on the facts.
    ///
    /// # Errors
    /// [`Aborted`]: there is no verdict, and nothing is said about the exhibit.
    pub fn evaluate(&mut self, pack: &Pack, facts: &Facts) -> Result<Verdict, Aborted> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        let request = || -> io::Result<()> {
            let input = &mut running.input;
            worker::write_frame(input, &pack.to_bytes())?;
            worker::write_frame(input, &facts.to_bytes())?;
            input.flush()
        };
        // A child that is gone cannot be written to; how it went is told below.
        let written = { request }();
        let answer = match written {
            Ok(()) => running.answers.recv_timeout(self.deadline),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        };
        match answer {
            Ok(Ok((kind, bytes))) => {
                self.running = Some(running);
                verdict(kind, &bytes, pack, facts)
            }
            Err(RecvTimeoutError::Timeout) => {
                running.end();
                let milliseconds = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
                Err(Aborted::Deadline { milliseconds })
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                Err(Aborted::Worker { how: running.end(), mebibytes: self.mebibytes })
            }
        }
    }

    fn start(&self) -> Result<Running, Aborted> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(self.mebibytes.to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().expect("it was asked for");
        let mut output = child.stdout.take().expect("it was asked for");
        let (send, answers) = mpsc::channel();
        thread::spawn(move || {
            loop {
                let mut kind = [0];
                let answer = io::Read::read_exact(&mut output, &mut kind)
                    .and_then(|()| worker::read_frame(&mut output, bounds::VERDICT))
                    .and_then(|frame| frame.ok_or(io::ErrorKind::UnexpectedEof.into()));
                let ended = answer.is_err();
                if send.send(answer.map(|bytes| (kind[0], bytes))).is_err() || ended {
                    return;
                }
            }
        });
        Ok(Running { child, input, answers })
    }
}

fn verdict(kind: u8, bytes: &[u8], pack: &Pack, facts: &Facts) -> Result<Verdict, Aborted> {
    if kind != VERDICT {
        return Err(Broken::rule("pack", String::from_utf8_lossy(bytes)).into());
    }
    let verdict = Verdict::from_bytes(bytes).map_err(|refusal| Broken::Bytes { what: "verdict", refusal })?;
    let ours = verdict.pack == pack.digest() && verdict.facts == facts.digest();
    if !ours {
        return Err(Broken::rule("verdict", "the worker answered for another pack or other facts").into());
    }
    Ok(verdict)
}

impl Running {
    /// Ends the child and says how it had ended.
    fn end(mut self) -> String {
        // It may have ended by itself: then there is nothing left to kill, and `wait` tells how it went.
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end();
        }
    }
}
