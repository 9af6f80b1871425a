//! The integration tests of the command, in one binary.

mod answers;
mod check;
mod cli;
mod device;
mod identity;
mod kill;
mod report;
mod sweep;
mod terminal;
mod train;
