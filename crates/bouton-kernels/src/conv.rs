//! 2-D convolutions and their adjoints, which accumulate into their last argument.
//!
//! A row of a result is the same bit for bit whether it is computed alone, among others, or by several threads.

mod axis;
mod cut;
mod direct;
mod form;
mod frame;
mod grid;
mod lanes;
mod shape;
mod slope;
mod sparse;
mod tiled_slope;
mod tiling;
mod winograd;

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use crate::account::count_product;
use crate::simd::best_for;
use crate::{DType, Elem, View, ViewMut, WeightMat, dispatch};
use direct::Direct;
use form::{Correlate, Form, Way};
pub use shape::ConvShape;
use slope::Slope;
use sparse::Sparse;
use tiled_slope::TiledSlope;
use tiling::{Four, Two};
use winograd::Winograd;

/// How a product with a weight is computed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvMethod {
    /// Sums over the elements of a window.
    Direct,
    /// Minimal filtering with tiles of 2x2 outputs; only 3x3 windows a pixel apart.
    Tiles2,
    /// Minimal filtering with tiles of 4x4 outputs; only 3x3 windows a pixel apart.
    Tiles4,
}

impl ConvMethod {
    /// Whether it can compute this geometry.
    #[doc(hidden)]
    pub fn fits(self, shape: &ConvShape) -> bool {
        self == ConvMethod::Direct || (shape.kernel == [3, 3] && shape.stride == 1)
    }

    /// What the products use: directly in 64 bits, which are for checks; in 32 bits the fewest multiplications per pair of
    /// channels. Turning tiles around costs as much as some products, which pays from some tens of channels on. Tiles of 4x4
    /// are several times less exact than the others, which a gradient does not notice: `tests/it/tiles.rs`.
    fn best(dtype: DType, shape: &ConvShape, way: Way) -> Self {
        Self::least(&[ConvMethod::Tiles4, ConvMethod::Tiles2], dtype, shape, way)
    }

    /// The best method, forward, whose sums of products of ±1 are whole numbers. Tiles of 4x4 have taps that no number of bits
    /// holds. Tiles of 2x2 add up quarters, which come to 81 per channel at most (taps 9/4, pixels 4, tiles 9) and which 24
    /// bits hold up to 2²².
    fn exact(dtype: DType, shape: &ConvShape) -> Self {
        let held = 81 * shape.channels <= 1 << 22;
        let tiles: &[Self] = if held { &[ConvMethod::Tiles2] } else { &[] };
        Self::least(tiles, dtype, shape, Way::Forward)
    }

    /// The one of some `tiles` that multiplies least, or directly where that is better.
    fn least(tiles: &[Self], dtype: DType, shape: &ConvShape, way: Way) -> Self {
        let few = shape.channels.min(shape.filters) < 32;
        if dtype == DType::F64 || few || !ConvMethod::Tiles2.fits(shape) {
            return ConvMethod::Direct;
        }
        let all = tiles.iter().copied().chain([ConvMethod::Direct]);
        all.min_by_key(|method| method.work(shape, way)).unwrap_or(ConvMethod::Direct)
    }

    /// Multiplications per pair of channels of an image.
    fn work(self, shape: &ConvShape, way: Way) -> usize {
        let [height, width] = way.image(shape);
        match self {
            // Pulled pixels see one in stride² elements of the window.
            ConvMethod::Direct if way == Way::BackwardInput => {
                (shape.kernel[0] * shape.kernel[1] * height * width).div_ceil(shape.stride * shape.stride)
            }
            ConvMethod::Direct => shape.kernel[0] * shape.kernel[1] * height * width,
            ConvMethod::Tiles2 => 16 * height.div_ceil(2) * width.div_ceil(2),
            ConvMethod::Tiles4 => 36 * height.div_ceil(4) * width.div_ceil(4),
        }
    }
}

/// y += w ∗ x. Rows of `x` and `y` are images, rows of `weight` filters: see [`ConvShape`].
pub fn conv_forward(shape: &ConvShape, weight: &WeightMat, x: View<'_>, y: ViewMut<'_>) {
    check_conv("conv_forward", shape, weight.view(), shape.filters, x, y.as_view());
    correlate(ConvMethod::best(x.dtype(), shape, Way::Forward), shape, Way::Forward, weight, x, y);
}

/// [`conv_forward`] without any rounding where weights and pixels are ±1 and `y` holds whole numbers.
pub fn conv_forward_exact(shape: &ConvShape, weight: &WeightMat, x: View<'_>, y: ViewMut<'_>) {
    check_conv("conv_forward_exact", shape, weight.view(), shape.filters, x, y.as_view());
    correlate(ConvMethod::exact(x.dtype(), shape), shape, Way::Forward, weight, x, y);
}

/// x += the adjoint of the convolution in its input, applied to g.
pub fn conv_pull_input(shape: &ConvShape, weight: &WeightMat, g: View<'_>, mut x: ViewMut<'_>) {
    check_conv("conv_pull_input", shape, weight.view(), shape.filters, x.as_view(), g);
    let method = ConvMethod::best(g.dtype(), shape, Way::BackwardInput);
    // Tiles save multiplications and spend some of the gain on being turned around.
    let rate = if method == ConvMethod::Direct { 1 } else { 2 };
    let dense = rate * method.work(shape, Way::BackwardInput) * shape.channels * shape.filters;
    let sparse = |r: usize| dispatch!(g.dtype(), T => sparse::pays(shape, dense, g.row::<T>(r)));
    let mut from = 0;
    while from < g.rows() {
        let few = sparse(from);
        let to = (from + 1..g.rows()).find(|r| sparse(*r) != few).unwrap_or(g.rows());
        let (g, x) = (g.rows_range(from..to), x.reborrow().rows_range(from..to));
        if few {
            scatter(shape, weight, g, x)
        } else {
            correlate(method, shape, Way::BackwardInput, weight, g, x)
        }
        from = to;
    }
}

/// [`conv_pull_input`] by the elements of g that are not zero, whatever their number.
#[doc(hidden)]
pub fn conv_pull_sparse(shape: &ConvShape, weight: &WeightMat, g: View<'_>, x: ViewMut<'_>) {
    check_conv("conv_pull_sparse", shape, weight.view(), shape.filters, x.as_view(), g);
    scatter(shape, weight, g, x);
}

fn scatter(shape: &ConvShape, weight: &WeightMat, g: View<'_>, x: ViewMut<'_>) {
    if counted(shape, weight.view(), x.rows() * x.cols(), g, x.as_view()) {
        dispatch!(g.dtype(), T => run::<T, Sparse<T>>(shape, Way::BackwardInput, weight, g, x));
    }
}

/// w += filters `band` of the adjoint of the convolution in its weight, applied to g: one row of `w` per filter of the
/// band.
pub fn conv_pull_weight(shape: &ConvShape, x: View<'_>, g: View<'_>, band: Range<usize>, w: ViewMut<'_>) {
    check_conv("conv_pull_weight", shape, w.as_view(), band.len(), x, g);
    assert!(band.end <= shape.filters, "conv_pull_weight: filters {band:?} of {}", shape.filters);
    if counted(shape, w.as_view(), w.rows() * w.cols(), x, g) {
        let method = ConvMethod::best(x.dtype(), shape, Way::Forward);
        slope(method, shape, x, g, band, w);
    }
}

/// [`conv_pull_weight`] by a given method; for tests and measurements.
#[doc(hidden)]
pub fn conv_pull_weight_by(
    method: ConvMethod,
    shape: &ConvShape,
    x: View<'_>,
    g: View<'_>,
    mut w: ViewMut<'_>,
) {
    check_conv("conv_pull_weight_by", shape, w.as_view(), shape.filters, x, g);
    assert!(method.fits(shape), "conv_pull_weight_by: {method:?} cannot compute {shape:?}");
    slope(method, shape, x, g, 0..shape.filters, w.reborrow());
}

fn slope(
    method: ConvMethod,
    shape: &ConvShape,
    x: View<'_>,
    g: View<'_>,
    band: Range<usize>,
    mut w: ViewMut<'_>,
) {
    dispatch!(x.dtype(), T => {
        let (x, g, w) = (x.slice::<T>(), g.slice(), w.slice_mut());
        match method {
            ConvMethod::Direct => best_for::<T, _>(Slope { shape, x, g, band, w }),
            ConvMethod::Tiles2 => best_for::<T, _>(TiledSlope::<T, Two, 2, 4> { shape, x, g, band, w, tiling: PhantomData }),
            ConvMethod::Tiles4 => best_for::<T, _>(TiledSlope::<T, Four, 4, 6> { shape, x, g, band, w, tiling: PhantomData }),
        }
    });
}

/// [`conv_forward`] split by rows over the threads of the current rayon pool; the same result bit for bit.
pub fn par_conv_forward(shape: &ConvShape, weight: &WeightMat, x: View<'_>, y: ViewMut<'_>) {
    by_rows(x, y, |x, y| conv_forward(shape, weight, x, y));
}

/// [`conv_forward_exact`] split by rows over the threads of the current rayon pool.
pub fn par_conv_forward_exact(shape: &ConvShape, weight: &WeightMat, x: View<'_>, y: ViewMut<'_>) {
    by_rows(x, y, |x, y| conv_forward_exact(shape, weight, x, y));
}

/// [`conv_pull_input`] split by rows over the threads of the current rayon pool; the same result bit for bit.
pub fn par_conv_pull_input(shape: &ConvShape, weight: &WeightMat, g: View<'_>, x: ViewMut<'_>) {
    by_rows(g, x, |g, x| conv_pull_input(shape, weight, g, x));
}

/// [`conv_forward`], or [`conv_pull_input`] if `adjoint`, by a given method; for tests and measurements.
#[doc(hidden)]
pub fn conv_by(
    method: ConvMethod,
    adjoint: bool,
    shape: &ConvShape,
    weight: &WeightMat,
    x: View<'_>,
    y: ViewMut<'_>,
) {
    let (way, input, output) =
        if adjoint { (Way::BackwardInput, y.as_view(), x) } else { (Way::Forward, x, y.as_view()) };
    check_conv("conv_by", shape, weight.view(), shape.filters, input, output);
    assert!(method.fits(shape), "conv_by: {method:?} cannot compute {shape:?}");
    correlate(method, shape, way, weight, x, y);
}

fn correlate(
    method: ConvMethod,
    shape: &ConvShape,
    way: Way,
    weight: &WeightMat,
    x: View<'_>,
    y: ViewMut<'_>,
) {
    if !counted(shape, weight.view(), y.rows() * y.cols(), x, y.as_view()) {
        return;
    }
    dispatch!(x.dtype(), T => match method {
        ConvMethod::Direct => run::<T, Direct<T>>(shape, way, weight, x, y),
        ConvMethod::Tiles2 => run::<T, Winograd<T, Two, 2, 4>>(shape, way, weight, x, y),
        ConvMethod::Tiles4 => run::<T, Winograd<T, Four, 4, 6>>(shape, way, weight, x, y),
    });
}

fn run<T: Elem, F: Form<T>>(
    shape: &ConvShape,
    way: Way,
    weight: &WeightMat,
    x: View<'_>,
    mut y: ViewMut<'_>,
) {
    let form: std::sync::Arc<F> =
        weight.form(|form: &F| form.made_for() == (*shape, way), || F::new(*shape, way, weight.view()));
    best_for::<T, _>(Correlate { form: &*form, x: x.slice(), y: y.slice_mut() });
}

/// Counts a call with these filters and images, which adds to `added` elements; whether there is anything to do.
fn counted(shape: &ConvShape, w: View<'_>, added: usize, x: View<'_>, y: View<'_>) -> bool {
    if x.rows() * shape.inputs() * shape.outputs() * w.rows() * w.cols() == 0 {
        return false;
    }
    let places = shape.outputs() / shape.filters.max(1);
    let elements: usize = [w, x, y].iter().map(|v| v.rows() * v.cols()).sum();
    count_product(x.rows() * places * w.rows() * w.cols(), elements - added, added, x.dtype().size());
    true
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
    use crate::{DType, Level, Mat};

    fn noise(t: DType, rows: usize, cols: usize) -> Mat {
        Mat::from_fn(t, rows, cols, |r, c| ((r * 31 + c * 17 + r * c) % 23) as f64 / 23.0 - 0.4)
    }

    /// Both products with a weight with the instructions of one level.
    fn products<T: Elem, F: Form<T>>(level: Level, shape: &ConvShape) -> [Mat; 2] {
        let w = noise(T::DTYPE, shape.filters, shape.patch());
        [Way::Forward, Way::BackwardInput].map(|way| {
            let (from, to) = way.columns(shape);
            let (x, mut y) = (noise(T::DTYPE, 3, from), noise(T::DTYPE, 3, to));
            let form = F::new(*shape, way, w.view());
            at(level, Correlate { form: &form, x: x.slice(), y: y.slice_mut() }).expect("an available level");
            y
        })
    }

    /// The backward product by elements that are not zero, which here are all.
    fn sparse<T: Elem>(level: Level, shape: &ConvShape) -> Mat {
        let (from, to) = Way::BackwardInput.columns(shape);
        let (g, mut x) = (noise(T::DTYPE, 3, from), noise(T::DTYPE, 3, to));
        let form = Sparse::<T>::new(
            *shape,
            Way::BackwardInput,
            noise(T::DTYPE, shape.filters, shape.patch()).view(),
        );
        at(level, Correlate { form: &form, x: g.slice(), y: x.slice_mut() }).expect("an available level");
        x
    }

    fn slope<T: Elem>(level: Level, shape: &ConvShape, method: ConvMethod) -> Mat {
        let mut mat = noise(T::DTYPE, shape.filters, shape.patch());
        let [x, g] = [shape.inputs(), shape.outputs()].map(|n| noise(T::DTYPE, 3, n));
        let (x, g, band, w) = (x.slice::<T>(), g.slice(), 0..shape.filters, mat.slice_mut());
        let done = match method {
            ConvMethod::Direct => at(level, Slope { shape, x, g, band, w }),
            ConvMethod::Tiles2 => {
                at(level, TiledSlope::<T, Two, 2, 4> { shape, x, g, band, w, tiling: PhantomData })
            }
            ConvMethod::Tiles4 => {
                at(level, TiledSlope::<T, Four, 4, 6> { shape, x, g, band, w, tiling: PhantomData })
            }
        };
        done.expect("an available level");
        mat
    }

    /// By all levels and methods; the first is the best level, direct.
    fn all<T: Elem>(shape: &ConvShape) -> Vec<[Mat; 3]> {
        let mut all = Vec::new();
        for level in Level::available() {
            let [direct, two, four] = [ConvMethod::Direct, ConvMethod::Tiles2, ConvMethod::Tiles4];
            let mut by = vec![(products::<T, Direct<T>>(level, shape), direct)];
            let [y, _] = by[0].0.clone();
            by.push(([y, sparse::<T>(level, shape)], direct));
            if two.fits(shape) {
                by.push((products::<T, Winograd<T, Two, 2, 4>>(level, shape), two));
                by.push((products::<T, Winograd<T, Four, 4, 6>>(level, shape), four));
            }
            all.extend(by.into_iter().map(|([y, x], method)| [y, x, slope::<T>(level, shape, method)]));
        }
        all
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
            let all = dispatch!(t, T => all::<T>(&shape));
            let bound = 400.0 * if t == DType::F32 { 1e-6 } else { 1e-15 };
            for (got, want) in all.iter().flat_map(|products| products.iter().zip(&all[0])) {
                for (g, w) in got.to_f64s().iter().zip(want.to_f64s()) {
                    assert!((g - w).abs() <= bound, "{shape:?}: {g} instead of {w}");
                }
            }
        }
    }
}
