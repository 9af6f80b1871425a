//! Optimisers: downhill, the same tile by tile, still at rate 0, and decay as they say.

use super::noise;
use bouton::optim::{Hyper, OptimSpec, ScheduleSpec};
use bouton_kernels::{DType, Mat};

/// The proposals of three updates, tile by tile.
fn proposals(
    spec: &OptimSpec,
    hyper: impl Fn(u64) -> Hyper,
    bands: &[std::ops::Range<usize>],
    w: &Mat,
) -> Vec<f64> {
    let optim = spec.build();
    let mut slots = vec![Mat::zeros(DType::F64, 6, 5); optim.slots()];
    let mut all = Vec::new();
    for step in 1..4 {
        let (g, mut delta) = (noise(6, 5, step), Mat::zeros(DType::F64, 6, 5));
        for band in bands {
            let mut parts: Vec<_> = slots.iter_mut().map(|s| s.rows_view_mut(band.clone())).collect();
            let (w, g) = (w.rows_view(band.clone()), g.rows_view(band.clone()));
            optim.propose(hyper(step), w, g, &mut parts, delta.rows_view_mut(band.clone()));
        }
        all.extend(delta.to_f64s());
    }
    all
}

#[test]
fn proposals_keep_the_rules() {
    let at = |rate: f64, decays: bool| move |step| Hyper { rate, decays, step };
    let (w, none) = (noise(6, 5, 99), Mat::zeros(DType::F64, 6, 5));
    let whole = [std::ops::Range { start: 0, end: 6 }];
    for spec in OptimSpec::all() {
        let run = |rate, decays, w: &Mat| proposals(&spec, at(rate, decays), &whole, w);
        let plain = run(0.1, false, &none);
        let downhill: f64 = noise(6, 5, 1).to_f64s().iter().zip(&plain).map(|(g, d)| g * d).sum();
        assert!(downhill < 0.0, "{spec:?} goes uphill");
        assert!(run(0.0, true, &w).iter().all(|d| *d == 0.0), "{spec:?} moves at rate 0");
        assert_eq!(
            proposals(&spec, at(0.1, true), &[0..2, 2..6], &w),
            run(0.1, true, &w),
            "{spec:?} by tiles"
        );
        assert_eq!(run(0.1, false, &w), plain, "{spec:?}: without decay it matters where weights are");
        let decays = run(0.1, true, &w) != run(0.1, false, &w);
        assert_eq!(decays, spec.method().weight_decay() != 0.0, "{spec:?}");
        let kept: f64 = {
            let with = run(0.1, true, &w);
            let without = run(0.1, false, &w);
            (0..30).map(|i| (with[i] - without[i]) * w.to_f64s()[i]).sum()
        };
        assert!(kept <= 0.0, "{spec:?}: decay lengthens weights");
        let optim = spec.build();
        let [weights, units] = [false, true].map(|units| optim.rate(0, units).at(1.0));
        assert!(weights > 0.0 && units >= 0.0, "{spec:?}");
        assert_eq!(
            optim.rate(0, false).at(0.5),
            0.5 * weights,
            "{spec:?}: a schedule reaches the rate of weights"
        );
    }
}

/// Factors begin at 1, never rise above it and move unless it is said that they do not.
#[test]
fn schedules_keep_the_rules() {
    for spec in ScheduleSpec::all() {
        let factors: Vec<f64> = (0..20).map(|epoch| spec.factor(epoch)).collect();
        assert_eq!(factors[0], 1.0, "{spec:?}");
        assert!(factors.iter().all(|f| (0.0..=1.0).contains(f)), "{spec:?}: {factors:?}");
        assert_eq!(factors.iter().all(|f| *f == 1.0), spec.method().is_constant(), "{spec:?}");
    }
}
