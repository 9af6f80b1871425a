//! Ctrl-C and what else asks a process to end (SIGTERM, and SIGHUP of a terminal that closes): once asks the run to stop
//! after this update, twice stops at once.

use crate::terminal::say;
use bouton::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Remembers whether the user asked to stop.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on.
    ///
    /// # Errors
    /// [`Error::Config`] if the system does not allow it.
    pub fn listen() -> Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let flag = asked.clone();
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            say("\nstopping after this update; press Ctrl-C again to stop at once");
        })
        .map_err(|e| Error::config(format!("cannot listen to Ctrl-C: {e}")))?;
        Ok(Self(asked))
    }

    /// Whether the user asked to stop.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Keeps a hangup that `nohup` had the process ignore away from [`Interrupt`], which hears all signals or none: it is
/// blocked in this thread and in those that it starts. Whether it is ignored is known on Linux alone.
pub(crate) fn respect_nohup() {
    #[cfg(target_os = "linux")]
    if ignores_hangup() {
        use nix::sys::signal::{SigSet, Signal};
        let mut hangup = SigSet::empty();
        hangup.add(Signal::SIGHUP);
        let _ = hangup.thread_block();
    }
}

/// Bit 0 of the signals that this process ignores.
#[cfg(target_os = "linux")]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
