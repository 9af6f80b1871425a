//! Rules that go forward in time: the same gradients as from the other end, and weights that move while a sequence lasts.

use super::{BPTT, LEAKY, LOOP, batch, recipe, smooth};
use crate::common::{gradient, relative_error};
use bouton::credit::Batch;
use bouton::encoder::Spans;
use bouton::network::Network;
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;

fn of(layers: &str, rest: &str, batch: &Batch) -> Vec<f64> {
    let recipe = recipe(layers, rest);
    let g = gradient(&recipe, &mut recipe.build().unwrap(), batch).0;
    assert!(g.iter().filter(|g| **g != 0.0).count() > 20, "a network that is dead proves nothing");
    g
}

fn lif() -> String {
    smooth("lif", "surrogate = { sigmoid = 3.0 }")
}

const EACH: &str = "[time]\nreading = \"each\"\n";

/// Everything that a network in time may have at once.
fn everything(reading: &str) -> String {
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
    format!("[time]\nsubsteps = 2\ndt = 0.7\nreading = {reading}\n{units}{leaky}{LOOP}{graph}")
}

#[test]
fn real_time_recurrent_learning_is_backpropagation_through_time() {
    let samples = batch(3);
    let spikes =
        "[neuron.cuba-lif]\ntau = 4.0\ntau-synapse = 3.0\nthreshold = 0.1\n[wiring.dense]\ngain = 3.0\n";
    let rates = "[neuron.ct-rnn]\ntau = { uniform = [2.0, 6.0], learned = true }\n";
    let sparse = "autapses = false\nwiring.sparse = { density = 0.4 }\n";
    let nets = [
        ("[4, 5, 4, 3]", everything("\"each\"")),
        ("[4, 5, 4, 3]", everything("\"last\"")),
        ("[4, 6, 3]", format!("{EACH}{spikes}{LEAKY}{LOOP}")),
        ("[4, 6, 3]", format!("{rates}{LEAKY}{LOOP}{sparse}")),
    ];
    for (layers, rest) in nets {
        let [forward, back] =
            ["[credit.rtrl]\n", BPTT].map(|rule| of(layers, &format!("{rest}{rule}"), &samples));
        let error = relative_error(&forward, &back);
        assert!(error < 1e-12, "{rest}: {error:e}");
    }
}

#[test]
fn convolutions_and_pools_are_followed_too() {
    let net = |rule: &str| {
        let text =
            super::recipe_text("", "").split_once("[encoder").unwrap().0.replace("[1, 5, 4]", "[1, 5, 5]");
        let layers = "[{ image = [1, 5, 5] }, { filters = 2, kernel = 2, pool = { max = 2 } }, 3]";
        let time = "[encoder.constant]\nsteps = 3\n[network]\nlayers";
        let text =
            format!("{text}{time} = {layers}\n[wiring.conv]\n[optim.sgd]\nlr = 0.1\n{}{LEAKY}{rule}", lif());
        let recipe = Recipe::parse(&text, "test").unwrap();
        recipe.check().unwrap_or_else(|e| panic!("{e}: {:?}", e.hint()));
        gradient(&recipe, &mut recipe.build().unwrap(), &crate::common::batch(&recipe.build().unwrap(), 3)).0
    };
    let [forward, one, back] = ["[credit.rtrl]\n", "[credit.snap-n]\nn = 1\n", BPTT].map(net);
    assert!(relative_error(&forward, &back) < 1e-12 && relative_error(&one, &back) < 1e-12);
}

#[test]
fn what_reaches_a_unit_within_n_steps_is_kept() {
    let samples = batch(3);
    let net = |rule: &str| {
        let rest = format!(
            "{EACH}{}{LEAKY}{LOOP}autapses = false\nwiring.sparse = {{ density = 0.3 }}\n{rule}",
            lif()
        );
        of("[4, 6, 3]", &rest, &samples)
    };
    let [bptt, snap_1] = [BPTT, "[credit.snap-1]\n"].map(net);
    let of_n: Vec<_> = (1..9).map(|n| net(&format!("[credit.snap-n]\nn = {n}\n"))).collect();
    assert!(relative_error(&of_n[0], &snap_1) < 1e-12);
    assert!(relative_error(&of_n[7], &bptt) < 1e-12);
    let errors: Vec<f64> = of_n.iter().map(|g| relative_error(g, &bptt)).collect();
    assert!(errors[0] > 1e-3 && errors[1] > 1e-6 && errors[1] < errors[0], "{errors:?}");
    // Two layers: what the second one remembers of the weights of the first is two connections away.
    let deep = |rule: &str| of("[4, 5, 4, 3]", &format!("{EACH}{}{LEAKY}{rule}", lif()), &samples);
    let [bptt, snap_1, one, two] =
        [BPTT, "[credit.snap-1]\n", "[credit.snap-n]\nn = 1\n", "[credit.snap-n]\nn = 2\n"].map(deep);
    assert!(relative_error(&one, &snap_1) < 1e-12 && relative_error(&two, &bptt) < 1e-12);
    assert!(relative_error(&one, &bptt) > 1e-3);
}

/// The mean over draws lies as far from the gradient as its own spread says, and the error falls as the root of their number.
#[test]
fn a_product_of_two_vectors_is_the_gradient_on_average() {
    let samples = batch(1);
    let units = lif().replace("tau = 5.0", "tau = { uniform = [3.0, 7.0], learned = true }");
    let rest = format!("{EACH}{units}{LOOP}delay = 2\n[credit.");
    let [uoro, bptt] = ["uoro]\n", "bptt]\n"].map(|rule| recipe("[4, 3, 3]", &format!("{rest}{rule}")));
    let exact = gradient(&bptt, &mut bptt.build().unwrap(), &samples).0;
    let mut network = uoro.build().unwrap();
    let objective = uoro.objective.build();
    let mut rule = uoro.credit.build(&uoro.solver, &network, 1).unwrap();
    let mut draw = |k: u64| {
        let mut sink = bouton::credit::GradCollector::default();
        rule.learn(&mut network, &samples, &*objective, &mut sink, &Key::new(k)).unwrap();
        sink.flat(&network)
    };
    let (few, many, groups) = (4, 256, 4);
    let all = many * groups;
    let draws: Vec<Vec<f64>> = (0..all as u64).map(&mut draw).collect();
    let square = |group: &[Vec<f64>]| -> f64 {
        let mean = |i: usize| group.iter().map(|g| g[i]).sum::<f64>() / group.len() as f64;
        exact.iter().enumerate().map(|(i, wanted)| (mean(i) - wanted).powi(2)).sum()
    };
    let off = |n: usize| -> f64 {
        let squares: Vec<f64> = draws.chunks(n).map(square).collect();
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    };
    let slope = (off(many) / off(few)).ln() / (many as f64 / few as f64).ln();
    assert!((slope + 0.5).abs() < 0.1, "{slope}");
    let spread = draws.iter().map(|g| square(std::slice::from_ref(g))).sum::<f64>() / all as f64 / all as f64;
    let ratio = square(&draws) / spread;
    assert!(ratio < 2.0, "{ratio}");
}

/// Every sample has draws of its own, whichever thread it falls to.
#[test]
fn samples_share_no_draws() {
    let recipe = updating("[credit.uoro]\n", 5);
    let same = |n: usize| batch(1).take(&vec![0; n]);
    let of = |samples: &Batch| gradient(&recipe, &mut recipe.build().unwrap(), samples).0;
    assert!(relative_error(&of(&same(16)), &of(&same(8))) > 1e-3);
}

#[test]
fn traces_of_each_synapse_come_to_what_the_way_back_says() {
    let samples = batch(3);
    let learned = lif().replace("tau = 5.0", "tau = { uniform = [3.0, 7.0], learned = true }");
    let told = "[connection.told]\nfrom = \"output\"\nto = \"hidden1\"\ncarries = \"errors\"\n";
    let forgets = "[population.output.neuron.leaky]\ntau = 1e-3\n";
    let nets = [
        ("e-prop", "[4, 6, 3]", format!("{EACH}{learned}{LEAKY}{LOOP}delay = 2\n")),
        ("e-prop", "[4, 5, 4, 3]", format!("[time]\nsubsteps = 2\n{learned}{LEAKY}{LOOP}{told}")),
        ("d-rtrl", "[4, 6, 3]", format!("{EACH}{learned}{LEAKY}{LOOP}")),
        ("d-rtrl", "[4, 5, 4, 3]", format!("{EACH}{learned}{forgets}{LOOP}")),
    ];
    for (rule, layers, rest) in nets {
        let [back, traces] =
            ["", "every = 5\n"].map(|every| of(layers, &format!("{rest}[credit.{rule}]\n{every}"), &samples));
        let error = relative_error(&traces, &back);
        assert!(error < 1e-12, "{rule} {rest}: {error:e}");
    }
}

const FORWARD: [&str; 4] =
    ["[credit.e-prop]\n", "[credit.d-rtrl]\n", "[credit.rtrl]\n", "[credit.snap-n]\nn = 2\n"];

/// A lively network, whose rule learns every so many steps.
fn updating(rule: &str, every: usize) -> Recipe {
    recipe("[4, 6, 3]", &format!("{EACH}{}{LEAKY}{LOOP}{rule}every = {every}\n", lif()))
}

fn flat(network: &Network) -> Vec<f64> {
    network.parameters().iter().flat_map(|p| p.2.to_f64s()).collect()
}

/// Where the parameters are after a batch.
fn after(recipe: &Recipe, samples: &Batch, lr: &str) -> (Vec<f64>, u64) {
    let recipe = Recipe::parse(&recipe.to_toml().replace("lr = 0.1", &format!("lr = {lr}")), "test").unwrap();
    let mut network = recipe.build().unwrap();
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut rule = recipe.credit.build(&recipe.solver, &network, samples.len()).unwrap();
    let objective = recipe.objective.build();
    rule.learn(&mut network, samples, &*objective, &mut updater, &Key::new(1)).unwrap();
    (flat(&network), updater.updates())
}

#[test]
fn updates_within_a_sequence_add_up_to_one_at_its_end_if_they_are_small() {
    let samples = batch(4);
    for rule in FORWARD {
        let start = flat(&updating(rule, 1).build().unwrap());
        let change = |every: usize, lr: f64| -> Vec<f64> {
            let (end, updates) = after(&updating(rule, every), &samples, &format!("{lr:e}"));
            assert_eq!(updates, 5_u64.div_ceil(every as u64), "{rule}");
            end.iter().zip(&start).map(|(a, b)| (a - b) / lr).collect()
        };
        // Each of five updates is by the mean of its own step.
        let whole: Vec<f64> = change(5, 1e-7).iter().map(|g| 5.0 * g).collect();
        let error = relative_error(&change(1, 1e-7), &whole);
        assert!(error < 1e-5, "{rule}: {error:e}");
        let large = relative_error(&change(1, 0.1), &whole);
        assert!(large > 1e-3, "{rule}: {large:e}, so the weights of later steps were those of the first");
    }
}

/// The second update knows what the steps of the first have done, and is by the weights that those have left.
#[test]
fn an_update_knows_all_earlier_steps() {
    let samples = batch(2);
    let cut = |length: usize| {
        let spans = Some(Spans { lengths: vec![length; 2], ..Spans::none(5) });
        Batch { spans, ..samples.clone() }
    };
    for rule in FORWARD {
        let start = flat(&updating(rule, 1).build().unwrap());
        let (one, updates) = after(&updating(rule, 2), &cut(2), "0.1");
        assert_eq!(updates, 1, "{rule}: where nothing is judged, nothing moves");
        let [g, whole] = [2, 4].map(|length| {
            let recipe = updating(rule, 5);
            gradient(&recipe, &mut recipe.build().unwrap(), &cut(length)).0
        });
        let moved: Vec<f64> = one.iter().zip(&start).map(|(a, b)| (b - a) / 0.1).collect();
        assert!(relative_error(&moved, &g) < 1e-12, "{rule}");
        // Of weights that stand still, both updates together are the whole: means over two steps and over four.
        let (two, _) = after(&updating(rule, 2), &cut(4), "1e-8");
        let moved: Vec<f64> = two.iter().zip(&start).map(|(a, b)| (b - a) / 2e-8).collect();
        assert!(relative_error(&moved, &whole) < 1e-5, "{rule}");
    }
}

/// Samples do not know of each other, nor of threads.
#[test]
fn a_sample_alone_and_one_thread_come_to_equal_bits() {
    for rule in FORWARD.into_iter().chain(["[credit.uoro]\n"]) {
        let recipe = updating(rule, 2);
        let of = |samples: &Batch| gradient(&recipe, &mut recipe.build().unwrap(), samples).0;
        let all = of(&batch(20));
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| of(&batch(20))), all, "{rule}");
        if rule.contains("uoro") {
            continue;
        }
        let mut sum = vec![0.0; all.len()];
        for s in 0..4 {
            let g = of(&batch(4).take(&[s]));
            sum.iter_mut().zip(g).for_each(|(sum, g)| *sum += g / 4.0);
        }
        assert!(relative_error(&sum, &of(&batch(4))) < 1e-14, "{rule}");
    }
}

#[test]
fn what_cannot_be_known_at_a_step_is_refused() {
    let net = |rest: &str| {
        let text = super::recipe_text("[4, 6, 3]", rest);
        let error = Recipe::parse(&text, "test").and_then(|r| r.check()).expect_err(rest);
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    let units = lif();
    let mean = net(&format!("[time]\nreading = \"mean\"\n{units}[credit.rtrl]\n"));
    assert!(mean.contains("credit.rtrl") && mean.contains("time.reading") && mean.contains("each"), "{mean}");
    let rates = net(&format!("[time]\nrates = {{ cost = 1.0 }}\n{units}[credit.e-prop]\nevery = 2\n"));
    assert!(rates.contains("credit.e-prop") && rates.contains("time.rates"), "{rates}");
    let zero = net(&format!("{units}[credit.e-prop]\nevery = 0\n"));
    assert!(zero.contains("every") && zero.contains("1 learns at every step"), "{zero}");
    let learn = |rest: &str| {
        let recipe = recipe("[4, 5, 4, 3]", rest);
        let (mut network, objective) = (recipe.build().unwrap(), recipe.objective.build());
        let mut rule = recipe.credit.build(&recipe.solver, &network, 2).unwrap();
        let mut sink = bouton::credit::GradCollector::default();
        rule.learn(&mut network, &batch(2), &*objective, &mut sink, &Key::new(1)).unwrap_err().to_string()
    };
    let every = "[credit.d-rtrl]\nevery = 1\n";
    let kept = learn(&format!("{EACH}{units}{LEAKY}{every}"));
    assert!(kept.contains("output remembers"), "{kept}");
    let leaks = "[population.output.neuron.leaky]\ntau = { uniform = [3.0, 9.0] }\n";
    let leaks = learn(&format!("{EACH}{units}{leaks}[credit.e-prop]\nevery = 1\n"));
    assert!(leaks.contains("single leak"), "{leaks}");
    let sparse =
        learn(&format!("{EACH}{units}{LEAKY}[wiring.sparse]\ndensity = 0.5\n[credit.e-prop]\nevery = 1\n"));
    assert!(sparse.contains("trace for each synapse"), "{sparse}");
}
