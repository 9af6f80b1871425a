//! GF/s of the products per shape, next to the multiply-add peak measured in the same run.
//!
//! `cargo bench -p bouton-kernels --bench gemm [-- FILTER [ROUNDS]]`. Times are minima over rounds, so that other work on
//! the machine does little harm.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bouton_kernels::{DType, Mat, WeightMat, gemm_nn, gemm_nt, gemm_tn, par_gemm_nt, product};
use bouton_kernels::{simd_level, vectorize};

mod peak;

type Case = (String, f64, f64, Box<dyn FnMut()>);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let filter = args.first().cloned().unwrap_or_default();
    let rounds = args.get(1).map_or(10, |r| r.parse().expect("second argument: number of rounds"));
    println!("simd {}, {} threads, best of {rounds} rounds", simd_level(), rayon::current_num_threads());
    let mut cases = vec![peak::<false>(), peak::<true>(), both_cores()];
    cases.extend([16, 256, 800, 1600, 4096, 65536].map(read));
    for (what, t, shapes) in SHAPES {
        cases.extend(shapes.iter().map(|&(m, n, k)| case(what, *t, m, n, k)));
    }
    cases.retain(|c| c.0.starts_with('#') || c.0.contains(&filter));
    let mut best = vec![f64::MAX; cases.len()];
    for _ in 0..rounds {
        for (case, best) in cases.iter_mut().zip(&mut best) {
            *best = best.min(fastest(&mut case.3));
        }
    }
    let top = [0, 1].map(|i| cases[i].1 / best[i] / 1e9);
    for ((name, flops, bytes, _), time) in cases.iter().zip(best) {
        let (rate, traffic) = (flops / time / 1e9, bytes / time / 1e9);
        let share = 100.0 * rate / top[usize::from(name.ends_with("F64"))];
        println!(
            "{name:<28} {:>9.2} us {rate:>6.1} GF/s {share:>4.0} % of one core, {traffic:>5.1} GB/s",
            time * 1e6
        );
    }
}

type Shapes = &'static [(usize, usize, usize)];

/// rows of the result, columns of the result, reduction length
const SHAPES: &[(&str, DType, Shapes)] = &[
    (
        "nt",
        DType::F32,
        &[
            (1, 512, 784),
            (8, 512, 784),
            (10, 512, 784),
            (20, 512, 784),
            (32, 512, 784),
            (10, 256, 256),
            (20, 256, 256),
            (32, 256, 256),
            (64, 256, 256),
            (8, 1024, 1024),
            (16, 1024, 1024),
            (32, 1024, 1024),
            (10, 10, 512),
            (20, 10, 512),
            (64, 10, 512),
            (500, 512, 784),
            (100, 1024, 784),
            (100, 1024, 1024),
            (100, 4096, 4096),
            (256, 1000, 1000),
        ],
    ),
    (
        "nn",
        DType::F32,
        &[
            (10, 512, 10),
            (20, 512, 10),
            (64, 512, 10),
            (10, 256, 256),
            (20, 256, 256),
            (32, 256, 256),
            (64, 256, 256),
            (8, 1024, 1024),
            (16, 1024, 1024),
            (32, 1024, 1024),
            (20, 784, 512),
            (500, 512, 784),
            (100, 1024, 1024),
            (100, 4096, 4096),
            (256, 1000, 1000),
        ],
    ),
    (
        "tn",
        DType::F32,
        &[
            (784, 512, 20),
            (784, 512, 500),
            (512, 784, 500),
            (41, 784, 500),
            (32, 1024, 100),
            (96, 1024, 100),
            (8, 4096, 100),
            (32, 4096, 100),
            (32, 1000, 256),
            (10, 784, 20),
            (512, 784, 20),
            (512, 10, 20),
            (256, 256, 20),
            (10, 512, 20),
            (10, 512, 1000),
        ],
    ),
    ("nt", DType::F64, &[(32, 256, 256), (32, 512, 784)]),
    ("nn", DType::F64, &[(32, 256, 256), (32, 512, 784)]),
    ("tn", DType::F64, &[(256, 256, 20), (784, 512, 20)]),
    ("par nt", DType::F32, &[(20, 512, 784), (64, 512, 784), (500, 512, 784), (64, 1024, 1024)]),
    ("product 1T", DType::F32, &[(256, 256, 256), (1024, 1024, 1024)]),
    ("product 2T", DType::F32, &[(256, 256, 256), (1024, 1024, 1024)]),
];

fn case(what: &str, t: DType, m: usize, n: usize, k: usize) -> Case {
    let noise = move |r, c| Mat::from_fn(t, r, c, |i, j| ((i * 7 + j * 13) % 17) as f64 / 17.0 - 0.5);
    let mut c = noise(m, n);
    let run: Box<dyn FnMut()> = match what {
        "nt" | "par nt" => {
            let (a, w) = (noise(m, k), WeightMat::new(noise(n, k)));
            let f = if what == "nt" { gemm_nt } else { par_gemm_nt };
            Box::new(move || f(a.view(), &w, c.view_mut()))
        }
        "nn" => {
            let (a, w) = (noise(m, k), WeightMat::new(noise(k, n)));
            Box::new(move || gemm_nn(a.view(), &w, c.view_mut()))
        }
        "tn" => {
            let (g, pre) = (noise(k, m), noise(k, n));
            Box::new(move || gemm_tn(g.view(), 0..m, pre.view(), c.view_mut()))
        }
        _ => {
            let (a, b, threads) = (noise(m, k), noise(k, n), what == "product 2T");
            Box::new(move || drop(black_box(product(a.view(), b.view(), threads))))
        }
    };
    let bytes = (m * k + n * k + 2 * m * n) * t.size();
    (format!("{what} {m}x{n}x{k} {t:?}"), (2 * m * n * k) as f64, bytes as f64, run)
}

/// Seconds of one call: the minimum over batches of calls during 20 ms.
fn fastest(f: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    f();
    let calls = (50e-6 / start.elapsed().as_secs_f64()).ceil() as usize;
    let (begin, mut best) = (Instant::now(), f64::MAX);
    while begin.elapsed() < Duration::from_millis(20) {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        best = best.min(start.elapsed().as_secs_f64() / calls as f64);
    }
    best
}

/// Multiply-adds on registers only.
fn peak<const F64: bool>() -> Case {
    let flops = peak::chains::<F64>() as f64;
    let name = format!("# multiply-add peak {}", if F64 { "F64" } else { "F32" });
    (name, flops, 0.0, Box::new(|| _ = black_box(peak::chains::<F64>())))
}

fn both_cores() -> Case {
    let flops = 2.0 * peak::chains::<false>() as f64;
    let run = || peak::chains::<false>();
    ("# peak, two threads".into(), flops, 0.0, Box::new(move || _ = black_box(rayon::join(run, run))))
}

/// Sequential reads.
fn read(kib: usize) -> Case {
    let x = Mat::zeros(DType::F32, 1, kib * 256);
    let run = move || {
        let x = x.slice::<f32>();
        let sum = vectorize(
            #[inline(always)]
            || {
                let mut acc = [0f32; 256];
                for c in x.chunks_exact(256) {
                    for i in 0..256 {
                        acc[i] += c[i];
                    }
                }
                acc
            },
        );
        black_box(sum);
    };
    (format!("# read {kib} KiB"), (kib * 256) as f64, (kib * 1024) as f64, Box::new(run))
}
