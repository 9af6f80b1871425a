//! A network inside a larger model: gradients of losses from outside, in training and in evaluation.

use crate::common::{batch, central_differences, recipe, relative_error};
use bouton::credit::{Batch, outside};
use bouton::network::Network;
use bouton::objective::Given;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

const LAYERS: [usize; 4] = [20, 12, 9, 5];
const SMOOTH: &str = "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n";

/// Some gradient of the outputs; that of the third sample is zero.
fn outer(samples: usize, by: f64) -> Given {
    let g = |r, c| if r == 2 { 0.0 } else { by * ((((r * 5 + c * 3) % 7) as f64 - 3.0) / 7.0) };
    Given { gradient: Mat::from_fn(DType::F64, samples, 5, g) }
}

/// The gradients of the parameters and of the input.
fn back(
    recipe: &Recipe,
    network: &mut Network,
    batch: &Batch,
    given: &Given,
    training: bool,
) -> [Vec<f64>; 2] {
    let mut credit = recipe.credit.build(&recipe.solver, network, batch.ids.len()).unwrap();
    let found = outside::gradients(&mut *credit, network, batch, given, &Key::new(5), training);
    let (parameters, input) = found.unwrap();
    [parameters.flat(network), input.unwrap().to_f64s()]
}

/// Mean over the samples of g · output.
fn value(recipe: &Recipe, network: &mut Network, batch: &Batch, given: &Given, training: bool) -> f64 {
    let credit = recipe.credit.build(&recipe.solver, network, batch.ids.len()).unwrap();
    let (objective, key) = (recipe.objective.build(), Key::new(5));
    let norms = network.norms();
    let out = outside::forward(&*credit, network, batch, &*objective, training.then_some(&key)).unwrap();
    network.set_norms(&norms);
    let products = out.to_f64s().into_iter().zip(given.gradient.to_f64s()).map(|(s, g)| s * g);
    products.sum::<f64>() / batch.len() as f64
}

#[test]
fn a_gradient_grows_with_the_loss_it_belongs_to() {
    let ep = |more: &str| {
        format!("{SMOOTH}[credit.eq-prop]\nbeta = 0.3\nfree-steps = 40\nnudged-steps = 15\n{more}")
    };
    for tables in [
        ep(""),
        ep("nudge = \"positive\""),
        ep("nudge = \"random-sign\"\n[solver.even-odd]\ntolerance = 1e-4"),
        ep("[objective.softmax-cross-entropy]"),
        format!(
            "{SMOOTH}[credit.holomorphic-eq-prop]\nbeta = 0.3\npoints = 4\nfree-steps = 40\nnudged-steps = 15"
        ),
        format!("{SMOOTH}[credit.coupled-learning]\nbeta = 0.3\nfree-steps = 40\nnudged-steps = 15"),
        format!("{SMOOTH}[credit.bptt]\nsteps = 20"),
        "[neuron.relu]\n[credit.backprop]".to_owned(),
    ] {
        let recipe = recipe(&LAYERS, &tables);
        let mut network = recipe.build().unwrap();
        let batch = batch(&network, 3);
        let one = back(&recipe, &mut network, &batch, &outer(8, 1.0), true);
        assert!(one[1][40..60].iter().all(|g| *g == 0.0), "no loss, no gradient: {tables}");
        assert!(one[1][..40].iter().all(|g| *g != 0.0), "{tables}");
        for by in [1e-6, 1e-3, 10.0, 1e6] {
            let scaled = back(&recipe, &mut network, &batch, &outer(8, by), true);
            for (scaled, one) in scaled.iter().zip(&one) {
                let scaled: Vec<f64> = scaled.iter().map(|g| g / by).collect();
                assert!(relative_error(&scaled, one) < 1e-9, "{by:e}: {tables}");
            }
        }
    }
}

/// The nudge has the same size at every point of the circle.
#[test]
fn holomorphic_nudges_by_a_loss_from_outside_approach_the_adjoint() {
    let hep = format!(
        "{SMOOTH}[credit.holomorphic-eq-prop]\nbeta = 0.05\npoints = 4\nfree-steps = 400\nnudged-steps = 400"
    );
    let rbp = format!("{SMOOTH}[credit.recurrent-backprop]\nfree-steps = 400\nadjoint-steps = 400");
    let [hep, rbp] = [hep, rbp].map(|tables| {
        let recipe = recipe(&LAYERS, &tables);
        let mut network = recipe.build().unwrap();
        let batch = batch(&network, 3);
        back(&recipe, &mut network, &batch, &outer(8, 1.0), true).concat()
    });
    let error = relative_error(&hep, &rbp);
    assert!(error < 1e-5, "{error:e}");
}

#[test]
fn the_way_back_differentiates_the_way_there_in_training_and_in_evaluation() {
    for more in ["[norm.batch]", "[norm.batch]\nstatistics = \"batch\"", "[norm.layer]", ""] {
        let tables = format!("[neuron.relu]\n[credit.backprop]\n{more}");
        let recipe = recipe(&LAYERS, &tables)
            .with_overrides(&["network.dropout=0.3", "network.input-dropout=0.2"])
            .unwrap();
        let mut network = recipe.build().unwrap();
        let (mut batch, given) = (batch(&network, 3), outer(8, 1.0));
        for training in [true, false] {
            let [g, gx] = back(&recipe, &mut network, &batch, &given, training);
            let numeric =
                central_differences(&mut network, &mut |n| value(&recipe, n, &batch, &given, training));
            let error = relative_error(&g, &numeric);
            assert!(error < 1e-7, "{more} {training}: {error:e}");
            let mut slope = |i: usize| {
                let mut at = |by: f64| {
                    batch.x.slice_mut::<f64>()[i] += by;
                    let value = value(&recipe, &mut network, &batch, &given, training);
                    batch.x.slice_mut::<f64>()[i] -= by;
                    value
                };
                (at(1e-5) - at(-1e-5)) / 2e-5
            };
            let numeric: Vec<f64> = (0..gx.len()).map(&mut slope).collect();
            let error = relative_error(&gx, &numeric);
            assert!(error < 1e-7, "{more} {training} input: {error:e}");
        }
    }
}

#[test]
fn only_training_moves_running_statistics_and_one_sample_has_none() {
    let recipe = recipe(&LAYERS, "[neuron.relu]\n[credit.backprop]\n[norm.batch]\n");
    let mut network = recipe.build().unwrap();
    let (batch, objective, key) = (batch(&network, 3), recipe.objective.build(), Key::new(5));
    let credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let mut learned = recipe.build().unwrap();
    crate::common::gradient(&recipe, &mut learned, &batch);
    let before = network.norms();
    outside::forward(&*credit, &mut network, &batch, &*objective, None).unwrap();
    assert_eq!(network.norms(), before);
    outside::forward(&*credit, &mut network, &batch, &*objective, Some(&key)).unwrap();
    assert!(network.norms() == learned.norms() && network.norms() != before);
    let after = network.norms();
    back(&recipe, &mut network, &batch, &outer(8, 1.0), true);
    assert_eq!(network.norms(), after);
    let alone = outside::forward(&*credit, &mut network, &batch.first(1), &*objective, Some(&key));
    assert!(alone.unwrap_err().to_string().contains("one sample"));
}
