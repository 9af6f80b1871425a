//! Many units of one kind, for many samples: the sweep forwards and the way back.
//!
//! Arrays are filled in loops here: everything is compiled once for each unit, and a closure for an array is four functions more.

use super::in_time::{self, StepGradients, prepared};
use super::{Activation, Input, Neuron, Now, StateVar};
use crate::own::Own;
use bouton_kernels::{Complex, Dual, Elem, Elements, Pointwise, Real, View, ViewMut, dispatch, pointwise};

/// Units of a row handled together.
const BLOCK: usize = 512;

/// What a sweep needs to know beside its inputs.
#[derive(Clone, Copy, Debug)]
pub struct Ctx {
    /// Over-relaxation ω of a relaxation, 1 = none; the length dt of a step in time.
    pub step: f64,
}

impl Default for Ctx {
    fn default() -> Self {
        Self { step: 1.0 }
    }
}

/// Input of a population, one row per sample.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Numbers of the units' own, [K, units].
    pub own: View<'a>,
    /// Drives, [rows, ports·units], those of one port after those of the other.
    pub drive: View<'a>,
    /// Nudge: offset [rows, units] and gain per row (empty: none).
    pub nudge: Option<(View<'a>, &'a [f64])>,
}

/// Gradients on the way back through a step.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// With respect to the output after the step, [rows, units].
    pub out: View<'a>,
    /// Of units whose output is their state: receives the one with respect to the output before the step, [rows, units]. Of
    /// others: holds the one with respect to the states after it, and receives that of the states before, [rows, S·units].
    pub state: ViewMut<'a>,
    /// Receives the one with respect to the drives, [rows, ports·units].
    pub drive: ViewMut<'a>,
    /// Receives those with respect to the units' own numbers, [K·rows, units], one number after the other.
    pub own: ViewMut<'a>,
}

/// A population as the network sees it. Matrices have one row per sample and one column per unit; those of states have the
/// columns of one state after those of the other.
pub trait Population: Send + Sync + std::fmt::Debug {
    /// State variables stored beside the output.
    fn states(&self) -> Vec<StateVar>;
    /// Numbers of the units' own.
    fn own(&self) -> Vec<Own>;
    /// Drives of a unit.
    fn ports(&self) -> usize;
    /// Output before the first step.
    fn initial_output(&self) -> f64;
    /// The activation of settling units: of the drive, or of the first state stored.
    fn activation(&self) -> Option<Activation>;
    /// One step in place; `change[row]` becomes the largest |Δ output| of the row if that is larger.
    fn advance(&self, ctx: &Ctx, input: Inputs<'_>, h: ViewMut<'_>, out: ViewMut<'_>, change: &mut [f64]);
    /// Whether [`Population::advance_complex`] has a meaning.
    fn is_analytic(&self) -> bool;
    /// A step in complex numbers: the first half of all rows holds real parts, the second half imaginary ones.
    /// `change[row]`, one per complex row, becomes the largest change of either part if that is larger.
    fn advance_complex(&self, input: Inputs<'_>, out: ViewMut<'_>, change: &mut [f64]);
    /// Backwards through a step without a nudge; `before` are the states before it, or the output of units whose output is
    /// their state.
    fn backward(&self, ctx: &Ctx, input: Inputs<'_>, before: View<'_>, g: Gradients<'_>);
    /// Whether its units may move while their input moves, so that [`Population::backward_in_time`] has a meaning.
    fn moves_in_time(&self) -> bool;
    /// Backwards through a step in time; `before` are the states before it.
    fn backward_in_time(&self, ctx: &Ctx, input: Inputs<'_>, before: View<'_>, g: StepGradients<'_>);
}

/// The population of a scalar [`Neuron`].
#[derive(Clone, Copy, Debug)]
pub struct ElementwisePopulation<N, const K: usize, const C: usize, const P: usize, const S: usize>(pub N);

impl<N: Neuron<K, C, P, S>, const K: usize, const C: usize, const P: usize, const S: usize> Population
    for ElementwisePopulation<N, K, C, P, S>
{
    fn states(&self) -> Vec<StateVar> {
        if N::OUTPUT_IS_STATE { Vec::new() } else { self.0.states().to_vec() }
    }

    fn own(&self) -> Vec<Own> {
        self.0.own().to_vec()
    }

    fn ports(&self) -> usize {
        drives::<N, K, C, P, S>()
    }

    fn initial_output(&self) -> f64 {
        self.0.initial_output()
    }

    fn activation(&self) -> Option<Activation> {
        N::ACTIVATION
    }

    fn advance(&self, ctx: &Ctx, input: Inputs<'_>, h: ViewMut<'_>, out: ViewMut<'_>, change: &mut [f64]) {
        dispatch!(out.dtype(), T => advance::<N, T, K, C, P, S>(&self.0, ctx, input, h, out, change));
    }

    fn is_analytic(&self) -> bool {
        N::ANALYTIC
    }

    fn advance_complex(&self, input: Inputs<'_>, out: ViewMut<'_>, change: &mut [f64]) {
        if N::ANALYTIC {
            dispatch!(out.dtype(), T => advance_complex::<N, T, K, C, P, S>(&self.0, input, out, change));
        }
    }

    fn backward(&self, ctx: &Ctx, input: Inputs<'_>, before: View<'_>, g: Gradients<'_>) {
        dispatch!(before.dtype(), T => backward::<N, T, K, C, P, S>(&self.0, ctx, input, before, g));
    }

    fn moves_in_time(&self) -> bool {
        N::IN_TIME
    }

    fn backward_in_time(&self, ctx: &Ctx, input: Inputs<'_>, before: View<'_>, g: StepGradients<'_>) {
        if const { N::IN_TIME } {
            dispatch!(g.out.dtype(), T => in_time::backward::<N, T, K, C, P, S>(&self.0, ctx, input, before, g));
        }
    }
}

/// Ports that are drives: all of a unit that moves in time, the first of others.
const fn drives<N: Neuron<K, C, P, S>, const K: usize, const C: usize, const P: usize, const S: usize>()
-> usize {
    if N::IN_TIME { P } else { 1 }
}

/// One step of a unit as an equation; its parameters are the constants.
#[derive(Clone, Copy)]
pub(super) struct RealStep<N, const K: usize>(pub N);

/// The same of a unit whose output is its state.
#[derive(Clone, Copy)]
struct OutputStep<N, const K: usize, const S: usize>(N);

/// The same of a unit with numbers of its own, whose constants are its own too.
#[derive(Clone, Copy)]
pub(super) struct OwnStep<N, const K: usize>(pub N);

impl<N: Neuron<K, C, P, S>, const K: usize, const C: usize, const P: usize, const S: usize>
    Pointwise<C, 0, P, S, 1> for RealStep<N, K>
{
    #[inline(always)]
    fn at<T: Real>(self, c: [T; C], _: [T; 0], input: [T; P], h: [T; S], _: [T; 1]) -> ([T; S], [T; 1]) {
        let (h, out) = self.0.step(c, input, h);
        (h, [out])
    }
}

impl<N: Neuron<K, C, P, S>, const K: usize, const C: usize, const P: usize, const S: usize>
    Pointwise<C, 0, P, 0, 1> for OutputStep<N, K, S>
{
    #[inline(always)]
    fn at<T: Real>(self, c: [T; C], _: [T; 0], input: [T; P], _: [T; 0], [out]: [T; 1]) -> ([T; 0], [T; 1]) {
        ([], [self.0.step(c, input, [out; S]).1])
    }
}

impl<N: Neuron<K, C, P, S>, const K: usize, const C: usize, const P: usize, const S: usize>
    Pointwise<0, C, P, S, 1> for OwnStep<N, K>
{
    #[inline(always)]
    fn at<T: Real>(self, _: [T; 0], c: [T; C], input: [T; P], h: [T; S], _: [T; 1]) -> ([T; S], [T; 1]) {
        let (h, out) = self.0.step(c, input, h);
        (h, [out])
    }
}

fn advance<N: Neuron<K, C, P, S>, T: Elem, const K: usize, const C: usize, const P: usize, const S: usize>(
    neuron: &N,
    ctx: &Ctx,
    input: Inputs<'_>,
    mut h: ViewMut<'_>,
    mut out: ViewMut<'_>,
    change: &mut [f64],
) {
    const { assert!(!N::OUTPUT_IS_STATE || (S == 1 && K == 0)) };
    let (step, none) = (T::from_f64(ctx.step), [T::default(); BLOCK]);
    let mut own: [&[T]; K] = [&[]; K];
    for k in 0..K {
        own[k] = input.own.row::<T>(k);
    }
    let (mut constants, mut made_for) = (no_rows::<T, C>(), None);
    for (r, change) in change.iter_mut().enumerate().take(out.rows()) {
        let (offset, gain) = match input.nudge {
            Some((offset, gain)) => (Some(offset.row::<T>(r)), gain.get(r).copied().unwrap_or(0.0)),
            None => (None, 0.0),
        };
        let now = Now { step, nudge_gain: T::from_f64(gain) };
        let (drive, out) = (input.drive.row::<T>(r), out.row_mut::<T>(r));
        let units = out.len();
        if K > 0 && made_for != Some(gain) {
            prepared(neuron, now, own, &mut constants);
            made_for = Some(gain);
        }
        let mut h =
            if S == 0 || N::OUTPUT_IS_STATE { &mut [][..] } else { h.row_mut::<T>(r) }.chunks_mut(units);
        let mut states: [&mut [T]; S] = no_slices();
        for state in &mut states {
            *state = h.next().unwrap_or_default();
        }
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let at = block * BLOCK..block * BLOCK + out.len();
            let mut input: [&[T]; P] = [&none[..out.len()]; P];
            for p in 0..P {
                let port = if N::IN_TIME { Some(&drive[p * units..]) } else { [Some(drive), offset][p] };
                input[p] = port.map_or(input[p], |port| &port[at.clone()]);
            }
            let moved = if const { N::OUTPUT_IS_STATE } {
                let c = neuron.prepare(now, [step; K]);
                pointwise(
                    OutputStep::<N, K, S>(*neuron),
                    c,
                    Elements { own: [], input, state: [], out: [out] },
                )
            } else {
                let mut state: [&mut [T]; S] = no_slices();
                for (part, all) in state.iter_mut().zip(&mut states) {
                    *part = &mut all[at.clone()];
                }
                if const { K == 0 } {
                    let c = neuron.prepare(now, [step; K]);
                    pointwise(RealStep::<N, K>(*neuron), c, Elements { own: [], input, state, out: [out] })
                } else {
                    let mut own: [&[T]; C] = [&[]; C];
                    own.iter_mut().zip(&constants).for_each(|(own, all)| *own = &all[at.clone()]);
                    pointwise(OwnStep::<N, K>(*neuron), [], Elements { own, input, state, out: [out] })
                }
            };
            *change = change.max(moved.to_f64());
        }
    }
}

/// Where constants of the units' own will be.
pub(super) fn no_rows<T, const C: usize>() -> [Vec<T>; C] {
    std::array::from_fn(|_| Vec::new())
}

/// Where slices will be, one for each state.
pub(super) fn no_slices<'a, T, const S: usize>() -> [&'a mut [T]; S] {
    std::array::from_fn(|_| Default::default())
}

/// One step of a unit in complex numbers; parameters are the parts of the nudge's gain, inputs those of drive and offset.
#[derive(Clone, Copy)]
struct ComplexStep<N, const K: usize, const C: usize, const P: usize, const S: usize>(N);

impl<N: Neuron<K, C, P, S>, const K: usize, const C: usize, const P: usize, const S: usize>
    Pointwise<2, 0, 4, 1, 1> for ComplexStep<N, K, C, P, S>
{
    #[inline(always)]
    fn at<T: Real>(
        self,
        [k, ki]: [T; 2],
        _: [T; 0],
        [d, di, f, fi]: [T; 4],
        [s]: [T; 1],
        [si]: [T; 1],
    ) -> ([T; 1], [T; 1]) {
        let complex = |re, im| Complex { re, im };
        let nudge_gain = complex(k, ki);
        let input = Input { drive: complex(d, di), nudge_offset: complex(f, fi), nudge_gain };
        let new = self.0.analytic(input, complex(s, si));
        ([new.re], [new.im])
    }
}

fn advance_complex<
    N: Neuron<K, C, P, S>,
    T: Elem,
    const K: usize,
    const C: usize,
    const P: usize,
    const S: usize,
>(
    neuron: &N,
    input: Inputs<'_>,
    out: ViewMut<'_>,
    change: &mut [f64],
) {
    let n = out.rows() / 2;
    let none = vec![T::default(); out.cols()];
    let (mut re, mut im) = out.split_rows(n);
    for (r, change) in change.iter_mut().enumerate().take(n) {
        let (offset, gain) = match input.nudge {
            Some((offset, k)) => {
                let at = |r: usize| T::from_f64(k.get(r).copied().unwrap_or(0.0));
                ([offset.row::<T>(r), offset.row::<T>(n + r)], [at(r), at(n + r)])
            }
            None => ([&none[..]; 2], [T::default(); 2]),
        };
        let drive = [input.drive.row::<T>(r), input.drive.row::<T>(n + r)];
        let input = [drive[0], drive[1], offset[0], offset[1]];
        let before = re.row_mut::<T>(r).to_vec();
        let elements = Elements { own: [], input, state: [re.row_mut(r)], out: [im.row_mut(r)] };
        let moved = pointwise(ComplexStep::<N, K, C, P, S>(*neuron), gain, elements);
        // `pointwise` watches the imaginary part alone.
        let along = before.iter().zip(re.row_mut::<T>(r).iter()).map(|(&a, &b)| (b - a).to_f64().abs());
        *change = along.fold(change.max(moved.to_f64()), f64::max);
    }
}

/// Variables that a step is differentiated by at once.
const WIDTH: usize = 2;

/// Local Jacobians in 64 bits whatever `T` is: gradients of reference are worth more than their speed, and one number
/// type less halves the code that is compiled for every unit. Variables are the drives, then the states, then the unit's own
/// numbers, two at a time.
fn backward<
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
    g: Gradients<'_>,
) {
    let Gradients { out: g_out, mut state, mut drive, mut own } = g;
    let ports = const { drives::<N, K, C, P, S>() };
    let (rows, units) = (g_out.rows(), g_out.cols());
    for r in 0..rows {
        let (g_out, g_drive) = (g_out.row::<T>(r), drive.row_mut::<T>(r));
        let (d, row) = (input.drive.row::<T>(r), if S == 0 { &[][..] } else { before.row::<T>(r) });
        let g_states = if S == 0 { &mut [][..] } else { state.row_mut::<T>(r) };
        for i in 0..units {
            let (mut states, mut after, mut numbers) = ([0.0; S], [0.0; S], [0.0; K]);
            for j in 0..S {
                states[j] = row[j * units + i].to_f64();
                after[j] = if N::OUTPUT_IS_STATE { 0.0 } else { g_states[j * units + i].to_f64() };
            }
            for k in 0..K {
                numbers[k] = input.own.row::<T>(k)[i].to_f64();
            }
            let mut input = [0.0; P];
            for p in 0..ports {
                input[p] = d[p * units + i].to_f64();
            }
            let slopes =
                |first| slopes(neuron, ctx, input, states, numbers, (g_out[i].to_f64(), after), first);
            for first in (0..ports + S + K).step_by(WIDTH) {
                for (v, slope) in (first..ports + S + K).zip(slopes(first)) {
                    let slope = T::from_f64(slope);
                    match v {
                        _ if v < ports => g_drive[v * units + i] = slope,
                        _ if v < ports + S => g_states[(v - ports) * units + i] = slope,
                        _ => own.row_mut::<T>((v - ports - S) * rows + r)[i] = slope,
                    }
                }
            }
        }
    }
}

/// The slopes of ⟨gradients, what a step leads to⟩ along the variables from number `first` on.
#[inline(always)]
fn slopes<N: Neuron<K, C, P, S>, const K: usize, const C: usize, const P: usize, const S: usize>(
    neuron: &N,
    ctx: &Ctx,
    drives: [f64; P],
    states: [f64; S],
    own: [f64; K],
    (g_out, g_states): (f64, [f64; S]),
    first: usize,
) -> [f64; WIDTH] {
    let along = |x: f64, v: usize| match v.checked_sub(first) {
        Some(lane) if lane < WIDTH => Dual::<f64, WIDTH>::var(x, lane),
        _ => Dual::cst(x),
    };
    let now = Now { step: Dual::cst(ctx.step), nudge_gain: Dual::cst(0.0) };
    let (mut numbers, mut input, mut h) = ([Dual::cst(0.0); K], [Dual::cst(0.0); P], [Dual::cst(0.0); S]);
    let ports = const { self::drives::<N, K, C, P, S>() };
    for p in 0..ports {
        input[p] = along(drives[p], p);
    }
    for j in 0..S {
        h[j] = along(states[j], ports + j);
    }
    for k in 0..K {
        numbers[k] = along(own[k], ports + S + k);
    }
    let (h, out) = neuron.step(neuron.prepare(now, numbers), input, h);
    let mut slopes = out.eps;
    slopes.iter_mut().for_each(|slope| *slope *= g_out);
    if !N::OUTPUT_IS_STATE {
        for (h, g) in h.iter().zip(g_states) {
            for lane in 0..WIDTH {
                slopes[lane] += h.eps[lane] * g;
            }
        }
    }
    slopes
}
