//! Multiply-adds on registers only: what one core can do at best.

use std::hint::black_box;

use pulp::{Arch, Simd, WithSimd};

const LOOPS: usize = 20_000;
const CHAINS: usize = 16;

/// Runs for some tens of microseconds; returns the number of operations.
pub fn chains<const F64: bool>() -> usize {
    Arch::new().dispatch(Chains::<F64>)
}

struct Chains<const F64: bool>;

impl<const F64: bool> WithSimd for Chains<F64> {
    type Output = usize;
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> usize {
        if F64 {
            let x = s.splat_f64s(black_box(1.0));
            let mut acc = [x; CHAINS];
            for _ in 0..LOOPS {
                for v in &mut acc {
                    *v = s.mul_add_e_f64s(x, x, *v);
                }
            }
            for v in acc {
                black_box(s.reduce_sum_f64s(v));
            }
            2 * CHAINS * LOOPS * S::F64_LANES
        } else {
            let x = s.splat_f32s(black_box(1.0));
            let mut acc = [x; CHAINS];
            for _ in 0..LOOPS {
                for v in &mut acc {
                    *v = s.mul_add_e_f32s(x, x, *v);
                }
            }
            for v in acc {
                black_box(s.reduce_sum_f32s(v));
            }
            2 * CHAINS * LOOPS * S::F32_LANES
        }
    }
}
