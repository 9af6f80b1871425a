//! The training loop and the run directory it writes.

pub mod atomic;
mod by_hand;
pub mod checkpoint;
pub mod checkpoints;
pub mod continual;
pub mod event;
mod flips;
mod heard;
mod identity;
pub mod importance;
mod learner;
mod log;
mod memory;
pub mod metrics;
pub mod provenance;
mod run;
pub mod rundir;
pub mod status;
pub mod tensorboard;
mod trainer;
mod turning;

pub use by_hand::{ByHand, Pace};
pub use checkpoint::{Checkpoint, Tensor, TensorData};
pub use checkpoints::{Checkpoints, Found};
pub use event::{Event, Observer, Silent};
pub use identity::Earlier;
pub use importance::Profile;
pub use learner::Learner;
pub use memory::Memory;
pub use metrics::{Metrics, MetricsWriter, Record};
pub use provenance::Provenance;
pub use run::{Outcome, RunOptions, run};
pub use rundir::{Listing, RunDir, RunLock, RunSummary};
pub use status::{State, Status};
pub use tensorboard::EventWriter;
pub use trainer::Trainer;
