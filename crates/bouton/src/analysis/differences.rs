//! Backpropagation against central differences of the loss that it descends, ∂ℓ/∂w = [ℓ(w + h) − ℓ(w − h)]/2h + O(h²), with
//! the random numbers of an update held still.
//!
//! Compared are, of each parameter, the entries with the largest gradients. The median of their errors does not see the few
//! whose step crosses a kink.

use super::{Bound, CheckContext, Findings, Property};
use crate::credit::GradCollector;
use crate::error::Result;
use crate::network::{Network, ParamId};
use crate::recipe::Recipe;
use crate::rng::Key;
use std::collections::HashMap;

/// Half a difference.
const STEP: f64 = 1e-5;
/// Entries of each parameter.
const ENTRIES: usize = 5;
/// Gradients below this share of the largest one drown in the rounding of the loss.
const SMALL: f64 = 1e-3;

pub(super) fn check(context: &mut CheckContext, findings: &mut Findings) -> Result<()> {
    let id = "gradient-differences";
    let statement = "backpropagated gradient against central differences, worst parameter's median error";
    let bound = Bound::AtMost(1e-5);
    let unit = context.recipe.neuron.method().traits();
    let jumps = context.recipe.neurons().any(|(_, unit)| unit.method().traits().surrogate);
    let twin = if jumps { smooth_twin(context)? } else { None };
    let why = match () {
        () if unit.settles() => Some("the network settles"),
        () if !context.recipe.credit.method().needs().exact => Some("the rule follows another direction"),
        () if !context.network.follows_gradient() => {
            Some("connections carry errors or activity alone, so what they give is no gradient")
        }
        () if jumps && twin.is_none() => Some("the units jump: their slope is a stand-in"),
        () => None,
    };
    if let (None, Some(_)) = (why, &twin) {
        findings.notes.push(
            "gradients were compared in the smooth twin of the network, whose units send the primitive of their surrogate slope"
                .into(),
        );
    }
    findings.properties.push(match why {
        Some(why) => Property::not_applicable(id, statement, bound, why),
        None => {
            let own = twin.map(|(recipe, network)| {
                (
                    std::mem::replace(&mut context.recipe, recipe),
                    std::mem::replace(&mut context.network, network),
                )
            });
            let worst = measured(context);
            if let Some((recipe, network)) = own {
                (context.recipe, context.network) = (recipe, network);
            }
            Property::measured(id, statement, worst?, bound)
        }
    });
    Ok(())
}

/// The same network with units that do not jump; none if some have no such form.
fn smooth_twin(context: &mut CheckContext) -> Result<Option<(Recipe, Network)>> {
    let mut recipe = context.recipe.clone();
    for (_, neuron) in recipe.neurons_mut() {
        if !neuron.method_mut().is_some_and(|unit| unit.smoothen()) {
            return Ok(None);
        }
    }
    let mut values = HashMap::new();
    context.network.visit(&mut |name, mat| {
        values.insert(name.to_owned(), mat.clone());
        Ok(())
    })?;
    let mut network = recipe.build()?;
    network.visit(&mut |name, mat| {
        values.get(name).into_iter().for_each(|value| mat.clone_from(value));
        Ok(())
    })?;
    network.populations.iter_mut().for_each(|p| p.noise = 0.0);
    Ok(Some((recipe, network)))
}

/// The worst parameter's error; every pass moves the running means of a normalisation.
fn measured(context: &mut CheckContext) -> Result<f64> {
    let norms = context.network.norms();
    let (_, gradients) = learn(context)?;
    let worst = worst(context, &gradients)?;
    context.network.set_norms(&norms);
    Ok(worst)
}

fn worst(context: &mut CheckContext, gradients: &GradCollector) -> Result<f64> {
    let size = |g: &[f64]| g.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
    let ids: Vec<ParamId> = context.network.parameters().into_iter().map(|(id, ..)| id).collect();
    let largest = ids.iter().map(|id| size(&gradients.values(*id))).fold(0.0, f64::max);
    let mut worst: f64 = 0.0;
    for id in ids {
        let g = gradients.values(id);
        let scale = size(&g).max(SMALL * largest);
        let mut entries: Vec<usize> = (0..g.len()).collect();
        entries.sort_by(|&a, &b| g[b].abs().total_cmp(&g[a].abs()));
        entries.truncate(ENTRIES);
        let mut errors = Vec::new();
        for i in entries {
            let difference = (moved(context, id, i, STEP)? - moved(context, id, i, -STEP)?) / (2.0 * STEP);
            errors.push((difference - g[i]).abs() / scale);
        }
        errors.sort_by(f64::total_cmp);
        // Where no gradient arrives at all, there is no scale and nothing to compare.
        worst = worst.max(errors.get(errors.len() / 2).copied().filter(|e| e.is_finite()).unwrap_or(0.0));
    }
    Ok(worst)
}

/// The mean loss of an update on the batch, and the gradients that the rule hands over.
fn learn(context: &mut CheckContext) -> Result<(f64, GradCollector)> {
    let mut rule =
        context.recipe.credit.build(&context.recipe.solver, &context.network, context.batch.ids.len())?;
    let (mut sink, key) = (GradCollector::default(), Key::new(context.recipe.seed));
    let step = rule.learn(&mut context.network, &context.batch, &*context.objective, &mut sink, &key)?;
    Ok((step.mean_loss(), sink))
}

/// The loss with the `i`-th entry of a parameter moved.
fn moved(context: &mut CheckContext, id: ParamId, i: usize, by: f64) -> Result<f64> {
    let before = context.network.parameter_mut(id).value.mat().clone();
    let mut after = before.clone();
    after.slice_mut::<f64>()[i] += by;
    context.network.parameter_mut(id).value.update(|mut w| w.copy_from(after.view()));
    let loss = learn(context)?.0;
    context.network.parameter_mut(id).value.update(|mut w| w.copy_from(before.view()));
    Ok(loss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use bouton_kernels::add_scaled;

    fn context(layers: &str, more: &str) -> CheckContext {
        let text = format!(
            "[task.digits]\nbatch = 8\nepochs = 1\n[network]\nlayers = {layers}\n[neuron.relu]\n[credit.backprop]\n\
             [optim.sgd]\nlr = 0.1\n{more}"
        );
        CheckContext::new(&Recipe::parse(&text, "differences.toml").unwrap(), None, None).unwrap()
    }

    #[test]
    fn right_gradients_pass_and_each_wrong_one_fails() {
        let dense = "[64, 12, 10]";
        for (layers, more) in [
            (dense, "[objective.softmax-cross-entropy]\n"),
            (dense, "[norm.batch]\n[objective.softmax-cross-entropy]\n"),
            (
                "[{ image = [1, 8, 8] }, { filters = 3, kernel = 3, pool = { max = 2 } }, 10]",
                "[wiring.conv]\n",
            ),
        ] {
            let mut context = context(layers, more);
            let (_, right) = learn(&mut context).unwrap();
            assert!(worst(&mut context, &right).unwrap() < 1e-6, "{layers} {more}");
            for (id, name, _) in CheckContext::new(&context.recipe, None, None).unwrap().network.parameters()
            {
                let mut wrong = right.clone();
                let g = wrong.gradients.get_mut(&id).unwrap();
                let twice = g.clone();
                add_scaled(g, 1.0, twice.view());
                let error = worst(&mut context, &wrong).unwrap();
                // A bias before a normalisation by the batch has no gradient to be wrong about.
                assert!(
                    error > 0.1 || twice.to_f64s().iter().all(|g| g.abs() < 1e-12),
                    "{more}: {name}: {error:e}"
                );
            }
        }
    }
}
