//! Samples of different length, masks and weights: a padded sample is the sample alone, and what is not judged leaves no trace.

use super::{BPTT, LEAKY, LOOP, against_differences_of, batch, recipe, smooth};
use crate::common::{gradient, loss};
use bouton::Error;
use bouton::credit::Batch;
use bouton::encoder::Spans;
use bouton::recipe::Recipe;
use bouton::task::npy::{Array, Values};
use bouton::task::npz;
use bouton::task::stream;
use bouton_kernels::{DType, Mat};
use std::path::Path;

const LENGTHS: [usize; 4] = [3, 5, 1, 4];

/// Samples of these lengths, and something in the padding.
fn padded(padding: f64) -> Batch {
    let mut batch = batch(4);
    for (sample, length) in LENGTHS.into_iter().enumerate() {
        batch.x.slice_mut::<f64>()[sample * 20 + 4 * length..(sample + 1) * 20].fill(padding);
    }
    batch.spans = Some(Spans { lengths: LENGTHS.to_vec(), ..Spans::none(5) });
    batch
}

/// A lively network with a loop, and a penalty on rates, that reads samples of so many steps so.
fn network(reading: &str, steps: usize, credit: &str) -> Recipe {
    let units = smooth("alif", "surrogate = { sigmoid = 3.0 }");
    let rates = "rates = { cost = 0.7, target = 0.1 }";
    let rest = format!("[time]\nreading = {reading}\n{rates}\n{units}{LEAKY}{LOOP}{credit}");
    let text = recipe("[4, 6, 3]", &rest).to_toml();
    let text = text.replace("shape = [1, 5, 4]", &format!("shape = [1, {steps}, 4]"));
    Recipe::parse(&text.replace("steps = 5", &format!("steps = {steps}")), "test").unwrap()
}

const READINGS: [&str; 7] =
    ["\"last\"", "\"mean\"", "\"sum\"", "\"max\"", "\"each\"", "{ window = 1 }", "{ each-of-last = 1 }"];

#[test]
fn a_padded_sample_is_the_sample_alone_whatever_stands_in_the_padding() {
    for reading in READINGS {
        for credit in [BPTT, "[credit.bptt]\ncheckpoint = 2\n", "[credit.e-prop]\n"] {
            let whole = network(reading, 5, credit);
            for (sample, length) in LENGTHS.into_iter().enumerate() {
                let one = padded(7.0).take(&[sample]);
                let alone = network(reading, length, credit);
                let x = Mat::from_fn(DType::F64, 1, 4 * length, |_, i| one.x.get(0, i));
                let short = Batch { x, target: one.target.clone(), ids: one.ids.clone(), spans: None };
                let (g, step) = gradient(&whole, &mut whole.build().unwrap(), &one);
                let (wanted, of_alone) = gradient(&alone, &mut alone.build().unwrap(), &short);
                assert!(wanted.iter().filter(|g| **g != 0.0).count() > 20, "a network that is dead");
                let most = g.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                let losses = (step.mean_loss() - of_alone.mean_loss()).abs();
                assert!(most < 1e-12 && losses < 1e-12, "{reading} {credit} {sample}: {most:e} {losses:e}");
                assert_eq!(step.samples, of_alone.samples);
                let outputs = |recipe: &Recipe, batch: &Batch| {
                    let network = recipe.build().unwrap();
                    let rule = recipe.credit.build(&recipe.solver, &network, 1).unwrap();
                    let free = rule.free(&network, batch, &*recipe.objective.build()).unwrap();
                    free.out[network.output()].to_f64s()
                };
                let said = outputs(&whole, &one).into_iter().zip(outputs(&alone, &short));
                assert!(said.into_iter().all(|(a, b)| (a - b).abs() < 1e-12), "{reading} {sample}");
            }
            let of = |padding| gradient(&whole, &mut whole.build().unwrap(), &padded(padding)).0;
            assert_eq!(of(7.0), of(-3.0), "{reading}");
        }
    }
}

/// In a batch, too, and with masks and weights.
#[test]
fn gradients_of_what_is_judged_are_exact() {
    for reading in READINGS {
        let recipe = network(reading, 5, BPTT);
        let mut batch = padded(2.0);
        let spans = batch.spans.as_mut().unwrap();
        spans.weights = Some(vec![0.5, 2.0, 1.0, 0.25]);
        if reading == "\"each\"" {
            spans.mask = Some((0..20).map(|i| [0.0, 1.0, 0.5][i % 3]).collect());
        }
        let error = against_differences_of(&recipe, &batch);
        assert!(error < 1e-7, "{reading}: {error:e}");
    }
}

/// The loss is the weighted mean over the steps that are judged.
#[test]
fn masks_and_weights_are_a_weighted_mean() {
    let text = network("\"each\"", 5, BPTT).to_toml().replace("cost = 0.7", "cost = 0.0");
    let recipe = Recipe::parse(&text, "test").unwrap();
    let built = recipe.build().unwrap();
    let of = |mask: Vec<f64>, weights: Option<Vec<f64>>| {
        let mut batch = padded(0.0);
        batch.spans = Some(Spans { lengths: LENGTHS.to_vec(), mask: Some(mask), weights, ..Spans::none(5) });
        loss(&recipe, &built, &batch)
    };
    let mask: Vec<f64> = (0..20).map(|i| [0.0, 1.0, 0.25, 3.0][i % 4]).collect();
    let weights = [0.5, 2.0, 1.0, 0.25];
    let (mut sum, mut all) = (0.0, 0.0);
    for (i, m) in mask.iter().enumerate().filter(|(i, m)| i % 5 < LENGTHS[i / 5] && **m > 0.0) {
        let one = (0..20).map(|j| f64::from(u8::from(i == j))).collect();
        sum += m * weights[i / 5] * of(one, None);
        all += m * weights[i / 5];
    }
    let found = of(mask, Some(weights.to_vec()));
    assert!((found - sum / all).abs() < 1e-12, "{found} {}", sum / all);
    assert!((found - of(vec![1.0; 20], None)).abs() > 1e-3);
}

/// Each step is judged by its own class: the loss is the mean over the classes of what their steps come to with one class for all.
#[test]
fn steps_with_classes_of_their_own_are_judged_by_them() {
    for credit in [BPTT, "[credit.e-prop]\nevery = 5\n"] {
        let units = smooth("alif", "surrogate = { sigmoid = 3.0 }");
        let recipe =
            recipe("[4, 6, 3]", &format!("[time]\nreading = \"each\"\n{units}{LEAKY}{LOOP}{credit}"));
        let class = |i: usize| (i / 5 + 2 * (i % 5)) % 3;
        let of = |only: Option<usize>| {
            let mut batch = padded(0.0);
            let judged = |i: usize| {
                f64::from(u8::from([0, 1, 1, 1][i % 4] == 1 && only.is_none_or(|c| class(i) == c)))
            };
            let mut spans =
                Spans { mask: Some((0..20).map(judged).collect()), ..batch.spans.take().unwrap() };
            match only {
                Some(c) => batch.target = vec![c as u16; 4].into(),
                None => spans.classes = Some((0..20).map(|i| class(i) as u16).collect()),
            }
            let count: f64 = spans.judged(true).1.iter().sum();
            batch.spans = Some(spans);
            let (g, step) = gradient(&recipe, &mut recipe.build().unwrap(), &batch);
            (g.into_iter().map(|g| g * count).collect::<Vec<_>>(), step.mean_loss() * count)
        };
        let (all, parts) = (of(None), [0, 1, 2].map(|c| of(Some(c))));
        assert!(
            (all.1 - parts.iter().map(|part| part.1).sum::<f64>()).abs() < 1e-12
                && parts.iter().all(|part| part.1 > 0.1)
        );
        let most = (0..all.0.len())
            .map(|i| (all.0[i] - parts.iter().map(|part| part.0[i]).sum::<f64>()).abs())
            .fold(0.0, f64::max);
        assert!(most < 1e-12 && all.0.iter().any(|g| g.abs() > 1e-3), "{credit}: {most:e}");
    }
}

/// Arrays of 8 samples of 4 steps and 3 numbers, `lengths` 1 to 4, with NaN in the padding.
fn arrays() -> Vec<(&'static str, Array)> {
    let number = |i: usize| if i / 3 % 4 <= i / 12 % 4 { (i % 11) as f64 } else { f64::NAN };
    vec![
        ("X", Array { shape: vec![8, 4, 3], values: Values::Floats((0..96).map(number).collect()) }),
        ("y", Array { shape: vec![8], values: Values::Integers((0..8).map(|i| i / 4).collect()) }),
        ("lengths", Array { shape: vec![8], values: Values::Integers((0..8).map(|i| i % 4 + 1).collect()) }),
    ]
}

fn load(
    folder: &Path,
    arrays: &[(&str, Array)],
    tables: &str,
) -> bouton::Result<(Recipe, stream::TaskStream)> {
    npz::write(&folder.join("own.npz"), arrays)?;
    // Three channels a number and a cue.
    let inputs = if tables.contains("threshold") { 10 } else { 3 };
    let text = format!(
        "precision = \"f64\"\n[task.files]\ntrain = \"own.npz\"\ntest = 0.25\nvalidation = 0.34\nbatch = 2\nepochs = 1\n\
         [network]\nlayers = [{inputs}, 5, 2]\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n{tables}"
    );
    std::fs::write(folder.join("r.toml"), text).unwrap();
    let recipe = Recipe::load(folder.join("r.toml"))?;
    recipe.check()?;
    let stream = stream::open(&recipe, None)?;
    Ok((recipe, stream))
}

const LIF: &str = "[neuron.lif]\n[credit.bptt]\n";

#[test]
fn lengths_of_a_file_stay_with_their_samples() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = arrays();
    let weights = (0..8).map(|i| f64::from(i % 4 + 1) / 8.0).collect();
    all.push(("weights", Array { shape: vec![8], values: Values::Floats(weights) }));
    // Parts of the set, too, whose samples are counted on their own.
    ["", "[sequence.subsets]\nparts = 2\n"].into_iter().for_each(|parts| stays(folder.path(), &all, parts));
}

fn stays(folder: &Path, arrays: &[(&str, Array)], parts: &str) {
    let (_, mut stream) = load(folder, arrays, &format!("{parts}{LIF}")).unwrap();
    let mut batches: Vec<Batch> =
        (0..stream.train.updates()).map(|u| stream.train.batch(u, DType::F64)).collect();
    for part in [&stream.tests[0], &stream.validations[0]] {
        batches.extend(stream.train.in_order(part, None, DType::F64));
    }
    let mut seen = Vec::new();
    for batch in batches {
        let spans = batch.spans.clone().expect("lengths");
        for (r, &length) in spans.lengths.iter().enumerate() {
            let own = (0..4).filter(|t| (0..3).any(|c| batch.x.get(r, 3 * t + c) != 0.0)).count();
            assert_eq!(own, length, "what stands beyond is zero, and what does not is not");
            assert_eq!(spans.of(r), length as f64 / 8.0);
            seen.push(length);
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 1, 2, 2, 3, 3, 4, 4]);
}

#[test]
fn what_makes_no_sense_beside_samples_is_refused_with_file_and_sample() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &'static str, shape: &[usize], values: Vec<f64>| {
        let mut all = arrays();
        all.retain(|(known, _)| *known != name);
        all.push((name, Array { shape: shape.to_vec(), values: Values::Floats(values) }));
        all
    };
    let with_nan = |at: usize| {
        let mut values: Vec<f64> = (0..96).map(f64::from).collect();
        values[at] = f64::NAN;
        with("X", &[8, 4, 3], values)
    };
    let lengths = |at: f64| with("lengths", &[8], vec![4.0, 4.0, at, 4.0, 4.0, 4.0, 4.0, 4.0]);
    let each = "[time]\nreading = \"each\"\n";
    let cases = [
        (lengths(0.0), LIF.to_owned(), "own.npz: sample 2 has length 0, but X has 4 steps", "from 1 to"),
        (lengths(5.0), LIF.to_owned(), "own.npz: sample 2 has length 5", "from 1 to"),
        (lengths(1.5), LIF.to_owned(), "own.npz: sample 2 has length 1.5", "whole numbers"),
        (with("lengths", &[7], vec![1.0; 7]), LIF.to_owned(), "lengths has shape [7]", "lengths is [8]"),
        (with_nan(39), LIF.to_owned(), "own.npz: a number of step 1 of sample 3 is not finite", "fill"),
        (
            with("X", &[8, 12], vec![1.0; 96]),
            LIF.to_owned(),
            "array `lengths` goes with samples that are sequences",
            "X is",
        ),
        (
            with("mask", &[8, 4], vec![1.0; 32]),
            LIF.to_owned(),
            "mask in the data of task.files says which steps are judged",
            "reading = \"each\"",
        ),
        (
            with("mask", &[8, 4], [&[1.0; 9][..], &[-1.0][..], &[1.0; 22][..]].concat()),
            format!("{each}{LIF}"),
            "mask is -1 at step 1 of sample 2",
            "0 or above",
        ),
        (
            with("mask", &[8, 4], [&[0.0; 4][..], &[1.0; 28][..]].concat()),
            format!("{each}{LIF}"),
            "no step of sample 0 is judged",
            "leave the sample out",
        ),
        (
            with("weights", &[8], vec![f64::NAN; 8]),
            LIF.to_owned(),
            "weights is NaN at sample 0",
            "0 or above",
        ),
        (
            arrays(),
            "[neuron.relu]\n[credit.backprop]\n".to_owned(),
            "lengths in the data of task.files would do nothing",
            "neuron.lif",
        ),
        (
            arrays(),
            format!("[encoder.threshold]\nthresholds = 2\ncue = 2\n{}", LIF),
            "encoder.threshold makes steps of its own",
            "one step per step",
        ),
        (
            arrays(),
            format!("[sequence.permuted]\ntasks = 2\n{LIF}"),
            "sequence.permuted moves numbers from step to step",
            "another sequence",
        ),
    ];
    for (arrays, tables, words, hint) in cases {
        let error = load(folder.path(), &arrays, &tables).expect_err(words);
        let said = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(said.contains(words) && said.contains(hint), "{words}:\n{said}");
        assert!(matches!(error, Error::Data { .. } | Error::Incompatible { .. }), "{error:?}");
    }
}
