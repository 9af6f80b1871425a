//! Holomorphic equilibrium propagation: order of its bias, its real special cases, its guard.

use crate::common;
use crate::common::{batch, gradient, recipe, relative_error};
use bouton::recipe::Recipe;

const LAYERS: [usize; 4] = [20, 12, 9, 5];
const SMOOTH: &str = "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n";

fn holomorphic(points: usize, beta: f64) -> String {
    format!(
        "{SMOOTH}[credit.holomorphic-eq-prop]\npoints = {points}\nbeta = {beta:?}\nfree-steps = 500\nnudged-steps = 500\n"
    )
}

fn adjoint() -> String {
    format!("{SMOOTH}[credit.recurrent-backprop]\nfree-steps = 500\nadjoint-steps = 500\n")
}

/// A convolution with this pooling, then dense layers.
fn convolution(pool: &str, tables: &str) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [2, 6, 6]\nclasses = 5\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [{{ image = [2, 6, 6] }}, {{ filters = 3, kernel = 3, padding = 1, pool = {{ {pool} }} }},\n\
         {{ filters = 4, kernel = 3, padding = 1 }}, 5]\n[wiring.conv]\n[optim.sgd]\nlr = 0.1\n{tables}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap();
    recipe.check().unwrap_or_else(|e| panic!("{e}"));
    recipe
}

fn distance(a: &Recipe, b: &Recipe) -> f64 {
    let mut network = a.build().unwrap();
    let batch = batch(&network, 3);
    let (ga, _) = gradient(a, &mut network, &batch);
    let (gb, _) = gradient(b, &mut network, &batch);
    relative_error(&ga, &gb)
}

#[test]
fn the_bias_falls_with_the_power_of_the_number_of_points() {
    for objective in ["squared-error", "softmax-cross-entropy"] {
        let tail = format!("[objective.{objective}]\n");
        let exact = recipe(&LAYERS, &(adjoint() + &tail));
        for (points, beta) in [(1, 0.02), (2, 0.02), (4, 0.1), (6, 0.1), (8, 0.2)] {
            let error = |beta: f64| distance(&recipe(&LAYERS, &(holomorphic(points, beta) + &tail)), &exact);
            let (coarse, fine) = (error(beta), error(beta / 2.0));
            let slope = (coarse / fine).log2();
            assert!(
                (slope - points as f64).abs() < 0.2,
                "{objective} N = {points}: slope {slope}, error {fine:e}"
            );
        }
    }
}

#[test]
fn eight_points_give_the_adjoint_gradient() {
    for solver in ["synchronous", "even-odd"] {
        let tail = format!("[solver.{solver}]\n");
        let error = distance(
            &recipe(&LAYERS, &(holomorphic(8, 0.02) + &tail)),
            &recipe(&LAYERS, &(adjoint() + &tail)),
        );
        assert!(error < 1e-9, "{solver}: {error:e}");
    }
}

#[test]
fn one_and_two_points_are_one_sided_and_symmetric_equilibrium_propagation() {
    for (points, nudge) in [(1, "positive"), (2, "symmetric")] {
        let ep = format!(
            "{SMOOTH}[credit.eq-prop]\nbeta = 0.3\nnudge = \"{nudge}\"\nfree-steps = 500\nnudged-steps = 500\n"
        );
        let error = distance(&recipe(&LAYERS, &holomorphic(points, 0.3)), &recipe(&LAYERS, &ep));
        assert!(error < 1e-14, "{error:e}");
    }
}

#[test]
fn convolutions_with_average_and_soft_pooling_are_analytic_too() {
    for pool in ["average = 2", "soft = { size = 2, temperature = 0.5 }"] {
        let exact = convolution(pool, &adjoint());
        let error = |beta: f64| distance(&convolution(pool, &holomorphic(4, beta)), &exact);
        let (coarse, fine) = (error(0.1), error(0.05));
        let slope = (coarse / fine).log2();
        assert!((slope - 4.0).abs() < 0.2, "{pool}: slope {slope}, error {fine:e}");
        let error = distance(&convolution(pool, &holomorphic(8, 0.02)), &exact);
        assert!(error < 1e-9, "{pool}: {error:e}");
    }
}

/// Outside the disc on which the fixed point is analytic, complex phases wander; two real ones stand in, and are counted.
#[test]
fn a_nudge_beyond_the_analytic_disc_falls_back_to_two_points() {
    let tail = "[wiring.dense]\ngain = 3.0\n";
    let mut fallen = 0;
    for beta in [0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0] {
        let strong = recipe(&LAYERS, &(holomorphic(6, beta) + tail));
        let mut network = strong.build().unwrap();
        let batch = batch(&network, 3);
        let (g, step) = gradient(&strong, &mut network, &batch);
        let (two, real) = gradient(&recipe(&LAYERS, &(holomorphic(2, beta) + tail)), &mut network, &batch);
        let apart = relative_error(&g, &two);
        assert_eq!(real.fallback, 0, "two points stay real");
        if step.fallback > 0 {
            assert_eq!(step.fallback, 8, "a shard falls back as a whole");
            assert!(apart < 1e-14, "{beta}: {apart}");
            fallen += 1;
        } else {
            assert!((1e-6..10.0).contains(&apart), "{beta}: six points are not two, {apart}");
        }
    }
    assert!(fallen > 0, "the guard never triggered");
}

/// With time to settle at every point, the turning nudge averages over the same circle, whatever the period.
#[test]
fn the_continuous_version_approaches_the_settled_one() {
    for objective in ["squared-error", "softmax-cross-entropy"] {
        let tail = format!("[objective.{objective}]\n");
        let continuous = |steps: usize| {
            let text = holomorphic(10, 0.2).replace("nudged-steps = 500", &format!("nudged-steps = {steps}"));
            recipe(
                &LAYERS,
                &text
                    .replace("[credit.holomorphic-eq-prop]\n", "[credit.holomorphic-eq-prop]\nperiods = 2\n"),
            )
        };
        let settled = recipe(&LAYERS, &(holomorphic(10, 0.2) + &tail));
        let with = |r: Recipe| Recipe { objective: settled.objective.clone(), ..r };
        assert!(distance(&with(continuous(500)), &settled) < 1e-6, "{objective}");
        let short = distance(&with(continuous(30)), &settled);
        assert!(short < 0.05, "{objective}: {short}");
    }
}

#[test]
fn what_is_not_holomorphic_is_refused_with_the_alternative_named() {
    let check = |tables: &str| recipe(&LAYERS, tables).check().unwrap_err();
    let clipped = check(&holomorphic(4, 0.1).replace("shifted-sigmoid", "half-hard-sigmoid"));
    assert!(clipped.hint().is_some_and(|h| h.contains("d-silu")), "{clipped}");
    let odd = check(&holomorphic(3, 0.1));
    assert!(odd.to_string().contains("points"), "{odd}");
    let text = "[task.synthetic]\nshape = [1, 4, 4]\nclasses = 2\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n[wiring.conv]\n\
        [network]\nlayers = [{ image = [1, 4, 4] }, { filters = 2, kernel = 3, padding = 1, pool = { max = 2 } }, 2]\n\
        [optim.sgd]\nlr = 0.1\n";
    let max = Recipe::parse(&format!("{text}{}", holomorphic(4, 0.1)), "test").unwrap().check().unwrap_err();
    assert!(max.hint().is_some_and(|h| h.contains("soft")), "{max}");
}

/// Noise is drawn anew in every step, the same for any order of samples in a batch's shards, and absent in evaluation.
#[test]
fn noise_disturbs_training_and_not_evaluation() {
    let noisy = |sigma: &str| {
        recipe(&LAYERS, &holomorphic(4, 0.1).replace("settle]\n", &format!("settle]\n{sigma}")))
    };
    let (quiet, loud) = (noisy(""), noisy("noise = 0.05\n"));
    let mut network = loud.build().unwrap();
    let batch = batch(&network, 3);
    let (a, _) = gradient(&loud, &mut network, &batch);
    let (b, _) = gradient(&loud, &mut network, &batch);
    assert_eq!(a, b, "the same update draws the same numbers");
    let mut silent = quiet.build().unwrap();
    let (c, _) = gradient(&quiet, &mut silent, &batch);
    assert!(relative_error(&a, &c) > 1e-3);
    assert_eq!(common::loss(&loud, &network, &batch), common::loss(&quiet, &silent, &batch));
}
