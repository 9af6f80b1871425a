//! Networks of convolutions: every credit rule against the gradient it stands for, through every kind of pooling.

use crate::common::{against_differences, batch, distance_of_a_step, gradient, relative_error};
use bouton::credit::{Batch, GradCollector, measure};
use bouton::network::{Network, ParamId, State};
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::solver::{Plan, Solver};

const POOLS: [&str; 4] = [
    "",
    ", pool = { max = 2 }",
    ", pool = { average = 2 }",
    ", pool = { soft = { size = 2, temperature = 0.5 } }",
];

/// Two channels of 6 × 6 through two convolutions to five classes; `pool` stands behind the first one.
fn recipe(pool: &str, tables: &str) -> Recipe {
    let second = if pool.is_empty() { "kernel = 3, stride = 2" } else { "kernel = 2, padding = 1" };
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [2, 6, 6]\nclasses = 5\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [{{ image = [2, 6, 6] }}, {{ filters = 3, kernel = 3, padding = 1{pool} }},\n\
         {{ filters = 4, {second} }}, 5]\n[wiring.conv]\n[optim.sgd]\nlr = 0.1\n{tables}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe
}

/// Relative error of the rule in `a` against the one in `b`, on the same network and batch.
fn compare(pool: &str, a: &str, b: &str) -> f64 {
    let (a, b) = (recipe(pool, a), recipe(pool, b));
    let mut network = a.build().unwrap();
    let batch = batch(&network, 3);
    let (ga, _) = gradient(&a, &mut network, &batch);
    let (gb, _) = gradient(&b, &mut network, &batch);
    relative_error(&ga, &gb)
}

#[test]
fn backprop_equals_central_differences() {
    for pool in POOLS {
        let error = against_differences(&recipe(pool, "[neuron.relu]\n[credit.backprop]"));
        assert!(error < 1e-7, "{pool}: {error:e}");
    }
}

#[test]
fn bptt_equals_central_differences() {
    for pool in POOLS {
        for solver in ["synchronous", "even-odd"] {
            let tables = format!(
                "[neuron.settle]\nactivation = \"tanh\"\n[credit.bptt]\nsteps = 5\n[solver.{solver}]"
            );
            let error = against_differences(&recipe(pool, &tables));
            assert!(error < 1e-6, "{pool} {solver}: {error:e}");
        }
    }
}

const SMOOTH: &str = "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n";

fn adjoint(objective: &str, solver: &str) -> String {
    format!(
        "{SMOOTH}[credit.recurrent-backprop]\nfree-steps = 400\nadjoint-steps = 400\n[objective.{objective}]\n[solver.{solver}]"
    )
}

#[test]
fn recurrent_backprop_equals_long_bptt() {
    for pool in POOLS {
        let bptt = format!("{SMOOTH}[credit.bptt]\nsteps = 500\ntruncate = 400");
        let error = compare(pool, &adjoint("squared-error", "synchronous"), &bptt);
        assert!(error < 1e-10, "{pool}: {error:e}");
    }
}

#[test]
fn eq_prop_approaches_the_adjoint_with_the_order_of_its_nudge() {
    for pool in POOLS {
        for (objective, solver) in [("squared-error", "even-odd"), ("softmax-cross-entropy", "synchronous")] {
            for (nudge, order) in [("positive", 1.0), ("symmetric", 2.0)] {
                let error = |beta: f64| {
                    let ep = format!(
                        "{SMOOTH}[credit.eq-prop]\nbeta = {beta:?}\nnudge = \"{nudge}\"\nfree-steps = 400\n\
                         nudged-steps = 400\n[objective.{objective}]\n[solver.{solver}]"
                    );
                    compare(pool, &ep, &adjoint(objective, solver))
                };
                let (coarse, fine) = (error(0.02), error(0.01));
                let slope = (coarse / fine).log2();
                assert!(
                    (slope - order).abs() < 0.2,
                    "{pool} {objective} {nudge}: slope {slope}, error {fine:e}"
                );
            }
        }
    }
}

#[test]
fn a_truncated_nudged_phase_equals_truncated_bptt() {
    for pool in POOLS {
        for solver in ["synchronous", "even-odd"] {
            let ep = format!(
                "{SMOOTH}[credit.eq-prop]\nbeta = 1e-4\nfree-steps = 400\nnudged-steps = 5\n[solver.{solver}]"
            );
            let tbp = format!("{SMOOTH}[credit.bptt]\nsteps = 405\ntruncate = 5\n[solver.{solver}]");
            let error = compare(pool, &ep, &tbp);
            assert!(error < 1e-6, "{pool} {solver}: {error:e}");
        }
    }
}

/// Samples that settle early leave the batch, and come back with the choices of pooling that belong to their states.
#[test]
fn stopping_sample_by_sample_gives_the_same_gradient() {
    for pool in POOLS {
        let ep = |steps: usize, solver: &str| {
            format!(
                "{SMOOTH}[credit.eq-prop]\nbeta = 0.1\nfree-steps = {steps}\nnudged-steps = {steps}\n[solver.even-odd]\n{solver}"
            )
        };
        let error = compare(pool, &ep(1000, "tolerance = 1e-13"), &ep(200, ""));
        assert!(error < 1e-9, "{pool}: {error:e}");
    }
}

#[test]
fn continual_updates_add_up_to_those_of_eq_prop() {
    for pool in POOLS {
        let tail = "beta = 0.1\nfree-steps = 100\nnudged-steps = 5\n";
        let continual = format!("{SMOOTH}[credit.continual-eq-prop]\n{tail}");
        let ep = format!("{SMOOTH}[credit.eq-prop]\nnudge = \"positive\"\n{tail}");
        let error = compare(pool, &continual, &ep);
        assert!(error < 1e-12, "{pool}: {error:e}");
    }
}

/// A step of plain gradient descent moves every parameter by −lr times the collected gradient.
#[test]
fn the_updater_forms_the_same_gradient() {
    assert!(distance_of_a_step(&recipe(POOLS[1], "[neuron.relu]\n[credit.backprop]")) < 1e-12);
}

/// Of a batch every place is a sample; of a layer all places of a sample are taken together.
#[test]
fn normalised_convolutions_equal_central_differences() {
    normalised("batch", 2);
    normalised("layer", 0);
}

fn normalised(norm: &str, statistics: usize) {
    let recipe = recipe(POOLS[2], &format!("[neuron.relu]\n[norm.{norm}]\n[credit.backprop]"));
    let mut network = recipe.build().unwrap();
    let batch = batch(&network, 3);
    let running = network.populations[1].norm.as_ref().unwrap().statistics();
    assert!(running.len() == statistics && running.iter().all(|(_, mat)| mat.cols() == 3));
    let g = gradient(&recipe, &mut network, &batch).0;
    // What is differentiated is the loss with the batch's own statistics.
    let loss = |network: &mut Network| gradient(&recipe, network, &batch).1.mean_loss();
    for (at, (id, name)) in
        [(5, (ParamId::weight(0), "input-hidden1.weight")), (2, (ParamId::gain(2), "hidden2.gain"))]
    {
        let skipped: usize =
            network.parameters().iter().take_while(|p| p.0 != id).map(|p| p.2.rows() * p.2.cols()).sum();
        let mut move_by = |by: f64| {
            let mut moved = |n: &str, mat: &mut bouton_kernels::Mat| {
                if n == name {
                    mat.slice_mut::<f64>()[at] += by;
                }
                Ok(())
            };
            network.visit(&mut moved).unwrap();
            loss(&mut network)
        };
        let slope = (move_by(1e-5) - move_by(-2e-5)) / 2e-5;
        move_by(1e-5);
        assert!(
            (slope - g[skipped + at]).abs() < 1e-8 + 1e-6 * slope.abs(),
            "{name}: {slope} {}",
            g[skipped + at]
        );
    }
}

/// Σ over samples of squared gradients, in one pass and sample by sample.
#[test]
fn fisher_information_of_shared_weights_is_the_sum_over_samples() {
    let recipe = recipe(POOLS[1], "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]");
    let network = recipe.build().unwrap();
    let batch = batch(&network, 3);
    let credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let importance = bouton::anchor::Importance::Fisher(bouton::anchor::Fisher::Empirical, None);
    let got = measure(
        &*credit,
        &network,
        importance,
        &*recipe.objective.build(),
        None,
        std::iter::once(batch.clone()),
        &Key::new(1),
    )
    .unwrap();
    let mut want: Vec<f64> = Vec::new();
    for r in 0..8 {
        let one = Batch { ids: vec![0], ..batch.take(&[r]) };
        let mut sink = GradCollector::default();
        credit.gradients(&network, &one, &[&*recipe.objective.build()], &mut sink).unwrap();
        let g = sink.flat(&network);
        want.resize(g.len(), 0.0);
        want.iter_mut().zip(g).for_each(|(w, g)| *w += g * g / 8.0);
    }
    let flat: Vec<f64> = network.parameters().iter().flat_map(|p| got[&p.0].to_f64s()).collect();
    assert!(relative_error(&flat, &want) < 1e-12);
}

/// A convolution whose kernel is the whole image is a dense layer, whatever its synapses make of an update.
#[test]
fn every_synapse_takes_the_updates_of_a_filter_as_those_of_a_row() {
    let learned = |synapse: &str, first: &str, wiring: &str| {
        let text = format!(
            "precision = \"f64\"\n[task.synthetic]\nshape = [1, 4, 4]\nclasses = 5\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
             [network]\nlayers = [{first}, 5]\n[wiring.{wiring}]\n[neuron.sign]\n[norm.batch]\n{synapse}\n\
             [objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.adam]\nlr = 8.0\n"
        );
        let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
        recipe.check().unwrap_or_else(|e| panic!("{e}\n{text}"));
        let mut network = recipe.build().unwrap();
        let mut updater = Updater::new(&network, recipe.optim.build()).seeded(recipe.seed);
        let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        let drawn = network.parameters()[0].2.to_f64s();
        for seed in 0..5 {
            let (batch, key) = (batch(&network, seed), Key::new(seed));
            credit.learn(&mut network, &batch, &*recipe.objective.build(), &mut updater, &key).unwrap();
        }
        let weight = network.parameters()[0].2.to_f64s();
        assert_ne!(drawn, weight, "{synapse} has learned");
        weight
    };
    for synapse in ["[synapse.plain]", "[synapse.binary]", "[synapse.metaplastic]\nm = 1.0", "[synapse.rram]"]
    {
        let filters = learned(synapse, "{ image = [1, 4, 4] }, { filters = 7, kernel = 4 }", "conv");
        let rows = learned(synapse, "16, 7", "dense");
        assert!(relative_error(&filters, &rows) < 1e-12, "{synapse}");
    }
}

/// With max pooling several states can be at rest; whichever a solver finds is at rest for every solver.
#[test]
fn what_even_odd_sweeps_find_is_at_rest_for_synchronous_ones() {
    let even_odd = "[neuron.settle]\nactivation = \"half-hard-sigmoid\"\n[credit.eq-prop]\nbeta = 0.1\nfree-steps = 9\nnudged-steps = 9\n\
                    [solver.even-odd]\nrelaxation = 1.2\ntolerance = 1e-13";
    for pool in POOLS {
        let recipe = recipe(pool, even_odd);
        let network = recipe.build().unwrap();
        let batch = batch(&network, 3);
        let constant = network.constant_drive(batch.x.view());
        let mut state = State::new(&network, &constant, 0..8, &batch.target);
        let solver = Solver::new(&recipe.solver, &network).unwrap();
        solver.relax(&network, &mut state, None, 5000, "free").unwrap();
        state.change.fill(0.0);
        let all = Solver::plain(Plan::synchronous(&network));
        all.advance(&network, &mut state, &all.plan.0[0], None, 0..8);
        let moved = state.change.iter().copied().fold(0.0, f64::max);
        assert!(moved < 1e-11, "{pool}: {moved:e}");
        assert!(
            state.out[1].to_f64s().iter().any(|s| *s > 0.0 && *s < 1.0),
            "some units are not at a border"
        );
    }
}
