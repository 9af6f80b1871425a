//! Times spiking networks: 16 samples, 500 steps, 512 inputs of which a tenth spikes, 512 units and a leaky readout of ten; prints rows
//! `bench,case,ms_min,ms_median` and the rate of the units. `cargo bench -p bouton --bench spikes [-- FILTER]`.

use bouton::credit::Batch;
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};
use std::time::Instant;

const REPEATS: usize = 11;
const SAMPLES: usize = 16;
const STEPS: usize = 500;

/// Name, unit, whether units are joined with themselves, rule.
const CASES: [(&str, &str, bool, &str); 5] = [
    ("lif", "lif", false, "bptt"),
    ("lif-recurrent", "lif", true, "bptt"),
    ("lif-e-prop", "lif", true, "e-prop"),
    ("alif", "alif", false, "bptt"),
    ("alif-recurrent", "alif", true, "bptt"),
];

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("some threads");
        for units in [512, 4096] {
            for (name, unit, joined, rule) in CASES {
                let case = format!("{name}-{units}");
                if case.contains(&filter) && (units == 512 || name == "lif") {
                    pool.install(|| update(&format!("{case}-t{threads}"), unit, units, joined, rule));
                }
            }
        }
    }
}

fn recipe(unit: &str, units: usize, joined: bool, rule: &str) -> Recipe {
    let joined = if joined { "[connection.loop]\nfrom = \"hidden1\"\nto = \"hidden1\"\n" } else { "" };
    let text = format!(
        "[task.evidence]\ncues = 1\ncue = 100\ngap = 0\ndelay = 250\nquestion = 150\ngroup = {}\n\
         train = {SAMPLES}\ntest = 1\nbatch = {SAMPLES}\nepochs = 1\n[network]\nlayers = [{units}, {units}, 10]\n\
         [neuron.{unit}]\ntau = 20.0\n[population.output.neuron.leaky]\n{joined}\
         [wiring.dense]\ngain = 0.8\nbias = \"zero\"\n[objective.softmax-cross-entropy]\n[credit.{rule}]\n[optim.sgd]\nlr = 0.0",
        units / 4,
    );
    Recipe::parse(&text, "bench").expect("the recipe is right")
}

fn update(case: &str, unit: &str, units: usize, joined: bool, rule: &str) {
    let recipe = recipe(unit, units, joined, rule);
    let mut network = recipe.build().expect("the network is right");
    let mut credit = recipe.credit.build(&recipe.solver, &network, SAMPLES).expect("the rule fits");
    let mut updater = Updater::new(&network, recipe.optim.build());
    let objective = recipe.objective.build();
    let mut stream = Key::new(1).stream();
    let batch = Batch {
        x: Mat::from_fn(DType::F32, SAMPLES, STEPS * units, |_, _| {
            f64::from(u8::from(stream.uniform() < 0.1))
        }),
        target: (0..SAMPLES).map(|i| (i % 2) as u16).collect::<Vec<u16>>().into(),
        ids: (0..SAMPLES).collect(),
        spans: None,
    };
    let key = Key::new(2);
    let forward = time(|| drop(credit.evaluate(&network, &batch, &*objective)));
    let whole = time(|| drop(credit.learn(&mut network, &batch, &*objective, &mut updater, &key)));
    report(&format!("forward-{case}"), forward);
    report(&format!("update-{case}"), whole);
    let moves = network.time.clone().expect("it moves in time");
    let x = network.seen(&moves, batch.x.view(), &batch.ids, None);
    let trace = network.run(&moves, x.view(), SAMPLES, None);
    let spikes: f64 = trace.out[1].to_f64s().iter().sum();
    println!("rate,{case},{:.4}", spikes / (SAMPLES * STEPS * units) as f64);
}

fn time(mut work: impl FnMut()) -> Vec<f64> {
    work();
    let one = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..REPEATS).map(one).collect()
}

fn report(case: &str, mut ms: Vec<f64>) {
    ms.sort_by(f64::total_cmp);
    println!("spikes,{case},{:.3},{:.3}", ms[0], ms[ms.len() / 2]);
}
