//! Wirings that join some units alone, in whole networks: gradients, what is stored, and what is refused.

use crate::common::{against_differences, recipe};
use bouton::recipe::Recipe;

const LAYERS: [usize; 4] = [20, 12, 9, 5];
const SPARSE: &str = "[wiring.sparse]\ndensity = 0.3\n";
const DRAWN: &str = "[connection.hidden1-hidden2]\nwiring.procedural = { density = 0.5 }\n";

#[test]
fn gradients_of_sparse_networks_equal_differences() {
    for units in [
        "[neuron.relu]\n[credit.backprop]\n",
        "[neuron.settle]\nactivation = \"tanh\"\n[credit.bptt]\nsteps = 6\n[solver.even-odd]\n",
    ] {
        for wiring in [SPARSE.to_owned(), format!("{SPARSE}{DRAWN}")] {
            let error = against_differences(&recipe(&LAYERS, &format!("{units}{wiring}")));
            assert!(error < 1e-6, "{units}{wiring}: {error:e}");
        }
    }
}

/// 0.3 · 20, 0.3 · 12 and 0.3 · 9 inputs of each unit, and the weights of one connection are nowhere.
#[test]
fn what_is_joined_is_what_is_stored() {
    let shapes = |text: &str| {
        let recipe = recipe(&LAYERS, &format!("[neuron.relu]\n[credit.backprop]\n{text}"));
        let network = recipe.build().unwrap();
        let weights = network.parameters().into_iter().filter(|(_, name, _)| name.ends_with("weight"));
        let shapes: Vec<_> = weights.map(|(_, name, mat)| (name, mat.rows(), mat.cols())).collect();
        (shapes, recipe.memory().unwrap().weights, network.parameter_count())
    };
    let named = |all: &[(&str, usize, usize)]| -> Vec<(String, usize, usize)> {
        all.iter().map(|&(name, rows, cols)| (name.to_owned(), rows, cols)).collect()
    };
    let (all, bytes, count) = shapes(SPARSE);
    assert_eq!(
        all,
        named(&[
            ("input-hidden1.weight", 12, 6),
            ("hidden1-hidden2.weight", 9, 4),
            ("hidden2-output.weight", 5, 3)
        ])
    );
    assert_eq!((bytes, count), (8 * (72 + 36 + 15 + 26), 72 + 36 + 15 + 26));
    let (some, bytes, _) = shapes(&format!("{SPARSE}{DRAWN}"));
    assert_eq!(some, named(&[("input-hidden1.weight", 12, 6), ("hidden2-output.weight", 5, 3)]));
    assert_eq!(bytes, 8 * (72 + 15 + 26));
}

/// Another connection, or another choice of another one, changes nobody's wiring; another seed does.
#[test]
fn choices_go_by_the_connection() {
    let drives = |rest: &str| {
        let text = format!("[neuron.relu]\n[credit.backprop]\n{SPARSE}{rest}");
        let network = recipe(&LAYERS, &text).build().unwrap();
        format!("{:?} {:?}", network.connections[0].wiring, network.connections[0].weight.mat().to_f64s())
    };
    assert_eq!(drives(""), drives(DRAWN));
    let mut other = recipe(&LAYERS, &format!("[neuron.relu]\n[credit.backprop]\n{SPARSE}"));
    other.seed += 1;
    assert_ne!(drives(""), format!("{:?}", other.build().unwrap().connections[0].wiring));
}

#[test]
fn what_has_no_meaning_is_refused() {
    let head = "[task.digits]\nbatch = 8\nepochs = 1\n[network]\nlayers = [64, 12, 10]\n[optim.sgd]\nlr = 0.1\n\
                [neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n";
    let settling = "[task.digits]\nbatch = 8\nepochs = 1\n[network]\nlayers = [64, 12, 10]\n[optim.sgd]\nlr = 0.1\n\
                    [neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 5\nnudged-steps = 5\n";
    let place = "[connection.input-hidden1]\nwiring.procedural = { density = 0.5 }\n";
    for (text, words) in [
        (format!("{head}[wiring.sparse]\ndensity = 0.0\n"), "density"),
        (format!("{head}[wiring.sparse]\ndensity = 1.5\n"), "density"),
        (format!("{head}[wiring.sparse]\n"), "density"),
        (format!("{head}{place}lr = 0.1\n"), "lr would do nothing: wiring.procedural"),
        (format!("{head}{place}learn = false\n"), "learn would do nothing: wiring.procedural"),
        (
            format!(
                "{settling}[wiring.procedural]\ndensity = 0.5\nweights = {{ feedback = \"kolen-pollack\" }}\n"
            ),
            "no weights that learn",
        ),
        (
            head.replace("[64, 12, 10]", "[{ image = [1, 8, 8] }, { filters = 2, kernel = 3 }, 10]")
                + "[wiring.sparse]\ndensity = 0.5\n",
            "wiring.sparse has none",
        ),
    ] {
        let error = Recipe::parse(&text, "sparse").and_then(|r| r.check()).expect_err(&text);
        let said = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(said.contains(words) && error.hint().is_some(), "{said}\n{text}");
    }
}
