//! What of the adjoint a rule keeps.
//!
//! With D the Jacobian of a step, a rule that learns from ε_t = D' ε_{t−1} + ∂h_t/∂d_t · s_{t−delay} and a signal L_t has the gradient
//! Σ_t L_t (∂s_t/∂h_t) ε_t, and turned round that is the adjoint under D' and L. A rule is a choice of both:
//!
//! | rule | signals | D' |
//! |---|---|---|
//! | BPTT | from everything later | D |
//! | OSTL (Bohnstingl et al. 2022) | from the same step | D within a population |
//! | SnAp-1 (Menick et al. 2021) | from the same step | D of a unit alone, its weight to itself included |
//! | D-RTRL (diagonal real-time recurrent learning) | from the same step | D of a unit alone |
//! | e-prop (Bellec et al. 2020) | from the output | D of a unit alone |
//!
//! What the output itself remembers (a leaky readout) is exact in all of them: traces are low-pass filtered by it.

/// What of the adjoint a rule keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Which signals reach a population from those that it drives.
    pub sent: Sent,
    /// What goes from step to step by way of connections of a population with itself.
    pub recurrence: Recurrence,
}

/// Which signals reach a population from those that it drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// What the loss owes to its outputs, now and later.
    Everything,
    /// What the loss owes to its outputs within the step; nothing comes along connections with a delay, but from the output.
    SameStep,
    /// What the output sends along connections that carry its errors; other populations send nothing.
    FromOutput,
}

/// What goes from step to step by way of connections of a population with itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// What all units send to each other.
    All,
    /// What each unit sends to itself.
    Own,
    /// Nothing.
    None,
}

impl Path {
    /// Backpropagation through time.
    pub const BPTT: Self = Self { sent: Sent::Everything, recurrence: Recurrence::All };
    /// Online spatio-temporal learning.
    pub const OSTL: Self = Self { sent: Sent::SameStep, recurrence: Recurrence::All };
    /// The sparse one-step approximation.
    pub const SNAP_1: Self = Self { sent: Sent::SameStep, recurrence: Recurrence::Own };
    /// Diagonal real-time recurrent learning.
    pub const D_RTRL: Self = Self { sent: Sent::SameStep, recurrence: Recurrence::None };
    /// e-prop.
    pub const E_PROP: Self = Self { sent: Sent::FromOutput, recurrence: Recurrence::None };

    /// Whether a population sends errors along a connection to another one.
    pub fn sends(self, is_output: bool, delay: usize) -> bool {
        match self.sent {
            Sent::Everything => true,
            Sent::SameStep => is_output || delay == 0,
            Sent::FromOutput => is_output,
        }
    }
}
