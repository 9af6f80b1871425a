//! Arrays of NumPy and of IDX files: inputs [samples, features], [samples, height, width] or [samples, channels, height, width], with
//! classes [samples] or values [samples] or [samples, outputs]. Bytes are pixels from 0 to 255; answers that are no whole numbers
//! are values. What may stand beside them in an archive: `beside`.

use super::beside::{self, BESIDE};
use super::source::Source;
use super::table::{Inputs, Named, Table, interleaved};
use crate::task::idx::{Idx, Values};
use crate::task::npy::{self, Array};
use crate::task::stored::Stored;
use crate::{Error, Result};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Names that inputs go by in an archive, and answers.
const INPUTS: [&str; 6] = ["X", "x", "data", "images", "inputs", "features"];
const ANSWERS: [&str; 6] = ["y", "Y", "labels", "label", "targets", "target"];

/// Inputs of one `.npy`, answers of another, if any.
pub(super) fn pair(inputs: &str, answers: Option<&str>) -> Result<Table> {
    let answers = answers.map(|path| Ok((path, npy_of(path)?))).transpose()?;
    if let Some(rows) = Stored::open(Path::new(inputs))? {
        let (shape, samples) = (rows.shape(), rows.len());
        let answers =
            answers.map_or(Ok(Named::Unknown(samples)), |(place, answers)| named(place, answers))?;
        let inputs_of = Inputs::Stored(rows);
        return Ok(Table::new(inputs, shape, inputs_of, answers));
    }
    table(inputs, npy_of(inputs)?, answers)
}

fn npy_of(path: &str) -> Result<Array> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    npy::array(&mut BufReader::new(file)).map_err(|why| damaged(path, why))
}

/// Both of one `.npz`.
pub(super) fn archive(path: &str, Source { spec, blind, .. }: Source<'_>) -> Result<Table> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut archive =
        zip::ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(path, format!("no archive ({e})")))?;
    let names: Vec<String> = archive
        .file_names()
        .flatten()
        .filter_map(|name| Some(name.strip_suffix(".npy")?.to_owned()))
        .collect();
    let find = |known: &[&str], key: &str| {
        let name = known.iter().find(|known| names.iter().any(|name| name == *known));
        name.map(|name| (*name).to_owned()).ok_or_else(|| {
            let shown: Vec<String> =
                names.iter().take(12).map(|name| format!("`{}`", name.escape_debug())).collect();
            Error::data(format!("{path}: no array is called {}", known.join(", ")))
                .with_hint(format!("it has {}; {key}", shown.join(", ")))
        })
    };
    let x = find(&INPUTS, "call the one with the inputs X")?;
    let y = match &spec.label {
        _ if blind.is_some() => None,
        Some(label) => Some(find(&[label], "`label` names the one with the classes or values")?),
        None => Some(find(&ANSWERS, "task.files.label names the one with the classes or values")?),
    };
    let mut read = |name: &str| {
        let member =
            archive.by_name(&format!("{name}.npy")).map_err(|e| damaged(path, format!("{name} ({e})")))?;
        npy::array(&mut BufReader::new(member)).map_err(|why| damaged(path, format!("{name}: {why}")))
    };
    let (inputs, answers) = (read(&x)?, y.as_deref().map(&mut read).transpose()?);
    let known = BESIDE
        .into_iter()
        .filter(|known| names.iter().any(|name| name == known) && y.as_deref() != Some(known));
    let beside = known.filter(|name| blind.is_none() || *name == "lengths");
    let beside: Vec<_> = beside.map(|name| Ok((name, read(name)?))).collect::<Result<_>>()?;
    let table = table(path, inputs, answers.map(|answers| (path, answers)))?;
    beside::with(if beside.is_empty() { table } else { table.checked()? }, beside)
}

/// A pair of IDX files.
pub(super) fn of_idx(path: &str, images: Idx, labels: Option<Idx>) -> Result<Table> {
    let array = |idx: Idx| match idx.values {
        Values::Bytes(bytes) => Array { shape: idx.dims, values: npy::Values::Bytes(bytes) },
        Values::Floats(values) => Array {
            shape: idx.dims,
            values: npy::Values::Floats(values.into_iter().map(f64::from).collect()),
        },
    };
    let place = labels.as_ref().map_or(String::new(), |labels| labels.file.clone());
    table(path, array(images), labels.map(|labels| (&*place, array(labels))))
}

fn damaged(path: &str, why: String) -> Error {
    Error::data(format!("{path}: {why}"))
        .with_hint("inputs are numbers; save arrays with numpy.save or numpy.savez")
}

fn table(path: &str, inputs: Array, answers: Option<(&str, Array)>) -> Result<Table> {
    let samples = inputs.shape.first().copied().unwrap_or(0);
    let shape = match inputs.shape[..] {
        [_, features] => [1, 1, features],
        [_, height, width] => [1, height, width],
        [_, channels, height, width] => [channels, height, width],
        _ => {
            return Err(Error::data(format!("{path}: inputs of shape {:?}", inputs.shape))
                .with_hint("they are [samples, features], [samples, height, width] or [samples, channels, height, width]"));
        }
    };
    let inputs = match inputs.values {
        npy::Values::Bytes(bytes) => Inputs::Bytes(bytes),
        npy::Values::Words(_) => return Err(damaged(path, "inputs are words".into())),
        values => {
            let numbers = values.floats().into_iter().map(|x| x as f32).collect();
            Inputs::Numbers(interleaved(numbers, shape))
        }
    };
    let answers = answers.map_or(Ok(Named::Unknown(samples)), |(place, answers)| named(place, answers))?;
    Ok(Table::new(path, shape, inputs, answers))
}

fn named(place: &str, answers: Array) -> Result<Named> {
    let outputs = match answers.shape[..] {
        [_] => 1,
        [_, outputs @ (1..)] => outputs,
        _ => {
            return Err(Error::data(format!("{place}: answers of shape {:?}", answers.shape))
                .with_hint("they are [samples] classes, or [samples] or [samples, outputs] values"));
        }
    };
    let names = match (&answers.values, outputs) {
        (npy::Values::Words(words), 1) => Some(words.clone()),
        (npy::Values::Bytes(bytes), 1) => Some(bytes.iter().map(u8::to_string).collect()),
        (npy::Values::Integers(numbers), 1) => Some(numbers.iter().map(i64::to_string).collect()),
        _ => None,
    };
    match names {
        Some(names) => Ok(Named::Classes(names)),
        None if matches!(answers.values, npy::Values::Words(_)) => {
            Err(Error::data(format!("{place}: several words for a sample"))
                .with_hint("a sample has one class"))
        }
        None => {
            let values: Vec<f32> = answers.values.floats().into_iter().map(|x| x as f32).collect();
            Ok(Named::Values { outputs, values })
        }
    }
}
