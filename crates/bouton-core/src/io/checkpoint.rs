//! Checkpoints: all tensors of a run and where it stood, in one safetensors file written by rename.
//!
//! The safetensors metadata has one key, `bouton`: a JSON object from name to text (step, epoch, stream position,
//! …), together with a CRC-32C over everything, because safetensors itself does not notice a flipped bit. Equal
//! checkpoints are equal files.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use super::atomic;
use super::crc32c::{self, crc32c};
use crate::{Error, Result};

/// Key of the metadata object, and inside it of the checksum.
const META: &str = "bouton";
const CHECKSUM: &str = "crc32c";
const DAMAGED: &str = "the file is damaged: resume from an older checkpoint, or start again";
const OTHER_NUMBERS: &str =
    "F32, F64, U8 and U64 are understood: convert the tensor to F32 and save the file again";
const OTHER_NETWORK: &str =
    "the checkpoint was written by another network: use the recipe that it was trained with";

/// The numbers of a tensor, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum TensorData {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Bytes.
    U8(Vec<u8>),
    /// Counters.
    U64(Vec<u64>),
}

/// A named array.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// For example `hidden.weight`.
    pub name: String,
    /// Extent of every axis; empty for one number.
    pub shape: Vec<usize>,
    /// As many numbers as the product of the shape.
    pub data: TensorData,
}

impl TensorData {
    fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
            Self::U8(_) => Dtype::U8,
            Self::U64(_) => Dtype::U64,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::F64(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::U8(x) => x.clone(),
            Self::U64(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Self> {
        Some(match dtype {
            Dtype::F32 => Self::F32(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()),
            Dtype::F64 => Self::F64(bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect()),
            Dtype::U8 => Self::U8(bytes.to_vec()),
            Dtype::U64 => Self::U64(bytes.as_chunks().0.iter().map(|&b| u64::from_le_bytes(b)).collect()),
            _ => return None,
        })
    }
}

/// Tensors and where the run stood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// All tensors; names are unique.
    pub tensors: Vec<Tensor>,
    /// Everything that is not a tensor, by name. `crc32c` is reserved.
    pub meta: BTreeMap<String, String>,
}

impl Checkpoint {
    /// The value of `key` in the metadata.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if it is missing or cannot be understood.
    pub fn meta<T: FromStr>(&self, key: &str) -> Result<T> {
        let text = self.meta.get(key).ok_or_else(|| Error::checkpoint(format!("`{key}` is missing")))?;
        text.parse().map_err(|_| Error::checkpoint(format!("`{key}` cannot be `{text}`")).with_hint(DAMAGED))
    }

    /// The tensor called `name`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if there is none.
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        let found = self.tensors.iter().find(|tensor| tensor.name == name);
        found.ok_or_else(|| Error::checkpoint(format!("tensor `{name}` is missing")).with_hint(OTHER_NETWORK))
    }

    /// Checks that the tensors are exactly `wanted` (names and shapes), in any order.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] naming the first tensor that is missing, unexpected or of another shape.
    pub fn expect<'a>(&self, wanted: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> Result<()> {
        let wanted: BTreeMap<_, _> = wanted.into_iter().collect();
        let other = |message| Err(Error::checkpoint(message).with_hint(OTHER_NETWORK));
        for (name, shape) in &wanted {
            let found = &self.tensor(name)?.shape;
            if found != shape {
                return other(format!("tensor `{name}` has shape {found:?}, the network needs {shape:?}"));
            }
        }
        match self.tensors.iter().find(|tensor| !wanted.contains_key(tensor.name.as_str())) {
            Some(tensor) => other(format!("tensor `{}` is not part of the network", tensor.name)),
            None => Ok(()),
        }
    }

    /// Writes the file by rename.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if a name is used twice or a shape does not fit its numbers, [`Error::Io`] if the
    /// disk refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        let file = self.to_bytes().map_err(|e| e.context(path.display()))?;
        atomic::write(path, file)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if a name is used twice or a shape does not fit its numbers.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes: BTreeMap<&str, Vec<u8>> =
            self.tensors.iter().map(|t| (t.name.as_str(), t.data.to_bytes())).collect();
        if bytes.len() < self.tensors.len() {
            return Err(Error::checkpoint("two tensors have the same name"));
        }
        let mut views = Vec::new();
        for Tensor { name, shape, data } in &self.tensors {
            let view = TensorView::new(data.dtype(), shape.clone(), &bytes[name.as_str()])
                .map_err(|e| Error::checkpoint(format!("tensor `{name}`: {e}")))?;
            views.push((name, view));
        }
        let mut meta = self.meta.clone();
        meta.insert(CHECKSUM.into(), checksum(&self.meta, &self.tensors));
        let meta = serde_json::to_string(&meta).expect("texts by name are plain data");
        safetensors::serialize(views, Some(HashMap::from([(META.to_string(), meta)])))
            .map_err(|e| Error::checkpoint(e.to_string()))
    }

    /// Reads a file back, its tensors in the order of their names. Files of other programs are accepted; their metadata is kept as it is.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Checkpoint`] if it is truncated or garbled.
    pub fn load(path: &Path) -> Result<Self> {
        let file = fs::read(path).map_err(|e| Error::io(path, e))?;
        log::debug!("{}: checkpoint of {} bytes read", path.display(), file.len());
        Self::parse(&file, &path.display().to_string())
    }

    /// As [`Checkpoint::load`], from the bytes of the file; `origin` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if it is truncated or garbled.
    pub fn parse(file: &[u8], origin: &str) -> Result<Self> {
        Self::read(file)
            .map_err(|(reason, hint)| Error::checkpoint(format!("{origin}: {reason}")).with_hint(hint))
    }

    /// The content of a file, or what is wrong with it and what to try.
    fn read(file: &[u8]) -> std::result::Result<Self, (String, &'static str)> {
        let damaged = |reason: String| (reason, DAMAGED);
        let (_, header) = SafeTensors::read_metadata(file).map_err(|e| damaged(e.to_string()))?;
        let mut tensors = Vec::new();
        for (name, view) in SafeTensors::deserialize(file).map_err(|e| damaged(e.to_string()))?.iter() {
            let data = TensorData::from_bytes(view.dtype(), view.data()).ok_or_else(|| {
                (format!("tensor `{name}` holds numbers of type {}", view.dtype()), OTHER_NUMBERS)
            })?;
            tensors.push(Tensor { name: name.into(), shape: view.shape().to_vec(), data });
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let mut meta: BTreeMap<String, String> = header.metadata().iter().flatten().map(own).collect();
        if let Some(text) = meta.remove(META) {
            meta.append(&mut serde_json::from_str(&text).map_err(|e| damaged(format!("metadata: {e}")))?);
            if meta.remove(CHECKSUM) != Some(checksum(&meta, &tensors)) {
                return Err(damaged("the checksum does not fit the content".into()));
            }
        }
        Ok(Self { tensors, meta })
    }
}

fn own((name, text): (&String, &String)) -> (String, String) {
    (name.clone(), text.clone())
}

/// CRC-32C over the metadata and, in the order of their names, all tensors.
fn checksum(meta: &BTreeMap<String, String>, tensors: &[Tensor]) -> String {
    let meta = serde_json::to_string(meta).expect("texts by name are plain data");
    let mut tensors: Vec<_> = tensors.iter().collect();
    tensors.sort_by_key(|tensor| &tensor.name);
    let crc = tensors.iter().fold(crc32c(meta.as_bytes()), |crc, tensor| {
        let head = format!("{} {:?}", tensor.name, tensor.shape);
        crc32c::append(crc32c::append(crc, head.as_bytes()), &tensor.data.to_bytes())
    });
    format!("{crc:08x}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn example() -> Checkpoint {
        let tensor =
            |name: &str, shape: &[usize], data| Tensor { name: name.into(), shape: shape.into(), data };
        Checkpoint {
            tensors: vec![
                tensor(
                    "b.weight",
                    &[2, 3],
                    TensorData::F32(vec![1.5, -0.0, f32::MIN_POSITIVE, 4.0, f32::NAN, 6.0]),
                ),
                tensor("a.bias", &[2], TensorData::F64(vec![0.1, -1e-300])),
                tensor("order", &[5], TensorData::U8(vec![0, 1, 2, 254, 255])),
                tensor("optim.step", &[], TensorData::U64(vec![u64::MAX])),
            ],
            meta: BTreeMap::from([("step".into(), "120".into()), ("hash".into(), "00\"12".into())]),
        }
    }

    fn saved() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("000120.safetensors");
        example().save(&path).unwrap();
        (folder, path)
    }

    /// Bit patterns, so that NaN and -0 count.
    fn bits(checkpoint: &Checkpoint) -> Vec<(String, Vec<usize>, Vec<u8>)> {
        let mut all: Vec<_> =
            checkpoint.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), t.data.to_bytes())).collect();
        all.sort();
        all
    }

    #[test]
    fn every_bit_comes_back_and_equal_checkpoints_are_equal_files() {
        let (folder, path) = saved();
        let back = Checkpoint::load(&path).unwrap();
        assert_eq!(bits(&back), bits(&example()));
        assert!(back.tensors.is_sorted_by_key(|tensor| &tensor.name));
        assert_eq!(back.meta, example().meta);
        assert_eq!(back.meta::<u64>("step").unwrap(), 120);
        let again = folder.path().join("again");
        back.save(&again).unwrap();
        assert_eq!(fs::read(path).unwrap(), fs::read(again).unwrap());
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let (_folder, path) = saved();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Checkpoint::load(&path).unwrap_err();
            assert!(matches!(error, Error::Checkpoint { .. }), "{length}: {error}");
            assert!(error.to_string().contains("000120.safetensors") && error.hint().is_some());
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let (_folder, path) = saved();
        let whole = fs::read(&path).unwrap();
        for i in 0..whole.len() {
            let mut garbled = whole.clone();
            garbled[i] ^= 1 << (i % 8);
            fs::write(&path, &garbled).unwrap();
            match Checkpoint::load(&path) {
                Err(error) => assert!(matches!(error, Error::Checkpoint { .. }), "byte {i}: {error}"),
                // Redundant bytes of the header carry no content; a bit in the key of the metadata makes the file
                // one of another program, which has no step.
                Ok(back) => {
                    assert_eq!(bits(&back), bits(&example()), "byte {i}");
                    assert!(back.meta == example().meta || back.meta::<u64>("step").is_err(), "byte {i}");
                }
            }
        }
    }

    #[test]
    fn another_network_is_refused_by_tensor_and_shapes() {
        let checkpoint = example();
        let right: [(&str, &[usize]); 4] =
            [("a.bias", &[2]), ("b.weight", &[2, 3]), ("optim.step", &[]), ("order", &[5])];
        checkpoint.expect(right).unwrap();

        let mut transposed = right;
        transposed[1].1 = &[3, 2];
        let error = checkpoint.expect(transposed).unwrap_err();
        assert_eq!(error.to_string(), "tensor `b.weight` has shape [2, 3], the network needs [3, 2]");
        assert!(error.hint().unwrap().contains("recipe"));

        let error = checkpoint.expect(right.into_iter().chain([("c.bias", &[2][..])])).unwrap_err();
        assert_eq!(error.to_string(), "tensor `c.bias` is missing");
        let error = checkpoint.expect(right.into_iter().skip(1)).unwrap_err();
        assert_eq!(error.to_string(), "tensor `a.bias` is not part of the network");
    }

    #[test]
    fn metadata_that_is_missing_or_no_number_is_named() {
        let mut checkpoint = example();
        assert_eq!(checkpoint.meta::<u64>("epoch").unwrap_err().to_string(), "`epoch` is missing");
        checkpoint.meta.insert("epoch".into(), "x".into());
        assert_eq!(checkpoint.meta::<u64>("epoch").unwrap_err().to_string(), "`epoch` cannot be `x`");
    }

    #[test]
    fn what_cannot_be_stored_is_refused_before_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut twice = example();
        twice.tensors[1].name = twice.tensors[0].name.clone();
        let mut short = example();
        short.tensors[0].shape = vec![7];
        for bad in [twice, short] {
            assert!(matches!(bad.save(&path), Err(Error::Checkpoint { .. })));
        }
        assert!(!path.exists());
        assert!(matches!(example().save(&folder.path().join("none/x")), Err(Error::Io { .. })));
        assert!(matches!(Checkpoint::load(&path), Err(Error::Io { .. })));
    }

    #[test]
    fn files_of_other_programs_are_read() {
        let bytes = 1.0_f32.to_le_bytes();
        let view = TensorView::new(Dtype::F32, vec![1], &bytes).unwrap();
        let meta = HashMap::from([("format".to_string(), "pt".to_string())]);
        let file = safetensors::serialize([("w", view)], Some(meta)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("foreign");
        fs::write(&path, file).unwrap();
        let checkpoint = Checkpoint::load(&path).unwrap();
        assert_eq!(checkpoint.meta["format"], "pt");
        assert_eq!(checkpoint.tensor("w").unwrap().data, TensorData::F32(vec![1.0]));

        let view = TensorView::new(Dtype::BF16, vec![2], &bytes).unwrap();
        fs::write(&path, safetensors::serialize([("w", view)], None).unwrap()).unwrap();
        let error = Checkpoint::load(&path).unwrap_err();
        assert!(error.to_string().contains("tensor `w` holds numbers of type BF16"), "{error}");
        assert!(error.hint().unwrap().contains("convert"), "it is not damaged");
    }
}
