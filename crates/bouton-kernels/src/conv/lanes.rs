//! Registers from and to slices that may be shorter.

use pulp::Simd;

use crate::Elem;

/// The elements of `xs`, at most a register full.
#[inline(always)]
pub(super) fn load<S: Simd, T: Elem>(s: S, xs: &[T]) -> T::V<S> {
    match T::split::<S>(xs).0.first() {
        Some(v) => *v,
        // SAFETY: the mask has as many lanes as there are elements, fewer than a register holds.
        None => unsafe { T::load_part(s, T::first(s, xs.len()), xs) },
    }
}

/// Writes as many lanes as `xs` has elements, at most all.
#[inline(always)]
pub(super) fn store<S: Simd, T: Elem>(s: S, xs: &mut [T], v: T::V<S>) {
    if let Some(x) = T::split_mut::<S>(xs).0.first_mut() {
        *x = v;
        return;
    }
    // SAFETY: as in `load`.
    unsafe { T::store_part(s, T::first(s, xs.len()), xs, v) }
}
