//! Tasks in time and points to be told apart: each by the property that makes it what it is.

use bouton::task::{Answers, Dataset, TaskSpec};
use bouton::train::Trainer;
use serde_json::{Value, json};

fn loaded(name: &str, mut table: Value) -> Dataset {
    for (key, value) in [("batch", 1), ("epochs", 1), ("test", 3)] {
        table[key] = value.into();
    }
    let mut task = json!({});
    task[name] = table;
    let task: TaskSpec = serde_json::from_value(task).unwrap();
    let other = task.method().load(None).unwrap();
    let numbers = |set: &Dataset, i| match set.numbers(i) {
        Some(numbers) => numbers.into_owned(),
        None => set.image(i).iter().map(|byte| f32::from(*byte)).collect(),
    };
    let first = |set: &Dataset| (0..3).map(|i| numbers(set, i)).collect::<Vec<_>>();
    assert_ne!(first(&other.train), first(&other.test), "{name}: splits differ");
    other.train
}

/// The groups that fire in `steps` of a sample whose trains spike at every step they may; all of a group do, and all the time.
fn groups(set: &Dataset, sample: usize, steps: std::ops::Range<usize>, size: usize) -> Vec<usize> {
    let (image, inputs) = (set.image(sample), set.shape()[2]);
    let fires = |t: usize, i: usize| image[t * inputs + i] > 0;
    let on: Vec<usize> = (0..inputs / size).filter(|g| fires(steps.start, g * size)).collect();
    for t in steps {
        assert!((0..inputs).all(|i| fires(t, i) == on.contains(&(i / size))), "step {t}: not {on:?}");
    }
    on
}

#[test]
fn the_answer_is_the_value_at_the_last_store() {
    let (symbols, store, recall) = (9, 3, 4);
    let task = json!({ "values": 3, "symbols": symbols, "symbol": 2, "group": 2, "rate": 1.0, "train": 300 });
    let set = loaded("store-recall", task);
    let (mut counts, mut distances) = ([0; 3], [0; 9]);
    for sample in 0..300 {
        let row: Vec<_> = (0..symbols).map(|s| groups(&set, sample, 2 * s..2 * s + 2, 2)).collect();
        let (mut kept, mut open) = (None, false);
        for (s, on) in row.iter().enumerate() {
            let last = s == symbols - 1;
            match on[..] {
                [value] if value < store => {}
                [value, told] if value < store && told == store => {
                    assert!(!open, "a store waits for its question");
                    (kept, open) = (Some((value, s)), true);
                }
                [told] if told == recall => {
                    assert!(open || last, "a question waits for a store");
                    open = false;
                }
                _ => panic!("{on:?}"),
            }
            assert!(!last || on[..] == [recall], "the last symbol is the question");
        }
        let (value, at) = kept.expect("something was stored");
        assert_eq!(set.label(sample), value, "{row:?}");
        counts[value] += 1;
        distances[symbols - 1 - at] += 1;
    }
    assert!(counts.iter().all(|n| *n > 70), "{counts:?}");
    assert!(distances[1..].iter().all(|n| *n > 5) && distances[0] == 0, "{distances:?}");
}

/// With all questions judged, each of their steps has the value of the store before; the last one is that of the sample.
#[test]
fn every_question_is_judged_by_the_store_before_it() {
    let (symbols, store, recall) = (12, 3, 4);
    let task = json!({ "values": 3, "symbols": symbols, "symbol": 2, "group": 2, "rate": 1.0, "delay": 1.0, "train": 100,
        "questions": "all" });
    let set = loaded("store-recall", task.clone());
    let spans = set.spans().unwrap();
    let (mask, classes) = (spans.mask.as_ref().unwrap(), spans.classes.as_ref().unwrap());
    let mut questions = 0;
    for sample in 0..100 {
        let mut kept = None;
        for s in 0..symbols {
            let on = groups(&set, sample, 2 * s..2 * s + 2, 2);
            if let [value, told] = on[..]
                && told == store
            {
                kept = Some(value);
            }
            let asked = on[..] == [recall];
            questions += usize::from(asked);
            for i in (0..2).map(|t| sample * 2 * symbols + 2 * s + t) {
                assert_eq!(mask[i], f64::from(u8::from(asked)), "sample {sample}, symbol {s}");
                assert!(!asked || Some(usize::from(classes[i])) == kept, "sample {sample}, symbol {s}");
            }
        }
        assert_eq!(Some(set.label(sample)), kept);
    }
    assert!(questions > 200, "{questions}");
    let mut last = task;
    last["questions"] = "last".into();
    let last = loaded("store-recall", last);
    assert!(last.spans().is_none() && (0..100).all(|i| last.image(i) == set.image(i)), "the same samples");
}

/// In a long row some 6 symbols stand between a store and its question, and as many before the next store.
#[test]
fn questions_come_after_the_delay_in_the_mean() {
    let task = json!({ "symbols": 4000, "symbol": 1, "group": 1, "rate": 1.0, "delay": 6.0, "train": 4 });
    let set = loaded("store-recall", task);
    let (mut between, mut pairs, mut open) = (0, 0, false);
    for sample in 0..4 {
        for s in 0..3999 {
            match groups(&set, sample, s..s + 1, 1)[..] {
                [_, 2] => open = true,
                [3] => (pairs, open) = (pairs + 1, false),
                _ => between += usize::from(open),
            }
        }
    }
    let mean = between as f64 / pairs as f64;
    assert!((950..1350).contains(&pairs) && (mean - 6.0).abs() < 0.7, "{pairs} pairs, {mean}");
}

#[test]
fn what_is_said_again_is_what_was_shown() {
    let (n, length, delay) = (5, 4, 6);
    let set = loaded("copy", json!({ "symbols": n, "length": length, "delay": delay, "train": 50 }));
    let steps = 2 * length + delay;
    let Answers::Values { outputs, values } = set.answers() else { panic!("values") };
    assert_eq!((*outputs, set.shape()), (steps * n, [1, steps, n + 1]));
    let mut seen = [0; 5];
    for sample in 0..50 {
        let image = set.image(sample);
        let shown = |t: usize, i: usize| f32::from(image[t * (n + 1) + i]);
        for t in 0..steps {
            let symbols: f32 = (0..n).map(|i| shown(t, i)).sum();
            assert_eq!(symbols, if t < length { 1.0 } else { 0.0 });
            assert_eq!(shown(t, n) == 1.0, t == length + delay - 1, "it is asked once, before the answer");
            for i in 0..n {
                let wanted = if t < length + delay { 0.0 } else { shown(t - length - delay, i) };
                assert_eq!(values[sample * outputs + t * n + i], wanted, "sample {sample}, step {t}");
                seen[i] += shown(t, i) as usize;
            }
        }
    }
    assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
}

#[test]
fn symbols_are_said_again_as_classes_in_the_answer_alone() {
    let (n, length, delay) = (5, 4, 6);
    let set = loaded(
        "copy",
        json!({ "symbols": n, "length": length, "delay": delay, "train": 50, "answers": "classes" }),
    );
    let (steps, spans) = (2 * length + delay, set.spans().unwrap());
    let (mask, classes) = (spans.mask.as_ref().unwrap(), spans.classes.as_ref().unwrap());
    for sample in 0..50 {
        for t in 0..steps {
            let judged = t >= length + delay;
            assert_eq!(mask[sample * steps + t], f64::from(u8::from(judged)), "step {t}");
            let class = usize::from(classes[sample * steps + t]);
            let shown = |t: usize| set.image(sample)[t * (n + 1) + class] == 1;
            assert!(!judged || shown(t - length - delay), "sample {sample}, step {t}");
        }
        assert_eq!(set.label(sample), usize::from(classes[(sample + 1) * steps - 1]));
    }
}

#[test]
fn a_match_is_the_same_stimulus_again() {
    let (stimulus, delay) = (3, 4);
    let task =
        json!({ "stimuli": 3, "stimulus": stimulus, "delay": delay, "group": 2, "rate": 1.0, "train": 300 });
    let set = loaded("delayed-match", task);
    let mut pairs = [[0; 3]; 3];
    for sample in 0..300 {
        let of = |from: usize, to: usize| groups(&set, sample, from..to, 2);
        let (first, second) = (of(0, stimulus), of(stimulus + delay, 2 * stimulus + delay));
        assert!(of(stimulus, stimulus + delay).is_empty() && first.len() == 1 && second.len() == 1);
        assert_eq!(set.label(sample), usize::from(first == second));
        pairs[first[0]][second[0]] += 1;
    }
    for (i, row) in pairs.iter().enumerate() {
        // 50 of each match, 25 of anything else.
        assert!(row.iter().enumerate().all(|(j, n)| *n > if i == j { 30 } else { 10 }), "{pairs:?}");
    }
}

/// Points around these, on both sides of each border, have the class that the figure gives by hand.
#[test]
fn points_lie_where_the_figure_says() {
    let set = loaded("yin-yang", json!({ "train": 20_000 }));
    let (yin, yang, dot) = (0, 1, 2);
    let cases = [
        (0.25, 0.5, dot),
        (0.75, 0.57, dot),
        (0.25, 0.65, yin),
        (0.25, 0.35, yin),
        (0.25, 0.2, yang),
        (0.75, 0.35, yang),
        (0.75, 0.65, yang),
        (0.75, 0.8, yin),
        (0.5, 0.95, yin),
        (0.5, 0.05, yang),
    ];
    for (x, y, wanted) in cases {
        let near = |i: &usize| {
            let at = set.numbers(*i).unwrap();
            (at[0] - x).abs() < 0.02 && (at[1] - y).abs() < 0.02
        };
        let found: Vec<usize> = (0..20_000).filter(near).map(|i| set.label(i)).collect();
        assert!(found.len() > 9 && found.iter().all(|c| *c == wanted), "({x}, {y}): {found:?}");
    }
}

/// Points lie evenly in their part of the figure: of yin, 0.115π in all, 0.08875π are in the upper half beside the right half-disc; dots
/// have the radius 0.1; and yang is yin turned about the middle.
#[test]
fn yin_and_yang_have_their_areas() {
    let set = loaded("yin-yang", json!({ "train": 30_000 }));
    let mut counts = [0; 3];
    let (mut above, mut mean) = ([0.0; 3], [[0.0; 2]; 3]);
    let mut farthest = 0.0_f64;
    for sample in 0..30_000 {
        let x = set.numbers(sample).unwrap();
        assert_eq!([x[2], x[3]], [1.0 - x[0], 1.0 - x[1]]);
        let (x, y) = (f64::from(x[0]), f64::from(x[1]));
        let class = set.label(sample);
        counts[class] += 1;
        above[class] += f64::from(u8::from(y > 0.5));
        mean[class][0] += x;
        mean[class][1] += y;
        assert!((x - 0.5).hypot(y - 0.5) <= 0.5 + 1e-6);
        if class == 2 {
            farthest = farthest.max((x - 0.25).hypot(y - 0.5).min((x - 0.75).hypot(y - 0.5)));
        }
    }
    // Five standard deviations of 30 000 draws.
    assert!(counts.iter().all(|n| (9_590..10_410).contains(n)), "{counts:?}");
    let share = |class: usize| above[class] / f64::from(counts[class]);
    for (class, wanted) in [0.08875 / 0.115, 1.0 - 0.08875 / 0.115, 0.5].into_iter().enumerate() {
        assert!((share(class) - wanted).abs() < 0.025, "{class}: {} {wanted}", share(class));
    }
    for i in 0..2 {
        let of = |class: usize| mean[class][i] / f64::from(counts[class]);
        assert!((of(0) + of(1) - 1.0).abs() < 0.02 && (of(2) - 0.5).abs() < 0.015, "{mean:?}");
    }
    assert!((0.099..0.100_001).contains(&farthest), "{farthest}");
}

fn accuracy(units: &str) -> f64 {
    let text = format!(
        "[task.store-recall]\nsymbols = 5\nsymbol = 4\ndelay = 1.0\ngroup = 3\nrate = 0.7\ntrain = 512\ntest = 256\n\
         batch = 32\nepochs = 12\n[time]\nreading = {{ window = 4 }}\n[network]\nlayers = [12, 24, 2]\n{units}\
         [credit.bptt]\n[objective.softmax-cross-entropy]\n[optim.adam]\nlr = 0.01\n"
    );
    let mut trainer = Trainer::new(&bouton::recipe::Recipe::parse(&text, "test").unwrap(), None).unwrap();
    (0..trainer.updates()).for_each(|_| drop(trainer.learn().unwrap()));
    let found = trainer.evaluate(0).unwrap();
    found.metrics().find(|(metric, _)| metric.name == "accuracy").unwrap().1
}

/// A value is remembered by units that do so, and not by those that only see the question.
#[test]
fn a_small_network_learns_to_store_and_recall() {
    let loops = "[neuron.alif]\ntau = 10.0\nthreshold = 0.5\nbeta = 0.2\ntau-adaptation = 30.0\n\
                 [connection.loop]\nfrom = \"hidden1\"\nto = \"hidden1\"\nautapses = false\n\
                 [population.output.neuron.leaky]\ntau = 3.0\n";
    let forgetful =
        "[neuron.lif]\ntau = 1e-3\nthreshold = 0.5\n[population.output.neuron.leaky]\ntau = 1e-3\n";
    let (remembered, forgotten) = (accuracy(loops), accuracy(forgetful));
    assert!(remembered > 0.8, "{remembered}");
    assert!((0.35..0.65).contains(&forgotten), "chance is ½, not {forgotten}");
}
