//! Where gradients go. Updater, collector and counters are sinks of the same `learn`.

use crate::error::{Error, Result};
use crate::network::{ConnId, Connection, Grad, GradSink, Network, ParamId, add_at};
use bouton_kernels::{Mat, add_columns, add_scaled, scale_all};
use std::collections::HashMap;

/// Sums gradients and changes nothing: for checks, analysis and tests.
#[derive(Clone, Debug, Default)]
pub struct GradCollector {
    /// Gradient of every parameter that received factors.
    pub gradients: HashMap<ParamId, Mat>,
}

impl GradCollector {
    /// The gradient of a parameter, row-major; empty if it received nothing.
    pub fn values(&self, id: ParamId) -> Vec<f64> {
        self.gradients.get(&id).map(Mat::to_f64s).unwrap_or_default()
    }

    /// All gradients of `network`'s parameters in one vector, in the order of [`Network::parameters`]; zeros where
    /// nothing was received.
    pub fn flat(&self, network: &Network) -> Vec<f64> {
        let of = |(id, _, mat): (ParamId, String, &Mat)| {
            self.gradients.get(&id).map_or_else(|| vec![0.0; mat.rows() * mat.cols()], Mat::to_f64s)
        };
        network.parameters().into_iter().flat_map(of).collect()
    }
}

impl GradSink for GradCollector {
    fn add(&mut self, network: &Network, id: ParamId, grad: Grad<'_>) {
        let Some(value) = network.value(id) else { return };
        let zeros = || Mat::zeros(value.dtype(), value.rows(), value.cols());
        let sum = self.gradients.entry(id).or_insert_with(zeros);
        match grad {
            Grad::Factors { pre, g, scale } => {
                let mut scaled = g.to_mat();
                scale_all(&mut scaled, scale);
                network.wiring_of(id).backward_weight(pre, scaled.view(), 0..value.rows(), sum.view_mut());
            }
            Grad::Rows { g, scale } => add_columns(g.folded(value.cols()), scale, sum.view_mut()),
            Grad::Whole { g, scale } => add_scaled(sum, scale, g.view()),
        }
    }

    fn step(&mut self, _: &mut Network) -> Result<()> {
        Ok(())
    }
}

/// Collects gradients like [`GradCollector`], and what goes back to the clamped input.
#[derive(Clone, Debug, Default)]
pub struct InputGradCollector {
    /// Gradients of the parameters.
    pub parameters: GradCollector,
    drives: Vec<(ConnId, Mat)>,
}

impl InputGradCollector {
    /// A sink for the rules of `network`.
    pub fn new(network: &Network) -> Self {
        let from_input = network
            .connections
            .iter()
            .enumerate()
            .filter(|(_, c)| network.is_clamped(c.pre) && c.carries_errors());
        let empty =
            |c: &Connection| Mat::zeros(network.dtype, 0, c.factors(network.populations[c.post].units));
        Self {
            parameters: GradCollector::default(),
            drives: from_input.map(|(id, c)| (id, empty(c))).collect(),
        }
    }

    /// The gradient of the mean loss with respect to the clamped input, [samples, features].
    ///
    /// # Errors
    /// [`Error::Incompatible`] for rules that hand over an input's factors more than once per sample.
    pub fn input(&self, network: &Network, samples: usize) -> Result<Mat> {
        let mut gradient = Mat::zeros(network.dtype, samples, network.features());
        for (id, g) in self.drives.iter().filter(|(_, g)| g.rows() > 0) {
            if g.rows() != samples {
                return Err(Error::incompatible(
                    "this credit rule learns several times from one batch, so nothing can be sent back to the input",
                    "use eq-prop, recurrent-backprop, bptt or backprop",
                ));
            }
            let c = &network.connections[*id];
            let node = &network.populations[c.pre];
            let mut part = Mat::zeros(network.dtype, samples, node.units);
            c.wiring.backward_input(&c.weight, g.view(), part.view_mut());
            add_at(&mut gradient, &part, node.columns.start);
        }
        Ok(gradient)
    }
}

impl GradSink for InputGradCollector {
    fn add(&mut self, network: &Network, id: ParamId, grad: Grad<'_>) {
        self.parameters.add(network, id, grad);
        let from_input = self.drives.iter_mut().find(|(conn, _)| ParamId::weight(*conn) == id);
        if let (Some((_, drives)), Grad::Factors { g, scale, .. }) = (from_input, grad) {
            let mut scaled = g.to_mat();
            scale_all(&mut scaled, scale);
            drives.append_rows(scaled.view());
        }
    }

    fn step(&mut self, _: &mut Network) -> Result<()> {
        Ok(())
    }
}

/// Gradients of samples kept for later, so that shards of a batch can be worked on at the same time.
#[derive(Debug, Default)]
pub(crate) struct FactorBuffer {
    factors: Vec<(ParamId, Mat, Mat, f64)>,
    rows: Vec<(ParamId, Mat, f64)>,
}

impl FactorBuffer {
    /// Hands everything to `sink`, in the order it came.
    pub fn replay(&self, network: &Network, sink: &mut dyn GradSink) {
        for (id, pre, g, scale) in &self.factors {
            sink.add(network, *id, Grad::factors(pre.view(), g.view(), *scale));
        }
        for (id, g, scale) in &self.rows {
            sink.add(network, *id, Grad::rows(g.view(), *scale));
        }
    }
}

impl GradSink for FactorBuffer {
    fn add(&mut self, _: &Network, id: ParamId, grad: Grad<'_>) {
        match grad {
            Grad::Factors { pre, g, scale } => self.factors.push((id, pre.to_mat(), g.to_mat(), scale)),
            Grad::Rows { g, scale } => self.rows.push((id, g.to_mat(), scale)),
            Grad::Whole { .. } => {
                unreachable!("what does not depend on samples is added once, for the whole batch")
            }
        }
    }

    fn step(&mut self, _: &mut Network) -> Result<()> {
        Ok(())
    }
}
