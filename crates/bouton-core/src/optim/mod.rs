//! From a gradient to a proposal, and the one place where a weight changes.

mod adam;
mod change;
mod gathered;
mod gradient;
mod schedule;
mod sgd;
mod update;
mod updater;

pub use adam::{Adam, AdamW};
pub use schedule::{Cosine, Exponential, ScheduleMethod, ScheduleSpec, Step};
pub use sgd::{Decay, Sgd};
pub use update::UpdateSpec;
pub use updater::Updater;

use crate::Result;
use crate::axis::{Cite, Place, axis};
use bouton_kernels::{Elem, View, ViewMut, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The optimiser of a recipe: `[optim.<name>]`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum OptimSpec: OptimMethod {
        /// Stochastic gradient descent.
        Sgd(Sgd),
        /// Adam (Kingma & Ba 2015).
        Adam(Adam),
        /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
        #[serde(rename = "adamw")]
        AdamW(AdamW),
    }
}

/// What a recipe's optimiser says of itself, in its own file.
pub trait OptimMethod: std::fmt::Debug {
    /// Refuses numbers that cannot be meant together; the bounds of each are attributes of its field.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the key and a hint.
    fn check(&self, at: &Place) -> Result<()>;
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// Weight decay λ.
    fn weight_decay(&self) -> f64;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// The optimiser itself.
    fn build(&self) -> Box<dyn Optim>;
}

impl OptimSpec {
    /// The optimiser itself.
    pub fn build(&self) -> Box<dyn Optim> {
        self.method().build()
    }
}

/// What holds for one parameter during one update.
#[derive(Clone, Copy, Debug)]
pub struct Hyper {
    /// Learning rate η, schedule included.
    pub rate: f64,
    /// Whether weight decay applies (weights: yes, biases and gains: no).
    pub decays: bool,
    /// Number of this update, from 1 where the optimiser's state began.
    pub step: u64,
}

/// The learning rate of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Times the schedule's factor.
    Scheduled(f64),
    /// Whatever the schedule says.
    Constant(f64),
}

impl Rate {
    /// The rate at the schedule's `factor`.
    pub fn at(self, factor: f64) -> f64 {
        match self {
            Self::Scheduled(rate) => rate * factor,
            Self::Constant(rate) => rate,
        }
    }
}

/// An optimiser: elementwise over one tile of a parameter.
pub trait Optim: Send + Sync + std::fmt::Debug {
    /// State matrices per parameter, each of its shape.
    fn slots(&self) -> usize;
    /// The learning rate of the weights of connection `layer`, or of the parameters of the units behind it.
    fn rate(&self, layer: usize, units: bool) -> Rate;
    /// Overwrites `delta` with the proposal for weights `w` with gradient `g`; moves the state `slots`.
    fn propose(&self, hyper: Hyper, w: View<'_>, g: View<'_>, slots: &mut [ViewMut<'_>], delta: ViewMut<'_>);
}

/// Vectorises the scalar rule (w, g, state) → (Δ, state) over a tile.
#[inline(always)]
fn tile<T: Elem, const S: usize>(
    w: &[T],
    g: &[T],
    slots: [&mut [T]; S],
    mut delta: ViewMut<'_>,
    rule: impl Fn(T, T, [T; S]) -> (T, [T; S]),
) {
    let delta = delta.slice_mut::<T>();
    // Everything is moved in: constants behind a reference would be loaded again for every element.
    vectorize(
        #[inline(always)]
        move || {
            let n = delta.len();
            let (w, g) = (&w[..n], &g[..n]);
            let slots = slots.map(|s| &mut s[..n]);
            for i in 0..n {
                let (d, state) = rule(w[i], g[i], std::array::from_fn(|k| slots[k][i]));
                delta[i] = d;
                for k in 0..S {
                    slots[k][i] = state[k];
                }
            }
        },
    );
}
