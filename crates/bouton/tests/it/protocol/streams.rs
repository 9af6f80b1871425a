//! Whose data a batch holds, in which order, and where epochs and tasks end.

use super::{layered, trainer};
use bouton::task::stream::{Stream, TaskStream};
use bouton_kernels::DType;

/// The task stream of 10 samples in batches of 4.
fn task_stream(sequence: &str) -> TaskStream {
    let text = layered(&format!("[optim.sgd]\nlr = 0.1\n{sequence}")).replace("train = 24", "train = 10");
    trainer(&text.replace("batch = 6", "batch = 4"), &[]).task_stream
}

fn ids(stream: &mut Stream, update: u64) -> Vec<usize> {
    stream.batch(update, DType::F64).ids
}

/// (segment, epoch, total epoch, ends an epoch, ends the segment) of every update.
fn places(stream: &Stream) -> Vec<(usize, u64, u64, bool, bool)> {
    let of = |u| stream.position(u);
    (0..stream.updates())
        .map(|u| (of(u).segment, of(u).epoch, of(u).total_epoch, of(u).ends_epoch, of(u).ends_segment))
        .collect()
}

#[test]
fn epochs_and_tasks_end_where_they_should() {
    let tasks = task_stream("[sequence.permuted]\ntasks = 2\n").train;
    assert_eq!((tasks.updates(), tasks.epochs(), tasks.samples(), tasks.segments()), (12, 4, 20, 2));
    let of_task = |t: usize, e: u64| {
        [(t, 0, e, false, false), (t, 0, e, false, false), (t, 0, e, true, false)].into_iter().chain([
            (t, 1, e + 1, false, false),
            (t, 1, e + 1, false, false),
            (t, 1, e + 1, true, true),
        ])
    };
    assert_eq!(places(&tasks), of_task(0, 0).chain(of_task(1, 2)).collect::<Vec<_>>());
    let cut = task_stream("[sequence.permuted]\ntasks = 2\n[continual]\nupdates = 4\n").train;
    assert_eq!((cut.updates(), cut.epochs()), (8, 4));
    let of_task = |t: usize, e: u64| {
        [(t, 0, e, false, false), (t, 0, e, false, false), (t, 0, e, true, false), (t, 1, e + 1, true, true)]
    };
    assert_eq!(places(&cut), [of_task(0, 0), of_task(1, 2)].concat());
    assert_eq!(cut.position(99).segment, 1, "behind the end is the end");
    assert!(cut.position(99).ends_segment);
    let mixed = task_stream("[sequence.permuted]\ntasks = 2\n[continual]\nupdates = 4\njoint = true\n").train;
    assert_eq!((mixed.updates(), mixed.segments(), mixed.samples(), mixed.epochs()), (8, 1, 20, 2));
    let single = task_stream("").train;
    assert_eq!((single.updates(), single.epochs(), single.samples()), (6, 2, 10));
}

/// Every sample once in an epoch, in another order in the next one; the last batch is what is left.
#[test]
fn an_epoch_holds_every_sample_once() {
    for sequence in ["", "[sequence.permuted]\ntasks = 2\n"] {
        let mut stream = task_stream(sequence).train;
        let epochs: Vec<Vec<usize>> = (0..stream.updates() / 3)
            .map(|e| {
                let batches: Vec<_> = (3 * e..3 * e + 3).map(|u| ids(&mut stream, u)).collect();
                assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
                batches.concat()
            })
            .collect();
        for (e, order) in epochs.iter().enumerate() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            let before = 10 * (e / 2);
            assert_eq!(sorted, (before..before + 10).collect::<Vec<_>>(), "numbers count through all tasks");
            let local = |o: &[usize]| o.iter().map(|id| id % 10).collect::<Vec<_>>();
            assert!(epochs[..e].iter().all(|o| local(o) != local(order)), "{sequence}: epoch {e}");
        }
        assert_eq!(ids(&mut stream, 4), epochs[1][4..8], "a batch depends on its number alone");
        assert_eq!(ids(&mut stream, 0), epochs[0][..4]);
    }
}

/// A task's labels and outputs, and which outputs count for it, by scenario.
#[test]
fn scenarios_say_which_outputs_count() {
    let of = |scenario: &str, more: &str, outputs: usize| {
        let text = layered(&format!(
            "[optim.sgd]\nlr = 0.1\n[sequence.split]\nclasses = 2\n[continual]\nscenario = \"{scenario}\"\n{more}"
        ));
        trainer(&text.replace("5, 4]", &format!("5, {outputs}]")), &[]).task_stream
    };
    let active =
        |c: &TaskStream, task, segment| c.outputs.as_ref().map(|outputs| outputs.active(task, segment));
    let mixed = |c: &TaskStream| {
        c.outputs.as_ref().and_then(|outputs| outputs.mixed()).map(|borders| borders.to_vec())
    };
    let (domain, task, class) = (of("domain", "", 2), of("task", "", 4), of("class", "", 4));
    for (t, seg) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        assert_eq!(active(&domain, t, seg), None);
        assert_eq!(active(&task, t, seg), Some(2 * t..2 * t + 2), "task {t} after {seg}");
        assert_eq!(active(&class, t, seg), Some(0..2 * (t.max(seg) + 1)), "task {t} after {seg}");
    }
    assert_eq!((mixed(&domain), mixed(&task), mixed(&class)), (None, None, None));
    let joint = "joint = true\n";
    assert_eq!(mixed(&of("task", joint, 4)), Some(vec![0, 2, 4]));
    assert_eq!(active(&of("class", joint, 4), 0, 0), None, "mixed tasks have all been seen");
    let replay = "[continual.replay]\nsize = 4\n";
    assert_eq!(mixed(&of("task", replay, 4)), Some(vec![0, 2, 4]));
    assert_eq!(mixed(&of("class", replay, 4)), None);
    for (mut task_stream, first) in [(domain, 0), (task, 2), (class, 2)] {
        let last = task_stream.train.updates() - 1;
        let batch = task_stream.train.batch(last, DType::F64);
        let labels = batch.target.classes().unwrap();
        assert!(labels.iter().all(|l| (first..first + 2).contains(l)), "{labels:?}");
        let tests: Vec<_> = task_stream.train.in_order(&task_stream.tests[1], None, DType::F64).collect();
        assert!(tests[0].target.classes().unwrap().iter().all(|l| (first..first + 2).contains(l)));
    }
}

/// Tasks of their own classes, one of them larger than the other, a class left out: what is shown, and which outputs it has.
#[test]
fn classes_are_dealt_out_by_hand() {
    let of = |scenario: &str, outputs: usize| {
        let text = layered(&format!(
            "[optim.sgd]\nlr = 0.1\n[sequence.split]\nclasses = [[3], [2, 0]]\n[continual]\nscenario = \"{scenario}\"\n"
        ));
        trainer(&text.replace("5, 4]", &format!("5, {outputs}]")), &[]).task_stream
    };
    let labels = |c: &TaskStream, task: usize| -> Vec<u16> {
        let batches = c.train.in_order(&c.tests[task], None, DType::F64);
        let mut all: Vec<u16> = batches.flat_map(|b| b.target.classes().unwrap().to_vec()).collect();
        all.sort_unstable();
        all
    };
    for (scenario, outputs, wanted, active) in [
        ("task", 3, [[0; 3].to_vec(), vec![1, 1, 1, 2, 2, 2]], [Some(0..1), Some(1..3)]),
        ("class", 3, [[0; 3].to_vec(), vec![1, 1, 1, 2, 2, 2]], [Some(0..1), Some(0..3)]),
        ("domain", 2, [[0; 3].to_vec(), vec![0, 0, 0, 1, 1, 1]], [None, None]),
    ] {
        let stream = of(scenario, outputs);
        for (t, (wanted, active)) in wanted.into_iter().zip(active).enumerate() {
            assert_eq!(labels(&stream, t), wanted, "{scenario} task {t}");
            assert_eq!(
                stream.outputs.as_ref().map(|outputs| outputs.active(t, t)),
                active,
                "{scenario} task {t}"
            );
        }
        assert_eq!(stream.classes(), Some(vec![vec![3], vec![2, 0]]));
        // The first output of the second task stands for class 2.
        let part = &stream.tests[1];
        let first = stream.train.in_order(part, None, DType::F64).next().unwrap();
        let of_two = trainer(&layered("[optim.sgd]\nlr = 0.1\n"), &[]).task_stream;
        let all = of_two.train.in_order(&of_two.tests[0], None, DType::F64).next().unwrap();
        let place = all.target.classes().unwrap().iter().position(|&label| label == 2).unwrap();
        let row = |batch: &bouton::credit::Batch, r: usize| batch.x.to_f64s()[9 * r..9 * r + 9].to_vec();
        let lowest = *wanted_first(&first);
        let at = first.target.classes().unwrap().iter().position(|&label| label == lowest).unwrap();
        assert_eq!(row(&first, at), row(&all, place), "{scenario}");
    }
    for (lists, message) in [
        ("[[0, 1]]", "has 1 tasks"),
        ("[[0], []]", "one without classes"),
        ("[[0], [1, 0]]", "names class 0 twice"),
        ("[[0], [4]]", "names class 4, but synthetic has 4"),
        ("[[0], [1]]\nshuffle = true", "shuffle would change"),
        ("3", "a divisor of the 4 classes"),
    ] {
        let text = layered(&format!("[optim.sgd]\nlr = 0.1\n[sequence.split]\nclasses = {lists}\n"));
        let error = bouton::recipe::Recipe::parse(&text, "r").and_then(|r| r.check()).unwrap_err();
        assert!(error.to_string().contains(message) && error.hint().is_some(), "{lists}: {error}");
    }
}

fn wanted_first(batch: &bouton::credit::Batch) -> &u16 {
    batch.target.classes().unwrap().iter().min().unwrap()
}

/// Parts of a stream are cut in file order, and cover the set; the test set is one.
#[test]
fn subsets_are_parts_of_one_set() {
    let mut c = task_stream("[sequence.subsets]\nparts = 3\n");
    let sizes: Vec<usize> = (0..3).map(|k| c.train.parts(k).iter().map(|p| p.len()).sum()).collect();
    assert_eq!((sizes, c.tests.len()), (vec![3, 3, 4], 1));
    let whole: Vec<_> = {
        let single = task_stream("");
        let part = &single.train.parts(0)[0];
        single.train.in_order(part, None, DType::F64).flat_map(|b| b.x.to_f64s()).collect()
    };
    let parts: Vec<f64> = (0..3)
        .flat_map(|k| {
            let part = c.train.parts(k)[0].clone();
            c.train.in_order(&part, None, DType::F64).flat_map(|b| b.x.to_f64s()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(parts, whole);
    let updates = c.train.updates();
    assert_eq!(updates, 2 * 3);
    assert_eq!(ids(&mut c.train, updates - 1).len(), 4);
}

/// Evaluation takes samples in file order, at most as many as it is told, as they are.
#[test]
fn evaluation_sees_samples_as_they_are() {
    let text = "precision = \"f64\"\n[task.digits]\ntrain = 12\ntest = 6\nbatch = 4\nepochs = 3\n[network]\nlayers = [64, 4, 10]\n\
        [neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
    let (plain, varied) = (
        trainer(text, &[]).task_stream,
        trainer(text, &["task.digits.flip=true", "task.digits.shift=1"]).task_stream,
    );
    let first = |c: &TaskStream, n| -> Vec<f64> {
        c.train.in_order(&c.tests[0], n, DType::F64).flat_map(|b| b.x.to_f64s()).collect()
    };
    assert_eq!(first(&plain, None), first(&varied, None));
    assert_eq!(first(&plain, Some(4)), first(&plain, None)[..4 * 64]);
    assert_eq!(first(&plain, Some(99)), first(&plain, None));
    let (mut plain, mut varied) = (plain.train, varied.train);
    let (mut moved, mut kinds) = (0, std::collections::BTreeSet::new());
    for update in 0..9 {
        let (a, b) = (plain.batch(update, DType::F64), varied.batch(update, DType::F64));
        assert_eq!((&a.ids, &a.target), (&b.ids, &b.target));
        for (i, id) in a.ids.iter().enumerate() {
            let row = |x: &bouton_kernels::Mat| x.rows_view(i..i + 1).to_mat().to_f64s();
            moved += usize::from(row(&a.x) != row(&b.x));
            kinds.insert((*id, row(&b.x).iter().map(|x| x.to_bits()).collect::<Vec<_>>()));
        }
    }
    assert!(
        moved > 18 && kinds.len() > 24,
        "{moved} of 36 samples are moved, {} of them unlike before",
        kinds.len()
    );
}

/// Samples of one epoch are varied each in its own way.
#[test]
fn every_sample_is_varied_for_itself() {
    let text = "precision = \"f64\"\n[task.digits]\ntrain = 12\ntest = 6\nbatch = \"all\"\nepochs = 2\n[network]\n\
        layers = [64, 4, 10]\n[neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
    let batch =
        |overrides: &[&str]| trainer(text, overrides).task_stream.train.batch(0, DType::F64).x.to_f64s();
    let (plain, varied) = (batch(&[]), batch(&["task.digits.shift=1"]));
    let moved = |from: &[f64], [dy, dx]: [isize; 2]| -> Vec<f64> {
        let at = |i: usize| [(i / 8) as isize + dy, (i % 8) as isize + dx];
        let inside = |p: [isize; 2]| p.iter().all(|x| (0..8).contains(x));
        (0..64).map(|i| if inside(at(i)) { from[(at(i)[0] * 8 + at(i)[1]) as usize] } else { 0.0 }).collect()
    };
    let way = |r: usize| {
        let (from, to) = (&plain[64 * r..64 * (r + 1)], &varied[64 * r..64 * (r + 1)]);
        let mut all = (-1..2).flat_map(|dy| (-1..2).map(move |dx| [dy, dx]));
        all.find(|way| moved(from, *way) == to).expect("one of nine ways")
    };
    let ways: std::collections::BTreeSet<_> = (0..12).map(way).collect();
    assert!(ways.len() > 3, "{ways:?}");
}

/// Half of the images are mirrored, one by one and epoch by epoch.
#[test]
fn half_of_the_images_are_mirrored() {
    let flip = bouton::task::Augment { flip: true, ..Default::default() };
    let mirrored = |epoch: u64, sample: u64| {
        let mut out = [0; 2];
        flip.apply(&[1, 2], [1, 1, 2], (1, epoch, sample), &mut out);
        out == [2, 1]
    };
    let count = |of: &dyn Fn(u64) -> bool| (0..400).filter(|i| of(*i)).count();
    // Four standard deviations are 40.
    assert!(count(&|i| mirrored(0, i)).abs_diff(200) < 40);
    assert!(count(&|i| mirrored(i, 0)).abs_diff(200) < 40);
    assert!(count(&|i| mirrored(0, i) == mirrored(1, i)).abs_diff(200) < 40, "epochs differ");
}

fn pixels(c: &TaskStream, test: bool, task: usize) -> Vec<f64> {
    let part = if test { c.tests[task].clone() } else { c.train.parts(task)[0].clone() };
    c.train.in_order(&part, None, DType::F64).flat_map(|b| b.x.to_f64s()).collect()
}

/// Tasks see other pixels of the same images, training and test set alike; the first ones in place if that is asked for.
#[test]
fn tasks_see_what_is_theirs() {
    let (plain, single) = (task_stream("[sequence.permuted]\ntasks = 3\n"), task_stream(""));
    let same = task_stream("[sequence.permuted]\ntasks = 3\nfirst-identity = true\n");
    for test in [false, true] {
        let original = pixels(&single, test, 0);
        let of: Vec<_> = (0..3).map(|t| pixels(&plain, test, t)).collect();
        assert!(of[0] != of[1] && of[1] != of[2] && of[0] != of[2] && !of.contains(&original));
        assert_eq!(pixels(&same, test, 0), original);
        assert_eq!(pixels(&same, test, 2), of[2]);
    }
    let order = |train: &[f64], original: &[f64]| -> Vec<usize> {
        let column =
            |x: &[f64], i: usize| (0..x.len() / 9).map(|r| x[9 * r + i].to_bits()).collect::<Vec<_>>();
        (0..9).map(|i| (0..9).find(|&j| column(train, i) == column(original, j)).unwrap()).collect()
    };
    let [train, test] = [false, true].map(|test| order(&pixels(&plain, test, 1), &pixels(&single, test, 0)));
    assert_eq!(train, test, "one permutation for training and test");
    assert_ne!(
        pixels(&single, false, 0)[..9 * 10],
        pixels(&single, true, 0)[..9 * 10],
        "tests are on other samples"
    );
}

/// Seeds deal classes out and permute pixels in ways of their own.
#[test]
fn seeds_make_tasks_of_their_own() {
    let with = |sequence: &str, seed: u64| {
        let text = layered(&format!("[optim.sgd]\nlr = 0.1\n{sequence}"));
        trainer(
            &text.replace("[9, 5, 4]", if sequence.contains("split") { "[9, 5, 2]" } else { "[9, 5, 4]" }),
            &[&format!("seed={seed}")],
        )
        .task_stream
    };
    for sequence in ["[sequence.permuted]\ntasks = 2\n", "[sequence.split]\nclasses = 2\nshuffle = true\n"] {
        let first = pixels(&with(sequence, 1), false, 0);
        assert_eq!(first, pixels(&with(sequence, 1), false, 0));
        assert!((2..8).any(|seed| pixels(&with(sequence, seed), false, 0) != first), "{sequence}");
    }
    let fixed = "[sequence.split]\nclasses = 2\n";
    assert_eq!(
        pixels(&with(fixed, 1), false, 0),
        pixels(&with(fixed, 5), false, 0),
        "unshuffled classes are those of labels"
    );
}

/// As many kept samples as are asked for, other ones in every update.
#[test]
fn replay_adds_what_it_was_told() {
    let mut of_three =
        task_stream("[sequence.permuted]\ntasks = 2\n[continual.replay]\nsize = 8\nbatch = 3\n").train;
    let mut as_many = task_stream("[sequence.permuted]\ntasks = 2\n[continual.replay]\nsize = 8\n").train;
    assert_eq!(
        (ids(&mut of_three, 1).len(), ids(&mut as_many, 1).len()),
        (4, 4),
        "the first task has no past"
    );
    let drawn: Vec<Vec<usize>> = (6..12).map(|u| ids(&mut of_three, u)).collect();
    assert_eq!(drawn.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 5, 7, 7, 5]);
    assert_eq!((ids(&mut as_many, 6).len(), ids(&mut as_many, 8).len()), (8, 4));
    let old: Vec<&[usize]> = drawn.iter().map(|ids| &ids[ids.len() - 3..]).collect();
    assert!(old.iter().all(|ids| ids.iter().all(|id| *id < 10)));
    assert!((1..6).any(|k| old[k] != old[0]), "{old:?}");
    let again = (ids(&mut of_three, 1).len(), ids(&mut of_three, 6));
    assert_eq!(again, (4, drawn[0].clone()), "a buffer that goes back forgets");
}

/// A buffer of eight holds eight, however many tasks share it.
#[test]
fn replay_keeps_no_more_than_its_size() {
    let mut stream =
        task_stream("[sequence.permuted]\ntasks = 4\n[continual.replay]\nsize = 8\nbatch = 9\n").train;
    for task in 1..4 {
        let drawn = (6 * task..6 * task + 6).flat_map(|u| {
            let ids = ids(&mut stream, u);
            ids[ids.len() - 9..].to_vec()
        });
        let kept: std::collections::BTreeSet<usize> = drawn.collect();
        assert!((4..=8).contains(&kept.len()) && kept.iter().all(|id| *id < 10 * task as usize), "{kept:?}");
    }
}

/// A limit beyond the epochs is none.
#[test]
fn a_run_is_as_long_as_its_epochs_or_shorter() {
    let updates = |limit: &str| trainer(&layered("[optim.sgd]\nlr = 0.1\n"), &[limit]).updates();
    assert_eq!((updates("run.updates=99"), updates("run.updates=5"), updates("seed=1")), (8, 5, 8));
}
