//! Devices of known parameters are found again, within what the fit says of its own errors.

use super::*;
use crate::device::population::{resistances_of, weights_of};
use crate::device::pulses::{Pulse, Trace};
use crate::device::{DeviceParameters, SoftBoundsParameters};
use crate::rng::Key;

const DEVICES: usize = 20;

fn asked(law: Law) -> Asked {
    Asked { law, name: "mine".into(), source: "measured".into(), window: Some([10e-6, 30e-6]) }
}

fn names() -> Vec<String> {
    (0..DEVICES).map(|i| format!("d{i}")).collect()
}

/// The share of numbers within 2 of their errors; none is beyond 5.
#[track_caller]
fn found(fit: &Fit, known: &dyn Fn(usize, usize) -> Option<f64>) -> f64 {
    let (mut within, mut all) = (0, 0);
    for (d, (_, estimates)) in fit.devices.iter().enumerate() {
        for (k, estimate) in estimates.iter().enumerate() {
            let (Some(e), Some(known)) = (estimate, known(d, k)) else { continue };
            let off = (e.value - known).abs() / e.error;
            assert!(off < 5.0, "device {d}, {}: {e:?}, not {known}", fit.parameters[k].name);
            within += usize::from(off < 2.0);
            all += 1;
        }
    }
    assert!(all > 2 * DEVICES, "{all}");
    f64::from(within as u32) / f64::from(all as u32)
}

fn soft() -> SoftBoundsParameters {
    let text = "name = \"x\"\ncitation = \"x\"\nstep = 0.02\nupper = 1\nlower = -0.9\nup-down = 0.1\nstep-spread = 0.2\n\
        upper-spread = 0.1\nlower-spread = 0.08\nup-down-spread = 0.05\nstep-noise = 0.3\nwrite-noise = 0.5\n";
    SoftBoundsParameters::from_toml(text).unwrap()
}

/// Pulses of 20 devices, two cycles each of up and down, 20 µS ± 10 µS; and the devices.
fn soft_pulses(p: &SoftBoundsParameters, seed: u64) -> (Pulses, Vec<[f64; 6]>) {
    let (mut traces, mut known) = (Vec::new(), Vec::new());
    for device in 0..DEVICES {
        let mut stream = Key::new(seed).of("fit", device as u64).stream();
        let drawn = p.draw(std::array::from_fn(|_| stream.normal()));
        known.push([drawn.up, drawn.down, drawn.upper, drawn.lower, p.step_noise, p.write_noise * p.step]);
        for _ in 0..2 {
            let ups: Vec<bool> = (0..200).map(|i| i < 100).collect();
            let seen = weights_of(p, &drawn, &ups, &mut stream);
            let pulse = |(i, w): (usize, f64)| {
                let up = i == 0 || ups[i - 1];
                Pulse { number: i as f64, up, conductance: 20e-6 + 10e-6 * w }
            };
            traces.push(Trace { device, pulses: seen.into_iter().enumerate().map(pulse).collect() });
        }
    }
    (Pulses { devices: names(), traces }, known)
}

#[test]
fn soft_bounds_are_found_within_their_errors() {
    let p = soft();
    let (pulses, known) = soft_pulses(&p, 1);
    let fit = Fit::of(&pulses, &asked(Law::SoftBounds)).unwrap();
    let share = found(&fit, &|d, k| Some(known[d][k]));
    assert!(share >= 0.9, "{share}");
    let Population::SoftBounds(file) = Population::from_toml(&fit.to_toml().unwrap()).unwrap() else {
        panic!()
    };
    for (found, wanted, tolerance) in [
        (file.step, p.step, 0.1),
        (file.upper, p.upper, 0.1),
        (file.lower, p.lower, 0.1),
        (file.step_spread, p.step_spread, 0.4),
        (file.upper_spread, p.upper_spread, 0.4),
        (file.lower_spread, p.lower_spread, 0.4),
        (file.step_noise, p.step_noise, 0.1),
        (file.write_noise, p.write_noise, 0.1),
    ] {
        assert!((found / wanted - 1.0).abs() < tolerance, "{found} {wanted}: {file:?}");
    }
    assert!((file.up_down - 0.1).abs() < 0.05, "{}", file.up_down);
    assert!(fit.doubts.is_empty(), "a device of the law leaves no doubts: {:?}", fit.doubts);
}

/// Each kind of structure is told, by the doubt that is about it.
#[test]
fn what_the_law_cannot_say_is_told() {
    let doubts = |p: &SoftBoundsParameters, change: &dyn Fn(&mut Pulses)| {
        let mut pulses = soft_pulses(p, 2).0;
        change(&mut pulses);
        Fit::of(&pulses, &asked(Law::SoftBounds)).unwrap().doubts.join("\n")
    };
    let noisy = SoftBoundsParameters { multiplicative: true, step_noise: 1.0, write_noise: 0.05, ..soft() };
    let told = doubts(&noisy, &|_| {});
    assert!(told.contains("multiplicative = true"), "{told}");
    // A weight that creeps: each pulse does as much more as the one ten before it did.
    let told = doubts(&soft(), &|pulses| {
        for trace in &mut pulses.traces {
            let mut slow = 0.0;
            for (i, p) in trace.pulses.iter_mut().enumerate() {
                slow = 0.9 * slow + 0.6e-6 * if i / 5 % 2 == 0 { 1.0 } else { -1.0 } * 0.5;
                p.conductance += slow;
            }
        }
    });
    assert!(told.contains("hangs together"), "{told}");
    let told = doubts(&soft(), &|pulses| {
        let jump =
            |t: &mut Trace| t.pulses.iter_mut().skip(3).step_by(31).for_each(|p| p.conductance += 2e-6);
        pulses.traces.iter_mut().for_each(jump);
    });
    assert!(told.contains("kurtosis"), "{told}");
    let told = doubts(&soft(), &|pulses| {
        pulses.traces.truncate(2);
        pulses.devices.truncate(1);
    });
    assert!(told.contains("too few to tell how devices differ"), "{told}");
}

#[test]
fn weak_reset_is_found_within_its_errors() {
    let mut p = DeviceParameters::majumdar2021().unwrap();
    p.telegraph.amplitude = 0.0;
    let (mut traces, mut known) = (Vec::new(), Vec::new());
    for device in 0..DEVICES {
        let mut stream = Key::new(5).of("fit", device as u64).stream();
        let drawn = p.draw(std::array::from_fn(|_| stream.uniform()));
        let mut level = 0.0;
        for _ in 0..2 {
            let own = crate::device::Device { fresh_resistance: 7000.0 + 300.0 * stream.normal(), ..drawn };
            level += 0.5 * (own.fresh_resistance.ln() + own.offset);
            let seen = resistances_of(&p, &own, 1200, &mut stream);
            let pulse = |(i, r): (usize, f64)| Pulse { number: i as f64, up: false, conductance: 1.0 / r };
            // The first value is that behind the SET.
            let pulses = seen.into_iter().enumerate().skip(1).map(pulse).collect();
            traces.push(Trace { device, pulses });
        }
        known.push([drawn.early_slope, drawn.breakpoint, drawn.late_slope, level]);
    }
    let pulses = Pulses { devices: names(), traces };
    let fit = Fit::of(&pulses, &asked(Law::WeakReset)).unwrap();
    let share = found(&fit, &|d, k| known[d].get(k).copied());
    assert!(share >= 0.9, "{share}");
    let Population::WeakReset(file) = Population::from_toml(&fit.to_toml().unwrap()).unwrap() else {
        panic!()
    };
    assert!((file.pink.amplitude / 0.025 - 1.0).abs() < 0.03, "{:?}", file.pink);
    assert!((file.early_slope.mean() / p.early_slope.mean() - 1.0).abs() < 0.6, "{:?}", file.early_slope);
    let told = fit.doubts.join("\n");
    assert!(told.contains("show no breakpoint"), "{told}");
    assert!(!told.contains("hangs together") && !told.contains("kurtosis"), "{told}");
}

/// The published devices with their telegraph noise: the means come out, and so does the noise, roughly.
#[test]
fn telegraph_noise_is_told_from_the_law() {
    let p = Population::named("majumdar2021").unwrap();
    let seen = p.simulate(DEVICES, &[false; 2000], &Key::new(8)).unwrap();
    let pulse = |(i, r): (usize, &f64)| Pulse { number: i as f64, up: false, conductance: 1.0 / r };
    let trace = |(device, seen): (usize, &Vec<f64>)| Trace {
        device,
        pulses: seen.iter().enumerate().skip(1).map(pulse).collect(),
    };
    let pulses = Pulses { devices: names(), traces: seen.iter().enumerate().map(trace).collect() };
    let fit = Fit::of(&pulses, &asked(Law::WeakReset)).unwrap();
    let Population::WeakReset(file) = &fit.population else { panic!() };
    let ratio = file.early_slope.mean() / 6.9e-4;
    assert!((0.4..2.5).contains(&ratio), "{:?}", file.early_slope);
    assert!((file.pink.amplitude / 0.025 - 1.0).abs() < 0.3, "{:?}", file.pink);
    assert!((0.2..1.0).contains(&file.telegraph.amplitude), "{:?}", file.telegraph);
    assert!(file.telegraph.rise < 0.01 && file.telegraph.fall < 0.02, "{:?}", file.telegraph);
}

#[test]
fn pulses_that_do_not_tell_are_refused() {
    let (mut pulses, _) = soft_pulses(&soft(), 1);
    for trace in &mut pulses.traces {
        trace.pulses.iter_mut().for_each(|p| p.up = true);
    }
    let error = Fit::of(&pulses, &asked(Law::SoftBounds)).unwrap_err();
    assert!(error.to_string().contains("both directions") && error.hint().is_some(), "{error}");
    let error = Fit::of(&pulses, &asked(Law::WeakReset)).unwrap_err();
    assert!(error.to_string().contains("RESET pulses"), "{error}");
    let same = Asked { window: Some([1e-6, 1e-6]), ..asked(Law::SoftBounds) };
    assert!(Fit::of(&pulses, &same).unwrap_err().to_string().contains("weights -1 and 1"));
}
