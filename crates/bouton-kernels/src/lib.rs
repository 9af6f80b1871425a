//! Matrices, GEMM and vectorised elementwise kernels; no domain words.
