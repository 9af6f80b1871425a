//! One population after the other, from the input to the output.

use super::graph::Graph;
use super::layers::{Value, connection, shifted};
use super::units;
use crate::error::{Error, Result};
use crate::network::{Network, PopId, Role, Shape};
use crate::recipe::{NetworkPlan, Recipe};
use std::ops::Range;

/// [batch, units] of the output, through all populations that lead to it.
pub(super) fn outputs_of(
    graph: &mut Graph,
    recipe: &Recipe,
    network: &Network,
    input: &Value,
) -> Result<String> {
    let plan = NetworkPlan::new(recipe)?;
    let leads = leading(network);
    let mut values: Vec<Option<Value>> = vec![None; network.populations.len()];
    for (p, node) in network.populations.iter().enumerate().filter(|(p, _)| leads[*p]) {
        values[p] = Some(if node.role == Role::Clamped {
            part(graph, input, &node.columns, node.shape)
        } else {
            let drive = drive(graph, network, p, &values)?;
            let drive = shifted(graph, node, plan.populations[p].norm, drive)?;
            let neuron = plan.populations[p].neuron;
            // Units that an objective judges are linear.
            if plan.populations[p].is_judged() {
                drive
            } else {
                Value { name: units::hidden(graph, neuron, &drive.name)?, shape: drive.shape }
            }
        });
    }
    let output = values[network.output()].take();
    let output = output.ok_or_else(|| Error::shape("the network has no output"))?;
    Ok(output.rows(graph))
}

/// Which populations lead to the output.
fn leading(network: &Network) -> Vec<bool> {
    let mut leads = vec![false; network.populations.len()];
    leads[network.output()] = true;
    for post in (0..leads.len()).rev().filter(|&p| network.populations[p].role != Role::Clamped) {
        if leads[post] {
            network
                .connections
                .iter()
                .filter(|c| c.post == post && c.carries_activity())
                .for_each(|c| leads[c.pre] = true);
        }
    }
    leads
}

/// The columns of the input that a population shows.
fn part(graph: &mut Graph, input: &Value, columns: &Range<usize>, shape: Shape) -> Value {
    if input.shape == shape {
        return input.clone();
    }
    let rows = input.rows(graph);
    if *columns == (0..input.shape.units()) {
        return Value::of_rows(graph, rows, shape);
    }
    let rows = slice(graph, &rows, columns);
    Value::of_rows(graph, rows, shape)
}

/// The sum of what enters a population.
fn drive(graph: &mut Graph, network: &Network, p: PopId, values: &[Option<Value>]) -> Result<Value> {
    let node = &network.populations[p];
    let mut sum: Option<Value> = None;
    for c in network.connections.iter().filter(|c| c.post == p && c.carries_activity()) {
        let pre = values[c.pre].as_ref().ok_or_else(|| {
            Error::incompatible(
                format!("{} goes back in time, which has no form in ONNX", c.name),
                "leave it out",
            )
        })?;
        let term = connection(graph, c, pre, node.shape)?;
        sum = Some(match sum {
            Some(sum) => sum.with(graph, "Add", &term.name),
            None => term,
        });
    }
    sum.ok_or_else(|| Error::shape(format!("nothing enters {}", node.name)))
}

/// Some columns of rows.
pub(super) fn slice(graph: &mut Graph, rows: &str, columns: &Range<usize>) -> String {
    let [start, end, axis] = [columns.start as i64, columns.end as i64, 1].map(|i| graph.ints(&[i]));
    graph.op("Slice", &[rows, &start, &end, &axis], &[])
}
