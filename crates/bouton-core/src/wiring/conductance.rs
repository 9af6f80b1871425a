//! Every unit to every unit by conductances, which open towards a reversal potential (Lechner et al. 2020; Hasani et al. 2021):
//!
//!   b_ij = |w_ij| σ(s_ij (v_j − μ_ij)),  port 0 of unit i: Σ_j b_ij,  port 1: Σ_j b_ij E_ij.
//!
//! The weight is [4·post, pre]: the planes of w, s, μ and E below each other. w counts by its size, so that conductances are never
//! negative; a pair whose w is 0 is no pair, and stays none. First numbers are those of the ncps library: w from 0.001 to 1, s from 3
//! to 8, μ from 0.3 to 0.8, E of 1 or −1.

use super::sparse::chosen;
use super::{Curved, Dense, Ends, Form, Wiring, WiringMethod};
use crate::axis::Cite;
use crate::rng::Stream;
use bouton_kernels::{
    DType, Mat, View, ViewMut, WeightMat, conductances, conductances_back_input, conductances_back_weight,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Conductances where units have ports for them, every unit to every unit elsewhere (`[wiring.conductance]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Conductance {
    /// Share of the units before it that a unit receives conductances from, one at least. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "1 joins all"))]
    pub density: f64,
    /// Share of the conductances that open towards 1, and not towards −1. Default 0.5.
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "0.5 is usual"))]
    pub excitatory: f64,
    /// How weights are drawn elsewhere, as in `[wiring.dense]`.
    pub weights: Dense,
}

impl Default for Conductance {
    fn default() -> Self {
        Self { density: 1.0, excitatory: 0.5, weights: Dense::default() }
    }
}

impl WiringMethod for Conductance {
    fn cites(&self) -> Vec<Cite> {
        let mut all = vec![Cite::of("lechner2020"), Cite::of("hasani2021")];
        all.extend(self.weights.cites());
        all
    }

    fn weights(&self) -> &Dense {
        &self.weights
    }

    fn weights_mut(&mut self) -> &mut Dense {
        &mut self.weights
    }

    fn convolves(&self) -> bool {
        false
    }

    fn learns(&self) -> bool {
        true
    }

    fn inputs(&self, pre: usize) -> usize {
        pre
    }

    fn numbers(&self, ports: usize) -> Option<usize> {
        [(1, 1), (2, 4)].into_iter().find(|(filled, _)| *filled == ports).map(|(_, numbers)| numbers)
    }

    fn join(&self, ends: Ends<'_>) -> Box<dyn Wiring> {
        let Ends { pre, post, ports, autapses, .. } = ends;
        if ports == 1 {
            return self.weights.join(ends);
        }
        let listed = ((self.density * pre as f64).round() as usize).clamp(1, pre);
        Box::new(ConductanceWiring { pre, post, listed, autapses, excitatory: self.excitatory })
    }

    fn examples() -> Vec<Self> {
        let rest = Dense::examples().into_iter().map(|weights| Self { weights, ..Self::default() });
        [Self { density: 0.4, excitatory: 0.7, ..Self::default() }].into_iter().chain(rest).collect()
    }
}

/// Conductances between two populations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConductanceWiring {
    pre: usize,
    post: usize,
    /// Inputs of each unit.
    listed: usize,
    autapses: bool,
    excitatory: f64,
}

impl Wiring for ConductanceWiring {
    fn form(&self) -> Option<Form> {
        None
    }

    fn weight_shape(&self) -> (usize, usize) {
        (4 * self.post, self.pre)
    }

    fn factorises(&self) -> bool {
        false
    }

    fn forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        conductances(pre, weight.mat().view(), post);
    }

    fn backward_input(&self, _: &WeightMat, _: View<'_>, _: ViewMut<'_>) {
        unreachable!("conductances go back from where they stand: Wiring::curved")
    }

    fn backward_weight(&self, pre: View<'_>, _: View<'_>, _: Range<usize>, _: ViewMut<'_>) {
        assert_eq!(pre.rows(), 0, "conductances go back from where they stand: Wiring::curved");
    }

    /// Pairs, which the plane of w tells.
    fn fan_out(&self, there: &WeightMat, [pre, _]: [usize; 2]) -> Vec<f64> {
        (0..pre).map(|j| (0..self.post).map(|i| there.mat().get(i, j)).sum()).collect()
    }

    fn curved(&self) -> Option<&dyn Curved> {
        Some(self)
    }
}

impl Curved for ConductanceWiring {
    fn draw(&self, dtype: DType, stream: &mut Stream) -> Mat {
        let joined: Vec<Vec<u32>> = (0..self.post)
            .map(|i| chosen(self.pre, self.listed, (!self.autapses).then_some(i), stream))
            .collect();
        let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
        Mat::from_fn(dtype, 4 * self.post, self.pre, |r, j| match r / self.post {
            0 => between(0.001, 1.0) * f64::from(u8::from(joined[r].contains(&(j as u32)))),
            1 => between(3.0, 8.0),
            2 => between(0.3, 0.8),
            _ => (self.excitatory - between(0.0, 1.0)).signum(),
        })
    }

    fn alone(&self, weight: &WeightMat) -> WeightMat {
        let at = weight.mat();
        let kept = |r: usize, j: usize| if r < self.post && r != j { 0.0 } else { at.get(r, j) };
        WeightMat::new(Mat::from_fn(at.dtype(), at.rows(), at.cols(), kept))
    }

    fn backward_input(&self, weight: &WeightMat, pre: View<'_>, g: View<'_>, to: ViewMut<'_>) {
        conductances_back_input(g, pre, weight.mat().view(), to);
    }

    fn backward_weight(&self, weight: &WeightMat, pre: View<'_>, g: View<'_>, g_w: ViewMut<'_>) {
        conductances_back_weight(g, pre, weight.mat().view(), g_w);
    }
}
