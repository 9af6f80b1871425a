//! Energy-guarded Anderson mixing: the fixed points of even-odd sweeps in fewer sweeps.

use crate::common::{batch, gradient, recipe, relative_error};
use bouton::network::State;
use bouton::recipe::Recipe;
use bouton::solver::{RelaxationStats, Solver};

const LAYERS: [usize; 5] = [20, 40, 40, 40, 10];

/// Weights large enough for slow convergence.
fn strong(activation: &str, solver: &str) -> Recipe {
    gained(activation, 1.6, solver)
}

fn gained(activation: &str, gain: f64, solver: &str) -> Recipe {
    recipe(
        &LAYERS,
        &format!(
            "[neuron.settle]\nactivation = \"{activation}\"\n[wiring.dense]\ngain = {gain:?}\n[credit.eq-prop]\nbeta = 0.01\n\
             nudge = \"symmetric\"\nfree-steps = 3000\nnudged-steps = 3000\n{solver}"
        ),
    )
}

/// The free state of eight samples after at most `steps` sweeps.
fn relaxed(recipe: &Recipe, seed: u64, steps: usize) -> (State, RelaxationStats) {
    let network = recipe.build().unwrap();
    let batch = batch(&network, seed);
    let constant = network.constant_drive(batch.x.view());
    let mut state = State::new(&network, &constant, 0..8, &batch.target);
    let solver = Solver::new(&recipe.solver, &network).unwrap();
    let done = solver.relax(&network, &mut state, None, steps, "free").unwrap();
    (state, done)
}

#[test]
fn every_sample_reaches_the_same_attractor_in_fewer_sweeps() {
    // Where weights allow several states of rest, the energy may lead to another one.
    for (activation, gain) in [("shifted-sigmoid", 1.6), ("hard-sigmoid", 0.8), ("tanh", 0.8)] {
        let plain = gained(activation, gain, "[solver.even-odd]\ntolerance = 1e-12");
        let mixed = gained(activation, gain, "[solver.anderson]\ntolerance = 1e-12");
        let (mut slow, mut fast) = (RelaxationStats::default(), RelaxationStats::default());
        for seed in 0..25 {
            let ((a, s), (b, f)) = (relaxed(&plain, seed, 3000), relaxed(&mixed, seed, 3000));
            (slow, fast) = (slow.with(s), fast.with(f));
            assert_eq!(a.samples, b.samples, "rows are back in order");
            for p in 1..LAYERS.len() {
                let (a, b) = (a.out[p].to_f64s(), b.out[p].to_f64s());
                let apart = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
                assert!(apart < 1e-6, "{activation}, layer {p}: {apart:e}");
            }
        }
        assert_eq!(
            fast.unsettled, 0,
            "{activation}: {} even-odd ones were slower than all steps",
            slow.unsettled
        );
        let (slow, fast) = (slow.mean_sweeps(), fast.mean_sweeps());
        println!("{activation}: {slow:.1} even-odd sweeps, {fast:.1} mixed ones");
        assert!(fast < 0.8 * slow, "{activation}: {fast} sweeps against {slow}");
    }
}

#[test]
fn gradients_are_those_of_even_odd_sweeps() {
    let plain = strong("shifted-sigmoid", "[solver.even-odd]\ntolerance = 1e-13");
    let mut network = plain.build().unwrap();
    let batch = batch(&network, 8);
    let (a, _) = gradient(&plain, &mut network, &batch);
    for history in [1, 2, 5, 9] {
        let mixed =
            strong("shifted-sigmoid", &format!("[solver.anderson]\nhistory = {history}\ntolerance = 1e-13"));
        let (b, _) = gradient(&mixed, &mut network, &batch);
        let error = relative_error(&b, &a);
        assert!(error < 1e-7, "history {history}: {error:e}");
    }
}

#[test]
fn before_there_is_a_past_the_sweeps_are_even_odd_to_the_bit() {
    let (plain, mixed) =
        (strong("shifted-sigmoid", "[solver.even-odd]"), strong("shifted-sigmoid", "[solver.anderson]"));
    for steps in [1, 2] {
        assert_eq!(relaxed(&plain, 1, steps).0.out, relaxed(&mixed, 1, steps).0.out);
    }
    assert_ne!(relaxed(&plain, 1, 4).0.out, relaxed(&mixed, 1, 4).0.out);
}
