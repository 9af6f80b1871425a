//! What a training sample costs: operations by the formula, memory that grows with time only where time is kept. The
//! counters belong to the process, so the test runs in one of its own.

use bouton::analysis::costs;
use bouton::recipe::Recipe;

use crate::common::in_a_process_of_its_own;

fn recipe(credit: &str, solver: &str) -> Recipe {
    let text = format!(
        "[task.digits]\nbatch = 16\nepochs = 1\n[network]\nlayers = [64, 50, 40, 10]\n[neuron.settle]\n\
         [credit.{credit}\n[solver.{solver}]\n[optim.sgd]\nlr = 0.1\n"
    );
    let recipe = Recipe::parse(&text, "test").unwrap();
    recipe.check().unwrap_or_else(|e| panic!("{e}"));
    recipe
}

#[test]
fn states_cost_the_same_memory_for_any_number_of_sweeps_and_a_tape_grows() {
    if !in_a_process_of_its_own(
        "costs::states_cost_the_same_memory_for_any_number_of_sweeps_and_a_tape_grows",
    ) {
        return;
    }
    let ep = |free, nudged| {
        let credit = format!("eq-prop]\nbeta = 0.1\nfree-steps = {free}\nnudged-steps = {nudged}");
        costs(&recipe(&credit, "synchronous"), None, None).unwrap()
    };
    let (short, long) = (ep(20, 5), ep(40, 5));
    let rules: Vec<_> = short.iter().map(|c| c.rule.as_str()).collect();
    assert_eq!(rules, ["eq-prop", "bptt", "backprop"]);

    // A sweep: both products of the two inner connections, and a few numbers per unit.
    let products = f64::from(2 * 2 * (50 * 40 + 40 * 10));
    let sweep = (long[0].operations - short[0].operations) / 20.0;
    assert!(sweep > products && sweep < products + 10.0 * 100.0, "{sweep} against {products}");
    // Nothing but sweeps depends on their number, and nudged ones cost as much.
    assert_eq!(ep(60, 5)[0].operations - long[0].operations, long[0].operations - short[0].operations);
    assert!(long[0].operations > 40.0 * products + f64::from(2 * 64 * 50));

    assert_eq!(short[0].peak, long[0].peak, "states of now only");
    let kept = (long[1].peak - short[1].peak) / 20.0;
    assert!(kept >= 4.0 * 100.0, "BPTT keeps every state: {kept} bytes a sweep");
    assert!(short[2].operations < 3.5 * 2.0 * f64::from(64 * 50 + 50 * 40 + 40 * 10), "three products");
    assert_eq!(short[2].operations, long[2].operations);

    // An update hears its rule once for every draw of the weights.
    let draws = |n: usize| {
        let ep = recipe("eq-prop]\nbeta = 0.1\nfree-steps = 20\nnudged-steps = 5", "synchronous");
        let drawn = ep.with_overrides(&["synapse=mesu".to_owned(), format!("run.train-draws={n}")]).unwrap();
        costs(&drawn, None, None).unwrap()[0].operations
    };
    let ratio = draws(3) / draws(1);
    assert!((ratio - 3.0).abs() < 0.1, "three draws cost {ratio} times one");
}
