//! What the units of a network that moves in time do while it sees one sample: outputs, and the states behind them.

use crate::error::Result;
use crate::network::{PopId, Role};
use crate::recipe::{NetworkPlan, Recipe};
use crate::task::stream;
use crate::train::{Checkpoint, Trainer};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Most units of a population that are told of, the first ones.
const UNITS: usize = 100;

/// What a population did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its name.
    pub population: String,
    /// Length of a step.
    pub dt: f64,
    /// Whether its units spike.
    pub spikes: bool,
    /// Outputs after every step of the network, of its first units.
    pub outputs: Vec<Vec<f64>>,
    /// The first state of these units after every step, by its name, if it has one.
    pub state: Option<(String, Vec<Vec<f64>>)>,
}

/// What every population does while the network sees the first test sample; none for networks that do not move in time.
///
/// # Errors
/// [`crate::Error::DataMissing`] without the recipe's data in `folder`, [`crate::Error::Checkpoint`] for weights of another network.
pub fn activity(
    recipe: &Recipe,
    folder: Option<&Path>,
    checkpoint: Option<&Checkpoint>,
) -> Result<Vec<Activity>> {
    let mut network = recipe.build()?;
    if let Some(checkpoint) = checkpoint {
        Trainer::restore_network(&mut network, checkpoint)?;
    }
    let Some(time) = network.time.clone() else { return Ok(Vec::new()) };
    let plan = NetworkPlan::new(recipe)?;
    let opened = stream::open(recipe, folder)?;
    let Some(batch) = opened.train.in_order(&opened.tests[0], Some(1), network.dtype).next() else {
        return Ok(Vec::new());
    };
    let x = network.seen(&time, batch.x.view(), &batch.ids, None);
    let trace = network.run(&time, x.view(), 1, None);
    let of = |pop: PopId| {
        let node = &network.populations[pop];
        let units = node.units.min(UNITS);
        let rows = |mat: &bouton_kernels::Mat, first: usize| {
            let row = |t: usize| (0..units).map(|i| mat.get(first + t, i)).collect();
            (0..trace.steps).map(row).collect::<Vec<Vec<f64>>>()
        };
        let first = node.model.states().first().map(|state| state.name.to_owned());
        let outputs = rows(&trace.out[pop], trace.past);
        let spikes = plan.populations[pop].spikes();
        let state = first.map(|name| (name, rows(&trace.h[pop], 1)));
        Activity { population: node.name.clone(), dt: time.dt(), spikes, outputs, state }
    };
    Ok(network.with_role(Role::Stepping).map(of).collect())
}
