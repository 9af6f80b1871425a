//! Credit rules: with every unit, objective and solver that may stand beside them, the gradient is the one of the loss.
//!
//! References are central differences: of the loss of a pass for feed-forward networks, of the loss at the fixed point for
//! networks that settle. Rules with a nudge of finite size, and those that clamp, come as near as they can.

use super::{changed, noise};
use crate::common::{batch, gradient, relative_error};
use bouton::credit::{Acts, Batch, Carried, CreditNeeds, CreditSpec, Start};
use bouton::encoder::{EncoderSpec, Rows};
use bouton::network::{Clock, Layer, Network, Reading, State};
use bouton::neuron::{NeuronSpec, UnitDynamics};
use bouton::objective::{ObjectiveSpec, Target, TargetKind, Targets};
use bouton::recipe::{ConnectionSpec, Precision, Recipe, variant_name};
use bouton::rng::Key;
use bouton::solver::{Solver, SolverSpec};
use bouton::wiring::{Conductance, WiringSpec};
use bouton_kernels::{DType, Mat};

const BASE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 2]\nclasses = 3\ntrain = 6\ntest = 6\nbatch = 6\nepochs = 1\n\
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
    let mut recipe = Recipe { neuron: neuron.clone(), objective: objective.clone(), ..base };
    if neuron.method().traits().dynamics == UnitDynamics::Stepping {
        // Three steps of two numbers.
        recipe.encoder = EncoderSpec::Rows(Rows { steps: 3 });
        recipe.network.layers[0] = Layer::Units(2);
    }
    if neuron.method().traits().ports > 1 {
        recipe.wiring = WiringSpec::Conductance(Conductance::default());
    }
    recipe
}

/// The same for a rule; those that learn on the way see every step judged.
fn recipe_of(credit: &CreditSpec, neuron: &NeuronSpec) -> Recipe {
    let rewards = credit.method().needs().rewards;
    let judges = |o: &ObjectiveSpec| !rewards || o.method().traits().log_likelihood;
    let objective = std::iter::once(ObjectiveSpec::default()).chain(ObjectiveSpec::all()).find(judges);
    let base = recipe(neuron, &objective.unwrap(), TargetKind::Classes);
    let forward = credit.method().needs().carries != Carried::Nothing;
    let each = Clock { reading: Reading::Each, ..Clock::default() };
    let mut recipe = Recipe { credit: credit.clone(), time: forward.then_some(each), ..base };
    if forward {
        let end = || Some("hidden1".to_owned());
        let joined = ConnectionSpec { from: end(), to: end(), ..ConnectionSpec::default() };
        recipe.connection.insert("loop".into(), joined);
    }
    recipe
}

/// Whether a recipe stands, and its rule finds what it needs in the network: traces of each synapse need an output that has a single leak.
fn goes_together(recipe: &Recipe, kind: TargetKind) -> bool {
    recipe.check().is_ok() && {
        let (mut network, objective) = (recipe.build().unwrap(), recipe.objective.build());
        let samples = samples(&network, kind);
        let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        let mut sink = bouton::credit::GradCollector::default();
        let done = rule.learn(&mut network, &samples, &*objective, &mut sink, &Key::new(1));
        let CreditNeeds { carries, acts, .. } = recipe.credit.method().needs();
        // Inference says so where its steps are too long for the network.
        assert!(
            done.is_ok() || carries == Carried::Eligibility || acts == Acts::Infer,
            "{:?}: {}",
            recipe.credit,
            done.unwrap_err()
        );
        done.is_ok()
    }
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
        Acts::Infer if needs.exact => Some(1e-4),
        Acts::Infer if needs.smooth => Some(2e-2),
        Acts::Clamp | Acts::Infer | Acts::Local => None,
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
            let (mut reference, base) = (None, recipe(&neuron, &objective, kind));
            for credit in CreditSpec::all() {
                for solver in SolverSpec::all() {
                    let recipe = Recipe { credit: credit.clone(), solver: solver.clone(), ..base.clone() };
                    if recipe.check().is_err() {
                        continue;
                    }
                    let (carries, rewards) =
                        (credit.method().needs().carries, credit.method().needs().rewards);
                    let CreditNeeds { acts, exact: is_exact, smooth, .. } = credit.method().needs();
                    let local = acts == Acts::Local || acts == Acts::Infer && !is_exact && !smooth;
                    if carries == Carried::RankOne
                        || rewards
                        || local
                        || carries == Carried::Eligibility && !goes_together(&recipe, kind)
                    {
                        // Right on average alone, an output that has no traces, or another direction, which has tests of its own.
                        *compared.entry(variant_name(&credit)).or_default() += 1;
                        continue;
                    }
                    let mut network = recipe.build().unwrap();
                    network.populations.iter_mut().for_each(|p| p.noise = 0.0);
                    let samples = samples(&network, kind);
                    let exact =
                        reference.get_or_insert_with(|| differences(&recipe, &mut network, &samples)).clone();
                    let (found, step) = gradient(&recipe, &mut network, &samples);
                    let what = || format!("{credit:?}, {neuron:?}, {objective:?} of {kind}, {solver:?}");
                    let moved = if acts == Acts::Infer { 0.0 } else { step.nudged.residual };
                    if step.free.residual.max(moved) > 1e-7 {
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
                    *compared.entry(variant_name(&credit)).or_default() += 1;
                }
            }
        }
    }
    let members: std::collections::BTreeSet<String> = CreditSpec::all().iter().map(variant_name).collect();
    assert!(members.iter().all(|m| compared.get(m).is_some_and(|n| *n > 0)), "{compared:?}");
    let all: usize = compared.values().sum();
    assert!(unsettled < all / 10, "{unsettled} of {all} did not settle");
}

/// In a recurrent network over six steps a rule hands over the gradient if it says so, and another direction if not.
#[test]
fn rules_in_time_are_exact_if_they_say_so() {
    let smooth = |unit: &NeuronSpec| {
        let traits = unit.method().traits();
        traits.dynamics == UnitDynamics::Stepping && !traits.surrogate && traits.bounded[0]
    };
    let unit = NeuronSpec::all().into_iter().find(smooth).expect("one that has a gradient");
    let end = || Some("hidden1".to_owned());
    let (mut exact, mut others) = (0, 0);
    let in_time = |credit: &CreditSpec| credit.method().needs().dynamics == UnitDynamics::Stepping;
    for credit in CreditSpec::all().into_iter().filter(in_time) {
        let says = credit.method().needs().exact;
        let one_answer = recipe(&unit, &ObjectiveSpec::default(), TargetKind::Classes);
        let base = if says { Recipe { credit, ..one_answer } } else { recipe_of(&credit, &unit) };
        let mut recipe = Recipe { encoder: EncoderSpec::Rows(Rows { steps: 6 }), ..base };
        recipe.network.layers[0] = Layer::Units(1);
        // What a layer above remembers is what rules that part space from time leave out.
        recipe.network.layers.insert(2, Layer::Units(5));
        let joined = ConnectionSpec { from: end(), to: end(), ..ConnectionSpec::default() };
        recipe.connection.insert("loop".into(), joined);
        recipe.check().unwrap();
        let mut network = recipe.build().unwrap();
        let samples = samples(&network, TargetKind::Classes);
        let wanted = differences(&recipe, &mut network, &samples);
        let error = relative_error(&gradient(&recipe, &mut network, &samples).0, &wanted);
        assert!(if says { error < 1e-6 } else { error > 1e-3 }, "{:?}: {error:e}", recipe.credit);
        (exact, others) = (exact + usize::from(says), others + usize::from(!says));
    }
    assert!(exact > 1 && others > 1);
}

/// What a rule says of itself: gradients sample by sample, and weights that move within a batch.
#[test]
fn rules_are_what_they_say() {
    for credit in CreditSpec::all() {
        let needs = credit.method().needs();
        if needs.corrected {
            continue;
        }
        let with = |neuron| recipe_of(&credit, &neuron);
        let fits =
            NeuronSpec::all().into_iter().map(with).find(|recipe| goes_together(recipe, TargetKind::Classes));
        let recipe = fits.unwrap_or_else(|| panic!("no unit goes with {credit:?}"));
        let mut network = recipe.build().unwrap();
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

/// A recipe, its network and a batch for a rule, with the first unit that goes with it and does not reach its rest at once.
fn lab(credit: &CreditSpec) -> Option<(Recipe, Network, Batch)> {
    let with = |neuron| recipe_of(credit, &neuron);
    let slow = NeuronSpec::all().into_iter().filter(|unit| !unit.method().traits().minimises);
    let all = slow.chain(NeuronSpec::all());
    let recipe = all.map(with).find(|recipe| goes_together(recipe, TargetKind::Classes))?;
    let network = recipe.build().unwrap();
    let samples = batch(&network, 3);
    Some((recipe, network, samples))
}

/// The strongest nudge away from the target among the states that a rule learns from. A clamp has no force that a fixed point
/// could give way to.
#[test]
fn rules_push_as_hard_as_they_say() {
    for credit in CreditSpec::all() {
        let needs = credit.method().needs();
        let Some((recipe, network, samples)) = lab(&credit) else { continue };
        if needs.acts != Acts::Nudge || needs.online {
            continue;
        }
        let rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        let objective = recipe.objective.build();
        let betas = |key| -> Vec<f64> {
            rule.phases(&network, &samples, &*objective, &Key::new(key))
                .unwrap()
                .iter()
                .map(|p| p.beta)
                .collect()
        };
        let away = (0..20).flat_map(betas).fold(0.0_f64, |most, beta| most.max(-beta));
        assert_eq!((away > 0.0).then_some(away), needs.pushes, "{credit:?}");
    }
}

/// Whoever makes a rule shorter finds every number of sweeps, those to the free state first.
#[test]
fn all_sweeps_of_a_rule_can_be_changed() {
    for credit in CreditSpec::all() {
        let mut few = credit.clone();
        let Some(rule) = few.method_mut() else { continue };
        rule.steps_mut().into_iter().enumerate().for_each(|(i, steps)| *steps = 1000 + i);
        let table = serde_json::to_value(&few).unwrap()[variant_name(&few)].clone();
        let number = |key: &str, value: &serde_json::Value| {
            key.ends_with("steps").then(|| value.as_u64()).flatten().map(|n| (key.to_owned(), n))
        };
        let steps: Vec<_> = table.as_object().unwrap().iter().filter_map(|(k, v)| number(k, v)).collect();
        assert!(steps.iter().all(|(_, n)| *n >= 1000), "{credit:?}: {steps:?}");
        assert!(steps.iter().all(|(k, n)| k != "free-steps" || *n == 1000), "{credit:?}: {steps:?}");
    }
}

/// A rule that starts where it was before keeps states, and shows them to checkpoints.
#[test]
fn rules_keep_states_where_they_start_from_them() {
    for credit in CreditSpec::all() {
        let Some((recipe, mut network, samples)) = lab(&credit) else { continue };
        let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        let mut sink = bouton::credit::GradCollector::default();
        rule.learn(&mut network, &samples, &*recipe.objective.build(), &mut sink, &Key::new(1)).unwrap();
        let mut kept = 0;
        rule.visit(&mut |_, mat| {
            kept += mat.rows();
            Ok(())
        })
        .unwrap();
        let needs = credit.method().needs();
        let keeps = needs.start != Start::Zero || needs.rewards || needs.acts == Acts::Local;
        assert_eq!(kept > 0, keeps, "{credit:?}");
    }
}

/// A setting that nothing depends on is forgotten.
#[test]
fn every_number_and_every_switch_is_heard() {
    let does = |credit: &CreditSpec| {
        let mut few = credit.clone();
        // Before anything is at rest.
        for steps in few.method_mut().map_or_else(Vec::new, |rule| rule.steps_mut()) {
            *steps = (*steps % 100) + 5;
        }
        let (recipe, mut network, samples) = lab(&few)?;
        // What is kept from batch to batch is heard by the second one.
        let (mut sink, objective) = (bouton::credit::GradCollector::default(), recipe.objective.build());
        let mut rule = recipe.credit.build(&recipe.solver, &network, 8).unwrap();
        for k in 1..3 {
            rule.learn(&mut network, &samples, &*objective, &mut sink, &Key::new(k)).ok()?;
        }
        Some((sink.flat(&network), few.method().needs()))
    };
    let mut heard = std::collections::BTreeMap::<String, bool>::new();
    for credit in CreditSpec::all() {
        let Some(own) = does(&credit) else { continue };
        for (key, other) in changed(&credit) {
            *heard.entry(key).or_default() |= does(&other).is_some_and(|other| other != own);
        }
    }
    assert!(heard.values().all(|heard| *heard), "{heard:?}");
}
