//! A packed network as named arrays of a safetensors file, and back.
//!
//! Every layer (`first`, `hidden1`, …, `last`) has `bits` [units or filters, words]; hidden ones `thresholds` and `flips`,
//! the others what their normalisation does. The metadata have the table `network` of the recipe, as JSON.

use super::{BitLayer, First, Packed, chain};
use crate::error::{Error, Result};
use crate::network::{Layer, NetworkSpec, Shape};
use crate::norm::Affine;
use crate::recipe::build::wiring;
use crate::train::{Checkpoint, Tensor, TensorData};
use bouton_kernels::{BitMat, DType, Mat, WeightMat};

const FORMAT: &str = "bouton-packed-3";

impl Packed {
    /// As named arrays, for a safetensors file.
    pub fn to_checkpoint(&self) -> Checkpoint {
        let mut file = Checkpoint::default();
        put_bits(&mut file, "first.bits", &BitMat::from_signs(self.first.weight.view()));
        put_affine(&mut file, "first", &self.first.norm);
        for (i, c) in self.hidden.iter().enumerate() {
            put_bits(&mut file, &format!("hidden{}.bits", i + 1), &c.weight);
            put_bits(&mut file, &format!("hidden{}.flips", i + 1), &c.negated);
            let thresholds: Vec<f64> = c.thresholds.iter().map(|&t| f64::from(t)).collect();
            let name = format!("hidden{}.thresholds", i + 1);
            put(&mut file, name, [1, thresholds.len()], TensorData::F64(thresholds));
        }
        put_bits(&mut file, "last.bits", &self.last);
        put_affine(&mut file, "last", &self.last_norm);
        let network = serde_json::to_string(&self.network).expect("a table has names for keys");
        file.meta.insert("network".into(), network);
        file.meta.insert("format".into(), FORMAT.into());
        file
    }

    /// From what [`Packed::to_checkpoint`] made.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if arrays are missing or do not fit together.
    pub fn from_checkpoint(file: &Checkpoint) -> Result<Self> {
        let network =
            file.meta.get("network").filter(|_| file.meta.get("format").is_some_and(|f| f == FORMAT));
        let network: Option<NetworkSpec> = network.and_then(|text| serde_json::from_str(text).ok());
        let Some(network) = network else {
            return Err(Error::checkpoint("this is not a packed network, or one of another version")
                .with_hint("make one: bouton convert RUN --packed"));
        };
        let shapes = chain(&network)?;
        let (layers, last) = (&network.layers, shapes.len() - 1);
        let bits = |name: &str, i: usize| bits(file, name, weight_shape(&layers[i], &shapes[i - 1..=i]));
        let hidden = (2..last).map(|i| {
            let name = format!("hidden{}", i - 1);
            let weight = bits(&format!("{name}.bits"), i)?;
            let thresholds = row(file, &format!("{name}.thresholds"), weight.rows())?;
            let thresholds = thresholds.to_f64s().into_iter().map(|t| t as i32).collect();
            let negated = self::bits(file, &format!("{name}.flips"), [1, weight.rows()])?;
            Ok(BitLayer::from_parts(&layers[i], shapes[i - 1], weight, thresholds, negated))
        });
        let hidden = hidden.collect::<Result<_>>()?;
        let (first, end) = (bits("first.bits", 1)?, bits("last.bits", last)?);
        let (first_norm, last_norm) =
            (affine(file, "first", first.rows())?, affine(file, "last", end.rows())?);
        one_type([&first_norm, &last_norm])?;
        let sign = |r, c| if first.get(r, c) { 1.0 } else { -1.0 };
        let weight = WeightMat::new(Mat::from_fn(first_norm.mean.dtype(), first.rows(), first.cols(), sign));
        let first = First::new(&layers[1], &shapes, weight, first_norm);
        Ok(Self { network, first, hidden, last: end, last_norm })
    }
}

/// Rows and columns of the weight between two layers.
fn weight_shape(layer: &Layer, shapes: &[Shape]) -> [usize; 2] {
    wiring(layer, shapes[0], shapes[1], false).0.weight_shape().into()
}

fn put(file: &mut Checkpoint, name: String, shape: [usize; 2], data: TensorData) {
    file.tensors.push(Tensor { name, shape: shape.to_vec(), data });
}

fn put_bits(file: &mut Checkpoint, name: &str, bits: &BitMat) {
    let shape = [bits.rows(), bits.words().len() / bits.rows().max(1)];
    put(file, name.into(), shape, TensorData::U64(bits.words().to_vec()));
}

fn put_affine(file: &mut Checkpoint, layer: &str, a: &Affine) {
    for (part, mat) in [("mean", &a.mean), ("scale", &a.scale), ("gain", &a.gain), ("bias", &a.bias)] {
        let data = match mat.dtype() {
            DType::F32 => TensorData::F32(mat.slice().to_vec()),
            DType::F64 => TensorData::F64(mat.slice().to_vec()),
        };
        put(file, format!("{layer}.{part}"), [1, mat.cols()], data);
    }
}

fn misfit(t: &Tensor) -> Error {
    Error::checkpoint(format!("`{}` of shape {:?} does not fit the packed network", t.name, t.shape))
}

fn bits(file: &Checkpoint, name: &str, [rows, cols]: [usize; 2]) -> Result<BitMat> {
    let t = file.tensor(name)?;
    let TensorData::U64(words) = &t.data else { return Err(misfit(t)) };
    BitMat::from_words(rows, cols, words).ok_or_else(|| misfit(t))
}

fn row(file: &Checkpoint, name: &str, cols: usize) -> Result<Mat> {
    let t = file.tensor(name)?;
    let mat = match &t.data {
        TensorData::F32(v) if v.len() == cols => Mat::from_vec(1, cols, v.clone()),
        TensorData::F64(v) if v.len() == cols => Mat::from_vec(1, cols, v.clone()),
        _ => return Err(misfit(t)),
    };
    Ok(mat)
}

/// Refuses numbers of two types, which cannot be multiplied.
fn one_type(norms: [&Affine; 2]) -> Result<()> {
    let mut types = norms.into_iter().flat_map(|a| [&a.mean, &a.scale, &a.gain, &a.bias]).map(Mat::dtype);
    let first = types.next();
    if types.any(|other| Some(other) != first) {
        return Err(Error::checkpoint("the packed network mixes numbers of 32 and of 64 bits")
            .with_hint("make it again: bouton convert RUN --packed"));
    }
    Ok(())
}

fn affine(file: &Checkpoint, layer: &str, units: usize) -> Result<Affine> {
    let part = |part: &str| row(file, &format!("{layer}.{part}"), units);
    Ok(Affine { mean: part("mean")?, scale: part("scale")?, gain: part("gain")?, bias: part("bias")? })
}
