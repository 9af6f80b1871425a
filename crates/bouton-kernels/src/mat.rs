//! A matrix that owns its memory; contiguous, row-major, its number type chosen at run time.

use std::ops::{AddAssign, MulAssign, Range, SubAssign};

use crate::lines::Lines;
use crate::pack::Number;
use crate::view::{Slice, SliceMut};
use crate::{Real, View, ViewMut};

/// Number type of a matrix: `F32` for training, `F64` for checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// 4-byte floating point.
    F32,
    /// 8-byte floating point.
    F64,
}

impl DType {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            DType::F32 => 4,
            DType::F64 => 8,
        }
    }
}

/// Runs a block with a type alias bound to the element type of a [`DType`]:
/// `dispatch!(mat.dtype(), T => mat.slice::<T>().len())`.
#[macro_export]
macro_rules! dispatch {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
        }
    };
}

/// What a matrix can hold: `f32` and `f64` only.
pub trait Elem: Real + AddAssign + SubAssign + MulAssign + PartialOrd + Default + Number {
    /// The run-time name of this type.
    const DTYPE: DType;
    /// Widening conversion, exact.
    fn to_f64(self) -> f64;
    /// Nearest number of this type.
    fn from_f64(x: f64) -> Self;
    #[doc(hidden)]
    fn of(slice: Slice<'_>) -> Option<&[Self]>;
    #[doc(hidden)]
    fn of_mut(slice: SliceMut<'_>) -> Option<&mut [Self]>;
    #[doc(hidden)]
    fn data(values: Lines<Self>) -> Data;
}

macro_rules! elem {
    ($t:ty, $variant:ident) => {
        impl Elem for $t {
            const DTYPE: DType = DType::$variant;
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn of(slice: Slice<'_>) -> Option<&[Self]> {
                if let Slice::$variant(s) = slice { Some(s) } else { None }
            }
            #[inline(always)]
            fn of_mut(slice: SliceMut<'_>) -> Option<&mut [Self]> {
                if let SliceMut::$variant(s) = slice { Some(s) } else { None }
            }
            fn data(values: Lines<Self>) -> Data {
                Data::$variant(values)
            }
        }
    };
}
elem!(f32, F32);
elem!(f64, F64);

#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    F32(Lines<f32>),
    F64(Lines<f64>),
}

/// A rows × cols matrix that owns its memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Mat {
    rows: usize,
    cols: usize,
    data: Data,
}

impl Mat {
    /// All zero.
    pub fn zeros(dtype: DType, rows: usize, cols: usize) -> Self {
        dispatch!(dtype, T => Mat { rows, cols, data: T::data(Lines::zeros(rows * cols)) })
    }

    /// Element (r, c) is `f(r, c)`; called in row-major order.
    pub fn from_fn(dtype: DType, rows: usize, cols: usize, mut f: impl FnMut(usize, usize) -> f64) -> Self {
        dispatch!(dtype, T => {
            let cells = (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c)));
            Mat::from_vec(rows, cols, cells.map(|(r, c)| T::from_f64(f(r, c))).collect())
        })
    }

    /// From row-major values. Panics if there are not rows · cols of them.
    pub fn from_f64s(dtype: DType, rows: usize, cols: usize, values: &[f64]) -> Self {
        dispatch!(dtype, T => Mat::from_vec(rows, cols, values.iter().map(|&x| T::from_f64(x)).collect()))
    }

    /// From row-major values. Panics if there are not rows · cols of them.
    pub fn from_vec<T: Elem>(rows: usize, cols: usize, values: Vec<T>) -> Self {
        assert_eq!(values.len(), rows * cols, "Mat::from_vec: {} values for {rows} x {cols}", values.len());
        Mat { rows, cols, data: T::data(Lines::from(&values[..])) }
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
            Data::F32(_) => DType::F32,
            Data::F64(_) => DType::F64,
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.rows * self.cols == 0
    }

    /// Bytes held by the elements.
    pub fn bytes(&self) -> usize {
        self.rows * self.cols * self.dtype().size()
    }

    /// The whole matrix, to read.
    pub fn view(&self) -> View<'_> {
        let data = match &self.data {
            Data::F32(v) => Slice::F32(v),
            Data::F64(v) => Slice::F64(v),
        };
        View::new(self.rows, self.cols, data)
    }

    /// The whole matrix, to write.
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        let data = match &mut self.data {
            Data::F32(v) => SliceMut::F32(v),
            Data::F64(v) => SliceMut::F64(v),
        };
        ViewMut::new(self.rows, self.cols, data)
    }

    /// Some rows, to read.
    pub fn rows_view(&self, rows: Range<usize>) -> View<'_> {
        self.view().rows_range(rows)
    }

    /// Some rows, to write.
    pub fn rows_view_mut(&mut self, rows: Range<usize>) -> ViewMut<'_> {
        self.view_mut().rows_range(rows)
    }

    /// All elements, row-major. Panics if `T` is not the number type of this matrix.
    pub fn slice<T: Elem>(&self) -> &[T] {
        self.view().slice()
    }

    /// All elements, row-major. Panics if `T` is not the number type of this matrix.
    pub fn slice_mut<T: Elem>(&mut self) -> &mut [T] {
        self.view_mut().into_slice()
    }

    /// Element (r, c); for cold code.
    pub fn get(&self, r: usize, c: usize) -> f64 {
        assert!(c < self.cols, "Mat::get: column {c} of {} x {}", self.rows, self.cols);
        dispatch!(self.dtype(), T => self.view().row::<T>(r)[c].to_f64())
    }

    /// All elements, row-major; for cold code.
    pub fn to_f64s(&self) -> Vec<f64> {
        dispatch!(self.dtype(), T => self.slice::<T>().iter().map(|x| x.to_f64()).collect())
    }

    /// The same numbers in another number type.
    pub fn cast(&self, dtype: DType) -> Mat {
        Mat::from_f64s(dtype, self.rows, self.cols, &self.to_f64s())
    }

    /// The same elements in rows of `cols`. Panics if they are no whole number of such rows.
    pub fn folded(mut self, cols: usize) -> Mat {
        (self.rows, self.cols) = (self.view().folded(cols).rows(), cols);
        self
    }

    /// Sets every element.
    pub fn fill(&mut self, x: f64) {
        self.view_mut().fill(x);
    }

    /// Copies the elements of `from`, which must have the same shape and number type.
    pub fn copy_from(&mut self, from: View<'_>) {
        self.view_mut().copy_from(from);
    }

    /// Exchanges rows `i` and `j`.
    pub fn swap_rows(&mut self, i: usize, j: usize) {
        self.view_mut().swap_rows(i, j);
    }

    /// Puts `rows` below the last row. Panics if the columns or number types differ.
    pub fn append_rows(&mut self, rows: View<'_>) {
        let at = self.rows;
        self.resize_rows(at + rows.rows());
        self.rows_view_mut(at..at + rows.rows()).copy_from(rows);
    }

    /// The rows `rows`, in this order.
    #[must_use]
    pub fn take_rows(&self, rows: &[usize]) -> Self {
        let mut taken = Self::zeros(self.dtype(), rows.len(), self.cols);
        for (to, &from) in rows.iter().enumerate() {
            taken.rows_view_mut(to..to + 1).copy_from(self.rows_view(from..from + 1));
        }
        taken
    }

    /// The same numbers, row by row, in another shape. Panics if there are more or fewer.
    #[must_use]
    pub fn reshaped(self, rows: usize, cols: usize) -> Self {
        assert_eq!(rows * cols, self.rows * self.cols);
        Self { rows, cols, ..self }
    }

    /// Changes the number of rows: keeps what fits, new rows are zero.
    pub fn resize_rows(&mut self, rows: usize) {
        let len = rows * self.cols;
        match &mut self.data {
            Data::F32(v) => v.resize(len),
            Data::F64(v) => v.resize(len),
        }
        self.rows = rows;
    }
}
