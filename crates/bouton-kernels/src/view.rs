//! Borrowed rows of a matrix, to read or to write.

use std::ops::Range;

use crate::{DType, Elem, Mat, dispatch};

#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

#[doc(hidden)]
#[derive(Debug)]
pub enum SliceMut<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
}

/// Rows of a matrix, to read.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    rows: usize,
    cols: usize,
    data: Slice<'a>,
}

impl<'a> View<'a> {
    pub(crate) fn new(rows: usize, cols: usize, data: Slice<'a>) -> Self {
        View { rows, cols, data }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number type.
    pub fn dtype(&self) -> DType {
        match self.data {
            Slice::F32(_) => DType::F32,
            Slice::F64(_) => DType::F64,
        }
    }

    /// All elements, row-major. Panics if `T` is not the number type of this view.
    #[inline]
    pub fn slice<T: Elem>(&self) -> &'a [T] {
        T::of(self.data).unwrap_or_else(|| wrong_type(self.dtype(), T::DTYPE))
    }

    /// Row `i`. Panics if `T` is not the number type of this view.
    #[inline]
    pub fn row<T: Elem>(&self, i: usize) -> &'a [T] {
        check_rows(i..i + 1, self.rows);
        &self.slice()[i * self.cols..(i + 1) * self.cols]
    }

    /// Some of the rows.
    pub fn rows_range(&self, rows: Range<usize>) -> View<'a> {
        check_rows(rows.clone(), self.rows);
        let cells = rows.start * self.cols..rows.end * self.cols;
        let data = match self.data {
            Slice::F32(s) => Slice::F32(&s[cells]),
            Slice::F64(s) => Slice::F64(&s[cells]),
        };
        View { rows: rows.len(), cols: self.cols, data }
    }

    /// The same elements in rows of `cols`. Panics if they are no whole number of such rows.
    pub fn folded(&self, cols: usize) -> View<'a> {
        View { rows: folded_rows(self.rows, self.cols, cols), cols, data: self.data }
    }

    /// A copy that owns its memory.
    pub fn to_mat(&self) -> Mat {
        dispatch!(self.dtype(), T => Mat::from_vec(self.rows, self.cols, self.slice::<T>().to_vec()))
    }
}

/// Rows of a matrix, to write. Methods that hand out parts consume it: call [`ViewMut::reborrow`] first to keep it.
#[derive(Debug)]
pub struct ViewMut<'a> {
    rows: usize,
    cols: usize,
    data: SliceMut<'a>,
}

impl<'a> ViewMut<'a> {
    pub(crate) fn new(rows: usize, cols: usize, data: SliceMut<'a>) -> Self {
        ViewMut { rows, cols, data }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number type.
    pub fn dtype(&self) -> DType {
        self.as_view().dtype()
    }

    /// The same rows for a shorter time.
    pub fn reborrow(&mut self) -> ViewMut<'_> {
        let data = match &mut self.data {
            SliceMut::F32(s) => SliceMut::F32(s),
            SliceMut::F64(s) => SliceMut::F64(s),
        };
        ViewMut { rows: self.rows, cols: self.cols, data }
    }

    /// The same rows, to read.
    pub fn as_view(&self) -> View<'_> {
        let data = match &self.data {
            SliceMut::F32(s) => Slice::F32(s),
            SliceMut::F64(s) => Slice::F64(s),
        };
        View { rows: self.rows, cols: self.cols, data }
    }

    /// All elements, row-major. Panics if `T` is not the number type of this view.
    #[inline]
    pub fn slice_mut<T: Elem>(&mut self) -> &mut [T] {
        self.reborrow().into_slice()
    }

    /// All elements, row-major, for as long as this view may live.
    #[inline]
    pub fn into_slice<T: Elem>(self) -> &'a mut [T] {
        let dtype = self.dtype();
        T::of_mut(self.data).unwrap_or_else(|| wrong_type(dtype, T::DTYPE))
    }

    /// Row `i`. Panics if `T` is not the number type of this view.
    #[inline]
    pub fn row_mut<T: Elem>(&mut self, i: usize) -> &mut [T] {
        check_rows(i..i + 1, self.rows);
        let cells = i * self.cols..(i + 1) * self.cols;
        &mut self.slice_mut()[cells]
    }

    /// Some of the rows.
    pub fn rows_range(self, rows: Range<usize>) -> ViewMut<'a> {
        check_rows(rows.clone(), self.rows);
        let cells = rows.start * self.cols..rows.end * self.cols;
        let data = match self.data {
            SliceMut::F32(s) => SliceMut::F32(&mut s[cells]),
            SliceMut::F64(s) => SliceMut::F64(&mut s[cells]),
        };
        ViewMut { rows: rows.len(), cols: self.cols, data }
    }

    /// The same elements in rows of `cols`. Panics if they are no whole number of such rows.
    pub fn folded(self, cols: usize) -> ViewMut<'a> {
        ViewMut { rows: folded_rows(self.rows, self.cols, cols), cols, data: self.data }
    }

    /// The rows before `at` and the rows from `at` on.
    pub fn split_rows(self, at: usize) -> (ViewMut<'a>, ViewMut<'a>) {
        check_rows(0..at, self.rows);
        let (cols, cell) = (self.cols, at * self.cols);
        let (top, bottom) = match self.data {
            SliceMut::F32(s) => {
                let (a, b) = s.split_at_mut(cell);
                (SliceMut::F32(a), SliceMut::F32(b))
            }
            SliceMut::F64(s) => {
                let (a, b) = s.split_at_mut(cell);
                (SliceMut::F64(a), SliceMut::F64(b))
            }
        };
        (ViewMut { rows: at, cols, data: top }, ViewMut { rows: self.rows - at, cols, data: bottom })
    }

    /// Pieces of `rows` rows, the last one maybe shorter.
    pub fn chunks_mut(self, rows: usize) -> impl ExactSizeIterator<Item = ViewMut<'a>> {
        assert!(rows > 0, "ViewMut::chunks_mut: chunks of 0 rows");
        let mut rest = Some(self);
        let count = rest.as_ref().map_or(0, |v| v.rows.div_ceil(rows));
        (0..count).map(move |_| {
            let all = rest.take().expect("as many chunks as were counted");
            let at = rows.min(all.rows);
            let (head, tail) = all.split_rows(at);
            rest = Some(tail);
            head
        })
    }

    /// Sets every element.
    pub fn fill(&mut self, x: f64) {
        dispatch!(self.dtype(), T => self.slice_mut::<T>().fill(T::from_f64(x)));
    }

    /// Copies the elements of `from`, which must have the same shape and number type.
    pub fn copy_from(&mut self, from: View<'_>) {
        assert!(
            (self.rows, self.cols) == (from.rows, from.cols),
            "copy_from: {} x {} into {} x {}",
            from.rows,
            from.cols,
            self.rows,
            self.cols
        );
        dispatch!(self.dtype(), T => self.slice_mut::<T>().copy_from_slice(from.slice()));
    }

    /// Exchanges rows `i` and `j`.
    pub fn swap_rows(&mut self, i: usize, j: usize) {
        check_rows(i.min(j)..i.max(j) + 1, self.rows);
        let cols = self.cols;
        if i != j {
            dispatch!(self.dtype(), T => {
                let (head, tail) = self.slice_mut::<T>().split_at_mut(i.max(j) * cols);
                head[i.min(j) * cols..][..cols].swap_with_slice(&mut tail[..cols]);
            });
        }
    }
}

fn folded_rows(rows: usize, cols: usize, into: usize) -> usize {
    let cells = rows * cols;
    assert!(cells.is_multiple_of(into.max(1)), "folded: {rows} x {cols} in rows of {into}");
    cells / into.max(1)
}

fn check_rows(wanted: Range<usize>, rows: usize) {
    assert!(wanted.start <= wanted.end && wanted.end <= rows, "rows {wanted:?} of a matrix with {rows} rows");
}

#[cold]
fn wrong_type(held: DType, wanted: DType) -> ! {
    panic!("a matrix of {held:?} was read as {wanted:?}");
}
