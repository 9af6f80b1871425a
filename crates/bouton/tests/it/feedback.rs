//! Feedback weights of their own: gradients of both directions, what asymmetry costs, homeostasis.

use crate::common::{against_differences, batch, distance_of_a_step, gradient, recipe, relative_error};
use bouton::network::{Owner, ParamId};
use bouton::recipe::Recipe;

const LAYERS: [usize; 4] = [20, 12, 9, 5];

fn field(angle: f64, credit: &str) -> String {
    format!(
        "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n[wiring.dense]\nfeedback = \"vector-field\"\nangle = {angle:?}\n\
         {credit}"
    )
}

const ADJOINT: &str = "[credit.recurrent-backprop]\nfree-steps = 500\nadjoint-steps = 500\n";
const EIGHT: &str =
    "[credit.holomorphic-eq-prop]\npoints = 8\nbeta = 0.02\nfree-steps = 500\nnudged-steps = 500\n";

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn the_adjoint_is_the_gradient_of_both_directions() {
    let error = against_differences(&recipe(&LAYERS, &field(70.0, ADJOINT)));
    assert!(error < 1e-7, "{error:e}");
}

/// With equal weights the nudge finds the gradient of either direction; the larger the angle, the less.
#[test]
fn asymmetry_turns_the_nudged_gradient_away_from_the_adjoint() {
    let mut last = 1.0 + 1e-12;
    for angle in [0.0, 30.0, 60.0, 90.0] {
        let exact = recipe(&LAYERS, &field(angle, ADJOINT));
        let mut network = exact.build().unwrap();
        let batch = batch(&network, 3);
        let (want, _) = gradient(&exact, &mut network, &batch);
        let (got, _) = gradient(&recipe(&LAYERS, &field(angle, EIGHT)), &mut network, &batch);
        let found = cosine(&got, &want);
        if angle == 0.0 {
            assert!(relative_error(&got, &want) < 1e-9);
        }
        assert!(found < last, "{angle}: {found} after {last}");
        last = found;
    }
    assert!(last < 0.999 && last > 0.5, "{last}");
}

/// Corrected by the antisymmetric part, the response is the adjoint at every angle.
#[test]
fn corrected_phases_give_the_adjoint_at_every_angle() {
    let tail = "[objective.softmax-cross-entropy]\n";
    for angle in [0.0, 45.0, 90.0, 180.0] {
        let exact = recipe(&LAYERS, &(field(angle, ADJOINT) + tail));
        let mut network = exact.build().unwrap();
        let batch = batch(&network, 3);
        let (want, _) = gradient(&exact, &mut network, &batch);
        let eight = EIGHT.replace("points = 8\n", "points = 8\ncorrected = true\n");
        let (got, _) = gradient(&recipe(&LAYERS, &(field(angle, &eight) + tail)), &mut network, &batch);
        let error = relative_error(&got, &want);
        assert!(error < 1e-8, "{angle}: {error:e}");
        let real = "[credit.eq-prop]\nbeta = 1e-3\ncorrected = true\nfree-steps = 500\nnudged-steps = 500\n";
        let (got, _) = gradient(&recipe(&LAYERS, &(field(angle, real) + tail)), &mut network, &batch);
        assert!(relative_error(&got, &want) < 1e-4, "{angle}");
    }
}

const POOLS: [(&str, bool); 4] = [
    ("", true),
    (", pool = { max = 2 }", false),
    (", pool = { average = 2 }", true),
    (", pool = { soft = { size = 2, temperature = 0.3 } }", true),
];

/// Pooling between two settling layers.
fn convolved(pool: &str, credit: &str) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 6, 6]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [{{ image = [1, 6, 6] }}, {{ filters = 3, kernel = 3, padding = 1 }}, \
         {{ filters = 4, kernel = 3, padding = 1{pool} }}, 3]\n\
         [wiring.conv]\nfeedback = \"vector-field\"\nangle = 60.0\n[optim.sgd]\nlr = 0.1\n\
         [neuron.settle]\nactivation = \"shifted-sigmoid\"\n{credit}[objective.softmax-cross-entropy]\n"
    );
    Recipe::parse(&text, "test").unwrap()
}

/// What flows back through soft pooling depends on the forward weight through the choice of pooling, too.
#[test]
fn the_adjoint_is_the_gradient_through_soft_pooling() {
    let error = against_differences(&convolved(POOLS[3].0, &ADJOINT.replace("500", "120")));
    assert!(error < 1e-7, "{error:e}");
}

/// The same through pooling: at the choice of pooling of the free state, and with the change of a soft choice.
#[test]
fn corrected_phases_give_the_adjoint_of_convolutions() {
    for (pool, is_complex) in POOLS {
        let exact = convolved(pool, ADJOINT);
        let mut network = exact.build().unwrap();
        let batch = batch(&network, 3);
        let (want, _) = gradient(&exact, &mut network, &batch);
        // Samples stop one by one, so that rows move; the same sweeps, since max pooling has several states of rest.
        let real = "[solver.synchronous]\ntolerance = 1e-13\n[credit.eq-prop]\nbeta = 1e-3\ncorrected = true\n\
                    free-steps = 500\nnudged-steps = 500\n";
        let error = relative_error(&gradient(&convolved(pool, real), &mut network, &batch).0, &want);
        assert!(error < 1e-4, "{pool}: {error:e}");
        let plain = real.replace("corrected = true\n", "");
        let apart = relative_error(&gradient(&convolved(pool, &plain), &mut network, &batch).0, &want);
        assert!(apart > 100.0 * error, "{pool}: {apart:e} without the correction");
        if is_complex {
            let eight = convolved(pool, &EIGHT.replace("points = 8\n", "points = 8\ncorrected = true\n"));
            let error = relative_error(&gradient(&eight, &mut network, &batch).0, &want);
            assert!(error < 1e-8, "{pool}: {error:e}");
        }
    }
}

/// A finite real nudge and a complex one find the same response of the asymmetric network, up to β².
#[test]
fn every_estimator_finds_the_same_response() {
    let exact = recipe(&LAYERS, &field(90.0, EIGHT));
    let mut network = exact.build().unwrap();
    let batch = batch(&network, 3);
    let (want, _) = gradient(&exact, &mut network, &batch);
    let mut error = |beta: f64| {
        let ep = format!("[credit.eq-prop]\nbeta = {beta:?}\nfree-steps = 500\nnudged-steps = 500\n");
        relative_error(&gradient(&recipe(&LAYERS, &field(90.0, &ep)), &mut network, &batch).0, &want)
    };
    let slope = (error(0.02) / error(0.01)).log2();
    assert!((slope - 2.0).abs() < 0.2, "{slope}");
}

#[test]
fn the_updater_moves_each_direction_by_its_own_gradient() {
    assert!(distance_of_a_step(&recipe(&LAYERS, &field(90.0, EIGHT))) < 1e-12);
}

/// λ‖W_f − W_b‖²/n adds 2λ(W_f − W_b)/n to one direction and its negative to the other.
#[test]
fn homeostasis_pulls_both_directions_together() {
    let with =
        |lambda: &str| recipe(&LAYERS, &field(90.0, EIGHT).replace("angle", &format!("{lambda}angle")));
    let (plain, held) = (with(""), with("homeostasis = 0.5\n"));
    let mut network = held.build().unwrap();
    let batch = batch(&network, 3);
    let (a, _) = gradient(&held, &mut network, &batch);
    let (b, _) = gradient(&plain, &mut plain.build().unwrap(), &batch);
    let added: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let parameters = network.parameters();
    let mut wanted = Vec::new();
    for (id, _, mat) in &parameters {
        let other = |of: ParamId| parameters.iter().find(|p| p.0 == of).map(|p| p.2.to_f64s());
        let other = match id.owner() {
            Owner::Connection(c) if *id == ParamId::weight(c) => other(ParamId::feedback(c)),
            Owner::Connection(c) => other(ParamId::weight(c)),
            _ => None,
        };
        let mine = mat.to_f64s();
        let other = other.unwrap_or_else(|| mine.clone());
        wanted.extend(mine.iter().zip(other).map(|(a, b)| 2.0 * 0.5 / 26.0 * (a - b)));
    }
    assert!(relative_error(&added, &wanted) < 1e-10);
}

#[test]
fn feedback_that_cannot_be_learned_is_refused_with_a_hint() {
    for tables in [
        field(90.0, "[credit.contrastive-learning]\nfree-steps = 5\nnudged-steps = 5\n"),
        field(90.0, &EIGHT.replace("points = 8\n", "points = 8\nperiods = 2\n")),
        field(90.0, EIGHT).replace("vector-field\"", "tied\"\nhomeostasis = 1.0"),
        field(90.0, &EIGHT.replace("points = 8\n", "corrected = true\n"))
            .replace("vector-field", "kolen-pollack"),
    ] {
        let error = recipe(&LAYERS, &tables).check().unwrap_err();
        assert!(error.hint().is_some(), "{error}");
    }
    let error = recipe(&LAYERS, &field(90.0, EIGHT)).with_overrides(&["wiring.dense.angle=200"]).unwrap_err();
    assert!(error.to_string().contains("must be from 0 to 180"), "{error}");
}
