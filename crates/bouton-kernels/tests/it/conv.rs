//! Convolutions against a plain f64 loop, their adjoint identities, and the promises about rounding.

use bouton_kernels::{
    ConvMethod, ConvShape, DType, Mat, WeightMat, conv_by, conv_forward, conv_forward_exact, conv_pull_input,
    conv_pull_sparse, conv_pull_weight, par_conv_forward, par_conv_forward_exact, par_conv_pull_input,
};
use proptest::prelude::*;

/// A matrix of reproducible numbers in (-1, 1).
fn noise(dtype: DType, rows: usize, cols: usize, seed: u64) -> Mat {
    let mut s = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    Mat::from_fn(dtype, rows, cols, |_, _| {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        (s >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    })
}

fn dot(x: &Mat, y: &Mat) -> f64 {
    x.to_f64s().iter().zip(y.to_f64s()).map(|(a, b)| a * b).sum()
}

/// A fresh `c` with a product accumulated into it.
fn after(c: &Mat, f: impl FnOnce(&mut Mat)) -> Mat {
    let mut c = c.clone();
    f(&mut c);
    c
}

/// Input, weight, output gradient.
fn factors(t: DType, s: &ConvShape, rows: usize, seed: u64) -> [Mat; 3] {
    let w = noise(t, s.filters, s.patch(), seed ^ 1);
    [noise(t, rows, s.inputs(), seed), w, noise(t, rows, s.outputs(), seed ^ 2)]
}

/// Keeps about one in eight elements of every other row, and sets the others of these rows to zero.
fn thinned(g: &Mat, seed: u64) -> Mat {
    let keep = noise(g.dtype(), g.rows(), g.cols(), seed ^ 9);
    Mat::from_fn(g.dtype(), g.rows(), g.cols(), |r, c| {
        if r % 2 == 0 || keep.get(r, c) > 0.75 { g.get(r, c) } else { 0.0 }
    })
}

/// Calls f with the columns of an output, a weight (filter first) and an input that belong together.
fn links(s: &ConvShape, mut f: impl FnMut(usize, [usize; 2], usize)) {
    let [kh, kw] = s.kernel;
    for (i, j) in (0..s.out_height()).flat_map(|i| (0..s.out_width()).map(move |j| (i, j))) {
        for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
            let (y, x) = (i * s.stride + ky, j * s.stride + kx);
            if y < s.padding || x < s.padding || y >= s.padding + s.height || x >= s.padding + s.width {
                continue;
            }
            let pixel = (y - s.padding) * s.width + x - s.padding;
            for (n, c) in (0..s.filters).flat_map(|n| (0..s.channels).map(move |c| (n, c))) {
                let out = (i * s.out_width() + j) * s.filters + n;
                f(out, [n, (c * kh + ky) * kw + kx], pixel * s.channels + c);
            }
        }
    }
}

/// All three products by the definition.
fn naive(s: &ConvShape, x: &Mat, w: &Mat, g: &Mat) -> [Vec<f64>; 3] {
    let (rows, [vx, vw, vg]) = (x.rows(), [x, w, g].map(|m| m.to_f64s()));
    let mut sums = [g, x, w].map(|m| vec![0.0; m.rows() * m.cols()]);
    links(s, |o, [n, e], i| {
        let e = n * s.patch() + e;
        for r in 0..rows {
            let (o, i) = (r * s.outputs() + o, r * s.inputs() + i);
            sums[0][o] += vw[e] * vx[i];
            sums[1][i] += vw[e] * vg[o];
            sums[2][e] += vg[o] * vx[i];
        }
    });
    sums
}

/// Product 0, 1 or 2, or 3 for 1 of a sparse argument, added to `start`.
fn product(what: usize, s: &ConvShape, [x, w, g]: [&Mat; 3], start: &Mat) -> Mat {
    let op = WeightMat::new(w.clone());
    after(start, |c| match what {
        0 => conv_forward(s, &op, x.view(), c.view_mut()),
        1 => conv_pull_input(s, &op, g.view(), c.view_mut()),
        3 => conv_pull_sparse(s, &op, g.view(), c.view_mut()),
        _ => conv_pull_weight(s, x.view(), g.view(), 0..s.filters, c.view_mut()),
    })
}

fn dtypes() -> impl Strategy<Value = DType> {
    prop_oneof![Just(DType::F32), Just(DType::F64)]
}

fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just(3), Just(16), Just(33), Just(70), 1usize..20]
}

/// Any geometry, also windows that do not fit.
fn shapes() -> impl Strategy<Value = ConvShape> {
    let size = (1usize..10, 1usize..10, channels(), channels());
    let window = (1usize..6, 1usize..6, 1usize..4, 0usize..6);
    let any = (size, window).prop_map(|((height, width, channels, filters), (kh, kw, stride, padding))| {
        ConvShape { height, width, channels, filters, kernel: [kh, kw], stride, padding }
    });
    let common = (1usize..14, 1usize..14, channels(), channels(), 0usize..3).prop_map(|(h, w, c, f, p)| {
        ConvShape { height: h, width: w, channels: c, filters: f, kernel: [3, 3], stride: 1, padding: p }
    });
    prop_oneof![any, common]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn products_equal_the_definition(t in dtypes(), s in shapes(), rows in 0usize..6, seed: u64) {
        let [x, w, g] = factors(t, &s, rows, seed);
        let want = naive(&s, &x, &w, &g);
        let length = [s.patch(), s.filters * s.kernel[0] * s.kernel[1], rows * s.out_height() * s.out_width()];
        // Tiles of 4x4, in 32 bits, add and subtract multiples of their elements up to some tens, however short the sum:
        // `errors_are_small_next_to_the_output` says how little of that is left.
        let (unit, tile, link) =
            if t == DType::F32 { (f32::EPSILON as f64, 36.0, 3.0) } else { (f64::EPSILON, 4.0, 1.0) };
        for (what, like) in [&g, &x, &w].into_iter().enumerate() {
            let start = noise(t, like.rows(), like.cols(), seed ^ 3);
            let got = product(what, &s, [&x, &w, &g], &start);
            let bound = unit * (tile + link * length[what] as f64);
            for ((got, start), want) in got.to_f64s().iter().zip(start.to_f64s()).zip(&want[what]) {
                prop_assert!((got - start - want).abs() <= bound, "product {}: {} + {} is not {}", what, start, want, got);
            }
        }
    }

    #[test]
    fn products_of_sparse_arguments_equal_the_definition(t in dtypes(), s in shapes(), rows in 0usize..6, seed: u64) {
        let [x, w, g] = factors(t, &s, rows, seed);
        let (g, start) = (thinned(&g, seed), noise(t, rows, s.inputs(), seed ^ 3));
        let want = &naive(&s, &x, &w, &g)[1];
        let unit = if t == DType::F32 { f32::EPSILON as f64 } else { f64::EPSILON };
        let bound = unit * (4.0 + (s.filters * s.kernel[0] * s.kernel[1]) as f64);
        let got = product(3, &s, [&x, &w, &g], &start).to_f64s();
        for ((got, start), want) in got.into_iter().zip(start.to_f64s()).zip(want) {
            prop_assert!((got - start - want).abs() <= bound, "{} + {} is not {}", start, want, got);
        }
    }

    /// <w ∗ x, g> = <x, backward_input(g)> = <w, backward_weight(x, g)>, relative to the lengths of the vectors.
    #[test]
    fn the_three_products_are_adjoint(t in dtypes(), s in shapes(), rows in 1usize..6, seed: u64) {
        let [x, w, g] = factors(t, &s, rows, seed);
        let zeros = [&g, &x, &w].map(|m| Mat::zeros(t, m.rows(), m.cols()));
        let all = [0, 1, 2].map(|what| product(what, &s, [&x, &w, &g], &zeros[what]));
        let want = dot(&all[0], &g);
        let size = (dot(&all[0], &all[0]) * dot(&g, &g)).sqrt();
        let bound = size * if t == DType::F32 { 1e-5 } else { 1e-12 };
        prop_assert!((dot(&all[1], &x) - want).abs() <= bound, "input: {} is not {}", dot(&all[1], &x), want);
        prop_assert!((dot(&all[2], &w) - want).abs() <= bound, "weight: {} is not {}", dot(&all[2], &w), want);
    }

    /// Bit for bit: rows computed alone, in any cut, with others, or by threads.
    #[test]
    fn a_row_does_not_depend_on_other_rows(t in dtypes(), s in shapes(), rows in 1usize..40, at: prop::sample::Index, seed: u64) {
        let ([x, w, g], at) = (factors(t, &s, rows, seed), at.index(rows));
        let op = WeightMat::new(w);
        let starts = [&g, &x].map(|m| noise(t, rows, m.cols(), seed ^ 3));
        for (what, start) in starts.iter().enumerate() {
            let run = |c: &mut Mat, rows: std::ops::Range<usize>| match what {
                0 => conv_forward(&s, &op, x.rows_view(rows.clone()), c.rows_view_mut(rows)),
                _ => conv_pull_input(&s, &op, g.rows_view(rows.clone()), c.rows_view_mut(rows)),
            };
            let whole = after(start, |c| run(c, 0..rows));
            let parts = after(start, |c| { run(c, 0..at); run(c, at..at + 1); run(c, at + 1..rows) });
            prop_assert!(whole == parts, "product {}", what);
            let threads = after(start, |c| match what {
                0 => par_conv_forward(&s, &op, x.view(), c.view_mut()),
                _ => par_conv_pull_input(&s, &op, g.view(), c.view_mut()),
            });
            prop_assert!(whole == threads, "product {} by threads", what);
        }
    }

    /// Every method gives the same products, adjoint to each other, of a row whatever the others are.
    #[test]
    fn methods_agree(t in dtypes(), s in shapes(), rows in 1usize..12, at: prop::sample::Index, seed: u64) {
        let ([x, w, g], at) = (factors(t, &s, rows, seed), at.index(rows));
        let op = WeightMat::new(w);
        let starts = [&g, &x].map(|m| noise(t, rows, m.cols(), seed ^ 3));
        let by = |method, adjoint: bool| after(&starts[adjoint as usize], |c| {
            conv_by(method, adjoint, &s, &op, if adjoint { g.view() } else { x.view() }, c.view_mut());
        });
        let want = [false, true].map(|adjoint| by(ConvMethod::Direct, adjoint));
        let unit = if t == DType::F32 { f32::EPSILON as f64 } else { f64::EPSILON };
        for method in [ConvMethod::Tiles2, ConvMethod::Tiles4] {
            if !method.fits(&s) {
                continue;
            }
            for (adjoint, want) in [false, true].into_iter().zip(&want) {
                let got = by(method, adjoint);
                let bound = unit * (60.0 + 9.0 * (s.channels + s.filters) as f64);
                for (got, want) in got.to_f64s().iter().zip(want.to_f64s()) {
                    prop_assert!((got - want).abs() <= bound, "{:?}: {} is not {}", method, got, want);
                }
                let from = if adjoint { &g } else { &x };
                let alone = after(&starts[adjoint as usize], |c| {
                    conv_by(method, adjoint, &s, &op, from.rows_view(at..at + 1), c.rows_view_mut(at..at + 1));
                });
                prop_assert!(alone.rows_view(at..at + 1).to_mat() == got.rows_view(at..at + 1).to_mat());
            }
            let zero = [&g, &x].map(|m| Mat::zeros(t, rows, m.cols()));
            let [y, back] = [false, true].map(|adjoint| after(&zero[adjoint as usize], |c| {
                conv_by(method, adjoint, &s, &op, if adjoint { g.view() } else { x.view() }, c.view_mut());
            }));
            let bound = (dot(&y, &y) * dot(&g, &g)).sqrt() * if t == DType::F32 { 1e-5 } else { 1e-12 };
            prop_assert!((dot(&y, &g) - dot(&back, &x)).abs() <= bound, "{:?} is not adjoint", method);
        }
    }

    #[test]
    fn bands_of_filters_make_the_whole(t in dtypes(), s in shapes(), rows in 1usize..6, at: prop::sample::Index, seed: u64) {
        let ([x, w, g], at) = (factors(t, &s, rows, seed), at.index(s.filters));
        let whole = product(2, &s, [&x, &w, &g], &w);
        let parts = after(&w, |c| {
            for band in [0..at, at..at + 1, at + 1..s.filters] {
                conv_pull_weight(&s, x.view(), g.view(), band.clone(), c.rows_view_mut(band));
            }
        });
        prop_assert!(whole == parts);
    }
}

/// Rows with many zeros are recognised, one by one, and take the way that is made for them.
#[test]
fn sparse_rows_may_lie_among_others() {
    for (kernel, stride, padding) in [(5, 1, 2), (3, 1, 1), (3, 2, 1)] {
        let s = ConvShape {
            height: 12,
            width: 12,
            channels: 128,
            filters: 128,
            kernel: [kernel; 2],
            stride,
            padding,
        };
        let [x, w, g] = factors(DType::F32, &s, 7, 11);
        let (g, zero) = (thinned(&g, 11), Mat::zeros(DType::F32, 7, s.inputs()));
        let whole = product(1, &s, [&x, &w, &g], &zero);
        let sparse = product(3, &s, [&x, &w, &g], &zero);
        for r in 0..7 {
            let alone = after(&zero.rows_view(r..r + 1).to_mat(), |y| {
                conv_pull_input(&s, &WeightMat::new(w.clone()), g.rows_view(r..r + 1), y.view_mut());
            });
            assert!(alone == whole.rows_view(r..r + 1).to_mat(), "row {r} depends on others");
            let same = sparse.rows_view(r..r + 1).to_mat() == alone;
            assert_eq!(same, r % 2 == 1, "row {r} took the wrong way");
        }
    }
}

/// Largest error of products in f32, against f64, relative to the root mean square of the output.
fn error(method: ConvMethod, adjoint: bool, s: &ConvShape) -> f64 {
    let (from, to) = if adjoint { (s.outputs(), s.inputs()) } else { (s.inputs(), s.outputs()) };
    let (x, w) = (noise(DType::F32, 2, from, 7), noise(DType::F32, s.filters, s.patch(), 8));
    let run = |t, method| {
        after(&Mat::zeros(t, 2, to), |y| {
            conv_by(method, adjoint, s, &WeightMat::new(w.cast(t)), x.cast(t).view(), y.view_mut());
        })
    };
    let (want, got) = (run(DType::F64, ConvMethod::Direct), run(DType::F32, method));
    let rms = (dot(&want, &want) / (2 * to) as f64).sqrt();
    let errors = got.to_f64s().into_iter().zip(want.to_f64s()).map(|(g, w)| (g - w).abs());
    errors.fold(0.0, f64::max) / rms
}

#[test]
fn errors_are_small_next_to_the_output() {
    for (channels, filters, size, padding) in
        [(64, 128, 16, 1), (256, 512, 4, 1), (512, 512, 4, 0), (128, 256, 8, 1)]
    {
        let s =
            ConvShape { height: size, width: size, channels, filters, kernel: [3, 3], stride: 1, padding };
        for adjoint in [false, true] {
            for (method, bound) in
                [(ConvMethod::Direct, 5e-6), (ConvMethod::Tiles2, 5e-6), (ConvMethod::Tiles4, 2e-5)]
            {
                let error = error(method, adjoint, &s);
                assert!(error <= bound, "{s:?} adjoint {adjoint} {method:?}: {error:.1e}");
            }
        }
    }
}

/// Counts of ±1: whole numbers by the exact product, not by the one that multiplies least.
#[test]
fn counts_are_whole() {
    let shape = |kernel: usize, channels, filters| ConvShape {
        height: 9,
        width: 8,
        channels,
        filters,
        kernel: [kernel; 2],
        stride: 1,
        padding: 1,
    };
    for (s, tiled) in [(shape(3, 48, 70), true), (shape(3, 512, 33), true), (shape(2, 48, 70), false)] {
        let signs = |cols, rows, seed| {
            let mat = noise(DType::F32, rows, cols, seed);
            Mat::from_fn(DType::F32, rows, cols, |r, c| mat.get(r, c).signum())
        };
        let (x, op) = (signs(s.inputs(), 3, 7), WeightMat::new(signs(s.patch(), s.filters, 8)));
        let zero = Mat::zeros(DType::F32, 3, s.outputs());
        let want =
            after(&zero, |y| conv_by(ConvMethod::Direct, false, &s, &op, x.view(), y.view_mut())).to_f64s();
        assert!(want.iter().all(|count| count.fract() == 0.0));
        let exact = after(&zero, |y| conv_forward_exact(&s, &op, x.view(), y.view_mut()));
        let threads = after(&zero, |y| par_conv_forward_exact(&s, &op, x.view(), y.view_mut()));
        assert!(exact.to_f64s() == want && exact == threads, "{s:?}");
        let fast = after(&zero, |y| conv_forward(&s, &op, x.view(), y.view_mut()));
        assert_eq!(fast.to_f64s() != want, tiled, "{s:?}");
    }
}

const LAYER: ConvShape =
    ConvShape { height: 9, width: 7, channels: 20, filters: 80, kernel: [3, 3], stride: 1, padding: 1 };

#[test]
fn forms_follow_the_weight_and_the_geometry() {
    let [x, w, _] = factors(DType::F32, &LAYER, 2, 5);
    let mut op = WeightMat::new(w);
    let zero = Mat::zeros(DType::F32, 2, LAYER.outputs());
    let run = |op: &WeightMat| after(&zero, |y| conv_forward(&LAYER, op, x.view(), y.view_mut()));
    let first = run(&op);
    assert_eq!(run(&op), first);
    let copy = op.clone();
    op.update(|mut w| w.row_mut::<f32>(3).fill(0.0));
    let second = run(&op);
    for pixel in 0..63 {
        assert_eq!(second.get(1, pixel * 80 + 3), 0.0);
        assert_ne!(first.get(1, pixel * 80 + 3), 0.0);
        assert_eq!(second.get(1, pixel * 80 + 4), first.get(1, pixel * 80 + 4));
    }
    assert_eq!(run(&copy), first);
    // The same weight over an image of another shape, which has as many pixels.
    let turned = ConvShape { height: 7, width: 9, ..LAYER };
    let got = after(&zero, |y| conv_forward(&turned, &copy, x.view(), y.view_mut()));
    let fresh = WeightMat::new(copy.mat().clone());
    assert_eq!(got, after(&zero, |y| conv_forward(&turned, &fresh, x.view(), y.view_mut())));
    assert_ne!(got, first);
}

#[test]
fn threads_may_ask_for_a_form_at_once() {
    let [x, w, _] = factors(DType::F32, &LAYER, 8, 6);
    let start = Mat::zeros(DType::F32, 8, LAYER.outputs());
    let want = product(0, &LAYER, [&x, &w, &start], &start);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    for _ in 0..10 {
        let op = WeightMat::new(w.clone());
        let got = after(&start, |y| pool.install(|| par_conv_forward(&LAYER, &op, x.view(), y.view_mut())));
        assert!(got == want);
    }
}

#[test]
#[should_panic(expected = "conv_forward: ConvShape { height: 9, width: 7, channels: 20")]
fn shapes_that_do_not_fit_are_named() {
    let [x, w, _] = factors(DType::F32, &LAYER, 2, 5);
    let mut y = Mat::zeros(DType::F32, 2, LAYER.outputs() + 1);
    conv_forward(&LAYER, &WeightMat::new(w), x.view(), y.view_mut());
}
