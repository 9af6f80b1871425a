//! Credit rules: with every unit, objective and solver that may stand beside them, the gradient is the one of the loss.
//!
//! References are central differences: of the loss of a pass for feed-forward networks, of the loss at the fixed point for
//! networks that settle. Rules with a nudge of finite size, and those that clamp, come as near as they can.

use super::noise;
use crate::common::{batch, gradient, relative_error};
use bouton::credit::{Acts, Batch, CreditSpec};
use bouton::network::{Network, State};
use bouton::neuron::NeuronSpec;
use bouton::objective::{ObjectiveSpec, Target, TargetKind, Targets};
use bouton::recipe::{Precision, Recipe, tag};
use bouton::solver::{Solver, SolverSpec};
use bouton_kernels::{DType, Mat};

const BASE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 2, 3]\nclasses = 3\ntrain = 6\ntest = 6\nbatch = 6\nepochs = 1\n\
    [network]\nlayers = [6, 5, 3]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";

/// The same with values for targets.
fn base(kind: TargetKind) -> Recipe {
    let teacher = "[task.teacher]\ninputs = 6\noutputs = 3\nrule = { committee = { units = 2 } }\n\
        train = 6\ntest = 6\nbatch = 6\nepochs = 1\n[network]";
    let text = match kind {
        TargetKind::Classes => BASE.to_owned(),
        TargetKind::Values => {
            format!("precision = \"f64\"\n{teacher}{}", BASE.split_once("[network]").unwrap().1)
        }
    };
    // Whether the objective goes with it is asked later.
    Recipe::parse(&text, "test").unwrap()
}

fn samples(network: &Network, kind: TargetKind) -> Batch {
    let classes = batch(network, 3);
    let values = || Target::Values(noise(8, network.populations[network.output()].units, 4));
    match kind {
        TargetKind::Classes => classes,
        TargetKind::Values => Batch { target: values(), ..classes },
    }
}

fn recipe(neuron: &NeuronSpec, objective: &ObjectiveSpec, kind: TargetKind) -> Recipe {
    let base = base(kind);
    assert_eq!(base.precision, Precision::F64);
    Recipe { neuron: neuron.clone(), objective: objective.clone(), ..base }
}

/// The mean loss at the free fixed point, or behind a pass.
fn loss(recipe: &Recipe, network: &Network, samples: &Batch) -> f64 {
    let constant = network.constant_drive(samples.x.view());
    let n = samples.len();
    let mut state = State::new(network, &constant, 0..n, &samples.target);
    let settled = Some(1e-15);
    let solver = Solver { tolerance: settled, ..Solver::new(&SolverSpec::default(), network).unwrap() };
    if recipe.neuron.method().traits().settles() {
        solver.relax(network, &mut state, None, 400, "test").unwrap();
    }
    let objective = recipe.objective.build();
    bouton::solver::readout_error(network, &*objective, &mut state, 0..n).2.iter().sum::<f64>() / n as f64
}

fn differences(recipe: &Recipe, network: &mut Network, samples: &Batch) -> Vec<f64> {
    let settles = recipe.neuron.method().traits().settles();
    let pass = |network: &Network| {
        let credit = recipe.credit.build(&recipe.solver, network, samples.len()).unwrap();
        let out = credit.free(network, samples, &*recipe.objective.build()).unwrap();
        let out = &out.out[network.output()];
        let (mut err, mut losses) = (Mat::zeros(DType::F64, out.rows(), out.cols()), vec![0.0; out.rows()]);
        let ids: Vec<usize> = (0..out.rows()).collect();
        let targets = Targets {
            rows: samples.target.view(0..samples.len()),
            samples: &ids,
            own: &network.objective_values(),
        };
        recipe.objective.build().error(out.view(), targets, err.view_mut(), &mut losses);
        losses.iter().sum::<f64>() / losses.len() as f64
    };
    crate::common::central_differences(network, &mut |network| {
        if settles { loss(recipe, network, samples) } else { pass(network) }
    })
}

/// How far from the gradient a rule may be, relative; none if it follows another one.
fn tolerance(recipe: &Recipe) -> Option<f64> {
    let (needs, unit) = (recipe.credit.method().needs(), recipe.neuron.method().traits());
    match needs.acts {
        // Units outside σ descend another loss; those that jump have no gradient.
        _ if unit.nudge_outside || unit.surrogate => None,
        Acts::Gradient => Some(1e-4),
        Acts::Nudge | Acts::ComplexNudge { .. } => Some(2e-2),
        Acts::Clamp => None,
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn gradients_are_those_of_the_loss_with_everything_that_goes_together() {
    let mut unsettled = 0;
    let mut compared = std::collections::BTreeMap::<String, usize>::new();
    for neuron in NeuronSpec::all() {
        let objectives = ObjectiveSpec::all().into_iter();
        let kinds = |o: ObjectiveSpec| o.method().traits().targets.iter().map(move |kind| (o.clone(), *kind));
        for (objective, kind) in objectives.flat_map(kinds) {
            let mut reference = None;
            for credit in CreditSpec::all() {
                for solver in SolverSpec::all() {
                    let recipe = Recipe {
                        credit: credit.clone(),
                        solver: solver.clone(),
                        ..recipe(&neuron, &objective, kind)
                    };
                    if recipe.check().is_err() {
                        continue;
                    }
                    let mut network = Network::build(&recipe).unwrap();
                    network.populations.iter_mut().for_each(|p| p.noise = 0.0);
                    let samples = samples(&network, kind);
                    let exact =
                        reference.get_or_insert_with(|| differences(&recipe, &mut network, &samples)).clone();
                    let (found, step) = gradient(&recipe, &mut network, &samples);
                    let what = || format!("{credit:?}, {neuron:?}, {objective:?} of {kind}, {solver:?}");
                    if step.free.residual.max(step.nudged.residual) > 1e-7 {
                        // Where units creep, the state that both sides speak of is not reached.
                        unsettled += 1;
                        continue;
                    }
                    if exact.iter().all(|g| g.abs() < 1e-9) {
                        // All units sit on a border of their range: nothing moves unless it is held elsewhere.
                        let held = credit.method().needs().acts == Acts::Clamp;
                        assert!(held || found.iter().all(|g| g.abs() < 1e-3), "{}", what());
                        continue;
                    }
                    if let Some(tolerance) = tolerance(&recipe) {
                        let error = relative_error(&found, &exact);
                        assert!(error < tolerance, "{}: {error:.1e}", what());
                    } else {
                        let along =
                            if neuron.method().traits().surrogate { 1.0 } else { cosine(&found, &exact) };
                        assert!(along > 0.0, "{}: {along}", what());
                    }
                    *compared.entry(tag(&credit)).or_default() += 1;
                }
            }
        }
    }
    let members: std::collections::BTreeSet<String> = CreditSpec::all().iter().map(tag).collect();
    assert!(members.iter().all(|m| compared.get(m).is_some_and(|n| *n > 0)), "{compared:?}");
    let all: usize = compared.values().sum();
    assert!(unsettled < all / 10, "{unsettled} of {all} did not settle");
}

/// What a rule says of itself: gradients sample by sample, and weights that move within a batch.
#[test]
fn rules_are_what_they_say() {
    for credit in CreditSpec::all() {
        let needs = credit.method().needs();
        if needs.corrected {
            continue;
        }
        let with = |neuron| Recipe {
            credit: credit.clone(),
            ..recipe(&neuron, &ObjectiveSpec::default(), TargetKind::Classes)
        };
        let fits = NeuronSpec::all().into_iter().map(with).find(|recipe| recipe.check().is_ok());
        let recipe = fits.unwrap_or_else(|| panic!("no unit goes with {credit:?}"));
        let mut network = Network::build(&recipe).unwrap();
        let samples = batch(&network, 3);
        let rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        let objective = recipe.objective.build();
        let mut sink = bouton::credit::GradCollector::default();
        let alone = rule.gradients(&network, &samples, &[&*objective], &mut sink).is_ok();
        assert_eq!(alone, needs.per_sample, "{credit:?}");
        // An optimiser that moves weights within the batch.
        let before = network.parameters().iter().map(|(.., m)| m.to_f64s()).collect::<Vec<_>>();
        let mut updater = bouton::optim::Updater::new(&network, recipe.optim.build());
        let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        rule.learn(&mut network, &samples, &*objective, &mut updater, &bouton::rng::Key::new(1)).unwrap();
        let after = network.parameters().iter().map(|(.., m)| m.to_f64s()).collect::<Vec<_>>();
        assert_ne!(before, after, "{credit:?} learns");
        assert_eq!(updater.updates() > 1, needs.online, "{credit:?} moves weights within a batch");
    }
}
