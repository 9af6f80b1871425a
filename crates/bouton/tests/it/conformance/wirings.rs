//! Wirings: the way back and the gradient of the weight are adjoints of the way forth, on one thread and on all, and who is joined is
//! what they say.

use super::{near, noise};
use bouton::rng::Key;
use bouton::wiring::{Ends, Wiring, WiringSpec};
use bouton_kernels::{DType, Mat, View, WeightMat};

const ROWS: usize = 9;

fn joined(spec: &WiringSpec, [pre, post]: [usize; 2], autapses: bool) -> Box<dyn Wiring> {
    let key = Key::new(11);
    spec.method().join(Ends { pre, post, spikes: false, autapses, layer: 0, key: &key })
}

fn weight(wiring: &dyn Wiring) -> WeightMat {
    let (rows, cols) = wiring.weight_shape();
    WeightMat::new(noise(rows, cols, 1))
}

fn forth(wiring: &dyn Wiring, weight: &WeightMat, x: View<'_>, post: usize) -> Mat {
    let mut out = Mat::zeros(DType::F64, x.rows(), post);
    wiring.forward(weight, x, out.view_mut());
    out
}

fn dot(a: &Mat, b: &Mat) -> f64 {
    a.to_f64s().iter().zip(b.to_f64s()).map(|(a, b)| a * b).sum()
}

#[test]
fn the_way_back_is_the_adjoint() {
    for spec in WiringSpec::all() {
        for (ends, autapses) in [([7, 12], true), ([10, 10], true), ([10, 10], false)] {
            let (wiring, [pre, post]) = (joined(&spec, ends, autapses), ends);
            let (w, x, g) = (weight(&*wiring), noise(ROWS, pre, 2), noise(ROWS, post, 3));
            let out = forth(&*wiring, &w, x.view(), post);
            let (mut back, mut often, mut all, mut par) = (
                Mat::zeros(DType::F64, ROWS, pre),
                Mat::zeros(DType::F64, ROWS, pre),
                Mat::zeros(DType::F64, ROWS, pre),
                Mat::zeros(DType::F64, ROWS, post),
            );
            wiring.backward_input(&w, g.view(), back.view_mut());
            wiring.backward_input_often(&w, g.view(), often.view_mut());
            wiring.par_backward_input(&w, g.view(), all.view_mut());
            wiring.par_forward(&w, x.view(), par.view_mut());
            near(&[dot(&g, &out)], &[dot(&back, &x)], 1e-12, &spec);
            near(&often.to_f64s(), &back.to_f64s(), 1e-12, &spec);
            assert_eq!((&all, &par), (&back, &out), "{spec:?} on all threads");
            assert_eq!(
                forth(&*wiring, &w, x.rows_view(4..5), post),
                out.rows_view(4..5).to_mat(),
                "{spec:?} alone"
            );
        }
    }
}

#[test]
fn gradients_of_weights_are_differences() {
    for spec in WiringSpec::all() {
        for autapses in [true, false] {
            let wiring = joined(&spec, [10, 10], autapses);
            let (mut w, x, g) = (weight(&*wiring), noise(ROWS, 10, 2), noise(ROWS, 10, 3));
            let (rows, cols) = wiring.weight_shape();
            assert_eq!(spec.method().learns(), rows * cols > 0, "{spec:?}");
            let mut found = Mat::zeros(DType::F64, rows, cols);
            let (first, last) = found.view_mut().split_rows(rows / 3);
            wiring.backward_weight(x.view(), g.view(), 0..rows / 3, first);
            wiring.backward_weight(x.view(), g.view(), rows / 3..rows, last);
            let mut slopes = Vec::new();
            for i in 0..rows * cols {
                // Linear in the weight: one difference is exact.
                let mut value = |by: f64| {
                    w.update(|mut w| w.slice_mut::<f64>()[i] += by);
                    dot(&g, &forth(&*wiring, &w, x.view(), 10))
                };
                let (more, less) = (value(0.5), value(-1.0));
                value(0.5);
                slopes.push(more - less);
            }
            near(&found.to_f64s(), &slopes, 1e-11, &(&spec, autapses));
            if wiring.factorises() {
                assert_eq!((rows, cols), (10, 10), "{spec:?}: a product of factors has their widths");
            }
        }
    }
}

#[test]
fn who_is_joined_is_what_it_says() {
    for spec in WiringSpec::all() {
        let inputs = spec.method().inputs(10);
        for autapses in [true, false] {
            let wiring = joined(&spec, [10, 10], autapses);
            let w = weight(&*wiring);
            let each = Mat::from_fn(DType::F64, 10, 10, |r, c| f64::from(u8::from(r == c)));
            // Row j: what unit j alone sends to all.
            let sent = forth(&*wiring, &w, each.view(), 10);
            for post in 0..10 {
                let from = (0..10).filter(|&j| sent.get(j, post) != 0.0).count();
                let without = !autapses && inputs == 10;
                assert_eq!(from, inputs - usize::from(without), "{spec:?}: inputs of {post}");
                assert!(autapses || sent.get(post, post) == 0.0, "{spec:?}: {post} reaches itself");
            }
        }
    }
}
