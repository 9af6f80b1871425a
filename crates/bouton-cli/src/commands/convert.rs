//! `bouton convert`: a trained network in another form.

use super::{DataArgs, OutArgs, runs};
use crate::printer::Printer;
use bouton::network::{Network, Packed};
use bouton::objective::predictions;
use bouton::recipe::Recipe;
use bouton::task::stream;
use bouton::train::{Checkpoint, Checkpoints, Trainer};
use bouton::{Error, Result};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Convert a trained network: binary networks to one bit a weight, checked on the whole test set
#[derive(Args, Debug)]
pub struct Convert {
    /// The run: a folder, part of its name, or `last`
    #[arg(value_name = "RUN")]
    run: String,
    /// Pack ±1 weights and units into bits
    #[arg(long, required = true)]
    packed: bool,
    /// File to write [default: packed.safetensors in the run folder]
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

/// How the two forms answered.
#[derive(Default)]
struct Comparison {
    samples: usize,
    correct: usize,
    different: usize,
    float: Duration,
    bits: Duration,
}

impl Convert {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let run = runs::find(&self.out.out, &self.run)?;
        let recipe = Recipe::load(run.recipe())?;
        let found = Checkpoints::new(run.checkpoints(), None).newest()?;
        let found =
            found.ok_or_else(|| Error::config(format!("{} has no checkpoint", run.path().display())))?;
        let mut network = Network::build(&recipe)?;
        Trainer::restore_network(&mut network, &found.checkpoint)?;
        let path = self.output.clone().unwrap_or_else(|| run.path().join("packed.safetensors"));
        Packed::new(&recipe, &network)?.to_checkpoint().save(&path)?;
        // What is compared is what a reader of the file gets.
        let packed = Packed::from_checkpoint(&Checkpoint::load(&path)?)?;
        let c = self.compare(&recipe, &network, &packed)?;
        let before = network.parameter_count() * network.dtype.size();
        let accuracy = c.correct as f64 / c.samples as f64;
        if self.json {
            return printer.json(&json!({
                "file": path, "samples": c.samples, "accuracy": accuracy, "different-outputs": c.different,
                "bytes": packed.bytes(), "bytes-before": before,
                "seconds": c.bits.as_secs_f64(), "seconds-before": c.float.as_secs_f64(),
            }));
        }
        printer.line(format!("test accuracy      {accuracy:.4} on {} samples", c.samples))?;
        printer.line(format!("different outputs  {}", c.different))?;
        printer.line(format!("weights            {before} -> {} bytes", packed.bytes()))?;
        printer.line(format!(
            "whole test set     {:.3} -> {:.3} s",
            c.float.as_secs_f64(),
            c.bits.as_secs_f64()
        ))?;
        printer.line(format!("written            {}", path.display()))?;
        if c.different > 0 {
            return Err(Error::checkpoint(format!("{} outputs differ from the network's", c.different)));
        }
        Ok(())
    }

    fn compare(&self, recipe: &Recipe, network: &Network, packed: &Packed) -> Result<Comparison> {
        let course = stream::open(recipe, self.data.data.as_deref())?;
        let credit = recipe.credit.build(&recipe.solver, network, course.stream.samples())?;
        let objective = recipe.objective.build();
        let mut c = Comparison::default();
        for batch in course.stream.in_order(&course.tests[0], None, network.dtype) {
            let start = Instant::now();
            let free = credit.free(network, &batch, &*objective)?;
            c.float += start.elapsed();
            let start = Instant::now();
            let out = packed.outputs(batch.x.view());
            c.bits += start.elapsed();
            let float = &free.out[network.output()];
            c.different +=
                out.to_f64s().iter().zip(float.to_f64s()).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
            let hits = predictions(out.view(), |_| 0..out.cols()).into_iter().zip(&batch.labels);
            c.correct += hits.filter(|(p, l)| *p == usize::from(**l)).count();
            c.samples += batch.labels.len();
        }
        Ok(c)
    }
}
