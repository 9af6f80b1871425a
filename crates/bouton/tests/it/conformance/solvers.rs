//! Solvers: one fixed point for all, samples that stop where they should, and what they say of themselves.

use crate::common::batch;
use bouton::credit::Batch;
use bouton::network::State;
use bouton::recipe::Recipe;
use bouton::solver::{RelaxationStats, Solver, SolverSpec};

fn settled(spec: &SolverSpec, steps: usize) -> (State, RelaxationStats) {
    let text = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 4, 5]\nclasses = 5\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n\
        [network]\nlayers = [20, 9, 7, 5]\n[neuron.settle]\n[credit.eq-prop]\nbeta = 0.1\nfree-steps = 9\nnudged-steps = 2\n\
        [optim.sgd]\nlr = 0.1\n";
    let recipe = Recipe::parse(text, "test").unwrap();
    let network = recipe.build().unwrap();
    let Batch { x, target, .. } = batch(&network, 5);
    let mut state = State::new(&network, &network.constant_drive(x.view()), 0..8, &target);
    let solver = Solver::new(spec, &network).unwrap();
    let done = solver.relax(&network, &mut state, None, steps, "test").unwrap();
    (state, done)
}

fn apart(a: &State, b: &State) -> f64 {
    let all = |s: &State| s.out.iter().flat_map(|m| m.to_f64s()).collect::<Vec<_>>();
    all(a).iter().zip(all(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn solvers_keep_the_rules() {
    let (reference, _) = settled(&SolverSpec::default(), 500);
    for spec in SolverSpec::all() {
        let (traits, plain) = (spec.method().traits(), spec.method().plain());
        let (state, done) = settled(&spec, 500);
        assert!(apart(&state, &reference) < 1e-4, "{spec:?}: {}", apart(&state, &reference));
        assert_eq!(done.sweeps >= 500 * 8, traits.tolerance.is_none(), "{spec:?} stops");
        let few = |spec: &SolverSpec| settled(spec, 6).0;
        let other = apart(&few(&spec), &few(&plain)) > 0.0;
        assert_eq!(other, traits.relaxes || traits.history > 0, "{spec:?} is more than its plain sweeps");
        let blocks = apart(&few(&plain), &few(&SolverSpec::default())) > 0.0;
        assert_eq!(blocks, traits.blocks, "{spec:?} moves groups");
        let (said, again) = (plain.method().traits(), plain.method().plain());
        assert!(said.tolerance.is_none() && !said.relaxes && said.history == 0 && again == plain, "{spec:?}");
    }
}
