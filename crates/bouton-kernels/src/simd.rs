//! Run-time choice of vector instructions.
//!
//! A loop inside [`vectorize`] is compiled three times; the best version that the machine can run is called.

use pulp::{Scalar, Simd, WithSimd};

use crate::{DType, Elem};

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

/// Runs `f` with the best vector instructions of the machine.
///
/// Only code that is inlined into `f` gains: mark the closure, `vectorize(#[inline(always)] || ...)`, and every
/// function that its loops call.
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
    }
    narrow(op)
}

/// Runs `op`, which computes in `T`, with the best level. Double precision is for checks: it stays at 256-bit vectors, so
/// that a third less is compiled.
#[inline(always)]
pub(crate) fn best_for<T: Elem, Op: WithSimd>(op: Op) -> Op::Output {
    if const { matches!(T::DTYPE, DType::F32) } { best(op) } else { narrow(op) }
}

/// Runs `op` with the best level of at most 256-bit vectors.
#[inline(always)]
fn narrow<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Chain, Left};
    use crate::dots::Dots;
    use crate::{Mat, dispatch};

    fn noise(t: DType, rows: usize, cols: usize) -> Mat {
        Mat::from_fn(t, rows, cols, |r, c| ((r * 31 + c * 17 + r * c) % 23) as f64 / 23.0 - 0.4)
    }

    /// a·bᵀ by dots, a·b and aᵀ·b by chains, with the instructions of one level.
    fn products<T: Elem>(level: Level, m: usize, n: usize, k: usize) -> [Mat; 3] {
        let [a, w, b, g] = [(m, k), (n, k), (k, n), (k, m)].map(|(r, c)| noise(T::DTYPE, r, c));
        let a: Vec<&[T]> = a.slice::<T>().chunks(k).collect();
        [0, 1, 2].map(|what| {
            let mut c = noise(T::DTYPE, m, n);
            let rows = &mut c.slice_mut::<T>().chunks_mut(n).collect::<Vec<_>>()[..];
            match what {
                0 => at(level, Dots { a: &a, w: w.slice(), c: rows }),
                1 => at(level, Chain { x: Left::Rows(&a), b: b.slice(), c: rows }),
                _ => at(level, Chain { x: Left::Cols(g.slice(), m), b: b.slice(), c: rows }),
            }
            .expect("an available level");
            c
        })
    }

    #[test]
    fn all_levels_compute_the_same_products() {
        for (m, n, k) in [(1, 1, 1), (7, 10, 33), (13, 70, 64), (100, 131, 97), (5, 6, 200)] {
            for t in [DType::F32, DType::F64] {
                let run = |level| dispatch!(t, T => products::<T>(level, m, n, k));
                let all: Vec<[Mat; 3]> = Level::available().into_iter().map(run).collect();
                let bound = k as f64 * if t == DType::F32 { 1e-6 } else { 1e-15 };
                for (level, other) in Level::available().iter().zip(&all) {
                    for (got, want) in other.iter().zip(&all[0]) {
                        for (g, w) in got.to_f64s().iter().zip(want.to_f64s()) {
                            assert!((g - w).abs() <= bound, "{level:?} {m} x {n} x {k}: {g} instead of {w}");
                        }
                    }
                    let fused = *level != Level::Portable && all.len() > 1;
                    assert!(!fused || other[1..] == all[0][1..], "{level:?}: chains round differently");
                }
            }
        }
    }
}
