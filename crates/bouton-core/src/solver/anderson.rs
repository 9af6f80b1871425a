//! Even-odd sweeps with Anderson mixing, guarded by the energy.
//!
//! A sweep first moves the output's group, which only depends on the other one: with z the other group, it is a map
//! z → g(z). From residuals f = g(z) − z of the last sweeps, the next z is g − Σ ⟨q_j, f⟩ p_j, where the q_j are an
//! orthonormal basis of their differences and p_j the same combinations of differences of g (Anderson 1965, in the
//! multisecant form). Unguarded it changes attractors: a step counts only if the energy E = Σ∫σ⁻¹ − Φ of the state that
//! follows is not above that of the plain sweep, else the sample goes on from there.

use super::relax::{RelaxationStats, Solver};
use super::{EvenOdd, Plan, SolverMethod, SolverSpec, SolverTraits};
use crate::axis::Cite;
use crate::network::{Network, PopId, State};
use crate::neuron::Activation;
use bouton_kernels::{DType, Elem, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Even-odd sweeps with energy-guarded Anderson mixing in free phases (`[solver.anderson]`); nudged phases, which take few
/// sweeps, are plain even-odd ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AndersonMixing {
    /// Sweeps that a step looks back at before it starts over. Default 5.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 100,
        "x-hint" = "5 is usual; so many states of every sample are kept"
    ))]
    pub history: usize,
    /// A sample stops once no unit of its second group moved by more than this in a sweep. Absent: every sample takes all
    /// steps.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "leave it out to take every sweep; 1e-4 is a start"
    ))]
    pub tolerance: Option<f64>,
}

impl Default for AndersonMixing {
    fn default() -> Self {
        Self { history: 5, tolerance: None }
    }
}

impl SolverMethod for AndersonMixing {
    fn cites(&self) -> Vec<Cite> {
        let sweeps = Cite::setting("scellier2023", "even-odd sweeps");
        vec![sweeps, Cite::of("anderson1965")]
    }

    fn traits(&self) -> SolverTraits {
        SolverTraits { tolerance: self.tolerance, blocks: true, history: self.history, relaxes: false }
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { history: 2, tolerance: Some(1e-8) }]
    }

    fn plain(&self) -> SolverSpec {
        SolverSpec::EvenOdd(EvenOdd::default())
    }

    fn build(&self, network: &Network) -> Solver {
        let plain = Solver::plain(Plan::even_odd(network));
        Solver { history: self.history, tolerance: self.tolerance, ..plain }
    }
}

/// What one sample remembers of its sweeps.
#[derive(Clone, Debug, Default)]
struct Past {
    /// Residual and image of the last sweep.
    last: Option<(Vec<f64>, Vec<f64>)>,
    /// Pairs (q, p).
    basis: Vec<(Vec<f64>, Vec<f64>)>,
    /// Energy and image of the plain sweep that a mixed step must not lose to.
    plain: Option<(f64, Vec<f64>)>,
}

/// Free relaxation by a solver of two groups: the output's, and the other one, which is mixed.
pub(super) struct Anderson<'a> {
    pub solver: &'a Solver,
    pub network: &'a Network,
    pub output: &'a [PopId],
    pub other: &'a [PopId],
}

impl Anderson<'_> {
    /// At most `steps` sweeps; samples that reach the tolerance stop and move behind the others, whose number is returned.
    pub(super) fn relax(&self, state: &mut State, steps: usize) -> (RelaxationStats, usize) {
        let (rows, output, other) = (state.rows(), self.output, self.other);
        let mut past = vec![Past::default(); rows];
        let mut before = vec![Vec::new(); rows];
        let mut active = rows;
        let mut done = RelaxationStats { samples: rows as u64, ..RelaxationStats::default() };
        for sweep in 1..=steps {
            self.solver.advance(self.network, state, output, None, 0..active);
            done.sweeps += self.guard(state, &mut past, active);
            for row in 0..active {
                before[row] = gather(state, other, row);
            }
            state.change[..active].fill(0.0);
            self.solver.advance(self.network, state, other, None, 0..active);
            done.sweeps += active as u64;
            if sweep == steps {
                break;
            }
            for row in 0..active {
                self.mix(state, &mut past[row], &before[row], row);
            }
            for row in (0..active).rev() {
                if self.solver.tolerance.is_some_and(|t| state.change[row] <= t) {
                    // What it mixed was never looked at: back to the plain sweep.
                    if let Some((_, image)) = past[row].plain.take() {
                        scatter(state, other, row, &image);
                    }
                    done.residual = done.residual.max(state.change[row]);
                    active -= 1;
                    state.swap_rows(row, active);
                    past.swap(row, active);
                }
            }
            if active == 0 {
                break;
            }
        }
        (done, active)
    }

    /// Sends samples whose mixed step has more energy than the plain one back to it and moves the output's group again;
    /// returns how many they were.
    fn guard(&self, state: &mut State, past: &mut [Past], active: usize) -> u64 {
        let (output, other) = (self.output, self.other);
        let worse = |row: usize, past: &mut Past| {
            let (plain, image) = past.plain.take()?;
            let slack = plain.abs() * if self.network.dtype == DType::F32 { 1e-7 } else { 1e-15 };
            let kept = self.energy(state, output, other, row) <= plain + slack;
            (!kept).then_some((row, image))
        };
        let back: Vec<_> = (0..active).filter_map(|row| worse(row, &mut past[row])).collect();
        for (front, (row, image)) in back.iter().enumerate() {
            scatter(state, other, *row, image);
            past[*row].basis.clear();
            // Rows are in ascending order: none that is still to come has been exchanged.
            state.swap_rows(*row, front);
            past.swap(*row, front);
        }
        self.solver.advance(self.network, state, output, None, 0..back.len());
        back.len() as u64
    }

    /// Replaces the image of the last sweep by the mixed one, if there is enough past, and remembers both.
    fn mix(&self, state: &mut State, past: &mut Past, before: &[f64], row: usize) {
        let (output, other) = (self.output, self.other);
        let image = gather(state, other, row);
        let residual: Vec<f64> = image.iter().zip(before).map(|(g, z)| g - z).collect();
        if let Some((f, g)) = past.last.replace((residual.clone(), image.clone())) {
            if past.basis.len() == self.solver.history {
                past.basis.clear();
            }
            past.basis.extend(pair(&past.basis, minus(&residual, &f), minus(&image, &g)));
        }
        if past.basis.is_empty() {
            return;
        }
        let mut mixed = image.clone();
        for (q, p) in &past.basis {
            add(&mut mixed, -dot(q, &residual), p);
        }
        past.plain = Some((self.energy(state, other, output, row), image));
        scatter(state, other, row, &mixed);
        self.clip(state, row);
    }

    /// E of one sample right after `moved` took its drives from `still`.
    fn energy(&self, state: &State, moved: &[PopId], still: &[PopId], row: usize) -> f64 {
        let of = |p: PopId, drives: &bouton_kernels::Mat| {
            let activation = self.network.populations[p].model.activation();
            dispatch!(self.network.dtype, T => {
                let s = state.out[p].view().row::<T>(row).iter();
                let drives = drives.view();
                s.zip(drives.row::<T>(row)).map(|(&s, &d)| {
                    let s = s.to_f64();
                    activation.and_then(|a| a.potential(s)).unwrap_or(f64::NAN) - s * d.to_f64()
                }).sum::<f64>()
            })
        };
        let moved = moved.iter().map(|&p| of(p, &state.drive[p]));
        moved.chain(still.iter().map(|&p| of(p, &state.constant[p]))).sum()
    }

    /// Clips mixed states to what their activations can reach.
    fn clip(&self, state: &mut State, row: usize) {
        for &p in self.other {
            let range = self.network.populations[p].model.activation().and_then(Activation::range);
            let Some((low, high)) = range else { continue };
            dispatch!(self.network.dtype, T => {
                let mut out = state.out[p].view_mut();
                out.row_mut::<T>(row).iter_mut().for_each(|s| *s = s.clamp(low as T, high as T));
            });
        }
    }
}

/// The states of some populations of one sample.
fn gather(state: &State, pops: &[PopId], row: usize) -> Vec<f64> {
    let of = |&p: &PopId| -> Vec<f64> {
        let out = &state.out[p];
        dispatch!(out.dtype(), T => out.view().row::<T>(row).iter().map(|s| s.to_f64()).collect())
    };
    pops.iter().flat_map(of).collect()
}

fn scatter(state: &mut State, pops: &[PopId], row: usize, values: &[f64]) {
    let mut values = values.iter();
    for &p in pops {
        let out = &mut state.out[p];
        dispatch!(out.dtype(), T => {
            let mut out = out.view_mut();
            out.row_mut::<T>(row).iter_mut().zip(&mut values).for_each(|(s, &v)| *s = v as T);
        });
    }
}

/// The next pair of a basis; none if the difference lies in its span.
fn pair(basis: &[(Vec<f64>, Vec<f64>)], mut df: Vec<f64>, mut dg: Vec<f64>) -> Option<(Vec<f64>, Vec<f64>)> {
    let size = dot(&df, &df).sqrt();
    for (q, p) in basis {
        let along = dot(q, &df);
        add(&mut df, -along, q);
        add(&mut dg, -along, p);
    }
    let rest = dot(&df, &df).sqrt();
    let unit = |v: Vec<f64>| v.into_iter().map(|x| x / rest).collect();
    (rest > 1e-6 * size).then(|| (unit(df), unit(dg)))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(t, w)| *t += factor * w);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Feedback;
    use crate::network::by_hand::{connection, network, node};
    use crate::wiring::DenseWiring;
    use bouton_kernels::Mat;

    /// What `look` finds in a solver of two groups and one sample with six hidden units at 0.9.
    fn with<R>(look: impl FnOnce(&Anderson<'_>, &mut State) -> R) -> R {
        let settling = Some(Activation::HardSigmoid);
        let nodes =
            vec![node("x", [1, 1, 4], None), node("h", [1, 1, 6], settling), node("y", [1, 1, 3], settling)];
        let dense = |pre, post| DenseWiring { pre, post, sparse: false };
        let enters = connection([0, 1], dense(4, 6), None, Feedback::None);
        let network = network(nodes, vec![enters, connection([1, 2], dense(6, 3), None, Feedback::Tied)]);
        let solver = Solver::new(&SolverSpec::Anderson(AndersonMixing::default()), &network).unwrap();
        let [output, other] = &solver.plan.0[..] else { panic!("two groups") };
        let constant = network.constant_drive(Mat::from_fn(DType::F64, 1, 4, |_, c| c as f64 / 4.0).view());
        let mut state = State::new(&network, &constant, 0..1, &crate::objective::Target::None(1));
        let anderson = Anderson { solver: &solver, network: &network, output, other };
        scatter(&mut state, other, 0, &[0.9; 6]);
        look(&anderson, &mut state)
    }

    #[test]
    fn a_mixed_state_stays_in_the_range_of_its_units() {
        let mixed = with(|anderson, state| {
            // Residuals that shrink slowly: the secant leads far out.
            let mut past = Past { last: Some((vec![0.2; 6], vec![0.8; 6])), ..Past::default() };
            anderson.mix(state, &mut past, &[0.75; 6], 0);
            assert_eq!(past.basis.len(), 1);
            gather(state, anderson.other, 0)
        });
        assert_eq!(mixed, [1.0; 6]);
    }

    #[test]
    fn a_refused_step_forgets_its_basis() {
        with(|anderson, state| {
            let basis = vec![(vec![1.0; 6], vec![1.0; 6])];
            let mut past = [Past { plain: Some((-1e9, vec![0.5; 6])), basis, ..Past::default() }];
            assert_eq!(anderson.guard(state, &mut past, 1), 1, "no state has so little energy");
            assert!(past[0].basis.is_empty());
            assert_eq!(gather(state, anderson.other, 0), [0.5; 6]);
        });
    }
}
