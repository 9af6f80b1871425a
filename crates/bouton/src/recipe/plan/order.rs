//! The order of populations follows the graph, never the file: clamped ones, then each behind what drives it (those of the chain
//! first, then by name), and the output last.

use super::draft::{Clamp, Draft, Edge};
use crate::error::{Error, Result};
use crate::recipe::Recipe;

/// Numbers of drafts in their order.
pub(super) fn of(
    recipe: &Recipe,
    drafts: &[Draft<'_>],
    edges: &[Edge<'_>],
    output: &str,
) -> Result<Vec<usize>> {
    ends(recipe, drafts, edges, output)?;
    let settles = |d: &Draft<'_>| {
        d.table.and_then(|t| t.neuron.as_ref()).unwrap_or(&recipe.neuron).method().traits().settles()
    };
    let mut order: Vec<usize> = (0..drafts.len()).filter(|&d| drafts[d].clamp.is_some()).collect();
    let mut left: Vec<usize> =
        (0..drafts.len()).filter(|&d| drafts[d].clamp.is_none() && drafts[d].name != output).collect();
    while !left.is_empty() {
        let waits = |&&d: &&usize| {
            let open =
                |e: &&Edge<'_>| e.post == drafts[d].name && !order.iter().any(|&o| drafts[o].name == e.pre);
            edges.iter().any(|e| open(&e))
        };
        let ready = left.iter().find(|d| !waits(d)).copied();
        // Populations that settle move together: their loops are parts of one energy.
        let next = ready.or_else(|| left.iter().copied().find(|&d| settles(&drafts[d])));
        let Some(next) = next else { return Err(loops(drafts, &left, output, edges)) };
        order.push(next);
        left.retain(|&d| d != next);
    }
    order.extend((0..drafts.len()).filter(|&d| drafts[d].name == output));
    Ok(order)
}

fn loops(drafts: &[Draft<'_>], left: &[usize], output: &str, edges: &[Edge<'_>]) -> Error {
    let names: Vec<&str> = left.iter().map(|&d| &*drafts[d].name).collect();
    if let Some(edge) = edges.iter().find(|e| e.pre == output) {
        let message = format!("connection.{} leads on from {output}, which is computed last", edge.name);
        return Error::config(message)
            .with_hint("let it start from what drives the output, or choose another network.output");
    }
    let message = format!("{} drive each other in a loop, but their units do not settle", names.join(", "));
    Error::config(message).with_hint("remove a connection, or use units that settle")
}

/// Refuses connections that lead nowhere, and populations that nothing leads to or from.
fn ends(recipe: &Recipe, drafts: &[Draft<'_>], edges: &[Edge<'_>], output: &str) -> Result<()> {
    for edge in edges {
        if drafts.iter().any(|d| d.name == edge.post && d.clamp.is_some()) {
            let message = format!("connection.{} leads to {}, which shows the data", edge.name, edge.post);
            return Err(Error::config(message).with_hint("let it lead to a population that is not clamped"));
        }
        if edge.pre == edge.post {
            let message = format!("connection.{} joins {} with itself", edge.name, edge.pre);
            return Err(Error::config(message).with_hint("connections within a population are not there yet"));
        }
    }
    for draft in drafts {
        let name = &draft.name;
        if draft.clamp.is_none() && !edges.iter().any(|e| e.post == *name) {
            return Err(Error::config(format!("nothing leads to population {name}"))
                .with_hint(format!("add a connection with to = \"{name}\"")));
        }
        let judged = draft.table.is_some_and(|t| t.objective.is_some());
        if *name != output && !judged && !edges.iter().any(|e| e.pre == *name) {
            return Err(Error::config(format!("nothing leads on from population {name}"))
                .with_hint(format!("add a connection with from = \"{name}\", or make it network.output")));
        }
    }
    for (input, _) in recipe.task.inputs() {
        let shows =
            |d: &Draft<'_>| d.clamp.is_some_and(|clamp| [Clamp::Whole, Clamp::Input(input)].contains(&clamp));
        if !drafts.iter().any(shows) {
            let message = format!("no population shows the input `{input}` of task.{}", recipe.task.name());
            return Err(Error::config(message)
                .with_hint(format!("add [population.{input}] with clamp = \"{input}\"")));
        }
    }
    Ok(())
}
