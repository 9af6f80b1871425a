//! Populations and connections as the tables of a recipe name them, before they have numbers.

use super::ConnectionKind;
use crate::error::{Error, Result};
use crate::network::{Carries, NetworkSpec, Shape};
use crate::recipe::{ConnectionSpec, PopulationSpec, Recipe};
use std::ops::Range;

/// A population before it has a place in the order.
pub(super) struct Draft<'a> {
    pub name: String,
    pub layer: Option<usize>,
    pub shape: Shape,
    pub clamp: Option<Clamp<'a>>,
    pub table: Option<&'a PopulationSpec>,
}

/// What a clamped population shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Clamp<'a> {
    /// Whole samples.
    Whole,
    /// An input of the task.
    Input(&'a str),
}

/// A connection before its populations have numbers. One that carries errors alone goes, like all others, from the population that
/// is computed first to the one that is computed behind it: against the errors.
pub(super) struct Edge<'a> {
    pub name: String,
    pub pre: String,
    pub post: String,
    pub kind: ConnectionKind<'a>,
    pub table: Option<&'a ConnectionSpec>,
}

impl Edge<'_> {
    pub(super) fn delay(&self) -> usize {
        self.table.map_or(0, |t| t.delay)
    }

    pub(super) fn carries(&self) -> Carries {
        self.table.map_or(Carries::Both, |t| t.carries)
    }

    fn has_weights(&self) -> bool {
        !matches!(self.kind, ConnectionKind::Skip(skip) if skip.kernel.is_none())
    }
}

/// The populations of the chain, then those beside it by name.
pub(super) fn populations(recipe: &Recipe) -> Result<Vec<Draft<'_>>> {
    let mut clamps =
        recipe.population.iter().filter_map(|(name, table)| Some((name, table.clamp.as_deref()?)));
    if let Some((name, input)) = clamps.find(|(_, input)| size(recipe, input).is_none()) {
        return Err(unknown(recipe, name, input));
    }
    let shapes = recipe.network.shapes()?;
    let last = shapes.len().saturating_sub(1);
    let names = |layer: usize| match layer {
        0 => "input".to_owned(),
        _ if layer == last => "output".to_owned(),
        _ => format!("hidden{layer}"),
    };
    let mut drafts = Vec::new();
    for (layer, &shape) in shapes.iter().enumerate() {
        let name = names(layer);
        let table = recipe.population.get(&name);
        if let Some(units) = table.and_then(|t| t.units).filter(|units| *units != shape.units()) {
            let message =
                format!("population.{name}.units is {units}, but network.layers says {}", shape.units());
            return Err(Error::shape(message).with_hint("leave it out"));
        }
        let clamp = table.and_then(|t| t.clamp.as_deref()).map(Clamp::Input);
        let clamp = clamp.or_else(|| (layer == 0).then(|| first(recipe, shape)));
        drafts.push(Draft { name, layer: Some(layer), shape, clamp, table });
    }
    let extra = recipe
        .population
        .iter()
        .filter(|(name, _)| !drafts.iter().any(|d| d.name == **name))
        .collect::<Vec<_>>();
    let chain: Vec<String> = drafts.iter().map(|d| format!("`{}`", d.name)).collect();
    for (name, table) in extra {
        let Some(units) = table.units.or_else(|| size(recipe, table.clamp.as_deref()?)) else {
            let message = format!("population.{name} has no units, and is none of the chain");
            return Err(Error::config(message)
                .with_hint(format!("give it units; the chain has {}", chain.join(", "))));
        };
        let shape = Shape { height: 1, width: 1, channels: units };
        drafts.push(Draft {
            name: name.clone(),
            layer: None,
            shape,
            clamp: table.clamp.as_deref().map(Clamp::Input),
            table: Some(table),
        });
    }
    Ok(drafts)
}

/// The name of the population that is compared with the target.
pub(super) fn output(drafts: &[Draft<'_>], network: &NetworkSpec) -> Result<String> {
    let name = network.output.clone().unwrap_or_else(|| "output".to_owned());
    if drafts.iter().any(|d| d.name == name && d.clamp.is_none()) {
        return Ok(name);
    }
    let clamped = drafts.iter().any(|d| d.name == name);
    let why = if clamped { "is clamped" } else { "is no population" };
    let free: Vec<&str> = drafts.iter().filter(|d| d.clamp.is_none()).map(|d| &*d.name).collect();
    Err(Error::config(format!("network.output = \"{name}\" {why}"))
        .with_hint(format!("it can be {}", free.join(", "))))
}

/// The connections of the chain, skips, and those beside by name.
pub(super) fn connections<'a>(recipe: &'a Recipe, drafts: &[Draft<'a>]) -> Result<Vec<Edge<'a>>> {
    let chain: Vec<&str> = drafts.iter().filter(|d| d.layer.is_some()).map(|d| &*d.name).collect();
    let table = |name: &str| recipe.connection.get(name);
    let mut edges: Vec<Edge<'a>> = Vec::new();
    for layer in 1..chain.len() {
        let [pre, post] = [chain[layer - 1], chain[layer]].map(str::to_owned);
        let name = format!("{pre}-{post}");
        edges.push(Edge { table: table(&name), name, pre, post, kind: ConnectionKind::Chain(layer) });
    }
    for skip in &recipe.network.skips {
        let (Some(pre), Some(post)) = (chain.get(skip.from), chain.get(skip.to)) else {
            let (from, to) = (skip.from, skip.to);
            let message = format!("network.skips joins layer {from} to {to}, but there are {}", chain.len());
            return Err(Error::shape(message));
        };
        let name = format!("{pre}-{post}-skip");
        let kind = ConnectionKind::Skip(skip);
        edges.push(Edge { table: table(&name), name, pre: (*pre).into(), post: (*post).into(), kind });
    }
    for (i, edge) in edges.iter().enumerate() {
        ends_agree(edge)?;
        if edge.has_weights() && edges[..i].iter().any(|e| e.has_weights() && e.name == edge.name) {
            let message = format!("network.skips has two connections called {}", edge.name);
            return Err(Error::config(message).with_hint("join the two by one kernel"));
        }
    }
    let named = |name: &str| edges.iter().any(|e| e.name == name);
    let extra = recipe
        .connection
        .iter()
        .filter(|(name, _)| !named(name))
        .map(|(name, table)| named_connection(name, table, drafts, &edges));
    let extra = extra.collect::<Result<Vec<_>>>()?;
    edges.extend(extra);
    Ok(edges)
}

/// A table for a connection of the chain says nothing else about its ends.
fn ends_agree(edge: &Edge<'_>) -> Result<()> {
    let Some(ConnectionSpec { from, to, .. }) = edge.table else { return Ok(()) };
    for (key, given, is) in [("from", from, &edge.pre), ("to", to, &edge.post)] {
        if let Some(given) = given.as_ref().filter(|given| *given != is) {
            let message = format!(
                "connection.{}.{key} is \"{given}\", but this connection of the chain has \"{is}\"",
                edge.name
            );
            return Err(Error::config(message).with_hint("leave it out, or give the connection another name"));
        }
    }
    Ok(())
}

fn named_connection<'a>(
    name: &str,
    table: &'a ConnectionSpec,
    drafts: &[Draft<'a>],
    chain: &[Edge<'a>],
) -> Result<Edge<'a>> {
    let end = |key: &str, given: &Option<String>| {
        let Some(given) = given else {
            let names: Vec<String> = chain.iter().map(|e| format!("`{}`", e.name)).collect();
            let message = format!("connection.{name} has no `{key}`, and is none of the chain");
            return Err(Error::config(message)
                .with_hint(format!("give it from and to; the chain has {}", names.join(", "))));
        };
        if drafts.iter().any(|d| d.name == *given) {
            return Ok(given.clone());
        }
        let names: Vec<&str> = drafts.iter().map(|d| &*d.name).collect();
        let message = format!("connection.{name}.{key} = \"{given}\" is no population");
        Err(Error::config(message).with_hint(format!("there are {}", names.join(", "))))
    };
    let (from, to) = (end("from", &table.from)?, end("to", &table.to)?);
    let (pre, post) = if table.carries == Carries::Errors { (to, from) } else { (from, to) };
    Ok(Edge { name: name.to_owned(), pre, post, kind: ConnectionKind::Dense, table: Some(table) })
}

/// What the first layer shows: the first input of a task with several, unless it is wide enough for all of them.
fn first(recipe: &Recipe, shape: Shape) -> Clamp<'_> {
    let inputs = inputs(recipe);
    let total: usize = inputs.iter().map(|(_, size)| size).sum();
    if inputs.len() == 1 || shape.units() == total { Clamp::Whole } else { Clamp::Input(inputs[0].0) }
}

/// Columns of an input of the task.
fn size(recipe: &Recipe, input: &str) -> Option<usize> {
    inputs(recipe).into_iter().find(|(name, _)| *name == input).map(|(_, size)| size)
}

/// The inputs of the task; a sequence may change the size of images, the only input of their tasks.
fn inputs(recipe: &Recipe) -> Vec<(&'static str, usize)> {
    let mut inputs = recipe.task.inputs();
    if let [(_, size)] = &mut inputs[..] {
        *size = recipe.seen_sides().0;
    }
    inputs
}

/// The columns that a population shows.
pub(super) fn columns(recipe: &Recipe, name: &str, input: &str, shape: Shape) -> Result<Range<usize>> {
    let mut first = 0;
    let inputs = inputs(recipe);
    for (known, size) in &inputs {
        if *known == input && *size != shape.units() {
            let message = format!(
                "population.{name} has {} units, but the input `{input}` of the task has {size}",
                shape.units()
            );
            return Err(Error::shape(message).with_hint(format!("give it {size} units")));
        }
        if *known == input {
            return Ok(first..first + size);
        }
        first += size;
    }
    Err(unknown(recipe, name, input))
}

fn unknown(recipe: &Recipe, name: &str, input: &str) -> Error {
    let names: Vec<String> = recipe.task.inputs().iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("population.{name}.clamp = \"{input}\" is no input of task.{}", recipe.task.name());
    Error::config(message).with_hint(format!("it has {}", names.join(", ")))
}
