//! The integration tests of the command, in one binary.

mod answers;
mod check;
mod cli;
mod identity;
mod kill;
mod report;
mod terminal;
mod train;
