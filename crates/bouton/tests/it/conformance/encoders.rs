//! Encoders: what they show has the size that they say, belongs to a sample alone, and is as sparse as they say.

use super::noise;
use bouton::encoder::{EncoderSpec, Steps};
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

/// Digits of even values are zeros half of the time: that is not most of it.
const MOSTLY: f64 = 0.55;

fn seen(spec: &EncoderSpec, own: Steps, x: &Mat, ids: &[u64]) -> Mat {
    let shown = spec.method().shown(own).unwrap();
    let mut out = Mat::zeros(x.dtype(), shown.steps * x.rows(), shown.columns);
    // What is not written over stays.
    out.view_mut().fill(f64::NAN);
    spec.method().encode(own, x.view(), &|r| Key::new(3).of("sample", ids[r]), out.view_mut());
    out
}

/// What goes back is the adjoint of a linear map, or nothing; and a step shown tells of no later one where steps are kept.
#[test]
fn what_goes_back_and_what_is_kept_is_what_encoders_say() {
    let x = Mat::from_fn(DType::F64, 3, 24, |r, c| noise(3, 24, 5).get(r, c).abs());
    let (ids, mut back, mut keep) = ([0, 1, 2], 0, 0);
    for spec in EncoderSpec::all() {
        for own in [Steps { steps: 1, columns: 24 }, Steps { steps: 6, columns: 4 }] {
            let Some(shown) = spec.method().shown(own) else { continue };
            let g = noise(shown.steps * 3, shown.columns, 7);
            let owed = |x: &Mat| -> f64 {
                let seen = seen(&spec, own, x, &ids).to_f64s();
                seen.iter().zip(g.to_f64s()).map(|(x, g)| x * g).sum()
            };
            let mut to = Mat::zeros(DType::F64, 3, 24);
            if spec.method().send_back(own, g.view(), to.view_mut()) {
                for i in 0..72 {
                    let mut moved = x.clone();
                    moved.view_mut().slice_mut::<f64>()[i] += 1.0;
                    let slope = owed(&moved) - owed(&x);
                    assert!((slope - to.to_f64s()[i]).abs() < 1e-12, "{spec:?}: number {i}");
                }
                back += 1;
            } else {
                assert!(to.to_f64s().iter().all(|g| *g == 0.0), "{spec:?} sends something back");
            }
            if spec.method().keeps_steps(own) && own.steps > 1 {
                assert_eq!(shown.steps, own.steps, "{spec:?}");
                let later =
                    Mat::from_fn(DType::F64, 3, 24, |r, c| x.get(r, c) * if c < 12 { 1.0 } else { -3.0 });
                let first = |x: &Mat| seen(&spec, own, x, &ids).rows_view(0..9).to_mat();
                assert_eq!(first(&x), first(&later), "{spec:?} tells of later steps");
                keep += 1;
            }
        }
    }
    assert!(back >= 5 && keep >= 2, "{back} {keep}");
}

#[test]
fn encoders_are_what_they_say() {
    // Between 0 and 1, dense and mostly zero, and samples of one step and of several.
    let x = noise(40, 24, 5);
    let x = Mat::from_fn(DType::F64, 40, 24, |r, c| x.get(r, c).abs().min(1.0));
    let sparse = Mat::from_fn(DType::F64, 40, 24, |r, c| if x.get(r, c) > 0.9 { 1.0 } else { 0.0 });
    let ids: Vec<u64> = (0..40).collect();
    let mut compared = 0;
    for spec in EncoderSpec::all() {
        for own in [Steps { steps: 1, columns: 24 }, Steps { steps: 6, columns: 4 }] {
            let Some(shown) = spec.method().shown(own) else { continue };
            let all = seen(&spec, own, &x, &ids);
            assert!(all.to_f64s().iter().all(|x| x.is_finite()), "{spec:?} leaves something out");
            assert_eq!(seen(&spec, own, &x, &ids).to_f64s(), all.to_f64s(), "{spec:?}");
            let one = seen(&spec, own, &x.rows_view(7..8).to_mat(), &ids[7..8]);
            for t in 0..shown.steps {
                let among = all.rows_view(t * 40 + 7..t * 40 + 8).to_mat();
                assert_eq!(one.rows_view(t..t + 1).to_mat(), among, "{spec:?}, step {t}");
            }
            let values = all.to_f64s();
            let zeros = values.iter().filter(|x| **x == 0.0).count() as f64 / values.len() as f64;
            assert_eq!(
                zeros > MOSTLY,
                spec.method().spikes(false),
                "{spec:?}: {zeros} of dense samples are zero"
            );
            let values = seen(&spec, own, &sparse, &ids).to_f64s();
            let zeros = values.iter().filter(|x| **x == 0.0).count() as f64 / values.len() as f64;
            assert_eq!(zeros > MOSTLY, spec.method().spikes(true), "{spec:?}: {zeros} of spikes are zero");
            let cut = spec.method().cut(own);
            assert!(cut.all() == own.all() && shown.steps >= cut.steps, "{spec:?}: {cut:?}");
            compared += 1;
        }
    }
    assert!(compared >= EncoderSpec::all().len());
}
