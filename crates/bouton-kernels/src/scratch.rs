//! Working memory that a thread keeps between calls: fresh pages from the system cost more than many a kernel.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use pulp::bytemuck::{cast_slice, cast_slice_mut};

use crate::Elem;
use crate::lines::Lines;

thread_local! {
    static FREE: RefCell<Vec<Lines<f64>>> = const { RefCell::new(Vec::new()) };
}

/// `len` elements with whatever was left in them; given back to the thread when dropped.
pub(crate) struct Scratch<T> {
    lines: Lines<f64>,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Elem> Scratch<T> {
    pub(crate) fn take(len: usize) -> Self {
        let mut lines = FREE.with_borrow_mut(|free| free.pop()).unwrap_or_else(|| Lines::zeros(0));
        let need = (len * size_of::<T>()).div_ceil(size_of::<f64>());
        if lines.len() < need {
            lines = Lines::zeros(need);
        }
        Scratch { lines, len, of: PhantomData }
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        let lines = std::mem::replace(&mut self.lines, Lines::zeros(0));
        FREE.with_borrow_mut(|free| free.push(lines));
    }
}

impl<T: Elem> Deref for Scratch<T> {
    type Target = [T];
    #[inline(always)]
    fn deref(&self) -> &[T] {
        &cast_slice(&self.lines)[..self.len]
    }
}

impl<T: Elem> DerefMut for Scratch<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut cast_slice_mut(&mut self.lines)[..self.len]
    }
}
