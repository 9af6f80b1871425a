//! How a unit learns what it should have done.
//!
//! A credit rule turns the outcome of a batch into factors of parameter gradients and hands them to a [`GradSink`]. Rules
//! only use the verbs of [`crate::network`] and the relaxations of [`crate::solver`].

mod auxiliary;
mod backprop;
mod bptt;
mod continual;
mod contrast;
mod contrastive;
mod coupled;
mod d_rtrl;
pub mod draws;
mod dual_propagation;
mod e_prop;
mod epc;
mod eqprop;
mod fixed_prediction;
mod hebbian;
mod holomorphic;
mod homeostasis;
mod importance;
mod krotov_hopfield;
mod local;
mod memory;
mod online;
mod ostl;
mod outcome;
pub mod outside;
mod predictive;
mod predictive_coding;
mod recurrent;
mod rtrl;
mod seen;
mod shards;
mod sink;
mod snap_1;
mod snap_n;
mod soft_hebb;
mod tape;
mod three_factor;
mod through_time;
mod uoro;
mod warm_start;
mod weighed;
mod z_il;

pub use crate::network::GradSink;
pub use backprop::Backprop;
pub use bptt::Bptt;
pub use continual::ContinualEqProp;
pub use contrast::{Contrast, Phase};
pub use contrastive::ContrastiveLearning;
pub use coupled::CoupledLearning;
pub use d_rtrl::DRtrl;
pub use dual_propagation::DualPropagation;
pub use e_prop::EProp;
pub use epc::Epc;
pub use eqprop::{EqProp, Nudge, Start};
pub use fixed_prediction::FixedPrediction;
pub use hebbian::{Hebbian, HebbianRule};
pub use holomorphic::HolomorphicEqProp;
pub use importance::measure;
pub use krotov_hopfield::KrotovHopfield;
pub use memory::MemoryBound;
pub use ostl::Ostl;
pub use outcome::{PhaseStates, Step};
pub use predictive::Values;
pub use predictive_coding::PredictiveCoding;
pub use recurrent::RecurrentBackprop;
pub use rtrl::Rtrl;
pub use sink::{GradCollector, InputGradCollector};
pub use snap_1::Snap1;
pub use snap_n::SnapN;
pub use soft_hebb::SoftHebb;
pub use tape::{Adjoint, Frame, record};
pub use three_factor::ThreeFactor;
pub use uoro::Uoro;
pub use z_il::ZIl;

use crate::axis::{Cite, Place, axis};
use crate::encoder::Spans;
use crate::error::{Error, Result};
use crate::network::{Network, Visitor};
use crate::neuron::UnitDynamics;
use crate::objective::{Objective, Target};
use crate::rng::Key;
use crate::solver::{Solver, SolverSpec};
use bouton_kernels::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The credit axis of a recipe: `[credit.<name>]`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum CreditSpec: CreditMethod {
        /// Backpropagation through a feed-forward network.
        Backprop(Backprop),
        /// Predictive coding: values settle under an energy, weights follow their errors.
        PredictiveCoding(PredictiveCoding),
        /// Zero-divergence inference learning: weights learn when errors reach them, as backpropagation has it.
        ZIl(ZIl),
        /// Predictive coding while predictions stay those of the pass: backpropagation at rest.
        FixedPrediction(FixedPrediction),
        /// Error-based predictive coding: errors settle under the energy.
        Epc(Epc),
        /// Dual propagation: units in pairs, whose mean goes up and whose difference comes down.
        DualPropagation(DualPropagation),
        /// Hebbian rules of single units: Hebb, Oja, Sanger, BCM and others; the output learns from the objective.
        Hebbian(Hebbian),
        /// Competition of ranked units (Krotov & Hopfield).
        KrotovHopfield(KrotovHopfield),
        /// Soft competition of units, Hebbian for the winner and anti-Hebbian for others.
        SoftHebb(SoftHebb),
        /// Backpropagation through time, whole or truncated.
        Bptt(Bptt),
        /// e-prop: eligibility of each unit alone, times learning signals of the output.
        EProp(EProp),
        /// Online spatio-temporal learning: eligibility within each population, times signals of the same step.
        Ostl(Ostl),
        /// The sparse one-step approximation: eligibility of each unit and its weight to itself, times signals of the same step.
        #[serde(rename = "snap-1")]
        Snap1(Snap1),
        /// Diagonal real-time recurrent learning: eligibility of each unit alone, times signals of the same step.
        DRtrl(DRtrl),
        /// Real-time recurrent learning: the gradient, forward in time.
        Rtrl(Rtrl),
        /// The sparse n-step approximation of real-time recurrent learning.
        SnapN(SnapN),
        /// Unbiased online recurrent optimisation: the gradient on average, forward in time, of rank one.
        Uoro(Uoro),
        /// Reward-modulated learning: eligibility of each unit, times signals of a reward for an answer that is drawn.
        ThreeFactor(ThreeFactor),
        /// Recurrent backpropagation: the adjoint's fixed point.
        RecurrentBackprop(RecurrentBackprop),
        /// Equilibrium propagation.
        EqProp(EqProp),
        /// Holomorphic equilibrium propagation: the nudge turns in the complex plane.
        HolomorphicEqProp(HolomorphicEqProp),
        /// Continual equilibrium propagation: weights move during the nudged phase.
        ContinualEqProp(ContinualEqProp),
        /// Coupled learning: the output is clamped a little closer to the target.
        CoupledLearning(CoupledLearning),
        /// Contrastive learning: the output is clamped to the target.
        ContrastiveLearning(ContrastiveLearning),
    }
}

/// What a recipe's credit rule says of itself, in its own file.
pub trait CreditMethod: std::fmt::Debug {
    /// Refuses settings that cannot be meant together; the bounds of numbers are attributes of their fields.
    ///
    /// # Errors
    /// [`Error`] with the key and a hint.
    fn check(&self, at: &Place) -> Result<()>;
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What it wants of the other axes, and what it gives.
    fn needs(&self) -> CreditNeeds;
    /// Every number of sweeps that it has, those to the free state first.
    fn steps_mut(&mut self) -> Vec<&mut usize>;
    /// Numbers that it keeps of every unit and sample at once, for the estimate of memory.
    fn copies(&self) -> usize;
    /// Steps of the data that it keeps at once; none, the default: all.
    fn section(&self) -> Option<usize> {
        None
    }
    /// Most bytes for what a batch did, where it is bounded: it then keeps no more steps at once than that. Default: no bound.
    fn memory(&self) -> Option<u64> {
        None
    }
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// The rule itself, for `network` and a training set of `samples` samples.
    fn build(&self, solver: Solver, network: &Network, samples: usize) -> Box<dyn Credit>;
}

/// What a credit rule wants of the other axes, and what it gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreditNeeds {
    /// How populations have to come to their outputs.
    pub dynamics: UnitDynamics,
    /// How it acts on the network.
    pub acts: Acts,
    /// The strength with which it pushes outputs away from the target, if it does.
    pub pushes: Option<f64>,
    /// Whether all samples have to take the same plain sweeps.
    pub fixed_steps: bool,
    /// Whether weights move within the phases of a batch, or within its sequences.
    pub online: bool,
    /// What it carries along a sequence.
    pub carries: Carried,
    /// Whether it draws answers and learns from their rewards, of which it keeps a mean from batch to batch.
    pub rewards: bool,
    /// Where the free phase starts in training.
    pub start: Start,
    /// Whether it gives the gradient of every sample alone.
    pub per_sample: bool,
    /// Whether nudged phases follow the transposed network around the free state.
    pub corrected: bool,
    /// Whether every update has a free state to learn from.
    pub free_state: bool,
    /// Whether what it hands over is the gradient of the loss itself, whatever the network.
    pub exact: bool,
    /// Whether populations have to follow each other, one after the other.
    pub chain: bool,
    /// Whether it compares what units send, which tells nothing where units jump.
    pub smooth: bool,
}

/// What a credit rule carries along the steps of each sample, so that it never has to go back. Losses have to be known at their step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Nothing: it goes back.
    Nothing,
    /// For each synapse what it did to the states of its own unit.
    Eligibility,
    /// For all parameters together as much as there are of them, and for all states as much as there are of them.
    RankOne,
    /// For each parameter what it did to all states.
    All,
}

impl Carried {
    /// Numbers for one sample, of so many parameters, and states and outputs that matter.
    pub fn numbers(self, parameters: u128, states: u128, of_unit: u128) -> u128 {
        match self {
            Self::Nothing => 0,
            Self::Eligibility => parameters * (2 + of_unit),
            Self::RankOne => parameters + states,
            Self::All => parameters * states,
        }
    }
}

/// How a credit rule acts on a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    /// It goes back through what the network did.
    Gradient,
    /// It nudges the output by a force.
    Nudge,
    /// It nudges the output by a force that turns in the complex plane; off the real line if `complex`.
    ComplexNudge {
        /// Whether there are nudges with an imaginary part.
        complex: bool,
    },
    /// It holds the output.
    Clamp,
    /// It asks nobody: hidden populations learn from their own input and answer.
    Local,
    /// It lets values of hidden units of a pass settle between what they are told and what they are asked.
    Infer,
}

impl Acts {
    /// Whether the output is pushed by a force, so that its place in the dynamics matters.
    pub fn nudges(self) -> bool {
        matches!(self, Self::Nudge | Self::ComplexNudge { .. })
    }
}

impl CreditNeeds {
    /// A gradient through a network of these dynamics.
    pub fn gradient(dynamics: UnitDynamics) -> Self {
        Self {
            dynamics,
            acts: Acts::Gradient,
            pushes: None,
            fixed_steps: false,
            online: false,
            carries: Carried::Nothing,
            rewards: false,
            start: Start::Zero,
            per_sample: false,
            corrected: false,
            free_state: true,
            exact: true,
            chain: false,
            smooth: false,
        }
    }

    /// Rules of single populations of a feed-forward network.
    pub fn local() -> Self {
        Self { acts: Acts::Local, exact: false, ..Self::gradient(UnitDynamics::Feedforward) }
    }

    /// Inference of values in a feed-forward network.
    pub fn inference() -> Self {
        Self { acts: Acts::Infer, exact: false, ..Self::gradient(UnitDynamics::Feedforward) }
    }

    /// Phases of a network that settles, from rest.
    pub fn phases(acts: Acts) -> Self {
        Self { acts, exact: false, ..Self::gradient(UnitDynamics::Settling) }
    }
}

/// Samples with their targets.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Inputs, [samples, features].
    pub x: Mat,
    /// What each sample should come to.
    pub target: Target,
    /// Place of each sample among those of all tasks of a stream, or in its data set.
    pub ids: Vec<usize>,
    /// Which steps of each sample are its own, and how much they count; none: all of them alike.
    pub spans: Option<Spans>,
}

impl Batch {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Takes the samples of another batch of the same kind behind its own.
    pub fn append(&mut self, other: &Self) {
        self.x.append_rows(other.x.view());
        self.target.append(&other.target);
        // Samples of which nothing is said are whole.
        if let Some(steps) = self.spans.as_ref().or(other.spans.as_ref()).map(|spans| spans.steps) {
            let whole = |batch: &Self| Spans::whole(steps, batch.len());
            let mut spans = self.spans.take().unwrap_or_else(|| whole(self));
            let others = other.spans.clone().unwrap_or_else(|| whole(other));
            (0..other.len()).for_each(|id| spans.push(&others, id));
            self.spans = Some(spans);
        }
        self.ids.extend(&other.ids);
    }

    /// The samples at `rows`, in this order, which keep their places.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self {
            x: self.x.take_rows(rows),
            target: self.target.take(rows),
            ids: rows.iter().map(|&r| self.ids[r]).collect(),
            spans: self.spans.as_ref().map(|spans| spans.take(rows)),
        }
    }

    /// The first `n` samples, as a training set of their own.
    #[must_use]
    pub fn first(mut self, n: usize) -> Self {
        let n = n.min(self.len());
        self.x.resize_rows(n);
        self.target = self.target.part(0..n);
        self.ids = (0..n).collect();
        self.spans = self.spans.map(|spans| spans.take(&self.ids));
        self
    }
}

/// A credit rule. `key` names the random numbers of this update.
pub trait Credit: Send + Sync + std::fmt::Debug {
    /// Hands the gradient of the mean loss of `batch` to `sink` and lets it step.
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step>;
    /// The outcome of `batch` without learning.
    fn evaluate(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<Step>;
    /// The free state.
    fn free(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<PhaseStates>;
    /// The free state that `learn` starts from with this key, from rest: with dropout, noise and the statistics of the
    /// batch, which running means take in. Default: the one of evaluation.
    fn free_in_training(
        &self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        _key: &Key,
    ) -> Result<PhaseStates> {
        self.free(network, batch, objective)
    }
    /// The states that the rule learns from, the free one first, for those who want to look inside. Default: the
    /// free state alone.
    fn phases(
        &self,
        network: &Network,
        batch: &Batch,
        objective: &dyn Objective,
        _key: &Key,
    ) -> Result<Vec<PhaseStates>> {
        Ok(vec![self.free(network, batch, objective)?])
    }
    /// Hands the gradient of each mean loss, one after the other, to `sink` with the network as it answers in
    /// evaluation: no dropout, fixed statistics, nothing learned or observed. All see the same state: their presynaptic
    /// factors are the same memory.
    ///
    /// # Errors
    /// [`Error::Incompatible`] for rules that have no such gradient, which is the default.
    fn gradients(&self, _: &Network, _: &Batch, _: &[&dyn Objective], _: &mut dyn GradSink) -> Result<()> {
        Err(Error::incompatible("this credit rule has no gradient sample by sample", "use credit.backprop"))
    }
    /// Through the steps of a network in time: the gradients of the parameters and of the input, [samples, features], of the mean over
    /// samples of ⟨g, outputs⟩, where `gradient` has a row for each sample as [`Credit::free`] has outputs, and `key` is that of
    /// [`Credit::free_in_training`]. The input has none where the encoder makes something else of its numbers.
    ///
    /// # Errors
    /// [`Error::Incompatible`] for rules that do not go through time, which is the default.
    fn send_back(
        &self,
        _: &Network,
        _: &Batch,
        _gradient: &Mat,
        _: Option<&Key>,
    ) -> Result<(GradCollector, Option<Mat>)> {
        Err(Error::incompatible("this credit rule does not go through steps of time", "use credit.bptt"))
    }
    /// Shows state that must survive a restart to `visitor`. Default: there is none.
    fn visit(&mut self, _visitor: &mut Visitor<'_>) -> Result<()> {
        Ok(())
    }
}

impl CreditSpec {
    /// The rule itself, for `network` and a training set of `samples` samples.
    ///
    /// # Errors
    /// Those of the solver.
    pub fn build(&self, solver: &SolverSpec, network: &Network, samples: usize) -> Result<Box<dyn Credit>> {
        Ok(self.method().build(Solver::new(solver, network)?, network, samples))
    }

    /// Most sweeps to the free state; `None` if there are no sweeps.
    pub fn free_steps(&self) -> Option<usize> {
        self.clone().steps_mut().first().map(|steps| **steps)
    }

    /// Every number of sweeps that the rule has.
    pub fn steps_mut(&mut self) -> Vec<&mut usize> {
        self.method_mut().map_or_else(Vec::new, |rule| rule.steps_mut())
    }
}
