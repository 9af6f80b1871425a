//! What it costs to flip binary weights, by the size of their hidden weight.
//!
//! Δℓ = (L(S weights flipped) − L)/S, for S weights of one connection drawn from one range of |W^h|, averaged over some
//! draws (Laborieux, Ernoult, Hirtzlin & Querlioz, Nat. Commun. 12:2549, 2021, figure 5c-e).

use crate::error::Result;
use crate::network::{ConnId, Network};
use crate::rng::Stream;

/// One in so many weights of a connection is flipped at a time; the paper flips one in 100 to 800.
const SHARE: usize = 500;

/// The cost per weight of flipping weights of connection `c`, for each of `ranges` (indices of weights) by so many `draws`;
/// `None` for a range with too few weights. The network comes back as it was.
///
/// # Errors
/// Those of `loss`, the loss of a network.
pub(super) fn costs(
    network: &mut Network,
    c: ConnId,
    mut ranges: Vec<Vec<usize>>,
    draws: usize,
    random: &mut Stream,
    mut loss: impl FnMut(&mut Network) -> Result<f64>,
) -> Result<Vec<Option<f64>>> {
    let flipped = (ranges.iter().map(Vec::len).sum::<usize>() / SHARE).max(1);
    let before = loss(network)?;
    let mut cost = |range: &mut Vec<usize>| {
        if range.len() < flipped {
            return Ok(None);
        }
        let mut rise = 0.0;
        for _ in 0..draws {
            random.draw(range, flipped);
            network.flip(c, &range[..flipped]);
            let after = loss(network);
            network.flip(c, &range[..flipped]);
            rise += after? - before;
        }
        Ok(Some(rise / (draws * flipped) as f64))
    };
    ranges.iter_mut().map(&mut cost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::rng::Key;

    const RECIPE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 2, 2]\nclasses = 3\ntrain = 3\ntest = 3\n\
        batch = 3\nepochs = 1\n[network]\nlayers = [4, 5, 3]\n[neuron.sign]\n[synapse.binary]\n[credit.backprop]\n\
        [optim.sgd]\nlr = 0.1\n";

    /// With the sum of all weights as the loss, flipping a weight w costs exactly −2w.
    #[test]
    fn the_cost_is_the_rise_of_the_loss_and_nothing_stays_turned() {
        let recipe = Recipe::parse(RECIPE, "test").unwrap();
        let mut network = recipe.build().unwrap();
        let weights = network.connections[0].weight.mat().to_f64s();
        let of = |sign: f64| (0..20).filter(|&i| weights[i] == sign).collect::<Vec<_>>();
        let ranges = vec![of(1.0), Vec::new(), of(-1.0)];
        let sum = |network: &mut Network| {
            Ok(network.connections[0].weight.mat().to_f64s().into_iter().sum::<f64>())
        };
        let mut random = Key::new(1).stream();
        let found = costs(&mut network, 0, ranges, 3, &mut random, sum).unwrap();
        assert_eq!(found, [Some(-2.0), None, Some(2.0)]);
        assert_eq!(network.connections[0].weight.mat().to_f64s(), weights);
    }
}
