//! `bouton predict`: what a trained network answers.

use super::{OutArgs, runs};
use crate::csv::table;
use crate::printer::Printer;
use crate::terminal::say;
use bouton::objective::TargetKind;
use bouton::task::npy::{Array, Values};
use bouton::task::{Unseen, npz};
use bouton::train::{Answered, RunDir, Trained, Weights, atomic};
use bouton::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Let a trained network answer: files with samples in, classes or values out
///
/// Files are read as the task of the run reads its own: a folder of images, single images, CSV, .npz, .npy or IDX files. Images are
/// brought to the recipe's size if it has one; arrays of bytes are pixels from 0 to 255, other arrays numbers from 0 to 1 where it learned
/// from pixels.
#[derive(Args, Debug)]
pub struct Predict {
    #[command(flatten)]
    trained: TrainedArgs,
    /// Files and folders with samples
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Write a CSV or .npz file instead of printing CSV
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    out: OutArgs,
}

/// Which network.
#[derive(Args, Debug)]
pub struct TrainedArgs {
    /// The run: a folder, part of its name, or `last`
    #[arg(value_name = "RUN")]
    run: String,
    /// `best`, `last` or a checkpoint file [default: best if there is one]
    #[arg(long, value_name = "WEIGHTS", value_parser = weights)]
    weights: Option<Weights>,
    /// The task that the samples belong to, counted from 1
    #[arg(long, value_name = "N")]
    task: Option<usize>,
}

fn weights(text: &str) -> std::result::Result<Weights, String> {
    Ok(match text {
        "best" => Weights::Best,
        "last" => Weights::Last,
        file => Weights::File(file.into()),
    })
}

impl TrainedArgs {
    /// The network, and the task of the samples, from 0; where the weights come from is told.
    pub fn load(&self, out: &OutArgs) -> Result<Trained> {
        let trained = Trained::load(&self.run(out)?, self.weights.as_ref().unwrap_or(&Weights::Chosen))?;
        say(format_args!("weights of {} after {} updates", trained.path.display(), trained.updates));
        Ok(trained)
    }

    /// The run that was named.
    pub fn run(&self, out: &OutArgs) -> Result<RunDir> {
        runs::find(&out.out, &self.run)
    }

    /// The task that was named, from 1.
    pub fn task(&self) -> Option<usize> {
        self.task
    }
}

/// Samples of one file with what was answered to them.
struct Told {
    file: String,
    samples: Unseen,
    answered: Answered,
}

impl Predict {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let write = self.output.as_deref().map(writer).transpose()?;
        let mut trained = self.trained.load(&self.out)?;
        let task = trained.task(self.trained.task)?;
        let all: Vec<Told> = self
            .files
            .iter()
            .map(|file| {
                let samples = Unseen::open(trained.recipe(), file, None, task)?;
                let answered = trained.answer(&samples, task)?;
                Ok(Told { file: file.clone(), samples, answered })
            })
            .collect::<Result<_>>()?;
        match (write, &self.output) {
            (Some(write), Some(path)) => {
                write(path, &all)?;
                let samples: usize = all.iter().map(|told| told.samples.len()).sum();
                printer.line(format_args!("{samples} samples  {}", path.display()))
            }
            _ => printer.text(&csv(&all)),
        }
    }
}

type Write = fn(&Path, &[Told]) -> Result<()>;

/// How a file is written, by its name.
fn writer(path: &Path) -> Result<Write> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => Ok(|path, all| atomic::write(path, csv(all))),
        Some("npz") => Ok(|path, all| npz::write(path, &arrays(all))),
        _ => Err(Error::config(format!("{} is neither a .csv nor an .npz", path.display()))
            .with_hint("the end of its name says what is written: -o answers.csv")),
    }
}

/// A line for each sample: file, sample, class, and every output that counts.
fn csv(all: &[Told]) -> String {
    let Some(Told { answered, .. }) = all.first() else { return String::new() };
    let classes = answered.targets == TargetKind::Classes;
    let heading = if answered.probabilities { "p." } else { "" };
    let names = answered.active.clone().map(|o| format!("{heading}{}", answered.names[o]));
    let first = ["file", "sample"].into_iter().chain(classes.then_some("class")).map(str::to_owned);
    let heading: Vec<String> = first.chain(names).collect();
    let mut rows = Vec::new();
    for Told { file, samples, answered } in all {
        let (values, predictions) = (answered.outputs.to_f64s(), answered.predictions());
        let units = answered.outputs.cols();
        for (i, name) in samples.names().iter().enumerate() {
            let class = classes.then(|| answered.names[predictions[i]].clone());
            let outputs = answered.active.clone().map(|o| format!("{:.6}", values[i * units + o]));
            rows.push([file.clone(), name.clone()].into_iter().chain(class).chain(outputs).collect());
        }
    }
    table(&heading, &rows)
}

/// The same as arrays: `sample`, `outputs` [samples, outputs] with their `names`, and `class` where there are classes.
fn arrays(all: &[Told]) -> Vec<(&'static str, Array)> {
    let words = |words: Vec<String>| Array { shape: vec![words.len()], values: Values::Words(words) };
    let Some(Told { answered: first, .. }) = all.first() else { return Vec::new() };
    let names: Vec<String> = first.active.clone().map(|o| first.names[o].clone()).collect();
    let named = |told: &Told| told.samples.names().to_vec();
    let samples: Vec<String> = all.iter().flat_map(named).collect();
    let outputs: Vec<f64> = all
        .iter()
        .flat_map(|Told { answered, .. }| {
            let (values, units) = (answered.outputs.to_f64s(), answered.outputs.cols());
            let row = |row: &[f64]| row[answered.active.clone()].to_vec();
            values.chunks_exact(units).flat_map(row).collect::<Vec<_>>()
        })
        .collect();
    let shape = vec![samples.len(), names.len()];
    let mut arrays = vec![
        ("sample", words(samples)),
        ("outputs", Array { shape, values: Values::Floats(outputs) }),
        ("names", words(names)),
    ];
    if first.targets == TargetKind::Classes {
        let class = |told: &Told| {
            let name = |o: usize| told.answered.names[o].clone();
            told.answered.predictions().into_iter().map(name).collect::<Vec<_>>()
        };
        arrays.push(("class", words(all.iter().flat_map(class).collect())));
    }
    arrays
}
