//! Hidden units as operators, by the form that they say they have. A unit without one is refused by its name.

use super::graph::{FLOAT, Graph, Setting};
use crate::axis::variant_name;
use crate::error::{Error, Result};
use crate::neuron::{NeuronSpec, UnitForm};
use crate::synapse::SignOfZero;

/// What hidden units of this kind make of their `drive`.
///
/// # Errors
/// [`Error::Incompatible`] if their step is none of these.
pub(super) fn hidden(graph: &mut Graph, neuron: &NeuronSpec, drive: &str) -> Result<String> {
    Ok(match neuron.method().form() {
        Some(UnitForm::Rectified) => graph.op("Relu", &[drive], &[]),
        Some(UnitForm::Tanh) => graph.op("Tanh", &[drive], &[]),
        Some(UnitForm::Sigmoid) => graph.op("Sigmoid", &[drive], &[]),
        Some(UnitForm::Sign(SignOfZero::Zero)) => graph.op("Sign", &[drive], &[]),
        Some(UnitForm::Sign(SignOfZero::Plus)) => {
            let [zero, plus, minus] = [0.0, 1.0, -1.0].map(|x| graph.float(x));
            let on = graph.op("GreaterOrEqual", &[drive, &zero], &[]);
            graph.op("Where", &[&on, &plus, &minus], &[])
        }
        Some(UnitForm::Gate(threshold)) => {
            let (size, threshold) = (graph.op("Abs", &[drive], &[]), graph.float(threshold));
            let on = graph.op("Greater", &[&size, &threshold], &[]);
            graph.op("Cast", &[&on], &[("to", Setting::Int(FLOAT))])
        }
        None => {
            return Err(Error::incompatible(
                format!("neuron.{} has no form in ONNX", variant_name(neuron)),
                "relu, sign and gate have one",
            ));
        }
    })
}
