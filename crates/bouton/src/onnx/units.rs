//! Which units have a form in ONNX, and which. A unit that does not stand here is refused by its name.

use super::graph::{FLOAT, Graph, Setting};
use crate::axis::variant_name;
use crate::error::{Error, Result};
use crate::neuron::NeuronSpec;
use crate::synapse::SignOfZero;

/// What hidden units of this kind make of their `drive`.
///
/// # Errors
/// [`Error::Incompatible`] if their step is none of these.
pub(super) fn hidden(graph: &mut Graph, neuron: &NeuronSpec, drive: &str) -> Result<String> {
    Ok(match neuron {
        NeuronSpec::Relu(_) => graph.op("Relu", &[drive], &[]),
        NeuronSpec::Sign(sign) if sign.zero == SignOfZero::Zero => graph.op("Sign", &[drive], &[]),
        NeuronSpec::Sign(_) => {
            let [zero, plus, minus] = [0.0, 1.0, -1.0].map(|x| graph.float(x));
            let on = graph.op("GreaterOrEqual", &[drive, &zero], &[]);
            graph.op("Where", &[&on, &plus, &minus], &[])
        }
        NeuronSpec::Gate(gate) => {
            let (size, threshold) = (graph.op("Abs", &[drive], &[]), graph.float(gate.threshold));
            let on = graph.op("Greater", &[&size, &threshold], &[]);
            graph.op("Cast", &[&on], &[("to", Setting::Int(FLOAT))])
        }
        other => {
            return Err(Error::incompatible(
                format!("neuron.{} has no form in ONNX", variant_name(other)),
                "relu, sign and gate have one",
            ));
        }
    })
}
