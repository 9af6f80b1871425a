//! Parameters: whose they are, and which of them.
//!
//! Outside they are known by name, `<owner>.<parameter>`; inside by owner and slot. A parameter that no wiring shapes (a bias, a
//! gain, a number of a unit's or of an objective's own) is plain: one value per unit, channel or output.

use super::{ConnId, PopId};
use crate::own::Own;
use crate::synapse::{ElementwiseSynapse, Ranged, Synapse};
use bouton_kernels::{DType, Mat, Operand};

/// Whose a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A connection's.
    Connection(ConnId),
    /// A population's.
    Population(PopId),
    /// The objective's.
    Objective,
}

/// Names one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId {
    owner: Owner,
    slot: usize,
}

/// Slots of a connection.
pub(super) const WEIGHT: usize = 0;
pub(super) const FEEDBACK: usize = 1;
/// Slots of a population.
pub(super) const BIAS: usize = 0;
pub(super) const GAIN: usize = 1;

impl ParamId {
    /// Forward weight of a connection.
    pub const fn weight(of: ConnId) -> Self {
        Self { owner: Owner::Connection(of), slot: WEIGHT }
    }

    /// Own feedback weight of a connection.
    pub const fn feedback(of: ConnId) -> Self {
        Self { owner: Owner::Connection(of), slot: FEEDBACK }
    }

    /// Bias of a population.
    pub const fn bias(of: PopId) -> Self {
        Self { owner: Owner::Population(of), slot: BIAS }
    }

    /// Gain γ of a population's normalisation.
    pub const fn gain(of: PopId) -> Self {
        Self { owner: Owner::Population(of), slot: GAIN }
    }

    /// Number `k` of the objective's own parameters.
    pub const fn objective(k: usize) -> Self {
        Self { owner: Owner::Objective, slot: k }
    }

    /// Whose it is.
    pub const fn owner(self) -> Owner {
        self.owner
    }

    pub(super) const fn slot(self) -> usize {
        self.slot
    }

    /// Whether no wiring shapes it: then it is plain, and never decays.
    pub const fn is_unit(self) -> bool {
        !matches!(self.owner, Owner::Connection(_))
    }
}

/// A number of an owner's own in its network.
#[derive(Debug)]
pub struct OwnParam {
    /// Its name behind that of its owner.
    pub name: &'static str,
    /// One value per unit or output, [1, n].
    pub value: Operand,
    pub(super) synapse: Box<dyn Synapse>,
}

impl OwnParam {
    /// `n` values as `own` says.
    pub fn new(own: &Own, dtype: DType, n: usize) -> Self {
        let (low, high) = own.range;
        let value = Operand::new(Mat::from_fn(dtype, 1, n, |_, _| own.start));
        Self { name: own.name, value, synapse: Box::new(ElementwiseSynapse(Ranged { low, high })) }
    }
}
