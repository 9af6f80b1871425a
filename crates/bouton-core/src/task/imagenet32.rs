//! ImageNet32: NumPy archives `train_data_batch_1.npz` to `train_data_batch_10.npz` and `val_data.npz`, zip files whose
//! member `data.npy` holds the images, bytes of shape N x 3072 (planes and rows as in CIFAR), and whose member
//! `labels.npy` holds N whole numbers 1 to 1000. A `mean` in the training files is not used.
//!
//! P. Chrabaszcz, I. Loshchilov, F. Hutter: A Downsampled Variant of ImageNet as an Alternative to the CIFAR datasets,
//! arXiv:1707.08819 (2017).

use std::io::{BufReader, Read, Seek};

use super::cifar::PIXELS;
use super::npy;
use super::samples::{MOST_IMAGES, Samples, damaged};
use crate::Result;

const CLASSES: u16 = 1000;

/// Appends what a file holds, with labels counted from 0; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) with file and place: no zip archive, a member that is missing, damaged or of another
/// type or shape, other counts, a label out of range.
pub fn decode(reader: impl Read + Seek, file: &str, into: &mut Samples) -> Result<()> {
    let fail = |why: String| damaged(file, why);
    let archive = zip::ZipArchive::new(BufReader::new(reader));
    let mut archive = archive.map_err(|e| fail(format!("no NumPy archive ({e})")))?;
    let labels = member(&mut archive, "labels.npy", |m| labels(m)).map_err(fail)?;
    member(&mut archive, "data.npy", |m| images(m, labels.len(), &mut into.pixels)).map_err(fail)?;
    into.labels.extend(labels);
    Ok(())
}

type Parsed<T> = std::result::Result<T, String>;

fn member<R: Read + Seek, T>(
    archive: &mut zip::ZipArchive<R>,
    name: &str,
    read: impl FnOnce(&mut dyn Read) -> Parsed<T>,
) -> Parsed<T> {
    let mut member = archive.by_name(name).map_err(|e| format!("{name} ({e})"))?;
    read(&mut member).map_err(|why| format!("{name}: {why}"))
}

/// Appends the images, one for each of the labels.
fn images(mut reader: &mut dyn Read, labels: usize, into: &mut Vec<u8>) -> Parsed<()> {
    let header = npy::header(&mut reader)?;
    let ([n @ (1..), PIXELS], "|u1") = (&header.shape[..], &*header.kind) else {
        return Err(format!("{header}, expected bytes of shape (N, {PIXELS})"));
    };
    if *n != labels {
        return Err(format!("{n} images but {labels} labels"));
    }
    let (before, most) = (into.len(), n * PIXELS);
    reader.take(most as u64).read_to_end(into).map_err(|e| format!("damaged data ({e})"))?;
    match into.len() - before {
        found if found == most => Ok(()),
        found => {
            Err(format!("truncated: record {} has {} of {PIXELS} bytes", found / PIXELS, found % PIXELS))
        }
    }
}

fn labels(mut reader: &mut dyn Read) -> Parsed<Vec<u16>> {
    let header = npy::header(&mut reader)?;
    let [n @ ..=MOST_IMAGES] = header.shape[..] else {
        return Err(format!("{header}, expected one dimension of at most {MOST_IMAGES}"));
    };
    let values = npy::integers(&mut reader, &header, n)?;
    let class = |(i, label): (usize, i64)| match u16::try_from(label) {
        Ok(l @ 1..=CLASSES) => Ok(l - 1),
        _ => Err(format!("label {label} of sample {i}, expected 1 to {CLASSES}")),
    };
    values.into_iter().enumerate().map(class).collect()
}
