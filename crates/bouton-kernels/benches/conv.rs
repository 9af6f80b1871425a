//! Convolutions and pooling per layer, and a whole relaxation sweep of a convolutional net, on all threads.
//!
//! `cargo bench -p bouton-kernels --bench conv [-- FILTER [ROUNDS]]` prints rows `bench,case,ms_min,ms_median,gflop_s`; cases
//! take turns within a round, so that other work on the machine does equal harm. Operations are those of the direct
//! convolution, whatever the method. Batch 64, float32; names are CHANNELS-FILTERS@IMAGE, 3x3 with
//! padding 1, and /METHOD where it is not the one that the library takes. `pull_unpooled` pulls a gradient of which one
//! element in eight is not zero, as behind max pooling of units half of which are silent; 32-64@12 is 5x5 without padding.

use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;

use bouton_kernels::{
    ConvMethod, ConvShape, DType, Mat, PoolShape, View, ViewMut, WeightMat, conv_by, conv_forward,
    conv_pull_input, conv_pull_weight, max_pool, max_unpool, simd_level, soft_pool, soft_unpool, vectorize,
};

mod peak;

const BATCH: usize = 64;
const LAYERS: &[(usize, usize, usize)] =
    &[(64, 128, 16), (128, 256, 8), (256, 512, 4), (128, 256, 16), (3, 64, 32), (3, 128, 32)];

const METHODS: [Option<ConvMethod>; 4] =
    [None, Some(ConvMethod::Direct), Some(ConvMethod::Tiles2), Some(ConvMethod::Tiles4)];

type Run = Box<dyn FnMut()>;

/// Bench, case, operations, what prepares one call.
struct Case(&'static str, String, f64, Box<dyn FnOnce() -> Run>);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let filter = args.first().cloned().unwrap_or_default();
    let rounds = args.get(1).map_or(15, |r| r.parse().expect("second argument: number of rounds"));
    println!("# simd {}, {} threads, {rounds} rounds", simd_level(), rayon::current_num_threads());
    let mut cases = vec![peak_of(1), peak_of(rayon::current_num_threads())];
    for &(channels, filters, size) in LAYERS {
        let shape = layer(channels, filters, size, 1);
        for method in METHODS {
            cases.extend([false, true].map(|adjoint| conv(adjoint, method, shape)));
        }
        cases.push(backward_weight(shape));
    }
    cases.extend(
        [layer(128, 256, 16, 1), ConvShape { kernel: [5, 5], ..layer(32, 64, 12, 0) }].map(pull_unpooled),
    );
    cases.extend(METHODS.map(sweep));
    cases.extend(["max_pool", "max_unpool", "soft_pool", "soft_unpool"].map(pool));
    cases.retain(|c| c.0 == "peak" || format!("{},{}", c.0, c.1).contains(&filter));
    let mut cases: Vec<(Run, String, f64, Vec<f64>)> =
        cases.into_iter().map(|c| ((c.3)(), format!("{},{}", c.0, c.1), c.2, Vec::new())).collect();
    for round in 0..=rounds {
        for (run, _, _, times) in &mut cases {
            let start = Instant::now();
            run();
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
        }
    }
    println!("bench,case,ms_min,ms_median,gflop_s");
    for (_, name, flops, times) in &mut cases {
        times.sort_by(f64::total_cmp);
        let (least, median) = (times[0], times[times.len() / 2]);
        println!("{name},{:.4},{:.4},{:.1}", 1e3 * least, 1e3 * median, *flops / least / 1e9);
    }
}

fn layer(channels: usize, filters: usize, size: usize, padding: usize) -> ConvShape {
    ConvShape { height: size, width: size, channels, filters, kernel: [3, 3], stride: 1, padding }
}

fn flops(s: &ConvShape) -> f64 {
    2.0 * (BATCH * s.outputs() * s.patch()) as f64
}

fn noise(rows: usize, cols: usize) -> Mat {
    Mat::from_fn(DType::F32, rows, cols, |i, j| ((i * 7 + j * 13) % 17) as f64 / 17.0 - 0.5)
}

fn peak_of(threads: usize) -> Case {
    const CALLS: usize = 100;
    let run = move || {
        (0..threads)
            .into_par_iter()
            .for_each(|_| (0..CALLS).for_each(|_| _ = black_box(peak::chains::<false>())))
    };
    let flops = threads * CALLS * peak::chains::<false>();
    Case("peak", format!("{threads}-threads"), flops as f64, Box::new(move || Box::new(run)))
}

fn name(s: &ConvShape) -> String {
    format!("{}-{}@{}", s.channels, s.filters, s.height)
}

/// By a given method, or by the one that the library takes.
fn product(
    method: Option<ConvMethod>,
    adjoint: bool,
    s: &ConvShape,
    w: &WeightMat,
    x: View<'_>,
    y: ViewMut<'_>,
) {
    match (method, adjoint) {
        (Some(method), _) => conv_by(method, adjoint, s, w, x, y),
        (None, false) => conv_forward(s, w, x, y),
        (None, true) => conv_pull_input(s, w, x, y),
    }
}

/// What is put after the name of a case.
fn suffix(method: Option<ConvMethod>) -> String {
    method.map_or(String::new(), |method| format!("/{method:?}"))
}

fn rows_per_thread() -> usize {
    BATCH.div_ceil(rayon::current_num_threads())
}

fn conv(adjoint: bool, method: Option<ConvMethod>, s: ConvShape) -> Case {
    let what = if adjoint { "backward_input" } else { "forward" };
    product_case(what, adjoint, method, s, noise)
}

fn pull_unpooled(s: ConvShape) -> Case {
    product_case("pull_unpooled", true, None, s, |rows, cols| {
        let kept = |i: usize, j: usize| (i * cols + j).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61 == 0;
        Mat::from_fn(
            DType::F32,
            rows,
            cols,
            |i, j| if kept(i, j) { (j % 17) as f64 / 17.0 + 0.1 } else { 0.0 },
        )
    })
}

/// A product of what `source` makes.
fn product_case(
    what: &'static str,
    adjoint: bool,
    method: Option<ConvMethod>,
    s: ConvShape,
    source: fn(usize, usize) -> Mat,
) -> Case {
    let make = move || -> Run {
        let [from, to] = if adjoint { [s.outputs(), s.inputs()] } else { [s.inputs(), s.outputs()] };
        let (x, mut y) = (source(BATCH, from), noise(BATCH, to));
        let w = WeightMat::new(noise(s.filters, s.patch()));
        Box::new(move || {
            let size = rows_per_thread();
            let parts: Vec<ViewMut<'_>> = y.view_mut().chunks_mut(size).collect();
            parts.into_par_iter().enumerate().for_each(|(i, y)| {
                let x = x.rows_view(i * size..i * size + y.rows());
                product(method, adjoint, &s, &w, x, y);
            });
        })
    };
    Case("conv", format!("{what}-{}{}", name(&s), suffix(method)), flops(&s), Box::new(make))
}

fn backward_weight(s: ConvShape) -> Case {
    let make = move || -> Run {
        let (x, g) = (noise(BATCH, s.inputs()), noise(BATCH, s.outputs()));
        let mut w = noise(s.filters, s.patch());
        let size = s.filters.div_ceil(rayon::current_num_threads());
        Box::new(move || {
            let bands: Vec<ViewMut<'_>> = w.view_mut().chunks_mut(size).collect();
            bands.into_par_iter().enumerate().for_each(|(i, w)| {
                conv_pull_weight(&s, x.view(), g.view(), i * size..i * size + w.rows(), w);
            });
        })
    };
    Case("conv", format!("backward_weight-{}", name(&s)), flops(&s), Box::new(make))
}

/// 2x2 windows of 128 channels of 32x32 pixels.
fn pool(what: &'static str) -> Case {
    let s = PoolShape { height: 32, width: 32, channels: 128, size: 2 };
    let make = move || -> Run {
        let (mut y, mut out) = (noise(BATCH, s.inputs()), noise(BATCH, s.outputs()));
        let [mut index, mut slope] = [s.outputs(), s.inputs()].map(|n| Mat::zeros(DType::F32, BATCH, n));
        max_pool(&s, y.view(), out.view_mut(), index.view_mut());
        Box::new(move || {
            let size = rows_per_thread();
            let (y, out) = (y.view_mut().chunks_mut(size), out.view_mut().chunks_mut(size));
            let (index, slope) = (index.view_mut().chunks_mut(size), slope.view_mut().chunks_mut(size));
            let parts: Vec<_> = y.zip(out).zip(index.zip(slope)).collect();
            parts.into_par_iter().for_each(|((y, out), (index, slope))| match what {
                "max_pool" => max_pool(&s, y.as_view(), out, index),
                "max_unpool" => max_unpool(&s, out.as_view(), index.as_view(), y),
                "soft_pool" => soft_pool(&s, 1.0, y.as_view(), out, slope),
                _ => soft_unpool(&s, out.as_view(), slope.as_view(), y),
            });
        })
    };
    Case("pool", format!("{what}-128@32"), 0.0, Box::new(make))
}

/// A stage of the net: convolution from the stage before, pooling, state.
struct Stage {
    conv: ConvShape,
    pool: PoolShape,
    weight: WeightMat,
}

/// What a thread needs of its images.
struct Part {
    /// Drive of the first stage, which does not change.
    input: Mat,
    /// Per stage.
    state: Vec<Mat>,
    next: Vec<Mat>,
    /// Per stage from the second on: before pooling.
    wide: Vec<Mat>,
    index: Vec<Mat>,
}

/// Every stage takes over the clamped sum of its drive and of the feedback from the stage above: 3-128-256-512-512, image
/// 32x32, paddings 1, 1, 1, 0, each followed by 2x2 pooling.
fn sweep(method: Option<ConvMethod>) -> Case {
    const STAGES: [(usize, usize, usize, usize); 3] = [(128, 256, 16, 1), (256, 512, 8, 1), (512, 512, 4, 0)];
    let shapes = STAGES.map(|(channels, filters, size, padding)| layer(channels, filters, size, padding));
    let make = move || -> Run {
        let stages: Vec<Stage> = shapes.into_iter().map(Stage::new).collect();
        let rows = rows_per_thread();
        let mut parts: Vec<Part> = (0..BATCH / rows).map(|_| Part::new(&stages, rows)).collect();
        Box::new(move || parts.par_iter_mut().for_each(|part| part.sweep(method, &stages)))
    };
    let flops = shapes.iter().map(|s| 2.0 * flops(s)).sum();
    Case("sweep", format!("128-256-512-512@32{}", suffix(method)), flops, Box::new(make))
}

impl Stage {
    fn new(conv: ConvShape) -> Self {
        let pool =
            PoolShape { height: conv.out_height(), width: conv.out_width(), channels: conv.filters, size: 2 };
        Stage { conv, pool, weight: WeightMat::new(noise(conv.filters, conv.patch())) }
    }
}

impl Part {
    fn new(stages: &[Stage], rows: usize) -> Self {
        let state: Vec<Mat> = std::iter::once(stages[0].conv.inputs())
            .chain(stages.iter().map(|s| s.pool.outputs()))
            .map(|n| noise(rows, n))
            .collect();
        let wide = stages.iter().map(|s| noise(rows, s.pool.inputs())).collect();
        let index = stages.iter().map(|s| noise(rows, s.pool.outputs())).collect();
        Part { input: state[0].clone(), next: state.clone(), state, wide, index }
    }

    fn sweep(&mut self, method: Option<ConvMethod>, stages: &[Stage]) {
        self.next[0].copy_from(self.input.view());
        for (i, stage) in stages.iter().enumerate() {
            let (wide, next) = (&mut self.wide[i], &mut self.next);
            wide.fill(0.0);
            product(method, false, &stage.conv, &stage.weight, self.state[i].view(), wide.view_mut());
            next[i + 1].fill(0.0);
            max_pool(&stage.pool, wide.view(), next[i + 1].view_mut(), self.index[i].view_mut());
            wide.fill(0.0);
            max_unpool(&stage.pool, self.state[i + 1].view(), self.index[i].view(), wide.view_mut());
            product(method, true, &stage.conv, &stage.weight, wide.view(), next[i].view_mut());
        }
        for (state, next) in self.state.iter_mut().zip(&self.next) {
            clamp(next.view(), state.slice_mut());
        }
    }
}

fn clamp(from: View<'_>, to: &mut [f32]) {
    vectorize(
        #[inline(always)]
        || to.iter_mut().zip(from.slice::<f32>()).for_each(|(to, from)| *to = from.clamp(0.0, 1.0)),
    );
}
