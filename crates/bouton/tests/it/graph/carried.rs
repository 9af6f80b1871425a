//! What connections carry, what they are changed by, and what they draw: errors alone, loops within a population, optimisers of their
//! own, random numbers by name.

use super::*;
use std::collections::BTreeMap;

type Weights = BTreeMap<String, Vec<f64>>;

const DIRECT: &str = "[connection.hidden2-output]\ncarries = \"activity\"\n\
    [connection.direct]\nfrom = \"output\"\nto = \"hidden2\"\ncarries = \"errors\"\n";

/// The gradient by parameter, with the weights that carry errors to hidden2 those that carry its activity, or as they are drawn.
fn gradients(tables: &str, transposed: bool) -> Weights {
    let recipe = chain(RELU, tables);
    let mut network = recipe.build().unwrap();
    if transposed {
        let forward = network.connections[2].weight.mat().clone();
        network.connections[3].weight.update(|mut w| w.copy_from(forward.view()));
    }
    let samples = batch(&network, 3);
    let mut sink = bouton::credit::GradCollector::default();
    let mut credit = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
    let objective = recipe.objective.build();
    credit.learn(&mut network, &samples, &*objective, &mut sink, &bouton::rng::Key::new(1)).unwrap();
    let values = network.parameters().into_iter().map(|(id, name, _)| (name, sink.values(id)));
    values.filter(|(name, _)| name != "direct.weight").collect()
}

/// δ_hidden2 = (Bᵀ δ_output) ∘ σ′: with B = W it is backpropagation, with any other B it is not.
#[test]
fn errors_alone_through_the_forward_weights_are_backpropagation() {
    let plain = gradients("", false);
    assert_eq!(gradients(DIRECT, true), plain);
    let drawn = gradients(DIRECT, false);
    for name in ["hidden2-output.weight", "output.bias"] {
        assert_eq!(drawn[name], plain[name], "{name} sees the error itself");
    }
    for name in ["input-hidden1.weight", "hidden1-hidden2.weight", "hidden2.bias"] {
        assert!(relative_error(&drawn[name], &plain[name]) > 0.3, "{name}");
    }
    // Both ways at once add up: twice the error with B = W.
    let both = DIRECT.replace("[connection.hidden2-output]\ncarries = \"activity\"\n", "");
    let twice: Vec<f64> = plain["hidden1-hidden2.weight"].iter().map(|g| 2.0 * g).collect();
    assert!(relative_error(&gradients(&both, true)["hidden1-hidden2.weight"], &twice) < 1e-12);
}

/// Direct feedback alignment (Nøkland 2016): every hidden layer hears the output through fixed weights, and learns.
#[test]
fn direct_feedback_alignment_learns() {
    let tables = format!(
        "{DIRECT}[connection.hidden1-hidden2]\ncarries = \"activity\"\n\
         [connection.first]\nfrom = \"output\"\nto = \"hidden1\"\ncarries = \"errors\"\n"
    );
    let text = chain_text(&RELU.replace("[optim.sgd]\nlr = 0.1", "[optim.adam]\nlr = 0.01"), &tables);
    let recipe = recipe(&text.replace("epochs = 2", "epochs = 200"));
    let mut trainer = Trainer::new(&recipe, None).unwrap();
    let (before, first) = (weights(&trainer.network), trainer.evaluate(0).unwrap().mean_loss());
    learn(&mut trainer, 600);
    let (after, last) = (weights(&trainer.network), trainer.evaluate(0).unwrap().mean_loss());
    for fixed in ["direct.weight", "first.weight"] {
        assert_eq!(before[fixed], after[fixed], "{fixed} never learns");
    }
    assert_ne!(before["input-hidden1.weight"], after["input-hidden1.weight"]);
    assert!(last < 0.5 * first, "{first} {last}");
    assert!(!trainer.network.follows_gradient());
    let plan = NetworkPlan::new(&recipe).unwrap().to_string();
    assert!(plan.contains("  direct           output → hidden2, errors alone, does not learn\n"), "{plan}");
    assert!(plan.contains("hidden2 → output, wiring dense, synapse plain, activity alone\n"), "{plan}");
}

/// The importance of binary weights is measured by gradients, of which there are none where errors have a way of their own.
#[test]
fn no_importance_is_told_without_gradients() {
    let bits = "[connection.input-hidden1]\nsynapse.metaplastic = { m = 1.0 }\n";
    let profiles = |tables: &str| {
        let mut trainer = Trainer::new(&chain(RELU, tables), None).unwrap();
        learn(&mut trainer, 2);
        trainer.importance(&|| false).unwrap().len()
    };
    assert_eq!([profiles(bits), profiles(&format!("{bits}{DIRECT}"))], [1, 0]);
}

/// Among units that settle, a population may be joined with itself: the energy holds the symmetric part, sᵀ(W + Wᵀ)s / 2.
#[test]
fn settling_units_may_be_joined_with_themselves() {
    let own = "[connection.within]\nfrom = \"hidden1\"\nto = \"hidden1\"\nwiring.dense.gain = 0.3\n";
    exact(&chain(SETTLE, own), "within a population");
    let with = |credit: &str| {
        let recipe = chain(&SETTLE.replace("[credit.bptt]\nsteps = 7", credit), own);
        let mut network = recipe.build().unwrap();
        let samples = batch(&network, 3);
        gradient(&recipe, &mut network, &samples).0
    };
    let ep =
        with("[credit.eq-prop]\nbeta = 1e-3\nnudge = \"symmetric\"\nfree-steps = 400\nnudged-steps = 400");
    let exact = with("[credit.recurrent-backprop]\nfree-steps = 400\nadjoint-steps = 400");
    assert!(relative_error(&ep, &exact) < 1e-5, "{}", relative_error(&ep, &exact));
    // A population with nothing but itself is not reached.
    let alone = "[population.side]\nunits = 3\n[connection.a]\nfrom = \"side\"\nto = \"side\"\n";
    let error = recipe_of(&chain_text(SETTLE, alone)).check().unwrap_err();
    assert!(error.to_string().contains("nothing leads to population side"), "{error}");
}

fn moved(tables: &str, rest: &str, updates: u64) -> [Vec<f64>; 2] {
    let mut trainer = Trainer::new(&chain(rest, tables), None).unwrap();
    learn(&mut trainer, updates);
    ["input-hidden1.weight", "hidden1-hidden2.weight"].map(|name| weights(&trainer.network)[name].clone())
}

/// A connection with an optimiser of its own takes the step of that optimiser, the others that of the recipe.
#[test]
fn connections_choose_optimisers() {
    let own = "[connection.hidden1-hidden2]\noptim.adam = { lr = 0.02 }\n";
    let adam = RELU.replace("[optim.sgd]\nlr = 0.1\n", "[optim.adam]\nlr = 0.02\n");
    let (mixed, sgd, of_all) = (moved(own, RELU, 1), moved("", RELU, 1), moved("", &adam, 1));
    assert_eq!([&mixed[0], &mixed[1]], [&sgd[0], &of_all[1]]);
    assert_ne!(mixed[1], sgd[1]);
    // Its state is kept, and goes on.
    let recipe = chain(RELU, own);
    let mut whole = Trainer::new(&recipe, None).unwrap();
    learn(&mut whole, 3);
    let saved = whole.checkpoint().unwrap();
    let slots: Vec<_> =
        saved.tensors.iter().map(|t| &*t.name).filter(|name| name.starts_with("optim.")).collect();
    assert_eq!(slots, ["optim.hidden1-hidden2.weight.0", "optim.hidden1-hidden2.weight.1"]);
    learn(&mut whole, 5);
    let mut resumed = Trainer::new(&recipe, None).unwrap();
    resumed.restore(&saved).unwrap();
    learn(&mut resumed, 5);
    assert_eq!(resumed.checkpoint().unwrap(), whole.checkpoint().unwrap());
    let cited = recipe.citations().unwrap();
    let adam = cited.iter().find(|r| r.key == "kingma2015").expect("Adam is cited");
    assert_eq!(adam.reasons, ["connection.hidden1-hidden2.optim.adam"]);
}

/// What synapses draw in an update follows the names of connections: a stranger changes none of it.
#[test]
fn updates_draw_by_name() {
    let tables = |stranger: &str| {
        format!("{stranger}[connection.leap]\nfrom = \"hidden1\"\nto = \"output\"\nsynapse.mesu = {{}}\n")
    };
    let stranger = "[population.another]\nunits = 3\nobjective.squared-error = {}\nobjective-weight = 0.0\n\
        [connection.a]\nfrom = \"input\"\nto = \"another\"\nsynapse.mesu = {}\n";
    let trained = |tables: &str| {
        let mut trainer = Trainer::new(&chain(RELU, tables), None).unwrap();
        let before = everything(&mut trainer.network);
        learn(&mut trainer, 6);
        (before, everything(&mut trainer.network))
    };
    let (before, one) = trained(&tables(""));
    let (_, two) = trained(&tables(stranger));
    assert_ne!(before["leap.weight"], one["leap.weight"]);
    for (name, values) in &one {
        assert_eq!(values, &two[name], "{name}");
    }
}

/// What a run asks of sampled weights is asked of the connections that have them; without any it is refused.
#[test]
fn one_drawn_layer_is_enough_to_draw() {
    let drawn = "[connection.hidden1-hidden2]\nsynapse.mesu = {}\n";
    let text = |tables: &str| format!("run.test-draws = 3\n{}", chain_text(RELU, tables));
    recipe(&text(drawn));
    let error = recipe_of(&text("[connection.hidden1-hidden2]\nsynapse.binary = {}\n")).check().unwrap_err();
    assert!(error.to_string().contains("run.test-draws draws weights anew"), "{error}");
}

/// A sequence that pads its images shows populations the padded ones.
#[test]
fn clamps_follow_the_size_of_a_sequence() {
    let text = TASK.to_owned()
        + "[sequence.permuted]\ntasks = 2\npad = 1\n[network]\nlayers = [24, 6, 3]\n"
        + RELU
        + "[population.again]\nclamp = \"input\"\n[connection.x]\nfrom = \"again\"\nto = \"output\"\n";
    let network = recipe(&text).build().unwrap();
    assert_eq!((network.features(), network.populations[1].units), (24, 24));
    let mut trainer = Trainer::new(&recipe(&text), None).unwrap();
    learn(&mut trainer, 2);
}
