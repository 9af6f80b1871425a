//! `continual.json`: the matrix of accuracies of a sequence of tasks, its metrics by definition, and what the run was
//! told about tasks, and when.

use super::memory::Memory;
use super::{RunDir, atomic};
use crate::anchor::AnchorSpec;
use crate::error::Result;
use crate::norm::NormSpec;
use crate::recipe::{Recipe, tag};
use crate::task::{Policy, Scenario, SequenceSpec};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Definitions of the metrics, by name.
pub(crate) const DEFINITIONS: [(&str, &str); 6] = [
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

/// What a run is told about its tasks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Told {
    boundaries_in_training: Vec<&'static str>,
    task_known_in_testing: Vec<&'static str>,
}

impl Told {
    /// As one list of words.
    pub fn list(&self) -> Vec<String> {
        let training = self.boundaries_in_training.iter().map(|what| format!("training: {what}"));
        training.chain(self.task_known_in_testing.iter().map(|what| format!("testing: {what}"))).collect()
    }
}

/// Where the learner is told that a task ended, or which task it sees.
pub(crate) fn told(recipe: &Recipe) -> Told {
    let bounded =
        recipe.sequence != SequenceSpec::Single && !matches!(recipe.sequence, SequenceSpec::Subsets(_));
    let per_task = matches!(&recipe.norm, NormSpec::Batch(n) if n.per_task);
    let task_il = recipe.continual.scenario == Scenario::Task;
    let replay = recipe.continual.replay.as_ref().map(|r| r.policy);
    let which = |list: &[(bool, &'static str)]| -> Vec<_> {
        list.iter().filter(|(yes, _)| bounded && *yes).map(|(_, what)| *what).collect()
    };
    // A reservoir needs no boundary, but what it holds is said of streams without boundaries, too.
    let kept = replay.map(|policy| match policy {
        Policy::Balanced => "samples of earlier tasks are kept, as many of each class, when a task ends",
        Policy::Reservoir => "samples of earlier tasks are kept, without knowing where a task ends",
    });
    Told {
        boundaries_in_training: [
            which(&[
                (recipe.anchor != AnchorSpec::None, "the anchor consolidates at the end of a task"),
                (recipe.continual.reset_optimiser, "the optimiser's state is forgotten at the end of a task"),
                (per_task, "the normalisation of a task is kept at its end"),
                (recipe.continual.scenario != Scenario::Domain, "outputs depend on the task"),
            ]),
            kept.into_iter().collect(),
        ]
        .concat(),
        task_known_in_testing: which(&[
            (task_il, "only the outputs of the task count"),
            (per_task, "the task's own normalisation is used"),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_samples_are_told() {
        let base = "[task.digits]\nbatch = 10\nepochs = 1\n[network]\nlayers = [64, 8, 10]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
        let list = |text: &str| told(&toml::from_str(&format!("{base}{text}")).unwrap()).list();
        let permuted = "[sequence.permuted]\ntasks = 2\n";
        assert!(list(permuted).is_empty());
        let balanced = list(&format!("{permuted}[continual.replay]\nsize = 10\n"));
        assert_eq!(
            balanced,
            ["training: samples of earlier tasks are kept, as many of each class, when a task ends"]
        );
        let stream = "[sequence.subsets]\nparts = 2\n[continual.replay]\nsize = 10\npolicy = \"reservoir\"\n";
        assert_eq!(
            list(stream),
            ["training: samples of earlier tasks are kept, without knowing where a task ends"]
        );
    }
}
