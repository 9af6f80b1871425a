//! Wirings: the way back and the gradient of the weight are adjoints of the way forth, on one thread and on all, and who is joined is
//! what they say.

use super::{near, noise};
use bouton::rng::Key;
use bouton::wiring::{Ends, Wiring, WiringSpec};
use bouton_kernels::{DType, Mat, View, WeightMat};

const ROWS: usize = 9;

fn joined(spec: &WiringSpec, [pre, post]: [usize; 2], autapses: bool) -> Box<dyn Wiring> {
    let key = Key::new(11);
    spec.method().join(Ends { pre, post, ports: 1, spikes: false, autapses, layer: 0, key: &key })
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

/// Wirings into units of two ports are not linear: both ways back are derivatives, and who is joined is drawn.
#[test]
fn curved_wirings_go_back_by_their_derivatives() {
    let mut curved_ones = 0;
    for spec in WiringSpec::all().into_iter().filter(|spec| spec.method().numbers(2).is_some()) {
        for autapses in [true, false] {
            let key = Key::new(11);
            let wiring = spec.method().join(Ends {
                pre: 5,
                post: 5,
                ports: 2,
                spikes: false,
                autapses,
                layer: 0,
                key: &key,
            });
            let curved = wiring.curved().expect("two ports");
            let mut w = WeightMat::new(curved.draw(DType::F64, &mut key.stream()));
            let numbers = spec.method().numbers(2).unwrap();
            assert_eq!(wiring.weight_shape(), (numbers * 5, 5), "{spec:?}");
            let (mut x, g) = (noise(ROWS, 5, 2), noise(ROWS, 10, 3));
            let value = |w: &WeightMat, x: &Mat| dot(&g, &forth(&*wiring, w, x.view(), 10));
            let (mut to, mut g_w) = (Mat::zeros(DType::F64, ROWS, 5), Mat::zeros(DType::F64, numbers * 5, 5));
            curved.backward_input(&w, x.view(), g.view(), to.view_mut());
            curved.backward_weight(&w, x.view(), g.view(), g_w.view_mut());
            let e = 1e-6;
            let mut slopes = Vec::new();
            for i in 0..ROWS * 5 {
                let mut moved = |by: f64| {
                    x.slice_mut::<f64>()[i] += by;
                    value(&w, &x)
                };
                let (more, less) = (moved(e), moved(-2.0 * e));
                moved(e);
                slopes.push((more - less) / (2.0 * e));
            }
            near(&to.to_f64s(), &slopes, 1e-8, &(&spec, "input"));
            slopes.clear();
            for i in 0..numbers * 25 {
                let mut moved = |by: f64| {
                    w.update(|mut w| w.slice_mut::<f64>()[i] += by);
                    value(&w, &x)
                };
                let (more, less) = (moved(e), moved(-2.0 * e));
                moved(e);
                slopes.push((more - less) / (2.0 * e));
            }
            near(&g_w.to_f64s(), &slopes, 1e-8, &(&spec, "weight"));
            // What unit j sends when it opens, and what is left where each unit hears itself alone.
            let reached = |w: &WeightMat, j: usize, i: usize| {
                let one = Mat::from_fn(DType::F64, 1, 5, |_, c| f64::from(u8::from(c == j)));
                let rest = forth(&*wiring, w, Mat::zeros(DType::F64, 1, 5).view(), 10);
                forth(&*wiring, w, one.view(), 10).get(0, i) != rest.get(0, i)
            };
            let alone = curved.alone(&w);
            for i in 0..5 {
                assert!(autapses || !reached(&w, i, i), "{spec:?}: {i} reaches itself");
                let others = (0..5).filter(|&j| j != i && reached(&alone, j, i)).count();
                assert_eq!((others, reached(&alone, i, i)), (0, reached(&w, i, i)), "{spec:?}");
            }
            curved_ones += 1;
        }
    }
    assert!(curved_ones > 2);
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
