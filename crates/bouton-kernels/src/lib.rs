//! Matrices, GEMM and vectorised elementwise kernels; no domain words.
//!
//! * [`Analytic`]: the number types an equation without choices may run in: these, and [`Complex`] ones.
//! * [`Real`]: the number types a scalar equation may run in ([`f32`], [`f64`], [`Dual`] of either).
//! * [`Mat`], [`View`], [`ViewMut`]: row-major memory whose number type is chosen at run time.
//! * [`WeightMat`]: a matrix used in many products between two changes.
//! * [`gemm_nt`], [`gemm_nn`], [`gemm_tn`]: accumulating products whose rounding depends on the reduction length alone.
//! * [`sparse_nt`], [`sparse_tn`]: the same with activities that are mostly zero.
//! * [`listed_nt`], [`listed_nn`], [`listed_tn`]: products with weights to some columns alone.
//! * [`conductances`]: sums of sigmoid gates, and its adjoints in input and weight.
//! * [`conv_forward`], [`conv_pull_input`], [`conv_pull_weight`]: 2-D convolutions of [`ConvShape`] and their adjoints.
//! * [`max_pool`], [`avg_pool`], [`soft_pool`]: pooling of [`PoolShape`] and its adjoints.
//! * [`BitMat`], [`bit_dots`], [`bit_thresholds`]: matrices of ±1 in one bit each, and their exact products.
//! * [`BitConv`], [`par_bit_conv`]: convolutions of such matrices.
//! * [`pointwise`]: one such equation for every element of some slices, and [`pointwise_back`], its adjoint.
//! * [`account`]: what all of these did, counted.
//! * [`vectorize`]: runs a plain loop with the best vector instructions of the machine.

mod account;
mod analytic;
mod bitconv;
mod bitdots;
mod bits;
mod chain;
mod conductance;
mod conv;
mod dots;
mod dual;
mod elementwise;
mod factors;
mod gemm;
mod lanes;
mod lines;
mod listed;
mod mat;
mod math;
mod octets;
#[cfg(target_arch = "x86_64")]
mod octets_x86;
mod operand;
mod pack;
mod pointwise;
mod pointwise_back;
mod pool;
mod real;
mod scratch;
mod simd;
mod sparse;
mod sums;
mod tiles;
mod view;

pub use account::{Account, account};
pub use analytic::{Analytic, Complex};
pub use bitconv::{BitConv, par_bit_conv};
pub use bitdots::{
    bit_dots, bit_dots_at, bit_thresholds, bit_thresholds_at, par_bit_dots, par_bit_thresholds,
};
pub use bits::BitMat;
pub use conductance::{conductances, conductances_back_input, conductances_back_weight};
pub use conv::{
    ConvMethod, ConvShape, conv_by, conv_forward, conv_forward_exact, conv_pull_input, conv_pull_sparse,
    conv_pull_weight, conv_pull_weight_by, par_conv_forward, par_conv_forward_exact, par_conv_pull_input,
};
pub use dual::Dual;
pub use elementwise::{
    add_columns, add_rows, add_scaled, clamp, is_finite, scale_all, scale_complex, scale_view, squared_norm,
};
pub use gemm::{gemm_nn, gemm_nt, gemm_tn, par_gemm_nt, product};
pub use listed::{listed_nn, listed_nt, listed_tn};
pub use mat::{DType, Elem, Mat};
pub use octets::BitLevel;
pub use operand::WeightMat;
pub use pointwise::{Elements, Pointwise, pointwise, pointwise_at};
pub use pointwise_back::{Slopes, pointwise_back, pointwise_back_at};
pub use pool::{PoolShape, avg_pool, avg_unpool, max_pool, max_unpool, soft_pool, soft_unpool};
pub use real::Real;
pub use simd::{Level, simd_level, vectorize, with_level};
pub use sparse::{sparse_nt, sparse_tn};
pub use view::{View, ViewMut};
