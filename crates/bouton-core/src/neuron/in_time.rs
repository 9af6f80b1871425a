//! The way back through one step in time, in registers of the network's own numbers.
//!
//! With (h', s) = step(c, d, h) and gradients λ of h' and g of s: ∂ℓ/∂d = Σ λ ∂h'/∂d + g ∂s/∂d, and likewise along h. Constants c
//! of units with numbers of their own are made once for all samples; what flows back into them is summed first and then goes
//! through [`Neuron::prepare`].

use super::population::{Ctx, Inputs, OwnStep, RealStep, no_rows, no_slices};
use super::{Neuron, Now};
use bouton_kernels::{Dual, Elem, Slopes, View, ViewMut, pointwise_back};

/// Gradients on the way back through a step in time.
#[derive(Debug)]
pub struct StepGradients<'a> {
    /// With respect to the output after the step, [rows, units].
    pub out: View<'a>,
    /// With respect to the states after the step, [rows, S·units]; receives that of the states before it.
    pub state: ViewMut<'a>,
    /// Receives the one with respect to the drives, [rows, ports·units].
    pub drive: ViewMut<'a>,
    /// Sums that those of the units' own numbers are added to, [K, units]; nobody learns them if there is none.
    pub own: Option<ViewMut<'a>>,
}

/// The constants of units with numbers of their own, one row each.
pub(super) fn prepared<
    N: Neuron<K, C, P, S>,
    T: Elem,
    const K: usize,
    const C: usize,
    const P: usize,
    const S: usize,
>(
    neuron: &N,
    now: Now<T>,
    own: [&[T]; K],
    constants: &mut [Vec<T>; C],
) {
    let units = own.first().map_or(0, |own| own.len());
    constants.iter_mut().for_each(|row| row.clear());
    for i in 0..units {
        let made = neuron.prepare(now, own.map(|own| own[i]));
        constants.iter_mut().zip(made).for_each(|(row, c)| row.push(c));
    }
}

/// Back through one step of all samples of units whose ports are drives.
pub(super) fn backward<
    N: Neuron<K, C, P, S>,
    T: Elem,
    const K: usize,
    const C: usize,
    const P: usize,
    const S: usize,
>(
    neuron: &N,
    ctx: &Ctx,
    input: Inputs<'_>,
    before: View<'_>,
    g: StepGradients<'_>,
) {
    let StepGradients { out, mut state, mut drive, own: mut sums } = g;
    let now = Now { step: T::from_f64(ctx.step), nudge_gain: T::default() };
    let mut own: [&[T]; K] = [&[]; K];
    for (k, own) in own.iter_mut().enumerate() {
        *own = input.own.row::<T>(k);
    }
    let (mut constants, mut g_constants) = (no_rows::<T, C>(), no_rows::<T, C>());
    if K > 0 {
        prepared(neuron, now, own, &mut constants);
        g_constants.iter_mut().for_each(|row| row.resize(out.cols(), T::default()));
    }
    let shared = neuron.prepare(now, [now.step; K]);
    for r in 0..out.rows() {
        let (units, g_input) = (out.cols(), drive.row_mut::<T>(r).chunks_mut(out.cols()));
        let (mut states, mut g_state) = ([&[][..]; S], no_slices::<T, S>());
        if S > 0 {
            let parts = before.row::<T>(r).chunks(units).zip(state.row_mut::<T>(r).chunks_mut(units));
            for ((state, g), (of, g_of)) in states.iter_mut().zip(&mut g_state).zip(parts) {
                (*state, *g) = (of, g_of);
            }
        }
        let (drives, g_out) = (input.drive.row::<T>(r), out.row::<T>(r));
        let ports: [&[T]; P] = std::array::from_fn(|p| &drives[p * units..(p + 1) * units]);
        let mut g_ports: [&mut [T]; P] = no_slices();
        g_ports.iter_mut().zip(g_input).for_each(|(port, g)| *port = g);
        if const { K == 0 } {
            let all = Slopes {
                own: [],
                input: ports,
                state: states,
                g_out,
                g_state,
                g_input: g_ports,
                g_own: None,
            };
            pointwise_back(RealStep::<N, K>(*neuron), shared, all);
        } else {
            let mut rows: [&[T]; C] = [&[]; C];
            rows.iter_mut().zip(&constants).for_each(|(row, all)| *row = all);
            let g_own = sums.is_some().then(|| {
                let mut g: [&mut [T]; C] = no_slices();
                g.iter_mut().zip(&mut g_constants).for_each(|(g, all)| *g = all);
                g
            });
            let all =
                Slopes { own: rows, input: ports, state: states, g_out, g_state, g_input: g_ports, g_own };
            pointwise_back(OwnStep::<N, K>(*neuron), [], all);
        }
    }
    if let Some(sums) = &mut sums {
        through_constants(neuron, ctx, own, &g_constants, sums);
    }
}

/// Adds Σ_c ∂ℓ/∂c ∂c/∂own to `sums`.
fn through_constants<
    N: Neuron<K, C, P, S>,
    T: Elem,
    const K: usize,
    const C: usize,
    const P: usize,
    const S: usize,
>(
    neuron: &N,
    ctx: &Ctx,
    own: [&[T]; K],
    g_constants: &[Vec<T>; C],
    sums: &mut ViewMut<'_>,
) {
    let now = Now { step: Dual::<f64, 1>::cst(ctx.step), nudge_gain: Dual::cst(0.0) };
    for k in 0..K {
        for (i, sum) in sums.row_mut::<T>(k).iter_mut().enumerate() {
            let along = |j: usize| match own[j][i].to_f64() {
                x if j == k => Dual::var(x, 0),
                x => Dual::cst(x),
            };
            let made = neuron.prepare(now, std::array::from_fn(along));
            let slope: f64 = made.iter().zip(g_constants).map(|(c, g)| c.eps[0] * g[i].to_f64()).sum();
            *sum += T::from_f64(slope);
        }
    }
}
