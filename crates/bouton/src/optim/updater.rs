//! The updater: the only place where a weight changes.
//!
//! Credit hands over factors (presynaptic rows, postsynaptic rows); a gradient is the sum over rows of their outer
//! products. [`Updater::step`] forms it tile by tile, lets the optimiser propose and the synapse take, while the tile
//! is in cache. Tiles are bands of weight rows; an element's arithmetic does not depend on the tiling or on threads.

use super::{Hyper, Optim, Rate};
use crate::anchor::{Anchor, Hold, Importance, add_penalty, trace_path};
use crate::credit::{Sink, add_scaled};
use crate::error::{Error, Result};
use crate::network::{ConnId, Connection, Feedback, Network, ParamId, Parameter, PopId, Visitor};
use crate::rng::Key;
use crate::synapse::Synapse;
use crate::wiring::Wiring;
use bouton_kernels::{Mat, View, ViewMut, dispatch, vectorize};
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;

/// Elements of a tile, about: weight, gradient, proposal and optimiser state of it fit the caches of a core.
const TILE: usize = 8192;
/// With more rows of factors than this, gradients are formed for several tiles together.
const DEEP: usize = 64;
/// Rows of those tiles, at most, and elements.
const TALL: usize = 96;
const BLOCK: usize = 16 * TILE;
/// Weights with fewer elements are updated by one thread.
const PARALLEL: usize = 4 * TILE;

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

/// Pending factors of one connection: the gradient is gᵀ·pre.
#[derive(Debug)]
struct Factors {
    pre: Mat,
    g: Mat,
}

impl Factors {
    fn push(&mut self, pre: View<'_>, g: View<'_>, scale: f64) {
        append(&mut self.pre, pre, 1.0);
        append(&mut self.g, g, scale);
    }

    fn clear(&mut self) {
        self.pre.resize_rows(0);
        self.g.resize_rows(0);
    }
}

/// Appends scaled rows.
fn append(to: &mut Mat, rows: View<'_>, scale: f64) {
    let at = to.rows();
    to.append_rows(rows);
    let mut end = to.rows_view_mut(at..at + rows.rows());
    if scale != 1.0 {
        dispatch!(end.dtype(), T => {
            let scale = <T as bouton_kernels::Elem>::from_f64(scale);
            end.slice_mut::<T>().iter_mut().for_each(|x| *x *= scale);
        });
    }
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

    /// The same with updates that average over `draws` of sampled weights: all but the last of so many steps only gather and
    /// draw anew.
    #[must_use]
    pub fn drawing(mut self, draws: usize) -> Self {
        self.draws[0] = draws.max(1);
        self
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
            if !synapse.sampled() {
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
        let sum = self.whole.entry(id).or_insert_with(|| Mat::zeros(g.dtype(), g.rows(), g.cols()));
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
            let key = if synapse.draws() { key() } else { 0 };
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

/// Where a parameter's gradient comes from.
enum Gradient<'a> {
    /// Factors, and what came as a whole.
    Factors(&'a dyn Wiring, &'a Factors, Option<&'a Mat>),
    Ready(&'a Mat),
}

impl Gradient<'_> {
    /// Rows of a tile of a weight of this shape, and how many tiles' gradients are formed together: with many rows of
    /// factors several, because all factors pass by each time.
    fn tiling(&self, rows: usize, cols: usize) -> (usize, usize) {
        let (deep, wanted) = match self {
            Self::Factors(wiring, f, _) => (f.pre.rows() > DEEP, wiring.band()),
            Self::Ready(_) => (false, None),
        };
        let of = |elements: usize| (elements / cols.max(1)).clamp(1, rows.max(1));
        let tile = wanted.map_or(of(TILE), |band| band.clamp(1, rows.max(1)));
        let share = rows.div_ceil(4 * rayon::current_num_threads());
        let together = if deep && wanted.is_none() { TALL.min(of(BLOCK)).min(share) / tile } else { 1 };
        (tile, together.max(1))
    }

    /// Writes the gradient of some rows of the weight.
    fn write(&self, rows: Range<usize>, mut to: ViewMut<'_>) {
        match self {
            Self::Factors(wiring, f, whole) => {
                match whole {
                    Some(whole) => to.copy_from(whole.rows_view(rows.clone())),
                    None => to.fill(0.0),
                }
                wiring.pull_weight(f.pre.view(), f.g.view(), rows, to);
            }
            Self::Ready(g) => to.copy_from(g.rows_view(rows)),
        }
    }
}

/// One band of a parameter with its state: the optimiser's, then the synapse's.
struct Band<'a> {
    from: usize,
    weight: ViewMut<'a>,
    state: Vec<ViewMut<'a>>,
}

/// Everything that decides how a parameter takes its gradient.
#[derive(Clone, Copy)]
struct Take<'a> {
    optim: &'a dyn Optim,
    synapse: &'a dyn Synapse,
    /// How many state matrices the synapse has.
    states: usize,
    anchor: Option<&'a dyn Anchor>,
    hyper: Hyper,
    key: u64,
    /// Whether more draws of the same update follow.
    gathers: bool,
}

/// Proposal, gradient without penalty, and parameter before the step, of one band.
type Scratch = [Mat; 3];

impl Take<'_> {
    /// Pulls towards the anchor, proposes, takes and traces the way.
    fn take(&self, cols: usize, mut gradient: ViewMut<'_>, s: &mut Scratch, b: &mut Band<'_>) {
        let n = b.weight.rows();
        if self.gathers {
            let delta = &mut s[0];
            negate(gradient.as_view(), delta.rows_view_mut(0..n));
            let (at, delta) = (b.from * cols, delta.rows_view(0..n));
            return self.synapse.gather(self.key, at, delta, b.weight.reborrow(), &mut b.state);
        }
        let (slots, rest) = b.state.split_at_mut(self.optim.slots());
        let (memory, held) = rest.split_at_mut(self.states);
        let hidden = self.synapse.hidden();
        let [delta, loss, old] = s;
        if let (Some(anchor), [omega, pull, path @ ..]) = (self.anchor, &mut *held) {
            let theta = theta(hidden.filter(|_| anchor.hidden()), &b.weight, memory);
            if !path.is_empty() {
                loss.rows_view_mut(0..n).copy_from(gradient.as_view());
                old.rows_view_mut(0..n).copy_from(theta);
            }
            add_penalty(anchor.strength(), theta, omega.as_view(), pull.as_view(), gradient.reborrow());
        }
        let proposed = delta.rows_view_mut(0..n);
        if self.synapse.raw() {
            negate(gradient.as_view(), proposed);
        } else {
            let w = theta(hidden, &b.weight, memory);
            self.optim.propose(self.hyper, w, gradient.as_view(), slots, proposed);
        }
        self.synapse.take(self.key, b.from * cols, delta.rows_view(0..n), b.weight.reborrow(), memory);
        if let (Some(anchor), [_, _, path]) = (self.anchor, held) {
            let theta = theta(hidden.filter(|_| anchor.hidden()), &b.weight, memory);
            let total = matches!(anchor.importance(), Importance::Path(p) if p.total);
            let g = if total { gradient.as_view() } else { loss.rows_view(0..n) };
            trace_path(g, old.rows_view(0..n), theta, path.reborrow());
        }
    }
}

/// The weight, or the state matrix that plays its part.
fn theta<'a>(hidden: Option<usize>, weight: &'a ViewMut<'_>, memory: &'a [ViewMut<'_>]) -> View<'a> {
    hidden.map_or(weight.as_view(), |h| memory[h].as_view())
}

fn negate(g: View<'_>, mut to: ViewMut<'_>) {
    dispatch!(g.dtype(), T => for (to, &g) in to.slice_mut::<T>().iter_mut().zip(g.slice::<T>()) {
        *to = -g;
    });
}

/// Changes a parameter, band by band; whether it is still finite. **The one function that changes a weight.**
fn change(rule: &Take<'_>, grad: &Gradient<'_>, weight: ViewMut<'_>, state: Vec<&mut Mat>) -> bool {
    let (dtype, rows, cols) = (weight.dtype(), weight.rows(), weight.cols());
    let (tile, together) = grad.tiling(rows, cols);
    let take = |(gradient, s): &mut (Mat, Scratch), bands: &mut [Band<'_>]| {
        let from = bands[0].from;
        let to = bands.last().map_or(from, |b| b.from + b.weight.rows());
        grad.write(from..to, gradient.rows_view_mut(0..to - from));
        bands.iter_mut().all(|b| {
            let at = b.from - from;
            rule.take(cols, gradient.rows_view_mut(at..at + b.weight.rows()), s, b);
            is_finite(b.weight.as_view())
        })
    };
    let spare = if rule.anchor.is_some() { tile } else { 0 };
    let room = |n| Mat::zeros(dtype, n, cols);
    let scratch = || (room(tile * together), [tile, spare, spare].map(room));
    let mut bands = cut(weight, state, tile);
    if rows * cols >= PARALLEL {
        let groups = bands.par_chunks_mut(together);
        groups.map_init(scratch, take).reduce(|| true, |a, b| a && b)
    } else {
        let mut scratch = scratch();
        bands.chunks_mut(together).all(|bands| take(&mut scratch, bands))
    }
}

/// Bands of `band` rows each.
fn cut<'a>(weight: ViewMut<'a>, state: Vec<&'a mut Mat>, band: usize) -> Vec<Band<'a>> {
    let mut chunks: Vec<_> = state.into_iter().map(|s| s.view_mut().chunks_mut(band)).collect();
    let weights = weight.chunks_mut(band).enumerate();
    weights
        .map(|(i, weight)| Band {
            from: i * band,
            weight,
            state: chunks.iter_mut().filter_map(Iterator::next).collect(),
        })
        .collect()
}

/// Whether no element is infinite or NaN.
pub(crate) fn is_finite(view: View<'_>) -> bool {
    use bouton_kernels::Real;
    dispatch!(view.dtype(), T => {
        let values = view.slice::<T>();
        let zero = T::lit(0.0);
        // x·0 is 0 for finite x and NaN otherwise; lanes keep the sum vectorised.
        let sum = vectorize(#[inline(always)] || {
            let mut lanes = [zero; 16];
            let chunks = values.chunks_exact(16);
            let rest = chunks.remainder().iter().fold(zero, |s, &x| s + x * zero);
            for chunk in chunks {
                for (lane, &x) in lanes.iter_mut().zip(chunk) {
                    *lane += x * zero;
                }
            }
            lanes.into_iter().fold(rest, |a, b| a + b)
        });
        sum == zero
    })
}

/// sums[0, j] += scale · Σ_r g[r, j].
pub(crate) fn add_columns(g: View<'_>, scale: f64, mut sums: ViewMut<'_>) {
    dispatch!(g.dtype(), T => {
        let scale = <T as bouton_kernels::Elem>::from_f64(scale);
        let sums = sums.slice_mut::<T>();
        for row in g.slice::<T>().chunks_exact(g.cols().max(1)) {
            let sums = &mut *sums;
            vectorize(#[inline(always)] move || for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += scale * x;
            });
        }
    });
}
