//! The metaplastic synapse behind Adam against the update written out, weight by weight, over several updates.
//!
//! g = ∂L/∂W^b + λ W^h;  M ← β₁M + (1 − β₁)g;  V ← β₂V + (1 − β₂)g²;  s = η √(1 − β₂ᵗ)/(1 − β₁ᵗ);
//! W^h ← W^h − s f M/(√V + ε) with f = 1 − tanh²(m W^h) where M sign(W^h) > 0, else f = 1;  W^b = sign(W^h).
//! Laborieux, Ernoult, Hirtzlin & Querlioz, Nat. Commun. 12:2549 (2021), whose Adam adds ε before the bias of V is
//! corrected (`early-eps`); without it, as in Kingma & Ba 2015, ε joins √(V/(1 − β₂ᵗ)).

use crate::common::{batch, relative_error};
use bouton::credit::{Batch, GradCollector, GradSink};
use bouton::network::{Network, ParamId};
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;

/// η, ε and λ are large, so that each of them shows in the result.
const RATE: f64 = 0.1;
const EPS: f64 = 0.01;
const DECAY: f64 = 0.05;
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const M: [f64; 2] = [0.7, 3.0];
const UPDATES: i32 = 12;

fn recipe(early: bool, m: &[f64]) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 4, 5]\nclasses = 4\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [20, 6, 4]\n[neuron.sign]\n[norm.batch]\n[credit.backprop]\n\
         [objective.softmax-cross-entropy]\n[wiring.dense]\ninit = \"uniform\"\ngain = 0.6\n\
         [optim.adam]\nlr = {RATE}\neps = {EPS}\ndecay = {DECAY}\nearly-eps = {early}\n[synapse.metaplastic]\nm = {m:?}\n"
    );
    Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// One hidden weight by hand.
#[derive(Clone, Copy)]
struct Hand {
    hidden: f64,
    first: f64,
    second: f64,
}

impl Hand {
    /// Takes gradient `g` in update `t`; whether the step was held back.
    fn take(&mut self, t: i32, g: f64, m: f64, early: bool) -> bool {
        let g = g + DECAY * self.hidden;
        self.first = BETA1 * self.first + (1.0 - BETA1) * g;
        self.second = BETA2 * self.second + (1.0 - BETA2) * g * g;
        let (c1, c2) = (1.0 - BETA1.powi(t), 1.0 - BETA2.powi(t));
        let step = if early {
            RATE * c2.sqrt() / c1 * self.first / (self.second.sqrt() + EPS)
        } else {
            RATE * (self.first / c1) / ((self.second / c2).sqrt() + EPS)
        };
        let shrinks = self.first * self.hidden.signum() > 0.0;
        let f = if shrinks { 1.0 - (m * self.hidden).tanh().powi(2) } else { 1.0 };
        self.hidden -= f * step;
        shrinks
    }
}

/// The gradient with respect to the binary weights of every connection.
fn gradients(recipe: &Recipe, network: &mut Network, batch: &Batch) -> [Vec<f64>; 2] {
    let mut sink = GradCollector::default();
    learn(recipe, network, batch, &mut sink);
    [0, 1].map(|c| sink.values(ParamId::weight(c)))
}

fn learn(recipe: &Recipe, network: &mut Network, batch: &Batch, sink: &mut dyn GradSink) {
    let mut credit = recipe.credit.build(&recipe.solver, network, 8).unwrap();
    credit.learn(network, batch, &*recipe.objective.build(), sink, &Key::new(1)).unwrap();
}

fn hidden(network: &Network, c: usize) -> Vec<f64> {
    network.connections[c].states[0].to_f64s()
}

/// Largest relative error of the hidden weights against `Hand` after any update; by hand, ε and m may stand elsewhere.
fn against_hand(early: bool, by_hand_early: bool, m: [f64; 2]) -> f64 {
    let recipe = recipe(early, &M);
    let mut network = recipe.build().unwrap();
    let mut updater = Updater::new(&network, recipe.optim.build());
    let start = |c| hidden(&network, c).into_iter().map(|hidden| Hand { hidden, first: 0.0, second: 0.0 });
    let mut hands = [0, 1].map(|c| start(c).collect::<Vec<_>>());
    let (mut worst, mut held) = (0.0_f64, [0, 0]);
    for t in 1..=UPDATES {
        let batch = batch(&network, t as u64);
        let g = gradients(&recipe, &mut network, &batch);
        learn(&recipe, &mut network, &batch, &mut updater);
        for (c, hands) in hands.iter_mut().enumerate() {
            for (hand, g) in hands.iter_mut().zip(&g[c]) {
                held[usize::from(hand.take(t, *g, m[c], by_hand_early))] += 1;
            }
            let expected: Vec<f64> = hands.iter().map(|h| h.hidden).collect();
            worst = worst.max(relative_error(&hidden(&network, c), &expected));
        }
    }
    assert!(held.iter().all(|n| *n > 100), "both cases come up: {held:?}");
    worst
}

#[test]
fn hidden_weights_move_as_the_update_written_out() {
    for early in [true, false] {
        let error = against_hand(early, early, M);
        assert!(error < 1e-12, "early-eps = {early}: {error:e}");
    }
}

/// The same comparison sees another place of ε, another m, and m of the wrong connection.
#[test]
fn another_rule_is_not_mistaken_for_it() {
    for (by_hand_early, m) in [(false, M), (true, [0.7, 2.9]), (true, [3.0, 0.7])] {
        let error = against_hand(true, by_hand_early, m);
        assert!(error > 1e-4, "{by_hand_early} {m:?}: {error:e}");
    }
}

#[test]
fn weights_are_the_signs_of_hidden_weights_and_some_of_them_turn() {
    let recipe = recipe(true, &M);
    let mut network = recipe.build().unwrap();
    let mut updater = Updater::new(&network, recipe.optim.build());
    let weights = |n: &Network, c: usize| n.connections[c].weight.mat().to_f64s();
    let before = [0, 1].map(|c| weights(&network, c));
    for t in 0..UPDATES as u64 {
        let batch = batch(&network, t);
        learn(&recipe, &mut network, &batch, &mut updater);
    }
    for c in [0, 1] {
        let signs: Vec<f64> = hidden(&network, c).iter().map(|h| h.signum()).collect();
        assert_eq!(weights(&network, c), signs);
        assert_ne!(signs, before[c]);
    }
}

#[test]
fn one_m_for_every_connection_or_one_each() {
    for m in [&[1.0][..], &[1.0, 2.0, 3.0], &[]] {
        let error = recipe(true, m).check().unwrap_err();
        let expected = format!("`synapse.metaplastic.m` lists {} values, but the network has 2", m.len());
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("one per connection")), "{error}");
    }
    let error = recipe(true, &[1.0, 1.0]).with_overrides(&["synapse.metaplastic.m=[1.0, -1.0]"]).unwrap_err();
    assert!(error.to_string().contains("`synapse.metaplastic.m[1]` is -1"), "{error}");
}
