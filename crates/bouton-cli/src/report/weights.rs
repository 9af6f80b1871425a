//! What the weights of a checkpoint look like.

use bouton::Result;
use bouton::network::Layer;
use bouton::recipe::Recipe;
use bouton::synapse::{RRAM_STATES, log_ratio};
use bouton::train::{Checkpoint, Tensor, TensorData};

use super::Figure;
use super::figures::{histogram, receptive_fields};

/// What histograms show: the end of a tensor's name behind its connection, what the numbers are, and their axis.
const STATES: [(&str, &str, &str); 8] = [
    (".weight", "Weights", "weights"),
    (".binary.hidden", "Hidden weights", "hidden weights"),
    (".metaplastic.hidden", "Hidden weights", "hidden weights"),
    (".binary-beakers.b1", "Hidden weights", "hidden weights"),
    (".bayesbinn.lambda", "Natural parameters", "λ"),
    (".bimu.lambda", "Natural parameters", "λ"),
    (".mesu.mean", "Means", "mean weights"),
    (".mesu.spread", "Standard deviations", "standard deviation of the weight"),
];

/// A histogram of every weight and of what its synapses keep: hidden weights, parameters of distributions, log ratios of
/// resistive pairs.
///
/// # Errors
/// [`bouton::Error::Data`] if a figure cannot be drawn, [`bouton::Error::Checkpoint`] if states of a synapse are missing.
pub fn weights(checkpoint: &Checkpoint) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for tensor in &checkpoint.tensors {
        let of = |end: &str| tensor.name.strip_suffix(end);
        // A second dot before the end stands before a synapse or an optimiser.
        let state = STATES.iter().find(|(end, ..)| of(end).is_some_and(|of| !of.contains('.')));
        let (of, kind, axis, values) = match (state, of(&format!(".{}", RRAM_STATES[0]))) {
            (Some((end, kind, axis)), _) => (of(end).unwrap_or_default(), *kind, *axis, numbers(tensor)),
            (None, Some(of)) => (of, "Log ratios", "ln(R_BL/R_BLb)", log_ratios(checkpoint, of)?),
            (None, None) => continue,
        };
        let Some(values) = values else { continue };
        let title = format!("{kind} of {of}");
        let svg = histogram(&title, axis, &values)?;
        figures.push(Figure { title, caption: format!("Shape {:?}.", tensor.shape), svg });
    }
    Ok(figures)
}

/// ln(R_BL/R_BLb) without noise of the pairs of connection `of`.
fn log_ratios(checkpoint: &Checkpoint, of: &str) -> Result<Option<Vec<f64>>> {
    let mut states = Vec::new();
    for name in RRAM_STATES {
        let Some(values) = numbers(checkpoint.tensor(&format!("{of}.{name}"))?) else { return Ok(None) };
        states.push(values);
    }
    let pairs = states.iter().map(Vec::len).min().unwrap_or(0);
    Ok(Some((0..pairs).map(|i| log_ratio(std::array::from_fn(|k| states[k][i]))).collect()))
}

/// What the rows of a first layer's weight are: little images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// Whether the channels of a pixel stand side by side, as units see images, or one channel follows the other, as in
    /// kernels.
    pub side_by_side: bool,
}

impl Patch {
    /// The images that the first layer of a recipe's network looks at.
    pub fn of(recipe: &Recipe) -> Self {
        let (shape, _) = recipe.task.shape();
        match recipe.network.layers.get(1) {
            Some(Layer::Conv(c)) => {
                let [rows, columns] = c.kernel.sides();
                Self { shape: [shape[0], rows, columns], side_by_side: false }
            }
            _ => Self { shape, side_by_side: true },
        }
    }

    /// Numbers in an image.
    pub fn size(self) -> usize {
        self.shape.iter().product()
    }

    /// Images with one channel after the other.
    fn planes(self, values: Vec<f64>) -> Vec<f64> {
        let (channels, pixels) = (self.shape[0], self.shape[1] * self.shape[2]);
        if !self.side_by_side || channels == 1 {
            return values;
        }
        let plane = |image: &[f64]| -> Vec<f64> {
            (0..channels * pixels).map(|i| image[i % pixels * channels + i / pixels]).collect()
        };
        values.chunks_exact(self.size().max(1)).flat_map(plane).collect()
    }
}

/// The receptive fields of a first layer: `weight` has one row for each unit.
///
/// # Errors
/// [`bouton::Error::Shape`] if the rows are no such images.
pub fn fields(weight: &Tensor, patch: Patch) -> Result<Figure> {
    let values = patch.planes(numbers(weight).unwrap_or_default());
    let units = values.len() / patch.size().max(1);
    let title = "Receptive fields".to_string();
    let caption = match units {
        0..=64 => format!("The weights into all {units} units of the first layer."),
        _ => format!("The weights into the first 64 of {units} units of the first layer."),
    };
    Ok(Figure { svg: receptive_fields(&title, &values, patch.shape)?, title, caption })
}

fn numbers(tensor: &Tensor) -> Option<Vec<f64>> {
    match &tensor.data {
        TensorData::F32(x) => Some(x.iter().map(|&x| x.into()).collect()),
        TensorData::F64(x) => Some(x.clone()),
        TensorData::U8(_) | TensorData::U64(_) => None,
    }
}
