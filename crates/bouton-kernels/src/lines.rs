//! A growable array that starts on a cache line, because a vector load across two lines costs two.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::Elem;
use crate::account::Held;

/// One cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// `len` elements; those between `len` and the end of the last line are not seen.
#[derive(Clone)]
pub struct Lines<T> {
    lines: Vec<Line>,
    len: usize,
    held: Held,
    of: PhantomData<T>,
}

impl<T: Elem> Lines<T> {
    pub(crate) fn zeros(len: usize) -> Self {
        let lines = vec![Line([0; 64]); (len * size_of::<T>()).div_ceil(64)];
        Lines { held: Held::new(size_of_val(&lines[..])), lines, len, of: PhantomData }
    }

    /// Changes the length: keeps what fits, new elements are zero.
    pub(crate) fn resize(&mut self, len: usize) {
        let kept = self.len.min(len);
        self.lines.resize((len * size_of::<T>()).div_ceil(64), Line([0; 64]));
        self.held = Held::new(size_of_val(&self.lines[..]));
        self.len = len;
        // New lines are zero; the last old one may hold elements from before it was cut.
        let end = kept.next_multiple_of(64 / size_of::<T>()).min(len);
        self[kept..end].fill(T::default());
    }
}

impl<T: Elem> From<&[T]> for Lines<T> {
    fn from(values: &[T]) -> Self {
        let mut all = Lines::zeros(values.len());
        all.copy_from_slice(values);
        all
    }
}

impl<T: Elem> Deref for Lines<T> {
    type Target = [T];
    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold at least `len` elements (every constructor and `resize`), are aligned to 64, are
        // initialised, and any bits are a value of T, which is f32 or f64 (`Elem` is sealed).
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: Elem> DerefMut for Lines<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl<T: Elem> PartialEq for Lines<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Elem> fmt::Debug for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Asks for values that are needed soon: a processor alone foresees no rows with gaps between them.
#[inline(always)]
pub(crate) fn fetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(64 / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint about memory that is borrowed here; it reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
