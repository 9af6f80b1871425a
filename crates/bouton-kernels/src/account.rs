//! What the kernels of this process do, counted: floating-point operations, bytes moved, bytes held.
//!
//! A multiply-add is two operations, a convolution counts as if computed directly, an elementwise equation counts one
//! operation for each number it reads or writes. Bytes moved are operands and results once per call (results that
//! accumulate twice), as if no number stayed in a cache between calls. Counting costs two additions per call.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static OPERATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static HELD: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

/// What some work came to; see [`account`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Floating-point operations.
    pub operations: u64,
    /// Bytes read and written by kernels.
    pub bytes: u64,
    /// Most bytes of matrices and working memory held at once, beyond those held at the beginning.
    pub peak: u64,
}

/// Runs `work` and counts what all kernels of this process do meanwhile: other threads count too, and of two calls at
/// once neither has its own peak.
pub fn account<R>(work: impl FnOnce() -> R) -> (R, Account) {
    let before = (OPERATIONS.load(Relaxed), BYTES.load(Relaxed), HELD.load(Relaxed));
    PEAK.store(before.2, Relaxed);
    let result = work();
    let account = Account {
        operations: OPERATIONS.load(Relaxed) - before.0,
        bytes: BYTES.load(Relaxed) - before.1,
        peak: PEAK.load(Relaxed).saturating_sub(before.2),
    };
    (result, account)
}

/// Counts a kernel's call.
#[inline(always)]
pub(crate) fn count(operations: usize, bytes: usize) {
    OPERATIONS.fetch_add(operations as u64, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

/// Counts a product of `multiplications` multiply-adds that reads and adds to so many elements of `size` bytes.
#[inline(always)]
pub(crate) fn count_product(multiplications: usize, read: usize, added: usize, size: usize) {
    count(2 * multiplications, (read + 2 * added) * size);
}

/// Memory that counts as held while it lives.
#[derive(Debug)]
pub(crate) struct Held(u64);

impl Held {
    pub(crate) fn new(bytes: usize) -> Self {
        let bytes = bytes as u64;
        PEAK.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
        Held(bytes)
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Held::new(self.0 as usize)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0, Relaxed);
    }
}
