//! What the weights of a checkpoint look like.

use bouton::Result;
use bouton::network::Layer;
use bouton::recipe::Recipe;
use bouton::theory::Device;
use bouton::train::{Checkpoint, Tensor, TensorData};

use super::Figure;
use super::figures::{histogram, receptive_fields};

/// What histograms show: the end of a tensor's name behind its connection, and what the numbers are.
const STATES: [(&str, &str); 8] = [
    (".weight", "Weights"),
    (".binary.hidden", "Hidden weights"),
    (".metaplastic.hidden", "Hidden weights"),
    (".binary-beakers.b1", "Hidden weights"),
    (".bayesbinn.lambda", "Natural parameters λ"),
    (".bimu.lambda", "Natural parameters λ"),
    (".mesu.mean", "Means"),
    (".mesu.spread", "Standard deviations"),
];
/// The first state of a resistive pair.
const PAIR: &str = ".rram.bl.level";

/// A histogram of every weight and of what its synapses keep: hidden weights, parameters of distributions, log ratios of
/// resistive pairs.
///
/// # Errors
/// [`bouton::Error::Data`] if a figure cannot be drawn.
pub fn weights(checkpoint: &Checkpoint) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for tensor in &checkpoint.tensors {
        let state = STATES.iter().find_map(|(end, kind)| Some((tensor.name.strip_suffix(end)?, *kind)));
        let (of, kind, values) = match (state, tensor.name.strip_suffix(PAIR)) {
            // The second dot of a name stands before a synapse or an optimiser.
            (Some((of, kind)), _) if !of.contains('.') => (of, kind, numbers(tensor)),
            (_, Some(of)) => (of, "ln(R_BL/R_BLb)", log_ratios(checkpoint, of)?),
            _ => continue,
        };
        let Some(values) = values else { continue };
        let title = format!("{kind} of {of}");
        let svg = histogram(&title, &kind.to_lowercase(), &values)?;
        figures.push(Figure { title, caption: format!("Shape {:?}.", tensor.shape), svg });
    }
    Ok(figures)
}

/// ln(R_BL/R_BLb) without noise of the pairs of connection `of`.
fn log_ratios(checkpoint: &Checkpoint, of: &str) -> Result<Option<Vec<f64>>> {
    let side = |side: &str| -> Result<Option<Vec<f64>>> {
        let mut states = Vec::new();
        for state in ["level", "early", "breakpoint", "late", "pulses", "set"] {
            let values = numbers(checkpoint.tensor(&format!("{of}.rram.{side}.{state}"))?);
            let Some(values) = values else { return Ok(None) };
            states.push(values);
        }
        Ok(Some((0..states[0].len()).map(|i| growth(std::array::from_fn(|k| states[k][i]))).collect()))
    };
    let (Some(bl), Some(blb)) = (side("bl")?, side("blb")?) else { return Ok(None) };
    Ok(Some(bl.iter().zip(blb).map(|(a, b)| a - b).collect()))
}

/// ln R of a device.
fn growth([level, early, breakpoint, late, pulses, set]: [f64; 6]) -> f64 {
    let device = Device {
        early_slope: early,
        breakpoint,
        offset: level,
        late_slope: late,
        fresh_resistance: 1.0,
        telegraph: 0.0,
    };
    device.growth(pulses - set)
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
            Some(Layer::Conv(c)) => Self { shape: [shape[0], c.kernel, c.kernel], side_by_side: false },
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
