//! What a trained network does for one sample: synaptic operations and the sparsity of activity, as NeuroBench counts them
//! ([`crate::network::Operations`]).

use crate::credit::Batch;
use crate::error::Result;
use crate::network::{self, Network, Role};
use crate::recipe::Recipe;
use crate::task::stream;
use crate::train::{Checkpoint, Trainer};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Samples of a network in time whose steps are kept at once.
const AT_ONCE: usize = 16;
/// Test samples that a report counts.
const SAMPLES: usize = 100;

/// What was counted, per sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operations {
    /// Samples that were counted.
    pub samples: usize,
    /// Share of all outputs of units that is zero, over populations, steps and samples.
    pub sparsity: f64,
    /// The same of every population that computes, by name.
    pub populations: Vec<(String, f64)>,
    /// Of every connection with weights.
    pub connections: Vec<Synapses>,
}

/// Synaptic operations per sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Synapses {
    /// The connection.
    pub connection: String,
    /// As if no activity and no weight were zero.
    pub dense: f64,
    /// Multiplications with accumulation, where neither activity nor weight is zero.
    pub macs: f64,
    /// Accumulations: the same where all activity is −1, 0 or 1.
    pub acs: f64,
}

impl Operations {
    /// What `network` does for samples of `batches`; none if it settles, whose operations depend on when it is stopped.
    ///
    /// # Errors
    /// Those of the credit rule.
    pub fn of(
        recipe: &Recipe,
        network: &Network,
        batches: impl Iterator<Item = Batch>,
    ) -> Result<Option<Self>> {
        if network.with_role(Role::Settling).next().is_some() {
            return Ok(None);
        }
        let mut counted = network::Operations::new(network);
        for batch in batches {
            count(recipe, network, &batch, &mut counted)?;
        }
        Ok(Some(Self::per_sample(&counted)))
    }

    fn per_sample(counted: &network::Operations) -> Self {
        let share = |zeros: u64, all: u64| zeros as f64 / all.max(1) as f64;
        let samples = counted.samples.max(1) as f64;
        let of = |c: &network::Conveyed| {
            let effective = c.effective / samples;
            let [macs, acs] = if c.binary { [0.0, effective] } else { [effective, 0.0] };
            Synapses { connection: c.name.clone(), dense: c.dense / samples, macs, acs }
        };
        let said = &counted.populations;
        Self {
            samples: counted.samples,
            sparsity: share(said.iter().map(|p| p.zeros).sum(), said.iter().map(|p| p.all).sum()),
            populations: said.iter().map(|p| (p.name.clone(), share(p.zeros, p.all))).collect(),
            connections: counted.connections.iter().map(of).collect(),
        }
    }

    /// All connections together.
    pub fn total(&self) -> Synapses {
        let add = |sum: Synapses, c: &Synapses| Synapses {
            dense: sum.dense + c.dense,
            macs: sum.macs + c.macs,
            acs: sum.acs + c.acs,
            ..sum
        };
        self.connections.iter().fold(Synapses { connection: "all".into(), ..Synapses::default() }, add)
    }
}

fn count(recipe: &Recipe, network: &Network, batch: &Batch, counted: &mut network::Operations) -> Result<()> {
    let Some(time) = &network.time else {
        let rule = recipe.credit.build(&recipe.solver, network, batch.len())?;
        let free = rule.free(network, batch, &*recipe.objective.build())?;
        counted.add_pass(network, batch.x.view(), &free.out);
        return Ok(());
    };
    let all: Vec<usize> = (0..batch.len()).collect();
    for part in all.chunks(AT_ONCE).map(|rows| batch.take(rows)) {
        let x = network.seen(time, part.x.view(), &part.ids, None);
        let trace = network.run(time, x.view(), part.len(), None);
        counted.add_steps(network, time, x.view(), &trace, part.spans.as_ref());
    }
    Ok(())
}

/// What the network of a recipe does for each of the first test samples, 100 at most; none if it settles.
///
/// # Errors
/// [`crate::Error::DataMissing`] without the recipe's data in `folder`, [`crate::Error::Checkpoint`] for weights of another network.
pub fn operations(
    recipe: &Recipe,
    folder: Option<&Path>,
    checkpoint: Option<&Checkpoint>,
) -> Result<Option<Operations>> {
    let mut network = recipe.build()?;
    if let Some(checkpoint) = checkpoint {
        Trainer::restore_network(&mut network, checkpoint)?;
    }
    network.set_sampled_weights(None);
    let opened = stream::open(recipe, folder)?;
    let batches = opened.train.in_order(&opened.tests[0], Some(SAMPLES), network.dtype);
    Operations::of(recipe, &network, batches)
}
