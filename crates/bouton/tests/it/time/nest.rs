//! Losses of the e-prop regression as NEST 3 has them in its tests (Bellec et al. 2020; NEST's "e-prop plasticity" examples), from the
//! same numbers, which numpy's legacy generator draws: 100 spike trains, 100 units without autapses, one output, 1000 steps.

use bouton::credit::{Batch, GradSink};
use bouton::network::ParamId;
use bouton::objective::Target;
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};
use std::path::PathBuf;

const N: usize = 100;
const STEPS: usize = 1000;
const LOSSES: [f64; 5] =
    [101.964356999041, 103.466731126205, 103.340607074771, 103.680244037686, 104.412775748752];

/// Losses are sums over steps there and means here: a thousand times the rate, a thousandth of the penalty.
const RECIPE: &str = "precision = \"f64\"\n[task.pattern]\nsteps = 1000\ninputs = 100\nbatch = 1\nepochs = 1\n\
    [time]\nreading = \"each\"\n[time.rates]\ncost = 0.3\ntarget = 0.01\n[network]\nlayers = [100, 100, 1]\n\
    [neuron.lif]\ntau = 30.0\nthreshold = 0.03\nscaled = true\n[population.output.neuron.leaky]\ntau = 30.0\n\
    [connection.loop]\nfrom = \"hidden1\"\nto = \"hidden1\"\nautapses = false\n\
    [connection.hidden1-output]\ncarries = \"activity\"\n\
    [connection.taught]\nfrom = \"output\"\nto = \"hidden1\"\ncarries = \"errors\"\n\
    [wiring.dense]\nbias = \"none\"\n[objective.squared-error]\n[credit.e-prop]\n[optim.sgd]\nlr = 0.1\n";

fn read(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/e-prop").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The numbers of a file, each of so many bytes.
fn numbers<const SIZE: usize>(name: &str, number: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
    read(name).chunks_exact(SIZE).map(|bytes| number(bytes.try_into().unwrap())).collect()
}

#[test]
fn e_prop_has_the_losses_of_nest() {
    let recipe = Recipe::parse(RECIPE, "test").unwrap();
    recipe.check().unwrap();
    let mut network = recipe.build().unwrap();
    let weights = numbers("regression.f32", |b| f64::from(f32::from_le_bytes(b)));
    let starts =
        [("input-hidden1", 0), ("loop", N * N), ("hidden1-output", 2 * N * N), ("taught", 2 * N * N + N)];
    for (name, first) in starts {
        let c = network.connections.iter_mut().find(|c| c.name == name).unwrap();
        let (rows, cols) = (c.weight.mat().rows(), c.weight.mat().cols());
        let drawn = Mat::from_f64s(DType::F64, rows, cols, &weights[first..first + rows * cols]);
        c.weight.update(|mut w| w.copy_from(drawn.view()));
    }
    let spikes: Vec<f64> = read("regression.bits")
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| f64::from(byte >> bit & 1)))
        .collect();
    let wanted = numbers("regression-target.f64", f64::from_le_bytes);
    let batch = Batch {
        x: Mat::from_f64s(DType::F64, 1, STEPS * N, &spikes),
        target: Target::Values(Mat::from_f64s(DType::F64, 1, STEPS, &wanted)),
        ids: vec![0],
        spans: None,
    };
    let (objective, mut updater) = (recipe.objective.build(), Updater::new(&network, recipe.optim.build()));
    let mut credit = recipe.credit.build(&recipe.solver, &network, 1).unwrap();
    for (i, expected) in LOSSES.into_iter().enumerate() {
        let out = credit.free(&network, &batch, &*objective).unwrap().out[network.output()].to_f64s();
        let loss = 0.5 * out.iter().zip(&wanted).map(|(y, wanted)| (y - wanted).powi(2)).sum::<f64>();
        assert!((loss / expected - 1.0).abs() < 1e-11, "{i}: {loss} instead of {expected}");
        let sink: &mut dyn GradSink = &mut updater;
        credit.learn(&mut network, &batch, &*objective, sink, &Key::new(1)).unwrap();
    }
    let own = network
        .value(ParamId::weight(network.connections.iter().position(|c| c.name == "loop").unwrap()))
        .unwrap();
    assert!((0..N).all(|i| own.get(i, i) == 0.0), "a unit joined itself");
}
