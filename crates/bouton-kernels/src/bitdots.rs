//! Dot products of rows of ±1: k - 2 · (bits that differ), and the signs of what they exceed.
//!
//! All results are integers, so neither threads nor instruction sets change them.

use std::ops::Range;

use rayon::prelude::*;

use crate::bits::gather;
use crate::octets::{Counter, LANES, Octet, Tile};
use crate::{BitLevel, BitMat, vectorize};

/// Rows of `w` that are multiplied together: their signs are a word.
const GROUP: usize = 64;
/// Rows of `a` that stay in the first-level cache while a group passes by.
const ROWS: usize = 16;
/// Pieces of work per thread, so that a thread which is held up leaves some to the others.
const PIECES: usize = 4;
/// Multiply-adds of single bits that take about 30 µs: below that, waking a thread costs more than it gains.
const WORTH_THREADS: usize = 15_000_000;
/// To bring `w` into order takes as long as to multiply it with about so many rows.
const ORDER: usize = 5;

/// `out[r * m + j]` = `a[r] · w[j]` for the n rows of `a` and the m rows of `w`, which are equally long.
///
/// Panics if the row lengths differ or `out` does not hold n · m numbers.
pub fn bit_dots(a: &BitMat, w: &BitMat, out: &mut [i32]) {
    dots(Counter::best(), 1, a, w, out);
}

/// [`bit_dots`] split over the threads of the current rayon pool, if there is enough work.
pub fn par_bit_dots(a: &BitMat, w: &BitMat, out: &mut [i32]) {
    dots(Counter::best(), pieces(a, w), a, w, out);
}

/// Element (r, j) is +1 if `a[r] · w[j] >= thresholds[j]`, else -1; the other way round where `negated[0, j]` is +1.
///
/// A threshold of `i32::MIN` is always reached, one of `i32::MAX` never. Panics if the row lengths differ or there is
/// not one threshold and one flip for each row of `w`.
pub fn bit_thresholds(a: &BitMat, w: &BitMat, thresholds: &[i32], negated: &BitMat) -> BitMat {
    signs(Counter::best(), 1, a, w, thresholds, negated)
}

/// [`bit_thresholds`] split over the threads of the current rayon pool, if there is enough work.
pub fn par_bit_thresholds(a: &BitMat, w: &BitMat, thresholds: &[i32], negated: &BitMat) -> BitMat {
    signs(Counter::best(), pieces(a, w), a, w, thresholds, negated)
}

/// [`bit_dots`] with a given level, or `None` if this machine cannot run it; for tests.
#[doc(hidden)]
pub fn bit_dots_at(level: BitLevel, a: &BitMat, w: &BitMat, out: &mut [i32]) -> Option<()> {
    Counter::new(level).map(|counter| dots(counter, 1, a, w, out))
}

/// [`bit_thresholds`] with a given level, or `None` if this machine cannot run it; for tests.
#[doc(hidden)]
pub fn bit_thresholds_at(
    level: BitLevel,
    a: &BitMat,
    w: &BitMat,
    thresholds: &[i32],
    negated: &BitMat,
) -> Option<BitMat> {
    Counter::new(level).map(|counter| signs(counter, 1, a, w, thresholds, negated))
}

fn dots(counter: Counter, pieces: usize, a: &BitMat, w: &BitMat, out: &mut [i32]) {
    let (n, m) = (a.rows(), w.rows());
    assert_eq!(out.len(), n * m, "bit_dots: room for {} products of {n} and {m} rows", out.len());
    let product = Product { counter, a, w };
    product.run(out, m, GROUP, pieces, &|_, out, dots| out.copy_from_slice(&dots[..out.len()]));
}

fn signs(
    counter: Counter,
    pieces: usize,
    a: &BitMat,
    w: &BitMat,
    thresholds: &[i32],
    negated: &BitMat,
) -> BitMat {
    let m = w.rows();
    let fit = thresholds.len() == m && (negated.rows(), negated.cols()) == (1, m);
    assert!(
        fit,
        "bit_thresholds: {} thresholds and {} x {} negations for {m} rows",
        thresholds.len(),
        negated.rows(),
        negated.cols()
    );
    let mut out = BitMat::negative(a.rows(), m);
    let (row, product) = (out.width(), Product { counter, a, w });
    // No product reaches the largest number: the bits behind the last column stay zero.
    let mut limits = thresholds.to_vec();
    limits.resize(m.next_multiple_of(GROUP), i32::MAX);
    let limits = limits.as_chunks::<GROUP>().0;
    product.run(out.words_mut(), row, 1, pieces, &|g, out, dots| {
        out[0] = negated.words()[g]
            ^ vectorize(
                #[inline(always)]
                || reached(dots, &limits[g]),
            );
    });
    out
}

/// Bit j tells whether dot j is at least limit j.
#[inline(always)]
fn reached(dots: &[i32; GROUP], limits: &[i32; GROUP]) -> u64 {
    let mut bytes = [0; GROUP];
    for j in 0..GROUP {
        bytes[j] = u8::from(dots[j] >= limits[j]);
    }
    gather(&bytes)
}

/// Into how many pieces a product is cut.
fn pieces(a: &BitMat, w: &BitMat) -> usize {
    let threads = rayon::current_num_threads();
    let work = (a.rows() + ORDER) * w.rows() * a.cols();
    if threads == 1 || work < WORTH_THREADS { 1 } else { PIECES * threads }
}

struct Product<'a> {
    counter: Counter,
    a: &'a BitMat,
    w: &'a BitMat,
}

/// Some rows of a result by some groups of its columns.
struct Piece<'o, T> {
    /// First row.
    row: usize,
    groups: Range<usize>,
    /// The part of each row.
    out: Vec<&'o mut [T]>,
}

impl Product<'_> {
    /// Calls `emit(group, part, products)` for every row of the result and every group. A row is `row` long, the part
    /// of it that belongs to a group `part`, or what is left.
    fn run<T: Send>(
        &self,
        out: &mut [T],
        row: usize,
        part: usize,
        pieces: usize,
        write: &(impl Fn(usize, &mut [T], &[i32; GROUP]) + Sync),
    ) {
        let (n, m) = (self.a.rows(), self.w.rows());
        let (k, l) = (self.a.cols(), self.w.cols());
        assert_eq!(k, l, "products of rows of {k} with rows of {l}");
        if n * m == 0 {
            return;
        }
        // Bands of groups first: every piece brings the rows of its groups into order.
        let groups = m.div_ceil(GROUP);
        let band = groups.div_ceil(pieces);
        let bands = groups.div_ceil(band);
        let height = n.div_ceil(pieces.div_ceil(bands)).next_multiple_of(ROWS);
        let mut all = Vec::new();
        for (i, rows) in out.chunks_mut(height * row).enumerate() {
            let start = all.len();
            let band = |b| b * band..groups.min((b + 1) * band);
            all.extend((0..bands).map(|b| Piece { row: i * height, groups: band(b), out: Vec::new() }));
            for row in rows.chunks_mut(row) {
                let parts = row.chunks_mut(band(0).len() * part);
                parts.zip(&mut all[start..]).for_each(|(out, piece)| piece.out.push(out));
            }
        }
        if let [piece] = &mut all[..] {
            self.piece(piece, part, write);
        } else {
            all.par_iter_mut().for_each(|piece| self.piece(piece, part, write));
        }
    }

    fn piece<T>(
        &self,
        piece: &mut Piece<'_, T>,
        part: usize,
        write: &impl Fn(usize, &mut [T], &[i32; GROUP]),
    ) {
        let (k, width) = (self.a.cols(), self.a.width());
        let mut octets = vec![Octet([0; LANES]); GROUP / LANES * width];
        let mut dots = [[0; GROUP]; ROWS];
        for (i, group) in piece.groups.clone().enumerate() {
            let w = side_by_side(self.w, group, &mut octets);
            let a = self.a.words()[piece.row * width..].chunks(ROWS * width);
            for (a, out) in a.zip(piece.out.chunks_mut(ROWS)) {
                self.counter.multiply(Tile { k, width, a, w, dots: &mut dots });
                for (out, dots) in out.iter_mut().zip(&dots) {
                    let end = out.len().min((i + 1) * part);
                    write(group, &mut out[i * part..end], dots);
                }
            }
        }
    }
}

/// Lays each eight rows of a group side by side; behind the last row there are zeros.
fn side_by_side<'o>(w: &BitMat, group: usize, octets: &'o mut [Octet]) -> &'o [Octet] {
    let width = w.width();
    let rows = &w.words()[group * GROUP * width..];
    let rows = &rows[..rows.len().min(GROUP * width)];
    let used = rows.len().div_ceil(LANES * width);
    for (rows, octets) in rows.chunks(LANES * width).zip(octets.chunks_mut(width)) {
        if rows.len() < LANES * width {
            octets.fill(Octet([0; LANES]));
        }
        for (lane, row) in rows.chunks(width).enumerate() {
            for (octet, &word) in octets.iter_mut().zip(row) {
                octet.0[lane] = word;
            }
        }
    }
    &octets[..used * width]
}
