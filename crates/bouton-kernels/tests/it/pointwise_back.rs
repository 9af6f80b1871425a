//! The way back through equations: against differences, and the same bits on every level.

use bouton_kernels::{
    Elem, Elements, Level, Pointwise, Real, Slopes, pointwise, pointwise_back, pointwise_back_at,
};

/// Two states, two inputs, a number of its own and a parameter.
#[derive(Clone, Copy)]
struct Two;

impl Pointwise<1, 1, 2, 2, 1> for Two {
    fn at<T: Real>(
        self,
        [a]: [T; 1],
        [k]: [T; 1],
        [x, y]: [T; 2],
        [u, v]: [T; 2],
        _: [T; 1],
    ) -> ([T; 2], [T; 1]) {
        let w = (a * u + x * v).tanh();
        ([w - k * y, u * v + k], [w * y + v * v])
    }
}

const N: usize = 37;

fn noise<T: Elem>(seed: usize) -> Vec<T> {
    (0..N).map(|i| T::from_f64(((i * 7919 + seed * 104_729) % 1009) as f64 / 1009.0 - 0.3)).collect()
}

/// Own number, inputs, states.
fn point<T: Elem>() -> [Vec<T>; 5] {
    [1, 2, 3, 4, 5].map(noise)
}

/// ⟨gradients, what a step leads to⟩.
fn value(all: &[Vec<f64>; 5], g: &[Vec<f64>; 3]) -> f64 {
    let (mut u, mut v, mut out) = (all[3].clone(), all[4].clone(), vec![0.0; N]);
    let elements =
        Elements { own: [&all[0]], input: [&all[1], &all[2]], state: [&mut u, &mut v], out: [&mut out] };
    pointwise(Two, [0.7], elements);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&u, &g[0]) + dot(&v, &g[1]) + dot(&out, &g[2])
}

type Back<T> = (Vec<T>, Vec<T>, Vec<T>, Vec<T>, Vec<T>);

fn back<T: Elem>(level: Option<Level>, g: &[Vec<T>; 3]) -> Option<Back<T>> {
    let all = point::<T>();
    let (mut u, mut v) = (g[0].clone(), g[1].clone());
    let (mut x, mut y, mut k) = (vec![T::default(); N], vec![T::default(); N], vec![T::from_f64(1.0); N]);
    let slopes = Slopes {
        own: [&all[0]],
        input: [&all[1], &all[2]],
        state: [&all[3], &all[4]],
        g_out: &g[2],
        g_state: [&mut u, &mut v],
        g_input: [&mut x, &mut y],
        g_own: Some([&mut k]),
    };
    let parameter = [T::from_f64(0.7)];
    match level {
        Some(level) => pointwise_back_at(level, Two, parameter, slopes)?,
        None => pointwise_back(Two, parameter, slopes),
    }
    Some((k, x, y, u, v))
}

#[test]
fn gradients_are_those_of_differences() {
    let g = [6, 7, 8].map(noise::<f64>);
    let (k, x, y, u, v) = back(None, &g).unwrap();
    for (part, found) in [k, x, y, u, v].iter().enumerate() {
        for i in 0..N {
            let moved = |by: f64| {
                let mut all = point::<f64>();
                all[part][i] += by;
                value(&all, &g)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            // What is summed begins at 1.
            let found = found[i] - if part == 0 { 1.0 } else { 0.0 };
            assert!((found - slope).abs() < 1e-8, "{part} {i}: {found} {slope}");
        }
    }
}

#[test]
fn levels_round_alike() {
    fn same<T: Elem + std::fmt::Debug>() {
        let g = [6, 7, 8].map(noise::<T>);
        let best = back::<T>(None, &g).unwrap();
        for level in Level::available() {
            if let Some(here) = back::<T>(Some(level), &g) {
                assert_eq!(format!("{here:?}"), format!("{best:?}"), "{level:?}");
            }
        }
    }
    same::<f32>();
    same::<f64>();
}
