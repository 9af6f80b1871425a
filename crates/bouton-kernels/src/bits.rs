//! A matrix of +1 and -1 in one bit each.

use crate::{Elem, View, dispatch, vectorize};

/// Words in which a row is counted at once: its length is a multiple of it.
pub(crate) const STEP: usize = 8;

/// A rows × cols matrix of ±1: bit 1 is +1, bit 0 is -1.
///
/// Column c of a row is bit c % 64 of its word c / 64. Every row has a multiple of 512 bits, at least 512; those behind
/// the last column are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitMat {
    rows: usize,
    cols: usize,
    words: Vec<u64>,
}

impl BitMat {
    /// All -1. Panics if a dot product of two rows would not fit an `i32`.
    pub(crate) fn negative(rows: usize, cols: usize) -> Self {
        assert!(cols < i32::MAX as usize, "BitMat: {cols} columns, at most {} are possible", i32::MAX - 1);
        BitMat { rows, cols, words: vec![0; rows * width(cols)] }
    }

    /// Element (r, c) is +1 if `f(r, c)`; called in row-major order. Panics at 2³¹ - 1 columns or more.
    pub fn from_fn(rows: usize, cols: usize, mut f: impl FnMut(usize, usize) -> bool) -> Self {
        let mut m = BitMat::negative(rows, cols);
        for (r, row) in m.rows_mut().enumerate() {
            for c in 0..cols {
                row[c / 64] |= u64::from(f(r, c)) << (c % 64);
            }
        }
        m
    }

    /// +1 where a number is zero (of either sign) or more, else -1. NaN becomes -1: keep it out. Panics at 2³¹ - 1
    /// columns or more.
    pub fn from_signs(numbers: View<'_>) -> Self {
        let mut m = BitMat::negative(numbers.rows(), numbers.cols());
        dispatch!(numbers.dtype(), T => vectorize(
            #[inline(always)]
            || for (r, row) in m.rows_mut().enumerate() {
                signs::<T>(numbers.row(r), row);
            }
        ));
        m
    }

    /// A matrix from its [`words`](Self::words), as read from a file. `None` if their number does not belong to the
    /// shape, if a bit behind the last column is set, or at 2³¹ - 1 columns or more.
    pub fn from_words(rows: usize, cols: usize, words: &[u64]) -> Option<Self> {
        let fits = cols < i32::MAX as usize && rows.checked_mul(width(cols)) == Some(words.len());
        let (last, used) = (cols / 64, cols % 64);
        let clean = |row: &[u64]| {
            row[last..].iter().enumerate().all(|(i, word)| word >> if i == 0 { used } else { 0 } == 0)
        };
        let good = fits && words.chunks(width(cols)).all(clean);
        good.then(|| BitMat { rows, cols, words: words.to_vec() })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Whether element (r, c) is +1; for cold code.
    pub fn get(&self, r: usize, c: usize) -> bool {
        let (rows, cols) = (self.rows, self.cols);
        assert!(r < rows && c < cols, "BitMat::get: element ({r}, {c}) of {rows} x {cols}");
        self.words[r * self.width() + c / 64] >> (c % 64) & 1 == 1
    }

    /// All bits, row after row, each row padded as described at [`BitMat`].
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Words of a row.
    pub(crate) fn width(&self) -> usize {
        width(self.cols)
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u64]> {
        let width = self.width();
        self.words.chunks_mut(width)
    }
}

fn width(cols: usize) -> usize {
    cols.div_ceil(64 * STEP).max(1) * STEP
}

/// The signs of some numbers, 64 to a word.
#[inline(always)]
fn signs<T: Elem>(numbers: &[T], row: &mut [u64]) {
    let (whole, rest) = numbers.as_chunks::<64>();
    for (numbers, word) in whole.iter().zip(&mut *row) {
        *word = word_of(numbers);
    }
    if !rest.is_empty() {
        let mut last = [T::from_f64(-1.0); 64];
        last[..rest.len()].copy_from_slice(rest);
        row[whole.len()] = word_of(&last);
    }
}

#[inline(always)]
fn word_of<T: Elem>(numbers: &[T; 64]) -> u64 {
    let mut positive = [0; 64];
    for i in 0..64 {
        positive[i] = u8::from(numbers[i] >= T::default());
    }
    gather(&positive)
}

/// Bit i of the result is byte i, which is 0 or 1.
#[inline(always)]
pub(crate) fn gather(bytes: &[u8; 64]) -> u64 {
    // The factor moves bit 8 i to bit 56 + i; no two other products meet, so nothing is carried.
    const FACTOR: u64 = 0x0102_0408_1020_4080;
    let mut word = 0;
    for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        word |= u64::from_le_bytes(*eight).wrapping_mul(FACTOR) >> 56 << (8 * i);
    }
    word
}
