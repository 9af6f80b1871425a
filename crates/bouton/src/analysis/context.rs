//! The recipe on the bench: its network in 64 bits, a few of its samples, and their free fixed point.

use super::finite;
use crate::credit::{Batch, CreditSpec, GradCollector};
use crate::error::Result;
use crate::network::{Network, Role, State};
use crate::neuron::UnitTraits;
use crate::objective::Objective;
use crate::recipe::{Precision, Recipe};
use crate::rng::Key;
use crate::solver::{Plan, RelaxationStats, Solver};
use crate::task::stream;
use crate::train::{Checkpoint, Trainer};
use bouton_kernels::DType;
use std::path::Path;

/// Samples used by checks.
const SAMPLES: usize = 8;
/// Samples that are shown where one pass is enough.
const WIDE: usize = 256;
/// Sweeps allowed to reach the fixed point.
const SWEEPS: usize = 20_000;
/// A free state below this residual counts as a fixed point.
pub(super) const CONVERGED: f64 = 1e-13;
/// Change per sweep at which a unit counts as at rest.
const REST: f64 = 1e-15;
/// Distance from a kink that counts as near.
const NEAR: f64 = 1e-3;

/// A network, a batch and its free fixed point, all in 64 bits.
#[derive(Debug)]
pub struct CheckContext {
    /// The recipe, its precision set to 64 bits.
    pub recipe: Recipe,
    /// Its network.
    pub network: Network,
    /// A few training samples.
    pub batch: Batch,
    /// More of them, as they are tested.
    pub(super) wide: Batch,
    /// What is minimised.
    pub objective: Box<dyn Objective>,
    /// The recipe's sweeps, without over-relaxation or early stop.
    pub solver: Solver,
    /// The free state.
    pub free: State,
    /// How the free state was reached.
    pub relaxed: RelaxationStats,
    /// What is not finite in the network; if anything is, it was not settled.
    pub(super) damage: Vec<String>,
}

impl CheckContext {
    /// Prepares the recipe with its initial weights, or with those of a checkpoint.
    pub fn new(recipe: &Recipe, folder: Option<&Path>, checkpoint: Option<&Checkpoint>) -> Result<Self> {
        let recipe = Recipe { precision: Precision::F64, ..recipe.clone() };
        let mut network = recipe.build()?;
        if let Some(checkpoint) = checkpoint {
            Trainer::restore_network(&mut network, checkpoint)?;
        }
        // Properties are those of the quiet dynamics.
        network.populations.iter_mut().for_each(|p| p.noise = 0.0);
        let mut stream = stream::open(&recipe, folder)?.train;
        let batch = stream.batch(0, DType::F64).first(SAMPLES);
        let wide = stream.in_order(&stream.parts(0)[0], Some(WIDE), DType::F64).next();
        let wide = wide.unwrap_or_else(|| batch.clone());
        let damage = finite::damage(&mut network)?;
        let n = batch.len();
        let solver = Solver::new(&recipe.solver.method().plain(), &network)?;
        let constant = network.constant_drive(batch.x.view());
        let mut free = State::new(&network, &constant, 0..n, &batch.target);
        let to_rest = Solver { tolerance: Some(REST), ..solver.clone() };
        let relaxed = if network.nudged().is_some() && damage.is_empty() {
            to_rest.relax(&network, &mut free, None, SWEEPS, "free")?
        } else {
            RelaxationStats::default()
        };
        let objective = recipe.objective.build();
        Ok(Self { recipe, network, batch, wide, objective, solver, free, relaxed, damage })
    }

    /// Why properties of fixed points do not apply, if they do not.
    pub(super) fn why_not_applicable(&self) -> Option<String> {
        if self.network.nudged().is_none() {
            return Some("the network does not settle".into());
        }
        if let Some(p) = self.kinked().next() {
            let (near, units) = self.near_kinks();
            return Some(format!(
                "{} has a kinked activation; {near} of {units} unit states lie within {NEAR} of a kink",
                self.network.populations[p].name
            ));
        }
        if let Some(c) = self.network.connections.iter().find(|c| c.pool.is_some_and(|p| p.is_kinked())) {
            return Some(format!("{} has max pooling, which jumps where the largest value changes", c.name));
        }
        if let Some(c) = self.network.connections.iter().find(|c| c.feedback.own().is_some()) {
            return Some(format!(
                "{} has feedback weights of its own, so the Jacobian is not symmetric",
                c.name
            ));
        }
        if self.relaxed.residual > CONVERGED {
            return Some(format!("the free phase stopped at residual {:.1e}", self.relaxed.residual));
        }
        None
    }

    /// Whether the output is nudged outside σ, where increments do not equal those of BPTT.
    pub(super) fn nudged_outside(&self) -> bool {
        self.recipe.neurons().any(|(_, unit)| unit.method().traits().nudge_outside)
    }

    /// Whether the units follow the energy dynamics.
    pub(super) fn follows_energy(&self) -> bool {
        let steps = |unit: UnitTraits| unit.settles() && !unit.minimises;
        self.recipe.neurons().any(|(_, unit)| steps(unit.method().traits()))
    }

    fn kinked(&self) -> impl Iterator<Item = usize> + '_ {
        let kinked =
            |p: &usize| self.network.populations[*p].model.activation().is_some_and(|a| !a.is_smooth());
        self.network.with_role(Role::Settling).filter(kinked)
    }

    /// Unit states near a kink, and all unit states of kinked populations.
    fn near_kinks(&self) -> (usize, usize) {
        let (mut near, mut all) = (0, 0);
        for p in self.kinked() {
            let kinks = self.network.populations[p].model.activation().map_or(&[][..], |a| a.kinks());
            // What the activation is applied to: the state of units that have one, else the drive.
            let within = if self.free.h[p].rows() > 0 { &self.free.h[p] } else { &self.free.drive[p] };
            let units = self.network.populations[p].units;
            let within = within
                .to_f64s()
                .chunks(within.cols())
                .flat_map(|row| row[..units].to_vec())
                .collect::<Vec<_>>();
            near += within.iter().filter(|d| kinks.iter().any(|k| (*d - k).abs() < NEAR)).count();
            all += within.len();
        }
        (near, all)
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("{} samples in 64-bit arithmetic", self.batch.len())];
        if self.relaxed.samples > 0 {
            let (sweeps, residual) = (self.relaxed.mean_sweeps(), self.relaxed.residual);
            notes[0] += &format!("; free phase: {sweeps:.0} sweeps, residual {residual:.1e}");
        }
        if self.solver.plan != Plan::synchronous(&self.network) && self.network.nudged().is_some() {
            notes.push("increments are compared per even-odd sweep, without over-relaxation".into());
        }
        notes
    }

    /// The gradient of a credit rule on the batch, flattened, with the context's plan of sweeps.
    pub fn gradient(&mut self, credit: &CreditSpec) -> Result<Vec<f64>> {
        let mut rule =
            credit.build(&self.recipe.solver.method().plain(), &self.network, self.batch.ids.len())?;
        let mut sink = GradCollector::default();
        rule.learn(&mut self.network, &self.batch, &*self.objective, &mut sink, &Key::new(self.recipe.seed))?;
        Ok(sink.flat(&self.network))
    }

    /// Sweeps after which the free state was at rest, with a margin.
    pub(super) fn sweeps(&self) -> usize {
        (self.relaxed.mean_sweeps() as usize * 2 + 50).min(SWEEPS)
    }
}
