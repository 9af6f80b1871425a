//! What stands between a sample as it is given and what the network sees.

use super::graph::{Graph, Setting};
use super::layers::{Value, reshape};
use crate::network::Shape;
use crate::task::{InputStep, SampleInput};

/// The shape of a sample in the file.
pub(super) fn shape(input: &SampleInput) -> Vec<usize> {
    if is_row(input) { vec![input.shape[2]] } else { input.shape.to_vec() }
}

/// Whether samples are rows of numbers.
fn is_row(input: &SampleInput) -> bool {
    input.shape[..2] == [1, 1] && input.steps.is_empty()
}

/// What the network sees of the input.
pub(super) fn shown(graph: &mut Graph, input: &SampleInput) -> Value {
    let of = |[channels, height, width]: [usize; 3]| Shape { height, width, channels };
    let (mut shape, mut name) = (input.shape, String::from("input"));
    if is_row(input) {
        return Value { name, shape: Shape { height: 1, width: 1, channels: shape[2] } };
    }
    for step in &input.steps {
        name = match step {
            InputStep::Pad { before, after } => {
                shape = [shape[0], shape[1] + before[0] + after[0], shape[2] + before[1] + after[1]];
                let sides = [0, 0, before[0], before[1], 0, 0, after[0], after[1]].map(|n| n as i64);
                let sides = graph.ints(&sides);
                graph.op("Pad", &[&name, &sides], &[])
            }
            InputStep::Order(order) => {
                let order: Vec<i64> = order.iter().map(|&i| i64::from(i)).collect();
                let (flat, order) = (graph.op("Flatten", &[&name], &[]), graph.ints(&order));
                let moved = graph.op("Gather", &[&flat, &order], &[("axis", Setting::Int(1))]);
                reshape(graph, &moved, &shape)
            }
            InputStep::Normalise(numbers) => {
                let channels = [shape[0], 1, 1];
                let mean = graph.floats("input.mean", &channels, &numbers.mean);
                let std = graph.floats("input.std", &channels, &numbers.std);
                let centred = graph.op("Sub", &[&name, &mean], &[]);
                graph.op("Div", &[&centred, &std], &[])
            }
            InputStep::Signs => {
                let [half, plus, minus] = [0.5, 1.0, -1.0].map(|x| graph.float(x));
                let on = graph.op("GreaterOrEqual", &[&name, &half], &[]);
                graph.op("Where", &[&on, &plus, &minus], &[])
            }
        };
    }
    // One pixel is the channels of a population without places.
    let name = if shape[1] * shape[2] == 1 { graph.op("Flatten", &[&name], &[]) } else { name };
    Value { name, shape: of(shape) }
}
