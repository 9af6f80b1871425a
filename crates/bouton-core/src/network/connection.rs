//! A connection: P(W(s_pre)), its way back, and what its weight learns from.
//!
//! W is linear in state and weight; pooling P, if there is one, is not, and leaves a choice behind at every state. A weight's
//! factors are always those of W: the postsynaptic ones are spread by the adjoint of P before they go to a sink.

use super::signs::{Back, Signs};
use super::{ConnId, ParamId, PopId};
use crate::rng::Key;
use crate::synapse::Synapse;
use crate::wiring::{Pool, Wiring};
use bouton_kernels::{Mat, View, ViewMut, WeightMat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a connection carries in the passes of a feed-forward network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// Activity one way, errors the other way through the same weights.
    #[default]
    Both,
    /// Activity alone: errors stop here.
    Activity,
    /// Errors alone, through fixed weights (direct feedback alignment, Nøkland 2016).
    Errors,
}

/// What flows from a postsynaptic population back to the presynaptic one.
#[derive(Debug)]
pub enum Feedback {
    /// Nothing.
    None,
    /// The transpose of the forward weight.
    Tied,
    /// The transpose of a weight of its own, stored in forward shape, which learns what the forward weight learns.
    Own(WeightMat),
    /// The transpose of a weight of its own, which learns for itself.
    Field(WeightMat),
    /// The transpose of a weight of its own, which stays as it is drawn.
    Fixed(WeightMat),
    /// The transpose of the forward weight's signs times magnitudes of its own.
    Signs(Signs),
}

impl Feedback {
    /// The weight of its own, if there is one.
    pub fn own(&self) -> Option<&WeightMat> {
        match self {
            Self::Own(weight) | Self::Field(weight) | Self::Fixed(weight) => Some(weight),
            Self::Signs(signs) => Some(&signs.magnitudes),
            Self::None | Self::Tied => None,
        }
    }

    /// [`Feedback::own`], to change.
    pub fn own_mut(&mut self) -> Option<&mut WeightMat> {
        match self {
            Self::Own(weight) | Self::Field(weight) | Self::Fixed(weight) => Some(weight),
            Self::Signs(signs) => Some(&mut signs.magnitudes),
            Self::None | Self::Tied => None,
        }
    }

    /// Whether that weight learns.
    pub fn learns(&self) -> bool {
        matches!(self, Self::Own(_) | Self::Field(_))
    }
}

/// A connection between two populations.
#[derive(Debug)]
pub struct Connection {
    /// `<pre>-<post>`.
    pub name: String,
    /// Presynaptic population.
    pub pre: PopId,
    /// Postsynaptic population.
    pub post: PopId,
    /// Place in the layer chain, from 0 at the input: selects entries of per-layer lists.
    pub layer: usize,
    /// The three kernels.
    pub wiring: Box<dyn Wiring>,
    /// Pooling behind the wiring.
    pub pool: Option<Pool>,
    /// [post, pre], or [filters, channels · height · width]; 0 × 0 without weights.
    pub weight: WeightMat,
    /// What flows back.
    pub feedback: Feedback,
    /// What it carries in feed-forward passes: from `pre` to `post` go activities, from `post` to `pre` errors.
    pub carries: Carries,
    /// Steps of the network in time that it takes.
    pub delay: usize,
    /// Whether it stands beside the chain, and draws its random numbers by its name.
    pub named: bool,
    /// Strength of Jacobian homeostasis per unit, λ/n.
    pub homeostasis: f64,
    /// How the weight takes updates.
    pub synapse: Box<dyn Synapse>,
    /// State of the synapses beside their weight, each of its shape.
    pub states: Vec<Mat>,
    /// Learning rate in the place of the optimiser's.
    pub lr: Option<f64>,
    /// Whether its weights learn.
    pub learns: bool,
}

impl Connection {
    /// Random numbers of its weights: by its place `id` in the chain, or by its name beside it, so that no other connection
    /// changes them.
    pub fn draws(&self, key: &Key, purpose: &str, id: usize) -> Key {
        if self.named { key.of(purpose, 0).of(&self.name, 0) } else { key.of(purpose, id as u64) }
    }

    /// Whether activity passes through it.
    pub fn carries_activity(&self) -> bool {
        self.carries != Carries::Errors
    }

    /// Whether errors pass through it.
    pub fn carries_errors(&self) -> bool {
        self.carries != Carries::Activity
    }

    /// The weight that activity, or errors, flow back through.
    pub fn back(&self) -> Back<'_> {
        match &self.feedback {
            Feedback::Signs(signs) => Back::Made(signs.of(&self.weight)),
            feedback => Back::Stored(feedback.own().unwrap_or(&self.weight)),
        }
    }

    /// The parameter that learns from what flows back.
    pub fn back_id(&self, id: ConnId) -> ParamId {
        if matches!(self.feedback, Feedback::Field(_)) { ParamId::feedback(id) } else { ParamId::weight(id) }
    }

    /// Columns of the choice of pooling of a batch; 0 without pooling.
    pub fn pool_caches(&self) -> usize {
        self.pool.map_or(0, |p| p.pool_caches())
    }

    /// Columns of the activity before pooling; 0 without.
    pub fn scratch(&self) -> usize {
        self.pool.map_or(0, |p| p.inputs())
    }

    /// Columns of the postsynaptic factors, of a population of `units`.
    pub fn factors(&self, units: usize) -> usize {
        self.pool.map_or(units, |p| p.inputs())
    }

    /// post += P(W(pre)), leaving the choice of pooling at `pre`; `scratch` holds W(pre). In complex numbers, the first half of all rows
    /// holds real parts, the second half imaginary ones.
    pub fn forward(
        &self,
        pre: View<'_>,
        post: ViewMut<'_>,
        pool_cache: ViewMut<'_>,
        mut scratch: ViewMut<'_>,
        complex: bool,
    ) {
        let Some(pool) = &self.pool else { return self.wiring.forward(&self.weight, pre, post) };
        scratch.fill(0.0);
        self.wiring.forward(&self.weight, pre, scratch.reborrow());
        pool.forward(scratch.as_view(), post, pool_cache, complex);
    }

    /// [`Connection::forward`] on all threads.
    pub fn par_forward(&self, pre: View<'_>, post: ViewMut<'_>, pool_cache: ViewMut<'_>) {
        let Some(pool) = &self.pool else { return self.wiring.par_forward(&self.weight, pre, post) };
        let mut scratch = Mat::zeros(pre.dtype(), pre.rows(), pool.inputs());
        self.wiring.par_forward(&self.weight, pre, scratch.view_mut());
        let rows = pre.rows().div_ceil(rayon::current_num_threads()).max(1);
        let post = post.chunks_mut(rows).zip(pool_cache.chunks_mut(rows)).enumerate();
        rayon::scope(|s| {
            for (i, (post, pool_cache)) in post {
                let scratch = scratch.rows_view(i * rows..i * rows + post.rows());
                s.spawn(move |_| pool.forward(scratch, post, pool_cache, false));
            }
        });
    }

    /// pre += Wᵀ(Pᵀ(g)) through `weight`, at the choice of pooling; `scratch` holds Pᵀ(g).
    pub fn backward_input(
        &self,
        weight: &WeightMat,
        pool_cache: View<'_>,
        g: View<'_>,
        pre: ViewMut<'_>,
        mut scratch: ViewMut<'_>,
        complex: bool,
    ) {
        let Some(pool) = &self.pool else { return self.wiring.backward_input(weight, g, pre) };
        pool.backward(pool_cache, g, scratch.reborrow(), complex);
        self.wiring.backward_input(weight, scratch.as_view(), pre);
    }

    /// [`Connection::backward_input`] on all threads, through what flows back.
    pub fn par_backward_input(&self, pool_cache: View<'_>, g: View<'_>, pre: ViewMut<'_>) {
        self.wiring.par_backward_input(&self.back(), self.post_factors(pool_cache, g, false).view(), pre);
    }

    /// Pᵀ(g) at the choice of pooling: the postsynaptic factors of the weight.
    pub fn post_factors<'a>(&self, pool_cache: View<'_>, g: View<'a>, complex: bool) -> PostFactors<'a> {
        let Some(pool) = &self.pool else { return PostFactors::Same(g) };
        let mut wide = Mat::zeros(g.dtype(), g.rows(), pool.inputs());
        pool.backward(pool_cache, g, wide.view_mut(), complex);
        PostFactors::Wide(wide)
    }

    /// post += ∂P(W(u)) at the choice of pooling, through `weight`: the derivative of the forward pass along `u`, and the adjoint of
    /// the backward pass in what is passed back.
    pub fn jvp(&self, weight: &WeightMat, pool_cache: View<'_>, u: View<'_>, post: ViewMut<'_>) {
        let Some(pool) = &self.pool else { return self.wiring.forward(weight, u, post) };
        let mut wide = Mat::zeros(u.dtype(), u.rows(), pool.inputs());
        self.wiring.forward(weight, u, wide.view_mut());
        pool.jvp(pool_cache, wide.view(), post);
    }

    /// Whether the backward pass changes smoothly with the state it stands at.
    pub fn is_curved(&self) -> bool {
        self.pool.as_ref().is_some_and(Pool::is_curved)
    }

    /// to += ∂/∂s_pre ⟨u, backward(s_post)⟩: how the backward pass changes with the state it stands at. Nothing but for soft pooling.
    pub fn hvp_input(&self, pre: View<'_>, post: View<'_>, u: View<'_>, to: ViewMut<'_>) {
        if let Some(second_order) = self.second_order_factor(pre, post, &self.back(), u) {
            self.wiring.backward_input(&self.weight, second_order.view(), to);
        }
    }

    /// ∂/∂v ⟨Wu, Pᵀ(s_post)⟩ at v = W_f s_pre, for W = `weight`: the postsynaptic factor of the forward weight in a backward pass, whose
    /// choice of pooling depends on it. Nothing but for soft pooling.
    pub fn second_order_factor(
        &self,
        pre: View<'_>,
        post: View<'_>,
        weight: &WeightMat,
        u: View<'_>,
    ) -> Option<Mat> {
        let pool = self.pool.as_ref().filter(|p| p.is_curved())?;
        let wide = |weight: &WeightMat, x: View<'_>| {
            let mut wide = Mat::zeros(x.dtype(), x.rows(), pool.inputs());
            self.wiring.forward(weight, x, wide.view_mut());
            wide
        };
        let (v, u) = (wide(&self.weight, pre), wide(weight, u));
        let mut h = Mat::zeros(v.dtype(), v.rows(), v.cols());
        pool.hvp_input(v.view(), post, u.view(), h.view_mut());
        Some(h)
    }
}

/// Postsynaptic factors: as they are, or spread over the windows of a pool.
#[derive(Debug)]
pub enum PostFactors<'a> {
    /// There is no pool.
    Same(View<'a>),
    /// Spread.
    Wide(Mat),
}

impl PostFactors<'_> {
    /// One row per sample.
    pub fn view(&self) -> View<'_> {
        match self {
            Self::Same(view) => *view,
            Self::Wide(mat) => mat.view(),
        }
    }
}
