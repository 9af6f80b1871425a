//! A packed network as named arrays of a safetensors file, and back.
//!
//! Every layer (`first`, `hidden1`, …, `last`) has `bits` [units, words]; hidden ones `thresholds` and `flips`, the others
//! what their normalisation does. `widths` lists the inputs and the units of every layer.

use super::packed::{Affine, Counter, Packed};
use crate::error::{Error, Result};
use crate::train::{Checkpoint, Tensor, TensorData};
use bouton_kernels::{BitMat, DType, Mat};

const FORMAT: &str = "bouton-packed-2";

impl Packed {
    /// As named arrays, for a safetensors file.
    pub fn to_checkpoint(&self) -> Checkpoint {
        let mut file = Checkpoint::default();
        put_bits(&mut file, "first.bits", &BitMat::from_signs(self.first.view()));
        put_affine(&mut file, "first", &self.first_norm);
        for (i, c) in self.hidden.iter().enumerate() {
            put_bits(&mut file, &format!("hidden{}.bits", i + 1), &c.weight);
            put_bits(&mut file, &format!("hidden{}.flips", i + 1), &c.flips);
            let thresholds: Vec<f64> = c.thresholds.iter().map(|&t| f64::from(t)).collect();
            let name = format!("hidden{}.thresholds", i + 1);
            put(&mut file, name, [1, thresholds.len()], TensorData::F64(thresholds));
        }
        put_bits(&mut file, "last.bits", &self.last);
        put_affine(&mut file, "last", &self.last_norm);
        let hidden = self.hidden.iter().map(|c| c.weight.rows());
        let ends = [self.first.mat().cols(), self.first.mat().rows()]
            .into_iter()
            .chain(hidden)
            .chain([self.last.rows()]);
        file.meta.insert("widths".into(), ends.map(|n| n.to_string()).collect::<Vec<_>>().join(" "));
        file.meta.insert("format".into(), FORMAT.into());
        file
    }

    /// From what [`Packed::to_checkpoint`] made.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if arrays are missing or do not fit together.
    pub fn from_checkpoint(file: &Checkpoint) -> Result<Self> {
        let format = file.meta.get("format").map(String::as_str);
        let widths: Vec<usize> =
            file.meta.get("widths").map_or("", |w| w).split(' ').filter_map(|n| n.parse().ok()).collect();
        let (Some(FORMAT), [inputs, first_units, .., units]) = (format, &widths[..]) else {
            return Err(Error::checkpoint("this is not a packed network")
                .with_hint("make one: bouton convert RUN --packed"));
        };
        let first_bits = bits(file, "first.bits", [*first_units, *inputs])?;
        let hidden = (1..widths.len() - 2).map(|i| {
            let (name, shape) = (format!("hidden{i}"), [widths[i + 1], widths[i]]);
            let thresholds = row(file, &format!("{name}.thresholds"), shape[0])?;
            Ok(Counter {
                weight: bits(file, &format!("{name}.bits"), shape)?,
                thresholds: thresholds.to_f64s().into_iter().map(|t| t as i32).collect(),
                flips: bits(file, &format!("{name}.flips"), [1, shape[0]])?,
            })
        });
        let hidden = hidden.collect::<Result<_>>()?;
        let last = bits(file, "last.bits", [*units, widths[widths.len() - 2]])?;
        let (first_norm, last_norm) = (affine(file, "first", *first_units)?, affine(file, "last", *units)?);
        let dtype = first_norm.mean.dtype();
        let sign = |r, c| if first_bits.get(r, c) { 1.0 } else { -1.0 };
        let first = Mat::from_fn(dtype, *first_units, *inputs, sign);
        Ok(Self { first: bouton_kernels::Operand::new(first), first_norm, hidden, last, last_norm })
    }
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

fn affine(file: &Checkpoint, layer: &str, units: usize) -> Result<Affine> {
    let part = |part: &str| row(file, &format!("{layer}.{part}"), units);
    Ok(Affine { mean: part("mean")?, scale: part("scale")?, gain: part("gain")?, bias: part("bias")? })
}
