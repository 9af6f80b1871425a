//! One task's view of a data set: which samples, which pixels, which labels.

use super::sequence::{ContinualSpec, SequenceSpec};
use super::{Answers, Dataset, augment};
use crate::objective::Target;
use crate::rng::Key;
use bouton_kernels::{DType, Mat};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// How a task sees the images of its set.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum InputTransform {
    /// As they are.
    Plain,
    /// Padded, then pixel `i` taken from place `order[i]`.
    Permuted { pad: usize, order: Option<Arc<Vec<u32>>> },
    /// Rotated by so many degrees, counter-clockwise.
    Rotated(f64),
}

/// A task's part of one split of a data set.
#[derive(Clone, Debug)]
pub struct Part {
    pub(super) set: Arc<Dataset>,
    pub(super) ids: Arc<[u32]>,
    pub(super) transform: InputTransform,
    /// Place of every label in a shuffled order of classes.
    pub(super) places: Option<Arc<Vec<u32>>>,
    /// The classes that it has, in that order, if they are not all.
    pub(super) classes: Option<Range<usize>>,
    pub(super) first_output: usize,
}

impl Part {
    /// All samples of a set, as they are.
    pub fn whole(set: Arc<Dataset>) -> Self {
        let ids = (0..set.len() as u32).collect();
        Self { set, ids, transform: InputTransform::Plain, places: None, classes: None, first_output: 0 }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Pixels of an image as the network sees it.
    pub fn features(&self) -> usize {
        let [c, h, w] = self.set.shape();
        match self.transform {
            InputTransform::Permuted { pad, .. } => c * (h + 2 * pad) * (w + 2 * pad),
            _ => c * h * w,
        }
    }

    /// The output that stands for the class of sample `i`; a stream has at most 65,536 outputs.
    pub fn output(&self, i: usize) -> u16 {
        let first = self.classes.as_ref().map_or(0, |classes| classes.start);
        (self.class(self.ids[i]) - first + self.first_output) as u16
    }

    /// What the samples `ids` of it should come to, in numbers of this type.
    pub(super) fn target(&self, ids: &[usize], dtype: DType) -> Target {
        match self.set.answers() {
            Answers::Classes { .. } => Target::Classes(ids.iter().map(|&i| self.output(i)).collect()),
            Answers::Values { outputs, values } => {
                let of = |r: usize, c: usize| f64::from(values[self.ids[ids[r]] as usize * outputs + c]);
                Target::Values(Mat::from_fn(dtype, ids.len(), *outputs, of))
            }
        }
    }

    /// The class of a sample of the set, counted in the order in which tasks take them.
    fn class(&self, id: u32) -> usize {
        let label = self.set.label(id as usize);
        self.places.as_ref().map_or(label, |places| places[label] as usize)
    }

    /// Its classes, in the order of its outputs; none if it has all of them.
    pub fn classes(&self) -> Option<Vec<usize>> {
        let classes = self.classes.clone()?;
        let label = |place: usize| match &self.places {
            Some(places) => places.iter().position(|&p| p as usize == place).unwrap_or(place),
            None => place,
        };
        Some(classes.map(label).collect())
    }

    /// Shows an image of the set as the task sees it.
    pub(super) fn apply(&self, image: &[u8], out: &mut Vec<u8>) {
        let shape = self.set.shape();
        match &self.transform {
            InputTransform::Plain => out.extend_from_slice(image),
            InputTransform::Permuted { pad, order } => {
                let padded = padded(image, shape, *pad);
                match order {
                    Some(order) => out.extend(order.iter().map(|&from| padded[from as usize])),
                    None => out.extend_from_slice(&padded),
                }
            }
            InputTransform::Rotated(degrees) => augment::rotate(image, shape, *degrees, out),
        }
    }

    pub(super) fn of_classes(&self, classes: Range<usize>) -> Self {
        let of = |i: &u32| classes.contains(&self.class(*i));
        let ids = self.ids.iter().copied().filter(of).collect();
        Self { ids, classes: Some(classes), ..self.clone() }
    }
}

fn padded(image: &[u8], [c, h, w]: [usize; 3], pad: usize) -> Cow<'_, [u8]> {
    if pad == 0 {
        return Cow::Borrowed(image);
    }
    let mut out = vec![0; c * (h + 2 * pad) * (w + 2 * pad)];
    let size = [h + 2 * pad, w + 2 * pad];
    augment::crop(image, [c, h, w], [-(pad as isize); 2], size, augment::Padding::Zero, &mut out);
    Cow::Owned(out)
}

/// The tasks of a sequence over one split: `sets` is the set of `[task]`, then those that follow it.
pub(super) fn tasks(
    sequence: &SequenceSpec,
    continual: &ContinualSpec,
    sets: &[Arc<Dataset>],
    seed: u64,
) -> Vec<Part> {
    let mut parts = sequence.method().parts(sets, seed);
    let borders = sequence.borders(sets[0].classes(), continual.scenario);
    parts.iter_mut().zip(borders).for_each(|(part, first)| part.first_output = first);
    parts
}

/// A random order of `n` pixels, or classes.
pub(super) fn order(n: usize, key: &Key) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    key.stream().shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::super::sequence::{Permuted, Split};
    use super::*;
    use crate::task::{ClassesOfTasks as Classes, Scenario};

    fn set() -> Arc<Dataset> {
        Arc::new(Dataset::synthetic([1, 4, 4], 4, 12, 0).unwrap())
    }

    #[test]
    fn a_permuted_image_has_the_same_pixels_elsewhere() {
        let spec = SequenceSpec::Permuted(Permuted { tasks: 3, pad: 1, first_identity: true });
        let parts = tasks(&spec, &ContinualSpec::default(), &[set()], 7);
        let shown = |t: usize| {
            let mut out = Vec::new();
            parts[t].apply(&set().image(5), &mut out);
            out
        };
        assert_eq!((shown(0).len(), parts[1].features()), (36, 36));
        assert_eq!(&shown(0)[7..11], &set().image(5)[..4], "the first task is padded only");
        assert!(shown(1) != shown(0) && shown(2) != shown(1));
        let sorted = |mut v: Vec<u8>| {
            v.sort_unstable();
            v
        };
        assert_eq!(sorted(shown(1)), sorted(shown(0)));
    }

    #[test]
    fn split_tasks_hold_their_classes_and_outputs() {
        let spec = SequenceSpec::Split(Split { classes: Classes::Each(2), shuffle: false });
        for (scenario, outputs) in
            [(Scenario::Domain, [0, 1]), (Scenario::Task, [2, 3]), (Scenario::Class, [2, 3])]
        {
            let continual = ContinualSpec { scenario, ..ContinualSpec::default() };
            let second = &tasks(&spec, &continual, &[set()], 1)[1];
            assert!(!second.is_empty() && second.len() < 12);
            let seen = |i: usize| usize::from(second.output(i));
            assert!((0..second.len()).all(|i| outputs.contains(&seen(i))), "{scenario:?}");
            assert!((0..second.len()).all(|i| [2, 3].contains(&set().label(second.ids[i] as usize))));
        }
    }

    #[test]
    fn shuffled_classes_are_dealt_out_once_and_alike_for_training_and_tests() {
        let spec = SequenceSpec::Split(Split { classes: Classes::Each(2), shuffle: true });
        let dealt = |seed: u64, scenario: Scenario| -> Vec<Vec<(usize, u16)>> {
            let continual = ContinualSpec { scenario, ..ContinualSpec::default() };
            let parts = tasks(&spec, &continual, &[set()], seed);
            let label = |p: &Part, i: usize| (set().label(p.ids[i] as usize), p.output(i));
            parts.iter().map(|p| (0..p.len()).map(|i| label(p, i)).collect()).collect()
        };
        let classes =
            |seed: u64, t: usize| tasks(&spec, &ContinualSpec::default(), &[set()], seed)[t].classes();
        for scenario in [Scenario::Domain, Scenario::Task, Scenario::Class] {
            for seed in 0..4 {
                let all = dealt(seed, scenario);
                assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 12, "every sample is in one task");
                for (t, samples) in all.iter().enumerate() {
                    let first = if scenario == Scenario::Domain { 0 } else { 2 * t as u16 };
                    let mut pairs = samples.clone();
                    pairs.sort_unstable();
                    pairs.dedup();
                    assert_eq!(pairs.len(), 2, "one output for each of two classes: {pairs:?}");
                    assert!(pairs.iter().all(|(_, output)| [first, first + 1].contains(output)), "{pairs:?}");
                    pairs.sort_unstable_by_key(|(_, output)| *output);
                    let told: Vec<usize> = pairs.iter().map(|(label, _)| *label).collect();
                    assert_eq!(classes(seed, t), Some(told), "what the run says of it");
                }
                assert_eq!(dealt(seed, scenario), all);
            }
            assert!((1..4).any(|seed| dealt(seed, scenario) != dealt(0, scenario)));
        }
    }
}
