//! Noise on the drive of settling units: d ← d + σ ξ with a new standard normal ξ for every unit in every step.
//!
//! Numbers come from counters (update, sample, copy of the sample, step, population), so they depend on no thread and no
//! shard. Two uniform numbers give two normal ones (Box & Muller 1958).

use crate::rng::Key;
use crate::synapse::Draw;
use bouton_kernels::{Elem, Real, ViewMut, dispatch, vectorize};
use std::ops::Range;

/// Random numbers for the rows of a state.
#[derive(Clone, Debug)]
pub struct Noise {
    key: u64,
    step: u64,
    rows: Vec<u64>,
}

/// Units handled together.
const BLOCK: usize = 32;

impl Noise {
    /// Noise of one update for these samples.
    pub fn new(key: &Key, samples: &[usize]) -> Self {
        Self { key: key.of("noise", 0).number(), step: 0, rows: samples.iter().map(|&s| s as u64).collect() }
    }

    /// The same for copies of every row below each other, each with numbers of its own.
    #[must_use]
    pub fn tile(&self, copies: usize) -> Self {
        let copy = |k: usize| self.rows.iter().map(move |row| row + ((k as u64 + 1) << 40));
        Self { key: self.key, step: self.step, rows: (0..copies).flat_map(copy).collect() }
    }

    /// Exchanges two rows.
    pub fn swap_rows(&mut self, i: usize, j: usize) {
        self.rows.swap(i, j);
    }

    /// New numbers from here on.
    pub fn advance(&mut self) {
        self.step += 1;
    }

    /// Adds noise of standard deviation `sigma` to the drives of population `pop`, the first of which belongs to row
    /// `rows.start`.
    pub fn add(&self, pop: usize, sigma: f64, rows: Range<usize>, mut drive: ViewMut<'_>) {
        dispatch!(drive.dtype(), T => for (i, row) in rows.enumerate() {
            let key = Draw { key: self.key, index: self.rows[row] }.bits(self.step << 16 | pop as u64);
            add_row(key, T::constant(sigma), drive.row_mut::<T>(i));
        });
    }
}

fn add_row<T: Elem>(key: u64, sigma: T, row: &mut [T]) {
    for (block, values) in row.chunks_mut(BLOCK).enumerate() {
        vectorize(
            #[inline(always)]
            || {
                let mut normal = [T::constant(0.0); BLOCK];
                for pair in 0..BLOCK / 2 {
                    let bits = Draw { key, index: (block * BLOCK / 2 + pair) as u64 }.bits(0);
                    // 24 bits each, neither 0 nor 1.
                    let part = |bits: u64| T::constant(((bits & 0xff_ffff) as f64 + 0.5) * 2f64.powi(-24));
                    let (size, angle) = (part(bits), part(bits >> 32) * T::constant(std::f64::consts::TAU));
                    let size = (T::constant(-2.0) * Real::ln(size)).sqrt() * sigma;
                    normal[pair] = size * Real::cos(angle);
                    normal[BLOCK / 2 + pair] = size * Real::sin(angle);
                }
                values.iter_mut().zip(normal).for_each(|(x, n)| *x += n);
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    #[test]
    fn noise_has_its_moments_and_is_new_in_every_step_row_and_copy() {
        let mut noise = Noise::new(&Key::new(1), &[0, 1]).tile(2);
        let draw = |noise: &Noise| {
            let mut d = Mat::zeros(DType::F32, 4, 20_000);
            noise.add(3, 0.5, 0..4, d.view_mut());
            d
        };
        let first = draw(&noise);
        assert_eq!(first, draw(&noise));
        noise.advance();
        let second = draw(&noise);
        let rows: Vec<Vec<f64>> = [&first, &second]
            .iter()
            .flat_map(|m| (0..4).map(|r| m.view().row::<f32>(r).iter().map(|&x| f64::from(x)).collect()))
            .collect();
        let mean = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / a.len() as f64;
        for (i, a) in rows.iter().enumerate() {
            assert!(mean(a, &vec![1.0; a.len()]).abs() < 0.015);
            assert!((mean(a, a) - 0.25).abs() < 0.01);
            let fourth: Vec<f64> = a.iter().map(|x| x * x).collect();
            assert!((mean(&fourth, &fourth) - 3.0 * 0.0625).abs() < 0.02, "kurtosis 3");
            rows[..i].iter().for_each(|b| assert!(mean(a, b).abs() < 0.01));
        }
    }
}
