//! Files: written whole or not at all, and small ones taken in whole.

pub mod atomic;
pub(crate) mod small;
