//! Ctrl-C: once asks the run to stop after this update, twice stops at once.

use crate::terminal::say;
use bouton::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Remembers whether the user asked to stop.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to Ctrl-C from now on.
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
