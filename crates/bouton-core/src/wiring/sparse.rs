//! Every unit from a share of the units before it: post_i += Σ_k w_ik pre_{j(i, k)}, with as many inputs for each unit, drawn once
//! without repetition ("fixed in-degree").
//!
//! The weight is [post, inputs of each], and no other exists: what learns, decays, is anchored or costs memory is what is joined.

use super::{Dense, Ends, Form, Wiring, WiringMethod, in_bands};
use crate::axis::Cite;
use crate::rng::Stream;
use bouton_kernels::{View, ViewMut, WeightMat, listed_nn, listed_nt, listed_tn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Sparse wiring (`[wiring.sparse]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sparse {
    /// Share of the units before it that a unit receives from, one at least.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "0.1 joins every unit with a tenth of the units"))]
    pub density: f64,
    /// How weights are drawn and what flows back, as in `[wiring.dense]`; a fan-in is the number of inputs that a unit has.
    #[serde(default)]
    pub weights: Dense,
}

impl WiringMethod for Sparse {
    fn cites(&self) -> Vec<Cite> {
        self.weights.cites()
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
        ((self.density * pre as f64).round() as usize).clamp(1, pre)
    }

    fn numbers(&self, ports: usize) -> Option<usize> {
        (ports == 1).then_some(1)
    }

    fn join(&self, ends: Ends<'_>) -> Box<dyn Wiring> {
        let (mut stream, listed) = (ends.key.of("wiring", 0).stream(), self.inputs(ends.pre));
        let of = |i: usize| chosen(ends.pre, listed, (!ends.autapses).then_some(i), &mut stream);
        let at: Vec<u32> = (0..ends.post).flat_map(of).collect();
        Box::new(SparseWiring { post: ends.post, at })
    }

    fn examples() -> Vec<Self> {
        let of = |(density, weights)| Self { density, weights };
        [0.5, 0.2, 1.0].into_iter().cycle().zip(Dense::examples()).map(of).collect()
    }
}

/// `listed` of `pre` units in ascending order, or all that there are without unit `but`.
pub(super) fn chosen(pre: usize, listed: usize, but: Option<usize>, stream: &mut Stream) -> Vec<u32> {
    let among = pre - usize::from(but.is_some());
    let mut all = Vec::with_capacity(listed);
    // One more choice with every number, and the largest in the place of one that is taken (Floyd; Bentley 1987).
    for last in among - listed.min(among)..among {
        let drawn = stream.below(last as u64 + 1) as u32;
        let (place, one) = match all.binary_search(&drawn) {
            Ok(_) => (all.len(), last as u32),
            Err(place) => (place, drawn),
        };
        all.insert(place, one);
    }
    let but = but.map_or(u32::MAX, |but| but as u32);
    all.into_iter().map(|i| i + u32::from(i >= but)).collect()
}

/// Sparse wiring between two populations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseWiring {
    /// Units of the postsynaptic population.
    pub post: usize,
    /// Presynaptic units of each, one after the other, as many of each.
    pub at: Vec<u32>,
}

/// Products of fewer multiplications stay on one thread.
const PARALLEL: usize = 1 << 18;

impl Wiring for SparseWiring {
    fn form(&self) -> Option<Form> {
        None
    }

    fn weight_shape(&self) -> (usize, usize) {
        (self.post, self.at.len() / self.post)
    }

    fn factorises(&self) -> bool {
        false
    }

    fn forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        listed_nt(pre, weight.mat().view(), &self.at, post);
    }

    fn backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        listed_nn(g, weight.mat().view(), &self.at, pre);
    }

    fn backward_weight(&self, pre: View<'_>, g: View<'_>, band: Range<usize>, g_w: ViewMut<'_>) {
        listed_tn(g, band, pre, &self.at, g_w);
    }

    fn par_forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        if pre.rows() * self.at.len() < PARALLEL {
            return self.forward(weight, pre, post);
        }
        in_bands(post, |rows, part| self.forward(weight, pre.rows_range(rows), part));
    }

    fn par_backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        if g.rows() * self.at.len() < PARALLEL {
            return self.backward_input(weight, g, pre);
        }
        in_bands(pre, |rows, part| self.backward_input(weight, g.rows_range(rows), part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    /// Each of n units is as likely as any other, none comes twice, and the one left out never.
    #[test]
    fn choices_are_uniform_without_repetition() {
        let (mut stream, mut counts) = (Key::new(3).stream(), [0_usize; 10]);
        for _ in 0..3000 {
            let all = chosen(10, 3, Some(4), &mut stream);
            assert!(all.is_sorted_by(|a, b| a < b) && all.len() == 3, "{all:?}");
            all.iter().for_each(|&i| counts[i as usize] += 1);
        }
        let others = || counts.iter().enumerate().filter(|(i, _)| *i != 4).map(|(_, n)| *n);
        assert_eq!(counts[4], 0);
        // 1,000 each, with a standard deviation of 26.
        assert!(others().all(|n| (880..1120).contains(&n)), "{counts:?}");
        assert!(chosen(1, 1, Some(0), &mut stream).is_empty());
        assert_eq!(chosen(5, 5, Some(2), &mut stream), [0, 1, 3, 4], "all that there are");
        let inputs = |density, pre| Sparse { density, weights: Dense::default() }.inputs(pre);
        assert_eq!([inputs(0.1, 784), inputs(0.001, 20), inputs(1.0, 7)], [78, 1, 7]);
    }
}
