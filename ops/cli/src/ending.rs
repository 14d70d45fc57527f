//! How long-running commands learn that they should end: Ctrl-C, SIGTERM, or a parent that is gone.

use crate::failure::{Failure, Rule};
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How often a wait looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// Ready on Ctrl-C or SIGTERM; with `parent`, also once standard input is closed.
///
/// # Errors
/// When the system takes no handler.
pub(crate) async fn asked(parent: Parent) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let gone = async move {
        match parent {
            Parent::Any => std::future::pending().await,
            Parent::HoldsStdin => stdin_closed().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = gone => {}
    }
    Ok(())
}

/// Whether a process lives without the one that started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    /// It lives on.
    Any,
    /// It ends when its standard input is closed, which the kernel does for a parent that was killed.
    HoldsStdin,
}

impl Parent {
    /// As the hidden flag `--with-parent` says.
    pub(crate) const fn of(flag: bool) -> Self {
        if flag { Self::HoldsStdin } else { Self::Any }
    }
}

async fn stdin_closed() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // A thread of its own: a blocked read would hold up the end of a runtime.
    std::thread::spawn(move || {
        read_to_end_of_stdin();
        // If nobody waits any more, the process ends anyway.
        let _ = sender.send(());
    });
    if receiver.await.is_err() {
        // The thread could not tell: only a signal ends the process.
        std::future::pending::<()>().await;
    }
}

/// Returns once standard input is closed. What comes from there is thrown away.
pub(crate) fn read_to_end_of_stdin() {
    let mut thrown_away = [0; 64];
    let mut stdin = std::io::stdin().lock();
    while stdin.read(&mut thrown_away).is_ok_and(|read| read > 0) {}
}

/// The wish to end, for work that goes step by step.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C and SIGTERM from now on: they no longer kill this process.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let refuse =
            |why: std::io::Error| Failure::own(Rule::Unfit, "signals", why, "check: ulimit -n; ulimit -u");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(refuse)?;
        let told = Arc::new(AtomicBool::new(false));
        let (tell, (sender, receiver)) = (Arc::clone(&told), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            runtime.block_on(async {
                let handlers = signal(SignalKind::interrupt())
                    .and_then(|one| Ok((one, signal(SignalKind::terminate())?)));
                let (ready, mut handlers) = match handlers {
                    Ok(handlers) => (Ok(()), handlers),
                    Err(error) => return drop(sender.send(Err(error))),
                };
                drop(sender.send(ready));
                tokio::select! {
                    _ = handlers.0.recv() => {}
                    _ = handlers.1.recv() => {}
                }
                tell.store(true, Ordering::Release);
            });
        });
        match receiver.recv() {
            Ok(Ok(())) => Ok(Self(told)),
            Ok(Err(error)) => Err(refuse(error)),
            Err(_) => Err(refuse(std::io::Error::other("the thread that waits for signals ended"))),
        }
    }

    /// Whether someone asked to end.
    pub(crate) fn requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The same, for who only reads a flag.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// Fails once someone asked to end.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !self.requested() {
            return Ok(());
        }
        let what = "what was started has been ended";
        Err(Failure::own(Rule::Interrupted, "the command", what, "start it again when you want it done"))
    }

    /// Sleeps.
    ///
    /// # Errors
    /// Once someone asks to end.
    pub(crate) fn pause(&self, time: Duration) -> Result<(), Failure> {
        let end = Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}
