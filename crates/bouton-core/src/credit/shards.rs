//! Shards: the rows of a batch that one thread works on. Their number depends on the batch alone, never on threads,
//! so that results do not either.

use crate::error::Result;
use rayon::prelude::*;
use std::ops::Range;

/// Largest shard, in samples: its states stay in the second-level cache.
const LARGEST: usize = 32;
/// Smallest shard that is worth a split.
const SMALLEST: usize = 8;

/// A power-of-two number of shards of nearly equal size.
pub(super) fn split(rows: usize) -> Vec<Range<usize>> {
    let mut count = 1;
    while rows.div_ceil(count) > LARGEST || (count == 1 && rows / 2 >= SMALLEST) {
        count *= 2;
    }
    (0..count).map(|i| rows * i / count..rows * (i + 1) / count).collect()
}

/// `work` on every shard, on all threads; results in order, or the first error in order.
pub(super) fn each<R: Send>(rows: usize, work: impl Fn(Range<usize>) -> Result<R> + Sync) -> Result<Vec<R>> {
    let shards = split(rows);
    if let [only] = &shards[..] {
        return Ok(vec![work(only.clone())?]);
    }
    let results: Vec<Result<R>> = shards.into_par_iter().map(&work).collect();
    results.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn shards_cover_every_row_once() {
        for rows in [1, 2, 7, 15, 16, 20, 64, 500, 60_000] {
            let shards = split(rows);
            assert!(shards.len().is_power_of_two());
            assert_eq!(shards[0].start, 0);
            assert_eq!(shards.last().map(|s| s.end), Some(rows));
            assert!(shards.windows(2).all(|w| w[0].end == w[1].start));
            assert!(shards.iter().all(|s| s.len() <= 32));
        }
        assert_eq!(split(20).len(), 2);
    }
}
