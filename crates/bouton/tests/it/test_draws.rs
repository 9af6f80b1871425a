//! Tests that average over several draws of sampled weights.

use bouton::credit::draws::evaluate;
use bouton::objective::{Head, Objective};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::DType;

const RECIPE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 24\ntest = 4\n\
    batch = 3\nepochs = 1\n[network]\nlayers = [9, 7, 4]\n[neuron.relu]\n[credit.backprop]\n\
    [objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";

/// The mean loss of the first samples, by the mean weights or by draws, and by each of the drawn networks alone.
fn losses(synapse: &str, samples: usize, draws: Option<usize>, head: bool) -> (f64, Vec<f64>) {
    let recipe = Recipe::parse(&format!("{RECIPE}{synapse}"), "test").unwrap();
    let mut task_stream = bouton::task::stream::open(&recipe, None).unwrap();
    let mut network = recipe.build().unwrap();
    let credit = recipe.credit.build(&recipe.solver, &network, 24).unwrap();
    let mut batch = task_stream.train.batch(0, DType::F64).first(samples);
    batch.target = batch.target.classes().unwrap().iter().map(|l| 1 + l % 2).collect::<Vec<u16>>().into();
    let softmax = recipe.objective.build();
    let only = Head { objective: &*softmax, active: 1..3 };
    let objective: &dyn Objective = if head { &only } else { &*softmax };
    let (key, own) = (Key::new(5), network.sampled_weights());
    let batches = || std::iter::once(batch.clone());
    let outcome = evaluate(&*credit, &mut network, objective, batches, draws.map(|n| (n, &key))).unwrap();
    assert!(
        network.sampled_weights().iter().zip(&own).all(|(a, b)| a.1 == b.1),
        "the network keeps its weights"
    );
    let alone = |k| {
        network.set_sampled_weights(Some(&key.of("draw", k)));
        credit.evaluate(&network, &batch, objective).unwrap().mean_loss()
    };
    (outcome.mean_loss(), (0..3).map(alone).collect())
}

#[test]
fn probabilities_are_averaged() {
    for head in [false, true] {
        for synapse in ["[synapse.mesu]\n", "[synapse.bimu]\n", "[synapse.bayesbinn]\nstart = 0.5\n"] {
            let (loss, alone) = losses(synapse, 1, Some(3), head);
            let p = alone.iter().map(|l| (-l).exp()).sum::<f64>() / 3.0;
            assert!((loss + p.ln()).abs() < 1e-12, "{synapse} {loss} {alone:?}");
            assert!(alone[0] != alone[1], "{synapse}");
        }
    }
}

/// A distribution without width.
#[test]
fn draws_that_are_all_alike_answer_as_the_mean() {
    for head in [false, true] {
        let synapse = "[synapse.mesu]\nspread = 1e-14\n";
        let (drawn, mean) = (losses(synapse, 3, Some(4), head).0, losses(synapse, 3, None, head).0);
        assert!((drawn - mean).abs() < 1e-10, "{drawn} {mean}");
        assert!((losses("[synapse.mesu]\n", 3, Some(4), head).0 - mean).abs() > 1e-3);
    }
}
