//! Many units of one kind, for many samples: the sweep forwards and the pull backwards.

use super::{Activation, Input, Neuron};
use bouton_kernels::{Dual, Elem, Real, View, ViewMut, dispatch, vectorize};

/// Units handled together; their intermediate values stay on the stack.
const BLOCK: usize = 256;
/// Independent maxima kept by the change of a sweep, so that the loop vectorises.
const LANES: usize = 16;

/// What a sweep needs to know beside its inputs.
#[derive(Clone, Copy, Debug)]
pub struct Ctx {
    /// Over-relaxation ω; 1 = none.
    pub omega: f64,
}

impl Default for Ctx {
    fn default() -> Self {
        Self { omega: 1.0 }
    }
}

/// Input of a population, one row per sample.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Drive, [rows, units].
    pub drive: View<'a>,
    /// Nudge: force [rows, units] and stiffness per row (empty: none).
    pub nudge: Option<(View<'a>, &'a [f64])>,
}

/// A population as the network sees it. Matrices have one row per sample and one column per unit.
pub trait Population: Send + Sync + std::fmt::Debug {
    /// State variables stored per unit beside the output: 0 or 1.
    fn stored(&self) -> usize;
    /// Output of a unit whose state is zero: where a relaxation starts.
    fn rest(&self) -> f64;
    /// The activation of settling units.
    fn activation(&self) -> Option<Activation>;
    /// One step in place; `change[row]` becomes the largest |Δ output| of the row if that is larger.
    fn advance(&self, ctx: &Ctx, input: Inputs<'_>, h: ViewMut<'_>, out: ViewMut<'_>, change: &mut [f64]);
    /// Backwards through a free step. `before` is the state before it; `g` holds the gradient with respect to the
    /// state (or output) after it and receives the one with respect to the state before it; `g_out` is the gradient
    /// with respect to the output where that is not the state; `g_drive` is overwritten.
    fn pull(
        &self,
        ctx: &Ctx,
        drive: View<'_>,
        before: View<'_>,
        g_out: View<'_>,
        g: ViewMut<'_>,
        g_drive: ViewMut<'_>,
    );
}

/// The population of a scalar [`Neuron`].
#[derive(Clone, Copy, Debug)]
pub struct Units<N, const C: usize, const S: usize>(pub N);

impl<N: Neuron<C, S>, const C: usize, const S: usize> Population for Units<N, C, S> {
    fn stored(&self) -> usize {
        if N::SHARED { 0 } else { S }
    }

    fn rest(&self) -> f64 {
        self.0.rest()
    }

    fn activation(&self) -> Option<Activation> {
        N::ACTIVATION
    }

    fn advance(&self, ctx: &Ctx, input: Inputs<'_>, h: ViewMut<'_>, out: ViewMut<'_>, change: &mut [f64]) {
        dispatch!(out.dtype(), T => advance::<N, T, C, S>(&self.0, ctx, input, h, out, change));
    }

    fn pull(
        &self,
        ctx: &Ctx,
        drive: View<'_>,
        before: View<'_>,
        g_out: View<'_>,
        g: ViewMut<'_>,
        g_drive: ViewMut<'_>,
    ) {
        dispatch!(drive.dtype(), T => pull::<N, T, C, S>(&self.0, ctx, drive, before, g_out, g, g_drive));
    }
}

fn advance<N: Neuron<C, S>, T: Elem, const C: usize, const S: usize>(
    neuron: &N,
    ctx: &Ctx,
    input: Inputs<'_>,
    mut h: ViewMut<'_>,
    mut out: ViewMut<'_>,
    change: &mut [f64],
) {
    let c = neuron.prepare(T::from_f64(ctx.omega));
    let zeros = [T::default(); BLOCK];
    for (r, change) in change.iter_mut().enumerate().take(out.rows()) {
        let drive = input.drive.row::<T>(r);
        let (force, stiffness) = match input.nudge {
            Some((force, stiffness)) => {
                (Some(force.row::<T>(r)), T::from_f64(stiffness.get(r).copied().unwrap_or(0.0)))
            }
            None => (None, T::default()),
        };
        let (row, units) = (out.row_mut::<T>(r), drive.len());
        let h = if N::SHARED || S == 0 { &mut [][..] } else { h.row_mut::<T>(r) };
        for at in (0..units).step_by(BLOCK) {
            let n = BLOCK.min(units - at);
            let force = force.map_or(&zeros[..n], |f| &f[at..at + n]);
            let state = if h.is_empty() { &mut [][..] } else { &mut h[at..at + n] };
            let moved = block(neuron, c, &drive[at..at + n], force, stiffness, state, &mut row[at..at + n]);
            *change = change.max(moved.to_f64());
        }
    }
}

/// One step of up to [`BLOCK`] units; the largest |Δ output|.
fn block<N: Neuron<C, S>, T: Elem, const C: usize, const S: usize>(
    neuron: &N,
    c: [T; C],
    drive: &[T],
    force: &[T],
    stiffness: T,
    h: &mut [T],
    out: &mut [T],
) -> T {
    vectorize(
        #[inline(always)]
        || {
            let n = drive.len();
            let mut moved = [T::default(); BLOCK];
            let (force, out, delta) = (&force[..n], &mut out[..n], &mut moved[..n]);
            if N::SHARED || S == 0 {
                for i in 0..n {
                    let input = Input { drive: drive[i], force: force[i], stiffness };
                    let old = out[i];
                    let (_, new) = neuron.step(c, input, [old; S]);
                    delta[i] = (new - old).abs();
                    out[i] = new;
                }
            } else {
                let h = &mut h[..n];
                for i in 0..n {
                    let input = Input { drive: drive[i], force: force[i], stiffness };
                    let (state, new) = neuron.step(c, input, [h[i]; S]);
                    delta[i] = (new - out[i]).abs();
                    (h[i], out[i]) = (state[0], new);
                }
            }
            largest(&moved)
        },
    )
}

/// The largest of non-negative values.
#[inline(always)]
fn largest<T: Elem>(values: &[T; BLOCK]) -> T {
    let mut lanes = [T::default(); LANES];
    for chunk in values.chunks_exact(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = lane.max(value);
        }
    }
    lanes.into_iter().fold(T::default(), T::max)
}

/// Local Jacobians in 64 bits whatever `T` is: gradients of reference are worth more than their speed, and one number
/// type less halves the code that is compiled for every unit.
fn pull<N: Neuron<C, S>, T: Elem, const C: usize, const S: usize>(
    neuron: &N,
    ctx: &Ctx,
    drive: View<'_>,
    before: View<'_>,
    g_out: View<'_>,
    mut g: ViewMut<'_>,
    mut g_drive: ViewMut<'_>,
) {
    let c = neuron.prepare(Dual::<f64, 2>::lit(ctx.omega));
    let (drive, g_out) = (drive.slice::<T>(), g_out.slice::<T>());
    let before = if S == 0 { drive } else { before.slice::<T>() };
    let (g, g_drive) = (g.slice_mut::<T>(), g_drive.slice_mut::<T>());
    let zero = Dual::cst(0.0);
    for i in 0..drive.len() {
        let input = Input { drive: Dual::var(drive[i].to_f64(), 0), force: zero, stiffness: zero };
        let (state, out) = neuron.step(c, input, [Dual::var(before[i].to_f64(), 1); S]);
        let mut by = out.eps.map(|e| e * g_out[i].to_f64());
        if !N::SHARED && S > 0 {
            by = [0, 1].map(|k| by[k] + state[0].eps[k] * g[i].to_f64());
        }
        (g_drive[i], g[i]) = (T::from_f64(by[0]), T::from_f64(by[1]));
    }
}
