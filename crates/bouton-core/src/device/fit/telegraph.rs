//! Telegraph noise of a resistance: stretches in which ln R jumps from look to look, told by how much neighbours differ.
//!
//! In the high state ln R is larger by u v A with u, v ~ U(0, 1) drawn at each look, so that looks differ by far more than the rest
//! of the noise lets them: a stretch whose median difference is several times the usual one is high. Its looks are left out of
//! the fit of the law. Two of them differ by √(2 (1/9 − 1/16)) A on the quadratic mean, beside what others do.

/// Looks whose differences are taken together.
const AROUND: usize = 8;
/// From so many times the usual difference on, a look is high.
const TIMES: f64 = 2.5;

/// Whether each look of a cycle was in the high state, by what looks differ by where they are not, over all cycles.
pub(super) fn high(logs: &[f64], usual: f64) -> Vec<bool> {
    let local = differences(logs);
    // Devices may be noisier than others, but not that much.
    let usual = quantile(&local, 0.25).min(2.0 * usual);
    let mut high: Vec<bool> = local.iter().map(|d| *d > TIMES * usual && usual > 0.0).collect();
    // What is shorter than the look around it is chance.
    let ends: Vec<usize> = high
        .chunk_by(|a, b| a == b)
        .scan(0, |end, run| {
            *end += run.len();
            Some(*end)
        })
        .collect();
    let mut begin = 0;
    for end in ends {
        if begin > 0 && end - begin < AROUND {
            let before = high[begin - 1];
            high[begin..end].fill(before);
        }
        begin = end;
    }
    high
}

/// What looks differ by in the usual state, over the cycles of all devices.
pub(super) fn usual<'a>(cycles: impl Iterator<Item = &'a [f64]>) -> f64 {
    quantile(&cycles.map(|logs| quantile(&differences(logs), 0.25)).collect::<Vec<_>>(), 0.5)
}

/// Median difference of neighbours around each look.
fn differences(logs: &[f64]) -> Vec<f64> {
    let steps: Vec<f64> = logs.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let around = |i: usize| {
        let part = &steps[i.saturating_sub(AROUND).min(steps.len())..(i + AROUND).min(steps.len())];
        quantile(part, 0.5)
    };
    (0..logs.len()).map(around).collect()
}

/// A of a device from the cycles with what was high in them; nothing if that was little.
pub(super) fn amplitude<'a>(cycles: impl Iterator<Item = (&'a [f64], &'a [bool])>) -> Option<f64> {
    let mut sums = [[0.0; 2]; 2];
    for (logs, high) in cycles {
        for (step, pair) in logs.windows(2).zip(high.windows(2)).filter(|(_, pair)| pair[0] == pair[1]) {
            let sum = &mut sums[usize::from(pair[0])];
            *sum = [sum[0] + 1.0, sum[1] + (step[1] - step[0]).powi(2)];
        }
    }
    let [low, high] = sums.map(|[n, squares]| squares / n.max(1.0));
    (sums[1][0] >= 20.0).then(|| ((high - low).max(0.0) / (2.0 / 9.0 - 2.0 / 16.0)).sqrt())
}

/// The value below which a share of `values` lies; 0 of none.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// How often a state was entered and left.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub low: f64,
    pub high: f64,
    pub rises: f64,
    pub falls: f64,
}

impl Counts {
    /// Adds a cycle.
    pub fn add(&mut self, high: &[bool]) {
        for pair in high.windows(2) {
            let (counted, left) =
                if pair[0] { (&mut self.high, &mut self.falls) } else { (&mut self.low, &mut self.rises) };
            *counted += 1.0;
            *left += f64::from(u8::from(pair[0] != pair[1]));
        }
    }

    /// Probabilities per pulse to enter and to leave the high state; those of a state that was never left are of one time more.
    pub fn rates(&self) -> [f64; 2] {
        let rate = |left: f64, all: f64| if all > 0.0 { left.max(1.0) / all.max(2.0) } else { 0.5 };
        [rate(self.rises, self.low), rate(self.falls, self.high)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn stretches_that_jump_are_found_to_a_few_looks() {
        let mut stream = Key::new(4).stream();
        let is = |t: usize| (300..500).contains(&t);
        let logs: Vec<f64> = (0..1000)
            .map(|t| {
                0.01 * stream.normal() + if is(t) { 0.4 * stream.uniform() * stream.uniform() } else { 0.0 }
            })
            .collect();
        let usual = usual([&logs[..]].into_iter());
        let found = high(&logs, usual);
        let wrong = found.iter().enumerate().filter(|(t, high)| is(*t) != **high).count();
        assert!(wrong < 30, "{wrong}");
        let found = amplitude([(&logs[..], &found[..])].into_iter()).unwrap();
        assert!((found / 0.4 - 1.0).abs() < 0.2, "{found}");
        let quiet: Vec<f64> = (0..1000).map(|_| 0.01 * stream.normal()).collect();
        assert!(high(&quiet, usual).iter().filter(|high| **high).count() < 10);
        assert!(high(&[1.0; 5], 0.0).iter().all(|high| !high));
    }

    #[test]
    fn rates_are_counted() {
        let mut counts = Counts::default();
        counts.add(&[false, false, true, true, true, false, false, false]);
        assert_eq!(counts.rates(), [1.0 / 4.0, 1.0 / 3.0]);
    }
}
