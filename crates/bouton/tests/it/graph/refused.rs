//! Graphs that make no sense: one message with place and hint each.

use super::*;
use bouton::Error;

#[test]
fn objectives_that_make_no_sense_are_refused() {
    let ep = SETTLE.replace(
        "[credit.bptt]\nsteps = 7",
        "[credit.eq-prop]\nbeta = 0.5\nfree-steps = 5\nnudged-steps = 5",
    );
    for (rest, tables, words) in [
        (
            RELU,
            AUXILIARY.replace("units = 3", "units = 4"),
            "has an objective and 4 units, but the task has 3 classes",
        ),
        (
            RELU,
            "[population.input]\nobjective.squared-error = {}\n".into(),
            "shows the data, which no objective changes",
        ),
        (
            RELU,
            "[population.output]\nobjective.squared-error = {}\n".into(),
            "whose objective is [objective]",
        ),
        (RELU, "[population.hidden1]\nobjective-weight = 0.5\n".into(), "it has no objective"),
        (
            RELU,
            AUXILIARY.replace("entropy = {}", "entropy = { learn-temperature = true }"),
            "learns numbers of its own",
        ),
        (&*ep, AUXILIARY.into(), "compares states under one nudge"),
    ] {
        let error = recipe_of(&chain_text(rest, &tables)).check().expect_err(&tables);
        assert!(error.to_string().contains(words) && error.hint().is_some(), "{tables}: {error}");
    }
}

#[test]
fn graphs_that_make_no_sense_are_refused_with_place_and_hint() {
    let side = "[population.side]\nunits = 4\n";
    let table =
        |name: &str, from: &str, to: &str| format!("[connection.{name}]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    let (into, on) = (table("in", "input", "side"), table("on", "side", "output"));
    let rows: Vec<(String, &str, &str)> = vec![
        (side.into(), "nothing leads to population side", "to = \"side\""),
        (format!("{side}{into}"), "nothing leads on from population side", "from = \"side\""),
        (
            format!("{side}{into}{on}{}", table("back", "hidden2", "side"))
                + &table("again", "side", "hidden1"),
            "in a loop",
            "settle",
        ),
        ("[population.side]\n".into(), "population.side has no units", "`hidden1`"),
        (
            "[population.hidden1]\nunits = 7\n".into(),
            "population.hidden1.units is 7, but network.layers says 6",
            "leave it out",
        ),
        (
            "[population.hidden1]\nclamp = \"input\"\n".into(),
            "leads to hidden1, which shows the data",
            "not clamped",
        ),
        (
            format!("{side}{on}{}", table("in", "inptu", "side")),
            "connection.in.from = \"inptu\" is no population",
            "input",
        ),
        ("[connection.x]\nto = \"output\"\n".into(), "connection.x has no `from`", "`input-hidden1`"),
        (
            table("input-hidden1", "hidden1", "output"),
            "connection.input-hidden1.from is \"hidden1\"",
            "leave it out",
        ),
        (
            table("self", "hidden1", "hidden1"),
            "joins hidden1 with itself, but its units neither settle nor move in time",
            "units that settle",
        ),
        (table("up", "hidden1", "input"), "leads to input, which shows the data", "not clamped"),
        (
            format!("{side}{}{}", table("on", "output", "side"), table("to", "side", "hidden2")),
            "leads on from output",
            "computed last",
        ),
        (
            "[population.input]\nneuron.sign = {}\n".into(),
            "population.input.neuron would do nothing",
            "leave it out",
        ),
        (
            "[population.output]\ndropout = 0.5\n".into(),
            "population.output.dropout would do nothing",
            "leave it out",
        ),
        (
            "[population.hidden1]\nneuron.settle = {}\n".into(),
            "do not go together: one kind settles",
            "or none",
        ),
        (
            "[connection.input-hidden1]\nlr = 0.1\nlearn = false\n".into(),
            "lr would do nothing: learn = false",
            "one of the two",
        ),
        (
            "[connection.input-hidden1]\nsynapse.bimu = {}\nlr = 0.1\n".into(),
            "has a step size of its own",
            "that of the synapse",
        ),
        (
            "[population.context]\nunits = 8\nclamp = \"input\"\n".into(),
            "nothing leads on from population context",
            "from = \"context\"",
        ),
    ];
    for (tables, words, hint) in rows {
        let text = chain_text(RELU, &tables);
        let error = Recipe::parse(&text, "graph").and_then(|r| r.check()).expect_err(&tables);
        let said = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(said.contains(words) && said.contains(hint), "{tables}: {said}");
        assert_eq!(error.exit_code(), 2, "{said}");
    }
}

#[test]
fn lists_widths_readouts_and_names_are_refused_where_they_mean_nothing() {
    let check = |text: String| {
        let error = Recipe::parse(&text, "graph").and_then(|r| r.check()).expect_err(&text);
        format!("{error} / {}", error.hint().unwrap_or_default())
    };
    let listed = chain_text(&RELU.replace("lr = 0.1", "lr = [0.1, 0.1, 0.1]"), BESIDE);
    let said = check(listed);
    assert!(said.contains("optim.sgd.lr is a list") && said.contains("by name"), "{said}");
    let wide = CONTEXT.replace("[population.context]\n", "[population.context]\nunits = 4\n");
    let said = check(wide);
    assert!(
        said.contains("population.context has 4 units, but the input `context` of the task has 3"),
        "{said}"
    );
    let (unseen, _) = CONTEXT.split_once("[population.context]").unwrap();
    let said = check(unseen.into());
    assert!(
        said.contains("no population shows the input `context`") && said.contains("[population.context]"),
        "{said}"
    );
    let unknown = CONTEXT.replace("clamp = \"context\"", "units = 3\nclamp = \"contxt\"");
    let said = check(unknown);
    assert!(said.contains("\"contxt\" is no input of task.context") && said.contains("`context`"), "{said}");
    let readout = chain_text(
        &format!("[objective.softmax-cross-entropy]\n{SETTLE}"),
        "[connection.leap]\nfrom = \"hidden1\"\nto = \"output\"\n",
    );
    let said = check(readout);
    assert!(said.contains("the readout reads hidden2, hidden1, but a nudge acts on hidden2 alone"), "{said}");
    let leads = format!("{AUXILIARY}[connection.on]\nfrom = \"early\"\nto = \"hidden2\"\n");
    let said = check(chain_text(SETTLE, &leads));
    assert!(
        said.contains("connection.on leads on from early, a readout") && said.contains("squared-error"),
        "{said}"
    );
    chain(RELU, &leads);
    let skip = "[[network.skips]]\nfrom = 1\nto = 2\nkernel = ";
    let doubled = format!(
        "{TASK}[network]\nlayers = [{{ image = [1, 2, 4] }}, {{ filters = 2, kernel = 1 }}, {{ filters = 2, kernel = 1 }}, 3]\n\
        {skip}1\n{skip}3\npadding = 1\n[wiring.conv]\n{RELU}"
    );
    let said = check(doubled);
    assert!(
        said.contains("two connections called hidden1-hidden2-skip") && said.contains("one kernel"),
        "{said}"
    );
    let named = chain_text(RELU, "").replace("[network]\n", "[network]\noutput = \"nowhere\"\n");
    let said = check(named);
    assert!(
        said.contains("network.output = \"nowhere\" is no population") && said.contains("hidden1"),
        "{said}"
    );
    let Err(Error::Incompatible { .. }) =
        recipe_of(&chain_text(SETTLE, "[connection.input-hidden1]\nsynapse.binary = {}\n")).check()
    else {
        panic!("weights of ±1 drive settling units too far")
    };
}

/// What carries errors or activity alone.
#[test]
fn errors_that_reach_nobody_or_the_wrong_ones_are_refused() {
    let settles = SETTLE;
    let direct = "[connection.direct]\nfrom = \"output\"\nto = \"hidden1\"\ncarries = \"errors\"\n";
    let cut = "[connection.hidden2-output]\ncarries = \"activity\"\n";
    let ewc = format!("{RELU}[anchor.ewc]\nlambda = 1.0\n[sequence.permuted]\ntasks = 2\n");
    for (rest, tables, words, hint) in [
        (RELU, cut.to_owned(), "no errors reach population hidden2", "to = \"hidden2\""),
        (settles, direct.to_owned(), "units that settle answer each other", "leave carries out"),
        (settles, cut.to_owned(), "connection.hidden2-output carries activity alone", "leave carries out"),
        (&ewc, direct.to_owned(), "anchor.ewc measures gradients of the loss", "anchor.si"),
        (
            RELU,
            direct.replace("\"output\"", "\"input\""),
            "carries errors from input, which shows the data",
            "not clamped",
        ),
        (
            RELU,
            direct.replace("hidden1", "input"),
            "carries errors to input, which shows the data",
            "not clamped",
        ),
        (
            RELU,
            direct.replace("\"output\"", "\"hidden1\"").replace("to = \"hidden1\"", "to = \"hidden2\""),
            "carries errors from hidden1 to hidden2, which is computed later",
            "exchange from and to",
        ),
        (RELU, format!("{direct}lr = 0.1\n"), "connection.direct.lr would do nothing", "leave it out"),
        (
            RELU,
            format!("{direct}synapse.plain = {{}}\n"),
            "connection.direct.synapse would do nothing",
            "leave it out",
        ),
        (
            RELU,
            "[connection.hidden1-hidden2]\ncarries = \"errors\"\n".into(),
            "connection.hidden1-hidden2 is one of the chain",
            "of their own",
        ),
        (RELU, direct.replace("\"errors\"", "\"error\""), "connection.direct.carries", "errors"),
        (
            RELU,
            "[connection.hidden1-hidden2]\nlr = 0.1\noptim.adam = { lr = 0.1 }\n".into(),
            "has lr and optim, which both give its learning rate",
            "into its optim",
        ),
        (
            RELU,
            "[connection.hidden1-hidden2]\noptim.adam = { lr = 0.1 }\nlearn = false\n".into(),
            "connection.hidden1-hidden2.optim would do nothing: learn = false",
            "one of the two",
        ),
        (
            RELU,
            "[connection.hidden1-hidden2]\noptim.sgd = { lr = [0.1] }\n".into(),
            "connection.hidden1-hidden2.optim.sgd.lr is a list",
            "one value",
        ),
    ] {
        let text = chain_text(rest, &tables);
        let error = Recipe::parse(&text, "graph").and_then(|r| r.check()).expect_err(&tables);
        let said = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(said.contains(words) && said.contains(hint), "{tables}: {said}");
    }
}
