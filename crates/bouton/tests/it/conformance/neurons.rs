//! Units: the way back against differences, complex steps against real ones, and what they say of themselves.

use super::{near, noise};
use bouton::neuron::{Ctx, Inputs, NeuronSpec, Population};
use bouton_kernels::{DType, Mat};

const ROWS: usize = 3;
const UNITS: usize = 40;

/// State and output after one step without a nudge.
fn step(p: &dyn Population, drive: &Mat, before: &Mat) -> [Mat; 2] {
    let (mut h, mut out) = (Mat::zeros(DType::F64, 0, 0), before.clone());
    if p.stored() > 0 {
        (h, out) = (before.clone(), Mat::zeros(DType::F64, ROWS, UNITS));
    }
    let input = Inputs { drive: drive.view(), nudge: None };
    p.advance(&Ctx::default(), input, h.view_mut(), out.view_mut(), &mut [0.0; ROWS]);
    [if p.stored() > 0 { h } else { out.clone() }, out]
}

/// Where units are off their kinks: states between 0.2 and 0.8, drives that lead there or far beyond.
fn at(seed: u64) -> [Mat; 2] {
    let (d, s) = (noise(ROWS, UNITS, seed), noise(ROWS, UNITS, seed + 1));
    let part = |m: &Mat, low: f64, high: f64| {
        Mat::from_fn(DType::F64, ROWS, UNITS, |r, c| low + (high - low) * (0.5 + 0.5 * m.get(r, c)))
    };
    [part(&d, -1.7, 2.3), part(&s, 0.2, 0.8)]
}

fn sum(a: &Mat, b: &Mat) -> f64 {
    a.to_f64s().iter().zip(b.to_f64s()).map(|(a, b)| a * b).sum()
}

/// Backwards through a step, from gradients of its state and of its output: those of the drive and of the state before.
fn back(p: &dyn Population, drive: &Mat, before: &Mat, g: &Mat, g_out: &Mat) -> [Mat; 2] {
    let (mut g, mut g_drive) = (g.clone(), Mat::zeros(DType::F64, ROWS, UNITS));
    p.pull(&Ctx::default(), drive.view(), before.view(), g_out.view(), g.view_mut(), g_drive.view_mut());
    [g_drive, g]
}

#[test]
fn the_way_back_is_the_gradient_unless_it_is_a_stand_in() {
    for spec in NeuronSpec::all() {
        let traits = spec.method().traits();
        for output in [false, true] {
            let p = spec.method().population(output);
            let ([drive, before], [a, b]) = (at(5), [noise(ROWS, UNITS, 7), noise(ROWS, UNITS, 8)]);
            let own = p.stored() > 0;
            let value = |drive: &Mat, before: &Mat| {
                let [h, out] = step(&*p, drive, before);
                if own { sum(&a, &h) + sum(&b, &out) } else { sum(&b, &out) }
            };
            let [g_drive, g_before] = back(&*p, &drive, &before, &a, &b);
            let e = 1e-6;
            let along = |m: &Mat, i: usize, by: f64| {
                Mat::from_fn(DType::F64, ROWS, UNITS, |r, c| {
                    m.get(r, c) + if r * UNITS + c == i { by } else { 0.0 }
                })
            };
            let slope = |f: &dyn Fn(f64) -> f64| (f(e) - f(-e)) / (2.0 * e);
            let by_drive: Vec<f64> =
                (0..ROWS * UNITS).map(|i| slope(&|by| value(&along(&drive, i, by), &before))).collect();
            if traits.surrogate && !output {
                assert!(by_drive.iter().all(|g| *g == 0.0), "{spec:?} does not jump");
                assert!(g_drive.to_f64s().iter().any(|g| *g != 0.0), "{spec:?} sends nothing back");
                continue;
            }
            near(&g_drive.to_f64s(), &by_drive, 1e-6, &(&spec, output, "drive"));
            if traits.settles() {
                let by_state: Vec<f64> =
                    (0..ROWS * UNITS).map(|i| slope(&|by| value(&drive, &along(&before, i, by)))).collect();
                near(&g_before.to_f64s(), &by_state, 1e-6, &(&spec, output, "state"));
            }
        }
    }
}

#[test]
fn outputs_are_what_a_unit_says_of_them() {
    let far = Mat::from_fn(DType::F64, ROWS, UNITS, |r, c| (r as f64 + 1.0) * (c as f64 - 19.5) * 40.0);
    for spec in NeuronSpec::all() {
        let traits = spec.method().traits();
        for (output, bounded) in [false, true].into_iter().zip(traits.bounded) {
            let p = spec.method().population(output);
            let rest = Mat::from_fn(DType::F64, ROWS, UNITS, |_, _| p.rest());
            let (mut state, mut largest) = (rest, 0.0_f64);
            for _ in 0..50 {
                let [h, out] = step(&*p, &far, &state);
                largest = out.to_f64s().iter().fold(largest, |top, x| top.max(x.abs()));
                state = h;
            }
            assert_eq!(largest <= 100.0, bounded, "{spec:?}, output {output}: {largest}");
        }
        let p = spec.method().population(false);
        let out = step(&*p, &far, &Mat::zeros(DType::F64, ROWS, UNITS))[1].to_f64s();
        let signs = out.iter().all(|x| x.abs() == 1.0) && {
            let zero = Mat::zeros(DType::F64, ROWS, UNITS);
            step(&*p, &zero, &zero)[1].to_f64s().iter().all(|x| x.abs() == 1.0)
        };
        assert_eq!(signs, traits.exact_signs, "{spec:?}: {out:?}");
        if !traits.settles() {
            let off = Mat::from_fn(DType::F64, ROWS, UNITS, |_, c| -0.1 - 0.01 * c as f64);
            let g = back(&*p, &off, &out_like(), &out_like(), &noise(ROWS, UNITS, 3))[0].to_f64s();
            let silent = g.iter().all(|g| *g == 0.0)
                && step(&*p, &off, &out_like())[1].to_f64s().iter().all(|x| *x == 0.0);
            assert!(silent || !traits.rectifies, "{spec:?}");
        }
    }
}

fn out_like() -> Mat {
    Mat::zeros(DType::F64, ROWS, UNITS)
}

/// A state that a step leads to stays there if the step minimises; the energy of a unit has a slope of zero there.
#[test]
fn steps_that_minimise_end_at_once() {
    for spec in NeuronSpec::all().into_iter().filter(|s| s.method().traits().settles()) {
        let p = spec.method().population(false);
        let [drive, before] = at(11);
        let [h, _] = step(&*p, &drive, &before);
        let [again, _] = step(&*p, &drive, &h);
        assert_eq!(h.to_f64s() == again.to_f64s(), spec.method().traits().minimises, "{spec:?}");
    }
}

/// On the real line a complex step is the real one; off it the Cauchy–Riemann equations hold.
#[test]
fn complex_steps_continue_real_ones() {
    for spec in NeuronSpec::all() {
        let traits = spec.method().traits();
        let p = spec.method().population(false);
        let analytic = traits.settles() && traits.complex_step && traits.analytic;
        // The activation of the output counts in the traits, too.
        if analytic {
            assert!(p.is_analytic(), "{spec:?}");
        }
        if !p.is_analytic() {
            continue;
        }
        let [drive, before] = at(13);
        let (force, k) = (noise(ROWS, UNITS, 17), [0.3, -0.2, 0.1]);
        let go = |turn: f64, by: f64| {
            // Drive and force move by `by` in the direction of angle `turn`.
            let (re, im) = (by * turn.cos(), by * turn.sin());
            let stacked = |m: &Mat, re: f64, im: f64| {
                Mat::from_fn(DType::F64, 2 * ROWS, UNITS, |r, c| if r < ROWS { m.get(r, c) + re } else { im })
            };
            let (drive, force) = (stacked(&drive, re, im), stacked(&force, 0.0, 0.0));
            let stiffness = [k[0], k[1], k[2], 0.0, 0.0, 0.0];
            let mut out = stacked(&before, 0.0, 0.0);
            let nudge = Some((force.view(), &stiffness[..]));
            p.advance_complex(Inputs { drive: drive.view(), nudge }, out.view_mut(), &mut [0.0; ROWS]);
            out.to_f64s()
        };
        let n = ROWS * UNITS;
        let mut real = before.clone();
        let nudge = Some((force.view(), &k[..]));
        let mut none = Mat::zeros(DType::F64, 0, 0);
        p.advance(
            &Ctx::default(),
            Inputs { drive: drive.view(), nudge },
            none.view_mut(),
            real.view_mut(),
            &mut [0.0; ROWS],
        );
        let still = go(0.0, 0.0);
        near(&still[..n], &real.to_f64s(), 1e-12, &(&spec, "real part"));
        assert!(still[n..].iter().all(|im| *im == 0.0), "{spec:?}");
        let e = 1e-6;
        let slope = |turn: f64| -> Vec<f64> {
            go(turn, e).iter().zip(go(turn, -e)).map(|(a, b)| (a - b) / (2.0 * e)).collect()
        };
        let (along, up) = (slope(0.0), slope(std::f64::consts::FRAC_PI_2));
        near(&along[..n], &up[n..], 1e-6, &(&spec, "∂re/∂x = ∂im/∂y"));
        near(
            &along[n..],
            &up[..n].iter().map(|g| -g).collect::<Vec<_>>(),
            1e-6,
            &(&spec, "∂im/∂x = −∂re/∂y"),
        );
    }
}
