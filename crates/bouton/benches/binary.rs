//! Times binary networks and consolidation; prints rows `bench,case,ms_min,ms_median` for `benches/peers/compare.py`.
//! `cargo bench -p bouton --bench binary [-- FILTER]`.

use bouton::anchor::{Fisher, Importance};
use bouton::credit::{Batch, GradSink, measure};
use bouton::network::{Grad, ParamId};
use bouton::optim::Updater;
use bouton::packed::Packed;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{BitMat, DType, Mat, par_bit_thresholds};
use std::time::Instant;

/// A case: milliseconds of its calls.
type Case = fn() -> Vec<f64>;

/// Timed calls of each case.
const REPEATS: usize = 9;

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        let cases: [(&str, Case); 5] = [
            ("bnn_step,4096-b100", step),
            ("packed,4096-b512", packed),
            ("packed_layer,4096-b512", packed_layer),
            ("fisher,400-n5000", fisher),
            ("rram_update,784-3000-10", rram),
        ];
        for (case, work) in cases.into_iter().filter(|(case, _)| case.contains(&filter)) {
            let mut times = work();
            times.sort_by(f64::total_cmp);
            println!("{case},{:.4},{:.4}", times[0], times[times.len() / 2]);
        }
    });
}

fn recipe(layers: &str, rest: &str) -> Recipe {
    let text = format!(
        "[task.synthetic]\nshape = [1, 28, 28]\nclasses = 10\ntrain = 1\ntest = 1\nbatch = 1\nepochs = 1\n\
         [network]\nlayers = {layers}\n[objective.softmax-cross-entropy]\n[credit.backprop]\n{rest}"
    );
    Recipe::parse(&text, "bench").expect("the recipe is right")
}

const BINARY: &str = "[neuron.sign]\n[norm.batch]\n[wiring.dense]\ninit = \"uniform\"\ngain = 0.1\n\
    [synapse.metaplastic]\nm = 1.35\n[optim.adam]\nlr = 0.005\ndecay = 1e-7\nearly-eps = true\n";

fn batch(samples: usize) -> Batch {
    let mut stream = Key::new(1).stream();
    Batch {
        x: Mat::from_fn(DType::F32, samples, 784, |_, _| stream.uniform()),
        target: (0..samples).map(|i| (i % 10) as u16).collect::<Vec<u16>>().into(),
        ids: (0..samples).collect(),
        spans: None,
    }
}

/// One training step of the metaplastic network of Laborieux et al. 2021, batch 100.
fn step() -> Vec<f64> {
    let recipe = recipe("[784, 4096, 4096, 10]", BINARY);
    let mut network = recipe.build().expect("the network is right");
    let mut credit = recipe.credit.build(&recipe.solver, &network, 100).expect("the rule fits");
    let mut updater = Updater::new(&network, recipe.optim.build());
    let (objective, batch, key) = (recipe.objective.build(), batch(100), Key::new(1));
    time(|| {
        credit.learn(&mut network, &batch, &*objective, &mut updater, &key).expect("it stays finite");
    })
}

/// One update of 2.4 million resistive pairs with every imperfection, for a given gradient.
fn rram() -> Vec<f64> {
    let rest = "[neuron.sign]\n[norm.batch]\n[synapse.rram]\n[optim.adam]\nlr = 8.0\nunit-lr = 0.008\n";
    let recipe = recipe("[784, 3000, 10]", rest);
    let mut network = recipe.build().expect("the network is right");
    let mut updater = Updater::new(&network, recipe.optim.build());
    let mut stream = Key::new(1).stream();
    let weights = network.parameters().into_iter().filter(|(id, ..)| !id.is_unit());
    let gradients: Vec<(ParamId, Mat)> = weights
        .map(|(id, _, m)| (id, Mat::from_fn(DType::F32, m.rows(), m.cols(), |_, _| stream.normal())))
        .collect();
    time(|| {
        gradients.iter().for_each(|(id, g)| updater.add(&network, *id, Grad::whole(g, 1.0)));
        updater.step(&mut network).expect("it stays finite");
    })
}

/// 512 samples through three hidden layers of 4096 in one bit a weight.
fn packed() -> Vec<f64> {
    let recipe = recipe("[784, 4096, 4096, 4096, 10]", BINARY);
    let network = recipe.build().expect("the network is right");
    let packed = Packed::new(&recipe, &network).expect("the network is binary");
    let batch = batch(512);
    time(|| drop(packed.outputs(batch.x.view())))
}

/// One of those hidden layers: 4096 signs to 4096 signs.
fn packed_layer() -> Vec<f64> {
    let bits = |rows: usize, seed: u64| {
        let mut stream = Key::new(seed).stream();
        BitMat::from_fn(rows, 4096, |_, _| stream.uniform() < 0.5)
    };
    let (x, w, negated) = (bits(512, 1), bits(4096, 2), bits(1, 3));
    time(|| drop(par_bit_thresholds(&x, &w, &[0; 4096], &negated)))
}

/// The exact Fisher information of 784-400-400-10 from 5,000 samples.
fn fisher() -> Vec<f64> {
    let recipe = recipe("[784, 400, 400, 10]", "[neuron.relu]\n[optim.adam]\nlr = 0.001\n");
    let network = recipe.build().expect("the network is right");
    let credit = recipe.credit.build(&recipe.solver, &network, 5000).expect("the rule fits");
    let (batches, objective): (Vec<Batch>, _) =
        ((0..10).map(|_| batch(500)).collect(), recipe.objective.build());
    time(|| {
        let exact = Importance::Fisher(Fisher::Exact, None);
        let batches = batches.iter().cloned();
        drop(
            measure(&*credit, &network, exact, &*objective, None, batches, &Key::new(1))
                .expect("backprop has gradients"),
        );
    })
}

/// Milliseconds of each call, after one that warms up.
fn time(mut work: impl FnMut()) -> Vec<f64> {
    work();
    let one = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..REPEATS).map(one).collect()
}
