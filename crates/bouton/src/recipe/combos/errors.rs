//! Connections that carry activity or errors alone: where that has a meaning, and whom the errors reach.

use super::PartRefusal;
use crate::axis::variant_name;
use crate::network::{Carries, Role};
use crate::recipe::{ConnectionPlan, ConnectionSpec, NetworkPlan, Recipe};

/// Whether a connection may carry what it is asked to.
pub(super) fn carried(recipe: &Recipe, c: &ConnectionPlan<'_>, table: &ConnectionSpec) -> PartRefusal {
    let name = &c.name;
    let what = match c.carries {
        Carries::Both => return None,
        Carries::Activity => "activity",
        Carries::Errors => "errors",
    };
    if recipe.neuron.method().traits().settles() {
        let message =
            format!("connection.{name} carries {what} alone, but units that settle answer each other");
        return Some((message, "leave carries out, or use feed-forward units with credit.backprop".into()));
    }
    if recipe.anchor.method().needs().per_sample {
        let message = format!(
            "anchor.{} measures gradients of the loss, but connection.{name} carries {what} alone, so there are none",
            variant_name(&recipe.anchor)
        );
        return Some((message, "use anchor.si, or leave carries out".into()));
    }
    if recipe.run.flip_samples.is_some() {
        let message = format!(
            "run.flip-samples goes by gradients of the loss, but connection.{name} carries {what} alone, so there are none"
        );
        return Some((message, "leave one of the two out".into()));
    }
    if c.carries == Carries::Activity {
        return None;
    }
    let idle = [
        ("synapse", table.synapse.is_some()),
        ("optim", table.optim.is_some()),
        ("lr", table.lr.is_some()),
        ("learn", !table.learn),
    ];
    let (key, _) = idle.into_iter().find(|(_, given)| *given)?;
    let message = format!("connection.{name}.{key} would do nothing: what carries errors alone never learns");
    Some((message, "leave it out".into()))
}

/// A population that learns needs somebody to tell it how.
pub(super) fn stop(plan: &NetworkPlan<'_>) -> PartRefusal {
    let alone = plan.connections.iter().any(|c| c.carries != Carries::Both);
    let told = |p: usize| {
        plan.populations[p].is_judged()
            || plan.connections.iter().any(|c| c.pre == p && c.carries != Carries::Activity)
    };
    let learns =
        |p: usize| plan.connections.iter().any(|c| c.post == p && c.learns && c.carries != Carries::Errors);
    let forward = |p: &usize| plan.populations[*p].role == Role::Forward;
    let p = (0..plan.populations.len()).filter(forward).find(|&p| alone && learns(p) && !told(p))?;
    let name = &plan.populations[p].name;
    Some((
        format!("no errors reach population {name}, so what leads to it would not learn"),
        format!(
            "add a connection with to = \"{name}\" and carries = \"errors\", or learn = false for those that lead to it"
        ),
    ))
}
