//! Products of rows of ±1 next to the f32 product of the same shape: milliseconds, and how many times faster.
//!
//! `cargo bench -p bouton-kernels --bench bits [-- ROUNDS]`. Times are minima over rounds, so that other work on the machine
//! does little harm.

use std::hint::black_box;
use std::time::Instant;

use bouton_kernels::{
    BitLevel, BitMat, DType, Mat, WeightMat, bit_dots, bit_dots_at, gemm_nt, par_bit_dots,
    par_bit_thresholds, par_gemm_nt,
};

/// rows of the result, columns of the result, reduction length
const SHAPES: [(usize, usize, usize); 7] = [
    (1, 4096, 4096),
    (16, 4096, 4096),
    (128, 4096, 4096),
    (512, 4096, 4096),
    (512, 1024, 1024),
    (512, 512, 784),
    (4096, 10, 4096),
];

fn main() {
    let rounds = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(5);
    let levels = BitLevel::available();
    println!("best of {levels:?}, {} threads, best of {rounds} rounds", rayon::current_num_threads());
    for (n, m, k) in SHAPES {
        let noise =
            |r, c| Mat::from_fn(DType::F32, r, c, |i, j| ((i * 7 + j * 13 + i * j) % 17) as f64 / 17.0 - 0.5);
        let (a, w, mut c) = (noise(n, k), WeightMat::new(noise(m, k)), noise(n, m));
        let (x, y) = (BitMat::from_signs(a.view()), BitMat::from_signs(w.view()));
        let (mut dots, ceilings, negated) =
            (vec![0; n * m], vec![0; m], BitMat::from_fn(1, m, |_, j| j % 3 == 0));
        let one = best(rounds, || gemm_nt(a.view(), &w, c.view_mut()));
        let all = best(rounds, || par_gemm_nt(a.view(), &w, c.view_mut()));
        let against = |what: &str, base: f64, time: f64| {
            println!("{n:>5} x {m} x {k} {what:<24} {:>8.3} ms {:>6.1} x", time * 1e3, base / time);
        };
        against("f32, one thread", one, one);
        against("bits, one thread", one, best(rounds, || bit_dots(&x, &y, &mut dots)));
        for &level in &levels {
            let run = || bit_dots_at(level, &x, &y, &mut dots).expect("an available level");
            against(&format!("  {level:?}"), one, best(rounds, run));
        }
        against("f32, threads", all, all);
        against("bits, threads", all, best(rounds, || par_bit_dots(&x, &y, &mut dots)));
        let layer = || drop(black_box(par_bit_thresholds(&x, &y, &ceilings, &negated)));
        against("bits to signs, threads", all, best(rounds, layer));
        against("packing of the rows", all, best(rounds, || drop(black_box(BitMat::from_signs(a.view())))));
    }
}

/// Seconds of the fastest round.
fn best(rounds: usize, mut f: impl FnMut()) -> f64 {
    let mut time = || {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    (0..rounds + 1).map(|_| time()).fold(f64::MAX, f64::min)
}
