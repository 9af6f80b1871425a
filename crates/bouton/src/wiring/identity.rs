//! One-to-one wiring without weights: post += pre (skip connections).

/// Identity wiring between two populations of `units` units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Units on either side.
    pub units: usize,
}
