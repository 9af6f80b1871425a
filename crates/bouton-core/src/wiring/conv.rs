//! Convolution: post(p, f) += Σ_{k,c} w(f, c, k) pre(stride·p + k − padding, c), zero beyond the border.
//!
//! Rows of activity are images in the order height, width, channel; rows of the weight are filters in the order channel,
//! height, width.

use super::{Dense, Ends, Form, Wiring, WiringMethod};
use crate::axis::Cite;
use bouton_kernels::{
    ConvShape, View, ViewMut, WeightMat, conv_forward, conv_forward_exact, conv_pull_input, conv_pull_weight,
    par_conv_forward, par_conv_forward_exact, par_conv_pull_input,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Convolutions (`[wiring.conv]`), drawn like [`Dense`] weights: filters stand in the layers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Conv(pub Dense);

impl WiringMethod for Conv {
    fn cites(&self) -> Vec<Cite> {
        self.0.cites()
    }

    fn weights(&self) -> &Dense {
        &self.0
    }

    fn weights_mut(&mut self) -> &mut Dense {
        &mut self.0
    }

    fn convolves(&self) -> bool {
        true
    }

    fn learns(&self) -> bool {
        true
    }

    fn inputs(&self, pre: usize) -> usize {
        pre
    }

    fn numbers(&self, ports: usize) -> Option<usize> {
        (ports == 1).then_some(1)
    }

    fn join(&self, ends: Ends<'_>) -> Box<dyn Wiring> {
        self.0.join(ends)
    }

    fn examples() -> Vec<Self> {
        Dense::examples().into_iter().map(Self).collect()
    }
}

/// Convolution between two populations with places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvWiring {
    /// Sizes.
    pub shape: ConvShape,
    /// Whether sums of ±1 come out as whole numbers, which the fastest way does not promise.
    pub exact: bool,
}

impl Wiring for ConvWiring {
    fn form(&self) -> Option<Form> {
        Some(Form::Conv(self.shape))
    }

    fn weight_shape(&self) -> (usize, usize) {
        (self.shape.filters, self.shape.patch())
    }

    fn factorises(&self) -> bool {
        false
    }

    fn band(&self) -> Option<usize> {
        // A band passes over all images: as few as there are threads.
        Some(self.shape.filters.div_ceil(rayon::current_num_threads()))
    }

    fn forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        let forward = if self.exact { conv_forward_exact } else { conv_forward };
        forward(&self.shape, weight, pre, post);
    }

    fn backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        conv_pull_input(&self.shape, weight, g, pre);
    }

    fn backward_weight(&self, pre: View<'_>, g: View<'_>, band: Range<usize>, g_w: ViewMut<'_>) {
        conv_pull_weight(&self.shape, pre, g, band, g_w);
    }

    fn par_forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        let forward = if self.exact { par_conv_forward_exact } else { par_conv_forward };
        forward(&self.shape, weight, pre, post);
    }

    fn par_backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        par_conv_pull_input(&self.shape, weight, g, pre);
    }
}
