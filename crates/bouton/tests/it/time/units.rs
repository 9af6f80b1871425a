//! Spiking units by themselves: their orders beside those of other programs, exact answers, swings, and gradients of every choice.

use super::{BPTT, LEAKY, LOOP, against_differences, recipe};
use bouton::OwnSpec;
use bouton::network::Network;
use bouton::neuron::{Adlif, Ctx, Inputs, NeuronSpec, Order};
use bouton::recipe::Recipe;
use bouton_kernels::{DType, Mat, WeightMat};

/// One input, one unit of these settings, one output; the input's weight is `weight`.
fn one_unit(unit: &str, weight: f64, more: &str) -> Network {
    let text = format!(
        "precision = \"f64\"\n[task.pattern]\nsteps = 1000\ninputs = 1\nbatch = 1\nepochs = 1\n\
         [time]\nreading = \"each\"\ndt = 1e-4\n[network]\nlayers = [1, 1, 1]\n{unit}{more}\
         [wiring.dense]\nbias = \"none\"\n[objective.squared-error]\n[credit.bptt]\n[optim.sgd]\nlr = 0.1\n"
    );
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut network = recipe.build().unwrap();
    network.connections[0].weight = WeightMat::new(Mat::from_fn(DType::F64, 1, 1, |_, _| weight));
    network
}

/// The LIF task of NIR (Pedersen et al. 2024): τ = 2.5 ms, θ = 0.1, unit inputs at these multiples of ten steps of 0.1 ms. Spike steps
/// are those that its authors report for each program.
#[test]
fn orders_of_other_programs_give_their_spike_steps() {
    let pulses = [6, 22, 27, 31, 32, 35, 37, 40, 41].into_iter().chain(43..54).chain(67..79).chain([84, 85]);
    let at: Vec<usize> = pulses.map(|i| 10 * i).collect();
    let x = Mat::from_fn(DType::F64, 1000, 1, |t, _| f64::from(u8::from(at.contains(&t))));
    let common = [460, 510, 710, 760];
    let late = "[connection.input-hidden1]\ndelay = 1\n";
    let strict = "comparison = \"greater\"\n";
    // In turn: programs, settings, the weight of the input, a delay.
    let cases = [
        ("Norse", "method = \"euler\"\nscaled = true\nreset = \"zero\"\n", strict, 1.0, "", common),
        ("snnTorch", "method = \"euler\"\nreset = \"subtract\"\n", strict, 0.04, "", common),
        (
            "snnTorch, reset_delay = False",
            "method = \"euler\"\nearly-reset = true\n",
            strict,
            0.04,
            "",
            common,
        ),
        ("Nengo", "scaled = true\nreset = \"zero\"\n", strict, 1.0, "", common),
        ("NEST, LSNN", "scaled = true\n", "", 1.0, "", common),
        ("Sinabs, Rockpool", "reset = \"subtract\"\n", "", 0.04, "", [450, 500, 710, 760]),
        ("Spyx, Lava", "method = \"euler\"\n", strict, 0.04, late, [461, 511, 711, 761]),
    ];
    for (program, settings, comparison, weight, more, wanted) in cases {
        let unit = format!("[neuron.lif]\ntau = 2.5e-3\nthreshold = 0.1\n{settings}{comparison}");
        let network = one_unit(&unit, weight, more);
        let trace = network.run(network.time.as_ref().unwrap(), x.view(), 1, None);
        let out = trace.out[1].rows_view(trace.earlier(0)).to_mat().to_f64s();
        let spikes: Vec<usize> = (0..1000).filter(|&t| out[t] == 1.0).collect();
        assert_eq!(spikes, wanted, "{program}");
    }
}

/// States and outputs of one unit under these inputs at steps of length `dt`, from rest.
fn answers(spec: &NeuronSpec, dt: f64, inputs: &[f64]) -> Vec<(Vec<f64>, f64)> {
    let unit = spec.method().population(false);
    let own = unit.own();
    let mut stream = bouton::rng::Key::new(1).stream();
    let own = Mat::from_fn(DType::F64, own.len(), 1, |k, _| own[k].draw(&mut stream));
    let mut h = Mat::zeros(DType::F64, 1, unit.states().len());
    let mut answer = |x: &f64| {
        let (drive, mut out) = (Mat::from_fn(DType::F64, 1, 1, |_, _| *x), Mat::zeros(DType::F64, 1, 1));
        let inputs = Inputs { own: own.view(), drive: drive.view(), nudge: None };
        unit.advance(&Ctx { step: dt }, inputs, h.view_mut(), out.view_mut(), &mut [0.0]);
        (h.to_f64s(), out.get(0, 0))
    };
    inputs.iter().map(&mut answer).collect()
}

fn unit(text: &str) -> NeuronSpec {
    recipe("[4, 6, 3]", &format!("{text}{BPTT}")).neuron
}

/// Euler keeps 1 − dt/τ of a pulse, the exact step e^{−dt/τ}; under a constant input scaled membranes come to it.
#[test]
fn membranes_answer_pulses_and_constants_by_their_method() {
    let names = [("lif", ""), ("alif", ""), ("cuba-lif", "tau-synapse = 2.0\n")];
    for (method, keep) in [("exponential", (-0.25_f64).exp()), ("euler", 0.75)] {
        for (name, more) in names {
            let text = format!(
                "[neuron.{name}]\ntau = 8.0\nthreshold = 1e5\nscaled = true\nmethod = \"{method}\"\n{more}"
            );
            let pulse: Vec<f64> = (0..12).map(|t| f64::from(u8::from(t == 0))).collect();
            let synapse = if method == "euler" { 0.0 } else { (-1.0_f64).exp() };
            for (t, (h, _)) in answers(&unit(&text), 2.0, &pulse).into_iter().enumerate() {
                let power = |x: f64| x.powi(t as i32);
                let wanted = match name {
                    // The current falls as powers of its own factor: a difference of two series.
                    "cuba-lif" => (keep * power(keep) - synapse * power(synapse)) / (keep - synapse),
                    _ => power(keep),
                };
                let v = h[usize::from(name == "cuba-lif")];
                assert!((v - (1.0 - keep) * wanted).abs() < 1e-15, "{name} {method} {t}: {v}");
            }
            if name != "cuba-lif" {
                let last = answers(&unit(&text), 2.0, &[0.3; 200]).pop().unwrap().0[0];
                assert!((last - 0.3).abs() < 1e-14, "{name} {method}: {last}");
            }
        }
    }
}

/// An early reset takes the threshold off before the leak: α(v − θ) and not αv − θ.
#[test]
fn an_early_reset_leaks_with_the_membrane() {
    let after = |early: bool, reset: &str| {
        let text = format!("[neuron.lif]\ntau = 8.0\nearly-reset = {early}\nreset = \"{reset}\"\n");
        answers(&unit(&text), 2.0, &[1.5, 0.0])[1].0[0]
    };
    let alpha = (-0.25_f64).exp();
    assert!((after(false, "subtract") - (alpha * 1.5 - 1.0)).abs() < 1e-15);
    assert!((after(true, "subtract") - alpha * 0.5).abs() < 1e-15);
    for reset in ["zero", "none"] {
        assert_eq!(after(true, reset), after(false, reset));
    }
}

/// Units of one a and q = 1, that never spike.
fn swinging(order: Order, a: f64) -> NeuronSpec {
    let [tau, tau_adaptation, one, threshold] = [8.0, 80.0, 1.0, 1e6].map(OwnSpec::Value);
    NeuronSpec::Adlif(Adlif { tau, tau_adaptation, a: one, scale: a, threshold, order, ..Adlif::default() })
}

/// Factors of the two time constants, and (1 − α)(1 − β).
fn factors() -> (f64, f64, f64) {
    let (alpha, beta) = ((-1.0_f64 / 8.0).exp(), (-1.0_f64 / 80.0).exp());
    (alpha, beta, (1.0 - alpha) * (1.0 - beta))
}

/// The area between two states next to each other shrinks by the determinant of a step: αβ in symplectic order, whatever a is, and
/// αβ + (1 − α)(1 − β)qa in forward order. At rest under a constant d, u = d/(1 + qa) in both.
#[test]
fn swings_of_adlif_shrink_as_the_determinant_says() {
    let (alpha, beta, per) = factors();
    for a in [0.0, 0.5, 20.0, 120.0] {
        for (order, det) in [(Order::Symplectic, alpha * beta), (Order::Forward, alpha * beta + per * a)] {
            let pulse: Vec<f64> = (0..30).map(|t| f64::from(u8::from(t == 0))).collect();
            let h: Vec<Vec<f64>> =
                answers(&swinging(order, a), 1.0, &pulse).into_iter().map(|(h, _)| h).collect();
            let area = |t: usize| h[t][0] * h[t + 1][1] - h[t + 1][0] * h[t][1];
            for t in (0..28).filter(|_| a > 0.0) {
                let ratio = area(t + 1) / area(t);
                assert!((ratio / det - 1.0).abs() < 1e-9, "{order:?} {a} {t}: {ratio} {det}");
            }
        }
        let (h, _) = answers(&swinging(Order::Symplectic, a), 1.0, &[0.3; 8000]).pop().unwrap();
        assert!((h[0] - 0.3 / (1.0 + a)).abs() < 1e-13 && (h[1] - a * h[0]).abs() < 1e-12, "{h:?}");
    }
}

/// Below the bound of its order a swing decays, above it grows; where the published settings lie (qa = 120), the symplectic order is
/// far from its bound and the forward one beyond.
#[test]
fn swings_of_adlif_decay_up_to_the_bound_of_their_order() {
    let (alpha, beta, per) = factors();
    let symplectic = (1.0 + alpha) * (1.0 + beta) / per;
    let forward = (1.0 - alpha * beta) / per;
    assert!(forward < 120.0 && symplectic > 2000.0, "{forward} {symplectic}");
    let grows = |order, a| {
        let pulse: Vec<f64> = (0..6001).map(|t| f64::from(u8::from(t == 0))).collect();
        let all = answers(&swinging(order, a), 1.0, &pulse);
        let size = |t: usize| (t - 30..t).map(|t| all[t].0[0].abs()).fold(0.0, f64::max);
        size(6000) > size(3000)
    };
    for (order, bound) in [(Order::Symplectic, symplectic), (Order::Forward, forward)] {
        assert!(!grows(order, 0.995 * bound) && grows(order, 1.005 * bound), "{order:?} {bound}");
    }
    assert!(!grows(Order::Symplectic, 120.0) && grows(Order::Forward, 120.0));
}

/// A spike resets the membrane within its step, and the slow current gets b of it: in the same step, or one step later.
#[test]
fn spikes_of_adlif_reach_the_slow_current_in_the_order_said() {
    let (alpha, beta, _) = factors();
    for order in [Order::Symplectic, Order::Forward] {
        let NeuronSpec::Adlif(unit) = swinging(order, 3.0) else { unreachable!() };
        let unit = Adlif { threshold: OwnSpec::Value(1.0), b: OwnSpec::Value(0.5), ..unit };
        let seen = answers(&NeuronSpec::Adlif(unit), 1.0, &[1.5 / (1.0 - alpha), 0.0, 0.0]);
        let w = 3.0 * (1.0 - beta) * 0.5;
        let wanted = match order {
            Order::Symplectic => vec![0.0, w, 1.0],
            Order::Forward => vec![0.0, 0.0, 1.0],
        };
        assert!(seen[0].0.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-15), "{seen:?}");
        if order == Order::Forward {
            assert!((seen[1].0[1] - w).abs() < 1e-15 && seen[1].0[0] == 0.0, "{seen:?}");
        } else {
            assert!((seen[1].0[0] + (1.0 - alpha) * w).abs() < 1e-15, "{seen:?}");
        }
    }
}

/// Every choice of order has the gradient of its own equation.
#[test]
fn every_order_has_exact_gradients() {
    let head = |name: &str| {
        format!("[neuron.{name}]\nthreshold = 0.5\nsmooth = true\nsurrogate = {{ sigmoid = 3.0 }}\n")
    };
    let tau = "tau = { uniform = [3.0, 7.0], learned = true, range = [2.0, 9.0] }\n";
    let swings = "tau-adaptation = { uniform = [8.0, 12.0], learned = true, range = [5.0, 20.0] }\nscale = 2.0\n\
                  a = { uniform = [0.0, 1.0], learned = true, range = [0.0, 1.0] }\nb = { uniform = [0.0, 2.0], learned = true }\n";
    let cases = [
        ("lif", format!("{tau}method = \"euler\"\nearly-reset = true\n")),
        ("lif", format!("{tau}method = \"euler\"\nscaled = true\nreset = \"zero\"\nrefractory = 2\n")),
        ("alif", format!("{tau}method = \"euler\"\nearly-reset = true\ncomparison = \"greater\"\n")),
        ("cuba-lif", format!("{tau}method = \"euler\"\nearly-reset = true\ntau-synapse = 2.0\n")),
        ("if", "scaled = true\nreset = \"zero\"\n".to_owned()),
        ("if", "refractory = 2\n".to_owned()),
        ("adlif", format!("{tau}{swings}")),
        ("adlif", format!("{tau}{swings}reset = \"subtract\"\n")),
        ("adlif", format!("{tau}{swings}order = \"forward\"\n")),
    ];
    for (name, settings) in cases {
        let time = "[time]\ndt = 0.7\nreading = \"mean\"\n";
        let rest = format!("{time}{}{settings}{LEAKY}{LOOP}{BPTT}", head(name));
        let error = against_differences(&recipe("[4, 6, 3]", &rest));
        assert!(error < 1e-7, "{name} {settings}: {error:e}");
    }
}
