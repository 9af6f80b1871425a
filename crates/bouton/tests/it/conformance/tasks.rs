//! Tasks: what they load is what they say, and smaller versions are of the same kind.

use bouton::objective::TargetKind;
use bouton::task::{Answers, BatchSize, Dataset, Quick, TaskSpec};

fn kind(set: &Dataset) -> (TargetKind, usize) {
    match set.answers() {
        Answers::Classes { classes, .. } => (TargetKind::Classes, *classes),
        Answers::Values { outputs, .. } => (TargetKind::Values, *outputs),
    }
}

fn holds(task: &TaskSpec, samples: [usize; 2]) {
    let loaded = task.method().load(None).unwrap();
    let (shape, outputs) = task.shape();
    // Of a sequence with an answer at every step, all of them.
    let outputs = if task.method().answers_every_step() { outputs * task.method().steps() } else { outputs };
    let columns: usize = task.inputs().iter().map(|(_, size)| size).sum();
    assert_eq!(columns, shape.into_iter().product::<usize>(), "{task:?}: inputs are the columns of a sample");
    for (set, n) in [&loaded.train, &loaded.test].into_iter().zip(samples) {
        assert_eq!(
            (set.shape(), kind(set), set.len()),
            (shape, (task.method().targets(), outputs), n),
            "{task:?}"
        );
    }
    assert_eq!(task.method().names().len(), task.shape().1);
    assert_eq!((task.samples(), task.batch()), (samples[0], task.shown().batch), "{task:?}");
    // Patterns are asked for as they were shown.
    assert!(loaded.train != loaded.test || task.method().answers_every_step(), "{task:?}");
    let again = task.method().load(None).unwrap();
    assert_eq!((again.train, again.test), (loaded.train, loaded.test), "{task:?} is the same every time");
}

#[test]
fn tasks_load_what_they_say() {
    let mut kinds = Vec::new();
    for task in TaskSpec::all() {
        holds(&task, [11, 7]);
        kinds.push(task.method().targets());
        let small = task.method().smoke(4);
        holds(&small, [4, 4]);
        assert_eq!((small.name(), small.shape()), (task.name(), task.shape()));
        assert_eq!(small.batch(), BatchSize::Samples(2));
        let mut quick = task.clone();
        quick.method_mut().quicken(Quick { train: 5, test: 100, epochs: 1 });
        holds(&quick, [5, 7]);
        // As much as its numbers take, and not much more.
        let loaded = task.method().load(None).unwrap();
        let real = (loaded.train.bytes() + loaded.test.bytes()) as u128;
        let (bytes, samples) = task.method().bytes(&[]);
        assert!((real..2 * real + 200).contains(&bytes) && samples == 18, "{task:?}: {bytes} {real}");
    }
    assert!(kinds.contains(&TargetKind::Classes) && kinds.contains(&TargetKind::Values));
}
