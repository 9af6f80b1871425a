//! States, gradients and updates against golden vectors of an independent NumPy implementation
//! (`testdata/PROVENANCE.md` has its conventions).

use crate::common;
use bouton::credit::{Batch, GradCollector};
use bouton::network::{Network, State};
use bouton::optim::{Hyper, OptimSpec, Updater};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::solver::Solver;
use bouton_kernels::{DType, Mat};
use serde_json::Value;

const TOLERANCE: f64 = 1e-10;
/// Estimators divide differences of states by β.
const GRADIENT: f64 = 1e-9;

fn golden(name: &str) -> Value {
    let path = format!("{}/../../testdata/ep/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

/// All numbers of a nested list, in order.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn mat(value: &Value) -> Mat {
    let rows = value.as_array().unwrap();
    let cols = rows[0].as_array().map_or(1, Vec::len);
    Mat::from_f64s(DType::F64, rows.len(), cols, &flat(value))
}

/// The settling network of `net` (its softmax variant for `readout` cases) with the golden weights.
struct Case {
    recipe: Recipe,
    network: Network,
    batch: Batch,
}

impl Case {
    fn new(case: &str, net: &Value, tables: &str) -> Self {
        let (hidden, output) = case.split_once('+').unwrap_or((case, ""));
        let name = |n: &str| if n == "dsilu" { "d-silu".to_owned() } else { n.to_owned() };
        let mut text = format!("[neuron.settle]\nactivation = \"{}\"\n", name(hidden));
        match output {
            "linear-output" => text += "output = \"linear\"\n",
            "softmax-readout" => text = format!("[objective.softmax-cross-entropy]\n{text}"),
            _ => {}
        }
        // Further neuron keys come first in `tables`.
        let layers: Vec<usize> = flat(&net["layers"]).iter().map(|&u| u as usize).collect();
        let recipe = common::recipe(&layers, &(text + tables));
        let mut network = recipe.build().unwrap();
        set(&mut network, &net["W"], &net["b"]);
        let x = mat(&net["x"]);
        let labels: Vec<u16> = flat(&net["labels"]).iter().map(|&l| l as u16).collect();
        let ids = (0..labels.len()).collect();
        Self { recipe, network, batch: Batch { x, target: labels.into(), ids, spans: None } }
    }

    fn state(&self) -> State {
        let constant = self.network.constant_drive(self.batch.x.view());
        State::new(&self.network, &constant, 0..self.batch.len(), &self.batch.target)
    }

    fn solver(&self) -> Solver {
        Solver::new(&self.recipe.solver, &self.network).unwrap()
    }

    /// Sets the settling populations to golden states.
    fn put(&self, state: &mut State, states: &Value) {
        for (n, s) in states.as_array().unwrap().iter().enumerate() {
            state.out[n + 1] = mat(s);
        }
    }

    fn assert_states(&self, state: &State, states: &Value, what: &str) {
        for (n, s) in states.as_array().unwrap().iter().enumerate() {
            close(&state.out[n + 1].to_f64s(), &flat(s), TOLERANCE, &format!("{what}, layer {}", n + 1));
        }
    }

    /// The gradient of the recipe's credit rule, as ({W_n}, {b_n}).
    fn gradient(&mut self) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let objective = self.recipe.objective.build();
        let mut credit = self.recipe.credit.build(&self.recipe.solver, &self.network, 8).unwrap();
        let mut sink = GradCollector::default();
        credit.learn(&mut self.network, &self.batch, &*objective, &mut sink, &Key::new(1)).unwrap();
        let values = |bias: bool| {
            let parameters = self.network.parameters();
            parameters.into_iter().filter(|p| p.0.is_unit() == bias).map(|p| sink.values(p.0)).collect()
        };
        (values(false), values(true))
    }

    fn assert_gradient(&mut self, set: &Value, what: &str) {
        let (w, b) = self.gradient();
        for (n, layer) in set["W"].as_array().unwrap().iter().enumerate() {
            close(&w[n], &flat(layer), GRADIENT, &format!("{what}, W_{}", n + 1));
            close(&b[n], &flat(&set["b"][n]), GRADIENT, &format!("{what}, b_{}", n + 1));
        }
    }
}

fn set(network: &mut Network, w: &Value, b: &Value) {
    let (mut weights, mut biases) = (0, 0);
    network
        .visit(&mut |name, mat| {
            let (list, n) = if name.ends_with(".bias") { (b, &mut biases) } else { (w, &mut weights) };
            *mat = Mat::from_f64s(DType::F64, mat.rows(), mat.cols(), &flat(&list[*n]));
            *n += 1;
            Ok(())
        })
        .unwrap();
}

fn close(ours: &[f64], golden: &[f64], tolerance: f64, what: &str) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    let scale = golden.iter().fold(1e-3f64, |m, x| m.max(x.abs()));
    let worst = ours.iter().zip(golden).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance * scale, "{what}: off by {worst:e} where values reach {scale:e}");
}

const FREE: &str = "[credit.bptt]\nsteps = 1\n";
const CASES: [&str; 7] = [
    "hard-sigmoid",
    "shifted-sigmoid",
    "tanh",
    "dsilu",
    "hard-sigmoid+linear-output",
    "shifted-sigmoid+softmax-readout",
    "tanh+softmax-readout",
];

#[test]
fn free_states_after_exactly_so_many_sweeps() {
    let (net, data) = (golden("net"), golden("free_steps"));
    for case in CASES {
        for (key, solver) in [
            ("synchronous", "[solver.synchronous]"),
            ("even_odd", "[solver.even-odd]"),
            ("over_relaxed", "[solver.even-odd]\nrelaxation = 1.2"),
        ] {
            let c = Case::new(case, &net, &format!("{FREE}{solver}"));
            let expected = &data["cases"][case][key];
            let mut state = c.state();
            let sweeps = expected["sweeps"].as_u64().unwrap() as usize;
            c.solver().relax(&c.network, &mut state, None, sweeps, "free").unwrap();
            c.assert_states(&state, &expected["states"], &format!("{case} {key}"));
            close(&state.change, &flat(&expected["residual"]), TOLERANCE, &format!("{case} {key} residual"));
        }
    }
}

#[test]
fn per_sample_stop_counts_the_golden_sweeps() {
    let (net, data) = (golden("net"), golden("free_steps"));
    for case in CASES {
        let c = Case::new(case, &net, &format!("{FREE}[solver.even-odd]\ntolerance = 1e-6"));
        let mut state = c.state();
        let relaxed = c.solver().relax(&c.network, &mut state, None, 500, "free").unwrap();
        let golden: f64 = flat(&data["cases"][case]["even_odd"]["sweeps_to_1e-6"]).iter().sum();
        assert_eq!(relaxed.sweeps as f64, golden, "{case}");
        assert_eq!(relaxed.unsettled, 0);
    }
}

#[test]
fn free_fixed_points() {
    let (net, data) = (golden("net"), golden("free_fixed_point"));
    for case in CASES {
        let c = Case::new(case, &net, &format!("{FREE}[solver.even-odd]\ntolerance = 1e-15"));
        let mut state = c.state();
        c.solver().relax(&c.network, &mut state, None, 2000, "free").unwrap();
        c.assert_states(&state, &data["cases"][case]["states"], case);
    }
}

#[test]
fn nudged_states_inside_outside_and_even_odd() {
    let (net, free) = (golden("net"), golden("free_fixed_point"));
    let (sync, eo) = (golden("nudged_steps_synchronous"), golden("nudged_steps_even_odd"));
    for case in CASES {
        let linear = case.ends_with("linear-output");
        let mut rows = vec![("", "[solver.even-odd]", &eo, if linear { "exact_output_" } else { "" })];
        if !linear {
            // A linear output takes its exact minimum here, the golden synchronous steps an explicit step.
            rows.push(("", "[solver.synchronous]", &sync, "inside_"));
        }
        if !case.ends_with("readout") {
            rows.push(("nudge = \"outside\"\n", "[solver.synchronous]", &sync, "outside_"));
        }
        for (neuron, solver, data, prefix) in rows {
            let c = Case::new(case, &net, &format!("{neuron}{FREE}{solver}"));
            for (sign, beta) in [("plus", 0.1), ("minus", -0.1)] {
                let mut state = c.state();
                c.put(&mut state, &free["cases"][case]["states"]);
                state.beta.fill(beta);
                let objective = c.recipe.objective.build();
                c.solver().relax(&c.network, &mut state, Some(&*objective), 5, "nudged").unwrap();
                let key = format!("{prefix}{sign}");
                c.assert_states(&state, &data["cases"][case][&key], &format!("{case} {key} {solver}"));
            }
        }
    }
}

fn eq_prop(nudge: &str, beta: f64, nudged: usize) -> String {
    format!(
        "[credit.eq-prop]\nbeta = {beta}\nnudge = \"{nudge}\"\nfree-steps = 1500\nnudged-steps = {nudged}\n"
    )
}

#[test]
fn gradients_of_every_estimator() {
    let net = golden("net");
    for (case, file) in [
        ("hard-sigmoid", "gradients_hard_sigmoid"),
        ("shifted-sigmoid", "gradients_shifted_sigmoid"),
        ("tanh", "gradients_tanh"),
        ("dsilu", "gradients_dsilu"),
        ("shifted-sigmoid+softmax-readout", "gradients_shifted_sigmoid_softmax_readout"),
        ("tanh+softmax-readout", "gradients_tanh_softmax_readout"),
    ] {
        let data = golden(file);
        for (key, credit) in [
            ("one_sided_plus", eq_prop("positive", 0.1, 5)),
            ("one_sided_minus", eq_prop("negative", 0.1, 5)),
            ("symmetric", eq_prop("symmetric", 0.1, 5)),
            ("tbp", "[credit.bptt]\nsteps = 1505\ntruncate = 5\n".to_owned()),
            ("rbp", "[credit.recurrent-backprop]\nfree-steps = 1500\nadjoint-steps = 1500\n".to_owned()),
        ] {
            let mut c = Case::new(case, &net, &credit);
            c.assert_gradient(&data[key], &format!("{case} {key}"));
            if case.ends_with("readout") {
                let (w, b) = c.gradient();
                close(&w[2], &flat(&data["readout"]["W"]), GRADIENT, &format!("{case} {key} readout"));
                close(&b[2], &flat(&data["readout"]["b"]), GRADIENT, &format!("{case} {key} readout bias"));
            }
        }
    }
}

#[test]
fn gradients_of_even_odd_sweeps_mirror_bptt_in_reverse_order() {
    let (net, data) = (golden("net"), golden("gradients_even_odd"));
    let case = "shifted-sigmoid";
    let mut c = Case::new(case, &net, &(eq_prop("symmetric", 0.1, 5) + "[solver.even-odd]"));
    c.assert_gradient(&data["cases"][case]["symmetric"], "even-odd symmetric");
    let mut c = Case::new(case, &net, "[credit.bptt]\nsteps = 1505\ntruncate = 5\n[solver.even-odd]");
    c.assert_gradient(&data["cases"][case]["tbp"], "even-odd tbp");
}

#[test]
fn a_nudge_outside_has_its_own_estimators() {
    let (net, data) = (golden("net"), golden("gradients_nudge_outside"));
    for (key, nudge) in
        [("one_sided_plus", "positive"), ("one_sided_minus", "negative"), ("symmetric", "symmetric")]
    {
        let mut c =
            Case::new("shifted-sigmoid", &net, &format!("nudge = \"outside\"\n{}", eq_prop(nudge, 0.1, 5)));
        c.assert_gradient(&data[key], key);
    }
}

#[test]
fn the_contrastive_rules_of_the_comparison() {
    let (net, data) = (golden("net"), golden("coupled_learning"));
    let tail = "free-steps = 1500\nnudged-steps = 1500\n[solver.even-odd]\n";
    for (sign, nudge) in [("positive", "positive"), ("negative", "negative"), ("centred", "symmetric")] {
        for (rule, table) in [("ep", "eq-prop"), ("cpl", "coupled-learning")] {
            let tables = format!("[credit.{table}]\nbeta = 0.1\nnudge = \"{nudge}\"\n{tail}");
            let mut c = Case::new("hard-sigmoid+linear-output", &net, &tables);
            c.assert_gradient(&data[format!("{rule}_{sign}")], &format!("{rule} {sign}"));
        }
    }
    let mut c =
        Case::new("hard-sigmoid+linear-output", &net, &format!("[credit.contrastive-learning]\n{tail}"));
    c.assert_gradient(&data["contrastive"], "contrastive");
}

#[test]
fn energy_dynamics() {
    let (net, data) = (golden("net"), golden("energy_dynamics"));
    for (case, form) in
        [("hard-sigmoid", "hard-sigmoid"), ("shifted-sigmoid", "shifted-sigmoid/loss-of-rho/raw-input")]
    {
        let mut c = Case::new(
            case,
            &net,
            "dynamics = \"energy\"\ndt = 0.2\n[credit.eq-prop]\nbeta = 0.1\nnudge = \"positive\"\nfree-steps = 20\n\
             nudged-steps = 5\n",
        );
        let mut state = c.state();
        c.solver().relax(&c.network, &mut state, None, 20, "free").unwrap();
        let expected = &data["cases"][form];
        for (n, s) in expected["free"].as_array().unwrap().iter().enumerate() {
            close(&state.h[n + 1].to_f64s(), &flat(s), TOLERANCE, &format!("{form} free, layer {}", n + 1));
        }
        c.assert_gradient(&expected["one_sided_plus"], form);
    }
}

#[test]
fn bptt_from_zero() {
    let (net, data) = (golden("net"), golden("bptt_from_zero"));
    for (key, tables) in
        [("full", "[credit.bptt]\nsteps = 20"), ("last_K", "[credit.bptt]\nsteps = 20\ntruncate = 5")]
    {
        Case::new("shifted-sigmoid", &net, tables).assert_gradient(&data[key], key);
    }
}

#[test]
fn feed_forward_backprop() {
    let (net, data) = (golden("net"), golden("mlp_relu_xent"));
    let recipe = common::recipe(
        &[20, 30, 25, 10],
        "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]",
    );
    let template = Case::new("tanh", &net, FREE);
    let mut network = recipe.build().unwrap();
    set(&mut network, &net["W"], &net["b"]);
    let mut c = Case { recipe, network, batch: template.batch };
    c.assert_gradient(&data, "mlp");
    let loss = common::loss(&c.recipe, &c.network, &c.batch);
    assert!((loss - data["loss"].as_f64().unwrap()).abs() < 1e-12);
}

#[test]
fn continual_updates_move_the_weights_within_the_phase() {
    let (net, data) = (golden("gdu_shifted_sigmoid"), golden("continual"));
    let credit = "[credit.continual-eq-prop]\nbeta = 0.1\nfree-steps = 1500\nnudged-steps = 5\n";
    let mut c = Case::new("shifted-sigmoid", &net, credit);
    c.recipe.optim = optim("sgd", &format!("lr = {}", data["lr"]));
    train(&mut c, 1);
    for (n, w) in data["W"].as_array().unwrap().iter().enumerate() {
        close(&c.network.connections[n].weight.mat().to_f64s(), &flat(w), TOLERANCE, "continual W");
    }
}

fn train(c: &mut Case, updates: usize) {
    let objective = c.recipe.objective.build();
    let mut credit = c.recipe.credit.build(&c.recipe.solver, &c.network, 8).unwrap();
    let mut updater = Updater::new(&c.network, c.recipe.optim.build());
    for _ in 0..updates {
        credit.learn(&mut c.network, &c.batch, &*objective, &mut updater, &Key::new(1)).unwrap();
    }
}

fn optim(name: &str, fields: &str) -> OptimSpec {
    let table: toml::Table = format!("[{name}]\n{fields}").parse().unwrap();
    table.try_into().unwrap()
}

#[test]
fn three_updates_of_training() {
    let (net, data) = (golden("net"), golden("training"));
    let phases = "free-steps = 20\nnudged-steps = 5\n";
    for (key, case, nudge, lr) in [
        ("mse_symmetric", "shifted-sigmoid", "symmetric", "lr = [0.4, 0.3, 0.2]"),
        ("xent_one_sided", "shifted-sigmoid+softmax-readout", "positive", "lr = [0.4, 0.3, 0.2]"),
    ] {
        let tables = format!("[credit.eq-prop]\nbeta = 0.1\nnudge = \"{nudge}\"\n{phases}");
        let mut c = Case::new(case, &net, &tables);
        c.recipe.optim = optim("sgd", lr);
        train(&mut c, 3);
        for (n, w) in data["cases"][key]["W"].as_array().unwrap().iter().enumerate() {
            let ours = c.network.connections[n].weight.mat().to_f64s();
            close(&ours, &flat(w), TOLERANCE, &format!("{key} W_{}", n + 1));
        }
    }
}

#[test]
fn optimisers_take_the_golden_steps() {
    let data = golden("optimisers");
    for (key, spec) in [
        ("sgd", optim("sgd", "lr = 0.1")),
        ("sgd_momentum_decay_in_gradient", optim("sgd", "lr = 0.1\nmomentum = 0.9\ndecay = 0.01")),
        (
            "sgd_momentum_decay_decoupled",
            optim("sgd", "lr = 0.1\nmomentum = 0.9\ndecay = 0.01\ndecay-style = \"decoupled\""),
        ),
        (
            "sgd_nesterov_decay_in_gradient",
            optim("sgd", "lr = 0.1\nmomentum = 0.9\nnesterov = true\ndecay = 0.01"),
        ),
        ("adam", optim("adam", "lr = 0.1")),
        ("adam_decay_in_gradient", optim("adam", "lr = 0.1\ndecay = 0.01")),
        ("adamw", optim("adamw", "lr = 0.1\ndecay = 0.01")),
    ] {
        let rule = spec.build();
        let mut w = Mat::from_f64s(DType::F64, 1, 6, &flat(&data["start"]));
        let mut slots: Vec<Mat> = (0..rule.slots()).map(|_| Mat::zeros(DType::F64, 1, 6)).collect();
        for step in 0..3 {
            let g = Mat::from_f64s(DType::F64, 1, 6, &flat(&data["gradients"][step]));
            let mut delta = Mat::zeros(DType::F64, 1, 6);
            let hyper = Hyper { rate: 0.1, decays: true, step: step as u64 + 1 };
            let mut views: Vec<_> = slots.iter_mut().map(Mat::view_mut).collect();
            rule.propose(hyper, w.view(), g.view(), &mut views, delta.view_mut());
            let sum: Vec<f64> = w.to_f64s().iter().zip(delta.to_f64s()).map(|(w, d)| w + d).collect();
            w = Mat::from_f64s(DType::F64, 1, 6, &sum);
            close(&sum, &flat(&data["after"][key][step]), 1e-12, &format!("{key} after {}", step + 1));
        }
    }
}
