//! `bouton ablate`: what each imperfection of a recipe's devices costs, alone and among the others.

use super::{DataArgs, OutArgs, RecipeArgs, figure, sweep};
use crate::interrupt::Interrupt;
use crate::number::number;
use crate::printer::Printer;
use crate::report::figures::{Bar, effects};
use crate::selection::results;
use crate::statistics::half_width;
use crate::sweep::{Crew, Point, Row, Unit, refused};
use crate::terminal::say;
use bouton::claims::Sample;
use bouton::objective::Metric;
use bouton::recipe::{Imperfection, Recipe};
use bouton::{Error, Result};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Train a recipe with each imperfection of its devices alone, with all but each, with all and with none, and print what each costs
#[derive(Args, Debug)]
pub struct Ablate {
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Seeds of each, from that of the recipe on; differences are between runs of the same seed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    seeds: u16,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Runs at once; each has its share of the cores, or --threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Only print the command line of every run that is left
    #[arg(long)]
    dry_run: bool,
    /// Draw the costs (.svg, .png, .pdf)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which imperfections are on, by their places.
type On = Vec<bool>;

/// What one choice of imperfections came to.
#[derive(Debug, Serialize)]
struct Line {
    /// `none`, `only d2d`, `all but d2d`, `all`.
    name: String,
    mean: Option<f64>,
    sd: Option<f64>,
    /// Seeds that were finished.
    n: usize,
    /// What the difference is to.
    against: Option<&'static str>,
    /// Mean of the differences of equal seeds.
    difference: Option<f64>,
    /// Half the width of its 95 % interval (Student).
    half_width: Option<f64>,
}

impl Ablate {
    /// Carries it out on children of `program`; false if a run failed.
    pub fn go(self, threads: Option<u16>, program: Vec<OsString>, printer: &mut Printer) -> Result<bool> {
        self.output.iter().try_for_each(|path| figure::known(path, &[]))?;
        let recipe = self.recipe.load(self.data.data.as_deref())?;
        let all = recipe.imperfections();
        if all.is_empty() {
            return Err(Error::config(format!(
                "{}: its synapses have no imperfections",
                self.recipe.recipe.display()
            ))
            .with_hint(
                "take a synapse of devices, such as synapse=rram, synapse=soft-bounds or synapse=pair",
            ));
        }
        let choices = choices(all.len());
        let points = self.points(&recipe, &all, &choices);
        let unit = Unit {
            program,
            recipe: self.recipe.recipe.clone(),
            out: self.out.out.clone(),
            data: self.data.data.clone(),
            threads: Unit::share(threads, self.jobs, points.len()),
            again: false,
        };
        let rows = Row::all(&unit, &points)?;
        let left: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].is_left()).collect();
        let mut failed = refused(&points, &rows);
        let (n, done) = (points.len(), points.len() - left.len() - failed.len());
        say(format_args!("{n} runs: {done} done, {} left, {} refused", left.len(), failed.len()));
        if self.dry_run {
            left.iter().try_for_each(|i| printer.line(unit.line(&points[*i])))?;
            return Ok(failed.is_empty());
        }
        sweep::writable(&unit.out)?;
        let interrupt = Interrupt::listen()?;
        failed.extend(Crew::new(&unit, &points, self.jobs.into(), left).work(&interrupt));
        if interrupt.asked() {
            return Err(Error::Interrupted);
        }
        let (metric, scores) = scores(&Row::all(&unit, &points)?)?;
        let lines = lines(&all, &choices, &scores, self.seeds.into());
        self.show(printer, metric, &lines)?;
        failed.iter().for_each(|(i, reason)| say(format_args!("failed  {}: {reason}", points[*i].name())));
        Ok(failed.is_empty())
    }

    /// Every choice with every seed; the seed moves fastest.
    fn points(&self, recipe: &Recipe, all: &[Imperfection], choices: &[On]) -> Vec<Point> {
        let seeds = || (0..u64::from(self.seeds)).map(|i| recipe.seed.wrapping_add(i));
        let point = |on: &On, seed: u64| {
            let switches = all.iter().zip(on).flat_map(|(imperfection, on)| {
                imperfection.keys.iter().map(move |key| format!("{key}={on}"))
            });
            let seed = seed.to_string();
            // What is chosen here stands once.
            let chosen = |word: &&String| {
                let key = word.split('=').next().unwrap_or_default();
                key == "seed" || all.iter().any(|i| i.keys.iter().any(|own| own == key))
            };
            let given = self.recipe.overrides.iter().filter(|word| !chosen(word)).cloned();
            let overrides = given.chain(switches).chain([format!("seed={seed}")]).collect();
            let keys = vec![("imperfections".into(), name(all, on)), ("seed".into(), seed)];
            Point::new(recipe, &self.recipe.recipe, self.data.data.as_deref(), overrides, keys)
        };
        choices.iter().flat_map(|on| seeds().map(move |seed| point(on, seed))).collect()
    }

    fn show(&self, printer: &mut Printer, metric: &Metric, lines: &[Line]) -> Result<()> {
        if let Some(path) = &self.output {
            figure::write(path, &draw(metric, lines))?;
        }
        let digits = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
        if self.json {
            return printer.json(&serde_json::json!({ "metric": metric.name, "runs": lines }));
        }
        if self.csv {
            let head = ["imperfections", metric.name, "sd", "n", "against", "difference", "half-width"];
            let row = |line: &Line| {
                let against = line.against.unwrap_or_default().to_owned();
                let [mean, sd] = [line.mean, line.sd].map(digits);
                vec![
                    line.name.clone(),
                    mean,
                    sd,
                    line.n.to_string(),
                    against,
                    digits(line.difference),
                    digits(line.half_width),
                ]
            };
            return printer.text(&crate::csv::table(
                &head.map(String::from),
                &lines.iter().map(row).collect::<Vec<_>>(),
            ));
        }
        let spread = |x: Option<f64>, s: Option<f64>| match (x, s) {
            (Some(x), Some(s)) => format!("{} ± {}", number(x), number(s)),
            (Some(x), None) => number(x),
            _ => String::new(),
        };
        let row = |line: &Line| {
            let against = line.against.map_or_else(String::new, |a| format!("to {a}"));
            let change = spread(line.difference, line.half_width);
            vec![line.name.clone(), spread(line.mean, line.sd), line.n.to_string(), change, against]
        };
        let head = ["imperfections", metric.name, "seeds", "difference, 95 %", ""];
        printer.columns(&head, lines.iter().map(row).collect())
    }
}

/// None, each alone, all but each, all; of few imperfections some of these are the same, and stand once.
fn choices(n: usize) -> Vec<On> {
    let only = (0..n).map(|k| (0..n).map(|i| i == k).collect());
    let but = (0..n).map(|k| (0..n).map(|i| i != k).collect());
    let mut all: Vec<On> = vec![vec![false; n]];
    for on in only.chain(but).chain([vec![true; n]]) {
        if !all.contains(&on) {
            all.push(on);
        }
    }
    all
}

fn name(all: &[Imperfection], on: &On) -> String {
    let on_or_off =
        |which: bool| all.iter().zip(on).filter(move |(_, on)| **on == which).map(|(i, _)| i.name.as_str());
    match (on_or_off(true).count(), on_or_off(false).count()) {
        (0, _) => "none".into(),
        (_, 0) => "all".into(),
        (1, _) => format!("only {}", on_or_off(true).collect::<String>()),
        _ => format!("all but {}", on_or_off(false).collect::<String>()),
    }
}

/// The score of every run that is finished.
fn scores(rows: &[Row]) -> Result<(&'static Metric, Vec<Option<f64>>)> {
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            row.run.as_ref().filter(|_| row.is_done()).and_then(|run| Metric::score_in(&results(run)?.values))
        })
        .collect();
    let metric = found.iter().flatten().next().map(|(metric, _)| *metric);
    let metric = metric.ok_or_else(|| {
        Error::config("no run came to a score").with_hint("look at the first that failed with `bouton run`")
    })?;
    Ok((metric, found.into_iter().map(|score| score.map(|(_, value)| value)).collect()))
}

/// The table, from scores in the order of the points.
fn lines(all: &[Imperfection], choices: &[On], scores: &[Option<f64>], seeds: usize) -> Vec<Line> {
    let of = |i: usize| &scores[i * seeds..(i + 1) * seeds];
    let last = choices.len() - 1;
    let line = |(i, on): (usize, &On)| {
        let done: Vec<f64> = of(i).iter().flatten().copied().collect();
        let sample = Sample::of(&done);
        // What stands alone is compared with nothing, what leaves one out with everything.
        let against = match on.iter().filter(|on| **on).count() {
            0 => None,
            1 => Some((0, "none")),
            n if n == on.len() => Some((0, "none")),
            _ => Some((last, "all")),
        };
        let pairs = |(k, _): (usize, _)| {
            let both = of(i).iter().zip(of(k)).filter_map(|(a, b)| Some((*a)? - (*b)?));
            Sample::of(&both.collect::<Vec<f64>>())
        };
        let difference = against.and_then(pairs);
        Line {
            name: name(all, on),
            mean: sample.map(|s| s.mean),
            sd: sample.and_then(|s| s.std),
            n: done.len(),
            against: against.map(|a| a.1),
            difference: difference.map(|d| d.mean),
            half_width: difference.as_ref().and_then(half_width),
        }
    };
    choices.iter().enumerate().map(line).collect()
}

fn draw(metric: &Metric, lines: &[Line]) -> crate::report::figures::Drawing {
    let series = BTreeMap::from([("none", 0), ("all", 1)]);
    let bar = |line: &Line| {
        let (against, value) = (line.against?, line.difference?);
        let (label, error) = (line.name.clone(), line.half_width.unwrap_or(f64::NAN));
        Some(Bar { label, value, error, series: series[against] })
    };
    let bars: Vec<Bar> = lines.iter().filter_map(bar).collect();
    let label = format!("difference of {} between equal seeds, with 95 % intervals", metric.name);
    effects("What imperfections cost", &label, &["to none of them", "to all of them"], &bars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &[&str]) -> Vec<Imperfection> {
        names
            .iter()
            .map(|name| Imperfection { name: (*name).into(), keys: vec![format!("synapse.x.{name}")] })
            .collect()
    }

    #[test]
    fn every_choice_stands_once() {
        let names = |n: &[&str]| -> Vec<String> {
            let all = all(n);
            choices(n.len()).iter().map(|on| name(&all, on)).collect()
        };
        assert_eq!(names(&["a"]), ["none", "all"]);
        assert_eq!(names(&["a", "b"]), ["none", "only a", "only b", "all"]);
        let three = ["none", "only a", "only b", "only c", "all but a", "all but b", "all but c", "all"];
        assert_eq!(names(&["a", "b", "c"]), three);
    }

    /// By hand: differences 1, 2, 3 of three seeds: mean 2, interval ± 2.484138; a seed that is missing is no pair.
    #[test]
    fn differences_are_between_equal_seeds() {
        let (all, choices) = (all(&["a", "b"]), choices(2));
        let scores = [1.0, 5.0, 9.0, 2.0, 7.0, 12.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0].map(Some);
        let found = lines(&all, &choices, &scores, 3);
        assert_eq!((found[1].difference, found[1].against), (Some(2.0), Some("none")));
        assert!((found[1].half_width.unwrap() - 2.484138).abs() < 1e-5);
        assert_eq!((found[0].difference, found[0].mean, found[3].difference), (None, Some(5.0), Some(-4.0)));
        let mut some = scores;
        some[3] = None;
        let found = lines(&all, &choices, &some, 3);
        assert_eq!((found[1].difference, found[1].n), (Some(2.5), 2));
    }
}
