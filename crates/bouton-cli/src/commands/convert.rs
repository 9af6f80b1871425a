//! `bouton convert`: a trained network in another form.

use super::predict::TrainedArgs;
use super::{DataArgs, OutArgs};
use crate::number::number;
use crate::printer::Printer;
use bouton::credit::{Batch, Credit};
use bouton::network::Network;
use bouton::objective::{Head, Objective, Sums};
use bouton::onnx;
use bouton::packed::Packed;
use bouton::recipe::Recipe;
use bouton::task::stream;
use bouton::train::{Checkpoint, atomic};
use bouton::{Error, Result};
use clap::{ArgGroup, Args};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Convert a trained network: to one bit a weight, or to an ONNX file for other programs
///
/// --packed is for binary networks and is checked on the whole test set. --onnx is for feed-forward networks: it takes what `bouton
/// predict` takes, pixels from 0 to 1, and answers with the outputs and, where there are any, their probabilities.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("form").required(true).args(["packed", "onnx"]))]
pub struct Convert {
    #[command(flatten)]
    trained: TrainedArgs,
    /// Pack ±1 weights and units into bits
    #[arg(long, conflicts_with = "task")]
    packed: bool,
    /// Write an ONNX file (opset 17)
    #[arg(long)]
    onnx: bool,
    /// File to write [default: packed.safetensors or model.onnx in the run folder]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
}

/// A network in both forms, and what runs the first.
struct Forms<'a> {
    credit: &'a dyn Credit,
    network: &'a Network,
    packed: &'a Packed,
}

/// How the two forms answered the test set of one task.
#[derive(Default)]
struct Comparison {
    samples: usize,
    sums: Sums,
    different: usize,
    float: Duration,
    bits: Duration,
}

impl Comparison {
    /// Answers a batch in both forms.
    fn add(&mut self, forms: &Forms<'_>, batch: &Batch, objective: &dyn Objective) -> Result<()> {
        let start = Instant::now();
        let free = forms.credit.free(forms.network, batch, objective)?;
        self.float += start.elapsed();
        let start = Instant::now();
        let out = forms.packed.outputs(batch.x.view());
        self.bits += start.elapsed();
        let float = free.out[forms.network.output()].to_f64s();
        self.different += out.to_f64s().iter().zip(float).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        self.sums = std::mem::take(&mut self.sums).with(&Sums::of_outputs(
            objective,
            out.view(),
            batch.target.view(0..batch.len()),
        ));
        self.samples += batch.len();
        Ok(())
    }

    /// This and the test set of another task.
    fn with(self, other: &Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            sums: self.sums.with(&other.sums),
            different: self.different + other.different,
            float: self.float + other.float,
            bits: self.bits + other.bits,
        }
    }

    /// The metric by which networks are compared.
    fn score(&self) -> (&'static str, f64) {
        let first = self.sums.metrics(self.samples as u64).next();
        first.map_or(("accuracy", f64::NAN), |(metric, value)| (metric.name, value))
    }
}

impl Convert {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        printer.only_tell();
        if self.onnx { self.to_onnx(printer) } else { self.to_bits(printer) }
    }

    /// The file to write: `name` in the folder of the run, if none is given.
    fn path(&self, name: &str) -> Result<PathBuf> {
        match &self.output {
            Some(path) => Ok(path.clone()),
            None => Ok(self.trained.run(&self.out)?.path().join(name)),
        }
    }

    fn to_onnx(&self, printer: &mut Printer) -> Result<()> {
        let mut trained = self.trained.load(&self.out)?;
        let path = self.path("model.onnx")?;
        let model = onnx::export(&mut trained, self.trained.task())?;
        atomic::write(&path, &model.file)?;
        if self.json {
            let outputs: BTreeMap<_, _> = model.outputs.into_iter().collect();
            return printer.json(&json!({
                "file": path, "input": model.input, "outputs": outputs, "bytes": model.file.len(),
            }));
        }
        let input: Vec<String> = model.input.iter().map(usize::to_string).collect();
        printer.line(format!("input              [batch, {}]", input.join(", ")))?;
        for (name, n) in &model.outputs {
            printer.line(format!("{name:18} [batch, {n}]"))?;
        }
        printer.line(format!("written            {} ({} bytes)", path.display(), model.file.len()))
    }

    fn to_bits(&self, printer: &mut Printer) -> Result<()> {
        let trained = self.trained.load(&self.out)?;
        let (recipe, network) = (trained.recipe(), trained.network());
        let path = self.path("packed.safetensors")?;
        Packed::new(recipe, network)?.to_checkpoint().save(&path)?;
        // What is compared is what a reader of the file gets.
        let packed = Packed::from_checkpoint(&Checkpoint::load(&path)?)?;
        let tasks = self.compare(recipe, network, &packed, trained.updates)?;
        let before = network.parameter_count() * network.dtype.size();
        self.print_comparison(printer, &path, &tasks, [before, packed.bytes()])?;
        match tasks.iter().map(|c| c.different).sum() {
            0 => Ok(()),
            n => Err(Error::checkpoint(format!("{n} outputs differ from the network's"))),
        }
    }

    /// Both forms on the test set of every task, after so many `updates`.
    fn compare(
        &self,
        recipe: &Recipe,
        network: &Network,
        packed: &Packed,
        updates: u64,
    ) -> Result<Vec<Comparison>> {
        let task_stream = stream::open(recipe, self.data.data.as_deref())?;
        let segment = task_stream.train.position(updates.saturating_sub(1)).segment;
        let credit = recipe.credit.build(&recipe.solver, network, task_stream.train.samples())?;
        let (objective, forms) = (recipe.objective.build(), Forms { credit: &*credit, network, packed });
        let one = |(task, test)| {
            // As the run tests itself: on the outputs that count for the task.
            let active = task_stream.outputs.as_ref().map(|outputs| outputs.active(task, segment));
            let head = active.map(|active| Head { objective: &*objective, active });
            let objective = head.as_ref().map_or(&*objective, |head| head as &dyn Objective);
            let mut c = Comparison::default();
            for batch in task_stream.train.in_order(test, None, network.dtype) {
                c.add(&forms, &batch, objective)?;
            }
            Ok(c)
        };
        task_stream.tests.iter().enumerate().map(one).collect()
    }

    /// Tells how the tasks went, and how many bytes weights took and take.
    fn print_comparison(
        &self,
        printer: &mut Printer,
        path: &Path,
        tasks: &[Comparison],
        [before, after]: [usize; 2],
    ) -> Result<()> {
        let name = tasks.first().map_or("accuracy", |task| task.score().0);
        let each: Vec<f64> = tasks.iter().map(|task| task.score().1).collect();
        // The mean over tasks, as in the run.
        let score = each.iter().sum::<f64>() / each.len() as f64;
        let Comparison { samples, different, float, bits, .. } =
            tasks.iter().fold(Comparison::default(), Comparison::with);
        let (float, bits) = (float.as_secs_f64(), bits.as_secs_f64());
        if self.json {
            return printer.json(&json!({
                "file": path, "samples": samples, "metric": name, "score": score, "scores": each,
                "different-outputs": different, "bytes": after, "bytes-before": before,
                "seconds": bits, "seconds-before": float,
            }));
        }
        printer.line(format!("{:18} {} on {samples} samples", format!("test {name}"), number(score)))?;
        if let [_, _, ..] = each[..] {
            let each: Vec<String> = each.iter().map(|a| number(*a)).collect();
            printer.line(format!("of each task       {}", each.join(" ")))?;
        }
        printer.line(format!("different outputs  {different}"))?;
        printer.line(format!("weights            {before} -> {after} bytes"))?;
        printer.line(format!("whole test set     {} -> {} s", number(float), number(bits)))?;
        printer.line(format!("written            {}", path.display()))
    }
}
