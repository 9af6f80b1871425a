//! Spike trains that are drawn when they are asked for: a training set may be larger than memory, and each of its samples be shown
//! once only.

use std::fmt;
use std::sync::Arc;

/// Some samples of a task, each drawn by its number among all of its split, the same every time.
#[derive(Clone)]
pub(super) struct Trains {
    of: Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>,
    /// Which samples, in this order.
    ids: Arc<[u32]>,
}

impl fmt::Debug for Trains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} samples", self.ids.len())
    }
}

/// Whether the same spikes are drawn.
impl PartialEq for Trains {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|i| self.spikes(i) == other.spikes(i))
    }
}

impl Trains {
    /// The first so many samples that `of` draws: 0 or 1 for every step and train.
    pub fn new(samples: usize, of: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { of: Arc::new(of), ids: (0..samples as u32).collect() }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The samples at `ids` of these.
    pub fn select(&self, ids: &[usize]) -> Self {
        Self { of: self.of.clone(), ids: ids.iter().map(|&i| self.ids[i]).collect() }
    }

    /// Draws sample `i`.
    pub fn spikes(&self, i: usize) -> Vec<u8> {
        (self.of)(self.ids[i] as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_keeps_its_number_in_any_selection() {
        let trains = Trains::new(4, |i| vec![i as u8; 2]);
        let some = trains.select(&[3, 1, 2]).select(&[2, 0]);
        assert_eq!((some.len(), some.spikes(0), some.spikes(1)), (2, vec![2, 2], vec![3, 3]));
        assert!(some == trains.select(&[2, 3]) && some != trains.select(&[3, 2]));
    }
}
