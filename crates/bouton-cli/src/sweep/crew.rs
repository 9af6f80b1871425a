//! Several children at once: each takes the next point, and the failure of one is no reason for another to stop.
//!
//! Other processes may be at the same points: a second sweep, or children of one that was killed. A point that another
//! process is writing is looked at again until that process is done with it or gone. Between a look and a start somebody may
//! come first; the child is refused then, and its point looked at again.

use super::child::Child;
use super::progress::Progress;
use super::{Point, Stand, Unit, in_one_line};
use crate::interrupt::Interrupt;
use bouton::train::{RunDir, Status};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks at the children.
const TICK: Duration = Duration::from_millis(20);

/// Between two looks at points that others are writing.
const PATIENCE: Duration = Duration::from_millis(500);

/// So often a point is tried whose run another process wrote while its child failed.
const TRIES: u32 = 3;

/// Those who train the points of a sweep.
pub(crate) struct Crew<'a> {
    unit: &'a Unit,
    points: &'a [Point],
    jobs: usize,
    progress: Progress,
    children: Vec<Child>,
    left: VecDeque<usize>,
    /// Points that another process is writing, or wrote a moment ago.
    waiting: Vec<usize>,
    looked: Instant,
    /// Points of which was said that they wait.
    told: BTreeSet<usize>,
    /// How often each point was lost to another process.
    lost: BTreeMap<usize, u32>,
    failed: BTreeMap<usize, String>,
}

impl<'a> Crew<'a> {
    /// So many `jobs` for the points `left`.
    pub fn new(unit: &'a Unit, points: &'a [Point], jobs: usize, left: Vec<usize>) -> Self {
        let progress = Progress::new(points.len() - left.len(), points.len());
        Self {
            unit,
            points,
            jobs,
            progress,
            children: Vec::new(),
            left: left.into(),
            waiting: Vec::new(),
            looked: Instant::now(),
            told: BTreeSet::new(),
            lost: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Works until nothing is left or somebody interrupts; returns which points failed, and why.
    pub fn work(mut self, interrupt: &Interrupt) -> BTreeMap<usize, String> {
        loop {
            self.reap(interrupt);
            if interrupt.asked() {
                self.stop();
            } else {
                self.start();
            }
            if self.children.is_empty() && self.left.is_empty() && self.waiting.is_empty() {
                break;
            }
            let said = |child: &Child| format!("{}: {}", self.points[child.point].name(), child.last_line());
            self.progress.show(self.children.iter().map(said));
            sleep(TICK);
        }
        self.progress.finish();
        self.failed
    }

    fn stop(&mut self) {
        self.left.clear();
        self.waiting.clear();
        self.children.iter_mut().for_each(Child::stop);
    }

    fn start(&mut self) {
        if self.looked.elapsed() >= PATIENCE {
            self.left.extend(self.waiting.drain(..));
            self.looked = Instant::now();
        }
        while self.children.len() < self.jobs
            && let Some(point) = self.left.pop_front()
        {
            self.begin(point);
        }
    }

    fn begin(&mut self, point: usize) {
        match self.stand(point) {
            Ok(Stand::Done(_)) => self.done(point),
            Ok(Stand::Busy(run)) => self.wait(point, &run),
            Ok(Stand::Left(_)) => {
                let words = self.unit.words(&self.points[point]);
                match Child::start(point, &self.unit.program, &words) {
                    Ok(child) => self.children.push(child),
                    Err(e) => self.fail(point, format!("cannot start it: {e}")),
                }
            }
            Err(reason) => self.fail(point, reason),
        }
    }

    fn stand(&self, point: usize) -> Result<Stand, String> {
        let point = &self.points[point];
        let recipe = point.recipe.as_ref().map_err(in_one_line)?;
        let runs = RunDir::of_recipe(&self.unit.out, &point.hash).map_err(|e| in_one_line(&e))?;
        self.unit.stand(recipe, runs).map_err(|e| in_one_line(&e))
    }

    /// Looks after the children that ended.
    fn reap(&mut self, interrupt: &Interrupt) {
        let mut ended = Vec::new();
        for mut child in std::mem::take(&mut self.children) {
            match child.ended() {
                Some(how) => ended.push((child, how)),
                None => self.children.push(child),
            }
        }
        for (child, how) in ended {
            match how {
                Ok(()) => self.done(child.point),
                // It did as it was asked, or was on its way to.
                Err(_) if interrupt.asked() => {}
                Err(reason) => self.judge(&child, reason),
            }
        }
    }

    /// A child failed: for a reason of its own, or because another process has its run?
    fn judge(&mut self, child: &Child, reason: String) {
        let by_another = |run: &RunDir| Status::read(&run.status_file()).is_ok_and(|s| s.pid != child.id());
        match self.stand(child.point) {
            Ok(Stand::Done(_)) => self.done(child.point),
            Ok(Stand::Busy(run)) => self.wait(child.point, &run),
            Ok(Stand::Left(Some(run))) if by_another(&run) && self.lose(child.point) < TRIES => {
                self.waiting.push(child.point);
            }
            _ => self.fail(child.point, reason),
        }
    }

    /// Counts how often a point was lost to another process.
    fn lose(&mut self, point: usize) -> u32 {
        let times = self.lost.entry(point).or_default();
        *times += 1;
        *times
    }

    fn wait(&mut self, point: usize, run: &RunDir) {
        if self.told.insert(point) {
            let (name, run) = (self.points[point].name(), run.path().display());
            self.progress.note(&format!("{name}: another process is writing {run}; waiting for it"));
        }
        self.waiting.push(point);
    }

    fn done(&mut self, point: usize) {
        self.progress.ended(&self.points[point].name(), "done");
    }

    fn fail(&mut self, point: usize, reason: String) {
        self.progress.ended(&self.points[point].name(), &format!("failed: {reason}"));
        self.failed.insert(point, reason);
    }
}
