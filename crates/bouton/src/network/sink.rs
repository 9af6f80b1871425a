//! Where gradients go. Updater, collector and counters are sinks of the same `learn`.

use super::{Network, ParamId, PopId};
use crate::error::Result;
use bouton_kernels::{Mat, View};

/// Receives factors: the gradient of a weight is Σ scale · gᵀ·pre over everything received since the last step, the
/// gradient of a bias is Σ scale · (column sums of g). Both point up the loss.
pub trait Sink {
    /// Rows of presynaptic activity and postsynaptic gradient of a forward or feedback weight of `network`; both belong to
    /// the wiring itself, before any pooling.
    fn factors(&mut self, network: &Network, id: ParamId, pre: View<'_>, g: View<'_>, scale: f64);
    /// Rows of the gradient with respect to the drive of population `pop`, one per sample.
    fn bias(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64);
    /// Rows, one per sample, whose sum is the gradient of the gain of the normalisation of population `pop`.
    fn gain(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64);
    /// A gradient that is known as a whole.
    fn gradient(&mut self, id: ParamId, g: &Mat, scale: f64);
    /// All factors of an update, or of one of its draws, have been handed over.
    fn step(&mut self, network: &mut Network) -> Result<()>;
}
