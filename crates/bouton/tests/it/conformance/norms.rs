//! Normalisations: the way back against differences, in training and in evaluation, and what they say of themselves.

use super::{changed, near, noise};
use bouton::network::Shape;
use bouton::norm::{Norm, NormSpec};
use bouton_kernels::{DType, Mat};

const SHAPE: Shape = Shape { height: 1, width: 1, channels: 4 };
const ROWS: usize = 6;

/// A normalisation whose γ and running means are not those that it began with, and a bias.
fn norm(spec: &NormSpec) -> Option<(Norm, Mat)> {
    let mut norm = Norm::new(spec, DType::F64, SHAPE)?;
    if let Some(gain) = &mut norm.gain {
        gain.update(|mut w| w.slice_mut::<f64>().copy_from_slice(&[0.5, 1.5, -0.7, 1.0]));
    }
    for seed in 0..3 {
        let done = norm.train(&mut scaled(seed), None);
        norm.update_running_stats(&done);
    }
    Some((norm, noise(1, 4, 40)))
}

fn scaled(seed: u64) -> Mat {
    let base = noise(ROWS, 4, seed);
    Mat::from_fn(DType::F64, ROWS, 4, |r, c| base.get(r, c) * (1.0 + c as f64) + c as f64)
}

type Pass<'a> = &'a dyn Fn(&Norm, &mut Mat, Option<&Mat>) -> bouton::norm::Normalised;
const PASSES: [Pass<'static>; 2] = [&|n, d, b| n.train(d, b), &|n, d, b| n.evaluate(d, b)];

#[test]
fn the_way_back_is_the_gradient() {
    for spec in NormSpec::all() {
        let Some((mut norm, bias)) = norm(&spec) else { continue };
        let bias = norm.is_affine().then_some(&bias);
        let (drive, a, e) = (scaled(9), noise(ROWS, 4, 10), 1e-6);
        for (training, pass) in [true, false].into_iter().zip(PASSES) {
            // Gradients of evaluation are those of samples alone: what others add to the statistics is a constant.
            if !training && norm.traits.answers_by_batch {
                continue;
            }
            let value = |norm: &Norm, drive: &Mat| -> f64 {
                let mut y = drive.clone();
                pass(norm, &mut y, bias);
                y.to_f64s().iter().zip(a.to_f64s()).map(|(y, a)| y * a).sum()
            };
            let done = pass(&norm, &mut drive.clone(), bias);
            let mut g = a.clone();
            let g_gain = norm.backward(&done, &mut g);
            let moved = |i: usize, by: f64| {
                Mat::from_fn(DType::F64, ROWS, 4, |r, c| {
                    drive.get(r, c) + if r * 4 + c == i { by } else { 0.0 }
                })
            };
            let slopes: Vec<f64> = (0..ROWS * 4)
                .map(|i| (value(&norm, &moved(i, e)) - value(&norm, &moved(i, -e))) / (2.0 * e))
                .collect();
            near(&g.to_f64s(), &slopes, 1e-6, &(&spec, training));
            if norm.is_affine() {
                let columns: Vec<f64> = (0..4).map(|c| (0..ROWS).map(|r| g_gain.get(r, c)).sum()).collect();
                let mut at = |j: usize, by: f64| {
                    let gain = norm.gain.as_mut().expect("it is affine");
                    gain.update(|mut w| w.slice_mut::<f64>()[j] += by);
                    value(&norm, &drive)
                };
                let slope = |j| {
                    let (up, down) = (at(j, e), at(j, -2.0 * e));
                    at(j, e);
                    (up - down) / (2.0 * e)
                };
                let by_gain: Vec<f64> = (0..4).map(slope).collect();
                near(&columns, &by_gain, 1e-6, &(&spec, training, "gain"));
            }
        }
    }
}

/// Whether the first sample's answer depends on the others.
fn mixes(norm: &Norm, pass: Pass<'_>) -> bool {
    let answer = |other: u64| {
        let (first, rest) = (scaled(20), scaled(other));
        let mut y =
            Mat::from_fn(DType::F64, ROWS, 4, |r, c| if r == 0 { first.get(0, c) } else { rest.get(r, c) });
        pass(norm, &mut y, None);
        y.to_f64s()[..4].to_vec()
    };
    answer(21) != answer(22)
}

#[test]
fn what_is_taken_together_is_what_is_said() {
    for spec in NormSpec::all() {
        let traits = spec.method().traits();
        let Some((norm, _)) = norm(&spec) else {
            assert!(!traits.acts && !traits.needs_batch && traits.least_units == 1, "{spec:?}");
            continue;
        };
        assert!(traits.acts && norm.traits == traits, "{spec:?}");
        let [training, evaluation] = PASSES.map(|pass| mixes(&norm, pass));
        assert_eq!((training, evaluation), (traits.needs_batch, traits.answers_by_batch), "{spec:?}");
        // An affine map of every drive alone: equal steps of one lead to equal steps of its own answer, and of no other.
        let at = |x: f64| {
            let mut y =
                Mat::from_fn(
                    DType::F64,
                    ROWS,
                    4,
                    |r, c| if (r, c) == (0, 0) { x } else { (r * 4 + c) as f64 },
                );
            norm.evaluate(&mut y, None);
            y.to_f64s()
        };
        let [zero, one, two] = [at(3.0), at(5.0), at(7.0)];
        let fixed = (two[0] - 2.0 * one[0] + zero[0]).abs() < 1e-9 && zero[1..] == two[1..];
        assert_eq!(fixed, traits.fixed_in_evaluation || traits.per_task, "{spec:?}");
        // Two samples of as few units as are allowed still differ; of one unit less they do not, whatever the drives.
        let differ = |units: usize| {
            let shape = Shape { height: 1, width: 1, channels: units };
            let norm = Norm::new(&spec, DType::F64, shape).unwrap();
            let values = |seed| {
                let base = noise(3, units, seed);
                let mut y = Mat::from_fn(DType::F64, 3, units, |r, c| 1e3 * base.get(r, c));
                norm.train(&mut y, None);
                y.to_f64s()
                    .iter()
                    .map(|x| (x.abs() * 1e3).round() as i64)
                    .collect::<std::collections::BTreeSet<_>>()
            };
            values(1) != values(2)
        };
        assert!(differ(traits.least_units), "{spec:?}");
        if traits.least_units > 1 {
            assert!(!differ(traits.least_units - 1), "{spec:?}");
        }
    }
}

/// A setting that nothing depends on is forgotten.
#[test]
fn every_number_and_every_switch_is_heard() {
    let does = |spec: &NormSpec| {
        let (norm, bias) = norm(spec).unwrap();
        let answers = PASSES.map(|pass| {
            let mut y = scaled(9);
            pass(&norm, &mut y, Some(&bias));
            y.to_f64s()
        });
        (answers, norm.is_affine(), norm.traits)
    };
    let mut heard = std::collections::BTreeMap::<String, bool>::new();
    for spec in NormSpec::all() {
        for (key, other) in changed(&spec) {
            *heard.entry(key).or_default() |= does(&spec) != does(&other);
        }
    }
    assert!(heard.values().all(|heard| *heard), "{heard:?}");
}
