//! The worker: a process that does nothing but evaluate, under a ceiling on its memory.
//!
//! Requests and answers are frames on standard input and output. A request is a pack and facts, each as a length
//! (`u32`, big-endian) and canonical bytes. An answer is one byte, 0 with a verdict or 1 with a message, then a
//! length and bytes. The worker keeps nothing between two requests but the last pack's compiled scripts.

use crate::bounds;
use crate::engine::{Compiled, Engine};
use crate::error::Broken;
use crate::facts::Facts;
use crate::pack::Pack;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, Read, Write};
use std::process::ExitCode;
use zeugma_types::Decode;

pub(crate) const VERDICT: u8 = 0;
pub(crate) const MESSAGE: u8 = 1;

/// What a program does that is nothing but a worker, `PROGRAM MEBIBYTES`: [`serve`], with what went wrong on standard error.
#[must_use]
pub fn program() -> ExitCode {
    let mut arguments = std::env::args();
    let name = arguments.next().unwrap_or_default();
    let Some(mebibytes) = arguments.next().and_then(|text| text.parse().ok()) else {
        eprintln!("usage: {name} MEBIBYTES");
        return ExitCode::from(2);
    };
    match serve(mebibytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves requests until standard input ends, with at most `mebibytes` of data (heap, stacks, buffers).
/// When a script wants more, the process aborts: there is no verdict then.
///
/// # Errors
/// When the ceiling cannot be set, or the other side breaks a frame off.
pub fn serve(mebibytes: u64) -> io::Result<()> {
    let ceiling = mebibytes.saturating_mul(1024 * 1024);
    let hard = getrlimit(Resource::Data).maximum;
    setrlimit(Resource::Data, Rlimit { current: Some(ceiling), maximum: hard })?;
    // An abort is expected here; it leaves no image behind.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    answer_all(&mut io::stdin().lock(), &mut io::stdout().lock())
}

fn answer_all(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut engine = Engine::new();
    let mut last: Option<(Vec<u8>, Compiled)> = None;
    while let Some(pack) = read_frame(input, bounds::PACK)? {
        let facts = read_frame(input, bounds::FACTS)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let answer = answer(&mut engine, &mut last, pack, &facts);
        let (kind, bytes) = match &answer {
            Ok(verdict) => (VERDICT, verdict.as_slice()),
            Err(broken) => (MESSAGE, broken.as_bytes()),
        };
        output.write_all(&[kind])?;
        write_frame(output, bytes)?;
        output.flush()?;
    }
    Ok(())
}

fn answer(
    engine: &mut Engine,
    last: &mut Option<(Vec<u8>, Compiled)>,
    pack: Vec<u8>,
    facts: &[u8],
) -> Result<Vec<u8>, String> {
    let bytes = |what, refusal| Broken::Bytes { what, refusal }.to_string();
    if last.as_ref().is_none_or(|(bytes, _)| *bytes != pack) {
        let read = Pack::from_bytes(&pack).map_err(|refusal| bytes("pack", refusal))?;
        *last = Some((pack, engine.compile(read).map_err(|broken| broken.to_string())?));
    }
    let (_, compiled) = last.as_ref().expect("it was set above");
    let facts = Facts::from_bytes(facts).map_err(|refusal| bytes("facts", refusal))?;
    Ok(engine.evaluate(compiled, &facts).bytes())
}

/// The next frame, or `None` when the input ends before it.
pub(crate) fn read_frame(input: &mut impl Read, bound: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match input.read(&mut length[..1])? {
        0 => return Ok(None),
        _ => input.read_exact(&mut length[1..])?,
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > bound {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a frame of {length} bytes is longer than {bound}"),
        ));
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

pub(crate) fn write_frame(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_above_its_bound_is_refused_before_memory() {
        let error = read_frame(&mut [0xff, 0xff, 0xff, 0xff].as_slice(), 10).unwrap_err().to_string();
        assert_eq!(error, "a frame of 4294967295 bytes is longer than 10");
        assert!(read_frame(&mut [0, 0].as_slice(), 10).is_err());
        assert!(read_frame(&mut [].as_slice(), 10).unwrap().is_none());
    }

    #[test]
    fn bytes_that_are_no_pack_get_a_message_and_the_next_request_is_answered() {
        let mut input = Vec::new();
        for part in [b"nonsense".as_slice(), b""] {
            write_frame(&mut input, part).unwrap();
        }
        let mut output = Vec::new();
        answer_all(&mut input.as_slice(), &mut output).unwrap();
        assert_eq!(output[0], MESSAGE);
    }
}
