//! Dropout: in an update a unit is silent with probability p, x̃ = m x/(1 − p) with m ∈ {0, 1}, so that E x̃ = x.
//!
//! Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, JMLR 15:1929 (2014), scaled in training instead of in tests.
//! What a pass on one sample saw is read off its gradients: ∂ℓ/∂W_ji = δ_j x̃_i and ∂ℓ/∂b_j = δ_j.

use crate::common;
use crate::common::{batch, central_differences, loss, relative_error, trainer};
use bouton::credit::{Batch, GradCollector, Step};
use bouton::network::{ConnId, Network, ParamId, PopId};
use bouton::recipe::Recipe;
use bouton::rng::Key;

const LAYERS: [usize; 4] = [20, 14, 9, 5];
const INPUT: &str = "network.input-dropout=0.3";
const HIDDEN: &str = "network.dropout=0.4";

fn recipe(layers: &[usize], overrides: &[&str]) -> Recipe {
    let tables = "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n";
    common::recipe(layers, tables).with_overrides(overrides).unwrap()
}

/// The gradients of update `update`, and its loss; no weight moves.
fn pass(recipe: &Recipe, network: &mut Network, batch: &Batch, update: u64) -> (GradCollector, Step) {
    let mut credit = recipe.credit.build(&recipe.solver, network, batch.ids.len()).unwrap();
    let mut sink = GradCollector::default();
    let key = Key::new(1).of("update", update);
    let step = credit.learn(network, batch, &*recipe.objective.build(), &mut sink, &key).unwrap();
    (sink, step)
}

/// What population `p` sends without dropout.
fn clean(recipe: &Recipe, network: &Network, sample: &Batch, p: PopId) -> Vec<f64> {
    if p == network.input() {
        return sample.x.to_f64s();
    }
    let credit = recipe.credit.build(&recipe.solver, network, 1).unwrap();
    credit.free(network, sample, &*recipe.objective.build()).unwrap().out[p].to_f64s()
}

/// What connection `c` saw of the one sample behind these gradients.
fn seen(gradients: &GradCollector, network: &Network, c: ConnId) -> Vec<f64> {
    let deltas = gradients.values(ParamId::bias(network.connections[c].post));
    let weight = gradients.values(ParamId::weight(c));
    let j = (0..deltas.len()).max_by(|&i, &j| deltas[i].abs().total_cmp(&deltas[j].abs())).unwrap();
    weight.chunks(weight.len() / deltas.len()).nth(j).unwrap().iter().map(|g| g / deltas[j]).collect()
}

#[test]
fn what_is_kept_is_scaled_and_the_rest_is_silent() {
    for (overrides, c, p) in [(INPUT, 0, 0.3), (HIDDEN, 1, 0.4)] {
        let recipe = recipe(&[20, 40, 5], &[overrides]);
        let mut network = recipe.build().unwrap();
        let sample = batch(&network, 3).first(1);
        let clean = clean(&recipe, &network, &sample, c);
        let (mut silent, mut all) = (0, 0);
        for update in 0..200 {
            let (gradients, _) = pass(&recipe, &mut network, &sample, update);
            for (seen, clean) in seen(&gradients, &network, c).iter().zip(&clean).filter(|(_, x)| **x > 0.0) {
                (silent, all) = (silent + usize::from(*seen == 0.0), all + 1);
                let off = seen - clean / (1.0 - p);
                assert!(*seen == 0.0 || off.abs() < 1e-12, "{overrides}: {seen} of {clean}");
            }
        }
        let (share, n) = (silent as f64 / all as f64, all as f64);
        assert!((share - p).abs() < 4.0 * (p * (1.0 - p) / n).sqrt(), "{overrides}: {share} of {n}");
    }
}

/// What is silent gets no gradient: neither the weights from it nor, in hidden layers, the weights to it.
#[test]
fn the_gradient_is_that_of_the_pass_with_silent_units() {
    for overrides in [&[INPUT][..], &[HIDDEN], &[INPUT, HIDDEN], &[INPUT, HIDDEN, "norm=batch"]] {
        let recipe = recipe(&LAYERS, overrides);
        let mut network = recipe.build().unwrap();
        let batch = batch(&network, 3);
        let gradient = pass(&recipe, &mut network, &batch, 0).0.flat(&network);
        let mut masked = |update: u64| {
            central_differences(&mut network, &mut |n| pass(&recipe, n, &batch, update).1.mean_loss())
        };
        let (same, other) = (masked(0), masked(1));
        let error = relative_error(&gradient, &same);
        assert!(error < 1e-6, "{overrides:?}: {error:e}");
        assert!(relative_error(&gradient, &other) > 0.1, "{overrides:?}: another update, the same units");
    }
}

/// 8 × 4,096 values are more than one thread's share.
#[test]
fn an_update_silences_the_same_units_with_any_number_of_threads() {
    let recipe = recipe(&[20, 4096, 5], &[INPUT, HIDDEN]);
    let gradient = |threads: usize, update: u64| {
        let mut network = recipe.build().unwrap();
        let batch = batch(&network, 3);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| pass(&recipe, &mut network, &batch, update).0.flat(&network))
    };
    let one = gradient(1, 0);
    assert!(gradient(2, 0) == one);
    assert!(gradient(1, 1) != one);
}

/// With one mask for all populations, what the mask silences in one layer would be silent in the next.
#[test]
fn every_layer_has_a_mask_of_its_own() {
    let recipe = recipe(&[20, 400, 400, 5], &[HIDDEN]);
    let mut network = recipe.build().unwrap();
    let sample = batch(&network, 3).first(1);
    let clean = clean(&recipe, &network, &sample, 1);
    let gradients = pass(&recipe, &mut network, &sample, 0).0;
    let [lower, upper] = [1, 2].map(|c| seen(&gradients, &network, c));
    let masked = (0..400).filter(|&i| clean[i] > 0.0 && lower[i] == 0.0);
    assert!(masked.filter(|&i| upper[i] != 0.0).count() > 5);
}

/// The mean gradient of two copies of a sample is that of one of them if both have one mask.
#[test]
fn every_sample_of_a_batch_has_a_mask_of_its_own() {
    for (overrides, same) in [(&[HIDDEN][..], false), (&[], true)] {
        let recipe = recipe(&LAYERS, overrides);
        let mut network = recipe.build().unwrap();
        let one = batch(&network, 3).first(1);
        let mut x = one.x.clone();
        x.append_rows(one.x.view());
        let two = Batch { x, target: one.target.repeat(2), ids: vec![0, 1], spans: None };
        let [one, two] = [one, two].map(|batch| pass(&recipe, &mut network, &batch, 0).0.flat(&network));
        assert_eq!(relative_error(&two, &one) < 1e-12, same, "{overrides:?}");
    }
}

#[test]
fn evaluation_knows_no_dropout() {
    let (plain, dropped) = (recipe(&LAYERS, &[]), recipe(&LAYERS, &[INPUT, HIDDEN]));
    let mut network = dropped.build().unwrap();
    let batch = batch(&network, 3);
    let learned = pass(&dropped, &mut network, &batch, 0).1.mean_loss();
    let tested = loss(&dropped, &network, &batch);
    assert_eq!(tested, loss(&plain, &plain.build().unwrap(), &batch));
    assert_ne!(tested, learned);
}

/// A run that learns nothing meets the same data in every epoch: only the silent units tell its updates apart.
#[test]
fn every_update_of_a_run_silences_other_units_and_the_same_ones_when_repeated() {
    let losses = |dropout: f64| -> Vec<f64> {
        let mut t = trainer(&format!(
            "precision = \"f64\"\n[task.synthetic]\nshape = [1, 4, 4]\nclasses = 4\ntrain = 48\ntest = 8\n\
             batch = \"all\"\nepochs = 4\n[network]\nlayers = [16, 12, 4]\ndropout = {dropout:?}\n[neuron.relu]\n\
             [credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.0\n"
        ));
        (0..4).map(|_| t.learn().unwrap().mean_loss()).collect()
    };
    let apart = |losses: &[f64]| losses.windows(2).all(|l| (l[0] - l[1]).abs() > 1e-6);
    let (with, without) = (losses(0.5), losses(0.0));
    assert!(apart(&with), "{with:?}");
    assert!(without.windows(2).all(|l| (l[0] - l[1]).abs() < 1e-12), "{without:?}");
    assert_eq!(with, losses(0.5));
}
