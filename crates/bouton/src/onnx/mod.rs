//! A trained feed-forward network as an ONNX file, for other programs to ask.
//!
//! Input: `input`, [batch, channels, height, width] or [batch, numbers], as `bouton predict` takes samples, pixels on the scale from 0
//! to 1; what the recipe does to samples before a network sees them is part of the graph. Outputs: `logits` (`values` where targets are
//! values), one column for each output, and `probabilities` where the objective has them, of each head's outputs apart. Numbers are of
//! single precision. What has no form in ONNX is refused by its name.

mod graph;
mod layers;
mod units;
mod wire;

use crate::axis::variant_name;
use crate::error::{Error, Result};
use crate::network::{Network, PopId, Role, Shape};
use crate::objective::TargetKind;
use crate::recipe::{NetworkPlan, Recipe};
use crate::task::{InputStep, SampleInput, outputs, sample_input};
use crate::train::Trained;
use graph::{Graph, Setting, samples};
use layers::{Value, connection, reshape, shifted};
use serde_json::json;
use std::ops::Range;

/// A network as an ONNX file.
#[derive(Clone, Debug)]
pub struct Model {
    /// The file.
    pub file: Vec<u8>,
    /// The shape of a sample.
    pub input: Vec<usize>,
    /// Names and numbers of its outputs.
    pub outputs: Vec<(&'static str, usize)>,
}

/// The network as it answers to samples of task `task`, counted from 1; none is needed where all tasks look at samples alike.
///
/// # Errors
/// [`Error::Incompatible`] with the name of what has no form in ONNX; [`Error::Config`] if there is no such task.
pub fn export(trained: &mut Trained, task: Option<usize>) -> Result<Model> {
    let recipe = trained.recipe().clone();
    let task = the_task(trained, &recipe, task)?;
    let (input, heads) = (sample_input(&recipe, task)?, trained.heads(task));
    let said = said(trained, &recipe, &heads)?;
    trained.as_answering(task, |network| {
        feed_forward(&recipe, network)?;
        let mut graph = Graph::default();
        let shape = shape(&input);
        let shown = shown(&mut graph, &input);
        let logits = outputs_of(&mut graph, &recipe, network, &shown)?;
        let units = network.populations[network.output()].units;
        let outputs = named_outputs(&mut graph, &recipe, network, &logits, &heads, units)?;
        let about = if input.pixels { "pixels from 0 to 1" } else { "numbers" };
        let columns = outputs.iter().map(|(name, n)| samples(name, &[*n], "")).collect::<Vec<_>>();
        let file = graph.file(&recipe.name, &[samples("input", &shape, about)], &columns, &said);
        Ok(Model { file, input: shape, outputs })
    })
}

/// The task that samples belong to, from 0: the first one where it makes no difference.
fn the_task(trained: &Trained, recipe: &Recipe, task: Option<usize>) -> Result<usize> {
    let own_norms = recipe.norms().any(|(_, norm)| norm.method().traits().per_task);
    let inputs = (0..trained.tasks()).map(|task| sample_input(recipe, task)).collect::<Result<Vec<_>>>();
    let alike = inputs.is_ok_and(|all| all.iter().all(|input| *input == all[0])) && !own_norms;
    trained.task(if alike { task.or(Some(1)) } else { task })
}

/// Refuses answers that no single pass gives.
fn feed_forward(recipe: &Recipe, network: &Network) -> Result<()> {
    if network.with_role(Role::Settling).next().is_some() {
        return Err(Error::incompatible(
            "the network settles: its answer is the end of an iteration, not of one pass, and has no form in ONNX",
            "networks of neuron.relu, sign or gate have one",
        ));
    }
    if recipe.run.test_draws.is_some() && !network.sampled_weights().is_empty() {
        return Err(Error::incompatible(
            "run.test-draws averages the answers of drawn networks, and a file holds one",
            "train without it: the file then answers with the mean weights",
        ));
    }
    Ok(())
}

/// The shape of a sample in the file.
fn shape(input: &SampleInput) -> Vec<usize> {
    if is_row(input) { vec![input.shape[2]] } else { input.shape.to_vec() }
}

/// Whether samples are rows of numbers.
fn is_row(input: &SampleInput) -> bool {
    input.shape[..2] == [1, 1] && input.steps.is_empty()
}

/// What the network sees of the input.
fn shown(graph: &mut Graph, input: &SampleInput) -> Value {
    let of = |[channels, height, width]: [usize; 3]| Shape { height, width, channels };
    let (mut shape, mut name) = (input.shape, String::from("input"));
    if is_row(input) {
        return Value { name, shape: Shape { height: 1, width: 1, channels: shape[2] } };
    }
    for step in &input.steps {
        name = match step {
            InputStep::Pad { before, after } => {
                shape = [shape[0], shape[1] + before[0] + after[0], shape[2] + before[1] + after[1]];
                let sides = [0, 0, before[0], before[1], 0, 0, after[0], after[1]].map(|n| n as i64);
                let sides = graph.ints(&sides);
                graph.op("Pad", &[&name, &sides], &[])
            }
            InputStep::Order(order) => {
                let order: Vec<i64> = order.iter().map(|&i| i64::from(i)).collect();
                let (flat, order) = (graph.op("Flatten", &[&name], &[]), graph.ints(&order));
                let moved = graph.op("Gather", &[&flat, &order], &[("axis", Setting::Int(1))]);
                reshape(graph, &moved, &shape)
            }
            InputStep::Normalise(numbers) => {
                let channels = [shape[0], 1, 1];
                let mean = graph.floats("input.mean", &channels, &numbers.mean);
                let std = graph.floats("input.std", &channels, &numbers.std);
                let centred = graph.op("Sub", &[&name, &mean], &[]);
                graph.op("Div", &[&centred, &std], &[])
            }
            InputStep::Signs => {
                let [half, plus, minus] = [0.5, 1.0, -1.0].map(|x| graph.float(x));
                let on = graph.op("GreaterOrEqual", &[&name, &half], &[]);
                graph.op("Where", &[&on, &plus, &minus], &[])
            }
        };
    }
    // One pixel is the channels of a population without places.
    let name = if shape[1] * shape[2] == 1 { graph.op("Flatten", &[&name], &[]) } else { name };
    Value { name, shape: of(shape) }
}

/// [batch, units] of the output, through all populations that lead to it.
fn outputs_of(graph: &mut Graph, recipe: &Recipe, network: &Network, input: &Value) -> Result<String> {
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

/// Some columns of rows.
fn slice(graph: &mut Graph, rows: &str, columns: &Range<usize>) -> String {
    let [start, end, axis] = [columns.start as i64, columns.end as i64, 1].map(|i| graph.ints(&[i]));
    graph.op("Slice", &[rows, &start, &end, &axis], &[])
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

/// The outputs of the file, made of those of the network.
fn named_outputs(
    graph: &mut Graph,
    recipe: &Recipe,
    network: &Network,
    logits: &str,
    heads: &[Range<usize>],
    units: usize,
) -> Result<Vec<(&'static str, usize)>> {
    let name = if recipe.task.method().targets() == TargetKind::Classes { "logits" } else { "values" };
    graph.named(name, "Identity", &[logits], &[]);
    let objective = recipe.objective.build();
    let temperature = objective.softmax(&network.objective_values());
    if !recipe.objective.method().traits().log_likelihood {
        return Ok(vec![(name, units)]);
    }
    let Some(temperature) = temperature else {
        let objective = variant_name(&recipe.objective);
        return Err(Error::incompatible(
            format!("the probabilities of objective.{objective} have no form in ONNX"),
            "those of objective.softmax-cross-entropy have one",
        ));
    };
    let temperature = graph.float(temperature);
    let colder = graph.op("Div", &[logits, &temperature], &[]);
    let each: Vec<String> = heads
        .iter()
        .map(|head| {
            let own = slice(graph, &colder, head);
            graph.op("Softmax", &[&own], &[("axis", Setting::Int(1))])
        })
        .collect();
    let each: Vec<&str> = each.iter().map(String::as_str).collect();
    graph.named("probabilities", "Concat", &each, &[("axis", Setting::Int(1))]);
    Ok(vec![(name, units), ("probabilities", heads.iter().map(ExactSizeIterator::len).sum())])
}

/// What the file says of itself: the recipe, who wrote it, what outputs stand for and which belong together.
fn said(trained: &Trained, recipe: &Recipe, heads: &[Range<usize>]) -> Result<Vec<(String, String)>> {
    let names: Vec<Vec<String>> =
        (0..trained.tasks()).map(|task| outputs(recipe, task)).collect::<Result<_>>()?;
    let borders: Vec<[usize; 2]> = heads.iter().map(|head| [head.start, head.end]).collect();
    let mut said = vec![
        ("name".into(), recipe.name.clone()),
        ("recipe".into(), recipe.hash()),
        ("version".into(), env!("CARGO_PKG_VERSION").into()),
        ("updates".into(), trained.updates.to_string()),
        ("heads".into(), json!(borders).to_string()),
    ];
    if names.iter().all(|of_task| *of_task == names[0]) {
        said.push(("classes".into(), json!(names[0]).to_string()));
    } else {
        let of_task = |(task, names): (usize, &Vec<String>)| {
            (format!("classes.{}", task + 1), json!(names).to_string())
        };
        said.extend(names.iter().enumerate().map(of_task));
    }
    Ok(said)
}
