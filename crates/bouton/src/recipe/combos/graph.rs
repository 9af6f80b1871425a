//! What choices of single populations and connections come to together. Every connection is also asked the questions of a whole
//! recipe that has its choices everywhere.

use super::{PartRefusal, alone, errors};
use crate::axis::variant_name;
use crate::credit::Acts;
use crate::error::{Error, Result};
use crate::network::{Carries, Role};
use crate::neuron::{NeuronSpec, UnitDynamics};
use crate::recipe::{
    ConnectionKind, ConnectionPlan, ConnectionSpec, NetworkPlan, PopulationPlan, PopulationSpec, Recipe,
};
use crate::synapse::SynapseSpec;
use crate::task::Scenario;
use serde_json::Value;
use std::collections::BTreeMap;

/// Refuses choices by name that make no sense.
///
/// # Errors
/// [`Error::Incompatible`] with the population or the connection, and the alternative as hint.
pub(super) fn compatible(recipe: &Recipe) -> Result<()> {
    let plan = NetworkPlan::new(recipe)?;
    let of_populations = plan.populations.iter().find_map(|p| population(recipe, p));
    let of_connections = || plan.connections.iter().find_map(|c| connection(recipe, &plan, c));
    let whole = || {
        let order = || lists(recipe, &plan).or_else(|| groups(recipe, &plan));
        readers(&plan).or_else(|| errors::stop(&plan)).or_else(|| chain(recipe, &plan)).or_else(order)
    };
    if let Some((message, hint)) = of_populations.or_else(of_connections).or_else(whole) {
        return Err(Error::incompatible(message, hint));
    }
    for c in plan.connections.iter().filter(|c| c.carries != Carries::Errors) {
        alone(&everywhere(recipe, &plan, c)).map_err(|e| e.context(format!("connection {}", c.name)))?;
    }
    Ok(())
}

/// Refuses what leads past the next population, where a rule wants them one after the other.
fn chain(recipe: &Recipe, plan: &NetworkPlan<'_>) -> PartRefusal {
    let inner: Vec<usize> =
        (0..plan.populations.len()).filter(|&p| plan.populations[p].role != Role::Clamped).collect();
    let at = |p: usize| inner.iter().position(|&q| q == p);
    let past = |c: &&ConnectionPlan<'_>| {
        let ends = at(c.pre).zip(at(c.post));
        c.carries != Carries::Errors && ends.is_some_and(|(pre, post)| post != pre + 1)
    };
    let c = plan.connections.iter().find(past).filter(|_| recipe.credit.method().needs().chain)?;
    Some((
        format!(
            "{} learns when the error reaches a population, and connection {} brings it past the next one",
            variant_name(&recipe.credit),
            c.name
        ),
        "use credit.fixed-prediction, which is exact whatever the network, or leave it out".into(),
    ))
}

/// The recipe with the choices of a connection, and of the population that it enters, everywhere. What a run asks of sampled or
/// turned weights is asked of those connections that have them, if any has.
fn everywhere(recipe: &Recipe, plan: &NetworkPlan<'_>, c: &ConnectionPlan<'_>) -> Recipe {
    let post = &plan.populations[c.post];
    let some = |has: &dyn Fn(&ConnectionPlan<'_>) -> bool| has(c) || !plan.connections.iter().any(has);
    let sampled = some(&|c| c.synapse.method().traits().info.bayesian);
    let turned = some(&|c| c.synapse.method().traits().has_hidden_sign());
    let mut run = recipe.run.clone();
    run.test_draws = run.test_draws.filter(|_| sampled);
    run.train_draws = run.train_draws.filter(|_| sampled);
    run.flip_samples = run.flip_samples.filter(|_| turned);
    Recipe {
        run,
        optim: c.optim.unwrap_or(&recipe.optim).clone(),
        neuron: unit_of(plan, post).clone(),
        norm: post.norm.clone(),
        wiring: c.wiring.clone(),
        synapse: c.synapse.clone(),
        population: BTreeMap::new(),
        connection: BTreeMap::new(),
        ..recipe.clone()
    }
}

/// The units of a population; in a network that moves in time those without memory stand for one step of such as have some.
fn unit_of<'a>(plan: &NetworkPlan<'a>, p: &PopulationPlan<'a>) -> &'a NeuronSpec {
    let moves = |neuron: &NeuronSpec| neuron.method().traits().dynamics == UnitDynamics::Stepping;
    let others = plan.populations.iter().map(|p| p.neuron).find(|neuron| moves(neuron));
    others.filter(|_| p.role == Role::Stepping && !moves(p.neuron)).unwrap_or(p.neuron)
}

fn population(recipe: &Recipe, p: &PopulationPlan<'_>) -> PartRefusal {
    let (name, table) = (&p.name, recipe.population.get(&p.name));
    let settles = p.neuron.method().traits().settles();
    if settles != recipe.neuron.method().traits().settles() && p.role != Role::Clamped {
        let (one, other) = (variant_name(p.neuron), variant_name(&recipe.neuron));
        return Some((
            format!(
                "units of population {name} ({one}) and of [neuron] ({other}) do not go together: one kind settles"
            ),
            "let all of them settle, or none".into(),
        ));
    }
    if let Some(refusal) = table.and_then(|table| objective(recipe, p, table)) {
        return Some(refusal);
    }
    let table = table?;
    let chosen = [
        ("neuron", table.neuron.is_some()),
        ("norm", table.norm.is_some()),
        ("dropout", table.dropout.is_some()),
    ];
    let readout = p.role == Role::Forward && settles;
    let (key, _) = chosen.into_iter().find(|(key, given)| match p.role {
        Role::Clamped => *given,
        _ => *given && (readout && *key == "neuron" || p.is_judged() && *key == "dropout"),
    })?;
    let what = match p.role {
        Role::Clamped => "shows the data",
        _ if key == "dropout" => "is judged by an objective, and never silent",
        _ => "is a linear readout of the objective",
    };
    Some((format!("population.{name}.{key} would do nothing: {name} {what}"), "leave it out".into()))
}

/// An objective of a population's own, beside that of the output.
fn objective(recipe: &Recipe, p: &PopulationPlan<'_>, table: &PopulationSpec) -> PartRefusal {
    let (name, kind) = (&p.name, recipe.task.method().targets());
    let refuse = |message: String, hint: &str| Some((message, hint.to_owned()));
    let Some(spec) = &table.objective else {
        table.objective_weight?;
        return refuse(
            format!("population.{name}.objective-weight would do nothing: it has no objective"),
            "leave it out",
        );
    };
    let (member, classes) =
        (variant_name(spec), recipe.sequence.sides(&recipe.task, recipe.continual.scenario).1);
    match () {
        () if p.role == Role::Clamped => refuse(
            format!("population {name} shows the data, which no objective changes"),
            "leave its objective out",
        ),
        () if p.output => refuse(
            format!("population {name} is the output, whose objective is [objective]"),
            "write it there",
        ),
        () if !spec.method().traits().targets.contains(&kind) => refuse(
            format!(
                "objective.{member} of population {name} does not compare outputs with {kind}, which the task gives"
            ),
            "choose another objective, such as squared-error",
        ),
        () if p.shape.units() != classes => refuse(
            format!(
                "population {name} has an objective and {} units, but the task has {classes} {kind}",
                p.shape.units()
            ),
            "give it as many units",
        ),
        () if !matches!(recipe.credit.method().needs().acts, Acts::Gradient | Acts::Infer) => refuse(
            format!(
                "{} compares states under one nudge, and population {name} has an objective of its own",
                variant_name(&recipe.credit)
            ),
            "use credit.backprop, bptt or recurrent-backprop, or leave it out",
        ),
        () if !spec.method().own().is_empty() => refuse(
            format!(
                "objective.{member} of population {name} learns numbers of its own, which that of the output alone does"
            ),
            "leave learn-temperature out",
        ),
        () if recipe.continual.scenario != Scenario::Domain => refuse(
            format!(
                "population {name} has an objective over all classes, but this scenario has outputs of single tasks"
            ),
            "use scenario = \"domain\", or leave it out",
        ),
        () => None,
    }
}

fn connection(recipe: &Recipe, plan: &NetworkPlan<'_>, c: &ConnectionPlan<'_>) -> PartRefusal {
    let pre = &plan.populations[c.pre];
    if pre.role == Role::Forward && pre.neuron.method().traits().settles() {
        let message = format!(
            "connection.{} leads on from {}, a readout that is no part of the dynamics",
            c.name, pre.name
        );
        return Some((
            message,
            "let it start from what the readout reads, or use objective.squared-error".into(),
        ));
    }
    if let Some(refusal) = ports(plan, c) {
        return Some(refusal);
    }
    let (name, table) = (&c.name, recipe.connection.get(&c.name)?);
    if let Some(refusal) = errors::carried(recipe, c, table).or_else(|| idle(plan, c, table)) {
        return Some(refusal);
    }
    let places = pre.shape.height * pre.shape.width > 1;
    if c.kind == ConnectionKind::Dense && places && c.wiring.method().convolves() && table.wiring.is_some() {
        let message = format!(
            "connection.{name} joins all units, so wiring.{} has no filters there",
            variant_name(c.wiring)
        );
        return Some((message, "use wiring.dense, or network.skips with a kernel".into()));
    }
    None
}

/// Refuses connections that do not fill the ports of the units that they enter.
///
/// # Errors
/// [`Error::Incompatible`] with the connection, and the alternative as hint.
pub(super) fn filled(recipe: &Recipe) -> Result<()> {
    if recipe.neuron.method().traits().ports == 1 {
        return Ok(());
    }
    let plan = NetworkPlan::new(recipe)?;
    let refusal = plan.connections.iter().find_map(|c| ports(&plan, c));
    refusal.map_or(Ok(()), |(message, hint)| Err(Error::incompatible(message, hint)))
}

/// A connection that does not fill the ports of the units that it enters.
fn ports(plan: &NetworkPlan<'_>, c: &ConnectionPlan<'_>) -> PartRefusal {
    let (name, post) = (&c.name, &plan.populations[c.post]);
    let (unit, wiring) = (variant_name(post.neuron), variant_name(c.wiring));
    if post.ports() == 1 {
        return None;
    }
    let joined = matches!(c.kind, ConnectionKind::Chain(_) | ConnectionKind::Dense);
    if !joined || post.shape.height * post.shape.width > 1 || c.carries == Carries::Errors {
        let message = format!(
            "connection {name} is no conductance between all units, but {unit} units of {} take no other",
            post.name
        );
        return Some((message, "join all units, or use other units there".into()));
    }
    if c.wiring.method().numbers(post.ports()).is_none() {
        let message = format!(
            "wiring.{wiring} of connection {name} does not fill the {} ports of {unit} units",
            post.ports()
        );
        return Some((message, "use wiring.conductance".into()));
    }
    if *c.synapse != SynapseSpec::default() {
        let message = format!(
            "synapse.{} of connection {name} holds single weights, but a conductance has several numbers",
            variant_name(c.synapse)
        );
        return Some((message, "use synapse.plain there".into()));
    }
    None
}

/// Keys that would do nothing.
fn idle(plan: &NetworkPlan<'_>, c: &ConnectionPlan<'_>, table: &ConnectionSpec) -> PartRefusal {
    let name = &c.name;
    if c.delay > 0 && !plan.in_time() {
        let message = format!("connection.{name}.delay would do nothing: this network sees a sample once");
        return Some((message, "use units that move in time, such as neuron.lif, or leave it out".into()));
    }
    if !table.autapses && c.pre != c.post {
        let message = format!("connection.{name}.autapses would do nothing: it joins two populations");
        return Some((message, "leave it out, or let the connection join a population with itself".into()));
    }
    if c.delay > 0 && c.carries == Carries::Errors {
        let message = format!("connection.{name}.delay would do nothing: it carries errors alone");
        return Some((message, "leave it out".into()));
    }
    let identity = matches!(c.kind, ConnectionKind::Skip(skip) if skip.kernel.is_none());
    let rates = [("lr", table.lr.is_some()), ("optim", table.optim.is_some())];
    let chosen =
        [("wiring", table.wiring.is_some()), ("synapse", table.synapse.is_some()), ("learn", !table.learn)];
    if let Some((key, _)) = rates.into_iter().chain(chosen).find(|(_, given)| *given && identity) {
        let message = format!("connection.{name}.{key} would do nothing: it is an identity without weights");
        return Some((message, "leave it out, or give the skip a kernel".into()));
    }
    let fixed = !identity && !c.wiring.method().learns();
    let kept = chosen.into_iter().filter(|(key, _)| *key != "wiring");
    if let Some((key, _)) = rates.into_iter().chain(kept).find(|(_, given)| *given && fixed) {
        let wiring = variant_name(c.wiring);
        let message =
            format!("connection.{name}.{key} would do nothing: wiring.{wiring} has no weights that learn");
        return Some((message, "leave it out, or use wiring.sparse".into()));
    }
    let (rate, _) = rates.into_iter().find(|(_, given)| *given)?;
    if table.lr.is_some() && table.optim.is_some() {
        let message = format!("connection.{name} has lr and optim, which both give its learning rate");
        return Some((message, "write the rate into its optim".into()));
    }
    if !c.learns {
        let message = format!("connection.{name}.{rate} would do nothing: learn = false");
        return Some((message, "leave one of the two out".into()));
    }
    if c.synapse.method().traits().info.own_step_size {
        let message = format!(
            "connection.{name}.{rate} would do nothing: synapse.{} has a step size of its own",
            variant_name(c.synapse)
        );
        return Some((message, "set that of the synapse".into()));
    }
    None
}

/// A nudge, and what goes back through the output's readout, act on the one population that it reads.
fn readers(plan: &NetworkPlan<'_>) -> PartRefusal {
    let output = plan.populations.iter().position(|p| p.output)?;
    let readout = plan.populations[output].role == Role::Forward;
    let settling: Vec<&str> = plan
        .connections
        .iter()
        .filter(|c| c.post == output && readout && plan.populations[c.pre].role == Role::Settling)
        .map(|c| &*plan.populations[c.pre].name)
        .collect();
    let last = plan.populations.iter().rposition(|p| p.role == Role::Settling)?;
    let clamped = plan
        .connections
        .iter()
        .any(|c| c.post == output && readout && plan.populations[c.pre].role == Role::Clamped);
    let fits = !readout || (settling == [&*plan.populations[last].name] && !clamped);
    (!fits).then(|| {
        (
            format!(
                "the readout reads {}, but a nudge acts on {} alone",
                settling.join(", "),
                plan.populations[last].name
            ),
            "let one settling population lead to the readout, or use objective.squared-error".into(),
        )
    })
}

/// Lists of one value per connection have a meaning along a chain only.
fn lists(recipe: &Recipe, plan: &NetworkPlan<'_>) -> PartRefusal {
    let of_whole = || {
        let wiring = || list("wiring", &recipe.wiring);
        list("optim", &recipe.optim).or_else(wiring).or_else(|| list("synapse", &recipe.synapse))
    };
    let of_one = recipe.connection.iter().find_map(|(name, table)| {
        let of = |key: &str| format!("connection.{name}.{key}");
        let wiring = table.wiring.as_ref().and_then(|w| list(&of("wiring"), w));
        let optim = || table.optim.as_ref().and_then(|o| list(&of("optim"), o));
        wiring.or_else(optim).or_else(|| table.synapse.as_ref().and_then(|s| list(&of("synapse"), s)))
    });
    let key = of_one.or_else(|| if plan.is_chain() { None } else { of_whole() })?;
    Some((
        format!("{key} is a list of one value per connection of the chain, which says nothing here"),
        "give one value, and others to connections by name".into(),
    ))
}

/// Mixed sweeps are of two groups of populations.
fn groups(recipe: &Recipe, plan: &NetworkPlan<'_>) -> PartRefusal {
    let mixes = recipe.solver.method().traits().history > 0 && !plan.is_chain();
    mixes.then(|| {
        let message = format!(
            "solver.{} moves the two groups of a chain, and this network is none",
            variant_name(&recipe.solver)
        );
        (message, "use solver.even-odd, which takes as many groups as there are".into())
    })
}

/// The first key of a member whose value is a list of numbers.
fn list(axis: &str, member: &impl serde::Serialize) -> Option<String> {
    let members = serde_json::to_value(member).ok()?;
    let (name, table) = members.as_object()?.iter().next()?;
    let is_list = |v: &Value| v.as_array().is_some_and(|list| list.iter().all(Value::is_number));
    table.as_object()?.iter().find(|(_, v)| is_list(v)).map(|(key, _)| format!("{axis}.{name}.{key}"))
}
