//! Times one update of equilibrium propagation on 784-512-10, one of predictive coding on 784-512-512-10, and a large product; prints
//! rows `bench,case,ms_min,ms_median` for `benches/peers/compare.py` (predictive coding: beside `benches/peers/jax_predictive.py`). `cargo bench -p bouton --bench ep_update [-- FILTER]`.

use bouton::credit::Batch;
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat, product};
use std::time::Instant;

/// Least time of one repeat, so that the clock and other processes matter little.
const REPEAT_MS: f64 = 20.0;
const REPEATS: usize = 15;
/// Sweeps that the longer of two updates has more: the difference is the time of a sweep.
const SWEEPS: usize = 400;

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        for batch in [20, 500] {
            for (name, nudge) in [("one-sided", "positive"), ("symmetric", "symmetric")] {
                let case = format!("ep_update,b{batch}-{name}");
                if case.contains(&filter) {
                    report(&case, ep_update(batch, nudge, 20));
                }
            }
            let case = format!("sweep,b{batch}");
            if case.contains(&filter) {
                let [short, long] = [20, 20 + SWEEPS].map(|steps| ep_update(batch, "positive", steps));
                let differences = long.iter().zip(&short).map(|(long, short)| (long - short) / SWEEPS as f64);
                report(&case, differences.collect());
            }
        }
        for batch in [64, 256] {
            let case = format!("pc_update,b{batch}");
            if case.contains(&filter) {
                report(&case, pc_update(batch));
            }
        }
        let case = "gemm,nn-1024x1024x1024";
        if case.contains(&filter) {
            let a = Mat::from_fn(DType::F32, 1024, 1024, |r, c| ((r * 7 + c) % 13) as f64 - 6.0);
            report(case, time(|| drop(product(a.view(), a.view(), true))));
        }
    });
}

/// `steps` free (T = 20 in the papers) and K = 4 nudged synchronous steps at β = 0.1, plain SGD.
fn ep_update(samples: usize, nudge: &str, steps: usize) -> Vec<f64> {
    let text = format!(
        "[task.synthetic]\nshape = [1, 28, 28]\nclasses = 10\ntrain = {samples}\ntest = 1\nbatch = \"all\"\nepochs = 1\n\
         [network]\nlayers = [784, 512, 10]\n[neuron.settle]\n\
         [credit.eq-prop]\nbeta = 0.1\nnudge = \"{nudge}\"\nfree-steps = {steps}\nnudged-steps = 4\n\
         [optim.sgd]\nlr = [0.08, 0.04]"
    );
    update(&text, samples)
}

/// Twenty steps of values, γ = 0.05, sigmoid units, squared errors, plain SGD.
fn pc_update(samples: usize) -> Vec<f64> {
    let text = format!(
        "[task.synthetic]\nshape = [1, 28, 28]\nclasses = 10\ntrain = {samples}\ntest = 1\nbatch = \"all\"\nepochs = 1\n\
         [network]\nlayers = [784, 512, 512, 10]\n[neuron.rate]\nactivation = \"sigmoid\"\n\
         [credit.predictive-coding]\nvalues = \"drive\"\nsteps = 20\nrate = 0.05\n[optim.sgd]\nlr = 1e-3"
    );
    update(&text, samples)
}

/// One update of a recipe on random numbers.
fn update(text: &str, samples: usize) -> Vec<f64> {
    let recipe = Recipe::parse(text, "bench").expect("the recipe is right");
    let mut network = recipe.build().expect("the network is right");
    let mut credit = recipe.credit.build(&recipe.solver, &network, samples).expect("the rule fits");
    let mut updater = Updater::new(&network, recipe.optim.build());
    let objective = recipe.objective.build();
    let mut stream = Key::new(1).stream();
    let batch = Batch {
        x: Mat::from_fn(DType::F32, samples, 784, |_, _| stream.uniform()),
        target: (0..samples).map(|i| (i % 10) as u16).collect::<Vec<u16>>().into(),
        ids: (0..samples).collect(),
        spans: None,
    };
    let key = Key::new(1);
    time(|| {
        credit.learn(&mut network, &batch, &*objective, &mut updater, &key).expect("nothing diverges");
    })
}

/// Milliseconds of one call, for each repeat.
fn time(mut work: impl FnMut()) -> Vec<f64> {
    let mut run = |calls: usize| {
        let start = Instant::now();
        (0..calls).for_each(|_| work());
        start.elapsed().as_secs_f64() * 1e3 / calls as f64
    };
    let calls = (REPEAT_MS / run(3)).ceil().max(1.0) as usize;
    (0..REPEATS).map(|_| run(calls)).collect()
}

fn report(case: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    println!("{case},{:.5},{:.5}", times[0], times[times.len() / 2]);
}
