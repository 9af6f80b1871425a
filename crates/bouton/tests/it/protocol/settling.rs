//! Relaxations of many samples at once: each goes its own way, stops when it has settled, and is counted as it went.

use crate::common::{batch, recipe};
use bouton::credit::{Batch, GradCollector};
use bouton::network::{Network, State};
use bouton::neuron::Noise;
use bouton::objective::{Given, Objective, SoftmaxCrossEntropy, SquaredError};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::solver::{RelaxationStats, Solver};
use bouton_kernels::{DType, Mat};

const ROWS: usize = 8;
const SIGMOID: &str = "activation = \"shifted-sigmoid\"";

fn settling(neuron: &str, solver: &str) -> Recipe {
    recipe(
        &[20, 9, 7, 5],
        &format!(
            "[neuron.settle]\n{neuron}\n[wiring.dense]\ngain = 1.2\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 60\n\
             nudged-steps = 30\n[solver.{solver}\n"
        ),
    )
}

struct Fixture {
    network: Network,
    solver: Solver,
    batch: Batch,
}

impl Fixture {
    fn new(recipe: &Recipe) -> Self {
        let network = recipe.build().unwrap();
        let (solver, mut batch) = (Solver::new(&recipe.solver, &network).unwrap(), batch(&network, 5));
        // Faint samples settle sooner than strong ones.
        batch.x = Mat::from_fn(DType::F64, ROWS, 20, |r, c| batch.x.get(r, c) * (r + 1) as f64 / 5.0);
        Self { network, solver, batch }
    }

    /// The state of some samples after a relaxation with a noise of their own, nudged if there is an objective.
    fn relax(
        &self,
        rows: std::ops::Range<usize>,
        nudge: Option<&dyn Objective>,
        steps: usize,
    ) -> (State, RelaxationStats) {
        let constant = self.network.constant_drive(self.batch.x.view());
        let mut state = State::new(&self.network, &constant, rows, &self.batch.target);
        state.noise(&Key::new(3));
        (0..state.rows()).for_each(|r| state.beta[r] = 0.3 + 0.1 * state.samples[r] as f64);
        let done = self.solver.relax(&self.network, &mut state, nudge, steps, "test").unwrap();
        (state, done)
    }
}

fn row(m: &Mat, r: usize) -> Vec<f64> {
    if m.rows() == 0 { Vec::new() } else { m.rows_view(r..r + 1).to_mat().to_f64s() }
}

/// Every number of a sample's state, the same to the bit whether others stop before it, after it, or do not exist.
#[test]
fn a_sample_goes_its_own_way() {
    let given =
        Given { gradient: Mat::from_fn(DType::F64, ROWS, 5, |r, c| 0.2 * ((r * 3 + c) % 5) as f64 - 0.4) };
    let noisy = "activation = \"shifted-sigmoid\"\nnoise = 0.01";
    let softmax = "synchronous]\ntolerance = 1e-2\n[objective.softmax-cross-entropy]";
    let cases: [(&str, &str, Option<&dyn Objective>); 8] = [
        (SIGMOID, softmax, Some(&SoftmaxCrossEntropy::default())),
        (SIGMOID, "synchronous]\ntolerance = 1e-2", None),
        (SIGMOID, "even-odd]\ntolerance = 1e-3\nrelaxation = 1.3", None),
        (SIGMOID, "anderson]\ntolerance = 1e-5", None),
        (SIGMOID, "synchronous]\ntolerance = 1e-2", Some(&SquaredError {})),
        (SIGMOID, "even-odd]\ntolerance = 1e-3", Some(&given)),
        ("dynamics = \"energy\"\ndt = 0.4", "synchronous]\ntolerance = 1e-2", Some(&SquaredError {})),
        (noisy, "synchronous]\ntolerance = 2e-2", None),
    ];
    let mut apart = 0;
    for (neuron, solver, nudge) in cases {
        let fixture = Fixture::new(&settling(neuron, solver));
        let (all, done) = fixture.relax(0..ROWS, nudge, 40);
        let mut sweeps = std::collections::BTreeSet::new();
        let mut sum = RelaxationStats::default();
        for r in 0..ROWS {
            let (alone, one) = fixture.relax(r..r + 1, nudge, 40);
            for p in 1..fixture.network.populations.len() {
                assert_eq!(row(&all.out[p], r), row(&alone.out[p], 0), "{solver}: sample {r}, layer {p}");
                assert_eq!(row(&all.h[p], r), row(&alone.h[p], 0), "{solver}: sample {r}, layer {p}");
            }
            assert_eq!(
                (all.change[r], all.samples[r]),
                (alone.change[0], r),
                "{solver}: rows are back in order"
            );
            assert_eq!((all.target.part(r..r + 1), all.beta[r]), (alone.target.part(0..1), alone.beta[0]));
            sweeps.insert(one.sweeps);
            sum = sum.with(one);
        }
        assert_eq!(done, sum, "{solver}: counts of the batch are those of its samples");
        apart += usize::from(sweeps.len() > 1);
    }
    assert!(apart > 5, "samples stop apart in {apart} cases");
}

/// A sample that takes all steps is unsettled if its last change is above the tolerance; one that reaches it is not.
#[test]
fn unsettled_samples_are_counted() {
    for solver in ["synchronous", "even-odd", "anderson"] {
        let of = |more: &str| Fixture::new(&settling(SIGMOID, &format!("{solver}]\n{more}")));
        let fixture = of("tolerance = 1e-3");
        let mut counts = Vec::new();
        for steps in 1..40 {
            let (state, done) = fixture.relax(0..ROWS, None, steps);
            let above = state.change.iter().filter(|c| **c > 1e-3).count() as u64;
            assert_eq!((done.unsettled, done.samples), (above, ROWS as u64), "{solver} after {steps}");
            assert_eq!(
                done.residual,
                state.change.iter().copied().fold(0.0, f64::max),
                "{solver} after {steps}"
            );
            assert!(done.sweeps <= (ROWS * steps) as u64 * if solver == "anderson" { 2 } else { 1 });
            counts.push(above);
        }
        assert!(
            counts[0] == 8 && counts[38] == 0 && counts.windows(2).any(|c| c[1] > 0 && c[1] < c[0]),
            "{counts:?}"
        );
        let (_, without) = of("").relax(0..ROWS, None, 2);
        assert_eq!(
            (without.unsettled, without.sweeps),
            (0, 16),
            "{solver}: without a tolerance all take all steps"
        );
    }
}

/// What a sample mixed last was never looked at: it ends with what its output's group gives in a plain sweep.
#[test]
fn a_mixed_sample_ends_with_a_plain_sweep() {
    let fixture = Fixture::new(&settling(SIGMOID, "anderson]\ntolerance = 1e-4"));
    let (state, done) = fixture.relax(0..ROWS, None, 60);
    assert_eq!(done.unsettled, 0);
    let mut again = state.clone();
    fixture.solver.advance(&fixture.network, &mut again, &fixture.solver.plan.0[1], None, 0..ROWS);
    assert_eq!(again.out, state.out);
}

/// A phase with held outputs, like a nudged one, is swept plainly: what mixing looks back at belongs to free phases.
#[test]
fn held_outputs_are_not_mixed() {
    let after = |solver: &str, hold: bool| {
        let fixture = Fixture::new(&settling(SIGMOID, &format!("{solver}]")));
        let constant = fixture.network.constant_drive(fixture.batch.x.view());
        let mut state = State::new(&fixture.network, &constant, 0..ROWS, &fixture.batch.target);
        state.clamped_output = hold.then(|| fixture.network.output());
        fixture.solver.relax(&fixture.network, &mut state, None, 9, "test").unwrap();
        state.out
    };
    assert_eq!(after("anderson", true), after("even-odd", true));
    assert_ne!(after("anderson", false), after("even-odd", false));
}

/// One population that nothing but the input drives: in every step its drive is the same but for the noise.
#[test]
fn noise_is_new_in_every_step_and_copy() {
    let recipe = recipe(
        &[20, 5],
        "[neuron.settle]\nactivation = \"shifted-sigmoid\"\nnoise = 0.5\n[credit.eq-prop]\nbeta = 1e-9\nfree-steps = 3\n\
         nudged-steps = 1\n",
    );
    let fixture = Fixture::new(&recipe);
    let after = |steps| row(&fixture.relax(0..ROWS, None, steps).0.out[1], 0);
    assert_eq!(after(2), after(2));
    let steps: Vec<_> = (1..5).map(after).collect();
    for (i, a) in steps.iter().enumerate() {
        assert!(steps[..i].iter().all(|b| b != a), "step {i} repeats an earlier one");
    }
    let mut credit = recipe.credit.build(&recipe.solver, &fixture.network, 8).unwrap();
    let objective = recipe.objective.build();
    let phases = |key: &Key| credit.phases(&fixture.network, &fixture.batch, &*objective, key).unwrap();
    let of = |key: &Key| phases(key).into_iter().map(|s| row(&s.out[1], 0)).collect::<Vec<_>>();
    let (one, other) = (of(&Key::new(1)), of(&Key::new(2)));
    assert!(one.len() == 3 && one[0] != one[1] && one[1] != one[2] && one[0] != one[2]);
    assert!(one.iter().zip(&other).all(|(a, b)| a != b), "an update has numbers of its own");
    assert_eq!(one, of(&Key::new(1)));
    let quiet = credit.free(&fixture.network, &fixture.batch, &*objective).unwrap();
    assert_ne!(row(&quiet.out[1], 0), one[0], "evaluation is quiet");
    let mut copies = Noise::new(&Key::new(1), &[4, 7]);
    let add = |noise: &Noise, rows: usize| {
        let mut d = Mat::zeros(DType::F64, rows, 3);
        noise.add(1, 1.0, 0..rows, d.view_mut());
        d
    };
    let (own, tiled) = (add(&copies, 2), add(&copies.tile(2), 4));
    let all = [row(&own, 0), row(&own, 1), row(&tiled, 0), row(&tiled, 1), row(&tiled, 2), row(&tiled, 3)];
    assert!((0..6).all(|i| all[..i].iter().all(|b| *b != all[i])), "copies have numbers of their own");
    copies.swap_rows(0, 1);
    assert_eq!((row(&add(&copies, 2), 0), row(&add(&copies, 2), 1)), (row(&own, 1), row(&own, 0)));
    let (mut network, mut sink) = (recipe.build().unwrap(), GradCollector::default());
    let step = credit.learn(&mut network, &fixture.batch, &*objective, &mut sink, &Key::new(1)).unwrap();
    assert_eq!(step.nudged.samples, 16, "two nudged phases");
}

/// Mixing looks back at `history` sweeps: one is not fifty. A refused step costs a sweep of its output's group.
#[test]
fn mixing_looks_back_as_far_as_it_says() {
    let strong = |history: usize| {
        Fixture::new(&recipe(
            &[20, 40, 40, 40, 10],
            &format!(
                "[neuron.settle]\nactivation = \"shifted-sigmoid\"\n[wiring.dense]\ngain = 1.6\n[credit.eq-prop]\nbeta = 0.01\n\
                 free-steps = 40\nnudged-steps = 4\n[solver.anderson]\nhistory = {history}\n"
            ),
        ))
    };
    let run = |history, steps| strong(history).relax(0..ROWS, None, steps);
    assert_eq!(run(1, 3).0.out, run(50, 3).0.out, "there is one pair to look back at");
    assert_ne!(run(1, 5).0.out, run(50, 5).0.out);
    assert_eq!(run(5, 7).0.out, run(50, 7).0.out, "five pairs");
    assert_ne!(run(5, 9).0.out, run(50, 9).0.out);
    let sweeps: Vec<u64> = [1, 5, 50].map(|history| run(history, 40).1.sweeps).to_vec();
    assert!(sweeps.iter().any(|s| *s > 8 * 40), "no step was refused: {sweeps:?}");
    for steps in 1..40 {
        let last = run(5, steps).1.sweeps;
        assert!(last >= (8 * steps) as u64, "{steps}: {last}");
    }
}

/// A unit whose state is zero sends ρ(0); a mixed or over-relaxed one stays in its box.
#[test]
fn units_begin_at_rest_and_stay_in_their_box() {
    let energy =
        Fixture::new(&settling("activation = \"shifted-sigmoid\"\ndynamics = \"energy\"", "synchronous]"));
    let rest = 1.0 / (1.0 + 2.0_f64.exp());
    let (state, _) = energy.relax(0..ROWS, None, 0);
    assert!((1..4).all(|p| state.out[p].to_f64s().iter().all(|x| (x - rest).abs() < 1e-12)));
    for solver in ["even-odd]\nrelaxation = 1.9", "anderson]", "synchronous]"] {
        let mut edges = 0;
        for steps in 1..12 {
            let fixture = Fixture::new(&settling("activation = \"hard-sigmoid\"", solver));
            let (state, _) = fixture.relax(0..ROWS, None, steps);
            let all: Vec<f64> = (1..4).flat_map(|p| state.out[p].to_f64s()).collect();
            assert!(all.iter().all(|x| (0.0..=1.0).contains(x)), "{solver} {steps}");
            edges += all.iter().filter(|x| **x == 0.0 || **x == 1.0).count();
        }
        assert!(edges > 0, "{solver}: nothing reaches an edge");
    }
}
