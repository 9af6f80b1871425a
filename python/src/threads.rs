//! On which threads bouton computes.

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::process;
use std::sync::OnceLock;

/// The process in which the pool was started; a forked child has none of its threads.
static OWNER: OnceLock<u32> = OnceLock::new();

/// Starts the pool with the importing thread as one of its threads, so that a call from there need not wake another
/// one first. With a single thread it would be the only one, and calls from elsewhere would wait for ever.
pub fn start() {
    OWNER.get_or_init(|| {
        if std::thread::available_parallelism().is_ok_and(|n| n.get() > 1) {
            // An error means that somebody has started the pool already, which is just as well.
            let _ = ThreadPoolBuilder::new().use_current_thread().build_global();
        }
        process::id()
    });
}

/// Computes while other Python threads run; one entry into the pool for all that `work` does.
pub fn compute<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    static CHILD: OnceLock<ThreadPool> = OnceLock::new();
    let forked = OWNER.get().is_some_and(|&owner| owner != process::id());
    py.detach(|| {
        if forked {
            let pool = || ThreadPoolBuilder::new().build().expect("the system allows threads");
            return CHILD.get_or_init(pool).install(work);
        }
        rayon::scope(|_| work())
    })
}
