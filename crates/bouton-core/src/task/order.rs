//! The order in which samples are seen: one permutation per epoch, drawn from (seed, epoch) alone.
//!
//! Drawn from the stream of the key `order`, so an order depends on no thread, rank or platform, and a run can resume at
//! any (epoch, batch) without replaying what came before.

use crate::rng::Key;

/// The numbers 0..n in the order of epoch `epoch` (counted from 0) for `seed`.
pub fn permutation(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    Key::new(seed).of("order", epoch).stream().shuffle(&mut order);
    order
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
    fn every_place_is_equally_likely() {
        let mut seen = [[0_u32; 4]; 4];
        for epoch in 0..8_000 {
            permutation(4, 1, epoch).iter().enumerate().for_each(|(place, &sample)| seen[place][sample] += 1);
        }
        // Standard deviation of a count is 39.
        assert!(seen.iter().flatten().all(|c| c.abs_diff(2_000) < 200), "{seen:?}");
    }
}
