//! Connections beside the chain: gradients through strided 1 × 1 convolutions, and sweeps in as many groups as they need.

use crate::common::{against_differences, batch, gradient, relative_error};
use bouton::recipe::Recipe;
use bouton::solver::Plan;

/// Two residual blocks in small: 2 × 8 × 8, strides instead of pooling, 1 × 1 convolutions beside each pair.
fn recipe(tables: &str) -> Recipe {
    let text = format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [2, 8, 8]\nclasses = 5\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
         [network]\nlayers = [{{ image = [2, 8, 8] }}, {{ filters = 3, kernel = 3, padding = 1 }},\n\
         {{ filters = 3, kernel = 3, stride = 2, padding = 1 }}, {{ filters = 4, kernel = 3, padding = 1 }},\n\
         {{ filters = 4, kernel = 3, stride = 2, padding = 1 }}, 5]\n\
         skips = [{{ from = 0, to = 2, kernel = 1, stride = 2 }}, {{ from = 2, to = 4, kernel = 1, stride = 2 }}]\n\
         [wiring.conv]\ngain = [0.6, 0.6, 0.6, 0.6, 0.8, 0.7, 0.7]\n[optim.sgd]\nlr = 0.1\n{tables}"
    );
    let recipe = Recipe::parse(&text, "test").unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe.check().unwrap_or_else(|e| panic!("{e}\n{text}"));
    recipe
}

const SMOOTH: &str = "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n";

#[test]
fn backprop_and_bptt_equal_central_differences() {
    for tables in [
        "[neuron.relu]\n[credit.backprop]".to_owned(),
        format!("{SMOOTH}[credit.bptt]\nsteps = 6\n[solver.even-odd]"),
        format!("{SMOOTH}[credit.bptt]\nsteps = 6"),
    ] {
        let error = against_differences(&recipe(&tables));
        assert!(error < 1e-6, "{tables}: {error:e}");
    }
}

#[test]
fn symmetric_eq_prop_approaches_the_adjoint_in_three_groups() {
    let rule = |credit: &str| recipe(&format!("{SMOOTH}[credit.{credit}\n[solver.even-odd]"));
    let adjoint = rule("recurrent-backprop]\nfree-steps = 400\nadjoint-steps = 400");
    let mut network = adjoint.build().unwrap();
    let batch = batch(&network, 3);
    let (exact, _) = gradient(&adjoint, &mut network, &batch);
    let mut error = |beta: f64| {
        let ep =
            format!("eq-prop]\nbeta = {beta}\nnudge = \"symmetric\"\nfree-steps = 400\nnudged-steps = 400");
        relative_error(&gradient(&rule(&ep), &mut network, &batch).0, &exact)
    };
    let (large, small) = (error(0.2), error(0.1));
    assert!((large / small - 4.0).abs() < 0.5 && small < 0.05, "{large:e}, {small:e}");
}

#[test]
fn no_group_of_a_sweep_joins_two_of_its_populations() {
    let skipped = recipe(&format!("{SMOOTH}[credit.bptt]\nsteps = 2")).build().unwrap();
    // 1 to 5 in the chain, 2 and 4 joined: the output's group first.
    assert_eq!(Plan::even_odd(&skipped).0, [vec![1, 3, 5], vec![4], vec![2]]);
    let names: Vec<_> = skipped.connections.iter().map(|c| (c.name.as_str(), c.layer)).collect();
    assert_eq!(names[5..], [("input-hidden2-skip", 5), ("hidden2-hidden4-skip", 6)]);
}

#[test]
fn convolutions_that_do_not_arrive_are_refused() {
    let base = recipe(&format!("{SMOOTH}[credit.bptt]\nsteps = 2"));
    for (skips, says) in [
        ("[{from=2, to=4, kernel=1}]", "network.skips[0] brings 4 × 4 places to a layer of 2 × 2"),
        ("[{from=2, to=4, kernel=9}]", "network.skips[0] has a kernel larger than the image of 4 × 4"),
        ("[{from=2, to=4, kernel=0}]", "`network.skips[0].kernel` is 0, but must be from 1"),
        ("[{from=2, to=4, stride=2}]", "network.skips[0] has a stride or padding, but no kernel"),
        ("[{from=2, to=4}]", "network.skips[0] joins layers of 48 and 16 units"),
    ] {
        let overrides = [format!("network.skips={skips}"), "wiring.conv.gain=1.0".into()];
        let changed = base.with_overrides(&overrides.each_ref().map(String::as_str));
        let error = changed.and_then(|r| r.check()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.hint().is_some());
    }
    let three =
        base.with_overrides(&["wiring.conv.gain=[1.0, 1.0, 1.0, 1.0, 1.0]"]).unwrap().check().unwrap_err();
    assert!(three.to_string().contains("7 connections"), "{three}");
}
