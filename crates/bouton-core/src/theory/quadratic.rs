//! The quadratic binary task of Laborieux, Ernoult, Hirtzlin & Querlioz ("Synaptic metaplasticity in binarized neural
//! networks", Nat. Commun. 12:2549, 2021): why the size of a hidden weight is its importance.
//!
//! L(b) = ½ (b − w*)ᵀ H (b − w*),  b = sign(W^h);  W^h ← W^h − η q,  q = H (b − w*)
//!
//! Exactly: flipping weight i costs ΔL_i = −2 b_i q_i + 2 H_ii, and a step changes b_i W^h_i by −η b_i q_i. So
//! ΔL_i = (2/η) Δ|W^h_i| + 2 H_ii as long as the sign stays.
//!
//! Real weights θ ← θ − η g on the same loss: the path integral −Σ g·Δθ of synaptic intelligence (Zenke, Poole & Ganguli,
//! ICML 2017) is the loss decrease plus ½ Σ Δθᵀ H Δθ, which is of first order in η over the same time.

use crate::anchor::{ConsolidationState, SynapticIntelligence, trace_path};
use crate::rng::Key;
use bouton_kernels::{DType, Mat};

/// The task and the hidden weights that learn it.
#[derive(Clone, Debug)]
pub struct Quadratic {
    /// Hidden weights W^h.
    pub hidden: Vec<f64>,
    /// H, row by row.
    hessian: Vec<Vec<f64>>,
    /// w*.
    optimum: Vec<f64>,
    /// η.
    rate: f64,
}

impl Quadratic {
    /// The deterministic task in two dimensions: the first optimum lies outside the box |b| ≤ 1, the second inside.
    pub fn two_dimensional() -> Self {
        let hessian = vec![vec![2.4047, 0.2158], vec![0.2158, 0.7733]];
        Self { hidden: vec![0.01, 0.02], hessian, optimum: vec![1.5, 0.5], rate: 0.35 }
    }

    /// A random task of `d` dimensions: H = Rᵀ D R with R Haar-random orthogonal, D ~ U(10.5, 29.5),
    /// w* ~ U(−4, 4), W^h ~ 0.01 N(0, 1), η = 0.01.
    pub fn random(d: usize, key: &Key) -> Self {
        let [mut spectrum, mut optimum, mut start] =
            ["spectrum", "optimum", "start"].map(|purpose| key.of(purpose, 0).stream());
        let mut hessian = vec![vec![0.0; d]; d];
        for axis in orthonormal(d, key) {
            let stiffness = 10.5 + 19.0 * spectrum.uniform();
            for (row, a) in hessian.iter_mut().zip(&axis) {
                add(row, stiffness * a, &axis);
            }
        }
        let optimum = (0..d).map(|_| 8.0 * optimum.uniform() - 4.0).collect();
        let hidden = (0..d).map(|_| 0.01 * start.normal()).collect();
        Self { hidden, hessian, optimum, rate: 0.01 }
    }

    /// b = sign(W^h), sign(0) = 1.
    pub fn binary(&self) -> Vec<f64> {
        self.hidden.iter().map(|&w| if w < 0.0 { -1.0 } else { 1.0 }).collect()
    }

    /// L(b).
    pub fn loss(&self, b: &[f64]) -> f64 {
        let off: Vec<f64> = b.iter().zip(&self.optimum).map(|(b, w)| b - w).collect();
        0.5 * dot(&off, &self.gradient(b))
    }

    /// q = ∂L/∂b.
    fn gradient(&self, b: &[f64]) -> Vec<f64> {
        let mut q = vec![0.0; b.len()];
        for ((row, b), w) in self.hessian.iter().zip(b).zip(&self.optimum) {
            add(&mut q, b - w, row);
        }
        q
    }

    /// One step of learning; returns the change of each b_i W^h_i, with b from before the step.
    pub fn step(&mut self) -> Vec<f64> {
        let b = self.binary();
        let q = self.gradient(&b);
        let before = self.hidden.clone();
        add(&mut self.hidden, -self.rate, &q);
        (0..b.len()).map(|i| b[i] * (self.hidden[i] - before[i])).collect()
    }

    /// ΔL_i = −2 b_i q_i + 2 H_ii: what flipping each weight alone costs.
    pub fn flip_costs(&self) -> Vec<f64> {
        let b = self.binary();
        let q = self.gradient(&b);
        (0..b.len()).map(|i| -2.0 * b[i] * q[i] + 2.0 * self.hessian[i][i]).collect()
    }

    /// The same cost of weight `i` as a difference of two losses.
    pub fn flip_cost_by_loss(&self, i: usize) -> f64 {
        let mut b = self.binary();
        let before = self.loss(&b);
        b[i] = -b[i];
        self.loss(&b) - before
    }

    /// The same costs from the `growth` that [`Self::step`] returns: (2/η) Δ(b_i W^h_i) + 2 H_ii.
    pub fn flip_costs_by_growth(&self, growth: &[f64]) -> Vec<f64> {
        growth.iter().enumerate().map(|(i, g)| 2.0 / self.rate * g + 2.0 * self.hessian[i][i]).collect()
    }

    /// `steps` of gradient descent at `rate` of real weights that begin at the hidden ones: the loss they lose, and the
    /// path integral that synaptic intelligence takes of it.
    pub fn descent(&self, rate: f64, steps: usize) -> [f64; 2] {
        let row = |values: &[f64]| Mat::from_f64s(DType::F64, 1, values.len(), values);
        let mut theta = self.hidden.clone();
        let mut consolidation = ConsolidationState::new(&SynapticIntelligence::default(), &row(&theta));
        for _ in 0..steps {
            let (g, old) = (self.gradient(&theta), row(&theta));
            add(&mut theta, -rate, &g);
            trace_path(row(&g).view(), old.view(), row(&theta).view(), consolidation.path.view_mut());
        }
        [self.loss(&self.hidden) - self.loss(&theta), consolidation.path.to_f64s().iter().sum()]
    }
}

/// Pearson's correlation of two samples of the same length.
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let centred = |v: &[f64]| {
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        v.iter().map(|v| v - mean).collect::<Vec<_>>()
    };
    let (x, y) = (centred(x), centred(y));
    dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()
}

/// Spearman's rank correlation of two samples of the same length without ties.
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    pearson(&ranks(x), &ranks(y))
}

fn ranks(v: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..v.len()).collect();
    order.sort_by(|&a, &b| v[a].total_cmp(&v[b]));
    let mut ranks = vec![0.0; v.len()];
    for (rank, i) in order.into_iter().enumerate() {
        ranks[i] = rank as f64;
    }
    ranks
}

/// A Haar-random orthonormal basis: normal draws after Gram and Schmidt (Mezzadri 2007).
fn orthonormal(d: usize, key: &Key) -> Vec<Vec<f64>> {
    let mut stream = key.of("basis", 0).stream();
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(d);
    for _ in 0..d {
        let mut axis: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
        for other in &basis {
            let along = dot(&axis, other);
            add(&mut axis, -along, other);
        }
        let length = dot(&axis, &axis).sqrt();
        axis.iter_mut().for_each(|a| *a /= length);
        basis.push(axis);
    }
    basis
}

/// Sum of products in eight lanes, which the compiler keeps in vector registers.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in xs.zip(ys) {
        lanes.iter_mut().zip(x).zip(y).for_each(|((lane, x), y)| *lane += x * y);
    }
    lanes.iter().sum::<f64>() + rest
}

/// y += a x.
fn add(y: &mut [f64], a: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn basis_is_orthonormal() {
        let basis = orthonormal(60, &Key::new(1));
        for i in 0..60 {
            for j in 0..60 {
                assert!((dot(&basis[i], &basis[j]) - f64::from(i == j)).abs() < 1e-12, "{i} {j}");
            }
        }
    }

    #[test]
    fn cost_of_a_flip_is_the_growth_of_the_hidden_weight() {
        let mut task = Quadratic::random(60, &Key::new(2));
        for step in 0..50 {
            let costs = task.flip_costs();
            let losses: Vec<f64> = (0..60).map(|i| task.flip_cost_by_loss(i)).collect();
            assert!(worst(&costs, &losses) < 1e-9, "{step}");
            let by_growth = {
                let growth = task.step();
                task.flip_costs_by_growth(&growth)
            };
            assert!(worst(&costs, &by_growth) < 1e-9, "{step} {}", worst(&costs, &by_growth));
        }
    }

    #[test]
    fn in_two_dimensions_one_weight_grows_and_one_oscillates() {
        let mut task = Quadratic::two_dimensional();
        let (mut signs, mut largest) = (0.0, 0.0f64);
        for _ in 0..500 {
            signs += task.binary()[1];
            task.step();
            largest = largest.max(task.hidden[1].abs());
        }
        // Weight 2 spends its signs so that their mean b̄ has q_2 = 0; weight 1 then grows by −η q_1 per step.
        let mean = 0.5 + 0.2158 / 0.7733 * 0.5;
        assert!((signs / 500.0 - mean).abs() < 0.01, "{}", signs / 500.0);
        let growth = 0.35 * (2.4047 * 0.5 - 0.2158 * (mean - 0.5));
        assert!((task.hidden[0] / (500.0 * growth) - 1.0).abs() < 0.01, "{}", task.hidden[0]);
        assert!(largest < 0.5, "{largest}");
        let costs = task.flip_costs();
        assert!(costs[0] > 5.0 * costs[1].abs(), "{costs:?}");
    }

    #[test]
    fn importance_follows_hidden_size() {
        let d = if cfg!(debug_assertions) { 200 } else { 500 };
        let mut task = Quadratic::random(d, &Key::new(0));
        (0..1000).for_each(|_| drop(task.step()));
        let size: Vec<f64> = task.hidden.iter().map(|w| w.abs()).collect();
        let costs = task.flip_costs();
        let (linear, monotone) = (pearson(&size, &costs), spearman(&size, &costs));
        assert!(linear > 0.95 && monotone > 0.97, "{linear} {monotone}");
    }

    /// One step of a quadratic loss: −g·Δθ = η g², and the decrease falls short of it by ½ η² gᵀ H g.
    #[test]
    fn the_path_integral_exceeds_the_decrease_by_the_curvature() {
        let task = Quadratic::random(40, &Key::new(3));
        let g = task.gradient(&task.hidden);
        let bent: Vec<f64> = task.hessian.iter().map(|row| dot(row, &g)).collect();
        for rate in [0.01, 0.003] {
            let [decrease, path] = task.descent(rate, 1);
            assert!((path / (rate * dot(&g, &g)) - 1.0).abs() < 1e-12, "{path}");
            assert!(((path - decrease) / (0.5 * rate * rate * dot(&g, &bent)) - 1.0).abs() < 1e-9);
        }
        assert!(task.descent(0.01, 30)[0] > task.descent(0.01, 1)[0]);
    }

    #[test]
    fn correlations() {
        let x = [1.0, 2.0, 3.0, 4.0];
        assert!((pearson(&x, &[2.0, 4.0, 6.0, 8.0]) - 1.0).abs() < 1e-15);
        assert!((pearson(&x, &[1.0, -1.0, -1.0, 1.0])).abs() < 1e-15);
        assert!((spearman(&x, &[4.0, 3.0, 2.0, -90.0]) + 1.0).abs() < 1e-15);
        assert!((spearman(&x, &[1.0, 3.0, 2.0, 4.0]) - 0.8).abs() < 1e-15);
    }
}
