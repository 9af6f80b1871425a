//! A binary network in one bit a weight: the same answers, bit for bit, by counting.
//!
//! A hidden unit behind ±1 inputs and weights sees an integer, d = n − 2·popcount(a xor w), and answers
//! sign(γ (d − μ)/√(σ² + ε) + b). In floating point that expression rises or falls with d, so that it is d ≥ θ or
//! d ≤ θ for some integer θ, which is found on the expression itself (Courbariaux et al. 2016, exact at ties).
//! Convolutions count window by window; max pooling takes the largest count. The first layer sees real inputs and stays
//! as it is; the last one's counts go through the normalisation as numbers.

mod file;

use crate::error::{Error, Result};
use crate::network::{Layer, Network, NetworkSpec, PoolSpec, Role, Shape};
use crate::norm::Affine;
use crate::recipe::Recipe;
use crate::recipe::build::{geometry, wiring};
use crate::wiring::{Pool, Wiring};
use bouton_kernels::{
    BitConv, BitMat, DType, Mat, View, WeightMat, par_bit_conv, par_bit_dots, par_bit_thresholds,
};

/// A feed-forward network whose weights and hidden units are ±1.
#[derive(Debug)]
pub struct Packed {
    network: NetworkSpec,
    first: First,
    hidden: Vec<BitLayer>,
    last: BitMat,
    last_norm: Affine,
}

/// The first layer: its ±1 weights are numbers because its inputs are.
#[derive(Debug)]
struct First {
    wiring: Box<dyn Wiring>,
    pool: Option<Pool>,
    /// Units, or drives before pooling.
    units: usize,
    pub weight: WeightMat,
    pub norm: Affine,
}

/// A hidden layer behind bits.
#[derive(Debug)]
struct BitLayer {
    pub weight: BitMat,
    /// The same for a convolution.
    conv: Option<BitConv>,
    pub thresholds: Vec<i32>,
    /// Units whose answer falls with the count, [1, units or filters].
    pub negated: BitMat,
}

impl Packed {
    /// The packed form of a trained network.
    ///
    /// # Errors
    /// [`Error::Incompatible`] where weights or hidden units are not ±1, the normalisation is not fixed, or pooling is no
    /// maximum.
    pub fn new(recipe: &Recipe, network: &Network) -> Result<Self> {
        packable(recipe, network)?;
        let shapes = chain(&recipe.network)?;
        let nodes: Vec<_> = network.with_role(Role::Forward).map(|p| &network.populations[p]).collect();
        let affine = |i: usize| nodes[i].norm.as_ref().and_then(|n| Affine::of(n, nodes[i].bias.as_ref()));
        let norm = |i: usize| affine(i).expect("packable networks are normalised");
        let bits = |i: usize| BitMat::from_signs(network.connections[i].weight.view());
        let (last, layers) = (nodes.len() - 1, &recipe.network.layers);
        let hidden = (1..last).map(|i| BitLayer::new(&layers[i + 1], shapes[i], bits(i), &norm(i)));
        Ok(Self {
            network: recipe.network.clone(),
            first: First::new(&layers[1], &shapes, network.connections[0].weight.clone(), norm(0)),
            hidden: hidden.collect(),
            last: bits(last),
            last_norm: norm(last),
        })
    }

    /// Outputs, [samples, classes]: those of the network, bit for bit.
    pub fn outputs(&self, x: View<'_>) -> Mat {
        let mut bits = self.first.signs(x);
        for layer in &self.hidden {
            bits = match &layer.conv {
                Some(conv) => par_bit_conv(conv, &bits, &layer.thresholds, &layer.negated),
                None => par_bit_thresholds(&bits, &layer.weight, &layer.thresholds, &layer.negated),
            };
        }
        let mut counts = vec![0; x.rows() * self.last.rows()];
        par_bit_dots(&bits, &self.last, &mut counts);
        self.last_norm.of_counts(&counts)
    }

    /// Number type of inputs and outputs.
    pub fn dtype(&self) -> DType {
        self.last_norm.mean.dtype()
    }

    /// The shape of an input.
    pub fn input(&self) -> Shape {
        chain(&self.network).expect("the layers were checked")[0]
    }

    /// Bytes of weights, thresholds and normalisations in the file.
    pub fn bytes(&self) -> usize {
        let bits = |m: &BitMat| 8 * m.words().len();
        let units = |a: &Affine| 4 * a.mean.cols() * a.mean.dtype().size();
        let hidden = self.hidden.iter().map(|c| bits(&c.weight) + bits(&c.negated) + 4 * c.thresholds.len());
        bits(&BitMat::from_signs(self.first.weight.view()))
            + bits(&self.last)
            + hidden.sum::<usize>()
            + units(&self.first.norm)
            + units(&self.last_norm)
    }
}

impl First {
    /// The first layer behind the input, of which `shapes` are the first two.
    pub fn new(layer: &Layer, shapes: &[Shape], weight: WeightMat, norm: Affine) -> Self {
        // The input is not ±1.
        let (wiring, pool) = wiring(layer, shapes[0], shapes[1], false);
        let units = pool.map_or(shapes[1].units(), |p| p.inputs());
        Self { wiring, pool, units, weight, norm }
    }

    fn signs(&self, x: View<'_>) -> BitMat {
        let (dtype, rows) = (x.dtype(), x.rows());
        let mut drive = Mat::zeros(dtype, rows, self.units);
        self.wiring.par_forward(&self.weight, x, drive.view_mut());
        if let Some(pool) = &self.pool {
            let [mut pooled, mut pool_cache] =
                [pool.outputs(), pool.pool_caches()].map(|cols| Mat::zeros(dtype, rows, cols));
            pool.forward(drive.view(), pooled.view_mut(), pool_cache.view_mut(), false);
            drive = pooled;
        }
        self.norm.apply(&mut drive);
        BitMat::from_signs(drive.view())
    }
}

impl BitLayer {
    fn new(layer: &Layer, pre: Shape, weight: BitMat, norm: &Affine) -> Self {
        let (n, step) = (weight.cols() as i32, if geometry(layer, pre).is_some() { 1 } else { 2 });
        let (thresholds, negated): (Vec<i32>, Vec<bool>) =
            (0..weight.rows()).map(|j| norm.threshold(j, n, step)).unzip();
        // A unit that falls is on below its threshold: the flipped answer of "at least".
        let negated = BitMat::from_fn(1, negated.len(), |_, j| negated[j]);
        Self::from_parts(layer, pre, weight, thresholds, negated)
    }

    /// From what a file has; the weight has the shape of the layer's.
    pub fn from_parts(
        layer: &Layer,
        pre: Shape,
        weight: BitMat,
        thresholds: Vec<i32>,
        negated: BitMat,
    ) -> Self {
        let conv = geometry(layer, pre)
            .map(|(shape, pool)| BitConv::new(shape, pool.map_or(1, |p| p.shape.size), &weight));
        Self { weight, conv, thresholds, negated }
    }
}

/// The shapes of a chain of layers that can be packed.
fn chain(network: &NetworkSpec) -> Result<Vec<Shape>> {
    let dense_end = matches!(network.layers.last(), Some(Layer::Units(_)));
    if network.layers.len() < 3 || !network.skips.is_empty() || !dense_end {
        return Err(Error::incompatible(
            "packing needs a chain of layers with a hidden one and a dense output",
            "add a hidden layer, end with a number of units, leave skips out",
        ));
    }
    let takes_largest = |l: &Layer| match l {
        Layer::Conv(conv) => matches!(conv.pool, None | Some(PoolSpec::Max(_))),
        _ => true,
    };
    if !network.layers[2..].iter().all(takes_largest) {
        return Err(Error::incompatible(
            "behind the first layer, only max pooling turns counts into counts",
            "use pool = { max = … }",
        ));
    }
    network.shapes()
}

fn packable(recipe: &Recipe, network: &Network) -> Result<()> {
    let refuse = |message: &str, hint: &str| Err(Error::incompatible(message, hint));
    if !recipe.population.is_empty() || !recipe.connection.is_empty() {
        return refuse(
            "packing needs a chain with the same choices everywhere",
            "leave [population] and [connection] out",
        );
    }
    if network.connections.iter().any(|c| c.wiring.form().is_none()) {
        return refuse("packed layers join all units, or have filters", "use wiring.dense or wiring.conv");
    }
    if !recipe.synapse.method().traits().signs() {
        return refuse(
            "only weights of exactly ±1 fit one bit",
            "use a binary synapse, such as synapse.binary, with scale = 1 and, where it has that choice, zero = \"plus\"",
        );
    }
    if !recipe.neuron.method().traits().exact_signs {
        return refuse("only hidden units of exactly ±1 fit one bit", "use neuron.sign with zero = \"plus\"");
    }
    if !recipe.norm.method().traits().fixed_in_evaluation {
        return refuse(
            "thresholds need a normalisation that is fixed in evaluation",
            "use norm.batch with statistics = \"running\"",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::train::{TensorData, Trainer};
    use crate::wiring::ConvWiring;
    use bouton_kernels::DType;

    const RECIPE: &str = "[task.synthetic]\nshape = [1, 5, 5]\nclasses = 4\ntrain = 240\ntest = 300\nbatch = 20\n\
        epochs = 2\n[network]\nlayers = [25, 67, 70, 33, 4]\n[neuron.sign]\n[norm.batch]\n[synapse.binary]\n\
        [wiring.dense]\ninit = \"uniform\"\ngain = 0.1\n[credit.backprop]\n[objective.softmax-cross-entropy]\n\
        [optim.adam]\nlr = 0.01\n";

    const IMAGES: &str = "[task.synthetic]\nshape = [2, 8, 8]\nclasses = 4\ntrain = 240\ntest = 300\nbatch = 20\n\
        epochs = 2\n[network]\nlayers = [{ image = [2, 8, 8] }, { filters = 7, kernel = 3, padding = 1, pool = { average = 2 } },\n\
        { filters = 70, kernel = 3, padding = 1, pool = { max = 2 } }, { filters = 5, kernel = 2, stride = 2, padding = 1 }, 33, 4]\n\
        [neuron.sign]\n[norm.batch]\n[synapse.binary]\n[wiring.conv]\ninit = \"uniform\"\ngain = 0.1\n[credit.backprop]\n\
        [objective.softmax-cross-entropy]\n[optim.adam]\nlr = 0.01\n";

    #[test]
    fn a_packed_network_answers_as_the_network_does_bit_for_bit() {
        answers_alike(RECIPE);
    }

    #[test]
    fn so_does_one_of_convolutions() {
        answers_alike(IMAGES);
    }

    /// Channels and filters enough for minimal filtering, whose counts are no whole numbers. In a network that has learned
    /// nothing, means and biases are 0: a unit stands on its threshold wherever half of its weights agree.
    #[test]
    fn so_does_one_of_many_filters_at_its_thresholds() {
        let layers = "{ filters = 32, kernel = 3, padding = 1 }, { filters = 64, kernel = 3, padding = 1, pool = { max = 2 } }, \
            { filters = 40, kernel = 3, padding = 1 }, 33, 4]";
        let (head, tail) = IMAGES.split_at(IMAGES.find("{ filters").unwrap());
        let text = format!("{head}{layers}{}", &tail[tail.find("\n[neuron").unwrap()..]);
        let recipe = Recipe::parse(&text, "test").unwrap();
        let mut trainer = Trainer::new(&recipe, None).unwrap();
        assert!(differs(&recipe, &trainer).is_none());
        let shapes = chain(&recipe.network).unwrap();
        for i in [1, 2] {
            let (shape, _) = geometry(&recipe.network.layers[i + 1], shapes[i]).unwrap();
            trainer.network.connections[i].wiring = Box::new(ConvWiring { shape, exact: false });
        }
        assert!(differs(&recipe, &trainer).is_some(), "the fastest way is exact, and nothing is tested");
    }

    #[test]
    fn every_synapse_of_two_weights_is_packed() {
        for synapse in ["metaplastic]\nm = 1.0", "bop]", "cascade]", "binary-beakers]", "rram]"] {
            let text = RECIPE.replace("binary]", synapse);
            let recipe = Recipe::parse(&text, "test").unwrap();
            assert!(differs(&recipe, &Trainer::new(&recipe, None).unwrap()).is_none(), "{synapse}");
            refused(
                &Recipe::parse(&text.replace(synapse, &format!("{synapse}\nscale = 0.5")), "test").unwrap(),
            );
        }
    }

    #[test]
    fn layers_that_join_some_units_alone_are_refused() {
        let wiring = "[wiring.dense]\ninit = \"uniform\"\ngain = 0.1\n";
        assert!(RECIPE.contains(wiring));
        let text = RECIPE.replace(wiring, "[wiring.sparse]\ndensity = 0.5\n");
        refused(&Recipe::parse(&text, "test").unwrap());
    }

    fn answers_alike(text: &str) {
        let recipe = Recipe::parse(text, "test").unwrap();
        let mut trainer = Trainer::new(&recipe, None).unwrap();
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
        assert_eq!(differs(&recipe, &trainer), None);
    }

    /// The first batch of tests whose answers in bits are not those of the network, if there is one.
    fn differs(recipe: &Recipe, trainer: &Trainer) -> Option<usize> {
        let made = Packed::new(recipe, &trainer.network).unwrap();
        let packed = Packed::from_checkpoint(&made.to_checkpoint()).unwrap();
        let credit = recipe.credit.build(&recipe.solver, &trainer.network, 1).unwrap();
        let mut batches = trainer.task_stream.train.in_order(&trainer.task_stream.tests[0], None, DType::F32);
        batches.position(|batch| {
            let free = credit.free(&trainer.network, &batch, &*recipe.objective.build()).unwrap();
            let bits = |m: &Mat| m.slice::<f32>().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(batch.len(), 300);
            bits(&packed.outputs(batch.x.view())) != bits(free.out.last().unwrap())
        })
    }

    #[test]
    fn a_bit_takes_less_than_a_number() {
        let recipe = Recipe::parse(RECIPE, "test").unwrap();
        let network = recipe.build().unwrap();
        assert!(Packed::new(&recipe, &network).unwrap().bytes() < network.parameter_count() * 4);
    }

    #[test]
    fn a_file_whose_arrays_do_not_fit_is_refused() {
        let recipe = Recipe::parse(IMAGES, "test").unwrap();
        let file = Packed::new(&recipe, &recipe.build().unwrap()).unwrap().to_checkpoint();
        for i in 0..file.tensors.len() {
            let mut missing = file.clone();
            let gone = missing.tensors.remove(i).name;
            assert!(Packed::from_checkpoint(&missing).unwrap_err().to_string().contains(&gone), "{gone}");
        }
        for (from, to) in
            [("[2,8,8]", "[2,8,9]"), ("70", "71"), ("\"stride\":2", "\"stride\":0"), ("33,4", "33")]
        {
            let mut other = file.clone();
            let network = other.meta.get_mut("network").unwrap();
            assert!(network.contains(from), "{network}");
            *network = network.replace(from, to);
            assert_eq!(Packed::from_checkpoint(&other).unwrap_err().exit_code(), 2, "{from}");
        }
        assert!(Packed::from_checkpoint(&crate::train::Checkpoint::default()).unwrap_err().hint().is_some());
    }

    #[test]
    fn a_file_of_two_number_types_is_refused() {
        let recipe = Recipe::parse(RECIPE, "test").unwrap();
        let file = Packed::new(&recipe, &recipe.build().unwrap()).unwrap().to_checkpoint();
        let mut mixed = 0;
        for (i, tensor) in file.tensors.iter().enumerate() {
            let TensorData::F32(numbers) = &tensor.data else { continue };
            let mut other = file.clone();
            other.tensors[i].data = TensorData::F64(numbers.iter().map(|&x| f64::from(x)).collect());
            let error = Packed::from_checkpoint(&other).unwrap_err();
            assert!(error.to_string().contains("64 bits") && error.hint().is_some(), "{error}");
            mixed += 1;
        }
        assert_eq!(mixed, 8);
    }

    #[test]
    fn what_does_not_fit_one_bit_is_refused_with_a_hint() {
        for (from, to) in [
            ("[synapse.binary]", ""),
            ("[norm.batch]", "[norm.batch]\nstatistics = \"batch\""),
            ("[neuron.sign]", "[neuron.sign]\nzero = \"zero\""),
        ] {
            let recipe = Recipe::parse(&RECIPE.replace(from, to), "test").unwrap();
            refused(&recipe);
        }
        refused(&Recipe::parse(&IMAGES.replace("max = 2", "average = 2"), "test").unwrap());
    }

    fn refused(recipe: &Recipe) {
        let error = Packed::new(recipe, &recipe.build().unwrap()).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
    }
}
