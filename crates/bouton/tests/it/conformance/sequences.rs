//! Sequences: as many tasks, ends and cuts as they say, and a smallest version that needs no data.

use bouton::recipe::Recipe;
use bouton::task::{SequenceSpec, stream};

const BASE: &str = "[task.synthetic]\nshape = [1, 28, 28]\nclasses = 10\ntrain = 60\ntest = 40\nbatch = 5\nepochs = 1\n\
    [network]\nlayers = [784, 5, 10]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";

/// Outputs of a network whose tasks share them.
fn widest(spec: &SequenceSpec) -> usize {
    spec.method().widths(10).into_iter().max().unwrap()
}

fn recipe(spec: &SequenceSpec, base: &str) -> Recipe {
    let base = Recipe::parse(base, "test").unwrap();
    let [inputs, outputs] = [spec.shape([1, 28, 28]).iter().product::<usize>(), widest(spec)];
    let layers = format!("network.layers=[{inputs}, 5, {outputs}]");
    Recipe { sequence: spec.clone(), ..base.with_overrides(&[layers]).unwrap() }
}

#[test]
fn streams_are_what_a_sequence_says() {
    for spec in SequenceSpec::all() {
        let (recipe, traits) = (recipe(&spec, BASE), spec.method().traits());
        recipe.check().unwrap_or_else(|e| panic!("{spec:?}: {e}"));
        let task_stream = stream::open(&recipe, None).unwrap();
        let tasks = spec.tasks(10);
        assert_eq!(task_stream.tests.len(), tasks, "{spec:?}");
        assert_eq!(task_stream.train.segments(), traits.pieces.unwrap_or(tasks), "{spec:?}");
        assert_eq!(traits.several, tasks > 1 || traits.pieces.is_some(), "{spec:?}");
        assert_eq!(traits.ends, tasks > 1, "{spec:?}");
        assert!(
            task_stream
                .tests
                .iter()
                .all(|part| part.features() == spec.shape([1, 28, 28]).iter().product::<usize>()),
            "{spec:?}"
        );
        let seen: std::collections::BTreeSet<u16> =
            task_stream.tests.iter().flat_map(|part| (0..part.len()).map(|i| part.output(i))).collect();
        assert!(seen.iter().all(|output| usize::from(*output) < widest(&spec)), "{spec:?}: {seen:?}");
        let smallest = recipe.smoke();
        smallest.check().unwrap_or_else(|e| panic!("{spec:?}: {e}"));
        let small = stream::open(&smallest, None).unwrap();
        assert_eq!(small.tests.len(), tasks, "{spec:?}: the smallest version has as many tasks");
    }
}

/// Pixels that keep their places are those of some image of the set, row by row or turned; others are not.
#[test]
fn pixels_stay_or_move_as_it_is_said() {
    let photographs =
        BASE.replace("synthetic", "fashion-mini").replace("shape = [1, 28, 28]\nclasses = 10\n", "");
    for spec in SequenceSpec::all().into_iter().filter(|s| s.method().sets().is_empty()) {
        let stays = spec.method().traits().keeps_places;
        let rows = |spec: &SequenceSpec, segment: usize| -> Vec<f64> {
            let task_stream = stream::open(&recipe(spec, &photographs), None).unwrap();
            let part = task_stream.train.parts(segment)[0].clone();
            let batches = task_stream.train.in_order(&part, Some(15), bouton_kernels::DType::F64);
            batches.flat_map(|batch| batch.x.to_f64s()).collect()
        };
        let smooth = |x: &[f64]| x.windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f64>() / x.len() as f64;
        let last = stream::open(&recipe(&spec, &photographs), None).unwrap().train.segments() - 1;
        let (here, plain) = (rows(&spec, last), rows(&SequenceSpec::Single, 0));
        // Neighbours in photographs are alike; those of a permutation are not.
        assert_eq!(
            smooth(&here) < 1.6 * smooth(&plain),
            stays,
            "{spec:?}: {} {}",
            smooth(&here),
            smooth(&plain)
        );
    }
}
