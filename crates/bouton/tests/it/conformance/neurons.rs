//! Units: the way back against differences, complex steps against real ones, and what they say of themselves.

use super::{changed, near, noise};
use bouton::neuron::{Ctx, Gradients, Inputs, NeuronSpec, Population, StepGradients, UnitForm};
use bouton::synapse::SignOfZero;
use bouton_kernels::{DType, Mat};

const ROWS: usize = 3;
const UNITS: usize = 40;

/// Steps in time of units that know them are no whole ones here: then a factor dt shows.
fn ctx(p: &dyn Population) -> Ctx {
    Ctx { step: if p.moves_in_time() { 0.75 } else { 1.0 } }
}

/// States before a step (the output, of a unit that stores none), what drives it, and the numbers of its own.
#[derive(Clone)]
struct Before {
    drive: Mat,
    states: Mat,
    own: Mat,
}

impl Before {
    /// Where units are off their kinks: states between 0.2 and 0.8, drives that lead there or far beyond.
    fn new(p: &dyn Population, seed: u64) -> Self {
        let between = |low: f64, high: f64, cols, seed| {
            let m = noise(ROWS, cols, seed);
            Mat::from_fn(DType::F64, ROWS, cols, |r, c| low + (high - low) * (0.5 + 0.5 * m.get(r, c)))
        };
        let mut stream = bouton::rng::Key::new(seed).stream();
        let own = p.own();
        Self {
            drive: between(-1.7, 2.3, p.ports() * UNITS, seed),
            states: between(0.2, 0.8, p.states().len().max(1) * UNITS, seed + 1),
            own: Mat::from_fn(DType::F64, own.len(), UNITS, |k, _| own[k].draw(&mut stream)),
        }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs { own: self.own.view(), drive: self.drive.view(), nudge: None }
    }

    /// Its parts by name.
    fn parts(&mut self) -> [(&'static str, &mut Mat); 3] {
        [("drive", &mut self.drive), ("states", &mut self.states), ("own", &mut self.own)]
    }
}

/// States (the output, of a unit that stores none) and output after one step without a nudge.
fn step(p: &dyn Population, before: &Before) -> [Mat; 2] {
    let (mut h, mut out) = (Mat::zeros(DType::F64, 0, 0), before.states.clone());
    if !p.states().is_empty() {
        (h, out) = (before.states.clone(), Mat::zeros(DType::F64, ROWS, UNITS));
    }
    p.advance(&ctx(p), before.inputs(), h.view_mut(), out.view_mut(), &mut [0.0; ROWS]);
    [if p.states().is_empty() { out.clone() } else { h }, out]
}

fn sum(a: &Mat, b: &Mat) -> f64 {
    a.to_f64s().iter().zip(b.to_f64s()).map(|(a, b)| a * b).sum()
}

/// Backwards through a step, from gradients of its states and of its output: those of the drive, of the states before and of
/// the units' own numbers.
fn back(p: &dyn Population, before: &Before, g: &Mat, g_out: &Mat) -> [Mat; 3] {
    let (mut state, mut drive) = (g.clone(), Mat::zeros(DType::F64, ROWS, p.ports() * UNITS));
    let mut own = Mat::zeros(DType::F64, before.own.rows() * ROWS, UNITS);
    let g = Gradients {
        out: g_out.view(),
        state: state.view_mut(),
        drive: drive.view_mut(),
        own: own.view_mut(),
    };
    p.backward(&ctx(p), before.inputs(), before.states.view(), g);
    // A number of a unit's own acts on all samples.
    let total = |k: usize, c: usize| (0..ROWS).map(|r| own.get(k * ROWS + r, c)).sum();
    [drive, state, Mat::from_fn(DType::F64, before.own.rows(), UNITS, total)]
}

#[test]
fn the_way_back_is_the_gradient_unless_it_is_a_stand_in() {
    let (mut states, mut numbers) = (0, 0);
    for spec in NeuronSpec::all() {
        let traits = spec.method().traits();
        for output in [false, true] {
            let p = spec.method().population(output);
            let mut before = Before::new(&*p, 5);
            let stored = p.states().len();
            let (a, b) = (noise(ROWS, stored.max(1) * UNITS, 7), noise(ROWS, UNITS, 8));
            let value = |before: &Before| {
                let [h, out] = step(&*p, before);
                if stored > 0 { sum(&a, &h) + sum(&b, &out) } else { sum(&b, &out) }
            };
            let found = back(&*p, &before, &a, &b);
            let e = 1e-6;
            for (part, found) in found.iter().enumerate() {
                let len = found.rows() * found.cols();
                let mut at = |i: usize, by: f64| {
                    let values = before.parts()[part].1.slice_mut::<f64>();
                    values[i] += by;
                    let value = value(&before);
                    before.parts()[part].1.slice_mut::<f64>()[i] -= by;
                    value
                };
                let slopes: Vec<f64> = (0..len).map(|i| (at(i, e) - at(i, -e)) / (2.0 * e)).collect();
                let name = before.parts()[part].0;
                if traits.surrogate && !output {
                    // States that do not jump have slopes of their own.
                    assert!(stored > 0 || slopes.iter().all(|g| *g == 0.0), "{spec:?} does not jump");
                    let sends = found.to_f64s().iter().any(|g| *g != 0.0);
                    assert!(sends || name != "drive", "{spec:?} sends nothing back");
                } else if traits.settles() || p.moves_in_time() && stored > 0 || name != "states" {
                    near(&found.to_f64s(), &slopes, 1e-6, &(&spec, output, name));
                }
            }
            (states, numbers) = (states.max(stored), numbers.max(p.own().len()));
        }
    }
    assert!(states >= 2 && numbers >= 2, "units with several states and several numbers of their own");
}

/// Units that move in time go back in registers as they do one by one.
#[test]
fn the_way_back_in_time_is_the_way_back() {
    let mut compared = 0;
    for spec in NeuronSpec::all() {
        for output in [false, true] {
            let p = spec.method().population(output);
            if !p.moves_in_time() {
                continue;
            }
            let (before, stored) = (Before::new(&*p, 5), p.states().len());
            let (a, b) = (noise(ROWS, stored.max(1) * UNITS, 7), noise(ROWS, UNITS, 8));
            let wanted = back(&*p, &before, &a, &b);
            let (mut state, mut drive) = (a.clone(), Mat::zeros(DType::F64, ROWS, p.ports() * UNITS));
            let mut own = Mat::zeros(DType::F64, before.own.rows(), UNITS);
            let g = StepGradients {
                out: b.view(),
                state: state.view_mut(),
                drive: drive.view_mut(),
                own: (own.rows() > 0).then(|| own.view_mut()),
            };
            p.backward_in_time(&ctx(&*p), before.inputs(), before.states.view(), g);
            near(&drive.to_f64s(), &wanted[0].to_f64s(), 1e-12, &(&spec, "drive"));
            near(&own.to_f64s(), &wanted[2].to_f64s(), 1e-12, &(&spec, "own"));
            if stored > 0 {
                near(&state.to_f64s(), &wanted[1].to_f64s(), 1e-12, &(&spec, "states"));
            }
            compared += 1;
        }
    }
    assert!(compared > 8);
}

/// Where a unit says so, its smooth form does not jump; a form in the words of others is what it computes.
#[test]
fn smooth_forms_and_forms_of_others_are_what_they_say() {
    let mut said = 0;
    for spec in NeuronSpec::all() {
        let mut smooth = spec.clone();
        let can = smooth.method_mut().unwrap().smoothen();
        assert_eq!(can, !smooth.method().traits().surrogate, "{spec:?}");
        assert!(can || smooth == spec, "{spec:?}");
        let Some(form) = spec.method().form() else { continue };
        let p = spec.method().population(false);
        let mut before = Before::new(&*p, 31);
        before.drive.slice_mut::<f64>()[0] = 0.0;
        let wanted = |d: f64| match form {
            UnitForm::Rectified => d.max(0.0),
            UnitForm::Tanh => d.tanh(),
            UnitForm::Sigmoid => 1.0 / (1.0 + (-d).exp()),
            UnitForm::Sign(zero) if d == 0.0 => f64::from(u8::from(zero == SignOfZero::Plus)),
            UnitForm::Sign(_) => d.signum(),
            UnitForm::Gate(threshold) => f64::from(u8::from(d.abs() > threshold)),
        };
        let out = step(&*p, &before)[1].to_f64s();
        let near = |(out, d): (&f64, f64)| (out - wanted(d)).abs() < 1e-14;
        assert!(out.iter().zip(before.drive.to_f64s()).all(near), "{spec:?}: {out:?}");
        said += 1;
    }
    assert!(said > 2);
}

/// What learned numbers do to the state that a unit comes to under a constant drive.
#[test]
fn learned_numbers_move_fixed_points_where_a_unit_says_so() {
    let mut moved = 0;
    for spec in NeuronSpec::all().into_iter().filter(|spec| spec.method().traits().settles()) {
        let p = spec.method().population(false);
        let mut before = Before::new(&*p, 21);
        // Under stronger ones units with a step this large swing.
        before.drive.slice_mut::<f64>().iter_mut().for_each(|d| *d *= 0.25);
        let end = |before: &Before| {
            let mut at = before.clone();
            for _ in 0..5000 {
                at.states = step(&*p, &at)[0].clone();
            }
            at
        };
        let rest = end(&before);
        let moves = |k: usize| {
            // From there on, lest it comes to another fixed point.
            let mut other = rest.clone();
            other.own.view_mut().row_mut::<f64>(k).iter_mut().for_each(|x| *x += 0.125);
            let [before, after] = [&rest, &end(&other)].map(|at| step(&*p, at)[1].to_f64s());
            before.iter().zip(after).any(|(a, b)| (a - b).abs() > 1e-9)
        };
        let learned = p.own().into_iter().enumerate().filter(|(_, own)| own.learned);
        let first = learned.filter(|(k, _)| moves(*k)).map(|(_, own)| own.name).next();
        assert_eq!(first, spec.method().traits().moves_rest, "{spec:?}");
        moved += usize::from(first.is_some());
    }
    assert!(moved > 0);
}

/// Numbers start within their range, names do not collide, and a state starts where it says.
#[test]
fn states_and_numbers_have_names_and_starts() {
    for spec in NeuronSpec::all() {
        for output in [false, true] {
            let p = spec.method().population(output);
            assert!(output || p.ports() == spec.method().traits().ports, "{spec:?}");
            let own = p.own();
            let mut names: Vec<&str> = own.iter().map(|own| own.name).collect();
            names.extend(p.states().iter().map(|state| state.name));
            names.extend(["bias", "gain", "weight", "norm"]);
            names.sort_unstable();
            assert!(names.windows(2).all(|w| w[0] != w[1]), "{spec:?}: {names:?}");
            let mut stream = bouton::rng::Key::new(1).stream();
            for own in own {
                let (low, high) = own.range;
                assert!(low < high && (low..=high).contains(&own.draw(&mut stream)), "{spec:?}: {own:?}");
            }
        }
    }
}

#[test]
fn outputs_are_what_a_unit_says_of_them() {
    for spec in NeuronSpec::all() {
        let traits = spec.method().traits();
        let far = |p: &dyn Population| {
            let at = |r: usize, c: usize| (r as f64 + 1.0) * (c as f64 - 19.5) * 40.0;
            Mat::from_fn(DType::F64, ROWS, p.ports() * UNITS, at)
        };
        for (output, bounded) in [false, true].into_iter().zip(traits.bounded) {
            let p = spec.method().population(output);
            let mut at = Before { drive: far(&*p), ..at_rest(&*p) };
            let mut largest = 0.0_f64;
            for _ in 0..50 {
                let [h, out] = step(&*p, &at);
                largest = out.to_f64s().iter().fold(largest, |top, x| top.max(x.abs()));
                at.states = h;
            }
            assert_eq!(largest <= 100.0, bounded, "{spec:?}, output {output}: {largest}");
        }
        let p = spec.method().population(false);
        let out = step(&*p, &Before { drive: far(&*p), ..at_rest(&*p) })[1].to_f64s();
        let signs = out.iter().chain(&step(&*p, &at_rest(&*p))[1].to_f64s()).all(|x| x.abs() == 1.0);
        assert_eq!(signs, traits.exact_signs, "{spec:?}: {out:?}");
        let off = Mat::from_fn(DType::F64, ROWS, p.ports() * UNITS, |_, c| -0.1 - 0.01 * c as f64);
        let off = Before { drive: off, ..at_rest(&*p) };
        let g = back(&*p, &off, &off.states, &noise(ROWS, UNITS, 3))[0].to_f64s();
        let silent = g.iter().all(|g| *g == 0.0) && step(&*p, &off)[1].to_f64s().iter().all(|x| *x == 0.0);
        assert!(silent || !traits.rectifies, "{spec:?}");
    }
}

/// Without a drive, in the first states.
fn at_rest(p: &dyn Population) -> Before {
    let before = Before::new(p, 1);
    let (states, first) = (p.states(), p.initial_output());
    let start = |_, c: usize| states.get(c / UNITS).map_or(first, |state| state.start);
    let cols = before.states.cols();
    Before {
        drive: Mat::zeros(DType::F64, ROWS, p.ports() * UNITS),
        states: Mat::from_fn(DType::F64, ROWS, cols, start),
        ..before
    }
}

/// A state that a step leads to stays there if the step minimises; the energy of a unit has a slope of zero there.
#[test]
fn steps_that_minimise_end_at_once() {
    for spec in NeuronSpec::all().into_iter().filter(|s| s.method().traits().settles()) {
        let p = spec.method().population(false);
        let before = Before::new(&*p, 11);
        let [h, _] = step(&*p, &before);
        let [again, _] = step(&*p, &Before { states: h.clone(), ..before });
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
        let Before { drive, states: before, own } = Before::new(&*p, 13);
        let (offset, k) = (noise(ROWS, UNITS, 17), [0.3, -0.2, 0.1]);
        let go = |turn: f64, by: f64| {
            // Drive and offset move by `by` in the direction of angle `turn`.
            let (re, im) = (by * turn.cos(), by * turn.sin());
            let stacked = |m: &Mat, re: f64, im: f64| {
                Mat::from_fn(DType::F64, 2 * ROWS, UNITS, |r, c| if r < ROWS { m.get(r, c) + re } else { im })
            };
            let (drive, offset) = (stacked(&drive, re, im), stacked(&offset, 0.0, 0.0));
            let gain = [k[0], k[1], k[2], 0.0, 0.0, 0.0];
            let mut out = stacked(&before, 0.0, 0.0);
            let nudge = Some((offset.view(), &gain[..]));
            p.advance_complex(
                Inputs { own: own.view(), drive: drive.view(), nudge },
                out.view_mut(),
                &mut [0.0; ROWS],
            );
            out.to_f64s()
        };
        let n = ROWS * UNITS;
        let mut real = before.clone();
        let nudge = Some((offset.view(), &k[..]));
        let mut none = Mat::zeros(DType::F64, 0, 0);
        p.advance(
            &Ctx::default(),
            Inputs { own: own.view(), drive: drive.view(), nudge },
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

/// A unit that stays in its first states without a drive has its first output there.
#[test]
fn first_outputs_are_those_of_first_states() {
    for spec in NeuronSpec::all() {
        for output in [false, true] {
            let p = spec.method().population(output);
            let rest = at_rest(&*p);
            let [h, out] = step(&*p, &rest);
            if !p.states().is_empty() && h.to_f64s() == rest.states.to_f64s() {
                assert!(out.to_f64s().iter().all(|x| *x == p.initial_output()), "{spec:?}, output {output}");
            }
        }
    }
}

/// A nudge outside the activation drives bounded outputs over their bounds; inside it does not.
#[test]
fn nudges_act_where_a_unit_says() {
    for spec in NeuronSpec::all().into_iter().filter(|s| s.method().traits().settles()) {
        let (traits, p) = (spec.method().traits(), spec.method().population(true));
        let mut at = at_rest(&*p);
        let offset = Mat::from_fn(DType::F64, ROWS, UNITS, |_, c| (c as f64 - 19.5) * 40.0);
        let (mut h, mut out) = (Mat::zeros(DType::F64, 0, 0), at.states.clone());
        if !p.states().is_empty() {
            (h, out) = (at.states.clone(), Mat::zeros(DType::F64, ROWS, UNITS));
        }
        at.drive.slice_mut::<f64>().fill(0.25);
        let inputs = Inputs { nudge: Some((offset.view(), &[0.0; ROWS])), ..at.inputs() };
        p.advance(&Ctx::default(), inputs, h.view_mut(), out.view_mut(), &mut [0.0; ROWS]);
        let beyond = out.to_f64s().iter().any(|x| x.abs() > 100.0);
        assert_eq!(beyond, traits.nudge_outside || !traits.bounded[1], "{spec:?}");
    }
}

#[test]
fn units_without_an_energy_say_so() {
    for spec in NeuronSpec::all().into_iter().filter(|s| s.method().traits().settles()) {
        let activations = [false, true].map(|output| spec.method().population(output).activation().unwrap());
        let first = activations.into_iter().find(|a| a.potential(0.5).is_none());
        assert_eq!(first, spec.method().traits().without_energy, "{spec:?}");
    }
}

/// A setting that nothing depends on is forgotten.
#[test]
fn every_number_and_every_switch_is_heard() {
    let does = |spec: &NeuronSpec| {
        let one = |output| {
            let p = spec.method().population(output);
            // A second step from where the first led to: a state may start at rest.
            let before = Before::new(&*p, 23);
            let after = Before { states: step(&*p, &before)[0].clone(), ..before };
            let g = noise(ROWS, p.states().len().max(1) * UNITS, 7);
            let back = back(&*p, &after, &g, &noise(ROWS, UNITS, 8)).map(|m| m.to_f64s());
            (step(&*p, &after).map(|m| m.to_f64s()), back, p.own())
        };
        ([false, true].map(one), spec.method().traits())
    };
    let mut heard = std::collections::BTreeMap::<String, bool>::new();
    for spec in NeuronSpec::all() {
        for (key, other) in changed(&spec) {
            *heard.entry(key).or_default() |= does(&spec) != does(&other);
        }
    }
    assert!(heard.values().all(|heard| *heard), "{heard:?}");
}
