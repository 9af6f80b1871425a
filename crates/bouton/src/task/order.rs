//! The order in which samples are seen: one permutation per epoch, drawn from (seed, epoch) alone.
//!
//! Fisher-Yates over the stream of the key `order`, so an order depends on no thread, rank or platform, and a run can resume at
//! any (epoch, batch) without replaying what came before.
//! R. Durstenfeld: Algorithm 235, Random permutation, CACM 7 (1964).

use std::ops::Range;

use crate::rng::Key;
use crate::{Error, Result};

/// The numbers 0..n in the order of epoch `epoch` (counted from 0) for `seed`.
pub fn permutation(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut draws = Key::new(seed).of("order", epoch).stream();
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, draws.below(i as u64 + 1) as usize);
    }
    order
}

/// Where each batch of `batch` (> 0) samples begins and ends among `n`; the last one is shorter, or left out with
/// `drop_last`.
pub fn batches(n: usize, batch: usize, drop_last: bool) -> impl ExactSizeIterator<Item = Range<usize>> {
    let count = if drop_last { n / batch } else { n.div_ceil(batch) };
    (0..count).map(move |i| i * batch..n.min((i + 1) * batch))
}

/// Shuffled batches of sample numbers, epoch after epoch.
#[derive(Debug, Clone)]
pub struct Order {
    batch: usize,
    drop_last: bool,
    seed: u64,
    epoch: u64,
    next: usize,
    samples: Vec<usize>,
}

impl Order {
    /// Batches of `batch` out of `n` samples, from the beginning of epoch 0. A `batch` above `n` means all samples at
    /// once. With `drop_last` a last, shorter batch is left out.
    ///
    /// # Errors
    /// [`Error::Config`] if an epoch would hold no batch.
    pub fn new(n: usize, batch: usize, drop_last: bool, seed: u64) -> Result<Self> {
        if n == 0 || batch == 0 || (drop_last && batch > n) {
            let message = format!("no batch of {batch} can be made of {n} samples");
            return Err(
                Error::config(message).with_hint(format!("choose a batch size from 1 to {}", n.max(1)))
            );
        }
        Ok(Self { batch, drop_last, seed, epoch: 0, next: 0, samples: permutation(n, seed, 0) })
    }

    /// Batches in every epoch.
    pub fn batches_per_epoch(&self) -> usize {
        batches(self.samples.len(), self.batch, self.drop_last).len()
    }

    /// The next batch of sample numbers; `None` once at the end of each epoch, then the next epoch begins.
    pub fn next_batch(&mut self) -> Option<&[usize]> {
        match batches(self.samples.len(), self.batch, self.drop_last).nth(self.next) {
            Some(range) => {
                self.next += 1;
                Some(&self.samples[range])
            }
            None => {
                self.epoch += 1;
                self.next = 0;
                self.samples = permutation(self.samples.len(), self.seed, self.epoch);
                None
            }
        }
    }

    /// The epoch and how many of its batches have been given out: what a checkpoint stores.
    pub fn position(&self) -> (u64, usize) {
        (self.epoch, self.next)
    }

    /// Goes to a position in O(n).
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if an epoch has fewer batches.
    pub fn seek(&mut self, (epoch, next): (u64, usize)) -> Result<()> {
        let most = self.batches_per_epoch();
        if next > most {
            let message = format!("position is batch {next} of an epoch of {most}");
            let hint = "resume with the batch size and sample count that the checkpoint was written with";
            return Err(Error::checkpoint(message).with_hint(hint));
        }
        (self.epoch, self.next) = (epoch, next);
        self.samples = permutation(self.samples.len(), self.seed, epoch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_never_change() {
        // Computed by another implementation of SHA-256 keys, ChaCha8 and the draw.
        assert_eq!(permutation(10, 1, 0), [2, 1, 4, 9, 5, 0, 6, 7, 3, 8]);
        assert_eq!(permutation(10, 1, 1), [2, 0, 5, 6, 3, 8, 1, 4, 9, 7]);
        assert_eq!(permutation(10, 2, 0), [9, 6, 7, 1, 0, 8, 3, 4, 2, 5]);
        assert_eq!((permutation(0, 1, 0), permutation(1, 1, 0)), (vec![], vec![0]));
    }

    #[test]
    fn batches_cover_everything_or_drop_the_rest() {
        assert_eq!(batches(7, 3, false).collect::<Vec<_>>(), [0..3, 3..6, 6..7]);
        assert_eq!(batches(7, 3, true).collect::<Vec<_>>(), [0..3, 3..6]);
        assert_eq!(batches(6, 3, true).collect::<Vec<_>>(), [0..3, 3..6]);
        assert!(batches(2, 5, false).eq(std::iter::once(0..2)));
    }

    #[test]
    fn epochs_follow_and_a_position_can_be_returned_to() {
        let mut order = Order::new(7, 3, false, 5).unwrap();
        let mut all = Vec::new();
        for _ in 0..12 {
            all.push((order.position(), order.next_batch().map(<[usize]>::to_vec)));
        }
        let epoch =
            |e: usize| all[4 * e..4 * e + 3].iter().flat_map(|(_, b)| b.clone().unwrap()).collect::<Vec<_>>();
        assert_eq!([epoch(0), epoch(1), epoch(2)], [0, 1, 2].map(|e| permutation(7, 5, e)));
        assert!([3, 7, 11].iter().all(|&i| all[i].1.is_none()));
        for (position, batch) in all.into_iter().rev() {
            order.seek(position).unwrap();
            assert_eq!((order.position(), order.next_batch().map(<[usize]>::to_vec)), (position, batch));
        }
        assert_eq!(order.seek((0, 4)).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn an_epoch_without_a_batch_is_refused() {
        for (n, batch, drop_last) in [(0, 1, false), (5, 0, false), (5, 6, true)] {
            let e = Order::new(n, batch, drop_last, 1).unwrap_err();
            assert!(e.hint().is_some_and(|h| h.contains("batch size")), "{e}");
        }
        assert_eq!(Order::new(5, 6, false, 1).unwrap().next_batch().unwrap().len(), 5);
    }

    #[test]
    fn every_place_is_equally_likely() {
        let mut seen = [[0_u32; 4]; 4];
        for epoch in 0..8_000 {
            permutation(4, 1, epoch).iter().enumerate().for_each(|(place, &sample)| seen[place][sample] += 1);
        }
        // Standard deviation of a count is 39.
        assert!(seen.iter().flatten().all(|c| c.abs_diff(2_000) < 200), "{seen:?}");
    }
}
