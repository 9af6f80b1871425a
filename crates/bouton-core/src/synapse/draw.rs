//! Random numbers of one weight in one update, from a counter: the same for any tiling and any number of threads.
//!
//! The bits are two rounds of the finaliser of SplitMix64 (Steele, Lea & Flood 2014) over key, weight and number.

use bouton_kernels::Real;

/// Names the random numbers of one weight in one update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// What the numbers are for: seed, parameter and update.
    pub key: u64,
    /// The weight's place in its matrix.
    pub index: u64,
}

impl Draw {
    /// 64 random bits; `number` tells the draws of one weight in one update apart.
    #[inline(always)]
    pub fn bits(self, number: u64) -> u64 {
        mix(mix(self.key ^ self.index.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(number))
    }

    /// Uniform in (0, 1), of 24 bits: neither 0 nor 1 comes up, so logarithms are safe.
    #[inline(always)]
    pub fn uniform<T: Real>(self, number: u64) -> T {
        // 24 bits and a half: exact in 32 bits.
        T::constant(((self.bits(number) >> 40) as f64 + 0.5) * 2f64.powi(-24))
    }

    /// ½ ln(u/(1 − u)) of the uniform number 0: what is added to λ so that its sign is + with the probability σ(2λ).
    #[inline(always)]
    pub fn logistic<T: Real>(self) -> T {
        let u = self.uniform::<f64>(0);
        T::constant(0.5) * (T::constant(u).ln() - T::constant(1.0 - u).ln())
    }

    /// ±1 with mean tanh λ.
    #[inline(always)]
    pub fn sign<T: Real>(self, lambda: T) -> T {
        T::select((lambda + lambda).sigmoid() - self.uniform(0), T::constant(1.0), T::constant(-1.0))
    }

    /// Standard normal (Box & Muller 1958).
    #[inline(always)]
    pub fn normal<T: Real>(self, number: u64) -> T {
        let (u, v): (f64, f64) = (self.uniform(2 * number), self.uniform(2 * number + 1));
        (T::constant(-2.0) * T::constant(u).ln()).sqrt() * T::constant(std::f64::consts::TAU * v).cos()
    }
}

#[inline(always)]
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_moments_and_are_unrelated_between_neighbours() {
        let n = 100_000;
        let at = |index| Draw { key: 7, index };
        let mean = |f: &dyn Fn(u64) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
        assert!((mean(&|i| at(i).uniform(0)) - 0.5).abs() < 0.005);
        assert!(mean(&|i| at(i).normal(0)).abs() < 0.015);
        assert!((mean(&|i| at(i).normal::<f64>(0).powi(2)) - 1.0).abs() < 0.02);
        let product = |i: u64, j: Draw| (at(i).uniform::<f64>(0) - 0.5) * (j.uniform::<f64>(0) - 0.5);
        let next = mean(&|i| product(i, at(i + 1)));
        let number = mean(&|i| (at(i).uniform::<f64>(0) - 0.5) * (at(i).uniform::<f64>(1) - 0.5));
        let update = mean(&|i| product(i, Draw { key: 8, index: i }));
        assert!([next, number, update].iter().all(|c| c.abs() < 0.002), "{next} {number} {update}");
    }
}
