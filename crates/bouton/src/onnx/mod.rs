//! A trained feed-forward network as an ONNX file, for other programs to ask.
//!
//! Input: `input`, [batch, channels, height, width] or [batch, numbers], as `bouton predict` takes samples, pixels on the scale from 0
//! to 1; what the recipe does to samples before a network sees them is part of the graph. Outputs: `logits` (`values` where targets are
//! values), one column for each output, and `probabilities` where the objective has them, of each head's outputs apart. Numbers are of
//! single precision. What has no form in ONNX is refused by its name.

mod graph;
mod input;
mod layers;
mod populations;
mod units;
mod wire;

use crate::axis::variant_name;
use crate::error::{Error, Result};
use crate::network::{Network, Role};
use crate::objective::TargetKind;
use crate::recipe::Recipe;
use crate::task::{outputs, sample_input};
use crate::train::Trained;
use graph::{Graph, Setting, samples};
use input::{shape, shown};
use populations::{outputs_of, slice};
use serde_json::json;
use std::ops::Range;

/// No reader of protocol buffers takes a larger message.
const MOST_BYTES: usize = i32::MAX as usize;

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
        if file.len() > MOST_BYTES {
            let message =
                format!("the file would have {} bytes, and readers take at most {MOST_BYTES}", file.len());
            return Err(Error::incompatible(
                message,
                "use fewer units, or binary weights, which take a byte each",
            ));
        }
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
            "networks of neuron.relu, sign or gate have one, and of neuron.rate with tanh or sigmoid",
        ));
    }
    if network.steps_in_time() {
        return Err(Error::incompatible(
            "the network moves in time: its answer is that of many steps, not of one pass, and has no form in ONNX",
            "networks of neuron.relu, sign or gate have one, and of neuron.rate with tanh or sigmoid",
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

fn is_classified(recipe: &Recipe) -> bool {
    recipe.task.method().targets() == TargetKind::Classes
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
    let name = if is_classified(recipe) { "logits" } else { "values" };
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
    let key = if is_classified(recipe) { "classes" } else { "values" };
    if names.iter().all(|of_task| *of_task == names[0]) {
        said.push((key.into(), json!(names[0]).to_string()));
    } else {
        let of_task =
            |(task, names): (usize, &Vec<String>)| (format!("{key}.{}", task + 1), json!(names).to_string());
        said.extend(names.iter().enumerate().map(of_task));
    }
    Ok(said)
}
