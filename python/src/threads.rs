//! On which threads bouton computes, and who hears Ctrl-C while it does.
//!
//! The thread that imports bouton, if it is Python's main thread, belongs to rayon's own pool, so that a call from there
//! wakes no other thread first. Everybody else — other Python threads, forked children, whose parent's threads did not come
//! along — meets in a second pool, which every process starts for itself when it is needed.

use crate::errors::{fault, no_threads};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How often the interpreter is asked for signals.
const BETWEEN: Duration = Duration::from_millis(50);

/// The process whose main thread belongs to rayon's own pool.
static HOME: OnceLock<u32> = OnceLock::new();

/// The pool of one process; forked children hang theirs behind those of their parents.
struct Visitors {
    process: u32,
    pool: ThreadPool,
    next: OnceLock<Box<Visitors>>,
}

static VISITORS: OnceLock<Box<Visitors>> = OnceLock::new();

/// Makes the importing thread one of the pool, if it will not end before the process does.
pub fn start(py: Python<'_>) -> PyResult<()> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("current_thread")?.is(&threading.call_method0("main_thread")?);
    // An error means that somebody has started the pool already, which is just as well.
    if main && ThreadPoolBuilder::new().use_current_thread().build_global().is_ok() {
        let _ = HOME.set(process::id());
    }
    Ok(())
}

/// Whether this thread is one of a pool that lives.
fn at_home() -> bool {
    HOME.get() == Some(&process::id()) && rayon::current_thread_index().is_some()
}

/// The pool of this process for everybody else.
fn visitors(py: Python<'_>) -> PyResult<&'static ThreadPool> {
    let mut place = &VISITORS;
    loop {
        match place.get() {
            Some(found) if found.process == process::id() => return Ok(&found.pool),
            Some(parent) => place = &parent.next,
            None => {
                let pool = ThreadPoolBuilder::new().build().map_err(|e| no_threads(py, &e))?;
                // Another thread may have been faster: its pool serves as well.
                let _ = place.set(Box::new(Visitors { process: process::id(), pool, next: OnceLock::new() }));
            }
        }
    }
}

/// Computes while other Python threads run; one entry into the pool for all that `work` does.
///
/// # Errors
/// A panic of `work`, which is a fault of bouton, or if no threads can be started.
pub fn compute<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> PyResult<R> {
    let pool = if at_home() { None } else { Some(visitors(py)?) };
    let done = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| match pool {
            Some(pool) => pool.install(work),
            None => work(),
        }))
    });
    done.map_err(|panic| fault(py, &*panic))
}

/// The same for work that takes long: it asks its argument now and then whether Ctrl-C came, and should end soon if it
/// did. `work` runs on the calling thread if that belongs to the pool, else in a pool of its own while this one waits.
///
/// # Errors
/// What the handler of a signal raised, and those of [`compute`].
pub fn watch<R: Send>(py: Python<'_>, work: impl FnOnce(&dyn Fn() -> bool) -> R + Send) -> PyResult<R> {
    let signal = Signal::default();
    let done = if at_home() {
        py.detach(|| {
            let asked = Cell::new(Instant::now());
            let stop = || {
                if asked.get().elapsed() >= BETWEEN {
                    asked.set(Instant::now());
                    signal.ask();
                }
                signal.came.load(Ordering::Relaxed)
            };
            catch_unwind(AssertUnwindSafe(|| work(&stop)))
        })
    } else {
        let pool = ThreadPoolBuilder::new().build().map_err(|e| no_threads(py, &e))?;
        let stop = || signal.came.load(Ordering::Relaxed);
        py.detach(|| signal.wait_for(|| pool.install(|| work(&stop))))
    };
    match signal.failure.into_inner() {
        Ok(Some(failure)) => Err(failure),
        _ => done.map_err(|panic| fault(py, &*panic)),
    }
}

/// Whether a signal's handler raised an exception.
#[derive(Default)]
struct Signal {
    came: AtomicBool,
    failure: Mutex<Option<PyErr>>,
}

impl Signal {
    /// Lets Python handle what came; only its main thread does so.
    fn ask(&self) {
        if self.came.load(Ordering::Relaxed) {
            return;
        }
        if let Err(failure) = Python::attach(|py| py.check_signals()) {
            if let Ok(mut slot) = self.failure.lock() {
                *slot = Some(failure);
            }
            self.came.store(true, Ordering::Relaxed);
        }
    }

    /// Works on another thread, and asks for signals on this one.
    fn wait_for<R: Send>(&self, work: impl FnOnce() -> R + Send) -> std::thread::Result<R> {
        let (tell, told) = channel::<()>();
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                // Dropped when the work is done, and when it panics.
                let _tell = tell;
                work()
            });
            while told.recv_timeout(BETWEEN) == Err(RecvTimeoutError::Timeout) {
                self.ask();
            }
            worker.join()
        })
    }
}
