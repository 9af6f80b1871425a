//! Every credit rule against the gradient it stands for.

use crate::common::{against_differences, batch, gradient, recipe, relative_error};

const LAYERS: [usize; 4] = [20, 12, 9, 5];

/// Relative error of the rule in `a` against the one in `b`, on the same network and batch.
fn compare(layers: &[usize], a: &str, b: &str) -> f64 {
    let (a, b) = (recipe(layers, a), recipe(layers, b));
    let mut network = a.build().unwrap();
    let batch = batch(&network, 3);
    let (ga, _) = gradient(&a, &mut network, &batch);
    let (gb, _) = gradient(&b, &mut network, &batch);
    relative_error(&ga, &gb)
}

#[test]
fn backprop_equals_central_differences() {
    for objective in ["squared-error", "softmax-cross-entropy"] {
        let tables = format!("[neuron.relu]\n[credit.backprop]\n[objective.{objective}]");
        let error = against_differences(&recipe(&LAYERS, &tables));
        assert!(error < 1e-7, "{objective}: {error:e}");
    }
}

#[test]
fn bptt_equals_central_differences_for_every_dynamics_and_solver() {
    for neuron in [
        "activation = \"tanh\"",
        "activation = \"shifted-sigmoid\"",
        "activation = \"d-silu\"\noutput = \"linear\"",
        "activation = \"sigmoid\"\ndynamics = \"energy\"\ndt = 0.3",
    ] {
        for solver in ["[solver.synchronous]", "[solver.even-odd]", "[solver.even-odd]\nrelaxation = 1.2"] {
            let tables = format!("[neuron.settle]\n{neuron}\n[credit.bptt]\nsteps = 6\n{solver}");
            let error = against_differences(&recipe(&LAYERS, &tables));
            assert!(error < 1e-6, "{neuron} {solver}: {error:e}");
        }
    }
}

/// Back through both states, to what every unit has for itself.
#[test]
fn bptt_learns_numbers_of_a_unit_s_own() {
    for (strength, tau) in [
        ("0.75", "{ uniform = [1.5, 6.0], learned = true }"),
        ("{ value = 0.75, learned = true }", "{ uniform = [1.5, 6.0], learned = true }"),
        (
            "{ normal = [0.5, 0.1], learned = true, shared = true }",
            "{ value = 3.0, learned = true, shared = true }",
        ),
        ("{ value = 0.75, share = 0.5 }", "{ value = 3.0, learned = true }"),
    ] {
        let tables = format!(
            "[neuron.adaptive]\nactivation = \"tanh\"\nstrength = {strength}\ntime-constant = {tau}\n\
             [credit.bptt]\nsteps = 6\n"
        );
        let recipe = recipe(&LAYERS, &tables);
        let error = against_differences(&recipe);
        assert!(error < 1e-6, "{strength}, {tau}: {error:e}");
        let mut network = recipe.build().unwrap();
        let batch = batch(&network, 3);
        let (g, _) = gradient(&recipe, &mut network, &batch);
        let parameters = network.parameters();
        let own: usize =
            parameters.iter().filter(|p| p.1.ends_with("time-constant")).map(|p| p.2.cols()).sum();
        assert_eq!(own, if tau.contains("shared") { 3 } else { 12 + 9 + 5 });
        assert!(g[g.len() - own..].iter().any(|g| g.abs() > 1e-6), "{strength}, {tau}");
    }
}

#[test]
fn bptt_through_a_softmax_readout_and_a_skip_equals_central_differences() {
    let tables = "[neuron.settle]\nactivation = \"tanh\"\n[credit.bptt]\nsteps = 5\n[objective.softmax-cross-entropy]\n\
                  [[network.skips]]\nfrom = 1\nto = 3";
    let error = against_differences(&recipe(&[20, 8, 7, 8, 5], tables));
    assert!(error < 1e-7, "{error:e}");
}

const SMOOTH: &str = "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n";

#[test]
fn recurrent_backprop_equals_long_bptt() {
    let rbp = format!("{SMOOTH}[credit.recurrent-backprop]\nfree-steps = 300\nadjoint-steps = 300");
    let bptt = format!("{SMOOTH}[credit.bptt]\nsteps = 400\ntruncate = 300");
    let error = compare(&LAYERS, &rbp, &bptt);
    assert!(error < 1e-10, "{error:e}");
}

fn eq_prop(nudge: &str, beta: f64, objective: &str, solver: &str) -> f64 {
    let tail = format!("[objective.{objective}]\n[solver.{solver}]");
    let ep = format!(
        "{SMOOTH}[credit.eq-prop]\nbeta = {beta:?}\nnudge = \"{nudge}\"\nfree-steps = 400\nnudged-steps = 400\n{tail}"
    );
    let rbp = format!("{SMOOTH}[credit.recurrent-backprop]\nfree-steps = 400\nadjoint-steps = 400\n{tail}");
    compare(&LAYERS, &ep, &rbp)
}

#[test]
fn eq_prop_approaches_the_adjoint_with_the_order_of_its_nudge() {
    for objective in ["squared-error", "softmax-cross-entropy"] {
        for solver in ["synchronous", "even-odd"] {
            for (nudge, order) in [("positive", 1.0), ("negative", 1.0), ("symmetric", 2.0)] {
                let (coarse, fine) =
                    (eq_prop(nudge, 0.02, objective, solver), eq_prop(nudge, 0.01, objective, solver));
                let slope = (coarse / fine).log2();
                assert!(
                    (slope - order).abs() < 0.2,
                    "{objective} {solver} {nudge}: slope {slope}, error {fine:e}"
                );
            }
        }
    }
}

/// The output of these units is ρ(s), and the loss is one of the output.
#[test]
fn eq_prop_of_the_energy_dynamics_approaches_the_adjoint_for_smooth_outputs() {
    for activation in ["tanh", "shifted-sigmoid", "sigmoid", "d-silu"] {
        for objective in ["squared-error", "softmax-cross-entropy"] {
            let head = format!(
                "[neuron.settle]\nactivation = \"{activation}\"\ndynamics = \"energy\"\n[objective.{objective}]\n"
            );
            let rbp = format!("{head}[credit.recurrent-backprop]\nfree-steps = 800\nadjoint-steps = 800");
            let error = |beta: f64| {
                let ep =
                    format!("{head}[credit.eq-prop]\nbeta = {beta:?}\nfree-steps = 800\nnudged-steps = 800");
                compare(&LAYERS, &ep, &rbp)
            };
            let (coarse, fine) = (error(0.02), error(0.01));
            assert!(fine < 5e-3 && fine < coarse, "{activation} {objective}: {coarse:e}, {fine:e}");
            // The others may meet the border of their box.
            let slope = (coarse / fine).log2();
            assert!(activation != "tanh" || (slope - 2.0).abs() < 0.2, "{objective}: slope {slope}");
        }
    }
}

#[test]
fn a_truncated_nudged_phase_equals_truncated_bptt() {
    for solver in ["synchronous", "even-odd"] {
        let ep = format!(
            "{SMOOTH}[credit.eq-prop]\nbeta = 1e-4\nfree-steps = 400\nnudged-steps = 5\n[solver.{solver}]"
        );
        let tbp = format!("{SMOOTH}[credit.bptt]\nsteps = 405\ntruncate = 5\n[solver.{solver}]");
        let error = compare(&LAYERS, &ep, &tbp);
        assert!(error < 1e-6, "{solver}: {error:e}");
    }
}

#[test]
fn continual_updates_train_a_softmax_readout_too() {
    let tail = "beta = 0.1\nfree-steps = 300\nnudged-steps = 5\n[objective.softmax-cross-entropy]";
    let continual = format!("{SMOOTH}[credit.continual-eq-prop]\n{tail}");
    let ep = format!("{SMOOTH}[credit.eq-prop]\nnudge = \"positive\"\n{tail}");
    // With a sink that changes nothing, the increments add up to the update of ordinary EP.
    let error = compare(&LAYERS, &continual, &ep);
    assert!(error < 1e-12, "{error:e}");
}

#[test]
fn a_linear_output_pushed_away_too_hard_is_refused() {
    let tables = |beta: f64| {
        format!(
            "[neuron.settle]\nactivation = \"hard-sigmoid\"\noutput = \"linear\"\n\
             [credit.eq-prop]\nbeta = {beta:?}\nfree-steps = 5\nnudged-steps = 5"
        )
    };
    recipe(&LAYERS, &tables(0.9)).check().unwrap();
    let error = recipe(&LAYERS, &tables(1.0)).check().unwrap_err();
    assert!(error.hint().is_some_and(|h| h.contains("below 1")), "{error}");
}
