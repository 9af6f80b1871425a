//! Objectives: the error is the gradient of the loss, on the real line and off it, and the loss is what it says.

use super::{changed, near, noise};
use bouton::objective::{Head, Heads, Objective, ObjectiveSpec, Outputs, Target, TargetKind, Targets};
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

const CLASSES: usize = 4;
const LABELS: [u16; 3] = [2, 0, 3];

/// Its own numbers where they start.
fn starts(spec: &ObjectiveSpec) -> Vec<f64> {
    spec.method().own().iter().map(|own| own.draw(&mut Key::new(1).stream())).collect()
}

fn judged(spec: &ObjectiveSpec, out: &Mat, labels: &[u16]) -> (Mat, Vec<f64>) {
    compared(spec, out, &labels.to_vec().into(), &starts(spec))
}

fn compared(spec: &ObjectiveSpec, out: &Mat, target: &Target, own: &[f64]) -> (Mat, Vec<f64>) {
    let rows = target.rows();
    let (mut err, mut loss) = (Mat::zeros(DType::F64, rows, CLASSES), vec![0.0; rows]);
    let samples: Vec<usize> = (0..rows).collect();
    let targets = Targets { rows: target.view(0..rows), samples: &samples, own };
    spec.build().error(out.view(), targets, err.view_mut(), &mut loss);
    (err, loss)
}

/// Targets of three samples, of every kind that an objective takes.
fn targets(spec: &ObjectiveSpec) -> Vec<Target> {
    let of = |kind: &TargetKind| match kind {
        TargetKind::Classes => LABELS.to_vec().into(),
        TargetKind::Values => Target::Values(noise(3, CLASSES, 21)),
    };
    spec.method().traits().targets.iter().map(of).collect()
}

fn moved(m: &Mat, i: usize, by: f64) -> Mat {
    Mat::from_fn(DType::F64, m.rows(), m.cols(), |r, c| {
        m.get(r, c) + if r * m.cols() + c == i { by } else { 0.0 }
    })
}

#[test]
fn the_error_is_the_gradient_of_the_loss() {
    for spec in ObjectiveSpec::all() {
        let (out, e) = (noise(3, CLASSES, 3), 1e-5);
        for target in targets(&spec) {
            let loss = |out: &Mat| compared(&spec, out, &target, &starts(&spec)).1.iter().sum::<f64>();
            let slopes: Vec<f64> =
                (0..12).map(|i| (loss(&moved(&out, i, e)) - loss(&moved(&out, i, -e))) / (2.0 * e)).collect();
            near(
                &compared(&spec, &out, &target, &starts(&spec)).0.to_f64s(),
                &slopes,
                1e-8,
                &(&spec, &target),
            );
        }
    }
}

/// Numbers of an objective's own, between borders that hold where they start, have the gradient of the loss too.
#[test]
fn own_gradients_are_those_of_the_loss() {
    let mut learned = 0;
    for spec in ObjectiveSpec::all() {
        for (own, start) in spec.method().own().iter().zip(starts(&spec)) {
            assert!(own.range.0 < start && start < own.range.1 && own.learned, "{spec:?}: {own:?}");
        }
        let (out, e, start) = (noise(3, CLASSES, 8), 1e-5, starts(&spec));
        for target in targets(&spec) {
            let at = |k: usize, by: f64| {
                let mut own = start.clone();
                own[k] += by;
                compared(&spec, &out, &target, &own).1.iter().sum::<f64>()
            };
            let slopes: Vec<f64> = (0..start.len()).map(|k| (at(k, e) - at(k, -e)) / (2.0 * e)).collect();
            let mut sums = vec![0.5; start.len()];
            let targets = Targets { rows: target.view(0..3), samples: &[0, 1, 2], own: &start };
            spec.build().own_gradient(out.view(), targets, &mut sums);
            let added: Vec<f64> = sums.iter().map(|sum| sum - 0.5).collect();
            near(&added, &slopes, 1e-8, &spec);
            learned += start.len();
        }
    }
    assert_eq!(learned, 1, "of a temperature that is learned");
}

#[test]
fn complex_errors_continue_real_ones() {
    let each = |spec: ObjectiveSpec| targets(&spec).into_iter().map(move |target| (spec.clone(), target));
    for (spec, target) in ObjectiveSpec::all().into_iter().flat_map(each) {
        let out = noise(3, CLASSES, 5);
        let at = |re: &Mat, im: &Mat| {
            let both =
                Mat::from_fn(
                    DType::F64,
                    6,
                    CLASSES,
                    |r, c| if r < 3 { re.get(r, c) } else { im.get(r - 3, c) },
                );
            let mut err = Mat::zeros(DType::F64, 6, CLASSES);
            let own = starts(&spec);
            let targets = Targets { rows: target.view(0..3), samples: &[0, 1, 2], own: &own };
            let analytic = spec.build().error_complex(both.view(), targets, err.view_mut());
            analytic.then(|| err.to_f64s())
        };
        let zero = Mat::zeros(DType::F64, 3, CLASSES);
        let Some(real) = at(&out, &zero) else {
            assert!(!spec.method().traits().analytic, "{spec:?}");
            continue;
        };
        assert!(spec.method().traits().analytic, "{spec:?}");
        near(&real[..12], &compared(&spec, &out, &target, &starts(&spec)).0.to_f64s(), 1e-12, &spec);
        assert!(real[12..].iter().all(|im| *im == 0.0), "{spec:?}");
        let (e, im) = (1e-6, noise(3, CLASSES, 6));
        for i in 0..12 {
            let slope = |a: Option<Vec<f64>>, b: Option<Vec<f64>>| -> Vec<f64> {
                a.unwrap().iter().zip(b.unwrap()).map(|(a, b)| (a - b) / (2.0 * e)).collect()
            };
            let along = slope(at(&moved(&out, i, e), &im), at(&moved(&out, i, -e), &im));
            let up = slope(at(&out, &moved(&im, i, e)), at(&out, &moved(&im, i, -e)));
            near(&along[..12], &up[12..], 1e-6, &(&spec, "∂re/∂x = ∂im/∂y"));
            near(
                &along[12..],
                &up[..12].iter().map(|g| -g).collect::<Vec<_>>(),
                1e-6,
                &(&spec, "∂im/∂x = −∂re/∂y"),
            );
        }
    }
}

/// Probabilities of all classes add up to 1 where a loss is minus their logarithm, and only there.
#[test]
fn likelihoods_add_up_to_one() {
    for spec in ObjectiveSpec::all() {
        let total = |seed| -> f64 {
            let out = noise(1, CLASSES, seed);
            (0..CLASSES as u16).map(|label| (-judged(&spec, &out, &[label]).1[0]).exp()).sum()
        };
        let one = (0..5).all(|seed| (total(seed) - 1.0).abs() < 1e-9);
        assert_eq!(one, spec.method().traits().log_likelihood, "{spec:?}: {}", total(0));
    }
}

/// The beliefs that several networks average are the probabilities of the loss, and what stands for them has the same loss.
#[test]
fn beliefs_are_the_probabilities_of_the_loss() {
    for spec in ObjectiveSpec::all().into_iter().filter(|spec| spec.method().traits().log_likelihood) {
        let (out, own) = (noise(3, CLASSES, 15), starts(&spec));
        let mut belief = out.clone();
        spec.build().to_probabilities(belief.view_mut(), &own);
        let mut again = belief.clone();
        spec.build().to_outputs(again.view_mut(), &own);
        for label in 0..CLASSES as u16 {
            let losses = |out: &Mat| compared(&spec, out, &vec![label; 3].into(), &own).1;
            let likelihoods: Vec<f64> = losses(&out).iter().map(|loss| (-loss).exp()).collect();
            let column: Vec<f64> = (0..3).map(|r| belief.get(r, usize::from(label))).collect();
            near(&column, &likelihoods, 1e-12, &spec);
            near(&losses(&again), &losses(&out), 1e-9, &spec);
        }
    }
}

/// A constant added to all outputs changes nothing where they are logits, and something elsewhere; states of settling units are
/// drawn towards one-hot targets, which have no loss.
#[test]
fn outputs_are_what_an_objective_says_of_them() {
    for spec in ObjectiveSpec::all() {
        let out = noise(3, CLASSES, 9);
        let shifted = Mat::from_fn(DType::F64, 3, CLASSES, |r, c| out.get(r, c) + 0.25);
        let [a, b] = [&out, &shifted].map(|out| judged(&spec, out, &LABELS).1);
        let alike = a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12);
        let target = |off: f64| {
            Mat::from_fn(DType::F64, 3, CLASSES, |r, c| if c == usize::from(LABELS[r]) { 1.0 } else { off })
        };
        let met = |off: f64| judged(&spec, &target(off), &LABELS).1.iter().all(|loss| *loss == 0.0);
        let outputs = spec.method().traits().outputs;
        assert_eq!(
            (alike, met(0.0), met(-1.0)),
            match outputs {
                Outputs::States => (false, true, false),
                Outputs::Logits => (true, false, false),
                Outputs::Signs => (false, false, true),
            },
            "{spec:?}"
        );
    }
}

/// One head of several, and the heads that the samples of a batch belong to, are complex where their objective is.
#[test]
fn heads_are_continued_with_their_objective() {
    for spec in ObjectiveSpec::all() {
        let (whole, own) = (spec.build(), starts(&spec));
        let (one, each) = (
            Head { objective: &*whole, active: 0..2 },
            Heads { objective: &*whole, borders: [0, 2, 4].into() },
        );
        for (heads, labels) in [(&one as &dyn Objective, [1, 0, 1]), (&each, [1, 2, 0])] {
            let (out, targets) = (
                noise(3, CLASSES, 13),
                Targets { samples: &[0, 1, 2], own: &own, ..Targets::classes(&labels) },
            );
            let (mut real, mut loss) = (Mat::zeros(DType::F64, 3, CLASSES), [0.0; 3]);
            heads.error(out.view(), targets, real.view_mut(), &mut loss);
            let both = Mat::from_fn(DType::F64, 6, CLASSES, |r, c| if r < 3 { out.get(r, c) } else { 0.0 });
            let mut complex = Mat::zeros(DType::F64, 6, CLASSES);
            let analytic = heads.error_complex(both.view(), targets, complex.view_mut());
            assert_eq!(analytic, spec.method().traits().analytic, "{spec:?}");
            if analytic {
                near(&complex.to_f64s()[..12], &real.to_f64s(), 1e-12, &spec);
                assert!(complex.to_f64s()[12..].iter().all(|im| *im == 0.0), "{spec:?}");
            }
        }
    }
}

/// Values are compared number by number: each of them has a say in its sample's loss.
#[test]
fn values_that_an_objective_takes_count() {
    let takes = |spec: &ObjectiveSpec| spec.method().traits().targets.contains(&TargetKind::Values);
    for spec in ObjectiveSpec::all().into_iter().filter(takes) {
        let (out, y) = (noise(3, CLASSES, 3), noise(3, CLASSES, 21));
        let loss = |y: Mat| compared(&spec, &out, &Target::Values(y), &starts(&spec)).1;
        for i in 0..12 {
            let [a, b] = [0.0, 0.25].map(|by| loss(moved(&y, i, by)));
            let differ: Vec<usize> = (0..3).filter(|r| a[*r] != b[*r]).collect();
            assert_eq!(differ, [i / CLASSES], "{spec:?}: value {i}");
        }
    }
}

/// Answers of several networks are averaged as probabilities where outputs are logits, and as they are elsewhere.
#[test]
fn beliefs_are_probabilities_where_outputs_are_logits() {
    for spec in ObjectiveSpec::all() {
        let (out, own) = (noise(3, CLASSES, 15), starts(&spec));
        let mut belief = out.clone();
        spec.build().to_probabilities(belief.view_mut(), &own);
        let mut again = belief.clone();
        spec.build().to_outputs(again.view_mut(), &own);
        let row = |m: &Mat, r: usize| (0..CLASSES).map(|c| m.get(r, c)).collect::<Vec<f64>>();
        if spec.method().traits().outputs != Outputs::Logits {
            assert_eq!((belief.to_f64s(), again.to_f64s()), (out.to_f64s(), out.to_f64s()), "{spec:?}");
            continue;
        }
        for r in 0..3 {
            let p = row(&belief, r);
            let sum: f64 = p.iter().sum();
            assert!((sum - 1.0).abs() < 1e-12 && p.iter().all(|p| *p > 0.0), "{spec:?}: {p:?}");
            // Logits are as good as others that differ by a constant.
            let differences = |m: &Mat| row(m, r).iter().map(|o| o - m.get(r, 0)).collect::<Vec<_>>();
            near(&differences(&again), &differences(&out), 1e-9, &spec);
        }
    }
}

/// A nudge takes the loss of an objective that says so for half a squared distance.
#[test]
fn squared_errors_are_what_they_say() {
    for spec in ObjectiveSpec::all() {
        let out = noise(3, CLASSES, 17);
        let all = targets(&spec);
        let distance = |target: &Target, r: usize| {
            let mut y = Mat::zeros(DType::F64, 3, CLASSES);
            target.view(0..3).write_to(y.view_mut());
            (0..CLASSES).map(|c| 0.5 * (out.get(r, c) - y.get(r, c)).powi(2)).sum::<f64>()
        };
        let squared = all.iter().all(|target| {
            let loss = compared(&spec, &out, target, &starts(&spec)).1;
            (0..3).all(|r| (loss[r] - distance(target, r)).abs() < 1e-12)
        });
        assert_eq!(squared, spec.build().is_squared_error(), "{spec:?}");
    }
}

/// A setting that nothing depends on is forgotten.
#[test]
fn every_number_and_every_switch_is_heard() {
    let does = |spec: &ObjectiveSpec| {
        let out = noise(3, CLASSES, 19);
        let judge = |target: &Target| compared(spec, &out, target, &starts(spec));
        let judged: Vec<_> =
            targets(spec).iter().map(judge).map(|(err, loss)| (err.to_f64s(), loss)).collect();
        (judged, spec.method().own())
    };
    let mut heard = std::collections::BTreeMap::<String, bool>::new();
    for spec in ObjectiveSpec::all() {
        for (key, other) in changed(&spec) {
            *heard.entry(key).or_default() |= does(&spec) != does(&other);
        }
    }
    assert!(heard.values().all(|heard| *heard), "{heard:?}");
}
