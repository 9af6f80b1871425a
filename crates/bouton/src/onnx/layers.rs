//! Connections, pooling and normalisations as operators.
//!
//! Activity of units without places is [batch, units], of others [batch, channels, height, width]: ONNX has channels first, a row of
//! ours has them last.

use super::graph::{Graph, Setting};
use crate::axis::variant_name;
use crate::error::{Error, Result};
use crate::network::{Connection, Node, Shape};
use crate::norm::{Norm, NormSpec};
use crate::wiring::{Form, Pool, PoolSpec, SoftPool};
use bouton_kernels::{ConvShape, Mat};

/// Activity of a population.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Its name in the graph.
    pub name: String,
    /// Of one sample.
    pub shape: Shape,
}

impl Value {
    fn has_places(&self) -> bool {
        self.shape.height * self.shape.width > 1
    }

    /// [batch, units], in the order of our rows.
    pub fn rows(&self, graph: &mut Graph) -> String {
        if !self.has_places() {
            return self.name.clone();
        }
        let last = graph.op("Transpose", &[&self.name], &[("perm", Setting::Ints(&[0, 2, 3, 1]))]);
        graph.op("Flatten", &[&last], &[])
    }

    /// From [batch, units].
    pub fn of_rows(graph: &mut Graph, rows: String, shape: Shape) -> Self {
        let value = Self { name: rows, shape };
        if !value.has_places() {
            return value;
        }
        let Shape { height, width, channels } = shape;
        let last = reshape(graph, &value.name, &[height, width, channels]);
        let name = graph.op("Transpose", &[&last], &[("perm", Setting::Ints(&[0, 3, 1, 2]))]);
        Self { name, shape }
    }

    /// [batch, channels, height, width].
    fn image(&self, graph: &mut Graph) -> String {
        if self.has_places() {
            self.name.clone()
        } else {
            reshape(graph, &self.name, &[self.shape.channels, 1, 1])
        }
    }

    /// From [batch, channels, height, width].
    fn of_image(graph: &mut Graph, image: String, shape: Shape) -> Self {
        let value = Self { name: image, shape };
        if value.has_places() {
            value
        } else {
            Self { name: graph.op("Flatten", &[&value.name], &[]), shape }
        }
    }

    /// The same through an operator with another value.
    pub fn with(&self, graph: &mut Graph, kind: &str, other: &str) -> Self {
        Self { name: graph.op(kind, &[&self.name, other], &[]), shape: self.shape }
    }

    /// Numbers of each channel, as a constant that fits this.
    fn channels(&self, graph: &mut Graph, name: &str, numbers: &Mat) -> String {
        let places: &[usize] = if self.has_places() { &[1, 1] } else { &[] };
        graph.floats(name, &[&[numbers.cols()], places].concat(), &numbers.to_f64s())
    }
}

/// Samples in another shape.
pub(super) fn reshape(graph: &mut Graph, name: &str, shape: &[usize]) -> String {
    let shape: Vec<i64> = std::iter::once(-1).chain(shape.iter().map(|&n| n as i64)).collect();
    let shape = graph.ints(&shape);
    graph.op("Reshape", &[name, &shape], &[])
}

/// What a connection adds to the drive of units of shape `post`.
pub(super) fn connection(graph: &mut Graph, c: &Connection, pre: &Value, post: Shape) -> Result<Value> {
    let weight = format!("{}.weight", c.name);
    match c.wiring.form() {
        Some(Form::Identity) if pre.shape == post => Ok(pre.clone()),
        Some(Form::Identity) => {
            let rows = pre.rows(graph);
            Ok(Value::of_rows(graph, rows, post))
        }
        Some(Form::Dense) => {
            let mat = c.weight.mat();
            let (rows, weight) = (pre.rows(graph), graph.weight(&weight, &[mat.rows(), mat.cols()], mat));
            let rows = graph.op("Gemm", &[&rows, &weight], &[("transB", Setting::Int(1))]);
            Ok(Value::of_rows(graph, rows, post))
        }
        Some(Form::Conv(shape)) => {
            let image = convolution(graph, &shape, &weight, c.weight.mat(), pre);
            let image = match &c.pool {
                Some(pool) => pooled(graph, pool, &image),
                None => image,
            };
            Ok(Value::of_image(graph, image, post))
        }
        None => Err(Error::incompatible(
            format!("the wiring of {} has no form in ONNX", c.name),
            "dense connections, convolutions and identities have one",
        )),
    }
}

fn convolution(graph: &mut Graph, shape: &ConvShape, name: &str, weight: &Mat, pre: &Value) -> String {
    let [height, width] = shape.kernel;
    let image = pre.image(graph);
    let weight = graph.weight(name, &[shape.filters, shape.channels, height, width], weight);
    let settings = [
        ("kernel_shape", Setting::Ints(&[height as i64, width as i64])),
        ("strides", Setting::Ints(&[shape.stride as i64; 2])),
        ("pads", Setting::Ints(&[shape.padding as i64; 4])),
    ];
    graph.op("Conv", &[&image, &weight], &settings)
}

fn pooled(graph: &mut Graph, pool: &Pool, image: &str) -> String {
    let side = [pool.shape.size as i64; 2];
    let windows = [("kernel_shape", Setting::Ints(&side)), ("strides", Setting::Ints(&side))];
    match pool.spec {
        PoolSpec::Max(_) => graph.op("MaxPool", &[image], &windows),
        PoolSpec::Average(_) => graph.op("AveragePool", &[image], &windows),
        PoolSpec::Soft(soft) => softly_pooled(graph, pool, soft, image),
    }
}

/// Σ v e^{v/T} / Σ e^{v/T} with the places of a window side by side on an axis of their own.
fn softly_pooled(graph: &mut Graph, pool: &Pool, soft: SoftPool, image: &str) -> String {
    let (k, channels) = (soft.size, pool.shape.channels);
    let [height, width] = [pool.shape.height / k, pool.shape.width / k];
    let split = reshape(graph, image, &[channels, height, k, width, k]);
    let beside = graph.op("Transpose", &[&split], &[("perm", Setting::Ints(&[0, 1, 2, 4, 3, 5]))]);
    let windows = reshape(graph, &beside, &[channels, height, width, k * k]);
    let temperature = graph.float(soft.temperature);
    let colder = graph.op("Div", &[&windows, &temperature], &[]);
    let weights = graph.op("Softmax", &[&colder], &[("axis", Setting::Int(-1))]);
    let weighted = graph.op("Mul", &[&weights, &windows], &[]);
    let axis = graph.ints(&[-1]);
    graph.op("ReduceSum", &[&weighted, &axis], &[("keepdims", Setting::Int(0))])
}

/// What the units of `node` see of their `drive`: normalised, with its gain, and its bias.
pub(super) fn shifted(graph: &mut Graph, node: &Node, spec: &NormSpec, drive: Value) -> Result<Value> {
    let name = |what: &str| format!("{}.{what}", node.name);
    let mut drive = match &node.norm {
        Some(norm) => normalised(graph, node, norm, spec, drive)?,
        None => drive,
    };
    if let Some(gain) = node.norm.as_ref().and_then(|norm| norm.gain.as_ref()) {
        let gain = drive.channels(graph, &name("gain"), gain.mat());
        drive = drive.with(graph, "Mul", &gain);
    }
    if let Some(bias) = &node.bias {
        let bias = drive.channels(graph, &name("bias"), bias.mat());
        drive = drive.with(graph, "Add", &bias);
    }
    Ok(drive)
}

fn normalised(graph: &mut Graph, node: &Node, norm: &Norm, spec: &NormSpec, drive: Value) -> Result<Value> {
    let traits = &norm.traits;
    let mean = norm.statistics().into_iter().find(|(name, _)| *name == "mean").map(|(_, mean)| mean.clone());
    // One of each task's own is fixed once the task is.
    let fixed = traits.fixed_in_evaluation || traits.per_task && !traits.answers_by_batch;
    if let Some(mean) = mean.filter(|_| fixed) {
        let scale = norm.normaliser.evaluate(&mut Mat::zeros(mean.dtype(), 1, mean.cols())).scale;
        let mean = drive.channels(graph, &format!("{}.norm.mean", node.name), &mean);
        let scale = drive.channels(graph, &format!("{}.norm.scale", node.name), &scale);
        return Ok(drive.with(graph, "Sub", &mean).with(graph, "Mul", &scale));
    }
    let Some(eps) = traits.by_sample else {
        return Err(Error::incompatible(
            format!(
                "norm.{} has no form in ONNX: what it adds and multiplies by is not fixed",
                variant_name(spec)
            ),
            "norm.batch with statistics = \"running\" and norm.layer have one",
        ));
    };
    let all: &[i64] = if drive.has_places() { &[1, 2, 3] } else { &[1] };
    let mean = graph.op("ReduceMean", &[&drive.name], &[("axes", Setting::Ints(all))]);
    let centred = drive.with(graph, "Sub", &mean);
    let square = centred.with(graph, "Mul", &centred.name);
    let variance = graph.op("ReduceMean", &[&square.name], &[("axes", Setting::Ints(all))]);
    let eps = graph.float(eps);
    let variance = graph.op("Add", &[&variance, &eps], &[]);
    let deviation = graph.op("Sqrt", &[&variance], &[]);
    Ok(centred.with(graph, "Div", &deviation))
}
