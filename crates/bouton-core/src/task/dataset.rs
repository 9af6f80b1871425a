//! One split of a data set, held on the host: images as one byte per pixel or any numbers, with classes or values to learn.

use super::held::rows;
use super::idx::{Idx, Values};
use super::samples::Samples;
use super::stored::Stored;
use super::trains::Trains;
use super::{Answers, Padding, augment};
use crate::encoder::Spans;
use crate::rng::Key;
use crate::{Error, Result};
use std::borrow::Cow;

/// Which part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// The samples to learn from.
    Train,
    /// The samples to be judged by.
    Test,
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Test => "test",
        })
    }
}

/// What samples show.
#[derive(Debug, Clone, PartialEq)]
enum Inputs {
    /// Image after image, row-major; `scale` stands for 1.0.
    Bytes { pixels: Vec<u8>, scale: f32 },
    /// Sample after sample.
    Floats(Vec<f32>),
    /// Rows of a file; bytes are pixels from 0 to 255.
    Stored(Stored),
    /// Spikes, 0 or 1, drawn when they are asked for.
    Drawn(Trains),
}

/// `n` samples of one shape with what they should come to; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    name: String,
    shape: [usize; 3],
    inputs: Inputs,
    answers: Answers,
    spans: Option<Spans>,
}

impl Dataset {
    /// A data set of classified images from its parts: `shape` = channels, height, width; `pixels` row-major, one image after the other;
    /// `scale` = the pixel value that stands for 1.0 (255, or 16 for digits).
    ///
    /// # Errors
    /// [`Error::Data`] if nothing is in it, if the counts do not fit, or if a label or pixel is out of range.
    pub fn new(
        name: impl Into<String>,
        shape: [usize; 3],
        classes: usize,
        pixels: Vec<u8>,
        scale: f32,
        labels: Vec<u16>,
    ) -> Result<Self> {
        Self::of_pixels(name, shape, (pixels, scale), Answers::Classes { classes, labels })
    }

    /// A data set of images with any answers: pixels and the value that stands for 1.0 as in [`Dataset::new`].
    ///
    /// # Errors
    /// Those of [`Dataset::new`].
    pub fn of_pixels(
        name: impl Into<String>,
        shape: [usize; 3],
        (pixels, scale): (Vec<u8>, f32),
        answers: Answers,
    ) -> Result<Self> {
        Self { name: name.into(), shape, inputs: Inputs::Bytes { pixels, scale }, answers, spans: None }
            .checked()
    }

    /// A data set whose inputs stay in a file, of such samples as [`Dataset::of_pixels`] or [`Dataset::of_numbers`] have.
    ///
    /// # Errors
    /// Those of [`Dataset::of_numbers`]: every row is read once.
    pub(super) fn of_rows(
        name: impl Into<String>,
        shape: [usize; 3],
        rows: Stored,
        answers: Answers,
    ) -> Result<Self> {
        Self { name: name.into(), shape, inputs: Inputs::Stored(rows), answers, spans: None }.checked()
    }

    /// A data set of spike trains that are drawn when they are asked for, steps behind each other: `shape` = 1, steps, trains.
    ///
    /// # Errors
    /// Those of [`Dataset::new`].
    pub(super) fn of_trains(
        name: impl Into<String>,
        shape: [usize; 3],
        trains: Trains,
        answers: Answers,
    ) -> Result<Self> {
        Self { name: name.into(), shape, inputs: Inputs::Drawn(trains), answers, spans: None }.checked()
    }

    /// A data set of any numbers: `shape` = channels, height, width of a sample, [1, 1, n] if it is no image; `inputs` sample
    /// after sample, a pixel's channels side by side.
    ///
    /// # Errors
    /// [`Error::Data`] if nothing is in it, if the counts do not fit, or if a number is not finite or a label out of range.
    pub fn of_numbers(
        name: impl Into<String>,
        shape: [usize; 3],
        inputs: Vec<f32>,
        answers: Answers,
    ) -> Result<Self> {
        Self { name: name.into(), shape, inputs: Inputs::Floats(inputs), answers, spans: None }.checked()
    }

    /// The same samples, of whose steps this is said: for each of them.
    #[must_use]
    pub fn with_spans(self, spans: Option<Spans>) -> Self {
        Self { spans, ..self }
    }

    fn checked(self) -> Result<Self> {
        let hint =
            "labels count from 0; numbers are finite: fill missing ones in, or leave their samples out";
        self.check().map_err(|message| Error::data(message).with_hint(hint).context(&self.name))?;
        Ok(self)
    }

    fn check(&self) -> std::result::Result<(), String> {
        let [c, h, w] = self.shape;
        let features = c.checked_mul(h).and_then(|n| n.checked_mul(w)).unwrap_or(0);
        let outputs = self.answers.outputs();
        let scale = if let Inputs::Bytes { scale, .. } = self.inputs { scale } else { 1.0 };
        if features == 0 || !(1..=1 << 16).contains(&outputs) || !(1.0..=255.0).contains(&scale) {
            return Err(format!("impossible shape {c}x{h}x{w}, {outputs} classes, scale {scale}"));
        }
        let numbers = match &self.inputs {
            Inputs::Bytes { pixels, .. } => pixels.len(),
            Inputs::Floats(values) => values.len(),
            Inputs::Stored(rows) => rows.len() * features,
            Inputs::Drawn(trains) => trains.len() * features,
        };
        let samples = numbers / features;
        if !numbers.is_multiple_of(features) {
            return Err(format!("{numbers} pixels are no whole number of {c}x{h}x{w} images"));
        }
        if samples != self.answers.len() {
            return Err(format!("{samples} images but {} labels", self.answers.len()));
        }
        if samples == 0 {
            return Err("holds no images".into());
        }
        self.answers.check()?;
        let strange = match &self.inputs {
            Inputs::Bytes { pixels, scale } => pixels.iter().position(|&p| f32::from(p) > *scale).map(|i| {
                (i, format!("pixel of value {} in sample {} exceeds {scale}", pixels[i], i / features))
            }),
            Inputs::Floats(values) => values
                .iter()
                .position(|x| !x.is_finite())
                .map(|i| (i, format!("input {} of sample {} is not finite", i % features, i / features))),
            Inputs::Stored(rows) => return rows.check(),
            Inputs::Drawn(_) => None,
        };
        strange.map_or(Ok(()), |(_, message)| Err(message))
    }

    /// A data set from an images file (rank 3: n, height, width; or rank 4: n, channels, height, width) and a labels
    /// file (rank 1, bytes). Float images must lie in 0..=1 and are kept in steps of 1/255.
    ///
    /// # Errors
    /// [`Error::Data`] that names the file which is of the wrong kind, or does not fit the other one.
    pub fn from_idx(name: impl Into<String>, classes: usize, images: Idx, labels: Idx) -> Result<Self> {
        let shape = match images.dims[..] {
            [_, h, w] => [1, h, w],
            [_, c, h, w] => [c, h, w],
            _ => return Err(images.wrong_kind("images", 0x0803)),
        };
        let label_values = match (&labels.dims[..], labels.values) {
            ([_], Values::Bytes(values)) => values.into_iter().map(u16::from).collect(),
            (_, values) => return Err(Idx { values, ..labels }.wrong_kind("labels", 0x0801)),
        };
        let pixels = match images.values {
            Values::Bytes(pixels) => pixels,
            Values::Floats(values) => to_bytes(&values, shape, &images.file)?,
        };
        let files = format!("{} with {}", images.file, labels.file);
        let hint = "take both files from the same split of the same set";
        Self::new(name, shape, classes, pixels, 255.0, label_values)
            .map_err(|e| e.context(files).with_hint(hint))
    }

    /// A data set of images with 255 for 1.0.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_samples(
        name: impl Into<String>,
        shape: [usize; 3],
        classes: usize,
        samples: Samples,
    ) -> Result<Self> {
        Self::new(name, shape, classes, samples.pixels, 255.0, samples.labels)
    }

    /// A small learnable stand-in: class `i mod classes` for sample `i`, a fixed random pattern per class plus noise.
    /// Patterns depend on the class only, noise on `seed`: two seeds make a train and a test split.
    ///
    /// # Errors
    /// [`Error::Data`] if `n`, `classes` or the shape is zero.
    pub fn synthetic(shape: [usize; 3], classes: usize, n: usize, seed: u64) -> Result<Self> {
        let features = shape.iter().product::<usize>();
        let patterns: Vec<Vec<u8>> = (0..classes as u64)
            .map(|class| {
                let mut draws = Key::new(0).of("pattern", class).stream();
                (0..features).map(|_| 64 + 128 * draws.below(2) as u8).collect()
            })
            .collect();
        let mut noise = Key::new(seed).of("noise", 0).stream();
        let mut pixels = Vec::with_capacity(n * features);
        for pattern in patterns.iter().cycle().take(n) {
            pixels.extend(pattern.iter().map(|p| p - 64 + noise.below(128) as u8));
        }
        let labels = (0..n).map(|i| (i % classes.max(1)) as u16).collect();
        Self::new("synthetic", shape, classes, pixels, 255.0, labels)
    }

    /// Pixels in another form of images that are shown as those of a set: bytes of 0 to `scale`, made of numbers from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Data`] if a number lies outside, or if a byte is above `scale`.
    pub(super) fn pixels_of(mut self, scale: f32) -> Result<Self> {
        let pixels = match self.inputs {
            Inputs::Bytes { pixels, .. } => pixels,
            Inputs::Floats(values) => {
                let planes = planes(&values, self.shape);
                let unit = to_bytes(&planes, self.shape, &self.name)?;
                unit.into_iter().map(|p| (f32::from(p) / 255.0 * scale).round() as u8).collect()
            }
            Inputs::Stored(_) | Inputs::Drawn(_) => return Ok(self),
        };
        self.inputs = Inputs::Bytes { pixels, scale };
        self.checked()
    }

    /// The same samples, each with the answer of sample `of` of `like`.
    pub(super) fn answered(self, like: &Self, of: usize) -> Self {
        let answers = like.select(&vec![of; self.len()]).answers;
        Self { answers, ..self }
    }

    /// The samples at `ids`, in this order.
    pub(super) fn select(&self, ids: &[usize]) -> Self {
        let features = self.features();
        let inputs = match &self.inputs {
            Inputs::Bytes { pixels, scale } => {
                Inputs::Bytes { pixels: rows(pixels, features, ids), scale: *scale }
            }
            Inputs::Floats(values) => Inputs::Floats(rows(values, features, ids)),
            Inputs::Stored(stored) => Inputs::Stored(stored.select(ids)),
            Inputs::Drawn(trains) => Inputs::Drawn(trains.select(ids)),
        };
        let answers = match &self.answers {
            Answers::Classes { classes, labels } => {
                Answers::Classes { classes: *classes, labels: rows(labels, 1, ids) }
            }
            Answers::Values { outputs, values } => {
                Answers::Values { outputs: *outputs, values: rows(values, *outputs, ids) }
            }
        };
        let spans = self.spans.as_ref().map(|spans| spans.take(ids));
        Self { name: self.name.clone(), inputs, answers, spans, ..*self }
    }

    /// The first `n` samples in file order.
    ///
    /// # Errors
    /// [`Error::Config`] if `n` is zero or more than there are.
    pub fn take(mut self, n: usize) -> Result<Self> {
        if n == 0 || n > self.len() {
            let hint = format!("ask for 1 to {} samples", self.len());
            return Err(Error::config(format!("{n} samples wanted of {}", self.name)).with_hint(hint));
        }
        let numbers = n * self.features();
        match &mut self.inputs {
            Inputs::Bytes { pixels, .. } => pixels.truncate(numbers),
            Inputs::Floats(values) => values.truncate(numbers),
            Inputs::Stored(rows) => *rows = rows.select(&(0..n).collect::<Vec<_>>()),
            Inputs::Drawn(trains) => *trains = trains.select(&(0..n).collect::<Vec<_>>()),
        }
        self.answers.truncate(n);
        self.spans = self.spans.map(|spans| spans.take(&(0..n).collect::<Vec<_>>()));
        Ok(self)
    }

    /// Every image in the middle of `size` rows and columns of zeros; what is left over of an odd number of them
    /// comes below and right.
    ///
    /// # Errors
    /// [`Error::Config`] if an image is larger than that.
    pub fn padded(mut self, size: usize) -> Result<Self> {
        let [c, h, w] = self.shape;
        if size < h.max(w) {
            let message =
                format!("{} has images of {h}x{w} pixels, which are not padded to {size}", self.name);
            return Err(Error::config(message).with_hint(format!("ask for at least {}", h.max(w))));
        }
        let Inputs::Bytes { pixels: images, scale } = &self.inputs else {
            return Err(Error::config(format!(
                "{} has no images of bytes, which alone are padded",
                self.name
            )));
        };
        let corner = [h, w].map(|side| -(((size - side) / 2) as isize));
        let mut pixels = vec![0; self.len() * c * size * size];
        for (image, out) in images.chunks_exact(c * h * w).zip(pixels.chunks_exact_mut(c * size * size)) {
            augment::crop(image, self.shape, corner, [size, size], Padding::Zero, out);
        }
        (self.inputs, self.shape) = (Inputs::Bytes { pixels, scale: *scale }, [c, size, size]);
        Ok(self)
    }

    /// Bytes that its samples take: inputs, values to learn, and what is said of their steps; no classes of samples, and nothing for what is read or drawn when it is
    /// asked for.
    pub fn bytes(&self) -> usize {
        let inputs = match &self.inputs {
            Inputs::Bytes { pixels, .. } => pixels.len(),
            Inputs::Floats(values) => 4 * values.len(),
            Inputs::Stored(_) | Inputs::Drawn(_) => 0,
        };
        let answers = match &self.answers {
            Answers::Classes { .. } => 0,
            Answers::Values { values, .. } => 4 * values.len(),
        };
        inputs + answers + self.spans.as_ref().map_or(0, Spans::bytes)
    }

    /// What it is called in recipes and messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Channels, height, width.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Pixels of one image: channels · height · width.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many classes the labels tell apart, or how many values a sample should come to.
    pub fn classes(&self) -> usize {
        self.answers.outputs()
    }

    /// What its samples should come to.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Which steps of its samples are their own, and how much they count, if anything is said of it.
    pub fn spans(&self) -> Option<&Spans> {
        self.spans.as_ref()
    }

    /// The pixel value that stands for 1.0; 1 where inputs are no pixels.
    pub fn scale(&self) -> f32 {
        match &self.inputs {
            Inputs::Bytes { scale, .. } => *scale,
            Inputs::Stored(rows) if rows.is_bytes() => 255.0,
            Inputs::Floats(_) | Inputs::Stored(_) | Inputs::Drawn(_) => 1.0,
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Always false: an empty data set is refused when it is made.
    pub fn is_empty(&self) -> bool {
        self.answers.len() == 0
    }

    /// All pixels, image after image, each as channels, rows, columns; none where inputs are no pixels, or not held.
    pub fn pixels(&self) -> &[u8] {
        if let Inputs::Bytes { pixels, .. } = &self.inputs { pixels } else { &[] }
    }

    /// The inputs of sample `i`, if they are numbers and no pixels.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), like a slice.
    pub fn numbers(&self, i: usize) -> Option<Cow<'_, [f32]>> {
        let features = self.features();
        match &self.inputs {
            Inputs::Floats(values) => Some(Cow::Borrowed(&values[i * features..][..features])),
            Inputs::Stored(rows) if !rows.is_bytes() => Some(Cow::Owned(rows.numbers(i))),
            Inputs::Bytes { .. } | Inputs::Stored(_) | Inputs::Drawn(_) => None,
        }
    }

    /// Why inputs could not be read from their file, if they could not: it changed after it was looked at.
    pub fn failure(&self) -> Option<&str> {
        if let Inputs::Stored(rows) = &self.inputs { rows.failure() } else { None }
    }

    /// All labels; none where samples come to values.
    pub fn labels(&self) -> &[u16] {
        if let Answers::Classes { labels, .. } = &self.answers { labels } else { &[] }
    }

    /// The pixels of sample `i`, as channels, rows, columns.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), like a slice.
    pub fn image(&self, i: usize) -> Cow<'_, [u8]> {
        match &self.inputs {
            Inputs::Stored(rows) => Cow::Owned(rows.bytes(i)),
            Inputs::Drawn(trains) => Cow::Owned(trains.spikes(i)),
            _ => Cow::Borrowed(&self.pixels()[i * self.features()..][..self.features()]),
        }
    }

    /// The label of sample `i`.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), like a slice.
    pub fn label(&self, i: usize) -> usize {
        usize::from(self.labels()[i])
    }

    /// How many samples each class has.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        self.labels().iter().for_each(|&l| counts[usize::from(l)] += 1);
        counts
    }
}

/// Floats in 0..=1 as steps of 1/255.
/// Pixels whose channels stand side by side as planes of images.
fn planes(pixels: &[f32], [c, h, w]: [usize; 3]) -> Vec<f32> {
    let image = |image: &[f32]| -> Vec<f32> {
        (0..c * h * w).map(|i| image[i % (h * w) * c + i / (h * w)]).collect()
    };
    pixels.chunks_exact(c * h * w).flat_map(image).collect()
}

fn to_bytes(values: &[f32], shape: [usize; 3], file: &str) -> Result<Vec<u8>> {
    if let Some(i) = values.iter().position(|v| !(0.0..=1.0).contains(v)) {
        // There are values, so that this is no more than their number.
        let features = shape.iter().product::<usize>();
        let message = format!("{file}: pixel of value {} in sample {}", values[i], i / features);
        return Err(Error::data(message).with_hint("float images must lie between 0 and 1"));
    }
    Ok(values.iter().map(|v| (v * 255.0).round() as u8).collect())
}
