//! Activations of settling units (formulas: each variant's doc).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The activation σ of a population.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// clip(x, 0, 1) (Scellier & Bengio 2017).
    HardSigmoid,
    /// clip(x/2, 0, 1) (Laborieux et al. 2021, CIFAR-10).
    HalfHardSigmoid,
    /// 1/(1 + exp(−4(x − ½))) (Ernoult et al. 2019).
    #[default]
    ShiftedSigmoid,
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// tanh(x).
    Tanh,
    /// ½z/(1+e^{−z}) + (1−½z)/(1+e^{−(z−2)}), a smooth clip(x/2, 0, 1) (Laborieux & Zenke 2022).
    DSilu,
    /// g(x) − g(x−1), g(x) = x/(1+e^{−3x}) (Scellier et al. 2023).
    SiluStep,
    /// clip(x, 0, 6).
    Relu6,
    /// x.
    Linear,
}
