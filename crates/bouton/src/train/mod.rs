//! The training loop and the run directory it writes.

pub mod atomic;
pub mod checkpoint;
pub mod checkpoints;
pub mod metrics;
pub mod provenance;
pub mod rundir;
pub mod status;
pub mod tensorboard;

pub use checkpoint::{Checkpoint, Tensor, TensorData};
pub use checkpoints::{Checkpoints, Found};
pub use metrics::{Metrics, MetricsWriter, Record};
pub use provenance::Provenance;
pub use rundir::{Listing, RunDir, RunLock, RunSummary};
pub use status::{State, Status};
pub use tensorboard::EventWriter;
