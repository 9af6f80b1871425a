//! A binary network in one bit a weight: the same answers, bit for bit, by counting.
//!
//! A hidden unit behind ±1 inputs and weights sees an integer, d = n − 2·popcount(a xor w), and answers
//! sign(γ (d − μ)/√(σ² + ε) + b). In floating point that expression rises or falls with d, so that it is d ≥ θ or
//! d ≤ θ for some integer θ, which is found on the expression itself (Courbariaux et al. 2016, exact at ties).
//! The first layer sees real inputs and stays as it is; the last one's counts go through the normalisation as numbers.

use super::{Network, Role};
use crate::error::{Error, Result};
use crate::neuron::NeuronSpec;
use crate::norm::{Norm, NormSpec, Statistics};
use crate::recipe::Recipe;
use crate::synapse::{SignOfZero, SynapseSpec};
use bouton_kernels::{
    BitMat, Elem, Mat, Operand, View, dispatch, par_bit_dots, par_bit_thresholds, par_gemm_nt, vectorize,
};
use rayon::prelude::*;

/// A feed-forward network whose weights and hidden units are ±1.
#[derive(Debug)]
pub struct Packed {
    /// ±1 weights of the first layer as numbers, [units, inputs], because its inputs are.
    pub(super) first: Operand,
    pub(super) first_norm: Affine,
    pub(super) hidden: Vec<Counter>,
    pub(super) last: BitMat,
    pub(super) last_norm: Affine,
}

/// A hidden layer behind bits.
#[derive(Debug)]
pub(super) struct Counter {
    pub weight: BitMat,
    pub thresholds: Vec<i32>,
    /// Units whose answer falls with the count, [1, units].
    pub flips: BitMat,
}

/// What a normalisation does in evaluation, unit by unit: ((d − mean)·scale)·gain + bias, in this order.
#[derive(Debug)]
pub(super) struct Affine {
    pub mean: Mat,
    pub scale: Mat,
    pub gain: Mat,
    pub bias: Mat,
}

impl Affine {
    fn of(norm: &Norm, bias: Option<&Operand>) -> Self {
        let (dtype, units) = (norm.mean.dtype(), norm.mean.cols());
        let constant = |x: f64| Mat::from_fn(dtype, 1, units, |_, _| x);
        let mut none = Mat::zeros(dtype, 1, units);
        let scale = norm.evaluate(&mut none, None).scale;
        Self {
            mean: norm.mean.clone(),
            scale,
            gain: norm.gain.as_ref().map_or_else(|| constant(1.0), |g| g.mat().clone()),
            bias: bias.map_or_else(|| constant(0.0), |b| b.mat().clone()),
        }
    }

    /// [`Affine::at`] for every unit of every row.
    fn apply(&self, drive: &mut Mat) {
        let units = drive.cols();
        dispatch!(drive.dtype(), T => {
            let of = |m: &'_ Mat| m.slice::<T>().to_vec();
            let [mean, scale, gain, bias] = [of(&self.mean), of(&self.scale), of(&self.gain), of(&self.bias)];
            drive.slice_mut::<T>().par_chunks_exact_mut(units).for_each(|row| {
                let (mean, scale, gain, bias) = (&mean[..units], &scale[..units], &gain[..units], &bias[..units]);
                vectorize(#[inline(always)] || for j in 0..units {
                    row[j] = (row[j] - mean[j]) * scale[j] * gain[j] + bias[j];
                });
            });
        });
    }

    fn at<T: Elem>(&self, j: usize, d: T) -> T {
        let of = |m: &Mat| m.slice::<T>()[j];
        (d - of(&self.mean)) * of(&self.scale) * of(&self.gain) + of(&self.bias)
    }

    /// The smallest (or, for a falling unit, largest) count of `n` inputs at which unit `j` answers +1, and whether it
    /// falls. Counts have the parity of `n`; `at` is monotone because every rounding is.
    fn threshold(&self, j: usize, n: i32) -> (i32, bool) {
        let on = |d: i32| dispatch!(self.mean.dtype(), T => self.at::<T>(j, T::from_f64(f64::from(d))).to_f64() >= 0.0);
        let (low, high) = (on(-n), on(n));
        if low == high {
            return (if low { i32::MIN } else { i32::MAX }, false);
        }
        // `high` answers from the first count on at which the answer is that of the upper end.
        let (mut below, mut above) = (0, n);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if on(2 * middle - n) == high { above = middle } else { below = middle }
        }
        (2 * above - n, low)
    }
}

impl Packed {
    /// The packed form of a trained network.
    ///
    /// # Errors
    /// [`Error::Incompatible`] where weights or hidden units are not ±1, or the normalisation is not fixed.
    pub fn new(recipe: &Recipe, network: &Network) -> Result<Self> {
        packable(recipe)?;
        let nodes: Vec<_> = network.with_role(Role::Forward).map(|p| &network.populations[p]).collect();
        let affine = |i: usize| nodes[i].norm.as_ref().map(|n| Affine::of(n, nodes[i].bias.as_ref()));
        let norm = |i: usize| affine(i).expect("packable networks are normalised");
        let bits = |i: usize| BitMat::from_signs(network.connections[i].weight.view());
        let last = nodes.len() - 1;
        let hidden = (1..last).map(|i| Counter::new(bits(i), &norm(i))).collect();
        Ok(Self {
            first: network.connections[0].weight.clone(),
            first_norm: norm(0),
            hidden,
            last: bits(last),
            last_norm: norm(last),
        })
    }

    /// Outputs, [samples, classes]: those of the network, bit for bit.
    pub fn outputs(&self, x: View<'_>) -> Mat {
        let mut drive = Mat::zeros(x.dtype(), x.rows(), self.first.mat().rows());
        par_gemm_nt(x, &self.first, drive.view_mut());
        self.first_norm.apply(&mut drive);
        let mut bits = BitMat::from_signs(drive.view());
        for layer in &self.hidden {
            bits = par_bit_thresholds(&bits, &layer.weight, &layer.thresholds, &layer.flips);
        }
        let mut counts = vec![0; x.rows() * self.last.rows()];
        par_bit_dots(&bits, &self.last, &mut counts);
        let mut out = Mat::zeros(x.dtype(), x.rows(), self.last.rows());
        dispatch!(out.dtype(), T => for (o, &count) in out.slice_mut::<T>().iter_mut().zip(&counts) {
            *o = T::from_f64(f64::from(count));
        });
        self.last_norm.apply(&mut out);
        out
    }

    /// Bytes of weights, thresholds and normalisations in the file.
    pub fn bytes(&self) -> usize {
        let bits = |m: &BitMat| 8 * m.words().len();
        let units = |a: &Affine| 4 * a.mean.cols() * a.mean.dtype().size();
        let hidden = self.hidden.iter().map(|c| bits(&c.weight) + bits(&c.flips) + 4 * c.thresholds.len());
        bits(&BitMat::from_signs(self.first.view()))
            + bits(&self.last)
            + hidden.sum::<usize>()
            + units(&self.first_norm)
            + units(&self.last_norm)
    }
}

impl Counter {
    fn new(weight: BitMat, norm: &Affine) -> Self {
        let n = weight.cols() as i32;
        let (thresholds, falls): (Vec<i32>, Vec<bool>) =
            (0..weight.rows()).map(|j| norm.threshold(j, n)).unzip();
        // A unit that falls is on below its threshold: the flipped answer of "at least".
        let flips = BitMat::from_fn(1, falls.len(), |_, j| falls[j]);
        Self { weight, thresholds, flips }
    }
}

fn packable(recipe: &Recipe) -> Result<()> {
    let refuse = |message: &str, hint: &str| Err(Error::incompatible(message, hint));
    let ones = match &recipe.synapse {
        SynapseSpec::Binary(s) => s.scale == 1.0 && s.zero == SignOfZero::Plus,
        SynapseSpec::Metaplastic(s) => s.scale == 1.0 && s.zero == SignOfZero::Plus && !s.real,
        _ => false,
    };
    if !ones {
        return refuse(
            "only weights of exactly ±1 fit one bit",
            "use synapse.binary or synapse.metaplastic with zero = \"plus\" and scale 1",
        );
    }
    let signs = matches!(&recipe.neuron, NeuronSpec::Sign(s) if s.zero == SignOfZero::Plus);
    if !signs {
        return refuse("only hidden units of exactly ±1 fit one bit", "use neuron.sign with zero = \"plus\"");
    }
    let fixed =
        matches!(&recipe.norm, NormSpec::Batch(n) if n.statistics == Statistics::Running && !n.per_task);
    if !fixed {
        return refuse(
            "thresholds need a normalisation that is fixed in evaluation",
            "use norm.batch with statistics = \"running\"",
        );
    }
    let network = &recipe.network;
    if network.layers.len() < 3 || !network.skips.is_empty() || network.has_convolutions() {
        return refuse(
            "packing needs a chain of dense layers with a hidden one",
            "add a hidden layer, leave skips and convolutions out",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use bouton_kernels::DType;

    const RECIPE: &str = "[task.synthetic]\nshape = [1, 5, 5]\nclasses = 4\ntrain = 240\ntest = 300\nbatch = 20\n\
        epochs = 2\n[network]\nlayers = [25, 67, 70, 33, 4]\n[neuron.sign]\n[norm.batch]\n[synapse.binary]\n\
        [wiring.dense]\ninit = \"uniform\"\ngain = 0.1\n[credit.backprop]\n[objective.softmax-cross-entropy]\n\
        [optim.adam]\nlr = 0.01\n";

    #[test]
    fn a_packed_network_answers_as_the_network_does_bit_for_bit() {
        let recipe: Recipe = toml::from_str(RECIPE).unwrap();
        let mut trainer = crate::train::Trainer::new(&recipe, None).unwrap();
        while trainer.update() < trainer.updates() {
            trainer.learn().unwrap();
        }
        // Gains of either sign and of zero, so that units rise, fall and stay.
        for p in trainer.network.populations.iter_mut().filter_map(|p| p.norm.as_mut()) {
            let mut draws = Key::new(3).of("gain", 0).stream();
            p.gain.as_mut().unwrap().update(|mut g| {
                g.slice_mut::<f32>().iter_mut().for_each(|g| {
                    *g = [-1.5, 0.0, 0.5, 1.0][draws.below(4) as usize];
                })
            });
        }
        let made = Packed::new(&recipe, &trainer.network).unwrap();
        let packed = Packed::from_checkpoint(&made.to_checkpoint()).unwrap();
        let credit = recipe.credit.build(&recipe.solver, &trainer.network, 1).unwrap();
        let mut seen = 0;
        for batch in trainer.course.stream.in_order(&trainer.course.tests[0], None, DType::F32) {
            let free = credit.free(&trainer.network, &batch, &*recipe.objective.build()).unwrap();
            let float = free.out.last().unwrap().slice::<f32>().to_vec();
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(packed.outputs(batch.x.view()).slice::<f32>()), bits(&float));
            seen += batch.labels.len();
        }
        assert_eq!(seen, 300);
        assert!(packed.bytes() < trainer.network.parameter_count() * 4);
    }

    #[test]
    fn a_file_whose_arrays_do_not_fit_is_refused() {
        let recipe: Recipe = toml::from_str(RECIPE).unwrap();
        let file = Packed::new(&recipe, &Network::build(&recipe).unwrap()).unwrap().to_checkpoint();
        for i in 0..file.tensors.len() {
            let mut missing = file.clone();
            let gone = missing.tensors.remove(i).name;
            assert!(Packed::from_checkpoint(&missing).is_err(), "{gone}");
        }
        assert!(Packed::from_checkpoint(&crate::train::Checkpoint::default()).unwrap_err().hint().is_some());
    }

    #[test]
    fn thresholds_are_exact_at_ties() {
        let row = |values: [f64; 4]| Mat::from_f64s(DType::F32, 1, 4, &values);
        let affine = Affine {
            mean: row([1.0, 1.0, 0.0, 0.0]),
            scale: row([0.5; 4]),
            gain: row([2.0, -2.0, 0.0, 0.0]),
            bias: row([0.0, 0.0, 1.0, -1.0]),
        };
        // At d = 1 the expression is exactly 0, which counts as +1 whether it rises or falls.
        assert_eq!(affine.threshold(0, 5), (1, false));
        assert_eq!(affine.threshold(1, 5), (3, true));
        assert_eq!(affine.threshold(2, 5), (i32::MIN, false));
        assert_eq!(affine.threshold(3, 5), (i32::MAX, false));
    }

    #[test]
    fn what_does_not_fit_one_bit_is_refused_with_a_hint() {
        for (from, to) in [
            ("[synapse.binary]", ""),
            ("[norm.batch]", "[norm.batch]\nstatistics = \"batch\""),
            ("[neuron.sign]", "[neuron.sign]\nzero = \"zero\""),
        ] {
            let recipe: Recipe = toml::from_str(&RECIPE.replace(from, to)).unwrap();
            let network = Network::build(&recipe).unwrap();
            let error = Packed::new(&recipe, &network).unwrap_err();
            assert!(error.hint().is_some(), "{error}");
        }
    }
}
