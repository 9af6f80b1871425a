//! Liquid time-constant networks: states and gradients of ncps 1.0.1 (64 bits, ε = 0) for numbers in closed form, gradients of every
//! choice, and what does not fit.

use super::{BPTT, LOOP, against_differences, recipe, recipe_text};
use bouton::credit::GradCollector;
use bouton::network::{LastSteps, Network, Path, Timing};
use bouton::recipe::Recipe;
use bouton_kernels::{DType, Mat, WeightMat};

const UNITS: &str = "[neuron.ltc]\n[wiring.conductance]\n";

/// 2 inputs, 3 units, 2 outputs: the numbers of the reference, i the source and j the target.
fn reference() -> Network {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 1, 2]\nclasses = 2\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n\
         [time]\nsubsteps = 6\n[network]\nlayers = [2, 3, 2]\n[optim.sgd]\nlr = 0.1\n{UNITS}{LOOP}{BPTT}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap();
    recipe.check().unwrap();
    let mut network = recipe.build().unwrap();
    let sign = |even: f64, i: usize, j: usize| if (i + j).is_multiple_of(2) { even } else { -even };
    let of_loop = |plane: usize, i: f64, j: f64| match plane {
        0 => 0.1 + 0.1 * i + 0.05 * j,
        1 => 3.0 + i + 0.5 * j,
        2 => 0.3 + 0.1 * i + 0.05 * j,
        _ => sign(1.0, i as usize, j as usize),
    };
    let of_input = |plane: usize, i: f64, j: f64| match plane {
        0 => 0.2 + 0.1 * i + 0.1 * j,
        1 => 4.0 + i - 0.5 * j,
        2 => 0.4 - 0.1 * i + 0.1 * j,
        _ => sign(-1.0, i as usize, j as usize),
    };
    let planes = |pre: usize, of: &dyn Fn(usize, f64, f64) -> f64| {
        WeightMat::new(Mat::from_fn(DType::F64, 12, pre, |r, i| of(r / 3, i as f64, (r % 3) as f64)))
    };
    for c in &mut network.connections {
        c.weight = match c.name.as_str() {
            "input-hidden1" => planes(2, &of_input),
            "loop" => planes(3, &of_loop),
            _ => {
                let diagonal = |r: usize, c: usize| if r == c { 1.0 - 0.25 * c as f64 } else { 0.0 };
                WeightMat::new(Mat::from_fn(DType::F64, 2, 3, diagonal))
            }
        };
    }
    let row = |n: usize, first: f64, by: f64| {
        WeightMat::new(Mat::from_fn(DType::F64, 1, n, |_, i| first + by * i as f64))
    };
    for (own, first) in network.populations[1].own.iter_mut().zip([0.2, -0.1, 0.4]) {
        own.value = row(3, first, 0.1);
    }
    network.populations[2].bias = Some(row(2, 0.0, 0.05));
    network
}

/// What the input map of the reference makes of a row: in_w = 1 + i/2, in_b = i/10.
fn mapped(x: [f64; 2]) -> Mat {
    Mat::from_fn(DType::F64, 1, 2, |_, i| (1.0 + 0.5 * i as f64) * x[i] + 0.1 * i as f64)
}

/// Where the reference begins.
fn start(network: &Network, time: &Timing) -> LastSteps {
    let x = mapped([0.0, 0.0]);
    let mut start = network.run(time, x.view(), 1, None).last(x.view());
    let first = Mat::from_fn(DType::F64, 1, 3, |_, i| [0.1, -0.2, 0.3][i]);
    (start.h[1], start.out[1]) = (first.clone(), first);
    start
}

fn with_dt(network: &Network, dt: f64) -> Timing {
    let mut time = network.time.clone().unwrap();
    time.clock.dt = dt;
    time
}

fn close(found: &[f64], wanted: &[f64], what: &str) {
    let error = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(found.len() == wanted.len() && error < 1e-12, "{what}: {found:?} is not {wanted:?}");
}

#[test]
fn states_are_those_of_the_reference() {
    let network = reference();
    let wanted = [
        (1.0, [-0.096051061046301, 0.043683801365678, 0.027883881911045]),
        (0.25, [0.046765050801717, -0.124428138148450, 0.210101983624446]),
        (0.7, [-0.043013877356987, -0.014634188214768, 0.088559607913768]),
    ];
    for (dt, state) in wanted {
        let (time, x) = (with_dt(&network, dt), mapped([0.5, -1.0]));
        let trace = network.run(&time, x.view(), 1, Some(&start(&network, &time)));
        close(&trace.last(x.view()).h[1].to_f64s(), &state, "state");
        if dt == 1.0 {
            let out = network.outputs(&time, network.output(), &trace).to_f64s();
            close(&out, &[-0.096051061046301, 0.082762851024259], "output");
        }
    }
}

/// Two steps of unlike length, L = Σ y₁² + Σ y₂²: sums of the gradients, and their first elements.
#[test]
fn gradients_are_those_of_the_reference() {
    let network = reference();
    let out = network.output();
    let inputs = [[0.5, -1.0], [-0.3, 0.8]];
    let times = [1.0, 0.5].map(|dt| with_dt(&network, dt));
    let (mut at, mut traces, mut loss) = (start(&network, &times[0]), Vec::new(), 0.0);
    for (time, x) in times.iter().zip(inputs) {
        let trace = network.run(time, mapped(x).view(), 1, Some(&at));
        at = trace.last(mapped(x).view());
        let y = network.outputs(time, out, &trace);
        loss += y.to_f64s().iter().map(|y| y * y).sum::<f64>();
        traces.push((trace, Mat::from_fn(DType::F64, 1, 2, |_, i| 2.0 * y.get(0, i))));
    }
    close(&[loss], &[0.090277539084180], "loss");
    let (mut later, mut sink) = (None, GradCollector::default());
    let (mut of_map, mut of_shift) = ([0.0; 2], [0.0; 2]);
    for ((time, x), (trace, err)) in times.iter().zip(inputs).zip(&mut traces).rev() {
        later = Some(network.back(time, trace, &[(out, err.clone())], later.as_ref(), Path::BPTT));
        network.accumulate_grads_in_time(time, mapped(x).view(), trace, 1.0, &mut sink);
        let shown = network.back_to_input(time, mapped(x).view(), trace);
        for i in 0..2 {
            of_map[i] += shown.get(0, i) * x[i];
            of_shift[i] += shown.get(0, i);
        }
    }
    let (flat, mut first) = (sink.flat(&network), 0);
    let of: std::collections::BTreeMap<String, Vec<f64>> = network
        .parameters()
        .into_iter()
        .map(|(_, name, m)| {
            first += m.rows() * m.cols();
            (name, flat[first - m.rows() * m.cols()..first].to_vec())
        })
        .collect();
    let plane = |name: &str, k: usize| {
        let all = &of[name];
        all[k * all.len() / 4..(k + 1) * all.len() / 4].to_vec()
    };
    let (rec, sens) = ("loop.weight", "input-hidden1.weight");
    let readout: Vec<f64> = [0, 4].map(|i| of["hidden1-output.weight"][i]).to_vec();
    let cases = [
        ("g", of["hidden1.g-leak"].clone(), -1.253442967505e-01, -9.317425358005e-02),
        ("vl", of["hidden1.v-leak"].clone(), 8.376655712859e-02, 9.856310463481e-02),
        ("C", of["hidden1.capacitance"].clone(), -3.188849364892e-01, -2.313929279054e-01),
        ("w", plane(rec, 0), 2.178674413003e-01, 1.435323925514e-01),
        ("s", plane(rec, 1), -5.082492168463e-03, -2.379041453514e-03),
        ("mu", plane(rec, 2), -1.233321307623e-01, -2.884446765435e-02),
        ("E", plane(rec, 3), 4.175633529400e-02, 1.605034109290e-02),
        ("ws", plane(sens, 0), 3.500753433085e-01, -8.266972518341e-02),
        ("ss", plane(sens, 1), 8.913073319042e-03, 2.874348210661e-03),
        ("mus", plane(sens, 2), 7.982707602547e-02, 3.748547605171e-02),
        ("Es", plane(sens, 3), 9.095664668268e-02, 1.625815578652e-02),
        ("in_w", of_map.to_vec(), -1.126743463139e-02, -1.883976112883e-02),
        ("in_b", of_shift.to_vec(), -7.982707602547e-02, -8.957390591102e-02),
        ("out_w", readout, 2.093546455393e-01, 1.213725049772e-01),
        ("out_b", of["output.bias"].clone(), 1.255151334947e-01, 2.615957781030e-01),
    ];
    for (name, found, sum, first) in cases {
        close(&[found.iter().sum::<f64>(), found[0]], &[sum, first], name);
    }
}

#[test]
fn conductances_have_exact_gradients() {
    let graph = "[connection.forth]\nfrom = \"input\"\nto = \"hidden2\"\ndelay = 1\n\
                 [connection.back]\nfrom = \"hidden2\"\nto = \"hidden1\"\ndelay = 2\n\
                 [connection.told]\nfrom = \"output\"\nto = \"hidden2\"\ndelay = 1\n";
    let spikes = "[population.hidden1.neuron.lif]\ntau = 5.0\nthreshold = 0.5\nsmooth = true\n";
    let cases = [
        ("[4, 6, 3]", String::new()),
        ("[4, 6, 3]", format!("[time]\nsubsteps = 3\n{LOOP}")),
        (
            "[4, 5, 4, 3]",
            format!("[time]\nsubsteps = 2\nreading = \"mean\"\n{LOOP}autapses = false\n{graph}"),
        ),
        ("[4, 5, 4, 3]", format!("[time]\nreading = \"each\"\n{spikes}{graph}")),
    ];
    for (layers, rest) in cases {
        for units in [UNITS, "[neuron.ltc]\n[wiring.conductance]\ndensity = 0.5\nexcitatory = 0.7\n"] {
            let error = against_differences(&recipe(layers, &format!("{units}{rest}{BPTT}")));
            assert!(error < 1e-7, "{rest}: {error:e}");
        }
    }
}

/// Absent conductances stay absent, whatever an optimiser does, and membranes stay between −1 and 1.
#[test]
fn sparse_conductances_stay_sparse_and_membranes_bounded() {
    use super::batch;
    use bouton::optim::Updater;
    let rest =
        format!("[neuron.ltc]\n[wiring.conductance]\ndensity = 0.5\n[time]\nsubsteps = 2\n{LOOP}{BPTT}");
    let recipe = recipe("[4, 6, 3]", &rest);
    let (mut network, objective) = (recipe.build().unwrap(), recipe.objective.build());
    let absent = |network: &Network| -> Vec<bool> {
        let joins = |c: &&bouton::network::Connection| c.wiring.curved().is_some();
        let open = |c: &bouton::network::Connection| {
            let all = c.weight.mat().to_f64s();
            all[..all.len() / 4].iter().map(|w| *w == 0.0).collect::<Vec<_>>()
        };
        network.connections.iter().filter(joins).flat_map(open).collect()
    };
    let before = absent(&network);
    assert!(before.iter().filter(|a| **a).count() == 6 * 2 + 6 * 3, "{before:?}");
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    for step in 0..20 {
        let key = bouton::rng::Key::new(step);
        credit.learn(&mut network, &batch(8), &*objective, &mut updater, &key).unwrap();
    }
    assert_eq!(absent(&network), before);
    let (time, batch) = (network.time.clone().unwrap(), batch(8));
    let x = network.seen(&time, batch.x.view(), &batch.ids, None);
    let v = network.run(&time, x.view(), 8, None).out[1].to_f64s();
    assert!(v.iter().all(|v| v.abs() < 1.5) && v.iter().any(|v| *v != 0.0), "{v:?}");
}

#[test]
fn what_fills_no_ports_is_refused() {
    let refused = |rest: &str| {
        let text = recipe_text("[4, 6, 3]", &format!("{rest}{BPTT}"));
        let error = Recipe::parse(&text, "test").and_then(|r| r.check()).expect_err(rest);
        (error.to_string(), error.hint().unwrap_or_default().to_owned())
    };
    let cases = [
        (
            "[neuron.ltc]\n".to_owned(),
            "wiring.dense of connection input-hidden1 does not fill the 2 ports of ltc",
            "conductance",
        ),
        (
            format!("{UNITS}[synapse.binary]\n"),
            "synapse.binary of connection input-hidden1 holds single weights",
            "plain",
        ),
        (
            "[neuron.ltc]\ncapacitance = 0.0\n[wiring.conductance]\n".to_owned(),
            "neuron.ltc.capacitance",
            "range",
        ),
        ("[neuron.ltc]\ng-leak = -1.0\n[wiring.conductance]\n".to_owned(), "neuron.ltc.g-leak", "range"),
    ];
    for (rest, message, hint) in cases {
        let (said, hinted) = refused(&rest);
        assert!(said.contains(message) && hinted.contains(hint), "{rest}\n{said}\n{hinted}");
    }
    let skip = recipe_text("[4, 4, 3]\nskips = [{ from = 0, to = 1 }]", &format!("{UNITS}{BPTT}"));
    let said = Recipe::parse(&skip, "test").and_then(|r| r.check()).unwrap_err().to_string();
    assert!(
        said.contains("is no conductance between all units, but ltc units of hidden1 take no other"),
        "{said}"
    );
}
