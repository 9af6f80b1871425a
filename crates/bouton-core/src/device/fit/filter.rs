//! What the next measurement of a soft-bounds device should be, from all before it (Kalman 1960): the law is linear in the
//! state, its noise is added, and so is the noise of what is seen.
//!
//! x ← F x + c, variance P ← F² P + (a σ)²;  e = seen − x, S = P + ρ²;  x ← x + e P/S, P ← P ρ²/S
//!
//! −2 ln likelihood = Σ (e²/S + ln S). Its maximum is found by scoring: steps of the inverse Fisher information
//! I_jk = Σ (∂e_j ∂e_k/S + ½ ∂S_j ∂S_k/S²), shortened until they go up (Levenberg 1944, Marquardt 1963).

use super::solve::{inverse, times};

/// ln a_up, ln a_down, 1/b_max, −1/b_min, ln σ, ln ρ: with bounds far away, what is told of them is that their inverse is small.
pub(super) type Theta = [f64; 6];

/// A bound is at most so far away.
pub(super) const FARTHEST: f64 = 1e3;

/// What was seen behind a pulse: whether it went up, and the weight.
pub(super) type Seen = (bool, f64);

/// One prediction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// State before the pulse.
    pub at: f64,
    pub up: bool,
    /// Seen less expected.
    pub error: f64,
    /// Its variance.
    pub variance: f64,
    /// Expected step over the step at weight 0.
    pub size: f64,
}

/// The predictions of all pulses but the first of each trace.
pub(super) fn predict(theta: &Theta, traces: &[Vec<Seen>]) -> Vec<Step> {
    traces.iter().flat_map(|trace| along(theta, trace)).collect()
}

fn along(theta: &Theta, trace: &[Seen]) -> impl Iterator<Item = Step> {
    let [up, down, above, below, sigma, rho] = *theta;
    let (steps, [sigma, seen]) = ([up.exp(), down.exp()], [sigma, rho].map(|x| (2.0 * x).exp()));
    // Nothing is known before the first look.
    let (mut state, mut variance) = (trace.first().map_or(0.0, |s| s.1), seen);
    trace[1.min(trace.len())..].iter().map(move |&(up, weight)| {
        let (step, loss, sign) = if up { (steps[0], above, 1.0) } else { (steps[1], below, -1.0) };
        let (at, size) = (state, 1.0 - sign * loss * state);
        let expected = state + sign * step * size;
        let kept = 1.0 - step * loss;
        let before = kept * kept * variance + step * step * sigma;
        let all = before + seen;
        let error = weight - expected;
        state = expected + error * before / all;
        variance = before * seen / all;
        Step { at, up, error, variance: all, size }
    })
}

fn misfit(steps: &[Step]) -> f64 {
    steps.iter().map(|s| s.error * s.error / s.variance + s.variance.ln()).sum()
}

/// The most likely parameters, of which those in `free` move, and the covariances of these; nothing if the pulses do not tell.
pub(super) fn most_likely(
    start: Theta,
    free: &[usize],
    traces: &[Vec<Seen>],
) -> Option<(Theta, Vec<Vec<f64>>)> {
    let (mut theta, mut steps) = (start, predict(&start, traces));
    let (mut best, mut damping) = (misfit(&steps), 1e-3);
    for _ in 0..100 {
        let (gradient, information) = score(&theta, free, traces, &steps);
        let mut damped = information;
        damped.iter_mut().enumerate().for_each(|(i, row)| row[i] *= 1.0 + damping);
        // What nothing depends on stays where it is.
        damped.iter_mut().enumerate().for_each(|(i, row)| row[i] = row[i].max(1e-6));
        let change = inverse(&damped).map_or_else(Vec::new, |inverse| times(&inverse, &gradient));
        let mut next = theta;
        free.iter().zip(&change).for_each(|(&k, change)| next[k] -= change.clamp(-1.0, 1.0));
        (2..4).for_each(|k| next[k] = next[k].max(FARTHEST.recip()));
        (4..6).for_each(|k| next[k] = next[k].max(-20.0));
        let tried = predict(&next, traces);
        let found = if change.is_empty() { f64::NAN } else { misfit(&tried) };
        if found.is_finite() && found <= best {
            let done = best - found < 1e-9 * (1.0 + best.abs()) && damping <= 1e-3;
            (theta, steps, best, damping) = (next, tried, found, (0.1 * damping).max(1e-9));
            if done {
                break;
            }
        } else if damping > 1e12 {
            break;
        } else {
            damping *= 10.0;
        }
    }
    let covariances = inverse(&score(&theta, free, traces, &steps).1)?;
    Some((theta, covariances))
}

/// The covariances of all parameters, were these the true ones; nothing if the pulses do not tell.
pub(super) fn covariances(theta: &Theta, traces: &[Vec<Seen>]) -> Option<Vec<Vec<f64>>> {
    inverse(&score(theta, &[0, 1, 2, 3, 4, 5], traces, &predict(theta, traces)).1)
}

/// Half the gradient of the misfit, and the Fisher information, by differences.
fn score(theta: &Theta, free: &[usize], traces: &[Vec<Seen>], steps: &[Step]) -> (Vec<f64>, Vec<Vec<f64>>) {
    const H: f64 = 1e-5;
    let slopes: Vec<Vec<[f64; 2]>> = free
        .iter()
        .map(|&k| {
            let mut moved = *theta;
            moved[k] += H;
            let moved = predict(&moved, traces);
            let slope = |(a, b): (&Step, &Step)| [(b.error - a.error) / H, (b.variance - a.variance) / H];
            steps.iter().zip(&moved).map(slope).collect()
        })
        .collect();
    let sum = |f: &dyn Fn(usize, &Step) -> f64| steps.iter().enumerate().map(|(i, s)| f(i, s)).sum::<f64>();
    let gradient = slopes.iter().map(|d| {
        sum(&|i, s| {
            let [e, v] = d[i];
            s.error * e / s.variance + 0.5 * v / s.variance * (1.0 - s.error * s.error / s.variance)
        })
    });
    let entry = |a: &Vec<[f64; 2]>, b: &Vec<[f64; 2]>| {
        sum(&|i, s| a[i][0] * b[i][0] / s.variance + 0.5 * a[i][1] * b[i][1] / (s.variance * s.variance))
    };
    let gradient = gradient.collect();
    let information = slopes.iter().map(|a| slopes.iter().map(|b| entry(a, b)).collect()).collect();
    (gradient, information)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three measurements with independent errors of known size: the joint normal density, worked out by its 2 × 2 covariances.
    #[test]
    fn the_likelihood_is_that_of_the_joint_distribution() {
        let theta: Theta = [0.2_f64.ln(), 0.1_f64.ln(), 1.0, 1.0, 0.5_f64.ln(), 0.3_f64.ln()];
        let steps = predict(&theta, &[vec![(true, 0.0), (true, 0.5), (false, 0.1)]]);
        // Given the first look x₀ ~ N(0, ρ²): x₁ = 0.8 x₀ + 0.2 + 0.1 ξ, x₂ = 0.9 x₁ − 0.1 + 0.05 ξ, each seen with ρ = 0.3.
        let (x1, rho) = (0.64 * 0.09 + 0.01, 0.09);
        let (x2, both) = (0.81 * x1 + 0.0025, 0.9 * x1);
        let (a, b, c) = (x1 + rho, both, x2 + rho);
        let (d1, d2) = (0.5 - 0.2, 0.1 - (0.9 * 0.2 - 0.1));
        let determinant = a * c - b * b;
        let square = (c * d1 * d1 - 2.0 * b * d1 * d2 + a * d2 * d2) / determinant;
        assert!((misfit(&steps) - square - determinant.ln()).abs() < 1e-12);
        assert!((steps[1].size - (1.0 + steps[1].at)).abs() < 1e-12);
    }
}
