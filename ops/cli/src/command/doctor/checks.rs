//! The checks, each a function of what it looks at.

use super::Finding;
use crate::clock;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use zeugma_types::BlockTime;

/// The month in which this program was first built: a clock before it is certainly wrong.
const BUILT_AFTER: BlockTime = BlockTime::new(1_793_491_200_000);

/// Free space below which a node soon stops.
const SPACE_NEEDED: u64 = 1 << 30;
/// Free space below which it is time to think of more.
const SPACE_WISHED: u64 = 10 << 30;

/// Files a node keeps open: journals, tables and connections of a committee of 128 fit.
const FILES_NEEDED: u64 = 4_096;

pub(super) fn version() -> Finding {
    let found = format!(
        "zeugma {}, rules version {}, proofs ZGPROOF1, trust files ZGTRUST1",
        env!("CARGO_PKG_VERSION"),
        zeugma_ledger::PROGRAM
    );
    Finding::good("versions", found)
}

pub(super) fn clock() -> Finding {
    let now = clock::now();
    if now < BUILT_AFTER {
        let found = format!("it says {}, before this program was made", clock::show(now));
        return Finding::bad("clock", found, "sudo timedatectl set-ntp true");
    }
    match synchronized() {
        Some(true) => Finding::good("clock", format!("{}, synchronized", clock::show(now))),
        Some(false) => {
            let found = format!(
                "{}, not synchronized: a validator ahead or behind loses its votes",
                clock::show(now)
            );
            Finding::bad("clock", found, "sudo timedatectl set-ntp true")
        }
        None => {
            let found = format!("{}; whether it is synchronized is not known here", clock::show(now));
            Finding::note(
                "clock",
                found,
                "timedatectl status, or chronyc tracking, or ask who keeps the host's clock",
            )
        }
    }
}

/// Whether the system says that its clock follows others; `None` where nothing tells.
fn synchronized() -> Option<bool> {
    let shown =
        Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output().ok()?;
    match String::from_utf8_lossy(&shown.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

pub(super) fn open_files() -> Finding {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile).current;
    match limit {
        Some(limit) if limit < FILES_NEEDED => Finding::bad(
            "open files",
            format!("at most {limit}, needed {FILES_NEEDED}"),
            format!("ulimit -n {FILES_NEEDED}, or LimitNOFILE={FILES_NEEDED} in the systemd unit"),
        ),
        Some(limit) => Finding::good("open files", format!("at most {limit}")),
        None => Finding::good("open files", "no limit"),
    }
}

pub(super) fn folder(dir: &Path) -> Finding {
    const CHECK: &str = "data folder";
    let shown = dir.display();
    let meta = match std::fs::metadata(dir) {
        Ok(meta) => meta,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            let found = format!("{shown} is not there; the node makes it");
            return Finding::note(CHECK, found, format!("mkdir -m 700 -p {shown}"));
        }
        Err(why) => return Finding::bad(CHECK, format!("{shown}: {why}"), format!("ls -ld {shown}")),
    };
    if !meta.is_dir() {
        return Finding::bad(
            CHECK,
            format!("{shown} is not a folder"),
            format!("mv {shown} {shown}.old && mkdir -m 700 {shown}"),
        );
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o022 != 0 {
        let found = format!("{shown}: others may write to it (mode {mode:o})");
        return Finding::bad(CHECK, found, format!("chmod 700 {shown}"));
    }
    if let Err(why) = tried(dir) {
        let fix = format!("sudo chown \"$(id -un)\" {shown}");
        return Finding::bad(CHECK, format!("{shown}: cannot write: {why}"), fix);
    }
    if mode & 0o055 != 0 {
        let found =
            format!("{shown}: others may read it (mode {mode:o}); keys in it are guarded by their own mode");
        return Finding::note(CHECK, found, format!("chmod 700 {shown}"));
    }
    Finding::good(CHECK, format!("{shown}, mode {mode:o}, writable"))
}

/// Writes a file, brings it to disk, removes it.
fn tried(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!(".zeugma-doctor-{}", std::process::id()));
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    let synced = file.sync_all();
    std::fs::remove_file(&path)?;
    synced
}

pub(super) fn space(dir: &Path) -> Finding {
    const CHECK: &str = "disk space";
    let shown = dir.display();
    // A folder that is made at the start lies on the disk of the nearest one that is there.
    let there = dir.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(there) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(why) => return Finding::bad(CHECK, format!("{shown}: {why}"), format!("df -h {shown}")),
    };
    let (found, fix) = (
        format!("{} MiB free at {shown}", free >> 20),
        format!("df -h {shown}; du -xh {shown} | sort -h | tail"),
    );
    if free < SPACE_NEEDED {
        Finding::bad(CHECK, format!("{found}, needed {} MiB", SPACE_NEEDED >> 20), fix)
    } else if free < SPACE_WISHED {
        Finding::note(CHECK, found, fix)
    } else {
        Finding::good(CHECK, found)
    }
}

pub(super) fn port(address: &SocketAddr) -> Finding {
    const CHECK: &str = "port";
    match TcpListener::bind(address) {
        Ok(_) if address.ip().is_loopback() => Finding::good(CHECK, format!("{address} is free")),
        Ok(_) => Finding::note(
            CHECK,
            format!("{address} is free and reachable from other machines"),
            format!("unless that is meant, listen on 127.0.0.1:{}", address.port()),
        ),
        Err(why) => Finding::bad(
            CHECK,
            format!("{address}: {why}"),
            format!("ss -ltnp 'sport = :{}' shows who has it", address.port()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_taken_port_is_found_with_the_command_that_shows_who_has_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let finding = port(&address);
        assert_eq!(finding.verdict, Verdict::Bad);
        assert!(finding.fix.unwrap().contains(&address.port().to_string()));
        drop(taken);
        assert_eq!(port(&address).verdict, Verdict::Good);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_bad_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let verdict = |mode| {
            std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(mode)).unwrap();
            folder(dir.path()).verdict
        };
        assert_eq!(verdict(0o700), Verdict::Good);
        assert_eq!(verdict(0o755), Verdict::Note);
        assert_eq!(verdict(0o777), Verdict::Bad);
        assert_eq!(folder(&dir.path().join("none")).verdict, Verdict::Note);
        assert_eq!(space(&dir.path().join("none")).check, "disk space");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
