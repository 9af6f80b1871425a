//! What the weights of a checkpoint look like.

use bouton::Result;
use bouton::network::Layer;
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, Tensor, TensorData};

use super::Figure;
use super::figures::{histogram, receptive_fields};

/// A histogram of every tensor called `<connection>.weight`, and of hidden weights, `<connection>.<synapse>.hidden`.
///
/// # Errors
/// [`bouton::Error::Data`] if a figure cannot be drawn.
pub fn weights(checkpoint: &Checkpoint) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for tensor in &checkpoint.tensors {
        let hidden = tensor.name.strip_suffix(".hidden").and_then(|name| name.rsplit_once('.'));
        let (kind, of) = match (tensor.name.strip_suffix(".weight"), hidden) {
            (Some(connection), _) => ("Weights", connection),
            (None, Some((connection, _))) => ("Hidden weights", connection),
            (None, None) => continue,
        };
        if let Some(values) = numbers(tensor) {
            let title = format!("{kind} of {of}");
            let svg = histogram(&title, &kind.to_lowercase(), &values)?;
            let caption = format!("Shape {:?}.", tensor.shape);
            figures.push(Figure { title, caption, svg });
        }
    }
    Ok(figures)
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
