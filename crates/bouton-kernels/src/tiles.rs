//! How outputs are cut into tiles that stay in registers.

use pulp::Simd;

/// Machines of this family without 256-bit vectors are too old to lay out code for.
const OLD: bool = cfg!(target_arch = "x86_64");

/// The most rows of a tile that is four registers or four outputs wide: 24 accumulators, or 12 where registers are few.
#[inline(always)]
pub(crate) const fn tallest<S: Simd>() -> usize {
    if S::IS_SCALAR && OLD {
        1
    } else if S::REGISTER_COUNT >= 32 {
        6
    } else {
        3
    }
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
        } else if const { crate::tiles::tallest::<$s>() == 3 } {
            match $height {
                1 => with!(1),
                2 => with!(2),
                _ => with!(3),
            }
        } else {
            with!(1)
        }
    }};
}
pub(crate) use by_height;

/// (start, size) of about equal pieces of `n`, none larger than `max`.
#[inline(always)]
pub(crate) fn pieces(n: usize, max: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(max);
    let (size, larger) = (n / count.max(1), n % count.max(1));
    let mut start = 0;
    (0..count).map(move |i| {
        let piece = (start, size + usize::from(i < larger));
        start += piece.1;
        piece
    })
}
