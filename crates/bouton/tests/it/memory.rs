//! The estimate of memory, and what is refused by it before anything is allocated.

use crate::common::in_a_process_of_its_own;
use bouton::recipe::Recipe;
use bouton::train::Trainer;
use bouton_kernels::account;

const BASE: &str = "[task.digits]\nbatch = 20\nepochs = 1\n[network]\nlayers = [64, 32, 10]\n[neuron.relu]\n\
    [objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.adam]\nlr = 1e-3\n";

const SETTLING: [&str; 3] = ["neuron=settle", "objective=squared-error", "optim.sgd.lr=0.1"];

fn recipe(overrides: &[&str]) -> Recipe {
    Recipe::parse(BASE, "base.toml").unwrap().with_overrides(overrides).unwrap()
}

#[test]
fn the_estimate_counts_what_is_kept_of_every_weight() {
    let weights = 4 * (65 * 32 + 33 * 10);
    let memory = recipe(&[]).memory().unwrap();
    assert_eq!((memory.weights, memory.learning, memory.synapses), (weights, 2 * weights, 0));
    assert_eq!(memory.checkpoint, 3 * weights);
    let wide = recipe(&["precision=f64", "optim.sgd={lr=0.1, momentum=0.9}"]).memory().unwrap();
    assert_eq!((wide.weights, wide.learning), (2 * weights, 2 * weights));
    let device = recipe(&["synapse=soft-bounds"]).memory().unwrap();
    assert_eq!(device.synapses, 5 * 4 * (64 * 32 + 32 * 10));
    // 1,797 images of 64 bytes.
    assert!((115_008..200_000).contains(&memory.data), "{}", memory.data);
    let convolved = recipe(&[
        "wiring=conv",
        "network.layers=[{image=[1, 8, 8]}, {filters=4, kernel=3, pool={max=2}}, 10]",
        "network.skips=[]",
    ]);
    assert_eq!(convolved.memory().unwrap().weights, 4 * (10 * 4 + (4 * 3 * 3 + 1) * 10));
}

#[test]
fn the_estimate_is_near_what_training_holds() {
    if !in_a_process_of_its_own("memory::the_estimate_is_near_what_training_holds") {
        return;
    }
    let steps = ["task.digits.batch=500", "network.layers=[64, 40, 10]", "credit.bptt={steps=60}"];
    let unrolled: Vec<_> = SETTLING.into_iter().chain(steps).collect();
    for overrides in [vec!["network.layers=[64, 2000, 10]", "task.digits.batch=500"], unrolled] {
        let recipe = recipe(&overrides);
        let memory = recipe.memory().unwrap();
        let estimate = memory.weights + memory.learning + memory.synapses + memory.states;
        let (_, held) = account(|| Trainer::new(&recipe, None).and_then(|mut t| t.learn()).unwrap());
        let share = estimate as f64 / held.peak as f64;
        assert!((0.4..2.0).contains(&share), "{overrides:?}: {estimate} of {}", held.peak);
    }
}

#[test]
fn what_no_machine_holds_is_refused_before_it_is_allocated() {
    let unrolled: Vec<_> = SETTLING.into_iter().chain(["credit.bptt={steps=10000000}"]).collect();
    let cases = [
        (
            vec!["optim.sgd.lr=0.1", "network.layers=[64, 60000000, 60000000, 10]"],
            "for weights)",
            "network.layers",
        ),
        (unrolled, "for states of units)", "bptt"),
        (
            vec!["sequence.permuted={tasks=100000, pad=64}", "network.layers=[18496, 9, 10]"],
            "for data)",
            "tasks",
        ),
        (
            vec![
                "task.synthetic={shape=[3, 60000, 60000], classes=10, train=1000000, test=1, batch=1, epochs=1}",
                "network.layers=[10800000000, 1, 10]",
            ],
            "layers[0]",
            "unit",
        ),
        (
            vec![
                "task.synthetic={shape=[1, 8000, 8000], classes=10, train=10000000, test=1, batch=1, epochs=1}",
                "network.layers=[64000000, 1, 10]",
            ],
            "for data)",
            "images",
        ),
    ];
    for (overrides, part, hint) in cases {
        let small = Recipe::parse(BASE, "base.toml").unwrap();
        let error = small
            .with_overrides(&overrides)
            .and_then(|recipe| recipe.check().and_then(|()| Trainer::new(&recipe, None)))
            .unwrap_err();
        assert!(error.to_string().contains(part) && error.hint().unwrap().contains(hint), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn a_last_batch_of_one_is_refused_where_batches_normalise() {
    let new = |more: &[&str]| {
        let overrides: Vec<_> = ["norm=batch"].iter().chain(more).copied().collect();
        Trainer::new(&recipe(&overrides), None).map(drop)
    };
    // 1,500 training samples, 297 test samples.
    new(&["task.digits.batch=19"]).unwrap();
    let error = new(&["task.digits.batch=1499"]).unwrap_err();
    assert!(error.to_string().contains("the last batch of an epoch has one sample"), "{error}");
    assert!(error.hint().unwrap().contains("batch size"));
    new(&["task.digits.train=41"]).unwrap_err();
    new(&["task.digits.test=1"]).unwrap();
    let error = new(&["task.digits.test=1", "norm.batch.statistics=batch"]).unwrap_err();
    assert!(error.to_string().contains("of a test"), "{error}");
    // Kept samples stand beside the lone one, except in the first task.
    let tasks = ["sequence.permuted.tasks=2", "continual.replay.size=50", "task.digits.batch=1499"];
    new(&tasks).unwrap_err();
}
