//! Arrays that may stand in an archive beside inputs [samples, steps, features] and answers, and say something of each sample's steps:
//! `lengths` [samples], `mask` [samples, steps], `weights` [samples].

use super::table::{Inputs, Table};
use crate::encoder::Spans;
use crate::task::npy::{Array, Values};
use crate::{Error, Result};

/// Names of the arrays.
pub(super) const BESIDE: [&str; 3] = ["lengths", "mask", "weights"];

/// The samples of `table`, of which `arrays` say something by their names.
///
/// # Errors
/// [`Error::Data`] with file and sample for what cannot be meant.
pub(super) fn with(mut table: Table, arrays: Vec<(&'static str, Array)>) -> Result<Table> {
    if arrays.is_empty() {
        return Ok(table);
    }
    let (place, [channels, steps, features]) = (table.place.clone(), table.shape);
    let beside: Vec<String> = arrays.iter().map(|(name, _)| (*name).to_owned()).collect();
    if channels != 1 || steps == 1 {
        let message = format!("{place}: array `{}` goes with samples that are sequences", beside[0]);
        return Err(Error::data(message)
            .with_hint("X is [samples, steps, features]; give another array another name"));
    }
    let samples = table.inputs.samples(steps * features);
    let mut spans = Spans::whole(steps, samples);
    for (name, array) in arrays {
        let shape = if name == "mask" { vec![samples, steps] } else { vec![samples] };
        if array.shape != shape {
            let message =
                format!("{place}: {name} has shape {:?}, but there are {samples} samples", array.shape);
            return Err(Error::data(message).with_hint(format!("{name} is {shape:?} beside this X")));
        }
        match name {
            "lengths" => spans.lengths = lengths(&place, array.values, steps)?,
            "mask" => spans.mask = Some(counts(&place, name, array.values, steps)?),
            _ => spans.weights = Some(counts(&place, name, array.values, 1)?),
        }
    }
    nothing_judged(&place, &spans)?;
    pad(&mut table.inputs, &spans, features).map_err(|(sample, step)| {
        Error::data(format!("{place}: a number of step {step} of sample {sample} is not finite"))
            .with_hint("fill missing numbers in; only what stands beyond a sample's length may be anything")
    })?;
    Ok(Table { spans: Some(spans), beside, ..table })
}

fn lengths(place: &str, values: Values, steps: usize) -> Result<Vec<usize>> {
    let wrong = |message: String| {
        Error::data(format!("{place}: {message}"))
            .with_hint("lengths are whole numbers, from 1 to the steps of X")
    };
    if matches!(values, Values::Words(_)) {
        return Err(wrong("lengths are words".into()));
    }
    let all = values.floats().into_iter().enumerate();
    all.map(|(sample, length)| {
        let fits = length >= 1.0 && length <= steps as f64 && length.fract() == 0.0;
        fits.then_some(length as usize)
            .ok_or_else(|| wrong(format!("sample {sample} has length {length}, but X has {steps} steps")))
    })
    .collect()
}

/// Numbers of at least 0, so many a sample.
fn counts(place: &str, name: &str, values: Values, each: usize) -> Result<Vec<f64>> {
    let wrong = |message: String| {
        Error::data(format!("{place}: {message}")).with_hint(format!("numbers of {name} are 0 or above"))
    };
    if matches!(values, Values::Words(_)) {
        return Err(wrong(format!("{name} holds words")));
    }
    let values = values.floats();
    match values.iter().position(|x| !(x.is_finite() && *x >= 0.0)) {
        None => Ok(values),
        Some(i) => {
            let step = if each > 1 { format!("step {} of ", i % each) } else { String::new() };
            Err(wrong(format!("{name} is {} at {step}sample {}", values[i], i / each)))
        }
    }
}

/// Refuses samples that teach nothing and are no test.
fn nothing_judged(place: &str, spans: &Spans) -> Result<()> {
    let judged = |sample: usize| (0..spans.lengths[sample]).any(|t| spans.at(sample, t) > 0.0);
    match (0..spans.lengths.len()).find(|&sample| !judged(sample)) {
        None => Ok(()),
        Some(sample) => Err(Error::data(format!("{place}: no step of sample {sample} is judged"))
            .with_hint("leave the sample out, or judge one of its own steps")),
    }
}

/// Makes zero what stands beyond the ends; otherwise sample and step of a number that is not finite.
fn pad(inputs: &mut Inputs, spans: &Spans, features: usize) -> std::result::Result<(), (usize, usize)> {
    let own = |row: usize| row % spans.steps < spans.lengths[row / spans.steps];
    match inputs {
        Inputs::Numbers(numbers) => {
            for (row, numbers) in numbers.chunks_exact_mut(features).enumerate() {
                if !own(row) {
                    numbers.fill(0.0);
                } else if numbers.iter().any(|x| !x.is_finite()) {
                    return Err((row / spans.steps, row % spans.steps));
                }
            }
        }
        Inputs::Bytes(bytes) => {
            let rows = bytes.chunks_exact_mut(features).enumerate();
            rows.filter(|(row, _)| !own(*row)).for_each(|(_, bytes)| bytes.fill(0));
        }
        Inputs::Stored(_) => {}
    }
    Ok(())
}
