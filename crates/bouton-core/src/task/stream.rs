//! The tasks of a recipe as a stream of batches whose position is a single number, the update.
//!
//! A stream is a row of segments, each learned for some epochs or updates: one per task, one of all tasks together
//! (joint), or one per subset of a training set. Replay adds samples of earlier segments to a batch.

use super::images::Images;
use super::order::permutation;
use super::outputs::Outputs;
use super::part::{self, Part};
use super::replay::Buffer;
use super::sequence::ContinualSpec;
use super::spec::{BatchSize, Curriculum, Loaded};
use super::{Augment, Dataset, Held, held, store};
use crate::credit::Batch;
use crate::encoder::Spans;
use crate::error::{Error, Result};
use crate::objective::Target;
use bouton_kernels::{DType, Elem, Mat, dispatch};
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Samples of one evaluation batch.
pub const EVALUATION: usize = 512;

/// Training batches, segment after segment.
#[derive(Debug)]
pub struct Stream {
    parts: Vec<Part>,
    segments: Vec<Segment>,
    images: Images,
    seed: u64,
    order: Vec<usize>,
    epoch: Option<u64>,
    replay: Option<Replay>,
}

/// A buffer and how far it has seen the stream.
#[derive(Debug)]
struct Replay {
    buffer: Buffer,
    /// The segment that it sees, with its samples in the order of their first pass, and how many of them it was shown.
    segment: usize,
    pass: Vec<(usize, u16)>,
    shown: usize,
}

/// Samples that are learned together, and for how long.
#[derive(Clone, Debug)]
struct Segment {
    /// Parts of the stream that take part.
    parts: Range<usize>,
    samples: usize,
    /// Samples of an update, and those of them that are learned at once.
    batch: usize,
    piece: usize,
    updates: u64,
    /// Updates and epochs before it.
    from: u64,
    epochs_before: u64,
}

impl Segment {
    fn batches(&self) -> u64 {
        self.samples.div_ceil(self.batch) as u64
    }

    /// Different samples seen before update `within`, counted from 0 where the segment begins.
    fn seen(&self, within: u64) -> usize {
        (within.min(self.updates).saturating_mul(self.batch as u64)).min(self.samples as u64) as usize
    }
}

/// Where in the stream an update lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Segment, from 0.
    pub segment: usize,
    /// Pass over the segment's samples, from 0.
    pub epoch: u64,
    /// Passes over all segments, from 0.
    pub total_epoch: u64,
    /// Batch within the pass.
    batch: u64,
    /// Whether the update is the last of its pass.
    pub ends_epoch: bool,
    /// Whether the update is the last of its segment.
    pub ends_segment: bool,
}

/// What a run is about: the stream that is learned, and one test set per task.
#[derive(Debug)]
pub struct TaskStream {
    /// Training batches.
    pub train: Stream,
    /// Samples to choose by of every task; none if the recipe holds none back.
    pub validations: Vec<Part>,
    /// SHA-256 of the numbers of the training samples that were held back for them, if they are a share.
    pub held: Option<String>,
    /// Test samples of every task.
    pub tests: Vec<Part>,
    /// Which outputs count for which task; `None` if all always do.
    pub outputs: Option<Outputs>,
}

/// The stream, the test sets and the samples to choose by of a recipe's task; data sets are looked for in `folder`.
pub fn open<'a>(recipe: impl Into<Curriculum<'a>>, folder: Option<&Path>) -> Result<TaskStream> {
    let recipe = &recipe.into();
    let Curriculum { task, sequence, continual, seed, .. } = *recipe;
    let Loaded { train, validation, test } = task.method().load(folder)?;
    let images = task.shown();
    let (mut train, mut test) = (vec![train], vec![test]);
    for next in sequence.method().sets() {
        let [one, other] = next.load(folder)?;
        train.push(one);
        test.push(other);
    }
    let (train, test) = (cut(train, images.train, &images)?, cut(test, images.test, &images)?);
    let (train, validation, held) = match task.method().validation() {
        Some(Held::Share(share)) => held_back(train, share)?,
        _ => (train, validation.into_iter().collect(), None),
    };
    let by_task = |sets: Vec<Dataset>| {
        let sets: Vec<_> = sets.into_iter().map(Arc::new).collect();
        if sets.is_empty() { Vec::new() } else { part::tasks(sequence, continual, &sets, seed) }
    };
    let [parts, validations, tests] = [train, validation, test].map(by_task);
    for (kind, held) in [("train", &parts), ("choose by", &validations), ("test on", &tests)] {
        if let Some(t) = held.iter().position(Part::is_empty) {
            return Err(Error::config(format!("task {} has no sample to {kind}", t + 1))
                .with_hint("give task.train and task.test more samples"));
        }
    }
    let train = Stream::new(parts, images, recipe);
    Ok(TaskStream { train, validations, held, tests, outputs: Outputs::of(*recipe) })
}

/// The first samples of sets, as large as images are shown.
fn cut(sets: Vec<Dataset>, most: Option<usize>, images: &Images) -> Result<Vec<Dataset>> {
    let one = |set: Dataset| {
        let set = if let Some(n) = most { set.take(n)? } else { set };
        if let Some(size) = images.size { set.padded(size) } else { Ok(set) }
    };
    sets.into_iter().map(one).collect()
}

/// Sets to learn from, sets to choose by, and a checksum of which samples those are.
fn held_back(sets: Vec<Dataset>, share: f64) -> Result<(Vec<Dataset>, Vec<Dataset>, Option<String>)> {
    let (mut train, mut validation, mut which) = (Vec::new(), Vec::new(), Sha256::new());
    for set in sets {
        let ([rest, held], ids) = held::validation(set, share)?;
        ids.iter().for_each(|&id| which.update((id as u64).to_le_bytes()));
        train.push(rest);
        validation.push(held);
    }
    Ok((train, validation, Some(store::hex(&which.finalize()))))
}

impl TaskStream {
    /// The classes of every task in the order of its outputs, where tasks are parts of the classes.
    pub fn classes(&self) -> Option<Vec<Vec<usize>>> {
        self.tests.iter().map(Part::classes).collect()
    }
}

/// Refuses what could not be read of the samples of `parts` since their files were looked at.
///
/// # Errors
/// [`Error::Data`] with the file and the sample.
pub fn readable<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Result<()> {
    match parts.into_iter().find_map(|part| part.set.failure()) {
        None => Ok(()),
        Some(why) => {
            Err(Error::data(why).with_hint("the file changed while it was in use: run the command again"))
        }
    }
}

/// Whether the last batch of a test has one sample.
pub fn answers_alone(part: &Part) -> bool {
    part.len() % EVALUATION == 1
}

impl Stream {
    fn new(mut parts: Vec<Part>, images: Images, recipe: &Curriculum<'_>) -> Self {
        if let Some(pieces) = recipe.sequence.method().traits().pieces {
            let (whole, n) = (parts[0].clone(), parts[0].len());
            let piece = |k: usize| Part {
                ids: whole.ids[n * k / pieces..n * (k + 1) / pieces].into(),
                ..whole.clone()
            };
            parts = (0..pieces).map(piece).collect();
        }
        let ContinualSpec { updates, joint, ref replay, .. } = *recipe.continual;
        let width = if joint { parts.len() } else { 1 };
        let groups = (0..parts.len()).step_by(width).map(|p| p..p + width);
        let (mut segments, mut from, mut epochs_before) = (Vec::new(), 0, 0);
        for group in groups {
            let samples = parts[group.clone()].iter().map(Part::len).sum();
            let piece = match images.batch {
                BatchSize::Samples(n) => n.clamp(1, samples),
                BatchSize::All(_) => samples,
            };
            let batch = piece.saturating_mul(recipe.accumulate).clamp(1, samples);
            let many = group.len() as u64;
            let mut s = Segment { parts: group, samples, batch, piece, updates: 0, from, epochs_before };
            s.updates = updates.map_or(images.epochs as u64 * s.batches(), |u| u * many);
            from += s.updates;
            epochs_before += s.updates.div_ceil(s.batches());
            segments.push(s);
        }
        let mut stream =
            Self { parts, segments, images, seed: recipe.seed, order: Vec::new(), epoch: None, replay: None };
        let buffer = replay.as_ref().map(|spec| Buffer::new(spec, recipe.seed));
        stream.replay = buffer.map(|buffer| Replay { buffer, segment: 0, pass: stream.pass(0), shown: 0 });
        stream
    }

    /// Whether the last batch of an epoch has one sample, the replayed ones included.
    pub fn ends_alone(&self) -> bool {
        let replayed = |segment: usize| segment > 0 && self.replay.is_some();
        let alone = |s: &Segment| s.samples % s.piece == 1 || s.piece == 1;
        self.segments.iter().enumerate().any(|(i, s)| alone(s) && !replayed(i))
    }

    /// Number of segments.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Samples of segment `segment`, task by task.
    pub fn parts(&self, segment: usize) -> &[Part] {
        &self.parts[self.segments[segment].parts.clone()]
    }

    /// Different training samples; a sample that every task shows differently counts once per task.
    pub fn samples(&self) -> usize {
        self.segments.iter().map(|s| s.samples).sum()
    }

    /// Samples of the data set of the first task.
    pub fn data(&self) -> &Dataset {
        &self.parts[0].set
    }

    /// Passes over all segments.
    pub fn epochs(&self) -> usize {
        self.segments.last().map_or(0, |s| s.epochs_before + s.updates.div_ceil(s.batches())) as usize
    }

    /// Updates of all segments.
    pub fn updates(&self) -> u64 {
        self.segments.last().map_or(0, |s| s.from + s.updates)
    }

    /// Where update `update`, counted from 0, lies. Behind the end: the end of the last segment.
    pub fn position(&self, update: u64) -> Position {
        let segment = self.segments.iter().rposition(|s| s.from <= update).unwrap_or(0);
        let s = &self.segments[segment];
        let within = update - s.from;
        let (epoch, batch) = (within / s.batches(), within % s.batches());
        let ends_segment = within + 1 >= s.updates;
        Position {
            segment,
            epoch,
            total_epoch: s.epochs_before + epoch,
            batch,
            ends_epoch: ends_segment || batch + 1 == s.batches(),
            ends_segment,
        }
    }

    /// The batch of update `update`, counted from 0: all of them, where several are gathered for one update.
    pub fn batch(&mut self, update: u64, dtype: DType) -> Batch {
        let position = self.position(update);
        let s = self.segments[position.segment].clone();
        if self.epoch != Some(position.total_epoch) {
            self.order = self.order_of(s.samples, position.total_epoch);
            self.epoch = Some(position.total_epoch);
        }
        let at = position.batch as usize * s.batch;
        let mut ids = self.order[at..s.samples.min(at + s.batch)].to_vec();
        let before = self.before(position.segment);
        if self.replay.is_some() {
            ids.iter_mut().for_each(|id| *id += before);
            ids.extend(self.replayed(update, ids.len()));
        }
        let parts = if self.replay.is_some() { &self.parts } else { self.parts(position.segment) };
        let vary = |id: usize, image: &mut [u8]| self.vary(position.total_epoch, id, image);
        let mut batch = collate(parts, &ids, dtype, &self.images, &vary);
        if self.replay.is_none() {
            // What belongs to a sample belongs to it in its own task.
            batch.ids.iter_mut().for_each(|id| *id += before);
        }
        batch
    }

    /// The order of `n` samples in epoch `epoch`.
    fn order_of(&self, n: usize, epoch: u64) -> Vec<usize> {
        if self.images.shuffle { permutation(n, self.seed, epoch) } else { (0..n).collect() }
    }

    /// Samples of all segments before `segment`.
    fn before(&self, segment: usize) -> usize {
        self.segments[..segment].iter().map(|s| s.samples).sum()
    }

    /// Samples of a segment in the order of its first pass, counted through all segments, with their outputs.
    fn pass(&self, segment: usize) -> Vec<(usize, u16)> {
        let (s, before, parts) = (&self.segments[segment], self.before(segment), self.parts(segment));
        let order = self.order_of(s.samples, s.epochs_before).into_iter();
        let seen = order.take(s.seen(s.updates)).map(|id| (id, locate(parts, id)));
        seen.map(|(id, (part, i))| (before + id, part.output(i))).collect()
    }

    /// Samples of the past for update `update`, which has `new` samples of its own.
    fn replayed(&mut self, update: u64, new: usize) -> Vec<usize> {
        let Some(mut r) = self.replay.take() else { return Vec::new() };
        let (at, s) = (self.position(update), &self.segments);
        let seen = s[at.segment].seen(update - s[at.segment].from);
        if (at.segment, seen) < (r.segment, r.shown) {
            r = Replay { buffer: r.buffer.emptied(), segment: 0, pass: self.pass(0), shown: 0 };
        }
        while r.segment < at.segment {
            r.buffer.show(&r.pass[r.shown..]);
            r = Replay { buffer: r.buffer, segment: r.segment + 1, pass: self.pass(r.segment + 1), shown: 0 };
        }
        if r.buffer.is_online() {
            r.buffer.show(&r.pass[r.shown..seen]);
            r.shown = seen;
        }
        let drawn = r.buffer.draw(update, new);
        self.replay = Some(r);
        drawn
    }

    fn vary(&self, epoch: u64, id: usize, image: &mut [u8]) {
        if self.images.shift == 0 && !self.images.flip {
            return;
        }
        let augment = Augment { shift: self.images.shift, flip: self.images.flip, padding: self.images.pad };
        let original = image.to_vec();
        augment.apply(&original, self.data().shape(), (self.seed, epoch, id as u64), image);
    }

    /// Some samples of a part in file order, at most `most`, in batches for evaluation.
    pub fn in_order<'a>(
        &self,
        part: &'a Part,
        most: Option<usize>,
        dtype: DType,
    ) -> impl Iterator<Item = Batch> + 'a {
        in_order(part, most, dtype, self.images.clone())
    }
}

/// Samples of a part, shown as `images` says, in batches for evaluation.
pub(super) fn in_order(
    part: &Part,
    most: Option<usize>,
    dtype: DType,
    images: Images,
) -> impl Iterator<Item = Batch> {
    let n = most.unwrap_or(usize::MAX).min(part.len());
    (0..n).step_by(EVALUATION).map(move |at| {
        let ids: Vec<usize> = (at..n.min(at + EVALUATION)).collect();
        collate(std::slice::from_ref(part), &ids, dtype, &images, &|_, _| {})
    })
}

/// Some samples of the parts, counted through from the first part on. An image is varied before its task looks at it.
fn collate(
    parts: &[Part],
    ids: &[usize],
    dtype: DType,
    images: &Images,
    vary: &dyn Fn(usize, &mut [u8]),
) -> Batch {
    let features = parts[0].features();
    let mut x = Mat::zeros(dtype, ids.len(), features);
    let target = target(parts, ids, dtype);
    let (mut image, mut seen) = (Vec::new(), Vec::new());
    dispatch!(dtype, T => {
        // Parts of one batch share their kind of data, so a table of all pixels serves until the scale changes.
        let channels = parts[0].set.shape()[0];
        let table = |scale: f32| -> Vec<[T; 256]> {
            let value = |p: usize, c: usize| T::from_f64(images.value(p as f64, f64::from(scale), c));
            (0..channels).map(|c| std::array::from_fn(|p| value(p, c))).collect()
        };
        let (mut scale, mut value) = (parts[0].set.scale(), table(parts[0].set.scale()));
        for (row, &id) in x.slice_mut::<T>().chunks_exact_mut(features).zip(ids) {
            let (part, i) = locate(parts, id);
            if let Some(numbers) = part.set.numbers(part.ids[i] as usize) {
                row.iter_mut().zip(&*numbers).for_each(|(x, &number)| *x = T::from_f64(f64::from(number)));
                continue;
            }
            image.clear();
            image.extend_from_slice(&part.set.image(part.ids[i] as usize));
            vary(id, &mut image);
            seen.clear();
            part.apply(&image, &mut seen);
            if part.set.scale() != scale {
                scale = part.set.scale();
                value = table(scale);
            }
            // Images lie channel by channel; a network sees the channels of a pixel side by side.
            for (channel, (plane, value)) in seen.chunks_exact(features / channels).zip(&value).enumerate() {
                let places = row.iter_mut().skip(channel).step_by(channels);
                places.zip(plane).for_each(|(x, &pixel)| *x = value[usize::from(pixel)]);
            }
        }
    });
    Batch { x, target, ids: ids.to_vec(), spans: spans(parts, ids) }
}

/// What is said of the steps of samples, if it is said of any.
fn spans(parts: &[Part], ids: &[usize]) -> Option<Spans> {
    let steps = parts.iter().find_map(|part| part.set.spans())?.steps;
    let (mut all, whole) = (Spans::none(steps), Spans::whole(steps, 1));
    for &id in ids {
        let (part, i) = locate(parts, id);
        let (spans, sample) = part.set.spans().map_or((&whole, 0), |spans| (spans, part.ids[i] as usize));
        all.push(spans, sample);
    }
    Some(all)
}

/// What samples of the parts should come to; parts of one batch have targets of one kind.
fn target(parts: &[Part], ids: &[usize], dtype: DType) -> Target {
    if parts[0].set.labels().is_empty() {
        // Values belong to one task alone.
        return parts[0].target(ids, dtype);
    }
    let output = |&id: &usize| {
        let (part, i) = locate(parts, id);
        part.output(i)
    };
    Target::Classes(ids.iter().map(output).collect())
}

fn locate(parts: &[Part], mut id: usize) -> (&Part, usize) {
    for part in parts {
        if id < part.len() {
            return (part, id);
        }
        id -= part.len();
    }
    unreachable!("a sample beyond the last part")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_lie_side_by_side_each_normalised_on_its_own() {
        let set = Dataset::new("toy", [3, 1, 2], 2, vec![0, 51, 102, 153, 204, 255], 255.0, vec![1]).unwrap();
        let images: Images = toml::from_str(
            "batch = 1\nepochs = 1\nnormalise = { mean = [0.0, 0.4, 0.8], std = [1.0, 0.5, 0.1] }",
        )
        .unwrap();
        let batch = collate(&[Part::whole(Arc::new(set))], &[0], DType::F64, &images, &|_, _| {});
        let expected = [0.0, 0.0, 0.0, 0.2, 0.4, 2.0];
        let row: Vec<f64> = (0..6).map(|i| batch.x.get(0, i)).collect();
        assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{row:?}");
        assert_eq!(batch.target, Target::Classes(vec![1]));
    }
}
