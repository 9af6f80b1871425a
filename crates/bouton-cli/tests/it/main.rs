//! The integration tests of the command, in one binary.

mod cli;
mod identity;
mod kill;
mod report;
mod train;
