//! The updater: the only place where a weight changes.
//!
//! Credit hands over factors (presynaptic rows, postsynaptic rows); a gradient is the sum over rows of their outer
//! products, which [`Updater::step`] forms tile by tile for `change`.

use super::change::{Take, change};
use super::gradient::{Factors, Gradient};
use super::{Hyper, Optim, Rate};
use crate::anchor::{Anchor, Hold, Importance};
use crate::credit::{Batch, Credit, Sink, Step};
use crate::error::{Error, Result};
use crate::network::{ConnId, Connection, Feedback, Network, ParamId, Parameter, PopId, Visitor};
use crate::objective::Objective;
use crate::rng::Key;
use bouton_kernels::{Mat, View, add_columns, add_scaled, dispatch};
use std::collections::HashMap;

/// Turns factors into weight changes.
#[derive(Debug)]
pub struct Updater {
    optim: Box<dyn Optim>,
    anchor: Option<Box<dyn Anchor>>,
    params: Vec<Param>,
    weights: Vec<Factors>,
    /// Of feedback weights that learn for themselves.
    backs: HashMap<ConnId, Factors>,
    /// Gradients that came as a whole.
    whole: HashMap<ParamId, Mat>,
    units: HashMap<ParamId, Mat>,
    seed: u64,
    /// Draws of sampled weights in an update, and how many of them have been heard.
    draws: [usize; 2],
    updates: u64,
    origin: u64,
    factor: f64,
}

/// What the optimiser and the anchor keep of one parameter.
#[derive(Debug)]
struct Param {
    id: ParamId,
    name: String,
    rate: Rate,
    slots: Vec<Mat>,
    hold: Option<Hold>,
}

impl Updater {
    /// An updater for every parameter of `network`.
    pub fn new(network: &Network, optim: Box<dyn Optim>) -> Self {
        let params = network
            .parameters()
            .into_iter()
            .map(|(id, name, mat)| {
                let rate = optim.rate(network.layer_of(id), id.is_unit());
                let slots = (0..optim.slots()).map(|_| Mat::zeros(mat.dtype(), mat.rows(), mat.cols()));
                Param { id, name, rate, slots: slots.collect(), hold: None }
            })
            .collect();
        let dtype = network.dtype;
        let none = |c: &Connection| Factors {
            pre: Mat::zeros(dtype, 0, network.populations[c.pre].units),
            g: Mat::zeros(dtype, 0, c.factors(network.populations[c.post].units)),
        };
        let alone = |c: &Connection| matches!(c.feedback, Feedback::Field(_));
        let backs = network.connections.iter().enumerate().filter(|(_, c)| alone(c));
        let units = network.parameters().into_iter().filter(|(id, ..)| id.is_unit());
        Self {
            params,
            weights: network.connections.iter().map(none).collect(),
            backs: backs.map(|(id, c)| (id, none(c))).collect(),
            whole: HashMap::new(),
            units: units.map(|(id, _, mat)| (id, Mat::zeros(dtype, 1, mat.cols()))).collect(),
            optim,
            anchor: None,
            seed: 0,
            draws: [1, 0],
            updates: 0,
            origin: 0,
            factor: 1.0,
        }
    }

    /// The same with the seed of synapses that draw random numbers.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
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
            step = step.with(&credit.learn(network, batch, objective, self, &key)?);
        }
        Ok(step)
    }

    /// The same with an anchor on every weight, and on parameters of units if `units` holds.
    #[must_use]
    pub fn anchored(mut self, network: &Network, anchor: Option<Box<dyn Anchor>>, units: bool) -> Self {
        if let Some(anchor) = &anchor {
            for param in self.params.iter_mut().filter(|p| units || !p.id.is_unit()) {
                param.hold = Some(Hold::new(&**anchor, network.anchored(param.id, anchor.hidden())));
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
            let Some(hold) = &mut param.hold else { continue };
            let mut new = importance.get(&param.id).cloned();
            if let Some(new) = new.as_mut().filter(|_| anchor.shuffles()) {
                let mut draws = key.of("shuffle", i as u64).stream();
                dispatch!(new.dtype(), T => draws.shuffle(new.slice_mut::<T>()));
            }
            hold.consolidate(&**anchor, network.anchored(param.id, anchor.hidden()), new.as_ref());
        }
    }

    /// Forgets the optimiser's state, as at the start of a task in some protocols.
    pub fn reset(&mut self) {
        self.params.iter_mut().flat_map(|p| &mut p.slots).for_each(|s| s.fill(0.0));
        self.origin = self.updates;
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
    pub fn origin(&self) -> u64 {
        self.origin
    }

    /// Continues the count of updates, as after a checkpoint.
    pub fn set_updates(&mut self, updates: u64, origin: u64) {
        (self.updates, self.origin) = (updates, origin);
    }

    /// Shows every state matrix of the optimiser and of the anchor to `visitor`.
    pub fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        for param in &mut self.params {
            for (k, slot) in param.slots.iter_mut().enumerate() {
                visitor(&format!("optim.{}.{k}", param.name), slot)?;
            }
            let Some(hold) = &mut param.hold else { continue };
            let Hold { importance, pull, path, start } = hold;
            for (kind, mat) in [("importance", importance), ("pull", pull), ("path", path), ("start", start)]
            {
                if !mat.is_empty() {
                    visitor(&format!("anchor.{}.{kind}", param.name), mat)?;
                }
            }
        }
        Ok(())
    }

    /// Hands the gradients of one draw to the synapses of sampled weights, which draw anew; the others wait for the step.
    fn gather(&mut self, network: &mut Network) {
        let hyper = Hyper { rate: 0.0, decays: false, step: 0 };
        for (i, param) in self.params.iter().enumerate() {
            let ParamId::Weight(c) = param.id else { continue };
            let Parameter { value, wiring, synapse, memory } = network.parameter_mut(param.id);
            if !synapse.info().bayesian {
                continue;
            }
            let key = Key::new(self.seed).of("synapse", self.updates).of("parameter", i as u64);
            let key = key.of("draw", self.draws[1] as u64).number();
            let (optim, states) = (&*self.optim, memory.len());
            let rule = Take { optim, synapse, states, anchor: None, hyper, key, gathers: true };
            let grad = Gradient::Factors(wiring, &self.weights[c], self.whole.get(&param.id));
            value.update(|w| change(&rule, &grad, w, memory.iter_mut().collect()));
            self.weights[c].clear();
            self.whole.remove(&param.id);
        }
    }

    fn clear(&mut self) {
        self.whole.clear();
        self.weights.iter_mut().chain(self.backs.values_mut()).for_each(Factors::clear);
        self.units.values_mut().for_each(|g| g.fill(0.0));
    }
}

impl Sink for Updater {
    fn factors(&mut self, _: &Network, id: ParamId, pre: View<'_>, g: View<'_>, scale: f64) {
        let factors = match id {
            ParamId::Feedback(c) => self.backs.get_mut(&c),
            ParamId::Weight(c) => self.weights.get_mut(c),
            ParamId::Bias(_) | ParamId::Gain(_) => unreachable!("parameters of units have no factors"),
        };
        if let Some(factors) = factors {
            factors.push(pre, g, scale / self.draws[0] as f64);
        }
    }

    fn gradient(&mut self, id: ParamId, g: &Mat, scale: f64) {
        let sums = if id.is_unit() { &mut self.units } else { &mut self.whole };
        let sum = sums.entry(id).or_insert_with(|| Mat::zeros(g.dtype(), g.rows(), g.cols()));
        add_scaled(sum, scale / self.draws[0] as f64, g.view());
    }

    fn bias(&mut self, _: &Network, pop: PopId, g: View<'_>, scale: f64) {
        if let Some(sum) = self.units.get_mut(&ParamId::Bias(pop)) {
            add_columns(g.folded(sum.cols()), scale / self.draws[0] as f64, sum.view_mut());
        }
    }

    fn gain(&mut self, _: &Network, pop: PopId, g: View<'_>, scale: f64) {
        if let Some(sum) = self.units.get_mut(&ParamId::Gain(pop)) {
            add_columns(g.folded(sum.cols()), scale / self.draws[0] as f64, sum.view_mut());
        }
    }

    fn step(&mut self, network: &mut Network) -> Result<()> {
        let [all, heard] = &mut self.draws;
        *heard = (*heard + 1) % *all;
        if *heard > 0 {
            self.gather(network);
            return Ok(());
        }
        self.updates += 1;
        for (i, param) in self.params.iter_mut().enumerate() {
            let rate = param.rate.at(self.factor);
            let hyper = Hyper { rate, decays: !param.id.is_unit(), step: self.updates - self.origin };
            let Parameter { value, wiring, synapse, memory } = network.parameter_mut(param.id);
            let grad = match param.id {
                ParamId::Weight(c) => Gradient::Factors(wiring, &self.weights[c], self.whole.get(&param.id)),
                ParamId::Feedback(c) => {
                    let factors = self.backs.get(&c).unwrap_or(&self.weights[c]);
                    Gradient::Factors(wiring, factors, self.whole.get(&param.id))
                }
                ParamId::Bias(_) | ParamId::Gain(_) => Gradient::Ready(&self.units[&param.id]),
            };
            let anchor = self.anchor.as_deref().filter(|_| param.hold.is_some());
            // Only synapses that draw need a key; hashing one for each parameter costs more than a small update.
            let key = || Key::new(self.seed).of("synapse", self.updates).of("parameter", i as u64).number();
            let key = if synapse.info().stochastic { key() } else { 0 };
            let (optim, states) = (&*self.optim, memory.len());
            let rule = Take { optim, synapse, states, anchor, hyper, key, gathers: false };
            let held = param.hold.iter_mut().flat_map(|h| [&mut h.importance, &mut h.pull, &mut h.path]);
            let state = param.slots.iter_mut().chain(memory).chain(held.filter(|m| !m.is_empty())).collect();
            let finite = value.update(|w| change(&rule, &grad, w, state));
            if !finite {
                return Err(Error::Diverged {
                    message: format!("{} is no longer finite after update {}", param.name, self.updates),
                    hint: Some("lower the learning rate, or the gain of the initial weights".into()),
                });
            }
        }
        self.clear();
        Ok(())
    }
}
