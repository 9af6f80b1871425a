//! What the weights of a checkpoint look like.

use bouton::Result;
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

/// The receptive fields of a first layer: `weight` has one row for each unit, over images of the shape
/// `[channels, height, width]`.
///
/// # Errors
/// [`bouton::Error::Shape`] if the rows are no such images.
pub fn fields(weight: &Tensor, image: [usize; 3]) -> Result<Figure> {
    let values = numbers(weight).unwrap_or_default();
    let units = values.len() / image.iter().product::<usize>().max(1);
    let title = "Receptive fields".to_string();
    let caption = match units {
        0..=64 => format!("The weights into all {units} units of the first layer."),
        _ => format!("The weights into the first 64 of {units} units of the first layer."),
    };
    Ok(Figure { svg: receptive_fields(&title, &values, image)?, title, caption })
}

fn numbers(tensor: &Tensor) -> Option<Vec<f64>> {
    match &tensor.data {
        TensorData::F32(x) => Some(x.iter().map(|&x| x.into()).collect()),
        TensorData::F64(x) => Some(x.clone()),
        TensorData::U8(_) | TensorData::U64(_) => None,
    }
}
