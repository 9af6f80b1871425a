//! Replay: some samples of earlier tasks are kept, and mixed into the batches of later ones (Robins 1995).
//!
//! Every sample has a rank, drawn once. A group keeps the samples of lowest rank of all that it was shown, which is a
//! uniformly random choice of them, as that of a reservoir (Vitter 1985), and depends on nothing but what was shown: the
//! contents of a buffer are a function of the update's number, and no checkpoint needs to hold them.

use crate::credit::Batch;
use crate::rng::Key;
use crate::synapse::Draw;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Samples of earlier tasks in the batches of later ones (`[continual.replay]`); give either `size` or `per-class`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ReplaySpec {
    /// Samples kept in all.
    #[schemars(extend("minimum" = 1, "maximum" = 100_000_000, "x-hint" = "2000 is usual"))]
    pub size: Option<usize>,
    /// Samples kept of every class of every earlier task.
    #[schemars(extend("minimum" = 1, "maximum" = 100_000_000, "x-hint" = "100 is usual"))]
    pub per_class: Option<usize>,
    /// Which samples are kept.
    pub policy: Policy,
    /// Kept samples in each batch, on top of the new ones. Default: as many as there are new ones.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 1_000_000,
        "x-hint" = "leave it out for as many as there are new samples"
    ))]
    pub batch: Option<usize>,
}

/// Which samples a buffer keeps (`policy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// As many of every class of every earlier task; a task is taken in when it ends.
    #[default]
    Balanced,
    /// Any sample seen so far with the same probability, those of the present task included: needs no boundaries.
    Reservoir,
}

/// The samples kept at some update.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    spec: ReplaySpec,
    seed: u64,
    ranks: u64,
    /// Kept samples of each group, by rank.
    groups: Vec<Vec<usize>>,
}

impl Buffer {
    pub fn new(spec: &ReplaySpec, seed: u64) -> Self {
        let groups = if spec.policy == Policy::Reservoir { vec![Vec::new()] } else { Vec::new() };
        Self { spec: spec.clone(), seed, ranks: Key::new(seed).of("replay rank", 0).number(), groups }
    }

    /// The same before it was shown anything.
    pub fn emptied(&self) -> Self {
        Self::new(&self.spec, self.seed)
    }

    /// Whether samples are taken in as they are seen, not when their task ends.
    pub fn is_online(&self) -> bool {
        self.spec.policy == Policy::Reservoir
    }

    /// Shows it samples, which is to say their numbers and outputs: those of one task, or, online, the next ones.
    pub fn show(&mut self, samples: &[(usize, u16)]) {
        let mut outputs: Vec<u16> = samples.iter().map(|s| s.1).collect();
        outputs.sort_unstable();
        outputs.dedup();
        let first = self.groups.len();
        if !self.is_online() {
            self.groups.resize(first + outputs.len(), Vec::new());
            for g in 0..first {
                let capacity = self.capacity(g);
                self.groups[g].truncate(capacity);
            }
        }
        for &(sample, output) in samples {
            let group = if self.is_online() { 0 } else { first + outputs.partition_point(|&o| o < output) };
            self.keep(sample, group);
        }
    }

    /// How many samples group `group` holds at most: never more than it did when there were fewer groups.
    fn capacity(&self, group: usize) -> usize {
        let all = self.spec.size.unwrap_or(0);
        self.spec.per_class.unwrap_or(all.saturating_sub(group).div_ceil(self.groups.len().max(1)))
    }

    fn keep(&mut self, sample: usize, group: usize) {
        let rank = |sample: usize| Draw { key: self.ranks, index: sample as u64 }.bits(0);
        let (capacity, kept) = (self.capacity(group), &mut self.groups[group]);
        let at = kept.partition_point(|&other| rank(other) < rank(sample));
        if at < capacity && kept.get(at) != Some(&sample) {
            kept.insert(at, sample);
            kept.truncate(capacity);
        }
    }

    /// Kept samples for update `update`, which has `new` samples of its own: each drawn from all, none if none is kept.
    pub fn draw(&self, update: u64, new: usize) -> Vec<usize> {
        let kept: usize = self.groups.iter().map(Vec::len).sum();
        let mut numbers = Key::new(self.seed).of("replay", update).stream();
        let wanted = if kept == 0 { 0 } else { self.spec.batch.unwrap_or(new) };
        (0..wanted).map(|_| self.get(numbers.below(kept as u64) as usize)).collect()
    }

    /// Kept sample `i`, counted through all groups.
    fn get(&self, mut i: usize) -> usize {
        for group in &self.groups {
            if i < group.len() {
                return group[i];
            }
            i -= group.len();
        }
        unreachable!("a sample beyond the last group")
    }
}

/// A buffer with the samples themselves, for those who see each task once.
#[derive(Debug)]
pub struct Kept {
    buffer: Buffer,
    samples: HashMap<usize, Batch>,
}

impl Kept {
    /// Nothing kept yet.
    pub fn new(spec: &ReplaySpec, seed: u64) -> Self {
        Self { buffer: Buffer::new(spec, seed), samples: HashMap::new() }
    }

    /// Whether samples are taken in as they are seen, not when their task ends.
    pub fn is_online(&self) -> bool {
        self.buffer.is_online()
    }

    /// `batch` with kept samples behind its own, those of update `update`.
    pub fn mixed(&self, batch: &Batch, update: u64) -> Batch {
        let mut batch = batch.clone();
        let new = batch.len();
        let drawn = self.buffer.draw(update, new);
        drawn.iter().for_each(|id| batch.append(&self.samples[id]));
        batch
    }

    /// Shows it samples: those of a task that ends, or, online, the next ones.
    pub fn show(&mut self, batch: &Batch) {
        let output = |r: usize| batch.target.view(0..batch.len()).class(r) as u16;
        let pairs: Vec<(usize, u16)> = batch.ids.iter().copied().zip((0..batch.len()).map(output)).collect();
        self.buffer.show(&pairs);
        let mut before = std::mem::take(&mut self.samples);
        let places: HashMap<usize, usize> = batch.ids.iter().copied().zip(0..).collect();
        for &id in self.buffer.groups.iter().flatten() {
            let new = || places.get(&id).map(|&r| batch.take(&[r]));
            self.samples.extend(before.remove(&id).or_else(new).map(|sample| (id, sample)));
        }
    }

    /// Kept samples, group by group, and the sizes of the groups.
    pub fn contents(&self) -> Option<(Batch, Vec<usize>)> {
        let ids: Vec<usize> = self.buffer.groups.concat();
        let mut batch = self.samples.get(ids.first()?)?.clone();
        ids[1..].iter().for_each(|id| batch.append(&self.samples[id]));
        Some((batch, self.buffer.groups.iter().map(Vec::len).collect()))
    }

    /// Goes back to [`Kept::contents`]; the sizes have to add up to the number of samples.
    pub fn restore(&mut self, contents: Option<(Batch, Vec<usize>)>) {
        (self.buffer, self.samples) = (self.buffer.emptied(), HashMap::new());
        let Some((batch, sizes)) = contents else { return };
        let mut ids = batch.ids.iter().copied();
        self.buffer.groups = sizes.into_iter().map(|n| ids.by_ref().take(n).collect()).collect();
        let sample = |(r, &id): (usize, &usize)| (id, batch.take(&[r]));
        self.samples = batch.ids.iter().enumerate().map(sample).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(size: Option<usize>, per_class: Option<usize>, policy: Policy) -> Buffer {
        Buffer::new(&ReplaySpec { size, per_class, policy, batch: None }, 5)
    }

    /// Task `t` of 3 classes with 40 samples of each.
    fn task(t: usize) -> Vec<(usize, u16)> {
        (120 * t..120 * (t + 1)).map(|i| (i, (i % 3) as u16)).collect()
    }

    fn counts(b: &Buffer) -> Vec<usize> {
        b.groups.iter().map(Vec::len).collect()
    }

    #[test]
    fn a_balanced_buffer_shares_its_room_and_takes_nothing_back() {
        let mut b = buffer(Some(20), None, Policy::Balanced);
        let mut before = Vec::new();
        for (t, wanted) in
            [vec![7, 7, 6], vec![4, 4, 3, 3, 3, 3], vec![3, 3, 2, 2, 2, 2, 2, 2, 2]].iter().enumerate()
        {
            b.show(&task(t));
            assert_eq!(counts(&b), *wanted);
            for (g, group) in b.groups.iter().enumerate() {
                assert!(group.iter().all(|i| i % 3 == g % 3 && i / 120 == g / 3), "{t} {g}");
            }
            let new: Vec<usize> = b.groups[..3 * t].concat();
            assert!(new.iter().all(|i| before.contains(i)), "what was thrown away is gone");
            before = b.groups.concat();
        }
        let mut b = buffer(None, Some(4), Policy::Balanced);
        (0..3).for_each(|t| b.show(&task(t)));
        assert_eq!(counts(&b), [4; 9]);
    }

    #[test]
    fn a_reservoir_keeps_every_sample_with_the_same_probability() {
        let (mut early, tries) = (0, 400);
        for seed in 0..tries {
            let spec = ReplaySpec { size: Some(12), policy: Policy::Reservoir, ..ReplaySpec::default() };
            let mut b = Buffer::new(&spec, seed);
            (0..3).flat_map(task).for_each(|s| b.show(&[s]));
            assert_eq!(counts(&b), [12]);
            early += b.groups[0].iter().filter(|&&i| i < 120).count();
        }
        // A third of 12 each time; the standard deviation of the sum is 32.
        assert!((early as f64 - 1600.0).abs() < 160.0, "{early}");
    }

    #[test]
    fn contents_depend_on_what_was_shown_only() {
        let (mut one, mut all) =
            (buffer(Some(9), None, Policy::Reservoir), buffer(Some(9), None, Policy::Reservoir));
        task(0).iter().rev().for_each(|&s| one.show(&[s]));
        all.show(&task(0));
        all.show(&task(0)[..0]);
        assert_eq!(one.groups, all.groups);
    }

    #[test]
    fn draws_are_kept_samples_in_equal_shares() {
        let mut b = buffer(None, Some(2), Policy::Balanced);
        assert!(b.draw(0, 8).is_empty());
        b.show(&task(0));
        let drawn: Vec<usize> = (0..500).flat_map(|update| b.draw(update, 12)).collect();
        let of = |class| drawn.iter().filter(|i| **i % 3 == class).count() as f64;
        assert!(drawn.len() == 6000 && (0..3).all(|c| (of(c) - 2000.0).abs() < 200.0));
        assert!(drawn.iter().all(|i| b.groups.concat().contains(i)));
        assert_eq!(b.draw(3, 12), b.draw(3, 12));
        assert_ne!(b.draw(3, 12), b.draw(4, 12));
    }
}
