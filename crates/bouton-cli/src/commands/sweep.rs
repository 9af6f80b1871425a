//! `bouton sweep`: a recipe at many points, and the table of their results.

use super::{DataArgs, OutArgs, named, runs};
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::progress::seconds;
use crate::sweep::{Axis, Crew, Estimate, Grid, Point, Row, SweepFile, Unit, in_one_line, memory, refused};
use crate::terminal::say;
use bouton::train::Entry;
use bouton::{Error, Result};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Train a recipe at every combination of values and print the table; the same command again goes on
#[derive(Args, Debug)]
pub struct Sweep {
    /// The recipe, or a sweep file: `recipe = "mine.toml"`, and values in `[keys]` and `[zip]`
    recipe: PathBuf,
    /// Values of keys: `solver=synchronous,even-odd`, `seed=1..5` (1 and 5 included), `'optim.sgd.lr=log(1e-4,1e-1,7)'` (from,
    /// to, how many) or `lin(…)`; `zip:KEY=a,b` for keys that move together; one value is an override of all points
    #[arg(value_name = "KEY=VALUES")]
    keys: Vec<String>,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Runs at once; each has its share of the cores, or --threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Train every point anew, whatever runs there are
    #[arg(long)]
    again: bool,
    /// Only print the command line of every point that is left, and tell memory and time
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Sweep {
    /// Carries it out on children of `program`; false if a point failed.
    pub fn go(self, threads: Option<u16>, program: Vec<OsString>, printer: &mut Printer) -> Result<bool> {
        let (mut unit, points) = self.plan(threads, program)?;
        if !self.dry_run {
            writable(&unit.out)?;
        }
        let rows = Row::all(&unit, &points)?;
        let mut failed = refused(&points, &rows);
        let left: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].is_left()).collect();
        let n = points.len();
        let done = n - left.len() - failed.len();
        say(format_args!("{n} points: {done} done, {} left, {} refused", left.len(), failed.len()));
        failed.iter().for_each(|(i, reason)| say(format_args!("refused  {}: {reason}", points[*i].name())));
        if self.dry_run {
            return self.tell(printer, &unit, &points, &rows, &left).map(|()| true);
        }
        printer.only_tell();
        let interrupt = Interrupt::listen()?;
        failed.extend(Crew::new(&unit, &points, self.jobs.into(), left).work(&interrupt));
        if interrupt.asked() {
            return Err(Error::Interrupted);
        }
        // What there is now counts.
        unit.again = false;
        self.table(printer, &unit, &points, &failed)?;
        Ok(failed.is_empty())
    }

    /// The points, and what they have in common.
    fn plan(&self, threads: Option<u16>, program: Vec<OsString>) -> Result<(Unit, Vec<Point>)> {
        let (path, mut axes) = match SweepFile::read(&self.recipe)? {
            Some(file) => (file.recipe, file.axes),
            None => (self.recipe.clone(), Vec::new()),
        };
        for word in &self.keys {
            axes.push(Axis::parse(word)?);
        }
        let grid = Grid::new(axes)?;
        let (out, data) = (self.out.out.clone(), self.data.data.clone());
        let points = Point::all(&named(&path, data.as_deref())?, &path, data.as_deref(), &grid)?;
        let threads = Unit::share(threads, self.jobs, points.len());
        Ok((Unit { program, recipe: path, out, data, threads, again: self.again }, points))
    }

    /// What there is to do, without doing it.
    fn tell(
        &self,
        printer: &mut Printer,
        unit: &Unit,
        points: &[Point],
        rows: &[Row],
        left: &[usize],
    ) -> Result<()> {
        if self.json {
            printer.json(&as_json(unit, points, rows, &refused(points, rows)))?;
        } else {
            left.iter().try_for_each(|i| printer.line(unit.line(&points[*i])))?;
        }
        let Some(first) = left.first().and_then(|i| points[*i].recipe.as_ref().ok()) else { return Ok(()) };
        let jobs = usize::from(self.jobs).min(left.len());
        let bytes = memory(left.iter().map(|i| &points[*i]));
        let [each, all] = [bytes, bytes.saturating_mul(jobs as u64)].map(|bytes| bytes as f64 / 1e6);
        say(format_args!("memory   at least {each:.1} MB a point, {all:.1} MB for {jobs} at once"));
        let done: Vec<&Entry> =
            rows.iter().filter(|row| row.is_done()).filter_map(|row| row.run.as_ref()).collect();
        let estimate = Estimate::of_finished(&done);
        match estimate.map_or_else(|| Estimate::timed(first, unit.threads, unit.data.as_deref()), Ok) {
            Ok(Estimate { seconds: each, basis }) => {
                let (all, each) = (seconds(each * left.len().div_ceil(jobs) as f64), seconds(each));
                say(format_args!(
                    "time     about {all}: {} of {each} each, {jobs} at once ({basis})",
                    left.len()
                ));
            }
            Err(error) => say(format_args!("time     unknown: {}", in_one_line(&error))),
        }
        Ok(())
    }

    /// What all points came to, from the folders of their runs.
    fn table(
        &self,
        printer: &mut Printer,
        unit: &Unit,
        points: &[Point],
        failed: &BTreeMap<usize, String>,
    ) -> Result<()> {
        let rows = Row::all(unit, points)?;
        if self.json {
            printer.json(&as_json(unit, points, &rows, failed))?;
        } else {
            let (score, scores) = runs::scores(rows.iter().map(|row| row.run.as_ref()));
            let keys = points.iter().take(1).flat_map(|point| &point.keys).map(|(key, _)| key.as_str());
            let head: Vec<&str> = keys.chain(["state", score, "time"]).collect();
            let lines = rows.iter().zip(points).zip(scores).enumerate().map(|(i, ((row, point), score))| {
                let time = row.run.as_ref().map_or_else(String::new, |run| seconds(run.wall));
                let values = point.keys.iter().map(|(_, value)| value.clone());
                values.chain([row.state(failed.contains_key(&i)), score, time]).collect()
            });
            printer.columns(&head, lines.collect())?;
        }
        if !failed.is_empty() {
            say(format_args!("{} of {} points failed:", failed.len(), points.len()));
        }
        failed.iter().for_each(|(i, reason)| say(format_args!("  {}: {reason}", points[*i].name())));
        Ok(())
    }
}

fn as_json(unit: &Unit, points: &[Point], rows: &[Row], failed: &BTreeMap<usize, String>) -> Vec<Value> {
    let one = |(i, (point, row)): (usize, (&Point, &Row))| {
        let keys = point.keys.iter().map(|(key, text)| (key.clone(), typed(text)));
        json!({
            "keys": keys.collect::<serde_json::Map<_, _>>(), "state": row.state(failed.contains_key(&i)),
            "error": failed.get(&i), "command": unit.command(point), "memory": point.memory(),
            "run": row.run.as_ref().map(runs::as_json),
        })
    };
    points.iter().zip(rows).enumerate().map(one).collect()
}

/// A value as JSON: what TOML reads as a number, a list or a table is one.
fn typed(text: &str) -> Value {
    let read = format!("value = {text}").parse::<toml::Table>().ok();
    read.map_or_else(|| json!(text), |table| json!(table["value"]))
}

/// Refuses a folder that runs cannot be written to.
pub(super) fn writable(out: &Path) -> Result<()> {
    let tried = std::fs::create_dir_all(out).and_then(|()| tempfile::tempfile_in(out));
    tried.map(drop).map_err(|e| {
        Error::config(format!("{}: {e}", out.display()))
            .with_hint("choose another folder for runs with --out DIR")
    })
}
