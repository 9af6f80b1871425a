//! The training loop of `bouton run`: updates, metrics, checkpoints, and going on where a killed run stopped.
//!
//! A run's position is its number of updates; everything else (weights, optimiser, sums behind the next metrics line)
//! is in the checkpoint, so that a resumed run writes the same bits as an uninterrupted one.

use super::checkpoint::Checkpoint;
use super::checkpoints::Checkpoints;
use super::continual;
use super::event::{Event, Observer};
use super::importance;
use super::log::Log;
use super::provenance::Provenance;
use super::rundir::RunDir;
use super::status::{State, Status};
use super::{Trainer, atomic};
use crate::credit::Step;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::task::SequenceSpec;
use crate::task::store::hex;
use bouton_kernels::simd_level;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Seconds between two heartbeats in `status.json`.
const HEARTBEAT: f64 = 5.0;

/// How `bouton run` was called.
pub struct RunOptions<'a> {
    /// Folder of run directories.
    pub out: PathBuf,
    /// Folder of data sets; default: the user's.
    pub data: Option<PathBuf>,
    /// Run again although a finished run of this recipe is there.
    pub again: bool,
    /// Asked after every update: whether to checkpoint and stop.
    pub interrupt: &'a dyn Fn() -> bool,
    /// The command line, for provenance.
    pub command: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All updates are done.
    Finished {
        /// Its directory.
        run: PathBuf,
        /// The last test metrics.
        values: BTreeMap<String, f64>,
    },
    /// A finished run of the same recipe was there already.
    AlreadyDone {
        /// Its directory.
        run: PathBuf,
    },
}

/// Trains `recipe` in a new run directory, or goes on in the unfinished one of the same recipe.
pub fn run(recipe: &Recipe, options: &RunOptions<'_>, observer: &mut dyn Observer) -> Result<Outcome> {
    let hash = recipe.hash();
    let found = if options.again { None } else { RunDir::find(&options.out, &hash)? };
    if let Some(done) = &found
        && done.status()?.state == State::Done
    {
        return Ok(Outcome::AlreadyDone { run: done.path().to_owned() });
    }
    let mut trainer = Trainer::new(recipe, options.data.as_deref())?;
    let dir = match found {
        Some(dir) => dir,
        None => RunDir::create(&options.out, &recipe.name, recipe.seed, &hash)?,
    };
    let _lock = dir.lock()?;
    let mut status = Status { state: State::Running, error: None, ..dir.status()? };
    status.write(&dir.status_file())?;
    let result =
        Loop::start(&mut trainer, dir.clone(), options, observer).and_then(|mut l| l.work(&mut status));
    match &result {
        Ok(_) => status.state = State::Done,
        Err(Error::Interrupted) => status.state = State::Interrupted,
        Err(e) => (status.state, status.error) = (State::Failed, Some(e.to_string())),
    }
    (status.step, status.epoch) = (trainer.update(), trainer.epoch());
    status.write(&dir.status_file())?;
    dir.note(&match &status.error {
        Some(error) => format!("{} after update {}: {error}", status.state, status.step),
        None => format!("{} after update {}", status.state, status.step),
    })?;
    Ok(Outcome::Finished { run: dir.path().to_owned(), values: result? })
}

struct Loop<'a> {
    trainer: &'a mut Trainer,
    dir: RunDir,
    options: &'a RunOptions<'a>,
    observer: &'a mut dyn Observer,
    checkpoints: Checkpoints,
    log: Log,
    sums: Sums,
}

/// What the next metrics lines will be made of.
#[derive(Clone, Debug, Default)]
struct Sums {
    window: Step,
    epoch: Step,
    best: f64,
    best_update: u64,
}

impl<'a> Loop<'a> {
    fn start(
        trainer: &'a mut Trainer,
        dir: RunDir,
        options: &'a RunOptions<'a>,
        observer: &'a mut dyn Observer,
    ) -> Result<Self> {
        let checkpoints = Checkpoints::new(dir.checkpoints(), trainer.recipe.run.keep_checkpoints);
        let mut sums = Sums::default();
        let found = checkpoints.newest()?;
        let resumed = found.as_ref().map(|f| f.step);
        let mut data = trainer.course.hashes();
        let preset = trainer.recipe.synapse.device();
        let preset = preset.map(|p| std::fs::read(p).map_err(|e| Error::io(p, e))).transpose()?;
        data.extend(preset.iter().map(|text| ("the device preset".to_owned(), hex(&Sha256::digest(text)))));
        if let Some(found) = found {
            same_data(&dir, &data)?;
            for damage in &found.damaged {
                dir.note(damage)?;
                observer.on(&Event::Note { text: damage });
            }
            trainer.restore(&found.checkpoint).map_err(|e| e.context(found.path.display()))?;
            sums = Sums::from(&found.checkpoint)?;
            if sums.best_update == found.step && checkpoints.path(found.step).exists() {
                // The process may have been killed between the checkpoint and this.
                checkpoints.mark_best(found.step)?;
            }
            dir.note(&format!("going on after update {}", found.step))?;
        } else {
            atomic::write(dir.recipe(), trainer.recipe.to_toml())?;
            if let Some(text) = preset {
                atomic::write(dir.path().join("device.toml"), text)?;
            }
            atomic::write(dir.command(), options.command.join(" ") + "\n")?;
            Provenance::gather(rayon::current_num_threads(), simd_level(), &options.command, data)
                .write(&dir.provenance())?;
            dir.note("started")?;
        }
        let log = Log::open(&dir, resumed)?;
        observer.on(&Event::Start {
            run: Some(dir.path()),
            resumed_at: resumed,
            updates: trainer.updates(),
            epochs: trainer.course.stream.epochs(),
            samples: trainer.course.stream.samples(),
            parameters: trainer.network.parameter_count(),
        });
        Ok(Self { trainer, dir, options, observer, checkpoints, log, sums })
    }

    fn work(&mut self, status: &mut Status) -> Result<BTreeMap<String, f64>> {
        let (started, total) = (Instant::now(), self.trainer.updates());
        let mut beat = Instant::now();
        if self.trainer.update() == 0 && self.trainer.tasks() > 1 && self.trainer.memory.baseline.is_empty() {
            self.trainer.memory.baseline = self.test_tasks(self.trainer.tasks(), true)?;
        }
        if self.trainer.recipe.sequence != SequenceSpec::Single {
            self.tell()?;
        }
        if self.trainer.update() == 0 && self.trainer.recipe.run.checkpoint_every.is_some() {
            self.save()?;
        }
        while self.trainer.update() < total {
            let step = self.trainer.learn()?;
            self.after(&step)?;
            if beat.elapsed().as_secs_f64() > HEARTBEAT {
                (status.step, status.epoch) = (self.trainer.update(), self.trainer.epoch());
                status.write(&self.dir.status_file())?;
                beat = Instant::now();
            }
            if self.trainer.update() < total && (self.options.interrupt)() {
                self.save()?;
                return Err(Error::Interrupted);
            }
        }
        let profiles = self.trainer.importance(self.options.interrupt)?;
        if !profiles.is_empty() {
            importance::write(&self.dir, &profiles)?;
        }
        let values = self.log.last("test").unwrap_or_default();
        let wall = started.elapsed().as_secs_f64();
        self.observer.on(&Event::Finish { updates: total, wall, values: &values });
        Ok(values)
    }

    /// Metrics and checkpoints that are due after an update.
    fn after(&mut self, step: &Step) -> Result<()> {
        let (update, last) = (self.trainer.update(), self.trainer.update() == self.trainer.updates());
        self.sums.window = std::mem::take(&mut self.sums.window).with(step);
        self.sums.epoch = std::mem::take(&mut self.sums.epoch).with(step);
        self.observer.on(&Event::Update {
            update,
            updates: self.trainer.updates(),
            epoch: self.trainer.epoch() as usize,
            loss: step.mean_loss(),
            accuracy: step.accuracy(),
        });
        let run = self.trainer.recipe.run.clone();
        if update.is_multiple_of(run.log_every.max(1)) {
            let window = std::mem::take(&mut self.sums.window);
            self.record("batch", metrics(&window))?;
        }
        let place = self.trainer.place();
        let (ended, task_ended) = (place.ends_epoch || last, place.ends_segment);
        if ended {
            let epoch = std::mem::take(&mut self.sums.epoch);
            let mut values = metrics(&epoch);
            values.extend(self.trainer.flips());
            self.record("train", values)?;
        }
        if task_ended {
            self.trainer.end_segment()?;
        }
        let due = self.trainer.epoch().is_multiple_of(run.test_every.max(1) as u64);
        if ended && (last || due || task_ended) {
            self.test(task_ended)?;
        }
        if ended || run.checkpoint_every.is_some_and(|k| update.is_multiple_of(k.max(1))) {
            self.save()?;
        }
        Ok(())
    }

    /// Tests on every task that is due; a finished task, or part of a stream, adds a row to the matrix of accuracies.
    fn test(&mut self, task_ended: bool) -> Result<()> {
        let tasks = self.trainer.tasks();
        let (mut values, row) = if tasks == 1 {
            let values = metrics(&self.trainer.evaluate(0)?);
            let row = vec![values["accuracy"]];
            (values, row)
        } else {
            let joint = self.trainer.recipe.continual.interleaved;
            let seen = if joint { tasks } else { self.trainer.place().segment + 1 };
            let row = self.test_tasks(seen, task_ended)?;
            let mean = mean(&row[..seen]);
            (BTreeMap::from([("accuracy".to_owned(), mean), ("error".to_owned(), 1.0 - mean)]), row)
        };
        if task_ended && self.trainer.recipe.sequence != SequenceSpec::Single {
            self.trainer.memory.rows.push(row);
            values.extend(self.tell()?);
        }
        let accuracy = values.get("accuracy").copied().unwrap_or(0.0);
        self.record("test", values)?;
        if accuracy > self.sums.best {
            (self.sums.best, self.sums.best_update) = (accuracy, self.trainer.update());
            self.save()?;
            self.checkpoints.mark_best(self.trainer.update())?;
        }
        Ok(())
    }

    /// Writes `continual.json` as far as the sequence has come, and returns its metrics.
    fn tell(&self) -> Result<BTreeMap<String, f64>> {
        let (recipe, memory) = (&self.trainer.recipe, &self.trainer.memory);
        let summary = match memory.rows.last() {
            // The parts of a stream share one test set: there is no earlier task to test.
            Some(_) if self.trainer.tasks() == 1 => BTreeMap::new(),
            // Tasks that are learned together leave nothing to forget.
            Some(row) if recipe.continual.interleaved => BTreeMap::from([("acc".to_owned(), mean(row))]),
            _ => memory.summary(),
        };
        continual::write(&self.dir, recipe, memory, &summary)?;
        Ok(summary)
    }

    /// Accuracy by task: of the tasks seen so far, and of all of them where a row of the matrix is due.
    fn test_tasks(&mut self, seen: usize, all: bool) -> Result<Vec<f64>> {
        let tasks = self.trainer.tasks();
        let recent = self.trainer.recipe.continual.recent;
        let from = recent.map_or(0, |n| seen.saturating_sub(n));
        let to = if all && recent.is_none() { tasks } else { seen };
        let mut row = vec![f64::NAN; tasks];
        for task in from..to {
            let values = metrics(&self.trainer.evaluate(task)?);
            row[task] = values["accuracy"];
            self.record(&format!("test.{}", task + 1), values)?;
        }
        Ok(row)
    }

    fn record(&mut self, split: &str, values: BTreeMap<String, f64>) -> Result<()> {
        let record = self.log.write(self.trainer.update(), self.trainer.epoch(), split, values)?;
        self.observer.on(&Event::Metrics { record: &record });
        Ok(())
    }

    fn save(&mut self) -> Result<()> {
        let mut checkpoint = self.trainer.checkpoint()?;
        self.sums.write_to(&mut checkpoint);
        self.checkpoints.save(&checkpoint)?;
        let path = self.checkpoints.path(self.trainer.update());
        self.observer.on(&Event::Checkpoint { path: &path, update: self.trainer.update() });
        Ok(())
    }
}

/// The mean of what was tested.
fn mean(row: &[f64]) -> f64 {
    let known = row.iter().filter(|a| a.is_finite());
    known.clone().sum::<f64>() / known.count() as f64
}

impl Sums {
    fn write_to(&self, checkpoint: &mut Checkpoint) {
        let meta = [
            ("window", self.window.to_text()),
            ("epoch-sum", self.epoch.to_text()),
            ("best", format!("{:?}", self.best)),
            ("best-update", self.best_update.to_string()),
        ];
        checkpoint.meta.extend(meta.map(|(k, v)| (k.to_owned(), v)));
    }

    fn from(checkpoint: &Checkpoint) -> Result<Self> {
        Ok(Self {
            window: checkpoint.meta("window")?,
            epoch: checkpoint.meta("epoch-sum")?,
            best: checkpoint.meta("best")?,
            best_update: checkpoint.meta("best-update")?,
        })
    }
}

/// Refuses to go on with other data than the run began with.
fn same_data(dir: &RunDir, data: &BTreeMap<String, String>) -> Result<()> {
    let began = Provenance::read(&dir.provenance())?.data;
    match data.iter().find(|(name, hash)| began.get(*name) != Some(hash)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(Error::data(format!("{name} is not the data that {} began with", dir.path().display()))
                .with_hint("import the old data again, or begin anew with --again"))
        }
    }
}

/// Means per sample, by metric name.
fn metrics(step: &Step) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::from([
        ("loss".to_owned(), step.mean_loss()),
        ("accuracy".to_owned(), step.accuracy()),
        ("error".to_owned(), 1.0 - step.accuracy()),
    ]);
    if step.fallback > 0 {
        values.insert("fallback".to_owned(), step.fallback as f64 / step.samples.max(1) as f64);
    }
    for (phase, relaxed) in [("free", &step.free), ("nudged", &step.nudged)] {
        if relaxed.samples > 0 && relaxed.sweeps > 0 {
            values.insert(format!("sweeps.{phase}"), relaxed.mean_sweeps());
            values.insert(format!("residual.{phase}"), relaxed.residual);
            if relaxed.unsettled > 0 {
                let share = relaxed.unsettled as f64 / relaxed.samples as f64;
                values.insert(format!("unsettled.{phase}"), share);
            }
        }
    }
    values
}
