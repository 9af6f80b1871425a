//! What the network of a recipe comes to: every population and every connection, with the choices that decide it.
//!
//! A plan is made from a recipe, built and printed, and never read back: overrides change the recipe.

mod draft;
mod order;
mod print;

use super::Recipe;
use crate::error::Result;
use crate::network::{Carries, ConnId, PopId, Role, Shape, Skip};
use crate::neuron::NeuronSpec;
use crate::norm::NormSpec;
use crate::objective::{ObjectiveSpec, Outputs};
use crate::optim::OptimSpec;
use crate::synapse::SynapseSpec;
use crate::wiring::WiringSpec;
use draft::{Clamp, Draft, Edge};
use std::ops::Range;

/// The populations and connections of a recipe.
#[derive(Clone, Debug)]
pub struct NetworkPlan<'a> {
    /// Clamped ones first; feed-forward ones behind what drives them, and the output last.
    pub populations: Vec<PopulationPlan<'a>>,
    /// The chain, then skips, then connections beside the chain by name.
    pub connections: Vec<ConnectionPlan<'a>>,
}

/// A population.
#[derive(Clone, Debug)]
pub struct PopulationPlan<'a> {
    /// `input`, `hidden1`, …, `output`, or the name of its table.
    pub name: String,
    /// Its place in the chain; none beside it.
    pub layer: Option<usize>,
    /// Height, width and channels.
    pub shape: Shape,
    /// What decides its output.
    pub role: Role,
    /// Whether it is compared with the target.
    pub output: bool,
    /// Columns of the samples that a clamped population shows.
    pub columns: Range<usize>,
    /// How its units move.
    pub neuron: &'a NeuronSpec,
    /// Whether that is a choice of its own.
    pub chosen: bool,
    /// How its drive is normalised.
    pub norm: &'a NormSpec,
    /// Probability that a unit is silent in a training step.
    pub dropout: f64,
    /// An objective of its own beside that of the output, and its weight.
    pub objective: Option<(&'a ObjectiveSpec, f64)>,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct ConnectionPlan<'a> {
    /// `<pre>-<post>`, or the name of its table.
    pub name: String,
    /// Presynaptic population.
    pub pre: PopId,
    /// Postsynaptic population.
    pub post: PopId,
    /// Place in lists of one value per connection.
    pub layer: ConnId,
    /// What joins the two.
    pub kind: ConnectionKind<'a>,
    /// How units are joined.
    pub wiring: &'a WiringSpec,
    /// How its weights take updates.
    pub synapse: &'a SynapseSpec,
    /// Learning rate in the place of the optimiser's.
    pub lr: Option<f64>,
    /// Optimiser of its own.
    pub optim: Option<&'a OptimSpec>,
    /// What it carries; errors alone go from `post` to `pre`.
    pub carries: Carries,
    /// Steps of the data that it takes.
    pub delay: usize,
    /// Whether its weights learn.
    pub learns: bool,
}

/// What a connection is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ConnectionKind<'a> {
    /// The one that enters so manieth layer of the chain.
    Chain(usize),
    /// A skip of `network.skips`, from one layer to another.
    Skip(&'a Skip),
    /// All units of two populations, by a table of its own.
    Dense,
}

impl<'a> NetworkPlan<'a> {
    /// The plan of a recipe.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] or [`crate::Error::Config`] with the population or the connection that does not fit.
    pub fn new(recipe: &'a Recipe) -> Result<Self> {
        let drafts = draft::populations(recipe)?;
        let output = draft::output(&drafts, &recipe.network)?;
        let edges = draft::connections(recipe, &drafts)?;
        let order = order::of(recipe, &drafts, &edges, &output)?;
        let place =
            |name: &str| order.iter().position(|&d| drafts[d].name == name).expect("edges join populations");
        let weighted = recipe.network.layers.len().saturating_sub(1);
        let mut extra_layers = weighted..;
        let connections = edges.iter().map(|edge| {
            let layer = match edge.kind {
                ConnectionKind::Chain(layer) => layer - 1,
                ConnectionKind::Skip(skip) if skip.kernel.is_none() => skip.to - 1,
                _ => extra_layers.next().unwrap_or(weighted),
            };
            edge.plan(recipe, place(&edge.pre), place(&edge.post), layer)
        });
        let connections = connections.collect();
        let populations =
            order.iter().map(|&d| drafts[d].plan(recipe, drafts[d].name == output)).collect::<Result<_>>()?;
        Ok(Self { populations, connections })
    }

    /// Whether it moves step by step while its input moves.
    pub fn in_time(&self) -> bool {
        self.populations.iter().any(|p| p.role == Role::Stepping)
    }

    /// Whether it is a chain with its skips, so that lists of one value per connection have a meaning.
    pub fn is_chain(&self) -> bool {
        self.populations.iter().all(|p| p.layer.is_some())
            && self.connections.iter().all(|c| c.kind != ConnectionKind::Dense)
    }
}

impl ConnectionPlan<'_> {
    /// The populations in the direction of what it carries.
    pub fn ends(&self) -> [PopId; 2] {
        if self.carries == Carries::Errors { [self.post, self.pre] } else { [self.pre, self.post] }
    }
}

impl PopulationPlan<'_> {
    /// Whether an objective judges it: then its units are those of an output.
    pub fn is_judged(&self) -> bool {
        self.output || self.objective.is_some()
    }

    /// Whether its units are those that a member has for outputs: of a network in time only where none were chosen for it.
    pub fn reads_out(&self) -> bool {
        self.is_judged() && !(self.role == Role::Stepping && self.chosen)
    }

    /// Drives of each of its units.
    pub fn ports(&self) -> usize {
        if self.role == Role::Stepping && !self.reads_out() { self.neuron.method().traits().ports } else { 1 }
    }

    /// Whether what it sends is spikes, mostly zero.
    pub fn spikes(&self) -> bool {
        self.role == Role::Stepping && !self.reads_out() && self.neuron.method().traits().spikes
    }
}

impl<'a> Draft<'a> {
    fn neuron(&self, recipe: &'a Recipe) -> &'a NeuronSpec {
        self.table.and_then(|t| t.neuron.as_ref()).unwrap_or(&recipe.neuron)
    }

    fn settles(&self, recipe: &'a Recipe) -> bool {
        self.neuron(recipe).method().traits().settles()
    }

    fn plan(&self, recipe: &'a Recipe, output: bool) -> Result<PopulationPlan<'a>> {
        let (neuron, settles) = (self.neuron(recipe), self.settles(recipe));
        let own = self.table.and_then(|t| Some((t.objective.as_ref()?, t.objective_weight.unwrap_or(1.0))));
        let judged = if output { Some(&recipe.objective) } else { own.map(|(objective, _)| objective) };
        let readout = settles && judged.is_some_and(|o| o.method().traits().outputs != Outputs::States);
        let role = match self.clamp {
            Some(_) => Role::Clamped,
            None if recipe.moves_in_time() => Role::Stepping,
            None if settles && !readout => Role::Settling,
            None => Role::Forward,
        };
        let columns = match self.clamp {
            None => 0..0,
            Some(Clamp::Whole) => 0..self.shape.units(),
            Some(Clamp::Input(input)) => draft::columns(recipe, &self.name, input, self.shape)?,
        };
        let dropout = match role {
            Role::Clamped => recipe.network.input_dropout,
            _ if judged.is_some() => 0.0,
            _ => self.table.and_then(|t| t.dropout).unwrap_or(recipe.network.dropout),
        };
        Ok(PopulationPlan {
            name: self.name.clone(),
            layer: self.layer,
            shape: self.shape,
            role,
            output,
            columns,
            neuron,
            chosen: self.table.is_some_and(|t| t.neuron.is_some()),
            norm: self.table.and_then(|t| t.norm.as_ref()).unwrap_or(&recipe.norm),
            dropout,
            objective: own,
        })
    }
}

impl<'a> Edge<'a> {
    fn plan(&self, recipe: &'a Recipe, pre: PopId, post: PopId, layer: ConnId) -> ConnectionPlan<'a> {
        ConnectionPlan {
            name: self.name.clone(),
            pre,
            post,
            layer,
            kind: self.kind,
            wiring: self.table.and_then(|t| t.wiring.as_ref()).unwrap_or(&recipe.wiring),
            synapse: self.table.and_then(|t| t.synapse.as_ref()).unwrap_or(&recipe.synapse),
            lr: self.table.and_then(|t| t.lr),
            optim: self.table.and_then(|t| t.optim.as_ref()),
            carries: self.carries(),
            delay: self.table.map_or(0, |t| t.delay),
            learns: self.table.is_none_or(|t| t.learn) && self.carries() != Carries::Errors,
        }
    }
}
