//! Samples as a file holds them: inputs, and answers by name or number.

use crate::encoder::Spans;
use crate::rng::Key;
use crate::task::held::{apart, rows};
use crate::task::stored::Stored;
use crate::task::{Answers, Dataset};
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};

/// Samples with what they should come to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    /// Where they came from, for messages.
    pub place: String,
    /// Channels, height, width; [1, 1, n] for n numbers that are no image.
    pub shape: [usize; 3],
    pub inputs: Inputs,
    pub answers: Named,
    /// What samples are called, if they have names.
    pub names: Vec<String>,
    /// What is said of the steps of samples.
    pub spans: Option<Spans>,
    /// Names of the arrays that say it.
    pub beside: Vec<String>,
}

/// What samples show, sample after sample.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Inputs {
    /// Pixels from 0 to 255, as channels, rows, columns.
    Bytes(Vec<u8>),
    /// Any numbers, a pixel's channels side by side.
    Numbers(Vec<f32>),
    /// Rows of a file, read when they are needed.
    Stored(Stored),
}

impl Inputs {
    /// Whether they are pixels from 0 to 255.
    pub(super) fn is_bytes(&self) -> bool {
        match self {
            Self::Bytes(_) => true,
            Self::Numbers(_) => false,
            Self::Stored(rows) => rows.is_bytes(),
        }
    }

    /// Samples of so many numbers.
    pub(super) fn samples(&self, features: usize) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len().checked_div(features).unwrap_or(0),
            Self::Numbers(numbers) => numbers.len().checked_div(features).unwrap_or(0),
            Self::Stored(rows) => rows.len(),
        }
    }

    /// The same in memory.
    pub(super) fn loaded(self) -> Self {
        match self {
            Self::Stored(rows) if rows.is_bytes() => {
                Self::Bytes((0..rows.len()).flat_map(|i| rows.bytes(i)).collect())
            }
            Self::Stored(rows) => Self::Numbers((0..rows.len()).flat_map(|i| rows.numbers(i)).collect()),
            loaded => loaded,
        }
    }
}

/// What samples should come to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Named {
    /// The name of a class each.
    Classes(Vec<String>),
    /// So many numbers each.
    Values { outputs: usize, values: Vec<f32> },
    /// Nothing is known of so many samples.
    Unknown(usize),
}

impl Named {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Classes(names) => names.len(),
            Self::Values { outputs, values } => values.len() / outputs.max(&1),
            Self::Unknown(samples) => *samples,
        }
    }

    fn take(&self, ids: &[usize]) -> Self {
        match self {
            Self::Classes(names) => Self::Classes(ids.iter().map(|&i| names[i].clone()).collect()),
            Self::Values { outputs, values } => {
                Self::Values { outputs: *outputs, values: rows(values, *outputs, ids) }
            }
            Self::Unknown(_) => Self::Unknown(ids.len()),
        }
    }
}

impl Table {
    /// Samples without names, of whose steps nothing is said.
    pub(super) fn new(place: impl Into<String>, shape: [usize; 3], inputs: Inputs, answers: Named) -> Self {
        let (place, names, beside) = (place.into(), Vec::new(), Vec::new());
        Self { place, shape, inputs, answers, names, spans: None, beside }
    }

    /// The same, if every sample has an answer.
    ///
    /// # Errors
    /// [`Error::Data`] with the place if the counts do not fit, or if there are none.
    pub(super) fn checked(self) -> Result<Self> {
        let samples = self.inputs.samples(self.shape.iter().product());
        if samples == 0 || samples != self.answers.len() {
            let answers = self.answers.len();
            let message = format!("{}: {samples} samples, and {answers} labels or targets", self.place);
            return Err(Error::data(message).with_hint("every sample needs one"));
        }
        Ok(self)
    }

    /// Pads samples that have lengths to so many steps, if they have fewer.
    pub(super) fn lengthen(&mut self, steps: usize) {
        let [_, was, features] = self.shape;
        let (Some(spans), Inputs::Numbers(numbers)) = (&mut self.spans, &mut self.inputs) else { return };
        if was >= steps || self.shape[0] != 1 || spans.mask.is_some() {
            return;
        }
        let mut longer = vec![0.0; spans.lengths.len() * steps * features];
        for (to, from) in longer.chunks_exact_mut(steps * features).zip(numbers.chunks_exact(was * features))
        {
            to[..from.len()].copy_from_slice(from);
        }
        (*numbers, spans.steps, self.shape) = (longer, steps, [1, steps, features]);
    }

    /// The samples at `ids`, in this order.
    pub(super) fn take(&self, ids: &[usize]) -> Self {
        let features = self.shape.iter().product();
        let inputs = match &self.inputs {
            Inputs::Bytes(bytes) => Inputs::Bytes(rows(bytes, features, ids)),
            Inputs::Numbers(numbers) => Inputs::Numbers(rows(numbers, features, ids)),
            Inputs::Stored(stored) => Inputs::Stored(stored.select(ids)),
        };
        let names = ids.iter().filter_map(|&i| self.names.get(i).cloned()).collect();
        let (answers, spans) = (self.answers.take(ids), self.spans.as_ref().map(|spans| spans.take(ids)));
        let (place, beside) = (self.place.clone(), self.beside.clone());
        Self { place, shape: self.shape, inputs, answers, names, spans, beside }
    }

    /// Its samples to learn from and those of a share that is held, of each class alike; `draw` says which.
    ///
    /// # Errors
    /// [`Error::Data`] if a class would have none in one of the two.
    pub(super) fn apart(&self, share: f64, draw: u64) -> Result<[Self; 2]> {
        let (classes, n) = (self.classes(), self.answers.len());
        let places: HashMap<&String, usize> = classes.iter().zip(0..).collect();
        let groups =
            (0..n).map(|i| if let Named::Classes(names) = &self.answers { places[&names[i]] } else { 0 });
        let ids = apart(groups, share, &Key::new(draw).of("split", 0)).map_err(|uneven| {
            let name = classes.get(uneven.group).map_or("the set".into(), |name| format!("class `{name}`"));
            uneven.error(&self.place, &name, share)
        })?;
        Ok(ids.map(|ids| self.take(&ids)))
    }

    /// The names of its classes: whole numbers by size, others by their letters; none if it has values.
    pub(super) fn classes(&self) -> Vec<String> {
        let Named::Classes(names) = &self.answers else { return Vec::new() };
        let mut classes: Vec<String> = names.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let number = |name: &String| name.parse::<i64>().ok();
        let numbers = classes.iter().all(|name| number(name).is_some());
        classes.sort_by(|a, b| if numbers { number(a).cmp(&number(b)) } else { a.cmp(b) });
        classes
    }

    /// As a data set whose labels are places in `classes`.
    ///
    /// # Errors
    /// [`Error::Data`] for a class that is none of them, or a number that is not finite.
    pub(super) fn dataset(self, classes: &[String]) -> Result<Dataset> {
        let answers = match self.answers {
            Named::Values { outputs, values } => Answers::Values { outputs, values },
            // Whoever asks for these has none.
            Named::Unknown(samples) => Answers::Classes { classes: 1, labels: vec![0; samples] },
            Named::Classes(names) => {
                let places: HashMap<&String, usize> = classes.iter().zip(0..).collect();
                let label = |name: &String| {
                    places
                        .get(name)
                        .map(|&place| place as u16)
                        .ok_or_else(|| stranger(&self.place, name, classes))
                };
                let labels = names.iter().map(label).collect::<Result<_>>()?;
                Answers::Classes { classes: classes.len(), labels }
            }
        };
        let set = match self.inputs {
            Inputs::Bytes(pixels) => Dataset::of_pixels(self.place, self.shape, (pixels, 255.0), answers),
            Inputs::Numbers(numbers) => Dataset::of_numbers(self.place, self.shape, numbers, answers),
            Inputs::Stored(rows) => Dataset::of_rows(self.place, self.shape, rows, answers),
        };
        Ok(set?.with_spans(self.spans))
    }
}

pub(super) fn stranger(place: &str, name: &str, classes: &[String]) -> Error {
    let known: Vec<String> = classes.iter().take(12).map(|class| format!("`{class}`")).collect();
    let more = if classes.len() > 12 { ", …" } else { "" };
    Error::data(format!("{place}: class `{}` is none of those to learn from", name.escape_debug()))
        .with_hint(format!("the training set has {}{more}", known.join(", ")))
}

/// Planes of images as pixels whose channels stand side by side.
pub(crate) fn interleaved(planes: Vec<f32>, [c, h, w]: [usize; 3]) -> Vec<f32> {
    if c == 1 || h * w == 1 {
        return planes;
    }
    let places = h * w;
    let image =
        |image: &[f32]| -> Vec<f32> { (0..places * c).map(|i| image[i % c * places + i / c]).collect() };
    planes.chunks_exact(c * places).flat_map(image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str]) -> Table {
        let inputs = Inputs::Numbers((0..2 * names.len()).map(|i| i as f32).collect());
        let answers = Named::Classes(names.iter().map(|&name| name.into()).collect());
        Table::new("here", [1, 1, 2], inputs, answers)
    }

    #[test]
    fn classes_stand_in_the_order_of_their_names_and_numbers_in_that_of_their_size() {
        assert_eq!(table(&["b", "a", "b"]).classes(), ["a", "b"]);
        assert_eq!(table(&["10", "9", "-1"]).classes(), ["-1", "9", "10"]);
        assert_eq!(table(&["10", "9", "x"]).classes(), ["10", "9", "x"]);
        let classes = table(&["b", "a"]).classes();
        assert_eq!(table(&["b", "a", "b"]).dataset(&classes).unwrap().labels(), [1, 0, 1]);
        let error = table(&["c"]).dataset(&classes).unwrap_err();
        assert!(
            error.to_string().contains("here: class `c` is none")
                && error.hint().unwrap().contains("`a`, `b`")
        );
    }

    #[test]
    fn channels_stand_side_by_side() {
        let planes: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let found = interleaved(planes, [2, 1, 3]);
        assert_eq!(found, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0, 6.0, 9.0, 7.0, 10.0, 8.0, 11.0]);
    }
}
