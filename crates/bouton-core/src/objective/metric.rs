//! What is said of outputs beside the loss: sums over samples, and what the sums come to.
//!
//! accuracy = hits/n · MSE = Σ(o − y)²/(n·outputs) · MAE = Σ|o − y|/(n·outputs) ·
//! R² = mean over outputs of 1 − Σ(o − y)²/Σ(y − ȳ)², the coefficient of determination.

use super::{Objective, TargetKind, TargetView, predictions};
use bouton_kernels::{Elem, View, dispatch};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A number that is said of samples, by its name in `metrics.jsonl`.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// What tables of results tell it in.
    pub unit: Unit,
    /// Targets that it is said of.
    pub of: TargetKind,
    /// From the sums of so many samples.
    finish: fn(&Sums, f64) -> f64,
}

/// What the numbers of a metric are told in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Its sign, empty for plain numbers.
    pub sign: &'static str,
    /// So many of it are 1 of the stored number.
    pub factor: f64,
    /// Digits after the point.
    pub digits: usize,
}

const PERCENT: Unit = Unit { sign: "%", factor: 100.0, digits: 2 };
const PLAIN: Unit = Unit { sign: "", factor: 1.0, digits: 4 };

/// Every metric; of those for one kind of target, the first one is the score by which networks are compared.
pub static METRICS: [Metric; 5] = [
    Metric {
        name: "accuracy",
        about: "accuracy (fraction of samples)",
        higher_is_better: true,
        unit: PERCENT,
        of: TargetKind::Classes,
        finish: |sums, n| sums.total(HITS) / n,
    },
    Metric {
        name: "error",
        about: "error (fraction of samples)",
        higher_is_better: false,
        unit: PERCENT,
        of: TargetKind::Classes,
        finish: |sums, n| 1.0 - sums.total(HITS) / n,
    },
    Metric {
        name: "mse",
        about: "mean squared error per output",
        higher_is_better: false,
        unit: PLAIN,
        of: TargetKind::Values,
        finish: |sums, n| sums.total(SQUARES) / (n * sums.width(SQUARES)),
    },
    Metric {
        name: "mae",
        about: "mean absolute error per output",
        higher_is_better: false,
        unit: PLAIN,
        of: TargetKind::Values,
        finish: |sums, n| sums.total(ABSOLUTES) / (n * sums.width(ABSOLUTES)),
    },
    Metric {
        name: "r2",
        about: "coefficient of determination R²",
        higher_is_better: true,
        unit: PLAIN,
        of: TargetKind::Values,
        finish: determination,
    },
];

const HITS: &str = "hits";
const SQUARES: &str = "squares";
const ABSOLUTES: &str = "absolutes";
const TARGETS: &str = "targets";
const TARGET_SQUARES: &str = "target-squares";

impl Metric {
    /// The metric called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// That by which networks are compared on targets of this kind.
    pub fn score(of: TargetKind) -> &'static Self {
        METRICS.iter().find(|metric| metric.of == of).expect("every kind has one")
    }

    /// What is published of networks on targets of this kind unless it is said: the first of which less is better.
    pub fn shortfall(of: TargetKind) -> &'static Self {
        let error = METRICS.iter().find(|metric| metric.of == of && !metric.higher_is_better);
        error.expect("every kind has one")
    }

    /// The score among `values` by name, as a run stores them.
    pub fn score_in(values: &BTreeMap<String, f64>) -> Option<(&'static Self, f64)> {
        let scores = [TargetKind::Classes, TargetKind::Values].map(Self::score);
        scores.into_iter().find_map(|metric| Some((metric, *values.get(metric.name)?)))
    }

    /// Its name with the sign of its unit: `error %`, `mse`.
    pub fn title(&self) -> String {
        [self.name, self.unit.sign].join(" ").trim_end().to_owned()
    }

    /// Whether `new` is better than `old`; a number is better than none.
    pub fn improves(&self, new: f64, old: Option<f64>) -> bool {
        let better = |old: f64| if self.higher_is_better { new > old } else { new < old };
        !new.is_nan() && old.is_none_or(|old| old.is_nan() || better(old))
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// By its name.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name)
    }
}

/// R², each output for itself; an output that never changes has 1 where it is met and 0 where not.
fn determination(sums: &Sums, n: f64) -> f64 {
    let (rest, y, y2) = (sums.of(SQUARES), sums.of(TARGETS), sums.of(TARGET_SQUARES));
    let one = |((rest, y), y2): ((&f64, &f64), &f64)| {
        let spread = y2 - y * y / n;
        match (spread > y2 * 1e-14, *rest == 0.0) {
            (true, _) => 1.0 - rest / spread,
            (false, met) => f64::from(u8::from(met)),
        }
    };
    rest.iter().zip(y).zip(y2).map(one).sum::<f64>() / sums.width(SQUARES)
}

/// Sums over samples by name, one number or one per output; adding two batches is adding their sums.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums(BTreeMap<Cow<'static, str>, Vec<f64>>);

impl Sums {
    /// What there is to be said of `out`, whose rows should come to `targets`.
    pub fn of_outputs(objective: &dyn Objective, out: View<'_>, targets: TargetView<'_>) -> Self {
        match targets {
            TargetView::Classes(labels) => {
                let chosen = predictions(out, |r| objective.active(out.cols(), labels[r]));
                let hits = chosen.iter().zip(labels).filter(|(p, l)| **p == usize::from(**l)).count();
                Self([(HITS.into(), vec![hits as f64])].into())
            }
            TargetView::Values(values) => Self::of_values(out, values),
            TargetView::None => Self::default(),
        }
    }

    fn of_values(out: View<'_>, values: View<'_>) -> Self {
        let mut sums: [Vec<f64>; 4] = std::array::from_fn(|_| vec![0.0; out.cols()]);
        dispatch!(out.dtype(), T => for r in 0..out.rows() {
            for (c, (o, y)) in out.row::<T>(r).iter().zip(values.row::<T>(r)).enumerate() {
                let (d, y) = (o.to_f64() - y.to_f64(), y.to_f64());
                [d * d, d.abs(), y, y * y].into_iter().zip(&mut sums).for_each(|(x, sum)| sum[c] += x);
            }
        });
        let names = [SQUARES, ABSOLUTES, TARGETS, TARGET_SQUARES].map(Cow::from);
        Self(names.into_iter().zip(sums).collect())
    }

    fn of(&self, name: &str) -> &[f64] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    fn total(&self, name: &str) -> f64 {
        self.of(name).iter().sum()
    }

    fn width(&self, name: &str) -> f64 {
        self.of(name).len() as f64
    }

    /// Both.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (name, more) in &other.0 {
            let sum = self.0.entry(name.clone()).or_insert_with(|| vec![0.0; more.len()]);
            sum.iter_mut().zip(more).for_each(|(sum, x)| *sum += x);
        }
        self
    }

    /// What kind of target they are of; none if nothing was compared.
    pub fn kind(&self) -> Option<TargetKind> {
        let has = |name| self.0.contains_key(name);
        let classes = has(HITS).then_some(TargetKind::Classes);
        classes.or(has(SQUARES).then_some(TargetKind::Values))
    }

    /// All metrics of so many samples.
    pub fn metrics(&self, samples: u64) -> impl Iterator<Item = (&'static Metric, f64)> {
        let kind = self.kind();
        let known = METRICS.iter().filter(move |metric| Some(metric.of) == kind);
        known.map(move |metric| (metric, (metric.finish)(self, samples.max(1) as f64)))
    }

    /// As words that read back to the same bits: `hits=3 squares=0.5,0.25`.
    pub fn to_text(&self) -> String {
        let list = |sum: &Vec<f64>| sum.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(",");
        self.0.iter().map(|(name, sum)| format!("{name}={}", list(sum))).collect::<Vec<_>>().join(" ")
    }

    /// Takes one word of [`Sums::to_text`]; none if it is no such word.
    pub fn read(&mut self, name: &str, values: &str) -> Option<()> {
        let values = values.split(',').map(|x| x.parse().ok()).collect::<Option<Vec<f64>>>()?;
        self.0.insert(name.to_owned().into(), values);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::{SquaredError, Target};
    use bouton_kernels::{DType, Mat};

    fn values(out: &[f64], y: &[f64]) -> BTreeMap<&'static str, f64> {
        let mat = |x: &[f64]| Mat::from_f64s(DType::F64, x.len() / 2, 2, x);
        let target = Target::Values(mat(y));
        let rows = target.rows();
        let sums = (0..rows).fold(Sums::default(), |sums, r| {
            let out = mat(&out[2 * r..2 * r + 2]);
            sums.with(&Sums::of_outputs(&SquaredError {}, out.view(), target.view(r..r + 1)))
        });
        sums.metrics(rows as u64).map(|(metric, value)| (metric.name, value)).collect()
    }

    /// By hand: errors (1, 0), (0, −2), (−1, 0); targets (0, 4), (2, 4), (4, 10), of means 2 and 6.
    #[test]
    fn values_have_errors_and_a_determination() {
        let got = values(&[1.0, 4.0, 2.0, 2.0, 3.0, 10.0], &[0.0, 4.0, 2.0, 4.0, 4.0, 10.0]);
        let (first, second) = (1.0 - 2.0 / 8.0, 1.0 - 4.0 / 24.0);
        for (name, wanted) in [("mse", 1.0), ("mae", 4.0 / 6.0), ("r2", (first + second) / 2.0)] {
            assert!((got[name] - wanted).abs() < 1e-15, "{name} {}", got[name]);
        }
        assert_eq!(got.len(), 3);
    }

    #[test]
    fn the_mean_as_an_answer_has_no_determination() {
        assert!(
            values(&[2.0, 6.0, 2.0, 6.0, 2.0, 6.0], &[0.0, 4.0, 2.0, 4.0, 4.0, 10.0])["r2"].abs() < 1e-15
        );
        assert_eq!(values(&[2.0, 6.0, 2.0, 6.0], &[2.0, 6.0, 2.0, 6.0])["r2"], 1.0);
        assert_eq!(values(&[2.5, 6.0, 2.0, 6.5], &[2.0, 6.0, 2.0, 6.0])["r2"], 0.0);
    }

    #[test]
    fn results_are_told_as_errors_and_shares_in_percent() {
        let told = |of| METRICS.iter().filter(move |m| m.of == of).map(Metric::title).collect::<Vec<_>>();
        assert_eq!(told(TargetKind::Classes), ["accuracy %", "error %"]);
        assert_eq!(told(TargetKind::Values), ["mse", "mae", "r2"]);
        assert!(METRICS.iter().all(|m| m.unit.factor == if m.unit.sign == "%" { 100.0 } else { 1.0 }));
        let shortfalls = [TargetKind::Classes, TargetKind::Values].map(|of| Metric::shortfall(of).name);
        assert_eq!(shortfalls, ["error", "mse"]);
    }

    #[test]
    fn better_is_more_or_less_of_it() {
        let [accuracy, mse] = ["accuracy", "mse"].map(|name| Metric::named(name).unwrap());
        assert!(accuracy.improves(0.0, None) && mse.improves(1e9, None));
        assert!(accuracy.improves(0.5, Some(0.4)) && !accuracy.improves(0.4, Some(0.4)));
        assert!(mse.improves(0.3, Some(0.4)) && !mse.improves(0.5, Some(0.4)));
        assert!(!mse.improves(f64::NAN, None) && mse.improves(2.0, Some(f64::NAN)));
    }
}
