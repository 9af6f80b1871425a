//! Networks as graphs: choices of single populations and connections, what stands beside the chain, and in which order all of it
//! is drawn and computed.

mod carried;
mod refused;

use crate::common::{batch, central_differences, gradient, learn, loss, relative_error};
use bouton::credit::{Batch, outside};
use bouton::network::{Network, Role};
use bouton::objective::{Given, Target};
use bouton::recipe::{NetworkPlan, Recipe};
use bouton::train::Trainer;
use bouton_kernels::Mat;

const TASK: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 2, 4]\nclasses = 3\ntrain = 24\ntest = 24\nbatch = 8\nepochs = 2\n";
const RELU: &str =
    "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";
const SETTLE: &str =
    "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n[credit.bptt]\nsteps = 7\n[optim.sgd]\nlr = 0.1\n";

fn recipe_of(text: &str) -> Recipe {
    Recipe::parse(text, "graph").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn recipe(text: &str) -> Recipe {
    let recipe = recipe_of(text);
    recipe.check().unwrap_or_else(|e| panic!("{e} / {:?}\n{text}", e.hint()));
    recipe
}

fn chain_text(rest: &str, tables: &str) -> String {
    format!(
        "{TASK}[network]
layers = [8, 6, 5, 3]
{rest}{tables}"
    )
}

fn chain(rest: &str, tables: &str) -> Recipe {
    recipe(&chain_text(rest, tables))
}

/// The gradient is the one of the loss.
fn exact(recipe: &Recipe, what: &str) {
    let mut network = recipe.build().unwrap();
    let mut samples = batch(&network, 3);
    if network.features() != network.populations[0].units {
        let mut stream = bouton::rng::Key::new(5).stream();
        samples.x = Mat::from_fn(network.dtype, 8, network.features(), |_, _| stream.uniform());
    }
    let (g, _) = gradient(recipe, &mut network, &samples);
    let numeric = central_differences(&mut network, &mut |network| loss(recipe, network, &samples));
    assert!(relative_error(&g, &numeric) < 1e-6, "{what}: {}", relative_error(&g, &numeric));
}

fn weights(network: &Network) -> std::collections::BTreeMap<String, Vec<f64>> {
    network.parameters().into_iter().map(|(_, name, m)| (name, m.to_f64s())).collect()
}

/// The same with the states of synapses.
fn everything(network: &mut Network) -> std::collections::BTreeMap<String, Vec<f64>> {
    let mut all = std::collections::BTreeMap::new();
    let see = &mut |name: &str, mat: &mut Mat| {
        all.insert(name.to_owned(), mat.to_f64s());
        Ok(())
    };
    network.visit(see).unwrap();
    all
}

#[test]
fn a_chain_with_its_choices_spelt_out_is_the_same_chain() {
    let plain = chain(RELU, "");
    let spelt = chain(
        RELU,
        "[population.hidden2]\nneuron.relu = {}\n[connection.hidden1-hidden2]\nsynapse.plain = {}\nlr = 0.1\n",
    );
    let run = |recipe: &Recipe| {
        let mut trainer = Trainer::new(recipe, None).unwrap();
        learn(&mut trainer, 6);
        weights(&trainer.network)
    };
    assert_eq!(run(&plain), run(&spelt));
}

#[test]
fn populations_choose_units_and_norms() {
    let recipe = chain(
        &RELU.replace("[neuron.relu]", "[neuron.relu]\n[norm.layer]"),
        "[population.hidden1]\nneuron.sign = {}\nnorm.none = {}\ndropout = 0.5\n",
    );
    let network = recipe.build().unwrap();
    let norms: Vec<bool> = network.populations.iter().map(|p| p.norm.is_some()).collect();
    assert_eq!(norms, [false, false, true, true]);
    let dropout: Vec<f64> = network.populations.iter().map(|p| p.dropout).collect();
    assert_eq!(dropout, [0.0, 0.5, 0.0, 0.0]);
    let credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let out = credit.free(&network, &batch(&network, 3), &*recipe.objective.build()).unwrap().out;
    assert!(out[1].to_f64s().iter().all(|s| s.abs() == 1.0), "signs");
    assert!(out[2].to_f64s().iter().any(|s| s.abs() != 1.0) && out[2].to_f64s().iter().all(|s| *s >= 0.0));
}

/// Metaplastic bits in one layer, pairs of devices in the next, each with a rate of its own.
#[test]
fn connections_choose_synapses_and_rates() {
    let recipe = chain(
        &RELU.replace("[neuron.relu]", "[neuron.sign]\n[norm.batch]"),
        "[connection.input-hidden1]\nsynapse.metaplastic = { m = 1.0 }\nlr = 0.005\n\
         [connection.hidden1-hidden2]\nsynapse.rram = {}\nlr = 20.0\n[connection.hidden2-output]\nlearn = false\n",
    );
    let mut trainer = Trainer::new(&recipe, None).unwrap();
    let before = everything(&mut trainer.network);
    learn(&mut trainer, 6);
    let after = everything(&mut trainer.network);
    let bits = &after["input-hidden1.weight"];
    assert!(bits.iter().all(|w| w.abs() == bits[0].abs()), "{bits:?}");
    let pairs = &trainer.network.connections[1];
    assert!(
        pairs.synapse.states().iter().all(|state| state.starts_with("rram.")),
        "{:?}",
        pairs.synapse.states()
    );
    assert_ne!(before["hidden1-hidden2.rram.bl.pulses"], after["hidden1-hidden2.rram.bl.pulses"]);
    assert_eq!(before["hidden2-output.weight"], after["hidden2-output.weight"], "does not learn");
    assert_ne!(before["output.bias"], after["output.bias"]);
}

#[test]
fn a_rate_of_a_connection_s_own_replaces_the_optimiser_s_and_follows_the_schedule() {
    let step = |tables: &str| {
        let recipe = chain(RELU, tables);
        let mut trainer = Trainer::new(&recipe, None).unwrap();
        let before = weights(&trainer.network);
        learn(&mut trainer, 1);
        let after = weights(&trainer.network);
        let moved =
            |name: &str| -> Vec<f64> { before[name].iter().zip(&after[name]).map(|(a, b)| b - a).collect() };
        ["input-hidden1.weight", "hidden1-hidden2.weight"].map(moved)
    };
    let (plain, own) = (step(""), step("[connection.hidden1-hidden2]\nlr = 0.025\n"));
    assert_eq!(plain[0], own[0]);
    for (a, b) in plain[1].iter().zip(&own[1]) {
        assert!((a / 4.0 - b).abs() < 1e-14, "{a} {b}");
    }
}

/// Beside the chain: a population of its own, a skip between names, a readout of two populations.
const BESIDE: &str = "[population.side]\nunits = 4\n[connection.input-side]\nfrom = \"input\"\nto = \"side\"\n\
    [connection.side-hidden2]\nfrom = \"side\"\nto = \"hidden2\"\n[connection.leap]\nfrom = \"hidden1\"\nto = \"output\"\n";

#[test]
fn gradients_through_graphs_are_those_of_the_loss() {
    exact(&chain(RELU, BESIDE), "feed-forward");
    exact(&chain(SETTLE, BESIDE), "settling");
    let loops = format!("{BESIDE}[connection.back]\nfrom = \"hidden2\"\nto = \"side\"\n");
    exact(&chain(SETTLE, &loops), "settling with a loop");
    let ep = SETTLE.replace(
        "[credit.bptt]\nsteps = 7",
        "[credit.recurrent-backprop]\nfree-steps = 300\nadjoint-steps = 300",
    );
    exact(&chain(&ep, &loops), "the adjoint of a loop");
}

#[test]
fn equilibrium_propagation_finds_the_gradient_of_a_graph() {
    let with = |credit: &str| {
        let recipe = chain(&SETTLE.replace("[credit.bptt]\nsteps = 7", credit), BESIDE);
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        gradient(&recipe, &mut network, &samples).0
    };
    let ep =
        with("[credit.eq-prop]\nbeta = 1e-3\nnudge = \"symmetric\"\nfree-steps = 400\nnudged-steps = 400");
    let exact = with("[credit.recurrent-backprop]\nfree-steps = 400\nadjoint-steps = 400");
    assert!(relative_error(&ep, &exact) < 1e-5, "{}", relative_error(&ep, &exact));
}

/// The file's order, and populations that have nothing to do with each other, change no bit of the others.
#[test]
fn nothing_depends_on_the_order_of_tables_or_on_strangers() {
    let trained = |tables: &str| {
        let mut trainer = Trainer::new(&chain(RELU, tables), None).unwrap();
        learn(&mut trainer, 6);
        weights(&trainer.network)
    };
    let one = trained(BESIDE);
    let mut tables: Vec<&str> = BESIDE.split_inclusive("\n").collect();
    tables.rotate_left(2);
    assert_eq!(one, trained(&tables.concat()));
    let drawn = |tables: &str| weights(&chain(RELU, tables).build().unwrap());
    let stranger = "[population.another]\nunits = 2\n[connection.input-another]\nfrom = \"input\"\nto = \"another\"\n\
        [connection.another-output]\nfrom = \"another\"\nto = \"output\"\n";
    let two = drawn(&format!("{BESIDE}{stranger}"));
    for (name, values) in &drawn(BESIDE) {
        assert_eq!(values, &two[name], "{name}");
    }
    assert_ne!(two["another-output.weight"], two["input-another.weight"]);
}

const CONTEXT: &str = "precision = \"f64\"\n[task.context]\nfeatures = 6\ncontexts = 3\nclasses = 3\nnoise = 0.25\ntrain = 1200\ntest = 300\nbatch = 20\nepochs = 8\n\
    [network]\nlayers = [6, 40, 3]\n[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.adam]\nlr = 0.01\n\
    [population.context]\nclamp = \"context\"\n[connection.context-hidden1]\nfrom = \"context\"\nto = \"hidden1\"\n";

#[test]
fn two_inputs_are_shown_by_two_populations() {
    let two = recipe(CONTEXT);
    let network = two.build().unwrap();
    let clamped: Vec<_> = network.with_role(Role::Clamped).map(|p| &network.populations[p]).collect();
    assert_eq!(
        clamped.iter().map(|p| (&*p.name, p.columns.clone())).collect::<Vec<_>>(),
        [("input", 0..6), ("context", 6..9)]
    );
    assert_eq!((network.features(), network.output()), (9, 3));
    exact(&two, "two inputs");
    exact_input(&two);
    let settling = CONTEXT.replace(
        "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]",
        "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n[credit.bptt]\nsteps = 6",
    );
    exact(&recipe(&settling), "two inputs of a settling network");
    let score = |recipe: &Recipe| {
        let mut trainer = Trainer::new(recipe, None).unwrap();
        learn(&mut trainer, 480);
        trainer.evaluate(0).unwrap().value("accuracy").unwrap()
    };
    assert!(score(&two) > 0.95, "{}", score(&two));
    // All columns in one population are the same task.
    let (whole, _) = CONTEXT.split_once("[population.context]").unwrap();
    assert!(score(&recipe(&whole.replace("layers = [6,", "layers = [9,"))) > 0.95);
}

const AUXILIARY: &str = "[population.early]\nunits = 3\nobjective.softmax-cross-entropy = {}\nobjective-weight = 0.3\n\
    [connection.hidden1-early]\nfrom = \"hidden1\"\nto = \"early\"\n";

#[test]
fn two_objectives_add_up() {
    exact(&chain(RELU, AUXILIARY), "an auxiliary readout");
    exact(&chain(SETTLE, AUXILIARY), "of a settling network");
    let states = AUXILIARY.replace("softmax-cross-entropy", "squared-error");
    exact(&chain(RELU, &states), "squared error beside cross-entropy");
    exact(&chain(SETTLE, &states), "a settling population that is judged");
    let readouts = format!("[objective.softmax-cross-entropy]\n{SETTLE}");
    exact(&chain(&readouts, AUXILIARY), "two readouts");
    // A loss from outside is all that counts.
    exact_input(&chain(RELU, AUXILIARY));
    exact_input(&chain(SETTLE, AUXILIARY));
    // The loss is the weighted sum, the answers are those of the output.
    let with = |weight: &str| {
        let recipe = chain(RELU, &AUXILIARY.replace("0.3", weight));
        let network = recipe.build().unwrap();
        let credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        credit.evaluate(&network, &batch(&network, 3), &*recipe.objective.build()).unwrap()
    };
    let [none, some, twice] = ["0.0", "0.3", "0.6"].map(with);
    assert!(
        (twice.loss - none.loss - 2.0 * (some.loss - none.loss)).abs() < 1e-12 && some.loss > none.loss + 0.1
    );
    assert_eq!(none.sums, twice.sums);
    let network = chain(RELU, AUXILIARY).build().unwrap();
    assert_eq!(network.populations[network.output()].name, "output");
}

/// Signs of binary weights, frozen weights and rates of their own are where they were.
#[test]
fn a_graph_goes_on_from_a_checkpoint() {
    let tables = format!(
        "{BESIDE}{AUXILIARY}[connection.input-hidden1]\nsynapse.metaplastic = {{ m = 1.0 }}\nlr = 0.005\n\
         [connection.hidden1-hidden2]\nsynapse.rram = {{}}\nlr = 20.0\n[connection.hidden2-output]\nlearn = false\n"
    );
    let recipe = chain(&RELU.replace("sgd", "adam"), &tables);
    let mut whole = Trainer::new(&recipe, None).unwrap();
    learn(&mut whole, 4);
    let saved = whole.checkpoint().unwrap();
    learn(&mut whole, 6);
    let mut resumed = Trainer::new(&recipe, None).unwrap();
    resumed.restore(&saved).unwrap();
    learn(&mut resumed, 6);
    let names: Vec<_> =
        saved.tensors.iter().map(|t| &*t.name).filter(|name| name.starts_with("signs.")).collect();
    assert_eq!(names, ["signs.hidden1-hidden2", "signs.input-hidden1"], "no other weights have two values");
    assert_eq!(resumed.checkpoint().unwrap(), whole.checkpoint().unwrap());
}

/// What goes back to the samples, from every population that shows some of their columns.
fn exact_input(recipe: &Recipe) {
    let mut network = recipe.build().unwrap();
    let noise = |cols, seed| {
        let mut stream = bouton::rng::Key::new(seed).stream();
        Mat::from_fn(network.dtype, 4, cols, |_, _| stream.uniform() - 0.5)
    };
    let (x, g) = (noise(network.features(), 5), noise(3, 6));
    let of = |x: &Mat| Batch { x: x.clone(), target: Target::None(4), ids: (0..4).collect(), spans: None };
    let mut credit = recipe.credit.build(&recipe.solver, &network, 4).unwrap();
    let loss = |network: &Network, x: &Mat| -> f64 {
        let credit = recipe.credit.build(&recipe.solver, network, 4).unwrap();
        let out = credit.free(network, &of(x), &Given { gradient: g.clone() }).unwrap().out;
        out[network.output()].to_f64s().iter().zip(g.to_f64s()).map(|(out, g)| out * g).sum::<f64>() / 4.0
    };
    let given = Given { gradient: g.clone() };
    let key = bouton::rng::Key::new(1);
    let found =
        outside::gradients(&mut *credit, &mut network, &of(&x), &given, &key, false).unwrap().1.unwrap();
    let e = 1e-6;
    let slope = |i: usize| {
        let moved = |by: f64| {
            let mut x = x.clone();
            x.slice_mut::<f64>()[i] += by;
            loss(&network, &x)
        };
        (moved(e) - moved(-e)) / (2.0 * e)
    };
    let slopes: Vec<f64> = (0..x.rows() * x.cols()).map(slope).collect();
    assert!(relative_error(&found.to_f64s(), &slopes) < 1e-7);
}

/// Two populations may show the same columns: what goes back to the input adds up.
#[test]
fn inputs_may_be_shown_twice() {
    let twice = "[population.again]\nclamp = \"input\"\n[connection.again-hidden2]\nfrom = \"again\"\nto = \"hidden2\"\n";
    let recipe = chain(RELU, twice);
    assert_eq!(recipe.build().unwrap().features(), 8);
    exact(&recipe, "shown twice");
    exact_input(&recipe);
}

#[test]
fn a_graph_needs_no_layers() {
    let text = format!(
        "{TASK}[network]\noutput = \"answer\"\n{RELU}[population.eye]\nclamp = \"input\"\n[population.inner]\nunits = 5\n\
         [population.answer]\nunits = 3\n[connection.eye-inner]\nfrom = \"eye\"\nto = \"inner\"\n\
         [connection.inner-answer]\nfrom = \"inner\"\nto = \"answer\"\n"
    );
    let recipe = recipe(&text);
    exact(&recipe, "no layers");
    let plan = NetworkPlan::new(&recipe).unwrap().to_string();
    assert_eq!(
        plan,
        "populations\n  eye     8 units, shows columns 0 to 7\n  inner   5 units, relu\n  answer  3 units, relu, output\n\
         connections\n  eye-inner     eye → inner, wiring dense, synapse plain\n  inner-answer  inner → answer, wiring dense, synapse plain\n"
    );
}
