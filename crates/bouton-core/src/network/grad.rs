//! Where gradients go. Updater, collector and counters are sinks of the same `learn`.

use super::{Network, ParamId};
use crate::error::Result;
use bouton_kernels::{Mat, View, dispatch};

/// A part of the gradient of one parameter; it points up the loss.
#[derive(Clone, Copy, Debug)]
pub enum Grad<'a> {
    /// Of a forward or feedback weight: Σ scale · gᵀ·pre, one row per sample, both of the wiring itself, before any pooling.
    Factors {
        /// Presynaptic activity.
        pre: View<'a>,
        /// Gradient with respect to the postsynaptic drive.
        g: View<'a>,
        /// Factor on it.
        scale: f64,
    },
    /// Of a parameter with a value per unit or channel: scale · the sum over rows, one per sample, and over the places of a
    /// channel.
    Rows {
        /// The gradient of every sample.
        g: View<'a>,
        /// Factor on it.
        scale: f64,
    },
    /// Known as a whole, in the shape of the parameter, for all samples together.
    Whole {
        /// The gradient.
        g: &'a Mat,
        /// Factor on it.
        scale: f64,
    },
}

impl<'a> Grad<'a> {
    /// [`Grad::Factors`].
    pub fn factors(pre: View<'a>, g: View<'a>, scale: f64) -> Self {
        Self::Factors { pre, g, scale }
    }

    /// [`Grad::Rows`].
    pub fn rows(g: View<'a>, scale: f64) -> Self {
        Self::Rows { g, scale }
    }

    /// [`Grad::Whole`].
    pub fn whole(g: &'a Mat, scale: f64) -> Self {
        Self::Whole { g, scale }
    }
}

/// Receives gradients: that of a parameter is the sum of everything added since the last step.
pub trait GradSink {
    /// Adds to the gradient of parameter `id` of `network`; what the network does not have is left aside.
    fn add(&mut self, network: &Network, id: ParamId, grad: Grad<'_>);
    /// All gradients of an update, or of one of its draws, have been handed over.
    fn step(&mut self, network: &mut Network) -> Result<()>;
}

/// Adds `part` to the columns from `first` on.
pub(crate) fn add_at(to: &mut Mat, part: &Mat, first: usize) {
    dispatch!(to.dtype(), T => for r in 0..part.rows() {
        let mut row = to.rows_view_mut(r..r + 1);
        let to = &mut row.slice_mut::<T>()[first..first + part.cols()];
        to.iter_mut().zip(part.view().row::<T>(r)).for_each(|(to, x)| *to += *x);
    });
}
