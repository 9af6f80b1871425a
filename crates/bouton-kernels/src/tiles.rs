//! Tiles of outputs that stay in registers while their chains run.
//!
//! Loops over vectors are plain on purpose: a closure around a vector operation may stay out of line.

use pulp::Simd;

use crate::Elem;

/// Registers side by side in a wide tile.
pub(crate) const WIDE: usize = 4;
/// Steps of a chain whose code is laid out one after the other: branches are dear next to so few instructions.
const UNROLL: usize = 4;

/// The most rows of a tile: `WIDE` accumulators per row, `WIDE` operands and a few registers to spare.
#[inline(always)]
pub(crate) const fn tallest<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 6 } else { 3 }
}

/// Runs a block with a constant equal to a run-time height of at most [`tallest`].
macro_rules! by_height {
    ($s:ty, $height:expr, $r:ident => $body:expr) => {{
        macro_rules! with {
            ($h:literal) => {{
                const $r: usize = $h;
                $body
            }};
        }
        if const { crate::tiles::tallest::<$s>() == 6 } {
            match $height {
                1 => with!(1),
                2 => with!(2),
                3 => with!(3),
                4 => with!(4),
                5 => with!(5),
                _ => with!(6),
            }
        } else {
            match $height {
                1 => with!(1),
                2 => with!(2),
                _ => with!(3),
            }
        }
    }};
}
pub(crate) use by_height;

/// (start, size) of about equal pieces of `n`, none larger than `max`.
#[inline(always)]
pub(crate) fn pieces(n: usize, max: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(max).max(1);
    let (size, larger) = (n / count, n % count);
    let mut start = 0;
    (0..count).map(move |i| {
        let piece = (start, size + usize::from(i < larger));
        start += piece.1;
        piece
    })
}

/// The factors x(q, i) of a tile with R rows.
pub(crate) trait Factors<T, const R: usize>: Copy {
    /// Panics unless all x(q, i) with q < depth and i < R can be got.
    fn check(self, depth: usize);
    /// x(q, i).
    ///
    /// # Safety
    /// q is below a depth that passed `check`, i < R.
    unsafe fn get(self, q: usize, i: usize) -> T;
}

/// x(q, i) is element q of slice i.
#[derive(Clone, Copy)]
pub(crate) struct ByRow<'a, T, const R: usize>(pub(crate) [&'a [T]; R]);

impl<T: Elem, const R: usize> Factors<T, R> for ByRow<'_, T, R> {
    #[inline(always)]
    fn check(self, depth: usize) {
        for x in self.0 {
            assert!(x.len() >= depth, "row shorter than the chain");
        }
    }
    #[inline(always)]
    unsafe fn get(self, q: usize, i: usize) -> T {
        // SAFETY: q < depth, and each slice is that long.
        unsafe { *self.0[i].get_unchecked(q) }
    }
}

/// x(q, i) is element q · stride + i.
#[derive(Clone, Copy)]
pub(crate) struct ByStep<'a, T>(pub(crate) &'a [T], pub(crate) usize);

impl<T: Elem, const R: usize> Factors<T, R> for ByStep<'_, T> {
    #[inline(always)]
    fn check(self, depth: usize) {
        assert!(self.0.len() >= (depth - 1) * self.1 + R, "fewer factors than the chain needs");
    }
    #[inline(always)]
    unsafe fn get(self, q: usize, i: usize) -> T {
        // SAFETY: q <= depth - 1 and i < R, and the slice is longer than that.
        unsafe { *self.0.get_unchecked(q * self.1 + i) }
    }
}

/// c[i][..] += Σ_q x(q, i) b[q · stride ..] for R rows and `WIDE` registers of columns.
#[inline(always)]
pub(crate) fn wide<S: Simd, T: Elem, const R: usize>(
    s: S,
    x: impl Factors<T, R>,
    depth: usize,
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
    col: usize,
) {
    let width = WIDE * T::count::<S>();
    x.check(depth);
    assert!(b.len() >= (depth - 1) * stride + width, "fewer rows than the chain needs");
    let mut acc = [[T::splat(s, T::default()); WIDE]; R];
    for i in 0..R {
        acc[i].copy_from_slice(T::split::<S>(&c[i][col..][..width]).0);
    }
    let mut q = 0;
    while q + UNROLL <= depth {
        for u in q..q + UNROLL {
            // SAFETY: u < depth.
            unsafe { wide_step(s, x, b, u * stride, u, &mut acc) };
        }
        q += UNROLL;
    }
    while q < depth {
        // SAFETY: q < depth.
        unsafe { wide_step(s, x, b, q * stride, q, &mut acc) };
        q += 1;
    }
    for i in 0..R {
        T::split_mut::<S>(&mut c[i][col..][..width]).0.copy_from_slice(&acc[i]);
    }
}

/// One link of all chains of a wide tile.
///
/// # Safety
/// x can be got at q, and b has `WIDE` registers of elements from `at` on.
#[inline(always)]
unsafe fn wide_step<S: Simd, T: Elem, const R: usize>(
    s: S,
    x: impl Factors<T, R>,
    b: &[T],
    at: usize,
    q: usize,
    acc: &mut [[T::V<S>; WIDE]; R],
) {
    // SAFETY: promised by the caller.
    let y = T::split::<S>(unsafe { b.get_unchecked(at..at + WIDE * T::count::<S>()) }).0;
    for i in 0..R {
        // SAFETY: promised by the caller.
        let x = T::splat(s, unsafe { x.get(q, i) });
        for v in 0..WIDE {
            acc[i][v] = T::fma(s, x, y[v], acc[i][v]);
        }
    }
}

/// [`wide`] for a single register of columns, `width` of which exist.
#[inline(always)]
pub(crate) fn edge<S: Simd, T: Elem, const R: usize>(
    s: S,
    x: impl Factors<T, R>,
    depth: usize,
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
    col: usize,
    width: usize,
) {
    let mask = T::first(s, width);
    x.check(depth);
    assert!(b.len() >= (depth - 1) * stride + width, "fewer rows than the chain needs");
    let mut acc = [T::splat(s, T::default()); R];
    for i in 0..R {
        // SAFETY: the mask has `width` lanes, the slice as many elements.
        acc[i] = unsafe { T::load_part(s, mask, &c[i][col..][..width]) };
    }
    let mut q = 0;
    while q + UNROLL <= depth {
        for u in q..q + UNROLL {
            // SAFETY: u < depth, and b has `width` elements there.
            unsafe { edge_step(s, x, mask, b, u * stride, u, &mut acc) };
        }
        q += UNROLL;
    }
    while q < depth {
        // SAFETY: q < depth, and b has `width` elements there.
        unsafe { edge_step(s, x, mask, b, q * stride, q, &mut acc) };
        q += 1;
    }
    for i in 0..R {
        // SAFETY: the mask has `width` lanes, the slice as many elements.
        unsafe { T::store_part(s, mask, &mut c[i][col..][..width], acc[i]) };
    }
}

/// One link of all chains of an edge tile.
///
/// # Safety
/// x can be got at q, and b has elements for all lanes of the mask from `at` on.
#[inline(always)]
unsafe fn edge_step<S: Simd, T: Elem, const R: usize>(
    s: S,
    x: impl Factors<T, R>,
    mask: T::Mask<S>,
    b: &[T],
    at: usize,
    q: usize,
    acc: &mut [T::V<S>; R],
) {
    // SAFETY: promised by the caller.
    let y = unsafe { T::load_part(s, mask, b.get_unchecked(at..)) };
    for i in 0..R {
        // SAFETY: promised by the caller.
        let x = T::splat(s, unsafe { x.get(q, i) });
        acc[i] = T::fma(s, x, y, acc[i]);
    }
}
