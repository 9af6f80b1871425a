//! Populations joined by connections.

mod spec;

pub use spec::{NetworkSpec, Skip};
