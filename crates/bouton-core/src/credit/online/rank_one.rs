//! Unbiased online recurrent optimisation (Tallec & Ollivier 2018): J is replaced by a product of two vectors that equals it on average.
//!
//!   s ← ρ₀ D_t s + ρ₁ ν,   θ ← θ/ρ₀ + F_tᵀ ν/ρ₁,   E[s θᵀ] = J,   ν = ±1 at random
//!   ρ₀ = √(‖θ‖/‖D_t s‖),   ρ₁ = √(‖F_tᵀ ν‖/‖ν‖)   (least variance)

use super::{Influence, Moved};
use crate::credit::GradCollector;
use crate::error::Result;
use crate::network::{Carry, Directions, Grad, GradSink, Network, Path, PopId, Tangent};
use crate::rng::{Key, Stream};
use bouton_kernels::{Mat, add_scaled, scale_all};

/// The influence of all parameters on one sequence, as a product.
#[derive(Debug)]
pub(super) struct RankOne {
    /// s.
    states: Tangent,
    /// θ.
    parameters: GradCollector,
    draws: Stream,
}

/// No direction does anything.
struct Nothing;

impl Directions for Nothing {
    fn drive(&self, _: PopId, _: &mut Mat) {}

    fn own(&self, _: PopId, _: usize, _: &mut Mat) {}

    fn kept(&self, _: PopId) -> Option<&Mat> {
        None
    }
}

impl RankOne {
    pub(super) fn new(network: &Network, key: &Key) -> Self {
        let states = Tangent::zeros(network, 1);
        Self { states, parameters: GradCollector::default(), draws: key.of("rank-one", 0).stream() }
    }

    /// ±1 for every state and output that moves, as gradients with respect to them.
    fn signs(&mut self, network: &Network) -> (Vec<(PopId, Mat)>, Vec<Mat>) {
        let mut draw = |p: usize, each: usize| {
            let cols = each * network.populations[p].units;
            let sign = |_, _| if self.draws.uniform() < 0.5 { -1.0 } else { 1.0 };
            Mat::from_fn(network.dtype, usize::from(network.is_stepping(p)), cols, sign)
        };
        let pops = 0..network.populations.len();
        let h = pops.clone().map(|p| draw(p, network.populations[p].num_states())).collect();
        let stepping = pops.filter(|&p| network.is_stepping(p));
        (stepping.map(|p| (p, draw(p, 1))).collect(), h)
    }
}

/// Fᵀν: one step back, from its end alone.
fn owed(moved: &Moved<'_>, out: &[(PopId, Mat)], h: &[Mat]) -> GradCollector {
    let Moved { network, time, x, trace, .. } = moved;
    let nothing = |p: usize| {
        let rows = if network.is_stepping(p) { trace.past } else { 0 };
        Mat::zeros(network.dtype, rows, network.populations[p].units)
    };
    let later = Carry { h: h.to_vec(), out: (0..network.populations.len()).map(nothing).collect() };
    let (mut trace, mut sums) = ((*trace).clone(), GradCollector::default());
    network.back(time, &mut trace, out, Some(&later), Path::BPTT);
    network.accumulate_grads_in_time(time, *x, &trace, 1.0, &mut sums);
    sums
}

fn norm(all: impl Iterator<Item = f64>) -> f64 {
    all.map(|x| x * x).sum::<f64>().sqrt()
}

/// √(a/b), or 1 where either is nothing.
fn balance(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 { (a / b).sqrt() } else { 1.0 }
}

impl Influence for RankOne {
    fn follow(&mut self, moved: &Moved<'_>) -> Result<()> {
        let network = moved.network;
        for (t, slopes) in moved.slopes.iter().enumerate() {
            network.follow(moved.trace, t, slopes, &mut self.states, &Nothing);
        }
        let (out, h) = self.signs(network);
        let owed = owed(moved, &out, &h);
        let length = |all: &GradCollector| norm(all.flat(network).into_iter());
        let along = norm(self.states.parts_mut().flat_map(|part| part.to_f64s()));
        let signs = norm(h.iter().chain(out.iter().map(|(_, sign)| sign)).flat_map(Mat::to_f64s));
        let rho = balance(length(&self.parameters), along);
        let rho_new = balance(length(&owed), signs);
        self.states.parts_mut().for_each(|part| scale_all(part, rho));
        self.parameters.gradients.values_mut().for_each(|part| scale_all(part, 1.0 / rho));
        self.states.h.iter_mut().zip(&h).for_each(|(s, sign)| add_scaled(s, rho_new, sign.view()));
        for (pop, sign) in &out {
            add_scaled(&mut self.states.out[*pop][0], rho_new, sign.view());
        }
        for (id, g) in &owed.gradients {
            self.parameters.add(network, *id, Grad::whole(g, 1.0 / rho_new));
        }
        Ok(())
    }

    fn credit(&self, moved: &Moved<'_>, errors: &[(PopId, Mat)], sums: &mut GradCollector) -> Result<()> {
        let of = |(pop, err): &(PopId, Mat)| -> f64 {
            let along = self.states.out[*pop][0].to_f64s();
            along.iter().zip(err.to_f64s()).map(|(s, err)| s * err).sum()
        };
        let weight = errors.iter().map(of).sum::<f64>();
        for (id, g) in &self.parameters.gradients {
            sums.add(moved.network, *id, Grad::whole(g, weight));
        }
        Ok(())
    }
}
