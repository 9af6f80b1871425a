//! `bouton evaluate`: how good the answers of a trained network are.

use super::predict::TrainedArgs;
use super::{DataArgs, OutArgs};
use crate::csv;
use crate::number::number;
use crate::printer::Printer;
use bouton::analysis::{Calibration, Confusion, Operations};
use bouton::objective::{Metric, Target};
use bouton::task::{Unseen, stream};
use bouton::train::{Answered, Trained, atomic};
use bouton::{Error, Result};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Test a trained network: metrics, confusion matrix, accuracy of every class, calibration
///
/// On the test set of its recipe, or on a file or folder that is read as that of its task, with classes or values in it.
#[derive(Args, Debug)]
pub struct Evaluate {
    #[command(flatten)]
    trained: TrainedArgs,
    /// Samples with their classes or values [default: the test set of the recipe]
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// The classes or values, where they are in a file of their own (.npy, IDX)
    #[arg(long, value_name = "FILE", requires = "file")]
    labels: Option<String>,
    /// Also count synaptic operations per sample and the sparsity of activity, as NeuroBench does
    #[arg(long)]
    operations: bool,
    /// Write the confusion matrix as CSV
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
}

/// What is said of the answers to one set of samples.
#[derive(Debug, Serialize)]
struct Evaluation {
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<usize>,
    samples: usize,
    metrics: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Calibration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<Confusion>,
}

impl Evaluate {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let mut trained = self.trained.load(&self.out)?;
        let evaluations = match &self.file {
            Some(file) => {
                let task = trained.task(self.trained.task())?;
                let samples = Unseen::open(trained.recipe(), file, Some(self.labels.as_deref()), task)?;
                vec![Evaluation::of(&mut trained, &samples, task, None, self.operations)?]
            }
            None => self.tests(&mut trained)?,
        };
        if let Some(path) = &self.output {
            let all = evaluations.iter().filter_map(|e| Some(matrix(e.confusion.as_ref()?)));
            atomic::write(path, all.collect::<Vec<_>>().join("\n"))?;
        }
        if self.json {
            return printer.json(&evaluations);
        }
        evaluations.iter().try_for_each(|e| e.print(printer))
    }

    /// On the test sets of the recipe, or that of one task.
    fn tests(&self, trained: &mut Trained) -> Result<Vec<Evaluation>> {
        let stream = stream::open(trained.recipe(), self.data.data.as_deref())?;
        let one = match self.trained.task() {
            Some(_) => Some(trained.task(self.trained.task())?),
            None => None,
        };
        let several = stream.tests.len() > 1;
        let spec = trained.recipe().task.clone();
        let tests =
            stream.tests.into_iter().enumerate().filter(|(task, _)| one.is_none_or(|one| one == *task));
        tests
            .map(|(task, part)| {
                let told = several.then_some(task + 1);
                Evaluation::of(trained, &Unseen::of(part, &spec), task, told, self.operations)
            })
            .collect()
    }
}

impl Evaluation {
    fn of(
        trained: &mut Trained,
        samples: &Unseen,
        task: usize,
        told: Option<usize>,
        operations: bool,
    ) -> Result<Self> {
        let answered = trained.answer(samples, task)?;
        let target = samples.target(answered.outputs.dtype());
        let mut metrics = trained.metrics(&answered, &target);
        if operations {
            metrics.extend(counted(trained, samples, task)?);
        }
        let (mut confusion, mut calibration) = (None, None);
        if let Target::Classes(labels) = &target {
            let labels: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
            calibration = probabilities(&answered, &labels);
            confusion = Some(matrix_of(&answered, &labels));
        }
        Ok(Self { task: told, samples: samples.len(), metrics, calibration, confusion })
    }

    fn print(&self, printer: &mut Printer) -> Result<()> {
        if let Some(task) = self.task {
            printer.line(format_args!("task {task}"))?;
        }
        let mut rows = vec![vec!["samples".to_owned(), self.samples.to_string()]];
        // The score comes first.
        let first = Metric::score_in(&self.metrics).map(|(metric, _)| metric.name);
        let names =
            first.into_iter().chain(self.metrics.keys().map(String::as_str).filter(|n| Some(*n) != first));
        rows.extend(names.map(|name| vec![name.to_owned(), number(self.metrics[name])]));
        if let Some(Calibration { nll, brier, ece }) = self.calibration {
            rows.extend(
                [("nll", nll), ("brier", brier), ("ece", ece)].map(|(k, v)| vec![k.into(), number(v)]),
            );
        }
        printer.columns(&[], rows)?;
        let Some(confusion) = &self.confusion else { return Ok(()) };
        printer.line("")?;
        if confusion.classes.len() <= MOST_SHOWN {
            printer.columns(&[], table(confusion))?;
            printer.line("rows: what samples are; columns: what they are taken for")?;
            printer.line("")?;
        }
        let class = |c: usize| {
            let rates = [confusion.recall(c), confusion.precision(c)].map(rate);
            [vec![confusion.classes[c].clone(), confusion.samples(c).to_string()], rates.to_vec()].concat()
        };
        let rows = (0..confusion.classes.len()).map(class).collect();
        printer.columns(&["class", "samples", "recall", "precision"], rows)
    }
}

/// Synaptic operations per sample, and the share of activations that are zero.
fn counted(trained: &mut Trained, samples: &Unseen, task: usize) -> Result<[(String, f64); 4]> {
    let (recipe, dtype) = (trained.recipe().clone(), trained.network().dtype);
    let counted = trained
        .as_answering(task, |network| Operations::of(&recipe, network, samples.batches(dtype)))?
        .ok_or_else(|| {
            Error::incompatible(
                "--operations counts what one answer takes, but this network settles",
                "leave it out; `bouton report` tells what a training sample costs",
            )
        })?;
    let all = counted.total();
    let values = [counted.sparsity, all.dense, all.macs, all.acs];
    let names = ["activation-sparsity", "dense-operations", "effective-macs", "effective-acs"];
    Ok(std::array::from_fn(|i| (names[i].to_owned(), values[i])))
}

/// Classes of which a terminal shows the matrix.
const MOST_SHOWN: usize = 20;

fn rate(x: f64) -> String {
    if x.is_finite() { number(x) } else { "–".into() }
}

/// Classes of the outputs that count, and samples by them.
fn matrix_of(answered: &Answered, labels: &[usize]) -> Confusion {
    let first = answered.active.start;
    let names = answered.names[answered.active.clone()].to_vec();
    let places = |outputs: &[usize]| outputs.iter().map(|o| o - first).collect::<Vec<_>>();
    Confusion::new(names, &places(labels), &places(&answered.predictions()))
}

/// Calibration of the outputs that count, where they are probabilities.
fn probabilities(answered: &Answered, labels: &[usize]) -> Option<Calibration> {
    let (values, units) = (answered.outputs.to_f64s(), answered.outputs.cols());
    let labels: Vec<usize> = labels.iter().map(|label| label - answered.active.start).collect();
    let rows = values.chunks_exact(units).map(|row| &row[answered.active.clone()]);
    Calibration::new(rows, &labels).filter(|_| answered.probabilities)
}

/// The matrix with the names of its rows and columns.
fn table(confusion: &Confusion) -> Vec<Vec<String>> {
    let heading = std::iter::once(String::new()).chain(confusion.classes.iter().cloned()).collect();
    let row = |(name, counts): (&String, &Vec<u64>)| {
        std::iter::once(name.clone()).chain(counts.iter().map(u64::to_string)).collect()
    };
    std::iter::once(heading).chain(confusion.classes.iter().zip(&confusion.counts).map(row)).collect()
}

fn matrix(confusion: &Confusion) -> String {
    let rows = table(confusion);
    csv::table(&rows[0], &rows[1..])
}
