//! Sparse wiring that nobody stores: which units lead to a unit, and by which weights, is drawn from its key whenever it is asked for
//! (procedural connectivity: Knight & Nowotny 2021, Nature Computational Science 1).
//!
//! What it costs is time, a few nanoseconds a weight and pass; what it saves is memory: a random projection between two populations of
//! 10⁵ units takes none. Its weights do not learn.

use super::sparse::chosen;
use super::{Dense, Ends, Form, Sparse, Wiring, WiringMethod};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{DType, Mat, View, ViewMut, WeightMat, dispatch, listed_nn, listed_nt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Units whose weights are drawn together: all samples pass by them.
const BLOCK: usize = 64;

/// Procedural wiring (`[wiring.procedural]`), with the settings of [`Sparse`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Procedural(pub Sparse);

impl WiringMethod for Procedural {
    fn cites(&self) -> Vec<Cite> {
        let mut all = vec![Cite::of("knight2021")];
        all.extend(self.0.cites());
        all
    }

    fn weights(&self) -> &Dense {
        self.0.weights()
    }

    fn weights_mut(&mut self) -> &mut Dense {
        self.0.weights_mut()
    }

    fn convolves(&self) -> bool {
        false
    }

    fn learns(&self) -> bool {
        false
    }

    fn inputs(&self, pre: usize) -> usize {
        self.0.inputs(pre)
    }

    fn numbers(&self, ports: usize) -> Option<usize> {
        (ports == 1).then_some(1)
    }

    fn join(&self, Ends { pre, post, autapses, layer, key, .. }: Ends<'_>) -> Box<dyn Wiring> {
        let (listed, weights, key) = (self.inputs(pre), self.weights().clone(), key.of("wiring", 0));
        Box::new(ProceduralWiring { pre, post, listed, autapses, gain: weights.gain.at(layer), weights, key })
    }

    fn examples() -> Vec<Self> {
        vec![Self(Sparse { density: 0.4, weights: Dense::default() })]
    }
}

/// Procedural wiring between two populations.
#[derive(Clone, Debug)]
pub struct ProceduralWiring {
    pre: usize,
    post: usize,
    /// Inputs of each unit.
    listed: usize,
    autapses: bool,
    weights: Dense,
    gain: f64,
    key: Key,
}

impl ProceduralWiring {
    /// Inputs of some units, and the weights that belong to them.
    fn of(&self, units: Range<usize>, dtype: DType) -> (Vec<u32>, Mat) {
        let (mut at, mut weights) = (Vec::new(), Mat::zeros(dtype, 0, 0));
        for i in units {
            let mut stream = self.key.of("unit", i as u64).stream();
            let chosen = chosen(self.pre, self.listed, (!self.autapses).then_some(i), &mut stream);
            let fan_out = self.post * chosen.len() / self.pre;
            let row = self.weights.draw(dtype, [1, chosen.len()], fan_out, self.gain, &mut stream);
            if at.is_empty() {
                weights = row
            } else {
                weights.append_rows(row.view())
            }
            at.extend(chosen);
        }
        (at, weights)
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.post).step_by(BLOCK).map(|i| i..(i + BLOCK).min(self.post))
    }
}

impl Wiring for ProceduralWiring {
    fn form(&self) -> Option<Form> {
        None
    }

    fn weight_shape(&self) -> (usize, usize) {
        (0, 0)
    }

    fn factorises(&self) -> bool {
        false
    }

    fn forward(&self, _: &WeightMat, pre: View<'_>, mut post: ViewMut<'_>) {
        for units in self.blocks() {
            let (at, weights) = self.of(units.clone(), pre.dtype());
            let mut part = Mat::zeros(pre.dtype(), pre.rows(), units.len());
            listed_nt(pre, weights.view(), &at, part.view_mut());
            dispatch!(pre.dtype(), T => for r in 0..pre.rows() {
                let to = &mut post.row_mut::<T>(r)[units.clone()];
                to.iter_mut().zip(part.view().row::<T>(r)).for_each(|(to, x)| *to += *x);
            });
        }
    }

    fn backward_input(&self, _: &WeightMat, g: View<'_>, mut pre: ViewMut<'_>) {
        for units in self.blocks() {
            let (at, weights) = self.of(units.clone(), g.dtype());
            let mut part = Mat::zeros(g.dtype(), g.rows(), units.len());
            dispatch!(g.dtype(), T => for r in 0..g.rows() {
                part.view_mut().row_mut::<T>(r).copy_from_slice(&g.row::<T>(r)[units.clone()]);
            });
            listed_nn(part.view(), weights.view(), &at, pre.reborrow());
        }
    }

    fn backward_weight(&self, _: View<'_>, _: View<'_>, _: Range<usize>, _: ViewMut<'_>) {}

    fn fan_out(&self, _: &WeightMat, [pre, _]: [usize; 2]) -> Vec<f64> {
        let mut counts = vec![0.0; pre];
        for units in self.blocks() {
            self.of(units, DType::F64).0.into_iter().for_each(|i| counts[i as usize] += 1.0);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ⟨g, W(x)⟩ = ⟨Wᵀ(g), x⟩, and W is the same each time.
    #[test]
    fn the_way_back_is_the_adjoint_of_the_way_forth() {
        let spec = Procedural(Sparse { density: 0.3, weights: Dense::default() });
        let key = Key::new(7);
        let ends = Ends { pre: 20, post: 150, ports: 1, spikes: false, autapses: true, layer: 0, key: &key };
        let wiring = spec.join(ends);
        let mat = |rows, cols, k: usize| {
            Mat::from_fn(DType::F64, rows, cols, |r, c| ((r * 7 + c * 3 + k) % 11) as f64 - 5.0)
        };
        let (none, x, g) = (WeightMat::new(mat(0, 0, 0)), mat(3, 20, 1), mat(3, 150, 2));
        let (mut post, mut again, mut pre) =
            (Mat::zeros(DType::F64, 3, 150), Mat::zeros(DType::F64, 3, 150), Mat::zeros(DType::F64, 3, 20));
        wiring.forward(&none, x.view(), post.view_mut());
        wiring.forward(&none, x.view(), again.view_mut());
        wiring.backward_input(&none, g.view(), pre.view_mut());
        let dot = |a: &Mat, b: &Mat| a.to_f64s().iter().zip(b.to_f64s()).map(|(a, b)| a * b).sum::<f64>();
        assert_eq!(post, again);
        let (forth, back) = (dot(&g, &post), dot(&pre, &x));
        assert!((forth - back).abs() < 1e-10 && forth.abs() > 1.0, "{forth} {back}");
    }
}
