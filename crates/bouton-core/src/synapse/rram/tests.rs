use super::*;
use crate::device::Device;
use bouton_kernels::{DType, Mat};

/// Every imperfection off, then changed.
fn ideal(change: impl Fn(&mut Rram)) -> RramPair {
    let mut spec = Rram { d2d: false, rtn: false, pink: false, offset: false, ..Rram::default() };
    change(&mut spec);
    RramPair { devices: Devices::new(&spec).unwrap(), spec, key: 17 }
}

/// Weight and state of some pairs after some updates with given proposals.
struct Run {
    weight: Mat,
    state: Vec<Mat>,
    update: u64,
}

impl Run {
    fn new(pair: &RramPair, dtype: DType, drawn: &[f64]) -> Self {
        let mut weight = Mat::from_f64s(dtype, 1, drawn.len(), drawn);
        let mut state: Vec<Mat> = RRAM_STATES.iter().map(|_| Mat::zeros(dtype, 1, drawn.len())).collect();
        let mut views: Vec<_> = state.iter_mut().map(Mat::view_mut).collect();
        Synapse::init(pair, 1, weight.view_mut(), &mut views);
        Self { weight, state, update: 1 }
    }

    fn update(&mut self, pair: &RramPair, delta: &[f64]) {
        self.update += 1;
        let delta = Mat::from_f64s(self.weight.dtype(), 1, delta.len(), delta);
        let mut views: Vec<_> = self.state.iter_mut().map(Mat::view_mut).collect();
        Synapse::update(pair, self.update, 0, delta.view(), self.weight.view_mut(), &mut views);
    }

    fn weights(&self) -> Vec<f64> {
        self.weight.to_f64s()
    }

    fn of(&self, name: &str) -> Vec<f64> {
        self.state[RRAM_STATES.iter().position(|n| *n == name).unwrap()].to_f64s()
    }
}

const PAIRS: usize = 400;

fn drawn() -> Vec<f64> {
    deltas(0, 1.0)
}

/// Proposals of random sign and size.
fn deltas(t: u64, size: f64) -> Vec<f64> {
    let one = |index| size * (2.0 * Draw { key: 900 + t, index }.uniform::<f64>(0) - 1.0);
    (0..PAIRS as u64).map(one).collect()
}

fn run(pair: &RramPair, updates: u64, size: f64) -> Run {
    let mut run = Run::new(pair, DType::F32, &drawn());
    (1..=updates).for_each(|t| run.update(pair, &deltas(t, size)));
    run
}

#[test]
fn without_imperfections_a_pair_counts_pulses() {
    let pair = ideal(|s| s.zero = SignOfZero::Zero);
    let mut run = Run::new(&pair, DType::F32, &drawn());
    // The first pulse is the sign that the wiring drew.
    let mut counts: Vec<[f64; 2]> =
        drawn().iter().map(|d| if *d < 0.0 { [0.0, 1.0] } else { [1.0, 0.0] }).collect();
    for t in 1..=40 {
        let delta = deltas(t, 20.0);
        for (count, d) in counts.iter_mut().zip(&delta) {
            let n = f64::from(*d as f32).clamp(-14.0, 14.0).round_ties_even();
            count[usize::from(n < 0.0)] += n.abs();
        }
        run.update(&pair, &delta);
        let law: Vec<f64> = counts.iter().map(|[bl, blb]| SignOfZero::Zero.sign(bl - blb)).collect();
        assert_eq!(run.weights(), law, "update {t}");
    }
    let [bl, blb]: [Vec<f64>; 2] = [0, 1].map(|side| counts.iter().map(|c| c[side]).collect());
    assert_eq!((run.of("rram.bl.pulses"), run.of("rram.blb.pulses")), (bl, blb));
    assert!(run.weights().iter().any(|w| *w < 0.0) && run.weights().iter().any(|w| *w > 0.0));
}

/// With every imperfection off, ln R of both devices is the mean pulse law of their pulses, bit for bit, before the
/// breakpoint and behind it.
#[test]
fn without_imperfections_a_pair_is_the_mean_pulse_law() {
    let pair = ideal(|_| {});
    let mut run = Run::new(&pair, DType::F64, &drawn());
    let mean = DeviceParameters::majumdar2021().unwrap().average();
    let law = Device { offset: mean.fresh_resistance.ln(), ..mean };
    let mut behind = 0;
    for t in 1..=120 {
        run.update(&pair, &deltas(t, 40.0));
        let values: Vec<Vec<f64>> = RRAM_STATES.iter().map(|name| run.of(name)).collect();
        for i in 0..PAIRS {
            let cells = [0, 7].map(|first| Cell::from(std::array::from_fn(|k| values[first + k][i])));
            let read =
                cells.map(|c| pair.devices.read(&c, Draw { key: 17, index: 0 }, || panic!("no noise")));
            let expected = cells.map(|c| law.growth(c.pulses));
            assert_eq!(read.map(f64::to_bits), expected.map(f64::to_bits));
            assert_eq!(run.weights()[i], SignOfZero::Plus.sign(expected[0] - expected[1]));
            behind += cells.iter().filter(|c| c.pulses > mean.breakpoint).count();
        }
    }
    assert!(behind > PAIRS, "{behind}");
}

#[test]
fn pulses_are_counted_on_the_side_of_the_proposal() {
    let pair = RramPair { devices: Devices::new(&Rram::default()).unwrap(), spec: Rram::default(), key: 3 };
    let mut run = Run::new(&pair, DType::F32, &[0.1; 6]);
    run.update(&pair, &[0.5, 1.5, -0.4, -3.2, 99.0, -99.0]);
    assert_eq!(run.of("rram.bl.pulses"), [0.0, 2.0, 0.0, 0.0, 14.0, 0.0]);
    assert_eq!(run.of("rram.blb.pulses"), [0.0, 0.0, 0.0, 3.0, 0.0, 14.0]);
}

#[test]
fn enough_pulses_turn_any_pair_to_their_side() {
    let spec = Rram { rtn: false, ..Rram::default() };
    let pair = RramPair { devices: Devices::new(&spec).unwrap(), spec, key: 3 };
    let mut run = Run::new(&pair, DType::F32, &drawn());
    let share = |run: &Run| run.weights().iter().filter(|w| **w > 0.0).count();
    assert!((150..250).contains(&share(&run)));
    (0..300).for_each(|_| run.update(&pair, &[14.0; PAIRS]));
    assert!(share(&run) > 370);
    // The devices on the other side start from where they were.
    (0..2000).for_each(|_| run.update(&pair, &[-14.0; PAIRS]));
    assert!(share(&run) < 200);
}

#[test]
fn every_switch_changes_its_own_part_and_nothing_else() {
    let base = run(&ideal(|_| ()), 30, 9.0);
    let changed = |change: &dyn Fn(&mut Rram)| {
        let other = run(&ideal(change), 30, 9.0);
        let differs = |n: &&&str| other.of(n) != base.of(n);
        let names: Vec<&str> = RRAM_STATES.iter().filter(differs).copied().collect();
        (names, other.weights() != base.weights())
    };
    let parameters = ["level", "early", "breakpoint", "late"];
    let both = |parts: &[&str]| -> Vec<String> {
        ["bl", "blb"].iter().flat_map(|s| parts.iter().map(move |p| format!("rram.{s}.{p}"))).collect()
    };
    let (names, weights) = changed(&|s| s.pink = true);
    assert!(names.is_empty() && weights);
    let (names, _) = changed(&|s| s.rtn = true);
    assert_eq!(names, both(&["high"]));
    // With equal devices the offset is the same on both sides.
    let (names, weights) = changed(&|s| s.offset = true);
    assert!(names == both(&["level"]) && !weights);
    // The first pulse is there only because equal devices need one.
    let (names, weights) = changed(&|s| s.d2d = true);
    let with_pulses = both(&[&parameters[..], &["pulses"]].concat());
    assert!(names == with_pulses && weights, "{names:?}");
    // Equal devices that turned are SET to equal resistances.
    let (names, _) = changed(&|s| s.set = true);
    assert_eq!(names, both(&["pulses", "set"]));
}

#[test]
fn a_set_starts_both_devices_anew_where_pulses_turned_the_sign() {
    let pair = ideal(|s| s.set = true);
    let mut run = Run::new(&pair, DType::F64, &[0.1, 0.1]);
    run.update(&pair, &[6.0, 6.0]);
    run.update(&pair, &[-9.0, -3.0]);
    // 7 against 9 pulses turned: SET, and 9 pulses again; 7 against 3 did not.
    assert_eq!(run.weights(), [-1.0, 1.0]);
    assert_eq!(run.of("rram.blb.pulses"), [18.0, 3.0]);
    assert_eq!(run.of("rram.bl.set"), [7.0, 0.0]);
    assert_eq!(run.of("rram.blb.set"), [9.0, 0.0]);
    // From the fresh pair on it is 0 against 9.
    run.update(&pair, &[8.0, 0.0]);
    assert_eq!(run.weights(), [-1.0, 1.0]);
    run.update(&pair, &[2.0, 0.0]);
    assert_eq!(run.weights(), [1.0, 1.0]);
}

#[test]
fn cutting_a_matrix_into_tiles_changes_nothing() {
    let spec = Rram { set: true, ..Rram::default() };
    let pair = RramPair { devices: Devices::new(&spec).unwrap(), spec, key: 5 };
    let mut whole = Run::new(&pair, DType::F32, &drawn());
    let mut cut = Run::new(&pair, DType::F32, &drawn());
    for t in 1..=60 {
        let delta = Mat::from_f64s(DType::F32, PAIRS, 1, &deltas(t, 30.0));
        whole.update(&pair, &deltas(t, 30.0));
        cut.update += 1;
        let mut tall = |at: usize, n: usize| {
            let part = |m: &Mat| Mat::from_f64s(DType::F32, n, 1, &m.to_f64s()[at..at + n]);
            let mut weight = part(&cut.weight);
            let mut state: Vec<Mat> = cut.state.iter().map(part).collect();
            let mut views: Vec<_> = state.iter_mut().map(Mat::view_mut).collect();
            Synapse::update(
                &pair,
                cut.update,
                at,
                delta.rows_view(at..at + n),
                weight.view_mut(),
                &mut views,
            );
            let back = |m: &mut Mat, p: &Mat| m.slice_mut::<f32>()[at..at + n].copy_from_slice(p.slice());
            back(&mut cut.weight, &weight);
            cut.state.iter_mut().zip(&state).for_each(|(m, p)| back(m, p));
        };
        tall(0, 123);
        tall(123, PAIRS - 123);
    }
    assert_eq!(whole.weights(), cut.weights());
    assert!(whole.of("rram.bl.set").iter().any(|s| *s > 0.0));
    assert!(RRAM_STATES.iter().all(|n| whole.of(n) == cut.of(n)));
}

#[test]
fn a_preset_file_is_read_and_its_faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let of = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Rram { device: Some(path.display().to_string()), ..Rram::default() }.parameters()
    };
    let text = include_str!("../../../data/devices/majumdar2021.toml");
    assert_eq!(of(&text.replace("sd = 381.7", "sd = 400")).unwrap().fresh_resistance.bounds().0, 6252.0);
    assert!(
        of(&text.replace("sd = 381.7", "sd = -1")).unwrap_err().to_string().contains("fresh-resistance.sd")
    );
    let missing =
        Rram { device: Some(folder.path().join("none.toml").display().to_string()), ..Rram::default() }
            .parameters();
    assert!(missing.unwrap_err().to_string().contains("synapse.rram.device"));
}

/// Growing steps are untouched; of the others 1 − tanh² of the log ratio times m is left, whatever their size.
#[test]
fn protection_holds_back_what_would_turn_a_pair() {
    let pair = ideal(|s| s.m = 50.0);
    let run = run(&pair, 40, 12.0);
    let weight = run.weights();
    for i in 0..PAIRS {
        let cell = |side: &str| Cell::from(CELL.map(|k| run.of(&format!("rram.{side}.{k}"))[i]));
        let (cells, draw) = ([cell("bl"), cell("blb")], Draw { key: 1, index: i as u64 });
        let gap = pair.gap(&cells, draw, 0);
        assert_eq!(pair.protected(5.0 * weight[i], weight[i], &cells, draw), 5.0 * weight[i]);
        let left = pair.protected(-5.0 * weight[i], weight[i], &cells, draw) / (-5.0 * weight[i]);
        assert!((left - (1.0 - (50.0 * gap).tanh().powi(2))).abs() < 1e-12);
        assert_eq!(ideal(|_| ()).protected(-5.0, 1.0, &cells, draw), -5.0);
    }
}

const CELL: [&str; 7] = ["level", "early", "breakpoint", "late", "pulses", "set", "high"];
