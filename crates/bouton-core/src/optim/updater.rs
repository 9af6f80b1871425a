//! The updater: the only place where a weight changes.
//!
//! Credit hands over factors (presynaptic rows, postsynaptic rows); a gradient is the sum over rows of their outer
//! products, which [`Updater::step`] forms tile by tile for `change`.

use super::change::{UpdateContext, change};
use super::gathered::Gathered;
use super::update::Limits;
use super::{Hyper, Optim, Rate, UpdateSpec};
use crate::anchor::{Anchor, ConsolidationState, Importance};
use crate::credit::{Batch, Credit, Step};
use crate::error::{Error, Result};
use crate::network::{ConnId, Grad, GradSink, Network, Owner, ParamId, Parameter, Visitor};
use crate::objective::Objective;
use crate::rng::Key;
use bouton_kernels::{Mat, dispatch};
use std::collections::HashMap;

/// Turns factors into weight changes.
#[derive(Debug)]
pub struct Updater {
    optim: Box<dyn Optim>,
    anchor: Option<Box<dyn Anchor>>,
    params: Vec<Param>,
    gathered: Gathered,
    seed: u64,
    /// How gradients become an update.
    spec: UpdateSpec,
    /// Draws of sampled weights in an update, and how many of them are done.
    draws: [usize; 2],
    /// Samples of an update that are learned at once, if not all are.
    piece: Option<usize>,
    /// The share of the present piece in the gradient, and whether further pieces follow.
    share: f64,
    gathers: bool,
    updates: u64,
    steps_at_reset: u64,
    factor: f64,
}

/// What the optimiser and the anchor keep of one parameter.
#[derive(Debug)]
struct Param {
    id: ParamId,
    /// An optimiser of its own.
    optim: Option<Box<dyn Optim>>,
    name: String,
    rate: Rate,
    slots: Vec<Mat>,
    consolidation: Option<ConsolidationState>,
}

impl Updater {
    /// An updater for every parameter of `network`.
    pub fn new(network: &Network, optim: Box<dyn Optim>) -> Self {
        let params = network
            .parameters()
            .into_iter()
            .filter(|(id, ..)| network.learns(*id))
            .map(|(id, name, mat)| {
                let rate = optim.rate(network.layer_of(id), id.is_unit());
                let rate = network.rate_of(id).map_or(rate, Rate::Scheduled);
                let slots = (0..optim.slots()).map(|_| Mat::zeros(mat.dtype(), mat.rows(), mat.cols()));
                Param { id, name, rate, slots: slots.collect(), consolidation: None, optim: None }
            })
            .collect();
        Self {
            params,
            gathered: Gathered::new(network),
            optim,
            anchor: None,
            seed: 0,
            spec: UpdateSpec::default(),
            draws: [1, 0],
            piece: None,
            share: 1.0,
            gathers: false,
            updates: 0,
            steps_at_reset: 0,
            factor: 1.0,
        }
    }

    /// Gives the parameters of connection `of` an optimiser of their own, which starts anew.
    pub fn choose(&mut self, network: &Network, of: ConnId, build: &dyn Fn() -> Box<dyn Optim>) {
        for param in self.params.iter_mut().filter(|p| p.id.owner() == Owner::Connection(of)) {
            let (optim, value) = (build(), network.value(param.id).expect("it is one of this network"));
            param.rate = optim.rate(0, false);
            let slot = || Mat::zeros(value.dtype(), value.rows(), value.cols());
            param.slots = (0..optim.slots()).map(|_| slot()).collect();
            param.optim = Some(optim);
        }
    }

    /// The same with the seed of synapses that draw random numbers.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with a way of its own from gradients to an update.
    #[must_use]
    pub fn told(mut self, spec: UpdateSpec) -> Self {
        self.spec = spec;
        self
    }

    /// From now on [`Updater::update`] learns from at most so many samples at once, and averages their gradients for one update.
    pub fn set_piece(&mut self, samples: Option<usize>) {
        self.piece = samples;
    }

    /// From now on an update averages over `draws` of sampled weights: all but the last of so many steps only gather and
    /// draw anew.
    pub fn set_draws(&mut self, draws: usize) {
        self.draws = [draws.max(1), 0];
    }

    /// One update by what `credit` makes of a batch, heard once for every draw; what the draws came to together.
    ///
    /// # Errors
    /// If a relaxation diverges, or a weight is no longer finite.
    pub fn update(
        &mut self,
        credit: &mut dyn Credit,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        key: &Key,
    ) -> Result<Step> {
        let mut step = Step::default();
        for draw in 0..self.draws[0] as u64 {
            let key = if draw > 0 { key.of("draw", draw) } else { key.clone() };
            step = step.with(&self.learn(credit, network, batch, objective, &key)?);
        }
        Ok(step)
    }

    /// One draw: its batch, piece by piece.
    fn learn(
        &mut self,
        credit: &mut dyn Credit,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        key: &Key,
    ) -> Result<Step> {
        let n = batch.len();
        let rows = self.piece.map_or(n, |piece| piece.max(1));
        if rows >= n {
            return credit.learn(network, batch, objective, self, key);
        }
        let mut step = Step::default();
        for (i, from) in (0..n).step_by(rows).enumerate() {
            let to = n.min(from + rows);
            let piece = batch.take(&(from..to).collect::<Vec<_>>());
            let key = if i > 0 { key.of("piece", i as u64) } else { key.clone() };
            (self.share, self.gathers) = ((to - from) as f64 / n as f64, to < n);
            let result = credit.learn(network, &piece, objective, self, &key);
            (self.share, self.gathers) = (1.0, false);
            step = step.with(&result?);
        }
        Ok(step)
    }

    /// The same with an anchor on every weight, and on parameters of units if `units` holds; not on those of the objective, which
    /// are no part of what a network remembers.
    #[must_use]
    pub fn anchored(mut self, network: &Network, anchor: Option<Box<dyn Anchor>>, units: bool) -> Self {
        if let Some(anchor) = &anchor {
            let anchors = |owner| match owner {
                Owner::Connection(_) => true,
                Owner::Population(_) => units,
                Owner::Objective => false,
            };
            for param in self.params.iter_mut().filter(|p| anchors(p.id.owner())) {
                param.consolidation =
                    Some(ConsolidationState::new(&**anchor, network.anchored(param.id, anchor.hidden())));
            }
        }
        self.anchor = anchor;
        self
    }

    /// How the anchor, if there is one, measures the importance of a finished task.
    pub fn importance(&self) -> Option<Importance> {
        self.anchor.as_ref().map(|a| a.importance())
    }

    /// Takes a finished task into the anchor; `importance` is what was measured at its end.
    pub fn consolidate(&mut self, network: &Network, importance: &HashMap<ParamId, Mat>, key: &Key) {
        let Some(anchor) = &self.anchor else { return };
        for (i, param) in self.params.iter_mut().enumerate() {
            let Some(consolidation) = &mut param.consolidation else { continue };
            let mut new = importance.get(&param.id).cloned();
            if let Some(new) = new.as_mut().filter(|_| anchor.shuffles()) {
                let mut draws = key.of("shuffle", i as u64).stream();
                dispatch!(new.dtype(), T => draws.shuffle(new.slice_mut::<T>()));
            }
            consolidation.consolidate(&**anchor, network.anchored(param.id, anchor.hidden()), new.as_ref());
        }
    }

    /// Forgets the optimiser's state, as at the start of a task in some protocols.
    pub fn reset(&mut self) {
        self.params.iter_mut().flat_map(|p| &mut p.slots).for_each(|s| s.fill(0.0));
        self.steps_at_reset = self.updates;
    }

    /// Sets the schedule's factor on every learning rate.
    pub fn set_factor(&mut self, factor: f64) {
        self.factor = factor;
    }

    /// Updates made so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Updates made before the optimiser's state was last forgotten.
    pub fn steps_at_reset(&self) -> u64 {
        self.steps_at_reset
    }

    /// Continues the count of updates, as after a checkpoint.
    pub fn set_updates(&mut self, updates: u64, steps_at_reset: u64) {
        (self.updates, self.steps_at_reset) = (updates, steps_at_reset);
    }

    /// Shows every state matrix of the optimiser and of the anchor to `visitor`.
    pub fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        for param in &mut self.params {
            for (k, slot) in param.slots.iter_mut().enumerate() {
                visitor(&format!("optim.{}.{k}", param.name), slot)?;
            }
            let Some(consolidation) = &mut param.consolidation else { continue };
            let ConsolidationState { importance, weighted_target, path, start } = consolidation;
            for (kind, mat) in
                [("importance", importance), ("pull", weighted_target), ("path", path), ("start", start)]
            {
                if !mat.is_empty() {
                    visitor(&format!("anchor.{}.{kind}", param.name), mat)?;
                }
            }
        }
        Ok(())
    }

    /// Hands the gradients of one draw to the synapses of sampled weights, which draw anew; the others wait for the step.
    fn accumulate_draw(&mut self, network: &mut Network) {
        let hyper = Hyper { rate: 0.0, decays: false, step: 0 };
        for param in &self.params {
            let key = draws_of(network, param.id, self.seed, self.updates);
            let Parameter { value, wiring, synapse, states } = network.parameter_mut(param.id);
            let Some(key) = key.filter(|_| synapse.info().bayesian) else { continue };
            let key = key.of("draw", self.draws[1] as u64).number();
            let (optim, num_states) = (&*self.optim, states.len());
            let rule = UpdateContext {
                optim,
                synapse,
                num_states,
                anchor: None,
                limits: Limits::NONE,
                hyper,
                key,
                accumulates: true,
            };
            if !self.gathered.has(param.id) {
                continue;
            }
            let grad = self.gathered.of(param.id, wiring);
            value.update(|w| change(&rule, &grad, w, states.iter_mut().collect()));
            self.gathered.remove(param.id);
        }
        if self.spec.clips() {
            self.gathered.set_aside();
        }
    }

    /// What the present gradient, of an update or of one of its draws, has to go through when a weight takes it.
    fn limits(&mut self, network: &Network) -> Result<Limits> {
        let (draws, ids) = (self.draws[0] as f64, || self.params.iter().map(|p| p.id));
        let UpdateSpec { clip_norm, clip_value, .. } = self.spec;
        if !self.spec.clips() {
            return Ok(Limits::NONE);
        }
        let mut limits = Limits { bound: clip_value.map(|v| v / draws), ..Limits::NONE };
        if clip_norm.is_some() || self.draws[0] > 1 {
            self.gathered.form(network, ids());
        }
        if let Some(longest) = clip_norm {
            let square = self.gathered.square(ids(), limits);
            if !square.is_finite() {
                return Err(Error::Diverged {
                    message: format!("the gradient of update {} is no longer finite", self.updates + 1),
                    hint: Some("lower the learning rate, or the gain of the initial weights".into()),
                });
            }
            limits = limits.shorten(longest / draws, square);
        }
        if self.draws[0] == 1 {
            return Ok(limits);
        }
        self.gathered.limit(limits);
        Ok(Limits::NONE)
    }
}

impl GradSink for Updater {
    fn add(&mut self, network: &Network, id: ParamId, grad: Grad<'_>) {
        let (draws, share) = (self.draws[0] as f64, self.share);
        self.gathered.add(network, id, grad, |scale| scale / draws * share);
    }

    fn step(&mut self, network: &mut Network) -> Result<()> {
        if self.gathers {
            self.gathered.form(network, self.params.iter().map(|p| p.id));
            return Ok(());
        }
        let limits = self.limits(network)?;
        let [all, draws_done] = &mut self.draws;
        *draws_done = (*draws_done + 1) % *all;
        if *draws_done > 0 {
            self.accumulate_draw(network);
            return Ok(());
        }
        self.gathered.take_back();
        let factor = self.factor * self.spec.warm_up_factor(self.updates - self.steps_at_reset);
        self.updates += 1;
        for param in &mut self.params {
            let rate = param.rate.at(factor);
            let hyper = Hyper { rate, decays: !param.id.is_unit(), step: self.updates - self.steps_at_reset };
            let key = draws_of(network, param.id, self.seed, self.updates).map_or(0, |key| key.number());
            let Parameter { value, wiring, synapse, states } = network.parameter_mut(param.id);
            let grad = self.gathered.of(param.id, wiring);
            let anchor = self.anchor.as_deref().filter(|_| param.consolidation.is_some());
            let (optim, num_states) = (param.optim.as_deref().unwrap_or(&*self.optim), states.len());
            let rule =
                UpdateContext { optim, synapse, num_states, anchor, limits, hyper, key, accumulates: false };
            let consolidation = param
                .consolidation
                .iter_mut()
                .flat_map(|h| [&mut h.importance, &mut h.weighted_target, &mut h.path]);
            let state =
                param.slots.iter_mut().chain(states).chain(consolidation.filter(|m| !m.is_empty())).collect();
            let finite = value.update(|w| change(&rule, &grad, w, state));
            if !finite {
                return Err(Error::Diverged {
                    message: format!("{} is no longer finite after update {}", param.name, self.updates),
                    hint: Some("lower the learning rate, or the gain of the initial weights".into()),
                });
            }
        }
        self.gathered.clear();
        Ok(())
    }
}

/// Random numbers of the synapses of a parameter in an update; none for those that draw none. Hashing a key for each parameter
/// costs more than a small update.
fn draws_of(network: &Network, id: ParamId, seed: u64, update: u64) -> Option<Key> {
    let Owner::Connection(c) = id.owner() else { return None };
    let connection = &network.connections[c];
    let purpose = if id == ParamId::weight(c) { "parameter" } else { "feedback" };
    let key = || connection.draws(&Key::new(seed).of("synapse", update), purpose, connection.layer);
    connection.synapse.info().stochastic.then(key)
}
