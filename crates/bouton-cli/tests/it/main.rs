//! The integration tests of the command, in one binary.

mod answers;
mod check;
mod cli;
mod compare;
mod complete;
mod data;
mod device;
mod guides;
mod identity;
mod kill;
mod new;
mod onnx;
mod report;
mod runs;
mod sweep;
mod terminal;
mod train;
