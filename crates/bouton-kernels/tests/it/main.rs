//! The integration tests of the kernels, in one binary.

mod account;
mod bits;
mod conv;
mod dual;
mod gemm;
mod listed;
mod mat;
mod math;
mod pointwise;
mod pointwise_back;
mod pool;
mod sparse;
mod tiles;
