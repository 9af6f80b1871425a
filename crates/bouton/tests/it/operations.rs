//! Synaptic operations and sparsity of activity, counted by hand on tiny networks.

use bouton::analysis::{Operations, Synapses};
use bouton::credit::Batch;
use bouton::encoder::Spans;
use bouton::network::Network;
use bouton::recipe::Recipe;
use bouton_kernels::{DType, Mat};

const STATIC: &str = "[neuron.relu]\n[credit.backprop]\n";
/// What enters at a step decides alone whether a unit spikes at it.
const SPIKES: &str = "[neuron.lif]\ntau = 1e-3\nreset = \"none\"\n[population.output.neuron.leaky]\ntau = 2.0\n[credit.bptt]\n";

fn recipe(shape: &str, rest: &str) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = {shape}\nclasses = 2\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n\
         [objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n{rest}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe
}

/// All weights of a connection.
fn set(network: &mut Network, name: &str, weights: &[f64]) {
    let c = network.connections.iter_mut().find(|c| c.name == name).unwrap();
    let (rows, cols) = (c.weight.mat().rows(), c.weight.mat().cols());
    let weights = Mat::from_f64s(DType::F64, rows, cols, weights);
    c.weight.update(|mut w| w.copy_from(weights.view()));
}

fn counted(
    recipe: &Recipe,
    network: &Network,
    samples: usize,
    x: &[f64],
    spans: Option<Spans>,
) -> Operations {
    let batch = Batch {
        x: Mat::from_f64s(DType::F64, samples, x.len() / samples, x),
        target: vec![0_u16; samples].into(),
        ids: (0..samples).collect(),
        spans,
    };
    Operations::of(recipe, network, [batch].into_iter()).unwrap().unwrap()
}

fn has(operations: &Operations, connection: &str, dense: f64, macs: f64, acs: f64) {
    let found = operations.connections.iter().find(|c| c.connection == connection).unwrap();
    assert_eq!(*found, Synapses { connection: connection.to_owned(), dense, macs, acs });
}

/// Hidden (1, 0) and (2, 3): of 2 × 2 weights to the output, 3 are there. Inputs are no spikes: 0.5 is among them.
#[test]
fn dense_layers_count_what_is_not_zero() {
    let recipe = recipe(
        "[1, 1, 3]",
        &format!("[network]\nlayers = [3, 2, 2]\n[wiring.dense]\nbias = \"none\"\n{STATIC}"),
    );
    let mut network = recipe.build().unwrap();
    set(&mut network, "input-hidden1", &[1.0, 0.0, 2.0, 0.0, 0.0, 3.0]);
    set(&mut network, "hidden1-output", &[1.0, 1.0, 0.0, 1.0]);
    let all = counted(&recipe, &network, 2, &[1.0, 1.0, 0.0, 0.0, 0.5, 1.0], None);
    // 1 of the first input and none of the second; none of the second and 2 of the third.
    has(&all, "input-hidden1", 6.0, 1.5, 0.0);
    // (1, 0) has 1 of the first unit; (2, 3) has 1 and 2.
    has(&all, "hidden1-output", 4.0, 2.0, 0.0);
    assert_eq!(all.populations[0], ("hidden1".to_owned(), 0.25));
    let Synapses { dense, macs, acs, .. } = all.total();
    assert_eq!((dense, macs, acs, all.samples), (10.0, 3.5, 0.0, 2));
    // The same activity in ones: accumulations alone.
    let ones = counted(&recipe, &network, 1, &[1.0, -1.0, 0.0], None);
    has(&ones, "input-hidden1", 6.0, 0.0, 1.0);
    has(&ones, "hidden1-output", 4.0, 0.0, 1.0);
    // A layer of zeros does nothing, and what follows it hears nothing.
    set(&mut network, "input-hidden1", &[0.0; 6]);
    let none = counted(&recipe, &network, 1, &[1.0, 2.0, 3.0], None);
    has(&none, "input-hidden1", 6.0, 0.0, 0.0);
    has(&none, "hidden1-output", 4.0, 0.0, 0.0);
    assert_eq!(none.sparsity, 1.0);
}

/// A filter of 2 × 2 meets a corner once, an edge twice and the middle four times.
#[test]
fn convolutions_count_the_places_that_a_weight_is_used_at() {
    let layers = "[network]\nlayers = [{ image = [1, 3, 3] }, { filters = 1, kernel = 2, padding = 0 }, 2]\n[wiring.conv]\nbias = \"none\"\n";
    let recipe = recipe("[1, 3, 3]", &format!("{layers}{STATIC}"));
    let mut network = recipe.build().unwrap();
    let name = network.connections[0].name.clone();
    set(&mut network, &name, &[1.0; 4]);
    let middle = counted(&recipe, &network, 1, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], None);
    has(&middle, &name, 16.0, 0.0, 4.0);
    // The first weight alone: of a corner at the start and the middle one place each, of the last corner none.
    set(&mut network, &name, &[1.0, 0.0, 0.0, 0.0]);
    let three = counted(&recipe, &network, 1, &[0.5, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], None);
    has(&three, &name, 16.0, 2.0, 0.0);
}

/// Unit 1 spikes at steps 1 and 3, unit 2 at step 2, by the input alone.
fn in_time(more: &str) -> (Recipe, Network) {
    let rest = format!(
        "[encoder.rows]\nsteps = 4\n[network]\nlayers = [2, 2, 2]\n[wiring.dense]\nbias = \"none\"\n{SPIKES}{more}"
    );
    let recipe = recipe("[1, 4, 2]", &rest);
    let mut network = recipe.build().unwrap();
    set(&mut network, "input-hidden1", &[2.0, 0.0, 0.0, 2.0]);
    set(&mut network, "hidden1-output", &[1.0, 0.0, 1.0, 1.0]);
    (recipe, network)
}

const SHOWN: [f64; 8] = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0];

#[test]
fn spikes_count_at_every_step_and_arrive_after_their_delay() {
    let (recipe, mut network) = in_time(
        "[connection.loop]\nfrom = \"hidden1\"\nto = \"hidden1\"\ndelay = 2\nautapses = false\n\
         [connection.late]\nfrom = \"input\"\nto = \"output\"\ndelay = 3\n",
    );
    set(&mut network, "loop", &[0.0, 0.1, 0.1, 0.0]);
    set(&mut network, "late", &[1.0, 1.0, 1.0, 0.0]);
    let all = counted(&recipe, &network, 1, &SHOWN, None);
    // Three spikes of the input, one weight each that is not zero.
    has(&all, "input-hidden1", 16.0, 0.0, 3.0);
    // Two spikes of unit 1 with two weights, one of unit 2 with one.
    has(&all, "hidden1-output", 16.0, 0.0, 5.0);
    // Spikes of steps 1 and 2 arrive; that of step 3 would at step 5. No unit is joined with itself.
    has(&all, "loop", 8.0, 0.0, 2.0);
    // What step 1 showed arrives at step 4: both weights of its first column.
    has(&all, "late", 16.0, 0.0, 2.0);
    let hidden = &all.populations.iter().find(|p| p.0 == "hidden1").unwrap().1;
    assert_eq!(*hidden, 5.0 / 8.0);
}

#[test]
fn padding_does_not_count() {
    let (recipe, network) = in_time("");
    let both: Vec<f64> = SHOWN.into_iter().chain(SHOWN).collect();
    let spans = Spans { lengths: vec![4, 2], ..Spans::none(4) };
    let all = counted(&recipe, &network, 2, &both, Some(spans));
    // (16 + 8)/2, (3 + 2)/2 and (5 + 3)/2.
    has(&all, "input-hidden1", 12.0, 0.0, 2.5);
    has(&all, "hidden1-output", 12.0, 0.0, 4.0);
}

/// What is not joined is no operation, however dense.
#[test]
fn sparse_wirings_count_the_weights_that_there_are() {
    for wiring in ["sparse", "procedural"] {
        let rest = format!(
            "[encoder.rows]\nsteps = 4\n[network]\nlayers = [2, 2, 2]\n{SPIKES}[wiring.{wiring}]\ndensity = 0.5\n"
        );
        let recipe = recipe("[1, 4, 2]", &rest);
        let network = recipe.build().unwrap();
        let all = counted(&recipe, &network, 1, &[1.0; 8], None);
        // One input of each of two units, at four steps.
        has(&all, "input-hidden1", 8.0, 0.0, 8.0);
    }
}

/// A conductance is one operation, whatever numbers it keeps: 2 · 3 pairs from the input, 3 · 3 of the loop, 3 · 2 to the output.
#[test]
fn conductances_count_once_for_each_pair() {
    let ltc = "[encoder.constant]\nsteps = 4\n[network]\nlayers = [2, 3, 2]\n[neuron.ltc]\n[wiring.conductance]\n[credit.bptt]\n\
               [connection.loop]\nfrom = \"hidden1\"\nto = \"hidden1\"\n";
    let recipe = recipe("[1, 1, 2]", ltc);
    let mut network = recipe.build().unwrap();
    let c = network.connections.iter_mut().find(|c| c.name == "input-hidden1").unwrap();
    // One pair less: the first source and the first unit.
    c.weight.update(|mut w| w.slice_mut::<f64>()[0] = 0.0);
    let all = counted(&recipe, &network, 1, &[1.0, 1.0], None);
    let dense =
        |name: &str| all.connections.iter().find(|c| c.connection == name).map(|c| (c.dense, c.macs + c.acs));
    assert_eq!(dense("input-hidden1"), Some((24.0, 20.0)));
    assert_eq!(dense("loop").unwrap().0, 36.0);
    assert_eq!(dense("hidden1-output").unwrap().0, 24.0);
}
