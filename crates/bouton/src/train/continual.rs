//! `continual.json`: the matrix of accuracies of a sequence of tasks, its metrics by definition, and what the run was
//! told about tasks, and when.

use super::memory::Memory;
use super::{RunDir, atomic};
use crate::anchor::AnchorSpec;
use crate::error::Result;
use crate::norm::NormSpec;
use crate::recipe::{Recipe, tag};
use crate::task::{Scenario, SequenceSpec};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Definitions of the metrics, by name.
const DEFINITIONS: [(&str, &str); 6] = [
    ("acc", "mean over seen tasks j of R[T][j]"),
    ("learning-accuracy", "mean over seen tasks j of R[j][j]"),
    ("bwt", "mean over j < T of R[T][j] - R[j][j] (Lopez-Paz & Ranzato 2017)"),
    ("fwt", "mean over j > 1 of R[j-1][j] - b[j], b before training (Lopez-Paz & Ranzato 2017)"),
    ("forgetting.from-learning", "mean over j < T of R[j][j] - R[T][j]"),
    ("forgetting.from-best", "mean over j < T of max_i R[i][j] - R[T][j] (Chaudhry et al. 2018)"),
];

/// Writes the file of a run with these `metrics`.
pub(super) fn write(
    dir: &RunDir,
    recipe: &Recipe,
    memory: &Memory,
    metrics: &BTreeMap<String, f64>,
) -> Result<()> {
    let value = json!({
        "tasks": tag(&recipe.sequence),
        "scenario": recipe.continual.scenario,
        "told": told(recipe),
        "baseline": numbers(&memory.baseline),
        "accuracy": memory.rows.iter().map(|r| numbers(r)).collect::<Vec<_>>(),
        "metrics": metrics,
        "definitions": DEFINITIONS.map(|(k, v)| (k.to_owned(), Value::from(v))).into_iter().collect::<serde_json::Map<_, _>>(),
    });
    atomic::write(dir.continual(), format!("{value:#}\n"))
}

/// JSON has no NaN: what was not tested is null.
fn numbers(row: &[f64]) -> Vec<Value> {
    row.iter().map(|&x| if x.is_finite() { Value::from(x) } else { Value::Null }).collect()
}

/// [`told`] as one list of words.
pub fn told_list(recipe: &Recipe) -> Vec<String> {
    let told = told(recipe);
    let of = |phase: &str, label: &str| -> Vec<String> {
        let items = told[phase].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.map(|what| format!("{label}: {what}")).collect()
    };
    [of("boundaries-in-training", "training"), of("task-known-in-testing", "testing")].concat()
}

/// Where the learner is told that a task ended, or which task it sees.
pub fn told(recipe: &Recipe) -> Value {
    let bounded =
        recipe.sequence != SequenceSpec::Single && !matches!(recipe.sequence, SequenceSpec::Subsets(_));
    let per_task = matches!(&recipe.norm, NormSpec::Batch(n) if n.per_task);
    let task_il = recipe.continual.scenario == Scenario::Task;
    let which = |list: &[(bool, &str)]| {
        list.iter().filter(|(yes, _)| bounded && *yes).map(|(_, what)| Value::from(*what)).collect::<Vec<_>>()
    };
    json!({
        "boundaries-in-training": which(&[
            (recipe.anchor != AnchorSpec::None, "the anchor consolidates at the end of a task"),
            (recipe.continual.reset_optimiser, "the optimiser's state is forgotten at the end of a task"),
            (per_task, "the normalisation of a task is kept at its end"),
            (recipe.continual.scenario != Scenario::Domain, "outputs depend on the task"),
        ]),
        "task-known-in-testing": which(&[
            (task_il, "only the outputs of the task count"),
            (per_task, "the task's own normalisation is used"),
        ]),
    })
}
