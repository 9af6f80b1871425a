//! Networks that move in time: gradients against differences, what sections, samples and shards may not change, and where e-prop is
//! backpropagation through time and where it is not.

mod encoders;
mod forward;
mod lengths;
mod ltc;
mod nest;
mod nest_classes;
mod online;
mod random_state;
mod refused;
mod rewards;
mod sequences;
mod streams;
mod units;

use crate::common::{central_differences, gradient, loss, relative_error};
use bouton::credit::{Batch, GradCollector};
use bouton::network::{Network, Path};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

/// Images of 5 × 4, a row a step, and 3 classes.
fn recipe(network: &str, rest: &str) -> Recipe {
    let text = recipe_text(network, rest);
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe
}

fn recipe_text(network: &str, rest: &str) -> String {
    format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 5, 4]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [encoder.rows]\nsteps = 5\n[network]\nlayers = {network}\n[optim.sgd]\nlr = 0.1\n\
         [objective.softmax-cross-entropy]\n{rest}"
    )
}

fn batch(samples: usize) -> Batch {
    let mut stream = Key::new(9).of("batch", 0).stream();
    Batch {
        x: Mat::from_fn(DType::F64, samples, 20, |_, _| stream.uniform()),
        target: (0..samples).map(|i| (i % 3) as u16).collect::<Vec<u16>>().into(),
        ids: (0..samples).collect(),
        spans: None,
    }
}

fn against_differences(recipe: &Recipe) -> f64 {
    against_differences_of(recipe, &batch(4))
}

fn against_differences_of(recipe: &Recipe, batch: &Batch) -> f64 {
    let mut network = recipe.build().unwrap();
    let (g, _) = gradient(recipe, &mut network, batch);
    assert!(g.iter().filter(|g| **g != 0.0).count() > 20, "a network that is dead proves nothing");
    let numeric = central_differences(&mut network, &mut |network| loss(recipe, network, batch));
    relative_error(&g, &numeric)
}

const LEAKY: &str = "[population.output.neuron.leaky]\ntau = 4.0\n";
const LOOP: &str = "[connection.loop]\nfrom = \"hidden1\"\nto = \"hidden1\"\n";
const BPTT: &str = "[credit.bptt]\n";

fn smooth(unit: &str, more: &str) -> String {
    let tau = if unit == "if" { "" } else { "tau = 5.0\n" };
    format!("[neuron.{unit}]\n{tau}threshold = 0.5\nsmooth = true\nreset-gradient = true\n{more}\n")
}

#[test]
fn smooth_spikes_have_exact_gradients_by_every_way_and_reading() {
    let loops = [String::new(), LOOP.to_owned(), format!("{LOOP}delay = 2\nautapses = false\n")];
    let slopes = ["sigmoid = 3.0", "fast-sigmoid = 2.0", "arctan = 2.0", "triangle = 0.9"];
    for (i, slope) in slopes.into_iter().enumerate() {
        let readings = [
            "\"last\"",
            "\"mean\"",
            "\"sum\"",
            "\"max\"",
            "\"each\"",
            "{ window = 3 }",
            "{ each-of-last = 3 }",
        ];
        for (connection, reading) in
            loops.iter().zip([readings[i], readings[(i + 2) % 7], readings[(i + 4) % 7]])
        {
            for unit in ["if", "lif", "alif", "adlif", "cuba-lif"] {
                let units = smooth(unit, &format!("surrogate = {{ {slope} }}"));
                let rest = format!("[time]\nreading = {reading}\n{units}{LEAKY}{connection}{BPTT}");
                let error = against_differences(&recipe("[4, 6, 3]", &rest));
                assert!(error < 1e-7, "{unit} {slope} {reading} {connection}: {error:e}");
            }
        }
    }
}

#[test]
fn sparse_loops_have_exact_gradients() {
    let sparse = format!("{LOOP}autapses = false\nwiring.sparse = {{ density = 0.4 }}\n");
    let drawn = format!("{LOOP}delay = 2\nwiring.procedural = {{ density = 0.4 }}\n");
    for connection in [sparse, drawn] {
        let units = smooth("lif", "surrogate = { sigmoid = 3.0 }");
        let rest = format!("{units}{LEAKY}{connection}{BPTT}[wiring.sparse]\ndensity = 0.6\n");
        let error = against_differences(&recipe("[4, 6, 3]", &rest));
        assert!(error < 1e-7, "{connection}: {error:e}");
    }
}

#[test]
fn numbers_of_the_units_own_substeps_delays_and_two_loops_have_exact_gradients() {
    let learned = "tau-adaptation = { uniform = [6.0, 12.0], learned = true }\n\
                   beta = { normal = [0.3, 0.1], learned = true }\nsurrogate = { sigmoid = 3.0 }\n";
    let units =
        smooth("alif", learned).replace("tau = 5.0", "tau = { uniform = [3.0, 7.0], learned = true }");
    let units =
        units.replace("threshold = 0.5", "threshold = { value = 0.5, learned = true, shared = true }");
    let graph = "[connection.forth]\nfrom = \"input\"\nto = \"hidden2\"\ndelay = 1\n\
                 [connection.back]\nfrom = \"hidden2\"\nto = \"hidden1\"\ndelay = 2\n\
                 [connection.told]\nfrom = \"output\"\nto = \"hidden2\"\ndelay = 1\n\
                 [connection.far]\nfrom = \"hidden1\"\nto = \"output\"\ndelay = 3\n";
    let leaky = "[population.output.neuron.leaky]\ntau = { value = 4.0, learned = true }\n";
    let rest =
        format!("[time]\nsubsteps = 2\ndt = 0.7\nreading = \"mean\"\n{units}{leaky}{LOOP}{graph}{BPTT}");
    let recipe = recipe("[4, 5, 4, 3]", &rest);
    let names: Vec<String> = recipe.build().unwrap().parameters().into_iter().map(|p| p.1).collect();
    for name in ["hidden1.tau", "hidden2.beta", "hidden1.threshold", "output.tau", "told.weight"] {
        assert!(names.iter().any(|n| n == name), "{name} is not in {names:?}");
    }
    let error = against_differences(&recipe);
    assert!(error < 1e-7, "{error:e}");
}

/// Rate units need no stand-in.
#[test]
fn rate_units_in_continuous_time_have_exact_gradients() {
    let units = "[neuron.ct-rnn]\ntau = { uniform = [2.0, 6.0], learned = true }\n";
    let error = against_differences(&recipe("[4, 6, 3]", &format!("{units}{LEAKY}{LOOP}{BPTT}")));
    assert!(error < 1e-7, "{error:e}");
}

const ALIF: &str =
    "[neuron.alif]\ntau = 5.0\ntau-adaptation = 9.0\nbeta = { value = 0.3, share = 0.5 }\nthreshold = 0.3\n";

/// Spikes, in a network that is alive.
fn lively(rest: &str) -> Recipe {
    recipe("[4, 9, 3]", &format!("{ALIF}{LEAKY}[wiring.dense]\ngain = 2.0\n{rest}"))
}

#[test]
fn without_a_loop_e_prop_is_backpropagation_and_with_one_it_is_not() {
    let of = |rest: &str, credit: &str| {
        let recipe = lively(&format!("{rest}{credit}"));
        gradient(&recipe, &mut recipe.build().unwrap(), &batch(8)).0
    };
    assert_eq!(of("", "[credit.e-prop]\n"), of("", BPTT));
    let connection = format!("{LOOP}autapses = false\n");
    let (local, through) = (of(&connection, "[credit.e-prop]\n"), of(&connection, BPTT));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let cosine = dot(&local, &through) / (dot(&local, &local) * dot(&through, &through)).sqrt();
    assert!(cosine > 0.5 && cosine < 1.0 - 1e-4, "{cosine}");
}

/// Random feedback: the signals of e-prop go by a connection of errors alone, and the readout's own weights carry none.
#[test]
fn learning_signals_take_the_connections_that_carry_errors() {
    let random = "[connection.hidden1-output]\ncarries = \"activity\"\n\
                  [connection.taught]\nfrom = \"output\"\nto = \"hidden1\"\ncarries = \"errors\"\n";
    let recipe = lively(&format!("{random}[credit.e-prop]\n"));
    let mut network = recipe.build().unwrap();
    let g = |network: &mut Network| gradient(&recipe, network, &batch(8)).0;
    let first = g(&mut network);
    assert!(first.iter().filter(|g| **g != 0.0).count() > 20);
    let taught = network.connections.iter().position(|c| c.name == "taught").unwrap();
    network.connections[taught].weight.update(|mut w| w.fill(0.0));
    let without = g(&mut network);
    let of_input: usize = network.connections[0].weight.mat().to_f64s().len();
    assert!(without[..of_input].iter().all(|g| *g == 0.0) && first[..of_input] != without[..of_input]);
    assert!(without[of_input..].iter().any(|g| *g != 0.0), "the readout still learns");
}

#[test]
fn memory_chooses_checkpoints_and_changes_no_gradient() {
    let of = |credit: &str| lively(&format!("{LOOP}delay = 2\n[credit.bptt]\n{credit}"));
    let g = |recipe: &Recipe| gradient(recipe, &mut recipe.build().unwrap(), &batch(8)).0;
    let whole = g(&of(""));
    let learn = |recipe: &Recipe| {
        let (mut network, objective) = (recipe.build().unwrap(), recipe.objective.build());
        let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        credit.learn(&mut network, &batch(8), &*objective, &mut GradCollector::default(), &Key::new(1))
    };
    let error = learn(&of("memory = \"1 kB\"\n")).expect_err("too little");
    assert!(
        error.to_string().contains("credit.bptt.memory = \"1 kB\" is too little for batches of 8 samples")
    );
    let hint = error.hint().unwrap().to_owned();
    let least: u64 =
        hint.split('"').nth(1).and_then(|least| least.strip_suffix(" B")?.parse().ok()).expect(&hint);
    let sections: Vec<Vec<f64>> = (1..=5).map(|n| g(&of(&format!("checkpoint = {n}\n")))).collect();
    for more in [0, 1000, 4000, 8000] {
        let found = g(&of(&format!("memory = \"{} B\"\n", least + more)));
        assert!(sections.contains(&found), "the gradient of some checkpoint, bit for bit");
        assert!(relative_error(&found, &whole) < 1e-13);
    }
    assert_ne!(g(&of(&format!("memory = \"{least} B\"\n"))), whole, "sums of several sections");
    assert_eq!(g(&of("memory = \"1 GB\"\n")), whole);
    assert!(learn(&of(&format!("memory = \"{} B\"\n", least - 1))).is_err(), "{hint} is the least");
}

#[test]
fn checkpoints_change_memory_and_no_gradient_and_truncation_stops_it() {
    let connection = format!("{LOOP}delay = 2\n");
    let of = |credit: &str| {
        let recipe = lively(&format!("{connection}[credit.bptt]\n{credit}"));
        gradient(&recipe, &mut recipe.build().unwrap(), &batch(8))
    };
    let (whole, step) = of("");
    for size in [1, 2, 3, 4] {
        let (kept, same) = of(&format!("checkpoint = {size}\n"));
        let error = relative_error(&kept, &whole);
        assert!(error < 1e-13 && same.loss == step.loss, "{size}: {error:e}");
    }
    assert!(relative_error(&of("truncate = 2\n").0, &whole) > 1e-6);
    assert_eq!(of("truncate = 5\n").0, whole);
}

#[test]
fn a_sequence_may_be_cut_and_samples_do_not_see_each_other() {
    let recipe = lively(&format!("[time]\nreading = \"each\"\n{LOOP}delay = 2\n{BPTT}"));
    let (network, batch) = (recipe.build().unwrap(), batch(6));
    let time = network.time.as_ref().unwrap();
    let x = network.seen(time, batch.x.view(), &batch.ids, None);
    let whole = network.run(time, x.view(), 6, None);
    let out = network.outputs(time, network.output(), &whole);
    let spikes: f64 = whole.out[1].to_f64s().iter().sum();
    assert!(spikes > 10.0, "{spikes} spikes prove little");
    let first = network.run(time, x.rows_view(0..12), 6, None);
    let second = network.run(time, x.rows_view(12..30), 6, Some(&first.last(x.rows_view(0..12))));
    let mut both = network.outputs(time, network.output(), &first);
    both.append_rows(network.outputs(time, network.output(), &second).view());
    assert_eq!(both, out);
    let one = batch.take(&[3]);
    let seen = network.seen(time, one.x.view(), &one.ids, None);
    let alone = network.outputs(time, network.output(), &network.run(time, seen.view(), 1, None));
    for t in 0..5 {
        assert_eq!(alone.rows_view(t..t + 1).to_mat(), out.rows_view(t * 6 + 3..t * 6 + 4).to_mat());
    }
}

/// A batch of several shards has the mean gradient of its samples, and its bits do not depend on threads.
#[test]
fn shards_and_threads_change_nothing() {
    let recipe = lively(&format!("{LOOP}{BPTT}"));
    let mut network = recipe.build().unwrap();
    let batch = batch(40);
    let all = gradient(&recipe, &mut network, &batch).0;
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| gradient(&recipe, &mut network, &batch).0), all);
    let mut mean = vec![0.0; all.len()];
    for r in 0..40 {
        let of_one = gradient(&recipe, &mut network, &batch.take(&[r])).0;
        mean.iter_mut().zip(of_one).for_each(|(mean, g)| *mean += g / 40.0);
    }
    assert!(relative_error(&mean, &all) < 1e-12);
}

#[test]
fn a_static_network_is_a_sequence_of_one_step() {
    for unit in ["relu", "sign"] {
        let text = |rest: &str| {
            format!(
                "precision = \"f64\"\n[task.synthetic]\nshape = [1, 5, 4]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\n\
                 epochs = 1\n[network]\nlayers = [20, 7, 3]\n[optim.sgd]\nlr = 0.1\n[objective.softmax-cross-entropy]\n\
                 [neuron.{unit}]\n{rest}"
            )
        };
        let parse = |rest: &str| {
            let recipe = Recipe::parse(&text(rest), "test").unwrap();
            recipe.check().unwrap_or_else(|e| panic!("{e}"));
            recipe
        };
        let (once, in_time) = (
            parse("[credit.backprop]\n"),
            parse("[population.output.neuron.leaky]\ntau = 1e-6\n[credit.bptt]\n"),
        );
        let of = |recipe: &Recipe| gradient(recipe, &mut recipe.build().unwrap(), &batch(8));
        let ((a, step), (b, same)) = (of(&once), of(&in_time));
        assert!(relative_error(&b, &a) < 1e-14 && (step.loss - same.loss).abs() < 1e-12, "{unit}");
    }
}

/// Convolutions and pooling are products over all steps like any other; units without memory may stand between those with some.
#[test]
fn images_and_static_units_go_through_time() {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 5, 5]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [encoder.constant]\nsteps = 4\n[time]\nreading = \"mean\"\nsubsteps = 2\n[network]\n\
         layers = [{{ image = [1, 5, 5] }}, {{ filters = 2, kernel = 2, pool = {{ average = 2 }} }}, 4, 3]\n\
         [wiring.conv]\n[optim.sgd]\nlr = 0.1\n[objective.softmax-cross-entropy]\n{}{LEAKY}\
         [population.hidden2.neuron.relu]\n{BPTT}",
        smooth("lif", "surrogate = { sigmoid = 3.0 }")
    );
    let recipe = Recipe::parse(&text, "test").unwrap();
    recipe.check().unwrap_or_else(|e| panic!("{e}: {:?}", e.hint()));
    let error = against_differences(&recipe);
    assert!(error < 1e-7, "{error:e}");
}

/// An output whose units were chosen has these: counts of spikes are whole numbers.
#[test]
fn an_output_may_spike() {
    let recipe = lively("[time]\nreading = \"sum\"\n[credit.bptt]\n");
    let recipe = recipe.with_overrides(&["population.output.neuron=lif"]).unwrap();
    recipe.check().unwrap();
    let network = recipe.build().unwrap();
    let credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let objective = recipe.objective.build();
    let counts = |network: &Network| {
        credit.free(network, &batch(8), &*objective).unwrap().out[network.output()].to_f64s()
    };
    assert!(counts(&network).iter().all(|n| n.fract() == 0.0 && *n >= 0.0), "{:?}", counts(&network));
    // The plan's own output is linear.
    let plain = lively("[credit.bptt]\n")
        .with_overrides(&["population.output.neuron=leaky"])
        .unwrap()
        .build()
        .unwrap();
    assert!(plain.populations[2].num_states() == 1 && network.populations[2].num_states() == 2);
}

/// Spikes drawn at random are other ones in every update and the same ones in every test.
#[test]
fn drawn_spikes_belong_to_the_update_or_to_the_sample() {
    let text = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 5, 4]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
                [encoder.poisson]\nsteps = 9\n[network]\nlayers = [20, 3]\n[optim.sgd]\nlr = 0.1\n[neuron.leaky]\n[credit.bptt]\n";
    let recipe = Recipe::parse(text, "test").unwrap();
    let (network, batch) = (recipe.build().unwrap(), batch(8));
    let time = network.time.as_ref().unwrap();
    let seen = |key: Option<&Key>, rows: &[usize]| {
        let part = batch.take(rows);
        network.seen(time, part.x.view(), &part.ids, key)
    };
    let all: Vec<usize> = (0..8).collect();
    assert_eq!(seen(None, &all), seen(None, &all));
    assert_ne!(seen(Some(&Key::new(1)), &all), seen(Some(&Key::new(2)), &all));
    let (whole, alone) = (seen(None, &all), seen(None, &[5]));
    assert!(
        (0..9).all(|t| whole.rows_view(t * 8 + 5..t * 8 + 6).to_mat() == alone.rows_view(t..t + 1).to_mat())
    );
}

/// The gradient of what a later section sends back is that of the sections together.
#[test]
fn gradients_of_the_first_state_are_exact() {
    let recipe = recipe(
        "[4, 6, 3]",
        &format!("{}{LEAKY}{LOOP}delay = 3\n{BPTT}", smooth("lif", "surrogate = { sigmoid = 3.0 }")),
    );
    let (network, batch) = (recipe.build().unwrap(), batch(2));
    let time = network.time.as_ref().unwrap();
    let x = network.seen(time, batch.x.view(), &batch.ids, None);
    let mut start = network.run(time, x.view(), 2, None).last(x.view());
    let weights = Mat::from_fn(DType::F64, 10, 3, |r, c| 0.1 * (r as f64) - 0.2 * c as f64);
    let value = |start: &bouton::network::LastSteps| {
        let out = network.outputs(time, network.output(), &network.run(time, x.view(), 2, Some(start)));
        out.to_f64s().iter().zip(weights.to_f64s()).map(|(o, w)| o * w).sum::<f64>()
    };
    let mut trace = network.run(time, x.view(), 2, Some(&start));
    let carry = network.back(time, &mut trace, &[(network.output(), weights.clone())], None, Path::BPTT);
    let (e, mut worst) = (1e-6, 0.0_f64);
    for i in 0..start.h[1].to_f64s().len() + start.out[1].to_f64s().len() {
        let of_states = start.h[1].to_f64s().len();
        let g = if i < of_states { carry.h[1].to_f64s()[i] } else { carry.out[1].to_f64s()[i - of_states] };
        let mut moved = |by: f64| {
            let (mat, at) =
                if i < of_states { (&mut start.h[1], i) } else { (&mut start.out[1], i - of_states) };
            mat.slice_mut::<f64>()[at] += by;
            let value = value(&start);
            let mat = if i < of_states { &mut start.h[1] } else { &mut start.out[1] };
            mat.slice_mut::<f64>()[at] -= by;
            value
        };
        let numeric = (moved(e) - moved(-e)) / (2.0 * e);
        worst = worst.max((g - numeric).abs());
    }
    assert!(worst < 1e-9, "{worst:e}");
    let mut sink = GradCollector::default();
    network.accumulate_grads_in_time(time, x.view(), &trace, 1.0, &mut sink);
    assert!(sink.flat(&network).iter().any(|g| *g != 0.0));
}

/// Spiking networks are checked in their smooth twin, by rules that hand over a gradient; units have to be alive.
#[test]
fn check_knows_networks_in_time() {
    use bouton::analysis::{CheckContext, Verdict, check};
    let of = |credit: &str| {
        let recipe = lively(&format!("{LOOP}{credit}"));
        check(&mut CheckContext::new(&recipe, None, None).unwrap()).unwrap()
    };
    let property = |credit: &str, id: &str| of(credit).properties.into_iter().find(|p| p.id == id).unwrap();
    let exact = property(BPTT, "gradient-differences");
    assert!(exact.verdict == Verdict::Pass && exact.measured.unwrap() < 1e-6, "{exact:?}");
    for credit in ["[credit.e-prop]\n", "[credit.bptt]\ntruncate = 2\n"] {
        assert!(property(credit, "gradient-differences").measured.is_none(), "{credit}");
    }
    let ill = |threshold: &str| {
        let recipe = lively(BPTT).with_overrides(&[format!("neuron.alif.threshold={threshold}")]).unwrap();
        let found = check(&mut CheckContext::new(&recipe, None, None).unwrap()).unwrap();
        let property = found.properties.iter().find(|p| p.id == "silent-or-saturated").unwrap();
        let told = found.notes.iter().find(|note| note.starts_with("hidden1: ")).unwrap().clone();
        (property.measured.unwrap(), property.verdict.clone(), told)
    };
    // What no sample drives over its threshold is silent, and told of with a way out.
    let (low, (all, verdict, told)) = (ill("0.02").2, ill("50.0"));
    assert!(all == 1.0 && verdict == Verdict::Fail, "{all}");
    assert!(told.contains("9 of 9 units silent") && told.contains("lower their threshold"), "{told}");
    assert!(!low.contains("9 of 9 units silent") && !low.contains("lower their"), "{low}");
}

/// The penalty on rates is a part of the loss, with sections or without.
#[test]
fn a_penalty_on_rates_has_an_exact_gradient() {
    for (reading, credit) in [("last", ""), ("each", "checkpoint = 2\n")] {
        let units = smooth("lif", "surrogate = { sigmoid = 3.0 }");
        let rest = format!(
            "[time]\nreading = \"{reading}\"\nrates = {{ cost = 2.0, target = 0.3 }}\n{units}{LEAKY}{LOOP}{BPTT}{credit}"
        );
        let with = recipe("[4, 6, 3]", &rest);
        let error = against_differences(&with);
        assert!(error < 1e-7, "{reading}: {error:e}");
        let mut without = with.clone();
        without.time.as_mut().unwrap().rates = None;
        let (network, batch) = (with.build().unwrap(), batch(4));
        assert!(loss(&with, &network, &batch) > loss(&without, &without.build().unwrap(), &batch) + 1e-3);
    }
}

/// Leaky integrators are integrated exactly: finer steps under the same input lead to the same place, in the same time.
#[test]
fn substeps_share_the_length_of_a_step() {
    let out = |substeps: usize| {
        let rest = format!("[time]\ndt = 1.5\nsubsteps = {substeps}\n[neuron.leaky]\ntau = 4.0\n{BPTT}");
        let network = recipe("[4, 3]", &rest).build().unwrap();
        let (time, batch) = (network.time.clone().unwrap(), batch(2));
        let x = network.seen(&time, batch.x.view(), &batch.ids, None);
        network.outputs(&time, network.output(), &network.run(&time, x.view(), 2, None)).to_f64s()
    };
    assert!(out(1).iter().all(|y| *y != 0.0) && relative_error(&out(4), &out(1)) < 1e-12);
}
