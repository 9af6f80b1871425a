//! Samples held back from those to learn from: to be judged by (test), or to choose by while training (validation).
//!
//! Of n_c samples of class c, round(share · n_c) are held; which, a permutation of the class decides, whose key is no run's: every
//! seed learns from the same samples. Both parts keep their order.

use super::{Answers, Dataset};
use crate::rng::Key;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A share of the training samples, above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Share(
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.1 is usual"))] pub f64,
);

/// Where held samples come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Held {
    /// So much of the training samples, above 0 and below 1.
    Share(
        #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.2 is usual, or the path of a file"))]
         f64,
    ),
    /// Those of another file.
    Path(String),
}

impl Held {
    /// The file, if it is one.
    pub fn path(&self) -> Option<&str> {
        if let Self::Path(path) = self { Some(path) } else { None }
    }

    /// The file, to change.
    pub(super) fn path_mut(&mut self) -> Option<&mut String> {
        if let Self::Path(path) = self { Some(path) } else { None }
    }
}

impl From<Share> for Held {
    fn from(Share(share): Share) -> Self {
        Self::Share(share)
    }
}

/// A group that a share leaves without samples on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uneven {
    /// Which group.
    pub group: usize,
    /// Its samples.
    pub all: usize,
    /// Those that would be held.
    pub held: usize,
}

impl Uneven {
    /// As an error about the group called `name` of the samples of `place`.
    pub fn error(self, place: &str, name: &str, share: f64) -> Error {
        let Self { all, held, .. } = self;
        let message = format!("{place}: {name} has {all} samples, of which a share of {share} leaves {held}");
        Error::data(message).with_hint("choose another share, or give every class more samples")
    }
}

/// Which samples are learned from and which are held, by the group of each.
pub(super) fn apart(
    groups: impl Iterator<Item = usize>,
    share: f64,
    key: &Key,
) -> std::result::Result<[Vec<usize>; 2], Uneven> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    groups.enumerate().for_each(|(i, group)| members.entry(group).or_default().push(i));
    let (mut train, mut held) = (Vec::new(), Vec::new());
    for (group, mut ids) in members {
        let (all, n) = (ids.len(), (share * ids.len() as f64).round() as usize);
        if n == 0 || n == all {
            return Err(Uneven { group, all, held: n });
        }
        key.of("class", group as u64).stream().shuffle(&mut ids);
        held.extend(ids.drain(..n));
        train.extend(ids);
    }
    train.sort_unstable();
    held.sort_unstable();
    Ok([train, held])
}

/// The rows `ids` of a table of so many columns.
pub(super) fn rows<T: Copy>(values: &[T], width: usize, ids: &[usize]) -> Vec<T> {
    ids.iter().flat_map(|&i| &values[i * width..(i + 1) * width]).copied().collect()
}

/// The samples of `set` to learn from, those to choose by, and the numbers of the latter.
///
/// # Errors
/// [`Error::Data`] if a class would have none in one of the two.
pub(super) fn validation(set: Dataset, share: f64) -> Result<([Dataset; 2], Vec<usize>)> {
    let groups: Vec<usize> = match set.answers() {
        Answers::Classes { labels, .. } => labels.iter().map(|&label| usize::from(label)).collect(),
        Answers::Values { .. } => vec![0; set.len()],
    };
    let uneven = |uneven: Uneven| {
        let values = matches!(set.answers(), Answers::Values { .. });
        let name = if values { "the set".to_owned() } else { format!("class {}", uneven.group) };
        uneven.error(set.name(), &name, share)
    };
    let [train, held] = apart(groups.into_iter(), share, &Key::new(0).of("validation", 0)).map_err(uneven)?;
    Ok(([set.select(&train), set.select(&held)], held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_gives_its_share() {
        let groups: Vec<usize> = (0..60).map(|i| usize::from(i % 3 > 0)).collect();
        let of = |share, seed| apart(groups.iter().copied(), share, &Key::new(seed)).unwrap();
        let [train, held] = of(0.25, 1);
        let count = |ids: &[usize], group| ids.iter().filter(|&&i| groups[i] == group).count();
        assert_eq!([count(&held, 0), count(&held, 1), count(&train, 0), count(&train, 1)], [5, 10, 15, 30]);
        let mut all = [&train[..], &held[..]].concat();
        assert!(held.is_sorted() && train.is_sorted() && !all.is_sorted());
        all.sort_unstable();
        assert_eq!(all, (0..60).collect::<Vec<_>>(), "each sample once");
        assert_eq!(of(0.25, 1)[1], held, "the same draw");
        assert_ne!(of(0.25, 2)[1], held, "another draw");
        assert_ne!(held, (0..60).step_by(4).collect::<Vec<_>>(), "not every fourth");
    }

    #[test]
    fn a_class_is_not_left_empty() {
        let uneven = apart([3, 3, 3, 3, 7].into_iter(), 0.25, &Key::new(1)).unwrap_err();
        assert_eq!(uneven, Uneven { group: 7, all: 1, held: 0 });
        assert!(apart([0, 1].into_iter(), 0.9, &Key::new(1)).is_err());
    }

    #[test]
    fn a_set_comes_apart_with_its_answers() {
        let set = Dataset::synthetic([1, 2, 3], 3, 30, 4).unwrap();
        let ([train, held], ids) = validation(set.clone(), 0.2).unwrap();
        assert_eq!((train.len(), held.len(), held.class_counts()), (24, 6, vec![2, 2, 2]));
        for (k, &i) in ids.iter().enumerate() {
            assert_eq!((held.image(k), held.label(k)), (set.image(i), set.label(i)));
        }
        assert!(train.labels().iter().all(|&label| label < 3));
    }
}
