//! Run-time choice of vector instructions.
//!
//! A loop inside [`vectorize`] is compiled three times; the best version that the machine can run is called.

use pulp::{Scalar, Simd, WithSimd};

/// A family of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every machine of the target has.
    Portable,
    /// 256-bit vectors with fused multiply-add.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl Level {
    /// All levels this machine can run, best first.
    pub fn available() -> Vec<Level> {
        let all = [Level::Avx512, Level::Avx2, Level::Portable];
        all.into_iter().filter(|l| at(*l, Nothing).is_some()).collect()
    }
}

/// Runs `f` with the best vector instructions of the machine. `f` should be small or marked
/// `vectorize(#[inline(always)] || ...)`, and what it calls in its loop must be inlined: only inlined code gains.
#[inline]
pub fn vectorize<R>(f: impl FnOnce() -> R) -> R {
    best(Plain(f))
}

/// The instructions [`vectorize`] uses here: "avx512", "avx2" or "portable".
pub fn simd_level() -> &'static str {
    match Level::available().first() {
        Some(Level::Avx512) => "avx512",
        Some(Level::Avx2) => "avx2",
        _ => "portable",
    }
}

/// [`vectorize`] with a given level, or `None` if this machine cannot run it; for tests.
#[doc(hidden)]
pub fn with_level<R>(level: Level, f: impl FnOnce() -> R) -> Option<R> {
    at(level, Plain(f))
}

/// Runs `op` with the best level.
#[inline(always)]
pub(crate) fn best<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, op);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, op);
        }
    }
    op.with_simd(Scalar)
}

/// Runs `op` with a given level, if the machine has it.
#[inline(always)]
pub(crate) fn at<Op: WithSimd>(level: Level, op: Op) -> Option<Op::Output> {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => pulp::x86::V4::try_new().map(|simd| Simd::vectorize(simd, op)),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => pulp::x86::V3::try_new().map(|simd| Simd::vectorize(simd, op)),
        Level::Portable => Some(op.with_simd(Scalar)),
        #[cfg(not(target_arch = "x86_64"))]
        _ => None,
    }
}

struct Plain<F>(F);

impl<R, F: FnOnce() -> R> WithSimd for Plain<F> {
    type Output = R;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> R {
        (self.0)()
    }
}

struct Nothing;

impl WithSimd for Nothing {
    type Output = ();
    fn with_simd<S: Simd>(self, _: S) {}
}
