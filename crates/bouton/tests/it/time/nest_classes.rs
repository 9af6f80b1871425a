//! Losses of the e-prop classification as NEST 3 has them in its tests (Bellec et al. 2020; NEST's "e-prop plasticity" examples):
//! evidence is accumulated by 50 units of fixed and 50 of adaptive threshold over 2250 steps, and the last 150 of them are judged.

use super::random_state::RandomState;
use crate::common::loss;
use bouton::credit::Batch;
use bouton::network::{Network, ParamId};
use bouton::optim::Updater;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

const INPUTS: usize = 40;
const UNITS: usize = 100;
const STEPS: usize = 2250;
const WINDOW: usize = 150;

/// A unit that spikes is silent for four more steps: five of refractoriness. The penalty on rates stands beside a sum over 150 steps
/// there, and beside their mean here. Units of fixed threshold are adaptive ones of strength 0.
const RECIPE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 2250, 40]\nclasses = 2\ntrain = 2\ntest = 2\nbatch = 2\n\
    epochs = 1\n[encoder.rows]\nsteps = 2250\n[time]\nreading = { each-of-last = 150 }\n[time.rates]\ncost = 2.0\ntarget = 0.01\n\
    [network]\nlayers = [40, 100, 2]\n[neuron.alif]\ntau = 20.0\nthreshold = 0.6\ntau-adaptation = 2000.0\nrefractory = 4\n\
    [population.output.neuron.leaky]\ntau = 20.0\n[connection.loop]\nfrom = \"hidden1\"\nto = \"hidden1\"\nautapses = false\n\
    [connection.hidden1-output]\ncarries = \"activity\"\n\
    [connection.taught]\nfrom = \"output\"\nto = \"hidden1\"\ncarries = \"errors\"\n[wiring.dense]\nbias = \"none\"\n\
    [objective.softmax-cross-entropy]\n[credit.e-prop]\n[optim.adam]\nlr = 5e-3\nearly-eps = true\n";

/// The weights, in the order in which they are drawn, and how far thresholds of the second half rise.
fn begin(network: &mut Network, random: &mut RandomState) {
    let normal = |fan_in: f64| move |random: &mut RandomState| random.normal() / fan_in.sqrt();
    let widest = (3.0 / 51.0_f64).sqrt();
    let weights = [
        ("input-hidden1", random.mat(INPUTS, UNITS, normal(40.0))),
        ("loop", random.mat(UNITS, UNITS, normal(100.0))),
        ("hidden1-output", random.mat(UNITS, 2, |r| widest * (2.0 * r.uniform() - 1.0))),
        ("taught", random.mat(UNITS, 2, normal(1.0))),
    ];
    for (name, drawn) in weights {
        let c = network.connections.iter_mut().find(|c| c.name == name).unwrap();
        // Drawn the other way round.
        let at = |post, pre| if name == "loop" && post == pre { 0.0 } else { drawn.get(pre, post) };
        let [rows, cols] = [c.weight.mat().rows(), c.weight.mat().cols()];
        let drawn = Mat::from_fn(DType::F64, rows, cols, at);
        c.weight.update(|mut w| w.copy_from(drawn.view()));
    }
    let [alpha, rho] = [20.0, 2000.0].map(|tau: f64| (-1.0 / tau).exp());
    let rise = |_, unit: usize| if unit < UNITS / 2 { 0.0 } else { 1.7 * (1.0 - rho) / (1.0 - alpha) };
    let (rise, beta) = (Mat::from_fn(DType::F64, 1, UNITS, rise), ParamId::own(1, 2));
    network.parameter_mut(beta).value.update(|mut w| w.copy_from(rise.view()));
}

/// Seven cues, left or right, and later a sign to answer which side had more of them; background all the while.
fn batch(random: &mut RandomState, samples: usize) -> Batch {
    let [share, other] = [0.3_f32, 0.7].map(f64::from);
    let sides: Vec<u32> = (0..samples).map(|_| random.word() & 1).collect();
    let cues: Vec<[bool; 7]> = sides
        .iter()
        .map(|side| {
            let left = if *side == 0 { share } else { other } / (share + other);
            [(); 7].map(|()| random.uniform() >= left)
        })
        .collect();
    let rate = |cues: &[bool; 7], t: usize, i: usize| {
        let active = match i / 10 {
            group @ (0 | 1) => {
                cues.get(t / 150).is_some_and(|right| usize::from(*right) == group) && t % 150 >= 50
            }
            2 => t >= STEPS - WINDOW,
            _ => return f64::from(0.01_f32),
        };
        f64::from(u8::from(active)) * f64::from(0.04_f32)
    };
    let x = Mat::from_fn(DType::F64, samples, STEPS * INPUTS, |sample, i| {
        let (t, input) = (i / INPUTS, i % INPUTS);
        f64::from(u8::from(rate(&cues[sample], t, input) > random.uniform() && t > 0))
    });
    let more = |cues: &[bool; 7]| u16::from(cues.iter().filter(|right| **right).count() > 3);
    let target = cues.iter().map(more).collect::<Vec<u16>>().into();
    Batch { x, target, ids: (0..samples).collect(), spans: None }
}

fn losses_are(samples: usize, expected: [f64; 5]) {
    let recipe = Recipe::parse(RECIPE, "test").unwrap();
    recipe.check().unwrap();
    let (mut network, mut random) = (recipe.build().unwrap(), RandomState::new(1));
    begin(&mut network, &mut random);
    let (objective, mut updater) = (recipe.objective.build(), Updater::new(&network, recipe.optim.build()));
    let mut credit = recipe.credit.build(&recipe.solver, &network, samples).unwrap();
    for (i, expected) in expected.into_iter().enumerate() {
        let batch = batch(&mut random, samples);
        let penalty = network.time.as_mut().unwrap().clock.rates.take();
        let loss = loss(&recipe, &network, &batch);
        network.time.as_mut().unwrap().clock.rates = penalty;
        assert!((loss / expected - 1.0).abs() < 1e-9, "{i}: {loss} instead of {expected}");
        credit.learn(&mut network, &batch, &*objective, &mut updater, &Key::new(1)).unwrap();
    }
}

#[test]
fn one_sample_at_a_time_has_the_losses_of_nest() {
    let losses = [0.741152550006, 0.740388187700, 0.665785233177, 0.663644193322, 0.729428962844];
    losses_are(1, losses);
}

#[test]
fn two_samples_at_a_time_have_the_losses_of_nest() {
    let losses = [0.702163370672, 0.735555303152, 0.740354864111, 0.683882815282, 0.707841122268];
    losses_are(2, losses);
}
