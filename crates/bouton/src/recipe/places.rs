//! The members of an axis that a recipe names, wherever it does: for the whole network, for a population, for a connection.
//!
//! Each has its place, such as `synapse` or `connection.input-hidden1.synapse`; that of the whole network comes first.

use super::Recipe;
use crate::neuron::NeuronSpec;
use crate::norm::NormSpec;
use crate::objective::ObjectiveSpec;
use crate::optim::OptimSpec;
use crate::synapse::SynapseSpec;
use crate::wiring::WiringSpec;
use std::collections::BTreeMap;
use std::iter::once;

impl Recipe {
    /// Every neuron.
    pub(crate) fn neurons(&self) -> impl Iterator<Item = (String, &NeuronSpec)> {
        let own = entries("population", "neuron", &self.population, |entry| entry.neuron.as_ref());
        once(("neuron".to_owned(), &self.neuron)).chain(own)
    }

    /// [`Recipe::neurons`], to change.
    pub(crate) fn neurons_mut(&mut self) -> impl Iterator<Item = (String, &mut NeuronSpec)> {
        let own = self
            .population
            .iter_mut()
            .filter_map(|(name, entry)| Some((place("population", name, "neuron"), entry.neuron.as_mut()?)));
        once(("neuron".to_owned(), &mut self.neuron)).chain(own)
    }

    /// Every normalisation.
    pub(crate) fn norms(&self) -> impl Iterator<Item = (String, &NormSpec)> {
        let own = entries("population", "norm", &self.population, |entry| entry.norm.as_ref());
        once(("norm".to_owned(), &self.norm)).chain(own)
    }

    /// Every objective.
    pub(crate) fn objectives(&self) -> impl Iterator<Item = (String, &ObjectiveSpec)> {
        let own = entries("population", "objective", &self.population, |entry| entry.objective.as_ref());
        once(("objective".to_owned(), &self.objective)).chain(own)
    }

    /// Every wiring.
    pub(crate) fn wirings(&self) -> impl Iterator<Item = (String, &WiringSpec)> {
        let own = entries("connection", "wiring", &self.connection, |entry| entry.wiring.as_ref());
        once(("wiring".to_owned(), &self.wiring)).chain(own)
    }

    /// Every synapse.
    pub(crate) fn synapses(&self) -> impl Iterator<Item = (String, &SynapseSpec)> {
        let own = entries("connection", "synapse", &self.connection, |entry| entry.synapse.as_ref());
        once(("synapse".to_owned(), &self.synapse)).chain(own)
    }

    /// Every optimiser.
    pub(crate) fn optims(&self) -> impl Iterator<Item = (String, &OptimSpec)> {
        let own = entries("connection", "optim", &self.connection, |entry| entry.optim.as_ref());
        once(("optim".to_owned(), &self.optim)).chain(own)
    }

    /// [`Recipe::wirings`], to change.
    pub(crate) fn wirings_mut(&mut self) -> impl Iterator<Item = &mut WiringSpec> {
        once(&mut self.wiring).chain(self.connection.values_mut().filter_map(|c| c.wiring.as_mut()))
    }

    /// The same with one kind of synapse everywhere.
    pub(crate) fn with_synapse(mut self, synapse: SynapseSpec) -> Self {
        self.connection.values_mut().for_each(|c| c.synapse = None);
        self.synapse = synapse;
        self
    }

    /// [`Recipe::synapses`], to change.
    pub(crate) fn synapses_mut(&mut self) -> impl Iterator<Item = (String, &mut SynapseSpec)> {
        let own = self.connection.iter_mut().filter_map(|(name, entry)| {
            Some((place("connection", name, "synapse"), entry.synapse.as_mut()?))
        });
        once(("synapse".to_owned(), &mut self.synapse)).chain(own)
    }
}

/// What the entries of a table name under `key`.
fn entries<'a, E, S: 'a>(
    table: &'static str,
    key: &'static str,
    entries: &'a BTreeMap<String, E>,
    member: impl Fn(&'a E) -> Option<&'a S>,
) -> impl Iterator<Item = (String, &'a S)> {
    entries.iter().filter_map(move |(name, entry)| Some((place(table, name, key), member(entry)?)))
}

fn place(table: &str, name: &str, key: &str) -> String {
    format!("{table}.{name}.{key}")
}
