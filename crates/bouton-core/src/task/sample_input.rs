//! What stands between a sample as files hold it and what a network sees, where that is the same for every sample.

use super::images::{Normalise, Pixels};
use super::part::InputTransform;
use super::spec::Curriculum;
use super::unseen::kind;
use crate::error::{Error, Result};

/// Samples of one task of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleInput {
    /// Channels, height and width in files; [1, 1, n] for n numbers.
    pub shape: [usize; 3],
    /// Whether they are pixels, here from 0 to 1.
    pub pixels: bool,
    /// From there to what the network sees, one after the other.
    pub steps: Vec<InputStep>,
}

/// One of these.
#[derive(Clone, Debug, PartialEq)]
pub enum InputStep {
    /// So many zeros above and left of an image, and below and right.
    Pad {
        /// Above and left.
        before: [usize; 2],
        /// Below and right.
        after: [usize; 2],
    },
    /// Number `i`, channel after channel, row by row, becomes the one that was number `order[i]`.
    Order(Vec<u32>),
    /// (x − mean)/std in every channel.
    Normalise(Normalise),
    /// −1 below ½, 1 from there on.
    Signs,
}

/// How task `task` of a recipe, from 0, looks at samples.
///
/// # Errors
/// [`Error::Config`] if there is no such task, [`Error::Incompatible`] if it turns images.
pub fn sample_input<'a>(recipe: impl Into<Curriculum<'a>>, task: usize) -> Result<SampleInput> {
    let recipe = recipe.into();
    let (method, transform) = (recipe.task.method(), kind(&recipe, task)?.transform);
    let shape = method.set().map_or(method.shape().0, |set| set.shape);
    let mut steps = Vec::new();
    if method.pixels().is_some() {
        let [channels, height, width] = shape;
        if let Some(size) = recipe.task.shown().size {
            let before = [(size - height) / 2, (size - width) / 2];
            steps.push(InputStep::Pad {
                before,
                after: [size - height - before[0], size - width - before[1]],
            });
        }
        if let InputTransform::Permuted { pad, order } = &transform {
            steps.extend((*pad > 0).then_some(InputStep::Pad { before: [*pad; 2], after: [*pad; 2] }));
            steps.extend(order.as_ref().map(|order| InputStep::Order(order.to_vec())));
        }
        steps.extend(values(recipe.task.shown().pixels, recipe.task.shown().normalise, channels));
    }
    let turned = matches!(transform, InputTransform::Rotated(degrees) if degrees != 0.0);
    let moved = method.pixels().is_none() && transform != InputTransform::Plain;
    if turned || moved {
        return Err(Error::incompatible(
            format!("task {} changes samples in a way that does not go into a file", task + 1),
            "tasks that show pixels as they are, or in another order, do",
        ));
    }
    Ok(SampleInput { shape, pixels: method.pixels().is_some(), steps })
}

/// From pixels of 0 to 1 to what they are to the network.
fn values(pixels: Pixels, normalise: Option<Normalise>, channels: usize) -> Option<InputStep> {
    let half = || vec![0.5; channels];
    match pixels {
        Pixels::Unit => normalise.map(InputStep::Normalise),
        Pixels::Signed => Some(InputStep::Normalise(Normalise { mean: half(), std: half() })),
        Pixels::Binary => Some(InputStep::Signs),
    }
}
