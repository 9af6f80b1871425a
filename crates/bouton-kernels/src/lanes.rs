//! The vector operations the products need, for both element types and any instruction set.

use std::fmt::Debug;

use pulp::{MemMask, Simd, bytemuck};

/// An element type seen as the lanes of a vector register of the instruction set `S`.
pub trait Lanes: bytemuck::Pod + Debug + Send + Sync {
    /// A register full of elements.
    type V<S: Simd>: Copy + Debug + Send + Sync + 'static;
    /// Some lanes of a register.
    type Mask<S: Simd>: Copy;

    /// Elements in a register.
    fn count<S: Simd>() -> usize;
    /// Whole registers, and the rest.
    fn split<S: Simd>(xs: &[Self]) -> (&[Self::V<S>], &[Self]);
    /// Whole registers, and the rest.
    fn split_mut<S: Simd>(xs: &mut [Self]) -> (&mut [Self::V<S>], &mut [Self]);
    /// The same number in all lanes.
    fn splat<S: Simd>(s: S, x: Self) -> Self::V<S>;
    /// The elements of a register.
    fn lanes_mut<S: Simd>(v: &mut Self::V<S>) -> &mut [Self];
    /// a + b.
    fn add_v<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// a - b.
    fn sub_v<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// a b.
    fn mul_v<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// a / b.
    fn div_v<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// The larger one; NaN by the rules of the instruction set.
    fn max_v<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// The smaller one; NaN by the rules of the instruction set.
    fn min_v<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// -a.
    fn neg_v<S: Simd>(s: S, a: Self::V<S>) -> Self::V<S>;
    /// |a|.
    fn abs_v<S: Simd>(s: S, a: Self::V<S>) -> Self::V<S>;
    /// Square root.
    fn sqrt_v<S: Simd>(s: S, a: Self::V<S>) -> Self::V<S>;
    /// Lanes where a < b.
    fn less<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::Mask<S>;
    /// Lanes where a >= b.
    fn at_least<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>) -> Self::Mask<S>;
    /// `a` in the lanes of the mask, else `b`.
    fn choose<S: Simd>(s: S, mask: Self::Mask<S>, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// The largest lane; none is NaN.
    fn largest<S: Simd>(s: S, v: Self::V<S>) -> Self;
    /// a b + c.
    fn fma<S: Simd>(s: S, a: Self::V<S>, b: Self::V<S>, c: Self::V<S>) -> Self::V<S>;
    /// Sum of the lanes by halving: lane i + lane i + count / 2, and so on.
    fn sum<S: Simd>(s: S, v: Self::V<S>) -> Self;
    /// The first `n` lanes.
    fn first<S: Simd>(s: S, n: usize) -> Self::Mask<S>;
    /// The lanes of the mask, the others zero.
    ///
    /// # Safety
    /// `xs` has at least as many elements as the mask has lanes.
    unsafe fn load_part<S: Simd>(s: S, mask: Self::Mask<S>, xs: &[Self]) -> Self::V<S>;
    /// Writes the lanes of the mask.
    ///
    /// # Safety
    /// `xs` has at least as many elements as the mask has lanes.
    unsafe fn store_part<S: Simd>(s: S, mask: Self::Mask<S>, xs: &mut [Self], v: Self::V<S>);
}

/// Operations of registers by the names that pulp has for them.
macro_rules! pass {
    ($v:ident; $($name:ident = $op:ident($($arg:ident),+);)+) => {$(
        #[inline(always)]
        fn $name<S: Simd>(s: S, $($arg: S::$v),+) -> S::$v {
            s.$op($($arg),+)
        }
    )+};
}

macro_rules! lanes {
    ($t:ty, $v:ident, $m:ident, $count:ident, $split:ident, $split_mut:ident, $splat:ident, $sum:ident, $max:ident,
     $less:ident, $at_least:ident, $choose:ident, $first:ident, $load:ident, $store:ident, {$($pass:tt)+}) => {
        impl Lanes for $t {
            type V<S: Simd> = S::$v;
            type Mask<S: Simd> = S::$m;

            #[inline(always)]
            fn count<S: Simd>() -> usize {
                S::$count
            }
            #[inline(always)]
            fn split<S: Simd>(xs: &[Self]) -> (&[S::$v], &[Self]) {
                S::$split(xs)
            }
            #[inline(always)]
            fn split_mut<S: Simd>(xs: &mut [Self]) -> (&mut [S::$v], &mut [Self]) {
                S::$split_mut(xs)
            }
            #[inline(always)]
            fn splat<S: Simd>(s: S, x: Self) -> S::$v {
                s.$splat(x)
            }
            #[inline(always)]
            fn lanes_mut<S: Simd>(v: &mut S::$v) -> &mut [Self] {
                bytemuck::cast_slice_mut(std::slice::from_mut(v))
            }
            pass! { $v; $($pass)+ }
            #[inline(always)]
            fn less<S: Simd>(s: S, a: S::$v, b: S::$v) -> S::$m {
                s.$less(a, b)
            }
            #[inline(always)]
            fn at_least<S: Simd>(s: S, a: S::$v, b: S::$v) -> S::$m {
                s.$at_least(a, b)
            }
            #[inline(always)]
            fn choose<S: Simd>(s: S, mask: S::$m, a: S::$v, b: S::$v) -> S::$v {
                s.$choose(mask, a, b)
            }
            #[inline(always)]
            fn largest<S: Simd>(s: S, v: S::$v) -> Self {
                s.$max(v)
            }
            #[inline(always)]
            fn sum<S: Simd>(s: S, v: S::$v) -> Self {
                s.$sum(v)
            }
            #[inline(always)]
            fn first<S: Simd>(s: S, n: usize) -> S::$m {
                s.$first(0, n as _).mask()
            }
            #[inline(always)]
            unsafe fn load_part<S: Simd>(s: S, mask: S::$m, xs: &[Self]) -> S::$v {
                // SAFETY: the caller promises that all lanes of the mask lie inside `xs`.
                unsafe { s.$load(MemMask::new(mask), xs.as_ptr()) }
            }
            #[inline(always)]
            unsafe fn store_part<S: Simd>(s: S, mask: S::$m, xs: &mut [Self], v: S::$v) {
                // SAFETY: the caller promises that all lanes of the mask lie inside `xs`.
                unsafe { s.$store(MemMask::new(mask), xs.as_mut_ptr(), v) }
            }
        }
    };
}
lanes!(
    f32,
    f32s,
    m32s,
    F32_LANES,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    reduce_sum_f32s,
    reduce_max_f32s,
    less_than_f32s,
    greater_than_or_equal_f32s,
    select_f32s,
    mask_between_m32s,
    mask_load_ptr_f32s,
    mask_store_ptr_f32s,
    {
        add_v = add_f32s(a, b);
        sub_v = sub_f32s(a, b);
        mul_v = mul_f32s(a, b);
        div_v = div_f32s(a, b);
        max_v = max_f32s(a, b);
        min_v = min_f32s(a, b);
        neg_v = neg_f32s(a);
        abs_v = abs_f32s(a);
        sqrt_v = sqrt_f32s(a);
        fma = mul_add_e_f32s(a, b, c);
    }
);
lanes!(
    f64,
    f64s,
    m64s,
    F64_LANES,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    reduce_sum_f64s,
    reduce_max_f64s,
    less_than_f64s,
    greater_than_or_equal_f64s,
    select_f64s,
    mask_between_m64s,
    mask_load_ptr_f64s,
    mask_store_ptr_f64s,
    {
        add_v = add_f64s(a, b);
        sub_v = sub_f64s(a, b);
        mul_v = mul_f64s(a, b);
        div_v = div_f64s(a, b);
        max_v = max_f64s(a, b);
        min_v = min_f64s(a, b);
        neg_v = neg_f64s(a);
        abs_v = abs_f64s(a);
        sqrt_v = sqrt_f64s(a);
        fma = mul_add_e_f64s(a, b, c);
    }
);
