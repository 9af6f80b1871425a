//! Populations of memristive devices, read from preset files: [`DeviceParameters`] (Majumdar et al. 2021) and
//! [`SoftBoundsParameters`] (Fusi & Abbott 2007).

mod distribution;
mod normal;
mod pink;
mod preset;
mod resistive;
mod soft_bounds;
mod telegraph;

pub use distribution::Distribution;
pub use pink::Pink;
pub use preset::{Preset, built_in, presets};
pub(crate) use preset::{embedded, text};
pub use resistive::{Device, DeviceParameters, resistance_quantiles};
pub use soft_bounds::{SoftBounds, SoftBoundsParameters};
pub use telegraph::Telegraph;
