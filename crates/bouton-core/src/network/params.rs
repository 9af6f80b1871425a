//! Parameters: whose they are, and which of them.
//!
//! Outside they are known by name, `<owner>.<parameter>`; inside by owner and slot. A parameter that no wiring shapes (a bias, a
//! gain, a number of a unit's or of an objective's own) is plain: one value per unit, channel or output.

use super::{ConnId, Parameter, PopId};
use crate::error::{Error, Result};
use crate::neuron::Population;
use crate::own::Own;
use crate::rng::{Key, Stream};
use crate::synapse::{ElementwiseSynapse, Ranged};
use crate::wiring::Identity;
use bouton_kernels::{DType, Mat, WeightMat};

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
/// Its own numbers come behind.
pub(super) const OWN: usize = 2;

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

    /// Number `k` of the units' own in a population.
    pub const fn own(of: PopId, k: usize) -> Self {
        Self { owner: Owner::Population(of), slot: OWN + k }
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
    /// One value per unit (per channel of an image), or one for all, [1, n].
    pub value: WeightMat,
    /// Whether it is a parameter, or stays as it is.
    pub learned: bool,
    /// Where it stays.
    synapse: ElementwiseSynapse<Ranged, 1>,
}

impl OwnParam {
    /// The numbers of the units of `model`, one per channel, drawn by `key`.
    pub fn all(model: &dyn Population, dtype: DType, channels: usize, key: &Key) -> Vec<Self> {
        let draw = |own: &Own| Self::new(own, dtype, channels, &mut key.of(own.name, 0).stream());
        model.own().iter().map(draw).collect()
    }

    /// Values of `n` units as `own` says, by the numbers of `stream`.
    pub fn new(own: &Own, dtype: DType, n: usize, stream: &mut Stream) -> Self {
        let (low, high) = own.range;
        let n = if own.shared { 1 } else { n };
        let value = WeightMat::new(Mat::from_fn(dtype, 1, n, |_, _| own.draw(stream)));
        Self {
            name: own.name,
            value,
            learned: own.learned,
            synapse: ElementwiseSynapse(Ranged { low, high }),
        }
    }

    /// Refuses values of another number, or out of the range.
    pub(super) fn accepts(&self, name: &str, values: &Mat) -> Result<()> {
        let ElementwiseSynapse(Ranged { low, high }) = self.synapse;
        // As single precision rounds the borders.
        let within = |x: &f64| (low as f32..=high as f32).contains(&(*x as f32));
        let values = values.to_f64s();
        let here = self.value.mat().cols();
        if values.len() != here {
            return Err(Error::shape(format!("{name} has {} values, but should have {here}", values.len())));
        }
        values.iter().find(|x| !within(x)).map_or(Ok(()), |x| {
            let message = format!("{name} is {x}");
            Err(Error::config(message).with_hint(format!("it stays between {low} and {high}")))
        })
    }

    pub(super) fn parameter(&mut self) -> Parameter<'_> {
        let Self { value, synapse, .. } = self;
        Parameter { value, wiring: &Identity, synapse, states: &mut [] }
    }
}
