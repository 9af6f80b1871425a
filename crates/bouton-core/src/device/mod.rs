//! Populations of memristive devices, read from preset files: [`DeviceParameters`] (Majumdar et al. 2021) and
//! [`SoftBoundsParameters`] (Fusi & Abbott 2007). [`Population`] is either; with the feature `import` both are fitted to measured pulses.

mod distribution;
#[cfg(feature = "import")]
pub mod fit;
mod normal;
mod pink;
mod population;
mod preset;
#[cfg(feature = "import")]
pub mod pulses;
mod resistive;
mod soft_bounds;
mod telegraph;

pub use distribution::Distribution;
pub use pink::Pink;
pub use population::{Law, Parameter, Population};
pub use preset::embedded;
pub(crate) use preset::text;
pub use preset::{Preset, built_in, presets};
pub use resistive::{Device, DeviceParameters, resistance_quantiles};
pub use soft_bounds::{SoftBounds, SoftBoundsParameters};
pub use telegraph::Telegraph;
