//! Synapses: the same tile by tile, and what they say of themselves.

use super::{changed, noise};
use bouton::synapse::{Site, Synapse, SynapseSpec};
use bouton_kernels::{DType, Mat};
use std::ops::Range;

const ROWS: usize = 8;
const COLS: usize = 16;
/// All rows as one tile.
const WHOLE: [Range<usize>; 1] = [Range { start: 0, end: ROWS }];

/// The weights of a connection, and what is kept of them.
struct Weights {
    synapse: Box<dyn Synapse>,
    weight: Mat,
    state: Vec<Mat>,
}

impl Weights {
    fn new(spec: &SynapseSpec) -> Self {
        let synapse = spec.method().build(Site { layer: 0, key: 7 }).unwrap();
        let mut state: Vec<Mat> =
            synapse.states().iter().map(|_| Mat::zeros(DType::F64, ROWS, COLS)).collect();
        let mut weight = noise(ROWS, COLS, 1);
        let mut views: Vec<_> = state.iter_mut().map(Mat::view_mut).collect();
        synapse.init(7, weight.view_mut(), &mut views);
        drop(views);
        Self { synapse, weight, state }
    }

    /// Proposals about as large as each synapse is made for.
    fn step(&mut self, key: u64, delta: &Mat, bands: &[Range<usize>]) {
        for band in bands {
            let mut state: Vec<_> = self.state.iter_mut().map(|s| s.rows_view_mut(band.clone())).collect();
            let weight = self.weight.rows_view_mut(band.clone());
            let delta = delta.rows_view(band.clone());
            self.synapse.update(key, band.start * COLS, delta, weight, &mut state);
        }
    }

    fn all(&self) -> Vec<f64> {
        self.state.iter().flat_map(Mat::to_f64s).chain(self.weight.to_f64s()).collect()
    }
}

fn delta(spec: &SynapseSpec, seed: u64) -> Mat {
    // Devices count in pulses.
    let size =
        if Weights::new(spec).synapse.states().iter().any(|s| s.contains("pulses")) { 9.0 } else { 0.05 };
    let one = noise(ROWS, COLS, seed);
    Mat::from_fn(DType::F64, ROWS, COLS, |r, c| size * one.get(r, c))
}

fn trained(spec: &SynapseSpec, key: impl Fn(u64) -> u64, bands: &[Range<usize>]) -> Weights {
    let mut weights = Weights::new(spec);
    (0..20).for_each(|t| weights.step(key(t), &delta(spec, 50 + t), bands));
    weights
}

#[test]
fn tiles_do_not_matter_and_keys_do_where_a_synapse_draws() {
    for spec in SynapseSpec::all() {
        let (whole, other) = (trained(&spec, |t| t, &WHOLE), trained(&spec, |t| 1000 + t, &WHOLE));
        assert!(whole.all().iter().all(|x| x.is_finite()), "{spec:?}");
        assert_eq!(whole.all(), trained(&spec, |t| t, &[0..3, 3..4, 4..ROWS]).all(), "{spec:?} by tiles");
        let traits = spec.method().traits();
        assert_eq!(traits.info, whole.synapse.info(), "{spec:?}");
        // Of pairs of ideal devices nothing is drawn, though they may.
        let draws = whole.all() != other.all();
        assert!(!draws || traits.info.stochastic, "{spec:?} draws");
        assert_ne!(whole.weight.to_f64s(), Weights::new(&spec).weight.to_f64s(), "{spec:?} learns");
    }
    let drawn =
        |spec: &SynapseSpec| trained(spec, |t| t, &WHOLE).all() != trained(spec, |t| 9 + t, &WHOLE).all();
    for spec in SynapseSpec::all().into_iter().filter(|s| s.method().traits().info.stochastic) {
        let same = |other: &&SynapseSpec| std::mem::discriminant(*other) == std::mem::discriminant(&spec);
        assert!(SynapseSpec::all().iter().filter(same).any(drawn), "{spec:?} says that it draws");
    }
}

#[test]
fn values_are_those_of_the_scale() {
    for spec in SynapseSpec::all() {
        let traits = spec.method().traits();
        for weights in [Weights::new(&spec), trained(&spec, |t| t, &WHOLE)] {
            let found = weights.weight.to_f64s();
            let two = |scale: f64| found.iter().all(|w| w.abs() == scale || *w == 0.0);
            match traits.scale {
                // RelaxationStats samples may be as good as binary.
                Some(_) if !traits.keeps_sign => assert!(traits.info.bayesian, "{spec:?} draws its signs"),
                Some(scale) => assert!(two(scale) && found.iter().any(|w| *w != 0.0), "{spec:?}: {found:?}"),
                None => {
                    assert!(!two(found[0].abs()), "{spec:?} has two values");
                    assert!(!traits.keeps_sign && !traits.zero, "{spec:?} has no signs");
                }
            }
        }
    }
}

/// A hidden weight of zero has the third value where a weight can have one.
#[test]
fn a_third_value_is_told_of() {
    for spec in SynapseSpec::all().into_iter().filter(|s| s.method().traits().has_hidden_sign()) {
        let mut weights = Weights::new(&spec);
        let mut zero = Mat::zeros(DType::F64, ROWS, COLS);
        let mut state: Vec<_> = weights.state.iter_mut().map(Mat::view_mut).collect();
        weights.synapse.init(7, zero.view_mut(), &mut state);
        let found = zero.to_f64s().iter().all(|w| *w == 0.0);
        assert_eq!(found, spec.method().traits().zero, "{spec:?}");
    }
}

/// A proposal of nothing flips next to nothing: a reading is noisy, and a chain of variables flows.
#[test]
fn signs_stay_where_it_is_said() {
    for spec in SynapseSpec::all().into_iter().filter(|s| s.method().traits().binary()) {
        let mut weights = trained(&spec, |t| t, &WHOLE);
        let before = weights.weight.to_f64s();
        let none = Mat::zeros(DType::F64, ROWS, COLS);
        weights.step(500, &none, &WHOLE);
        let flipped = before.iter().zip(weights.weight.to_f64s()).filter(|(a, b)| **a != *b).count();
        assert!(flipped <= ROWS * COLS / 20, "{spec:?}: {flipped}");
    }
}

/// The hidden weight is the state that a proposal moves and whose sign the weight has.
#[test]
fn latent_weights_lead_and_weights_follow() {
    for spec in SynapseSpec::all() {
        let (info, weights) = (spec.method().traits().info, trained(&spec, |t| t, &WHOLE));
        let Some(latent) = info.latent else { continue };
        let hidden = weights.state[latent].to_f64s();
        let follows = hidden.iter().zip(weights.weight.to_f64s()).filter(|(h, w)| **h * *w >= 0.0).count();
        assert!(follows > ROWS * COLS * 3 / 5, "{spec:?}: {follows}");
        let mut pushed = Weights::new(&spec);
        let before = pushed.state[latent].to_f64s();
        pushed.step(0, &Mat::from_fn(DType::F64, ROWS, COLS, |_, _| 1e-3), &WHOLE);
        let up = before.iter().zip(pushed.state[latent].to_f64s()).filter(|(a, b)| b > a).count();
        assert!(up > ROWS * COLS / 2, "{spec:?}: {up}");
    }
}

#[test]
fn samples_and_ends_of_tasks_are_what_is_said() {
    for spec in SynapseSpec::all() {
        let info = spec.method().traits().info;
        let after = |act: &dyn Fn(&mut Weights)| {
            let mut weights = trained(&spec, |t| t, &WHOLE);
            act(&mut weights);
            weights
        };
        let sampled = |key: Option<u64>| {
            after(&|w: &mut Weights| {
                let mut state: Vec<_> = w.state.iter_mut().map(Mat::view_mut).collect();
                w.synapse.sample_or_mean(key, w.weight.view_mut(), &mut state);
            })
            .weight
            .to_f64s()
        };
        assert_eq!(sampled(Some(1)) != sampled(Some(2)), info.bayesian, "{spec:?} is a distribution");
        assert_eq!(sampled(Some(1)), sampled(Some(1)), "{spec:?}");
        if info.bayesian {
            let mean = |draws: u64| -> Vec<f64> {
                let all: Vec<_> = (0..draws).map(|key| sampled(Some(key))).collect();
                (0..ROWS * COLS).map(|i| all.iter().map(|w| w[i]).sum::<f64>() / draws as f64).collect()
            };
            let apart =
                |a: Vec<f64>| a.iter().zip(sampled(None)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            assert!(
                apart(mean(400)) < apart(sampled(Some(3))) / 4.0,
                "{spec:?}: the mean is that of its samples"
            );
        } else {
            assert_eq!(sampled(None), trained(&spec, |t| t, &WHOLE).weight.to_f64s(), "{spec:?}");
        }
        let ended = after(&|w: &mut Weights| {
            let mut state: Vec<_> = w.state.iter_mut().map(Mat::view_mut).collect();
            w.synapse.on_task_end(w.weight.view_mut(), &mut state);
        });
        let changed = ended.all() != trained(&spec, |t| t, &WHOLE).all();
        assert_eq!(changed, info.changes_at_task_end, "{spec:?} at the end of a task");
        // A part of several draws is kept for the update that they share.
        let gathered = after(&|w: &mut Weights| {
            let mut state: Vec<_> = w.state.iter_mut().map(Mat::view_mut).collect();
            w.synapse.accumulate(3, 0, delta(&spec, 90).view(), w.weight.view_mut(), &mut state);
        });
        let kept = gathered.all() != trained(&spec, |t| t, &WHOLE).all();
        assert_eq!(kept, info.bayesian, "{spec:?} gathers draws");
    }
}

#[test]
fn states_are_named_once_and_settings_for_signs_are_there() {
    for mut spec in SynapseSpec::all() {
        let names = Weights::new(&spec).synapse.states();
        let mut unique = names.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{spec:?}");
        assert!(names.iter().all(|n| n.contains('.')), "{spec:?}: {names:?}");
        // What is kept beside a weight is kept for its direction alone.
        assert_eq!(spec.method().traits().own_state, !names.is_empty(), "{spec:?}: {names:?}");
        let zero = bouton::recipe::describe::explain(&format!(
            "synapse.{}.zero",
            bouton::recipe::variant_name(&spec)
        ))
        .is_ok();
        let keys = spec.method_mut().and_then(|s| s.sign_keys()).is_some();
        assert_eq!(keys, zero, "{spec:?}: a key `zero` is one that `signs` stands for");
        let device = bouton::recipe::describe::explain(&format!(
            "synapse.{}.device",
            bouton::recipe::variant_name(&spec)
        ))
        .is_ok();
        assert_eq!(
            spec.method_mut().and_then(|s| s.device()).is_some(),
            device,
            "{spec:?}: a key `device` names a file"
        );
    }
}

/// Proposals that are all positive lead to larger weights than those that are all negative, where they lead anywhere.
#[test]
fn weights_go_where_proposals_point() {
    let mut moved = std::collections::BTreeMap::<String, bool>::new();
    for spec in SynapseSpec::all() {
        let sums = |sign: f64| {
            let mut weights = Weights::new(&spec);
            for t in 0..20 {
                let one = delta(&spec, 50 + t);
                let one = Mat::from_fn(DType::F64, ROWS, COLS, |r, c| sign * one.get(r, c).abs());
                weights.step(t, &one, &WHOLE);
            }
            [weights.weight.to_f64s(), weights.all()].map(|all| all.iter().sum::<f64>())
        };
        let ([down, all_down], [up, all_up]) = (sums(-1.0), sums(1.0));
        assert!(up >= down, "{spec:?}: {up} {down}");
        // Signs that are all but certain may stay, but not what they are drawn from.
        *moved.entry(bouton::recipe::variant_name(&spec)).or_default() |= up > down || all_up > all_down;
    }
    assert!(moved.values().all(|moved| *moved), "{moved:?}");
}

/// A switch of an imperfection is a switch, and devices have them.
#[test]
fn imperfections_are_switches_of_devices() {
    for mut spec in SynapseSpec::all() {
        let settings = serde_json::to_value(&spec).unwrap();
        let keys = spec.method().imperfections();
        let member = bouton::recipe::variant_name(&spec);
        assert!(keys.iter().all(|key| settings[&member][key].is_boolean()), "{spec:?}: {keys:?}");
        let device = spec.method_mut().and_then(|s| s.device()).is_some();
        assert_eq!(device, !keys.is_empty(), "{spec:?}: devices have imperfections");
    }
}

/// A setting that nothing depends on is forgotten.
#[test]
fn every_number_and_every_switch_is_heard() {
    let does = |spec: &SynapseSpec| {
        let mut weights = trained(spec, |t| t, &WHOLE);
        let mut state: Vec<_> = weights.state.iter_mut().map(Mat::view_mut).collect();
        weights.synapse.on_task_end(weights.weight.view_mut(), &mut state);
        drop(state);
        (weights.all(), format!("{:?}", spec.method().traits()))
    };
    let mut heard = std::collections::BTreeMap::<String, bool>::new();
    for spec in SynapseSpec::all() {
        for (key, other) in changed(&spec) {
            *heard.entry(key).or_default() |= does(&spec) != does(&other);
        }
    }
    assert!(heard.values().all(|heard| *heard), "{heard:?}");
}
