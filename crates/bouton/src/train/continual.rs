//! `continual.json`: the matrix of accuracies of a sequence of tasks, its metrics by definition, and what the run was
//! told about tasks, and when.

use super::task_history::TaskHistory;
use super::{RunDir, atomic};
use crate::error::{Error, Result};
use crate::recipe::{Recipe, variant_name};
use crate::task::{Policy, Scenario};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Definitions of the metrics, by name.
pub(crate) const DEFINITIONS: [(&str, &str); 7] = [
    ("acc", "mean over seen tasks j of R[T][j]"),
    ("learning-accuracy", "mean over seen tasks j of R[j][j]"),
    ("bwt", "mean over j < T of R[T][j] - R[j][j] (Lopez-Paz & Ranzato 2017)"),
    ("fwt", "mean over j > 1 of R[j-1][j] - b[j], b before training (Lopez-Paz & Ranzato 2017)"),
    ("forgetting.from-learning", "mean over j < T of R[j][j] - R[T][j], as in Avalanche: minus bwt"),
    (
        "forgetting.from-best",
        "mean over j < T of max_(i < T) R[i][j] - R[T][j] (Chaudhry et al. 2018, equation 3)",
    ),
    (
        "forgetting.from-peak",
        "mean over j < T of max_(i <= T) R[i][j] - R[T][j], as in Mammoth: never negative",
    ),
];

/// Writes the file of a run with these `metrics`; `classes` are those of each task in the order of its outputs, where
/// tasks are parts of the classes.
pub(super) fn write(
    dir: &RunDir,
    recipe: &Recipe,
    history: &TaskHistory,
    classes: Option<Vec<Vec<usize>>>,
    metrics: &BTreeMap<String, f64>,
) -> Result<()> {
    let mut value = json!({
        "tasks": variant_name(&recipe.sequence),
        "scenario": recipe.continual.scenario,
        "told": task_information(recipe),
        "baseline": numbers(&history.baseline),
        "accuracy": history.rows.iter().map(|r| numbers(r)).collect::<Vec<_>>(),
        "metrics": metrics,
        "definitions": definitions(metrics, recipe.continual.recent),
    });
    if let Some(classes) = classes {
        value["classes"] = json!(classes);
    }
    atomic::write(dir.continual(), format!("{value:#}\n"))
}

/// The definitions of `metrics`, for runs that test only the `recent` newest tasks if so many are given.
fn definitions(metrics: &BTreeMap<String, f64>, recent: Option<usize>) -> BTreeMap<&'static str, String> {
    let words = |(name, text): (&'static str, &str)| match recent {
        // Every task is tested at its own end, whatever comes later.
        Some(n) if name != "learning-accuracy" => (
            name,
            format!("{text}, j being one of the {n} newest tasks, the only ones tested (continual.recent)"),
        ),
        _ => (name, text.to_owned()),
    };
    DEFINITIONS.into_iter().filter(|(name, _)| metrics.contains_key(*name)).map(words).collect()
}

/// JSON has no NaN: what was not tested is null.
fn numbers(row: &[f64]) -> Vec<Value> {
    row.iter().map(|&x| if x.is_finite() { Value::from(x) } else { Value::Null }).collect()
}

/// What a report takes from `continual.json`. Whatever is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accuracies {
    /// Which sequence, as recipes spell it.
    pub tasks: String,
    /// What the run was told about its tasks.
    pub told: TaskInformation,
    /// Accuracy on every task before training.
    pub baseline: Vec<Option<f64>>,
    /// R: one row per finished task, one column per task; none where a task was not tested.
    pub accuracy: Vec<Vec<Option<f64>>>,
    /// The classes of every task, where tasks are parts of the classes.
    pub classes: Vec<Vec<usize>>,
}

impl Accuracies {
    /// Reads the bytes of a file; `origin` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Data`] if it is garbled.
    pub fn parse(text: &[u8], origin: &str) -> Result<Self> {
        serde_json::from_slice(text).map_err(|e| Error::data(format!("{origin}: {e}")))
    }

    /// What its tasks are called: `task 2`, or `part 2` of a stream that is only cut.
    pub fn task(&self) -> &'static str {
        if self.tasks == "subsets" { "part" } else { "task" }
    }

    /// The rows with their names: before training, if that was tested, and after every task.
    pub fn rows(&self) -> Vec<(String, &[Option<f64>])> {
        let before = (!self.baseline.is_empty()).then(|| ("before".to_owned(), &self.baseline[..]));
        let after = self.accuracy.iter().enumerate();
        let after = after.map(|(i, row)| (format!("{} {}", self.task(), i + 1), &row[..]));
        before.into_iter().chain(after).collect()
    }

    /// The names of the columns, with the classes of tasks that are parts of the classes: `task 2 (2 3)`.
    pub fn columns(&self) -> Vec<String> {
        let columns = self.rows().iter().map(|(_, row)| row.len()).max().unwrap_or(0);
        let classes = |i| {
            self.classes.get(i).map_or(String::new(), |classes: &Vec<usize>| {
                let words: Vec<_> = classes.iter().map(usize::to_string).collect();
                format!(" ({})", words.join(" "))
            })
        };
        (0..columns).map(|i| format!("task {}{}", i + 1, classes(i))).collect()
    }
}

/// What a run is told about its tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct TaskInformation {
    /// Where training learns that a task ended, or which one it sees.
    pub boundaries_in_training: Vec<String>,
    /// Where testing learns which task it sees.
    pub task_known_in_testing: Vec<String>,
}

impl TaskInformation {
    /// What learning is told.
    pub fn training(self) -> Vec<String> {
        self.boundaries_in_training
    }

    /// As one list of words.
    pub fn list(&self) -> Vec<String> {
        let training = self.boundaries_in_training.iter().map(|what| format!("training: {what}"));
        training.chain(self.task_known_in_testing.iter().map(|what| format!("testing: {what}"))).collect()
    }
}

/// A way in which a task can leak in: whether a recipe has it, and what is said of it.
type Disclosure = (bool, &'static str);

/// Where the learner is told that a task ended, or which task it sees.
pub(crate) fn task_information(recipe: &Recipe) -> TaskInformation {
    let said = |disclosures: &[Disclosure]| {
        disclosures.iter().filter(|(yes, _)| *yes).map(|(_, what)| (*what).to_owned()).collect()
    };
    TaskInformation {
        boundaries_in_training: said(&training(recipe)),
        task_known_in_testing: said(&testing(recipe)),
    }
}

/// Whether tasks follow each other, so that one of them ends.
fn bounded(recipe: &Recipe) -> bool {
    recipe.sequence.method().traits().ends && !recipe.continual.joint
}

/// Whether each task has outputs of its own.
fn own_outputs(recipe: &Recipe) -> bool {
    recipe.sequence.method().traits().ends && recipe.continual.scenario == Scenario::Task
}

/// Whether each task keeps a normalisation of its own.
fn per_task(recipe: &Recipe) -> bool {
    bounded(recipe) && recipe.norms().any(|(_, norm)| norm.method().traits().per_task)
}

fn training(r: &Recipe) -> [Disclosure; 10] {
    let (ends, replay) = (bounded(r), r.continual.replay.as_ref().map(|replay| replay.policy));
    // A stream of subsets has no tasks to tell, but what happens where it is cut is said of it all the same.
    let cut = r.sequence.method().traits().pieces.is_some() && !r.continual.joint;
    let (reset, scheduled) = (r.continual.reset_optimiser, !r.schedule.method().is_constant());
    let posterior = r.synapses().any(|(_, synapse)| synapse.method().traits().info.changes_at_task_end);
    [
        (ends && r.anchor.method().needs().holds, "the anchor consolidates at the end of a task"),
        (ends && posterior, "the posterior of the weights becomes the prior at the end of a task"),
        (ends && reset, "the optimiser's state is forgotten at the end of a task"),
        (cut && reset, "the optimiser's state is forgotten at every cut of the stream"),
        (ends && scheduled, "the schedule of learning rates begins again with every task"),
        (cut && scheduled, "the schedule of learning rates begins again at every cut of the stream"),
        (per_task(r), "the normalisation of a task is kept at its end"),
        (own_outputs(r) || ends && r.continual.scenario == Scenario::Class, "outputs depend on the task"),
        (
            replay == Some(Policy::Balanced),
            "samples of earlier tasks are kept, as many of each class, when a task ends",
        ),
        // A reservoir needs no boundary, but what it holds is said of streams without boundaries, too.
        (
            replay == Some(Policy::Reservoir),
            "samples of earlier tasks are kept, without knowing where a task ends",
        ),
    ]
}

fn testing(r: &Recipe) -> [Disclosure; 4] {
    let ends = bounded(r);
    let sequence = r.sequence.method().traits().several;
    let of_batch = r.norms().any(|(_, norm)| norm.method().traits().answers_by_batch);
    [
        (own_outputs(r), "only the outputs of the task count"),
        (ends && r.continual.scenario == Scenario::Class, "outputs of tasks not seen yet do not count"),
        (per_task(r), "the task's own normalisation is used"),
        (
            sequence && of_batch,
            "drives are normalised by the statistics of the test batch: other test samples",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "[task.digits]\nbatch = 10\nepochs = 1\n[network]\nlayers = [64, 8, 10]\n[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
    const PERMUTED: &str = "[sequence.permuted]\ntasks = 2\n";
    const SUBSETS: &str = "[sequence.subsets]\nparts = 2\n";

    fn list(text: &str) -> Vec<String> {
        task_information(&Recipe::parse(&format!("{BASE}{text}"), "test").unwrap()).list()
    }

    #[test]
    fn kept_samples_are_told() {
        assert!(list(PERMUTED).is_empty());
        let balanced = list(&format!("{PERMUTED}[continual.replay]\nsize = 10\n"));
        assert_eq!(
            balanced,
            ["training: samples of earlier tasks are kept, as many of each class, when a task ends"]
        );
        let stream = format!("{SUBSETS}[continual.replay]\nsize = 10\npolicy = \"reservoir\"\n");
        assert_eq!(
            list(&stream),
            ["training: samples of earlier tasks are kept, without knowing where a task ends"]
        );
    }

    /// Words of the leak of each table, with tasks that end and in a stream that is only cut.
    #[test]
    fn every_leak_is_told() {
        let cases = [
            ("[synapse.bayesbinn]\n", "training: the posterior", None),
            ("[schedule.exponential]\nfactor = 0.9\n", "every task", Some("every cut")),
            ("[continual]\nreset-optimiser = true\n", "end of a task", Some("every cut")),
            ("[norm.batch]\nstatistics = \"batch\"\n", "testing: drives", Some("testing: drives")),
            ("[continual]\nscenario = \"class\"\n", "testing: outputs of tasks not seen", None),
            ("[continual]\nscenario = \"task\"\n", "testing: only the outputs", None),
        ];
        for (table, bounded, cut) in cases {
            let says = |sequence: &str, words: &str| {
                let all = list(&format!("{sequence}{table}"));
                assert!(all.iter().any(|told| told.contains(words)), "{table}: {all:?}");
            };
            says(PERMUTED, bounded);
            match cut {
                Some(words) => says(SUBSETS, words),
                None => assert!(list(&format!("{SUBSETS}{table}")).is_empty(), "{table}"),
            }
        }
        let mixed = "[continual]\njoint = true\nreset-optimiser = true\nscenario = \"class\"\n";
        assert!(list(&format!("{PERMUTED}{mixed}")).is_empty(), "nothing ends before the run does");
        let heads = list(&format!("{PERMUTED}{mixed}").replace("class", "task"));
        assert_eq!(
            heads,
            ["training: outputs depend on the task", "testing: only the outputs of the task count"]
        );
    }

    #[test]
    fn definitions_say_which_tasks_are_tested() {
        let metrics = ["acc", "learning-accuracy"].map(|name| (name.to_owned(), 0.5)).into();
        let (all, recent) = (definitions(&metrics, None), definitions(&metrics, Some(5)));
        assert_eq!(all.keys().collect::<Vec<_>>(), [&"acc", &"learning-accuracy"]);
        assert_eq!(all["acc"], "mean over seen tasks j of R[T][j]");
        assert!(recent["acc"].contains("5 newest tasks"), "{recent:?}");
        assert_eq!(all["learning-accuracy"], recent["learning-accuracy"]);
    }
}
