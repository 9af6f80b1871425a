//! Random numbers that depend on what they are for, never on who draws them.
//!
//! A [`Key`] names a purpose (seed, words, indices); its [`Stream`] is a ChaCha sequence. Two runs, two threads or two
//! ranks that ask for the same key get the same numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// The name of a random stream.
#[derive(Clone, Debug)]
pub struct Key(Sha256);

impl Key {
    /// The root of everything random in a run.
    pub fn new(seed: u64) -> Self {
        Self(Sha256::new_with_prefix(seed.to_le_bytes()))
    }

    /// The key of a purpose below this one.
    #[must_use]
    pub fn of(&self, purpose: &str, index: u64) -> Self {
        let mut hash = self.0.clone();
        hash.update((purpose.len() as u64).to_le_bytes());
        hash.update(purpose);
        hash.update(index.to_le_bytes());
        Self(hash)
    }

    /// This key as one number, for counters.
    pub fn number(&self) -> u64 {
        self.stream().0.next_u64()
    }

    /// The numbers of this key.
    pub fn stream(&self) -> Stream {
        Stream(ChaCha8Rng::from_seed(self.0.clone().finalize().into()))
    }
}

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Uniform in [0, 1) with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }

    /// Standard normal (Box & Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// Brings `values` into a random order (Durstenfeld 1964: Algorithm 235, CACM 7).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i as u64 + 1) as usize);
        }
    }

    /// Brings `n` of `values`, drawn without putting back, to the front.
    pub fn draw<T>(&mut self, values: &mut [T], n: usize) {
        for i in 0..n.min(values.len()) {
            let rest = (values.len() - i) as u64;
            values.swap(i, i + self.below(rest) as usize);
        }
    }

    /// Uniform in 0..n; n > 0. The bias of n/2⁶⁴ is far below what any experiment resolves.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn keys_tell_streams_apart_and_repeat_them() {
        let root = Key::new(1);
        let draw = |k: &Key| k.stream().uniform();
        assert_eq!(draw(&root.of("init", 0)), draw(&root.of("init", 0)));
        assert_ne!(draw(&root.of("init", 0)), draw(&root.of("init", 1)));
        assert_ne!(draw(&root.of("init", 0)), draw(&root.of("order", 0)));
        assert_ne!(draw(&root), draw(&Key::new(2)));
    }

    #[test]
    fn moments() {
        let mut stream = Key::new(7).stream();
        let normals: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 20_000.0;
        let variance = normals.iter().map(|x| x * x).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert!((0..1000).all(|_| stream.below(3) < 3));
    }

    #[test]
    fn what_is_drawn_is_not_put_back() {
        let mut stream = Key::new(7).stream();
        let mut hits = [0; 5];
        for _ in 0..5000 {
            let mut values = [0, 1, 2, 3, 4];
            stream.draw(&mut values, 2);
            values[..2].iter().for_each(|&v: &usize| hits[v] += 1);
            values.sort_unstable();
            assert_eq!(values, [0, 1, 2, 3, 4]);
        }
        assert!(hits.iter().all(|&n| (1800..2200).contains(&n)), "{hits:?}");
    }
}
