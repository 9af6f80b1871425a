//! Where gradients go. Updater, collector and counters are sinks of the same `learn`.

use crate::error::{Error, Result};
use crate::network::{ConnId, Connection, Network, ParamId, PopId, Sink};
use bouton_kernels::{Mat, View, add_columns, add_scaled, scale_all};
use std::collections::HashMap;

/// Sums gradients and changes nothing: for checks, analysis and tests.
#[derive(Clone, Debug, Default)]
pub struct Collect {
    /// Gradient of every parameter that received factors.
    pub gradients: HashMap<ParamId, Mat>,
}

impl Collect {
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

impl Collect {
    fn units(&mut self, id: ParamId, channels: usize, g: View<'_>, scale: f64) {
        let sum = self.gradients.entry(id).or_insert_with(|| Mat::zeros(g.dtype(), 1, channels));
        add_columns(g.folded(channels), scale, sum.view_mut());
    }
}

impl Sink for Collect {
    fn factors(&mut self, network: &Network, id: ParamId, pre: View<'_>, g: View<'_>, scale: f64) {
        let wiring = network.wiring_of(id);
        let (rows, cols) = wiring.weight_shape();
        let sum = self.gradients.entry(id).or_insert_with(|| Mat::zeros(g.dtype(), rows, cols));
        let mut scaled = g.to_mat();
        scale_all(&mut scaled, scale);
        wiring.pull_weight(pre, scaled.view(), 0..rows, sum.view_mut());
    }

    fn bias(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64) {
        self.units(ParamId::Bias(pop), network.populations[pop].shape.channels, g, scale);
    }

    fn gain(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64) {
        self.units(ParamId::Gain(pop), network.populations[pop].shape.channels, g, scale);
    }

    fn gradient(&mut self, id: ParamId, g: &Mat, scale: f64) {
        let sum = self.gradients.entry(id).or_insert_with(|| Mat::zeros(g.dtype(), g.rows(), g.cols()));
        add_scaled(sum, scale, g.view());
    }

    fn step(&mut self, _: &mut Network) -> Result<()> {
        Ok(())
    }
}

/// Collects gradients like [`Collect`], and what goes back to the clamped input.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Gradients of the parameters.
    pub parameters: Collect,
    drives: Vec<(ConnId, Mat)>,
}

impl Outside {
    /// A sink for the rules of `network`.
    pub fn new(network: &Network) -> Self {
        let from_input = network.connections.iter().enumerate().filter(|(_, c)| c.pre == network.input());
        let empty =
            |c: &Connection| Mat::zeros(network.dtype, 0, c.factors(network.populations[c.post].units));
        Self { parameters: Collect::default(), drives: from_input.map(|(id, c)| (id, empty(c))).collect() }
    }

    /// The gradient of the mean loss with respect to the clamped input, [samples, features].
    ///
    /// # Errors
    /// [`Error::Incompatible`] for rules that hand over an input's factors more than once per sample.
    pub fn input(&self, network: &Network, samples: usize) -> Result<Mat> {
        let mut gradient = Mat::zeros(network.dtype, samples, network.populations[network.input()].units);
        for (id, g) in self.drives.iter().filter(|(_, g)| g.rows() > 0) {
            if g.rows() != samples {
                return Err(Error::incompatible(
                    "this credit rule learns several times from one batch, so nothing can be sent back to the input",
                    "use eq-prop, recurrent-backprop, bptt or backprop",
                ));
            }
            let c = &network.connections[*id];
            c.wiring.pull_input(&c.weight, g.view(), gradient.view_mut());
        }
        Ok(gradient)
    }
}

impl Sink for Outside {
    fn factors(&mut self, network: &Network, id: ParamId, pre: View<'_>, g: View<'_>, scale: f64) {
        self.parameters.factors(network, id, pre, g, scale);
        let from_input = self.drives.iter_mut().find(|(conn, _)| ParamId::Weight(*conn) == id);
        if let Some((_, drives)) = from_input {
            let mut scaled = g.to_mat();
            scale_all(&mut scaled, scale);
            drives.append_rows(scaled.view());
        }
    }

    fn bias(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64) {
        self.parameters.bias(network, pop, g, scale);
    }

    fn gain(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64) {
        self.parameters.gain(network, pop, g, scale);
    }

    fn gradient(&mut self, id: ParamId, g: &Mat, scale: f64) {
        self.parameters.gradient(id, g, scale);
    }

    fn step(&mut self, _: &mut Network) -> Result<()> {
        Ok(())
    }
}

/// Factors kept for later, so that shards of a batch can be worked on at the same time.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    factors: Vec<(ParamId, Mat, Mat, f64)>,
    biases: Vec<(PopId, Mat, f64)>,
}

impl Recorder {
    /// Hands everything to `sink`, in the order it came.
    pub fn replay(&self, network: &Network, sink: &mut dyn Sink) {
        for (id, pre, g, scale) in &self.factors {
            sink.factors(network, *id, pre.view(), g.view(), *scale);
        }
        for (pop, g, scale) in &self.biases {
            sink.bias(network, *pop, g.view(), *scale);
        }
    }
}

impl Sink for Recorder {
    fn factors(&mut self, _: &Network, id: ParamId, pre: View<'_>, g: View<'_>, scale: f64) {
        self.factors.push((id, pre.to_mat(), g.to_mat(), scale));
    }

    fn bias(&mut self, _: &Network, pop: PopId, g: View<'_>, scale: f64) {
        self.biases.push((pop, g.to_mat(), scale));
    }

    /// Shards see only a part of a batch, which cannot be normalised; whoever uses them refuses normalisation.
    fn gain(&mut self, _: &Network, _: PopId, _: View<'_>, _: f64) {
        unreachable!("a shard is never normalised")
    }

    /// What does not depend on the samples is handed over once, for the whole batch.
    fn gradient(&mut self, _: ParamId, _: &Mat, _: f64) {
        unreachable!("a shard knows samples alone")
    }

    fn step(&mut self, _: &mut Network) -> Result<()> {
        Ok(())
    }
}
