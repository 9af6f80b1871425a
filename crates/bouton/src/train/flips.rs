//! How many binary weights flip: the fraction of a connection's weights whose sign differs from that of an epoch ago.
//!
//! One bit for each weight, in the checkpoint too, so that a run that goes on within an epoch counts on.

use super::checkpoint::{Checkpoint, Tensor, TensorData};
use crate::error::Result;
use crate::network::Network;
use crate::recipe::{NetworkPlan, Recipe};
use bouton_kernels::{Mat, Real, dispatch};
use std::collections::BTreeMap;

/// Signs of the binary weights of a network, by connection; empty if its weights are not binary.
#[derive(Clone, Debug, Default)]
pub(super) struct Flips {
    signs: BTreeMap<String, Vec<u64>>,
}

/// The prefix of the tensors that hold signs.
const PREFIX: &str = "signs.";

impl Flips {
    /// The present signs of the connections that `recipe` gives binary synapses.
    ///
    /// # Errors
    /// Those of [`NetworkPlan::new`].
    pub fn new(network: &Network, recipe: &Recipe) -> Result<Self> {
        let plan = NetworkPlan::new(recipe)?;
        let binary = plan.connections.into_iter().filter(|c| c.synapse.method().traits().binary());
        let names: Vec<String> = binary.map(|c| c.name).collect();
        Ok(Self { signs: signs(network, |name| names.contains(name)) })
    }

    /// `flips.<connection>` since it was last asked for.
    pub fn take(&mut self, network: &Network) -> BTreeMap<String, f64> {
        if self.signs.is_empty() {
            return BTreeMap::new();
        }
        let before = {
            let now = signs(network, |name| self.signs.contains_key(name));
            std::mem::replace(&mut self.signs, now)
        };
        let weights = network
            .connections
            .iter()
            .filter(|c| before.contains_key(&c.name))
            .map(|c| (&c.name, c.weight.mat().rows() * c.weight.mat().cols()));
        let flipped = |name: &String| -> u32 {
            self.signs[name].iter().zip(&before[name]).map(|(new, old)| (new ^ old).count_ones()).sum()
        };
        let of = |(name, n): (&String, usize)| (format!("flips.{name}"), f64::from(flipped(name)) / n as f64);
        weights.map(of).collect()
    }

    /// What a checkpoint keeps.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor> + '_ {
        self.signs.iter().map(|(name, bits)| Tensor {
            name: format!("{PREFIX}{name}"),
            shape: vec![bits.len()],
            data: TensorData::U64(bits.clone()),
        })
    }

    /// Names and shapes of those tensors that `checkpoint` has; checkpoints of older versions have none.
    pub fn wanted(&self, checkpoint: &Checkpoint) -> Vec<(String, Vec<usize>)> {
        let all = self.signs.iter().map(|(name, bits)| (format!("{PREFIX}{name}"), vec![bits.len()]));
        all.filter(|(name, _)| checkpoint.tensor(name).is_ok()).collect()
    }

    /// Goes on from `checkpoint`; where it has no signs, from those of `network`.
    pub fn restore(&mut self, network: &Network, checkpoint: &Checkpoint) {
        self.signs = signs(network, |name| self.signs.contains_key(name));
        for (name, bits) in &mut self.signs {
            if let Ok(Tensor { data: TensorData::U64(kept), .. }) =
                checkpoint.tensor(&format!("{PREFIX}{name}"))
            {
                bits.clone_from(kept);
            }
        }
    }
}

fn signs(network: &Network, wanted: impl Fn(&String) -> bool) -> BTreeMap<String, Vec<u64>> {
    let connections = network.connections.iter().filter(|c| wanted(&c.name));
    let weights = connections.map(|c| (c.name.clone(), c.weight.mat()));
    weights.filter(|w| !w.1.is_empty()).map(|(name, mat)| (name, bits(mat))).collect()
}

/// Bit i is whether weight i is at least 0.
fn bits(mat: &Mat) -> Vec<u64> {
    dispatch!(mat.dtype(), T => {
        let zero = T::constant(0.0);
        let word = |w: &[T]| w.iter().enumerate().fold(0, |bits, (i, &w)| bits | (u64::from(w >= zero) << i));
        mat.slice::<T>().chunks(64).map(word).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn a_bit_for_each_weight() {
        let mut values = vec![-1.0; 70];
        (values[0], values[3], values[65]) = (1.0, 0.0, 2.0);
        assert_eq!(bits(&Mat::from_f64s(DType::F32, 7, 10, &values)), [0b1001, 0b10]);
    }
}
