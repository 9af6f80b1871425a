//! What minimal filtering does to a gradient: the contrast of two relaxations of a small convolutional network with a
//! nudge of ±β, by every method in single precision, against direct sums in double precision.

use bouton_kernels::{
    ConvMethod, ConvShape, DType, Mat, WeightMat, conv_by, conv_pull_weight, conv_pull_weight_by, dispatch,
};

const BATCH: usize = 4;
const CHANNELS: usize = 32;
const BETA: f64 = 0.2;
const SWEEPS: usize = 60;

fn noise(seed: u64, t: DType, rows: usize, cols: usize, size: f64) -> Mat {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    Mat::from_fn(t, rows, cols, |_, _| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        // The same single-precision number whatever the type.
        f64::from(((x >> 40) as f64 / (1u64 << 24) as f64 * 2.0 - 1.0) as f32 * size as f32)
    })
}

struct Net {
    shape: ConvShape,
    method: ConvMethod,
    weight: WeightMat,
    /// Drive of the first layer from below, and target of the second one.
    below: Mat,
    target: Mat,
}

impl Net {
    fn new(t: DType, method: ConvMethod) -> Self {
        let shape = ConvShape {
            height: 16,
            width: 16,
            channels: CHANNELS,
            filters: CHANNELS,
            kernel: [3, 3],
            stride: 1,
            padding: 1,
        };
        let weight = noise(1, t, CHANNELS, shape.patch(), 1.2 / (shape.patch() as f64).sqrt());
        let [below, target] = [2, 3].map(|seed| noise(seed, t, BATCH, shape.inputs(), 1.0));
        Self { shape, method, weight: WeightMat::new(weight), below, target }
    }

    /// States of both layers after relaxation from `start`.
    fn settle(&self, start: [&Mat; 2], beta: f64) -> [Mat; 2] {
        let [mut first, mut second] = start.map(Mat::clone);
        for _ in 0..SWEEPS {
            let (mut down, mut up) = (self.below.clone(), self.target.clone());
            conv_by(self.method, true, &self.shape, &self.weight, second.view(), down.view_mut());
            up.fill(0.0);
            conv_by(self.method, false, &self.shape, &self.weight, first.view(), up.view_mut());
            dispatch!(up.dtype(), T => {
                let (target, before) = (self.target.slice::<T>(), second.slice::<T>());
                let nudge = target.iter().zip(before).map(|(t, s)| beta as T * (t - s));
                up.slice_mut::<T>().iter_mut().zip(nudge).for_each(|(u, nudge)| *u = (*u + nudge).clamp(-1.0, 1.0));
                down.slice_mut::<T>().iter_mut().for_each(|d| *d = d.clamp(0.0, 1.0));
            });
            (first, second) = (down, up);
        }
        [first, second]
    }

    fn gradient(&self) -> Vec<f64> {
        let zero = Mat::zeros(self.below.dtype(), BATCH, self.shape.inputs());
        let [first, second] = self.settle([&zero, &zero], 0.0);
        let contrast = [BETA, -BETA].map(|beta| {
            let [first, second] = self.settle([&first, &second], beta);
            let mut g = Mat::zeros(first.dtype(), CHANNELS, self.shape.patch());
            conv_pull_weight_by(self.method, &self.shape, first.view(), second.view(), g.view_mut());
            g.to_f64s()
        });
        contrast[0].iter().zip(&contrast[1]).map(|(a, b)| (a - b) / (2.0 * BETA)).collect()
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn tiles_leave_the_gradient_where_direct_sums_put_it() {
    let exact = Net::new(DType::F64, ConvMethod::Direct).gradient();
    for method in [ConvMethod::Direct, ConvMethod::Tiles2, ConvMethod::Tiles4] {
        let away = 1.0 - cosine(&Net::new(DType::F32, method).gradient(), &exact);
        println!("{method:?}: 1 - cosine {away:.1e}");
        assert!(away < 1e-11, "{method:?}: {away:e}");
    }
}

/// Images of odd sizes, with and without borders, and bands of filters.
#[test]
fn tiles_give_the_slope_of_the_direct_sum() {
    for (height, width, padding) in [(7, 5, 1), (3, 3, 0), (6, 9, 0), (4, 8, 2), (1, 2, 1)] {
        let shape =
            ConvShape { height, width, channels: 33, filters: 21, kernel: [3, 3], stride: 1, padding };
        let [x, g] =
            [(4, shape.inputs()), (5, shape.outputs())].map(|(s, n)| noise(s, DType::F64, 3, n, 1.0));
        let by = |method| {
            let mut w = noise(6, DType::F64, shape.filters, shape.patch(), 1.0);
            conv_pull_weight_by(method, &shape, x.view(), g.view(), w.view_mut());
            w.to_f64s()
        };
        let direct = by(ConvMethod::Direct);
        for method in [ConvMethod::Tiles2, ConvMethod::Tiles4] {
            let apart = by(method).iter().zip(&direct).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-11, "{shape:?} {method:?}: {apart:e}");
        }
        // A band of filters has the same bits as among all.
        let single = |band: std::ops::Range<usize>| {
            let (x, g) = (x.cast(DType::F32), g.cast(DType::F32));
            let mut w = Mat::zeros(DType::F32, band.len(), shape.patch());
            conv_pull_weight(&shape, x.view(), g.view(), band, w.view_mut());
            w.to_f64s()
        };
        assert_eq!([single(0..10), single(10..21)].concat(), single(0..21), "{shape:?}");
    }
}
