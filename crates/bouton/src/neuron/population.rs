//! Many units of one kind, for many samples: the sweep forwards and the pull backwards.

use super::{Activation, Input, Neuron};
use bouton_kernels::{Complex, Dual, Elem, Pointwise, Real, View, ViewMut, dispatch, pointwise};

/// Units of a row handled together.
const BLOCK: usize = 512;

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
    /// Whether [`Population::advance_complex`] has a meaning.
    fn is_analytic(&self) -> bool;
    /// A step in complex numbers: the first half of all rows holds real parts, the second half imaginary ones.
    /// `change[row]`, one per complex row, becomes the largest change of either part if that is larger.
    fn advance_complex(&self, input: Inputs<'_>, out: ViewMut<'_>, change: &mut [f64]);
    /// Backwards through a free step. `before` is the state before it; `g_out` is the gradient with respect to the output
    /// after it, `g` holds the one with respect to the state after it, where that is not the output, and receives the one
    /// with respect to the state before it; `g_drive` is overwritten.
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

    fn is_analytic(&self) -> bool {
        N::ANALYTIC
    }

    fn advance_complex(&self, input: Inputs<'_>, out: ViewMut<'_>, change: &mut [f64]) {
        if N::ANALYTIC {
            dispatch!(out.dtype(), T => advance_complex::<N, T, C, S>(&self.0, input, out, change));
        }
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

/// One step of a unit as an equation; parameters are ω and the stiffness, inputs the drive and the force.
#[derive(Clone, Copy)]
struct Move<N, const C: usize, const S: usize>(N);

impl<N: Neuron<C, S>, const C: usize, const S: usize> Pointwise<2, 2, 1> for Move<N, C, S> {
    /// The output is all that the unit keeps.
    #[inline(always)]
    fn at<T: Real>(self, [omega, stiffness]: [T; 2], [drive, force]: [T; 2], [out]: [T; 1]) -> [T; 1] {
        [self.0.step(self.0.prepare(omega), Input { drive, force, stiffness }, [out; S]).1]
    }
}

impl<N: Neuron<C, S>, const C: usize, const S: usize> Pointwise<2, 2, 2> for Move<N, C, S> {
    /// State and output.
    #[inline(always)]
    fn at<T: Real>(self, [omega, stiffness]: [T; 2], [drive, force]: [T; 2], [h, _]: [T; 2]) -> [T; 2] {
        let (h, out) = self.0.step(self.0.prepare(omega), Input { drive, force, stiffness }, [h; S]);
        [h[0], out]
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
    let omega = T::from_f64(ctx.omega);
    let none = [T::default(); BLOCK];
    for (r, change) in change.iter_mut().enumerate().take(out.rows()) {
        let (force, stiffness) = match input.nudge {
            Some((force, stiffness)) => (Some(force.row::<T>(r)), stiffness.get(r).copied().unwrap_or(0.0)),
            None => (None, 0.0),
        };
        let params = [omega, T::from_f64(stiffness)];
        let (drive, out) = (input.drive.row::<T>(r), out.row_mut::<T>(r));
        let h = if N::SHARED || S == 0 { &mut [][..] } else { h.row_mut::<T>(r) };
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let at = block * BLOCK..block * BLOCK + out.len();
            let inputs = [&drive[at.clone()], force.map_or(&none[..out.len()], |f| &f[at.clone()])];
            let moved = if N::SHARED || S == 0 {
                pointwise(Move::<N, C, S>(*neuron), params, inputs, [out])
            } else {
                pointwise(Move::<N, C, S>(*neuron), params, inputs, [&mut h[at], out])
            };
            *change = change.max(moved.to_f64());
        }
    }
}

/// One step of a unit in complex numbers; parameters are the parts of the stiffness, inputs those of drive and force.
#[derive(Clone, Copy)]
struct Turn<N, const C: usize, const S: usize>(N);

impl<N: Neuron<C, S>, const C: usize, const S: usize> Pointwise<2, 4, 2> for Turn<N, C, S> {
    #[inline(always)]
    fn at<T: Real>(self, [k, ki]: [T; 2], [d, di, f, fi]: [T; 4], [s, si]: [T; 2]) -> [T; 2] {
        let complex = |re, im| Complex { re, im };
        let input = Input { drive: complex(d, di), force: complex(f, fi), stiffness: complex(k, ki) };
        let new = self.0.analytic(input, complex(s, si));
        [new.re, new.im]
    }
}

fn advance_complex<N: Neuron<C, S>, T: Elem, const C: usize, const S: usize>(
    neuron: &N,
    input: Inputs<'_>,
    out: ViewMut<'_>,
    change: &mut [f64],
) {
    let n = out.rows() / 2;
    let none = vec![T::default(); out.cols()];
    let (mut re, mut im) = out.split_rows(n);
    for (r, change) in change.iter_mut().enumerate().take(n) {
        let (force, stiffness) = match input.nudge {
            Some((force, k)) => {
                let at = |r: usize| T::from_f64(k.get(r).copied().unwrap_or(0.0));
                ([force.row::<T>(r), force.row::<T>(n + r)], [at(r), at(n + r)])
            }
            None => ([&none[..]; 2], [T::default(); 2]),
        };
        let drive = [input.drive.row::<T>(r), input.drive.row::<T>(n + r)];
        let inputs = [drive[0], drive[1], force[0], force[1]];
        let before = re.row_mut::<T>(r).to_vec();
        let moved = pointwise(Turn::<N, C, S>(*neuron), stiffness, inputs, [re.row_mut(r), im.row_mut(r)]);
        // `pointwise` watches the imaginary part alone.
        let along = before.iter().zip(re.row_mut::<T>(r).iter()).map(|(&a, &b)| (b - a).to_f64().abs());
        *change = along.fold(change.max(moved.to_f64()), f64::max);
    }
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
