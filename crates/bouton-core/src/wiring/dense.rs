//! All-to-all wiring: post += pre·Wᵀ with W of shape [post, pre].

use super::{Ends, Form, OthersWiring, PerLayer, Wiring, WiringMethod, in_bands};
use crate::axis::Cite;
use crate::rng::Stream;
use bouton_kernels::{
    DType, Mat, View, ViewMut, WeightMat, gemm_nn, gemm_nt, gemm_tn, par_gemm_nt, sparse_nt, sparse_tn,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How weights are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// U(±gain/√fan_in): PyTorch's default for linear layers.
    #[default]
    UniformFanIn,
    /// U(±gain·√(6/(fan_in + fan_out))) (Glorot & Bengio 2010).
    GlorotUniform,
    /// U(±gain/2), whatever the layer's size.
    Uniform,
    /// Normal of standard deviation gain, whatever the layer's size.
    Normal,
    /// Normal of standard deviation gain/√fan_in, cut at two standard deviations and not rescaled, which leaves
    /// 0.88·gain/√fan_in (Haiku's default for linear layers).
    TruncatedNormal,
}

/// How biases are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BiasInit {
    /// U(±gain/√fan_in), as PyTorch does.
    #[default]
    UniformFanIn,
    /// 0.
    Zero,
    /// There are no biases.
    None,
}

/// What flows back along a connection: activity between settling populations, errors in other networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeedbackSpec {
    /// The transpose of the same weights.
    #[default]
    Tied,
    /// Own feedback weights that receive the same update (Kolen & Pollack 1994): they align under weight decay.
    KolenPollack,
    /// Own feedback weights, each direction learned for itself: a vector field instead of an energy (Laborieux et al.
    /// 2021; Laborieux & Zenke 2024). What a nudge changes is multiplied with the free state.
    VectorField,
    /// Own feedback weights that stay as they are drawn: errors through random weights (feedback alignment, Lillicrap et al. 2016).
    Fixed,
    /// The signs of the forward weights, all of one size: the root mean square of weights drawn likewise (uniform sign-concordant
    /// feedback, Liao et al. 2016).
    Sign,
    /// The signs of the forward weights with magnitudes that are drawn once.
    SignFixed,
    /// The signs of the forward weights with magnitudes that are drawn again for every batch.
    SignRedrawn,
}

/// Dense wiring (`[wiring.dense]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Dense {
    /// Distribution of the weights.
    pub init: Init,
    /// Factor on the initial weights and biases. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is the default"))]
    pub gain: PerLayer,
    /// Distribution of the biases. Behind a normalisation they begin at 0.
    pub bias: BiasInit,
    /// What flows back.
    pub feedback: FeedbackSpec,
    /// First angle α between feedback weights of their own and the transposed forward ones, in degrees:
    /// W_b = sin α · (drawn) + cos α · W_f. Default 90.
    #[serde(skip_serializing_if = "is_right")]
    #[schemars(extend("minimum" = 0, "maximum" = 180, "x-hint" = "0 starts with tied weights"))]
    pub angle: f64,
    /// Strength λ of Jacobian homeostasis, λ/2n ‖J − Jᵀ‖² of the drives of n settling units, with feedback = "vector-field"
    /// (Laborieux & Zenke 2024): in closed form for dense connections, else along one random direction per sample.
    /// Default 0.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub homeostasis: f64,
}

fn is_right(angle: &f64) -> bool {
    *angle == 90.0
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

impl Default for Dense {
    fn default() -> Self {
        Self {
            init: Init::default(),
            gain: PerLayer::All(1.0),
            bias: BiasInit::default(),
            feedback: FeedbackSpec::default(),
            angle: 90.0,
            homeostasis: 0.0,
        }
    }
}

impl Dense {
    /// First weights [rows, cols] of units that `cols` weights lead to and `fan_out` lead away from, by this `gain`.
    pub fn draw(
        &self,
        dtype: DType,
        [rows, cols]: [usize; 2],
        fan_out: usize,
        gain: f64,
        stream: &mut Stream,
    ) -> Mat {
        let fan_in = cols as f64;
        Mat::from_fn(dtype, rows, cols, |_, _| match self.init {
            Init::UniformFanIn => gain / fan_in.sqrt() * (2.0 * stream.uniform() - 1.0),
            Init::GlorotUniform => {
                gain * (6.0 / (fan_in + fan_out as f64)).sqrt() * (2.0 * stream.uniform() - 1.0)
            }
            Init::Uniform => 0.5 * gain * (2.0 * stream.uniform() - 1.0),
            Init::Normal => gain * stream.normal(),
            Init::TruncatedNormal => gain / fan_in.sqrt() * truncated_normal(stream),
        })
    }

    /// sin α · drawn + cos α · forward: first feedback weights of their own.
    pub fn rotated(&self, drawn: WeightMat, forward: &WeightMat) -> WeightMat {
        let (sin, cos) = self.angle.to_radians().sin_cos();
        // At a right angle nothing of the forward weight is left, to the last bit.
        let cos = if self.angle == 90.0 { 0.0 } else { cos };
        let mat = drawn.mat();
        let mixed = |r, c| sin * mat.get(r, c) + cos * forward.mat().get(r, c);
        WeightMat::new(Mat::from_fn(mat.dtype(), mat.rows(), mat.cols(), mixed))
    }
}

/// A standard normal redrawn until it lies within two standard deviations.
fn truncated_normal(stream: &mut Stream) -> f64 {
    loop {
        let x = stream.normal();
        if x.abs() <= 2.0 {
            return x;
        }
    }
}

impl WiringMethod for Dense {
    fn cites(&self) -> Vec<Cite> {
        let mut used = Vec::new();
        if self.init == Init::GlorotUniform {
            used.push(Cite::setting("glorot2010", "init = \"glorot-uniform\""));
        }
        match self.feedback {
            FeedbackSpec::Tied => {}
            FeedbackSpec::KolenPollack => {
                used.push(Cite::setting("kolen1994", "feedback = \"kolen-pollack\""));
            }
            FeedbackSpec::VectorField => {
                used.push(Cite::setting("laborieux2021", "feedback = \"vector-field\""));
            }
            FeedbackSpec::Fixed => used.push(Cite::setting("lillicrap2016", "feedback = \"fixed\"")),
            FeedbackSpec::Sign => used.push(Cite::setting("liao2016", "feedback = \"sign\"")),
            FeedbackSpec::SignFixed => used.push(Cite::setting("liao2016", "feedback = \"sign-fixed\"")),
            FeedbackSpec::SignRedrawn => {
                used.push(Cite::setting("liao2016", "feedback = \"sign-redrawn\""));
            }
        }
        if self.homeostasis > 0.0 {
            used.push(Cite::setting("laborieux2024", "homeostasis"));
        }
        used
    }

    fn weights(&self) -> &Dense {
        self
    }

    fn weights_mut(&mut self) -> &mut Dense {
        self
    }

    fn convolves(&self) -> bool {
        false
    }

    fn learns(&self) -> bool {
        true
    }

    fn inputs(&self, pre: usize) -> usize {
        pre
    }

    fn numbers(&self, ports: usize) -> Option<usize> {
        (ports == 1).then_some(1)
    }

    fn join(&self, Ends { pre, post, spikes, autapses, .. }: Ends<'_>) -> Box<dyn Wiring> {
        let all = DenseWiring { pre, post, sparse: spikes };
        if autapses { Box::new(all) } else { Box::new(OthersWiring { all }) }
    }

    fn examples() -> Vec<Self> {
        let draw = |(init, bias)| Self { init, bias, ..Self::default() };
        let inits =
            [Init::UniformFanIn, Init::GlorotUniform, Init::Uniform, Init::Normal, Init::TruncatedNormal];
        let biases = [BiasInit::UniformFanIn, BiasInit::Zero, BiasInit::None].into_iter().cycle();
        let feedback = |feedback| Self { feedback, angle: 60.0, ..Self::default() };
        let own = [FeedbackSpec::KolenPollack, FeedbackSpec::VectorField, FeedbackSpec::Fixed].map(feedback);
        let signs = [FeedbackSpec::Sign, FeedbackSpec::SignFixed, FeedbackSpec::SignRedrawn]
            .map(|feedback| Self { feedback, ..Self::default() });
        inits.into_iter().zip(biases).map(draw).chain(own).chain(signs).collect()
    }
}

/// Products of fewer multiplications stay on one thread.
const PARALLEL: usize = 1 << 20;

/// Dense wiring between two populations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseWiring {
    /// Units of the presynaptic population.
    pub pre: usize,
    /// Units of the postsynaptic population.
    pub post: usize,
    /// Whether presynaptic activity is mostly zero, as spikes are: then only what is not costs anything.
    pub sparse: bool,
}

impl Wiring for DenseWiring {
    fn form(&self) -> Option<Form> {
        Some(Form::Dense)
    }

    fn weight_shape(&self) -> (usize, usize) {
        (self.post, self.pre)
    }

    fn factorises(&self) -> bool {
        true
    }

    fn forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        if self.sparse { sparse_nt(pre, weight, post) } else { gemm_nt(pre, weight, post) }
    }

    fn backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        gemm_nn(g, weight, pre);
    }

    fn backward_input_often(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        gemm_nt(g, &weight.transposed(), pre);
    }

    fn backward_weight(&self, pre: View<'_>, g: View<'_>, band: Range<usize>, g_w: ViewMut<'_>) {
        if self.sparse { sparse_tn(g, band, pre, g_w) } else { gemm_tn(g, band, pre, g_w) }
    }

    fn par_backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        if g.rows() * self.pre * self.post < PARALLEL {
            return self.backward_input(weight, g, pre);
        }
        in_bands(pre, |rows, part| self.backward_input(weight, g.rows_range(rows), part));
    }

    fn par_forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        if !self.sparse {
            return par_gemm_nt(pre, weight, post);
        }
        in_bands(post, |rows, part| sparse_nt(pre.rows_range(rows), weight, part));
    }
}
