//! What makes no sense of networks in time: one message with its place, and a hint.

use bouton::recipe::Recipe;

/// The message and the hint of a recipe with these tables, of images of 5 × 4 and 3 classes.
fn refused(tables: &str) -> (String, String) {
    let text = format!(
        "[task.synthetic]\nshape = [1, 5, 4]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n[optim.sgd]\nlr = 0.1\n{tables}"
    );
    let error = Recipe::parse(&text, "test").and_then(|r| r.check()).expect_err(tables);
    (error.to_string(), error.hint().unwrap_or_default().to_owned())
}

#[test]
fn each_refusal_names_its_place_and_a_way_out() {
    let net = "[network]\nlayers = [20, 6, 3]\n";
    let rows = "[encoder.rows]\nsteps = 5\n[network]\nlayers = [4, 6, 3]\n";
    let loops = "[network]\nlayers = [20, 6, 5, 3]\n[neuron.lif]\n[credit.bptt]\n\
                 [connection.back]\nfrom = \"hidden2\"\nto = \"hidden1\"\n";
    let cases = [
        (
            format!("{net}[neuron.lif]\n[credit.backprop]\n"),
            "lif units move while their input moves",
            "credit.bptt",
        ),
        (
            format!("{net}[neuron.lif]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 9\nnudged-steps = 3\n"),
            "eq-prop",
            "e-prop",
        ),
        (format!("{net}[neuron.relu]\n[credit.bptt]\n"), "no units move in time", "credit.backprop"),
        (format!("{net}[neuron.settle]\n[credit.bptt]\n"), "settle", "credit.bptt.steps"),
        (format!("{net}[neuron.settle]\n[credit.e-prop]\n"), "settle", "neuron.lif"),
        (
            format!("{net}[time]\ndt = 2.0\n[neuron.relu]\n[credit.backprop]\n"),
            "[time] would do nothing",
            "neuron.lif",
        ),
        (format!("{rows}[neuron.relu]\n[credit.backprop]\n"), "encoder.rows would do nothing", "neuron.lif"),
        (
            "[encoder.rows]\nsteps = 6\n[network]\nlayers = [4, 6, 3]\n[neuron.lif]\n[credit.bptt]\n".into(),
            "encoder.rows cannot show samples of 1 step and 20 numbers",
            "divides",
        ),
        (
            format!("{rows}[time]\nreading = {{ window = 9 }}\n[neuron.lif]\n[credit.bptt]\n"),
            "last 9 steps, but a sample has 5",
            "shorter",
        ),
        (
            format!("{rows}[time]\nreading = {{ each-of-last = 6 }}\n[neuron.lif]\n[credit.bptt]\n"),
            "last 6 steps, but a sample has 5",
            "shorter",
        ),
        (
            "[encoder.rows]\nsteps = 2\n[network]\nlayers = [10, 6, 3]\n[neuron.lif]\n[credit.bptt]\n".into(),
            "encoder.rows shows 10 numbers at once, but samples are 5 rows of 4",
            "steps = 5",
        ),
        (format!("{rows}[norm.layer]\n[neuron.lif]\n[credit.bptt]\n"), "norm.layer", "leave [norm] out"),
        (format!("{rows}dropout = 0.5\n[neuron.lif]\n[credit.bptt]\n"), "dropout", "network.dropout"),
        (loops.into(), "loop without delay", "delay = 1"),
        (
            format!(
                "{net}[neuron.relu]\n[credit.backprop]\n[connection.late]\nfrom = \"input\"\nto = \"output\"\ndelay = 2\n"
            ),
            "connection.late.delay would do nothing",
            "neuron.lif",
        ),
        (
            format!("{net}[time]\ndt = 2.0\n[neuron.relu]\n[credit.bptt]\n"),
            "no units move in time",
            "neuron.lif",
        ),
        (format!("{rows}[neuron.lif]\ntau = 0.0\n[credit.bptt]\n"), "tau", ""),
        (format!("{rows}[neuron.lif]\nthreshold = -1.0\n[credit.bptt]\n"), "threshold", ""),
        (format!("{rows}[neuron.if]\nthreshold = 0.0\n[credit.bptt]\n"), "neuron.if.threshold", ""),
        (format!("{rows}[neuron.adlif]\ntau = -5.0\n[credit.bptt]\n"), "neuron.adlif.tau", "range"),
        (format!("{rows}[neuron.adlif]\ntau-adaptation = 0.0\n[credit.bptt]\n"), "tau-adaptation", "range"),
        (
            format!("{rows}[time]\ndt = 2.0\n[neuron.lif]\ntau = 1.5\nmethod = \"euler\"\n[credit.bptt]\n"),
            "`neuron.lif.tau` is 1.5, but must be at least 2, the length of a step",
            "method = \"exponential\"",
        ),
        (
            format!(
                "{rows}[time]\ndt = 2.0\nsubsteps = 4\n[neuron.alif]\nmethod = \"euler\"\n\
                 tau-adaptation = {{ value = 9.0, learned = true }}\n[credit.bptt]\n"
            ),
            "`neuron.alif.tau-adaptation` is learned down to 0.000001, but must be at least 0.5",
            "range = [0.5, …]",
        ),
        (
            format!("{rows}[neuron.cuba-lif]\ntau-synapse = 0.5\nmethod = \"euler\"\n[credit.bptt]\n"),
            "`neuron.cuba-lif.tau-synapse` is 0.5, but must be at least 1",
            "time.dt",
        ),
        (
            format!("{rows}[neuron.adlif]\norder = \"forward\"\n[credit.bptt]\n"),
            "`neuron.adlif.a` is up to 1, but must be below 0.5418",
            "range = [0, 1]",
        ),
        (
            format!(
                "{rows}[neuron.adlif]\ntau-adaptation = {{ value = 90.0, learned = true }}\n[credit.bptt]\n"
            ),
            "`neuron.adlif.a` is up to 1, but must be below 0.0836",
            "time constants in a range",
        ),
        (
            format!("{rows}[neuron.lif]\n[credit.bptt]\ntruncate = 2\ncheckpoint = 2\n"),
            "checkpoint",
            "no checkpoints",
        ),
        (
            format!("{rows}[neuron.lif]\n[credit.bptt]\ncheckpoint = 2\nmemory = \"1 GB\"\n"),
            "credit.bptt.memory",
            "memory chooses checkpoint itself",
        ),
        (
            format!("{rows}[neuron.lif]\n[credit.bptt]\ntruncate = 2\nmemory = \"1 GB\"\n"),
            "left out beside truncate = 2",
            "memory chooses checkpoint itself",
        ),
        (
            format!("{rows}[neuron.lif]\n[credit.bptt]\nmemory = \"2 MiB\"\n"),
            "`2 MiB` is no amount of memory",
            "",
        ),
        (
            format!(
                "{rows}[neuron.lif]\n[credit.bptt]\n[connection.no]\nfrom = \"hidden1\"\nto = \"output\"\nautapses = false\n"
            ),
            "autapses",
            "itself",
        ),
    ];
    for (tables, message, hint) in cases {
        let (said, hinted) = refused(&tables);
        assert!(said.contains(message) && hinted.contains(hint), "{tables}\n{said}\n{hinted}");
    }
}

#[test]
fn answers_at_every_step_are_read_at_every_step() {
    let text = |time: &str| {
        format!(
            "[task.pattern]\nsteps = 6\ninputs = 4\nbatch = 1\nepochs = 1\n{time}[network]\nlayers = [4, 5, 1]\n\
             [neuron.lif]\n[credit.bptt]\n[objective.squared-error]\n[optim.sgd]\nlr = 0.1\n"
        )
    };
    let check = |time: &str| Recipe::parse(&text(time), "test").and_then(|recipe| recipe.check());
    assert!(check("[time]\nreading = \"each\"\n").is_ok());
    let error = check("").unwrap_err();
    assert!(error.to_string().contains("task.pattern") && error.hint().unwrap().contains("each"), "{error}");
    let text = |steps: usize, length: usize| {
        format!(
            "[task.copy]\nsymbols = 2\nlength = {length}\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n[time]\nreading = \"each\"\n\
             [encoder.population]\nsteps = {steps}\ncode = \"constant\"\nfields = 4\n[network]\nlayers = [12, 5, 2]\n\
             [neuron.lif]\n[credit.bptt]\n[objective.squared-error]\n[optim.sgd]\nlr = 0.1\n"
        )
    };
    let check = |steps, length| Recipe::parse(&text(steps, length), "test").and_then(|recipe| recipe.check());
    check(1, 10).unwrap();
    let error = check(2, 10).unwrap_err();
    assert!(error.to_string().contains("shows 240 steps, but task.copy has answers for 120"), "{error}");
    let error = check(1, 16_384).unwrap_err();
    assert!(error.to_string().contains("task.copy") && error.to_string().contains("delay"), "{error}");
    let padded = "[task.evidence]\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n[sequence.permuted]\ntasks = 2\npad = 1\n\
                  [network]\nlayers = [40, 5, 2]\n[neuron.lif]\n[credit.bptt]\n[optim.sgd]\nlr = 0.1\n";
    let error = Recipe::parse(padded, "test").and_then(|recipe| recipe.check()).unwrap_err();
    assert!(error.to_string().contains("sequence.permuted changes how many numbers"), "{error}");
    let even = "[task.evidence]\ncues = 4\ntrain = 4\ntest = 4\nbatch = 2\nepochs = 1\n[network]\nlayers = [40, 5, 2]\n\
                [neuron.lif]\n[credit.bptt]\n[optim.sgd]\nlr = 0.1\n";
    let error = Recipe::parse(even, "test").and_then(|recipe| recipe.check()).unwrap_err();
    assert!(error.to_string().contains("cues"), "{error}");
}
