//! Matrices, GEMM and vectorised elementwise kernels; no domain words.
//!
//! * [`Real`]: the number types a scalar equation may run in ([`f32`], [`f64`], [`Dual`] of either).
//! * [`Mat`], [`View`], [`ViewMut`]: row-major memory whose number type is chosen at run time.
//! * [`Operand`]: a matrix used in many products between two changes.
//! * [`gemm_nt`], [`gemm_nn`], [`gemm_tn`]: accumulating products whose rounding depends on the reduction length alone.
//! * [`pointwise`]: one such equation for every element of some slices.
//! * [`vectorize`]: runs a plain loop with the best vector instructions of the machine.

mod chain;
mod dots;
mod dual;
mod factors;
mod gemm;
mod lanes;
mod lines;
mod mat;
mod math;
mod operand;
mod pack;
mod pointwise;
mod real;
mod simd;
mod sums;
mod tiles;
mod view;

pub use dual::Dual;
pub use gemm::{gemm_nn, gemm_nt, gemm_tn, par_gemm_nt, product};
pub use mat::{DType, Elem, Mat};
pub use operand::Operand;
pub use pointwise::{Pointwise, pointwise, pointwise_at};
pub use real::Real;
pub use simd::{Level, simd_level, vectorize, with_level};
pub use view::{View, ViewMut};
