//! What the `bouton` command is made of.

pub mod report;
