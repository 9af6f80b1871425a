//! 2-D convolutions and their adjoints, which accumulate into their last argument.
//!
//! A row of a result is the same bit for bit whether it is computed alone, among others, or by several threads.

mod axis;
mod direct;
mod frame;
mod grid;
mod shape;
mod slope;

use std::ops::Range;

use rayon::prelude::*;

use crate::simd::best;
use crate::{Operand, View, ViewMut, dispatch};
use direct::{Correlate, Direct, Way};
pub use shape::ConvShape;
use slope::Slope;

/// y += w ∗ x. Rows of `x` and `y` are images, rows of `weight` filters: see [`ConvShape`].
pub fn conv_forward(shape: &ConvShape, weight: &Operand, x: View<'_>, y: ViewMut<'_>) {
    check_conv("conv_forward", shape, weight.view(), shape.filters, x, y.as_view());
    correlate(shape, Way::Forward, weight, x, y);
}

/// x += the adjoint of the convolution in its input, applied to g.
pub fn conv_pull_input(shape: &ConvShape, weight: &Operand, g: View<'_>, x: ViewMut<'_>) {
    check_conv("conv_pull_input", shape, weight.view(), shape.filters, x.as_view(), g);
    correlate(shape, Way::PullInput, weight, g, x);
}

/// w += filters `band` of the adjoint of the convolution in its weight, applied to g: one row of `w` per filter of the
/// band.
pub fn conv_pull_weight(shape: &ConvShape, x: View<'_>, g: View<'_>, band: Range<usize>, mut w: ViewMut<'_>) {
    check_conv("conv_pull_weight", shape, w.as_view(), band.len(), x, g);
    assert!(band.end <= shape.filters, "conv_pull_weight: filters {band:?} of {}", shape.filters);
    if x.rows() * shape.inputs() * shape.outputs() * shape.patch() * band.len() > 0 {
        dispatch!(x.dtype(), T => {
            best(Slope { shape, x: x.slice::<T>(), g: g.slice(), band, w: w.slice_mut() });
        });
    }
}

/// [`conv_forward`] split by rows over the threads of the current rayon pool; the same result bit for bit.
pub fn par_conv_forward(shape: &ConvShape, weight: &Operand, x: View<'_>, y: ViewMut<'_>) {
    by_rows(x, y, |x, y| conv_forward(shape, weight, x, y));
}

/// [`conv_pull_input`] split by rows over the threads of the current rayon pool; the same result bit for bit.
pub fn par_conv_pull_input(shape: &ConvShape, weight: &Operand, g: View<'_>, x: ViewMut<'_>) {
    by_rows(g, x, |g, x| conv_pull_input(shape, weight, g, x));
}

fn correlate(shape: &ConvShape, way: Way, weight: &Operand, x: View<'_>, mut y: ViewMut<'_>) {
    if x.rows() * shape.inputs() * shape.outputs() * shape.patch() == 0 {
        return;
    }
    dispatch!(x.dtype(), T => {
        let form = weight.form(
            |form: &Direct<T>| form.shape == *shape && form.way == way,
            || Direct::new(*shape, way, weight.view()),
        );
        best(Correlate { form: &form, x: x.slice(), y: y.slice_mut() });
    });
}

/// About equal pieces of the rows, one per thread.
fn by_rows(x: View<'_>, y: ViewMut<'_>, run: impl Fn(View<'_>, ViewMut<'_>) + Sync) {
    assert_eq!(x.rows(), y.rows(), "rows of the source and of the target");
    let size = x.rows().div_ceil(rayon::current_num_threads());
    if size == x.rows() {
        return run(x, y);
    }
    let pieces: Vec<ViewMut<'_>> = y.chunks_mut(size).collect();
    pieces.into_par_iter().enumerate().for_each(|(i, y)| {
        run(x.rows_range(i * size..i * size + y.rows()), y);
    });
}

/// Programming errors: sizes that contradict the geometry, or mixed number types.
fn check_conv(name: &str, shape: &ConvShape, w: View<'_>, filters: usize, x: View<'_>, y: View<'_>) {
    let text = |v: View<'_>| format!("{:?} {} x {}", v.dtype(), v.rows(), v.cols());
    let sizes = [(w, filters, shape.patch()), (x, y.rows(), shape.inputs()), (y, x.rows(), shape.outputs())];
    let fits =
        sizes.iter().all(|(v, rows, cols)| (v.rows(), v.cols(), v.dtype()) == (*rows, *cols, w.dtype()));
    assert!(shape.stride > 0, "{name}: a stride of 0");
    assert!(fits, "{name}: {shape:?} does not fit weight {}, x {}, y {}", text(w), text(x), text(y));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::at;
    use crate::{DType, Elem, Level, Mat};

    fn noise(t: DType, rows: usize, cols: usize) -> Mat {
        Mat::from_fn(t, rows, cols, |r, c| ((r * 31 + c * 17 + r * c) % 23) as f64 / 23.0 - 0.4)
    }

    /// All three products with the instructions of one level.
    fn products<T: Elem>(level: Level, shape: &ConvShape) -> [Mat; 3] {
        let w = noise(T::DTYPE, shape.filters, shape.patch());
        let [x, g] = [shape.inputs(), shape.outputs()].map(|n| noise(T::DTYPE, 3, n));
        let [mut y, mut back, mut slope] = [&g, &x, &w].map(|m| Mat::zeros(T::DTYPE, m.rows(), m.cols()));
        for (way, x, y) in [(Way::Forward, &x, &mut y), (Way::PullInput, &g, &mut back)] {
            let form = Direct::<T>::new(*shape, way, w.view());
            at(level, Correlate { form: &form, x: x.slice(), y: y.slice_mut() }).expect("an available level");
        }
        let (x, g) = (x.slice::<T>(), g.slice());
        at(level, Slope { shape, x, g, band: 0..shape.filters, w: slope.slice_mut() }).expect("as above");
        [y, back, slope]
    }

    #[test]
    fn all_levels_compute_the_same_products() {
        let base = ConvShape {
            height: 8,
            width: 5,
            channels: 3,
            filters: 70,
            kernel: [3, 3],
            stride: 1,
            padding: 1,
        };
        let wide = ConvShape { channels: 40, filters: 9, kernel: [2, 5], stride: 2, padding: 2, ..base };
        for (shape, t) in [base, wide].into_iter().flat_map(|s| [(s, DType::F32), (s, DType::F64)]) {
            let run = |level| dispatch!(t, T => products::<T>(level, &shape));
            let all: Vec<[Mat; 3]> = Level::available().into_iter().map(run).collect();
            let bound = 400.0 * if t == DType::F32 { 1e-6 } else { 1e-15 };
            for (level, other) in Level::available().iter().zip(&all) {
                for (got, want) in other.iter().zip(&all[0]) {
                    for (g, w) in got.to_f64s().iter().zip(want.to_f64s()) {
                        assert!((g - w).abs() <= bound, "{level:?} {shape:?}: {g} instead of {w}");
                    }
                }
            }
        }
    }
}
