//! The training loop of `bouton run`: updates, metrics, checkpoints, and going on where a killed run stopped.
//!
//! A run's position is its number of updates; everything else (weights, optimiser, sums behind the next metrics line)
//! is in the checkpoint, so that a resumed run writes the same bits as an uninterrupted one.

use super::checkpoint::Checkpoint;
use super::checkpoints::Checkpoints;
use super::choice::Choice;
use super::continual;
use super::event::{Event, Observer};
use super::extend;
use super::identity::{Claim, Earlier, FoundRun, Identity};
use super::importance;
use super::log::Log;
use super::provenance::Provenance;
use super::rundir::RunDir;
use super::status::{State, Status};
use super::{Trainer, atomic};
use crate::credit::Step;
use crate::error::{Error, Result};
use crate::objective::Metric;
use crate::recipe::Recipe;
use bouton_kernels::simd_level;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Seconds between two heartbeats in `status.json`.
const HEARTBEAT: f64 = 5.0;

/// What the provenance calls the checksum of which training samples are held back.
const HELD: &str = "training samples held back for validation";

/// How `bouton run` was called.
pub struct RunOptions<'a> {
    /// Folder of run directories.
    pub out: PathBuf,
    /// Folder of data sets; default: the user's.
    pub data: Option<PathBuf>,
    /// What earlier runs of this recipe mean.
    pub earlier: Earlier,
    /// A finished, shorter run of the recipe to go on with.
    pub extend: Option<RunDir>,
    /// Asked after every update: whether to checkpoint and stop.
    pub interrupt: &'a dyn Fn() -> bool,
    /// The command line, for provenance.
    pub command: Vec<String>,
    /// Source revision that the program was built from, for provenance; none if it is not known.
    pub build: Option<String>,
}

impl RunOptions<'_> {
    /// A run in `out` with the user's data that nothing interrupts.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            out: out.into(),
            data: None,
            earlier: Earlier::Same,
            extend: None,
            interrupt: &|| false,
            command: Vec::new(),
            build: None,
        }
    }
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

/// Trains `recipe` in a new run directory, or goes on in the unfinished one of the same recipe and data. Paths in the
/// recipe begin at the present folder.
///
/// # Errors
/// [`Error::Config`] if earlier runs of the recipe are in the way ([`Earlier`]) or another process is writing the run;
/// those of [`Trainer`]. What is refused leaves the folder of a run as it was.
pub fn run(recipe: &Recipe, options: &RunOptions<'_>, observer: &mut dyn Observer) -> Result<Outcome> {
    let recipe = &recipe.clone().embedded(Path::new(""), options.data.as_deref())?;
    let identity = Identity::new(recipe, options)?;
    if let FoundRun::Done(run) = identity.find(options)? {
        return Ok(Outcome::AlreadyDone { run: run.path().to_owned() });
    }
    let mut trainer = Trainer::new(recipe, options.data.as_deref())?;
    let shorter =
        options.extend.as_ref().map(|shorter| extend::Shorter::new(shorter, &trainer)).transpose()?;
    let (dir, _lock) = match identity.claim(recipe, options)? {
        Claim::Done(run) => return Ok(Outcome::AlreadyDone { run: run.path().to_owned() }),
        Claim::Ours(dir, lock) => (dir, lock),
    };
    let mut resumed = Resumed::into(&mut trainer, &dir)?;
    if resumed.from.is_none() {
        sign(&dir, &trainer, &identity, options)?;
        if let Some(shorter) = shorter {
            shorter.put_into(&dir)?;
            resumed = Resumed::into(&mut trainer, &dir)?;
        }
    }
    let mut status = Status { state: State::Running, error: None, ..dir.status()? };
    status.write(&dir.status_file())?;
    let result = Loop::start(&mut trainer, dir.clone(), resumed, &identity, options, observer)
        .and_then(|mut l| l.train_loop(&mut status));
    match &result {
        Ok(_) => status.state = State::Done,
        Err(Error::Interrupted) => status.state = State::Interrupted,
        Err(e) => (status.state, status.error) = (State::Failed, Some(e.to_string())),
    }
    (status.step, status.epoch) = (trainer.update(), trainer.epoch());
    let told = status.write(&dir.status_file()).and_then(|()| {
        dir.note(&match &status.error {
            Some(error) => format!("{} after update {}: {error}", status.state, status.step),
            None => format!("{} after update {}", status.state, status.step),
        })
    });
    // Where the disk is full, that is the error, and not that it cannot be noted.
    let values = result?;
    told?;
    Ok(Outcome::Finished { run: dir.path().to_owned(), values })
}

/// What a run goes on with.
struct Resumed {
    checkpoints: Checkpoints,
    /// Update of the newest readable checkpoint, and what is wrong with newer ones.
    from: Option<(u64, Vec<String>)>,
    sums: Sums,
}

impl Resumed {
    /// Brings `trainer` to the newest readable checkpoint of `dir`, if there is one. Writes nothing.
    fn into(trainer: &mut Trainer, dir: &RunDir) -> Result<Self> {
        let keep = trainer.recipe.run.keep_checkpoints.newest();
        let checkpoints = Checkpoints::new(dir.checkpoints(), keep);
        let Some(found) = checkpoints.newest()? else {
            return Ok(Self { checkpoints, from: None, sums: Sums::default() });
        };
        trainer.restore(&found.checkpoint).map_err(|e| e.context(found.path.display()))?;
        let sums = Sums::from(&found.checkpoint)?;
        Ok(Self { checkpoints, from: Some((found.step, found.damaged)), sums })
    }
}

/// Writes down what a new run is: its recipe, its command, and where it comes from.
fn sign(dir: &RunDir, trainer: &Trainer, identity: &Identity, options: &RunOptions<'_>) -> Result<()> {
    atomic::write(dir.recipe(), trainer.recipe.to_toml())?;
    atomic::write(dir.command(), shell(&options.command) + "\n")?;
    let threads = rayon::current_num_threads();
    let here = Provenance::gather(threads, simd_level(), &options.command, BTreeMap::new());
    let mut here = identity.sign(here);
    here.data.extend(trainer.task_stream.held.clone().map(|sum| (HELD.to_owned(), sum)));
    here.write(&dir.provenance())
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
    choice: Choice,
}

impl<'a> Loop<'a> {
    fn start(
        trainer: &'a mut Trainer,
        dir: RunDir,
        resumed: Resumed,
        identity: &Identity,
        options: &'a RunOptions<'a>,
        observer: &'a mut dyn Observer,
    ) -> Result<Self> {
        let Resumed { checkpoints, from, sums } = resumed;
        let resumed = from.as_ref().map(|(step, _)| *step);
        let mut notes = Vec::new();
        if let Some((step, damaged)) = from {
            notes.extend(damaged);
            if sums.choice.update == step && checkpoints.path(step).exists() {
                // The process may have been killed between the checkpoint and this.
                checkpoints.mark_best(step)?;
            }
        } else {
            notes.extend(identity.strange());
        }
        for note in &notes {
            dir.note(note)?;
            observer.on(&Event::Note { text: note });
        }
        dir.note(&resumed.map_or("started".into(), |step| format!("going on after update {step}")))?;
        let log = Log::open(&dir, resumed)?;
        observer.on(&Event::Start {
            run: Some(dir.path()),
            resumed_at: resumed,
            updates: trainer.updates(),
            epochs: trainer.task_stream.train.epochs(),
            samples: trainer.task_stream.train.samples(),
            parameters: trainer.network.parameter_count(),
        });
        Ok(Self { trainer, dir, options, observer, checkpoints, log, sums })
    }

    fn train_loop(&mut self, status: &mut Status) -> Result<BTreeMap<String, f64>> {
        let (started, total) = (Instant::now(), self.trainer.updates());
        let mut beat = Instant::now();
        if self.trainer.update() == 0 && self.trainer.tasks() > 1 && self.trainer.history.baseline.is_empty()
        {
            self.trainer.history.baseline = self.test_tasks(self.trainer.tasks(), true)?;
        }
        if self.trainer.recipe.sequence.method().traits().several {
            self.write_continual_json()?;
        }
        if self.trainer.update() == 0 && self.trainer.recipe.run.checkpoint_every.is_some() {
            self.save()?;
        }
        while self.trainer.update() < total && !self.gave_up() {
            let step = self.trainer.learn()?;
            self.on_update_end(&step)?;
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
        if self.gave_up() && self.trainer.update() < total {
            let text = format!("stopped: no better than after update {}", self.sums.choice.update);
            self.observer.on(&Event::Note { text: &text });
            self.dir.note(&text)?;
        }
        let profiles = self.trainer.importance(self.options.interrupt)?;
        if !profiles.is_empty() {
            importance::write(&self.dir, &profiles)?;
        }
        let values = self.log.last("test").unwrap_or_default();
        let wall = started.elapsed().as_secs_f64();
        self.observer.on(&Event::Finish { updates: self.trainer.update(), wall, values: &values });
        Ok(values)
    }

    /// Whether patience is at an end.
    fn gave_up(&self) -> bool {
        self.sums.choice.is_stale(self.trainer.recipe.run.patience)
    }

    /// Metrics and checkpoints that are due after an update.
    fn on_update_end(&mut self, step: &Step) -> Result<()> {
        let (update, last) = (self.trainer.update(), self.trainer.update() == self.trainer.updates());
        self.sums.window = std::mem::take(&mut self.sums.window).with(step);
        self.sums.epoch = std::mem::take(&mut self.sums.epoch).with(step);
        self.observer.on(&Event::Update {
            update,
            updates: self.trainer.updates(),
            epoch: self.trainer.epoch() as usize,
            loss: step.mean_loss(),
            score: step.score(),
        });
        let run = self.trainer.recipe.run.clone();
        if update.is_multiple_of(run.log_every.max(1)) {
            let window = std::mem::take(&mut self.sums.window);
            self.record("batch", metrics(&window))?;
        }
        let position = self.trainer.position();
        let (ended, task_ended) = (position.ends_epoch || last, position.ends_segment);
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
        let better = self.validate()?;
        let tasks = self.trainer.tasks();
        let (mut values, row) = if tasks == 1 {
            let values = metrics(&self.trainer.evaluate(0)?);
            let row = Metric::score_in(&values).map(|(_, score)| score);
            (values, row.into_iter().collect())
        } else {
            let joint = self.trainer.recipe.continual.joint;
            let seen = if joint { tasks } else { self.trainer.position().segment + 1 };
            let row = self.test_tasks(seen, task_ended)?;
            let mean = mean(&row[..seen]);
            (BTreeMap::from([("accuracy".to_owned(), mean), ("error".to_owned(), 1.0 - mean)]), row)
        };
        if task_ended && self.trainer.recipe.sequence.method().traits().several {
            self.trainer.history.rows.push(row);
            values.extend(self.write_continual_json()?);
        }
        self.record("test", values)?;
        if better {
            self.save()?;
            self.checkpoints.mark_best(self.trainer.update())?;
        }
        Ok(())
    }

    /// Asks the samples to choose by, of all tasks so far; whether they think better of the network than ever.
    fn validate(&mut self) -> Result<bool> {
        let values = match self.trainer.task_stream.validations.len() {
            0 => return Ok(false),
            1 => metrics(&self.trainer.validate(0)?),
            tasks => {
                let joint = self.trainer.recipe.continual.joint;
                let seen = if joint { tasks } else { self.trainer.position().segment + 1 };
                let accuracy = |task| Ok(metrics(&self.trainer.validate(task)?)["accuracy"]);
                let mean = mean(&(0..seen).map(accuracy).collect::<Result<Vec<_>>>()?);
                BTreeMap::from([("accuracy".to_owned(), mean), ("error".to_owned(), 1.0 - mean)])
            }
        };
        let (update, segment) = (self.trainer.update(), self.trainer.position().segment);
        let better = Metric::score_in(&values)
            .is_some_and(|(metric, score)| self.sums.choice.judge((metric, score), update, segment));
        self.record("validation", values)?;
        Ok(better)
    }

    /// Writes `continual.json` as far as the sequence has come, and returns its metrics.
    fn write_continual_json(&self) -> Result<BTreeMap<String, f64>> {
        let (recipe, history) = (&self.trainer.recipe, &self.trainer.history);
        let summary = match history.rows.last() {
            // The parts of a stream share one test set: there is no earlier task to test.
            Some(_) if self.trainer.tasks() == 1 => BTreeMap::new(),
            // Tasks that are learned together leave nothing to forget.
            Some(row) if recipe.continual.joint => BTreeMap::from([("acc".to_owned(), mean(row))]),
            _ => history.summary(),
        };
        let classes = self.trainer.task_stream.classes();
        continual::write(&self.dir, recipe, history, classes, &summary)?;
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
        let epoch = match self.trainer.update() {
            0 => 0,
            _ => self.trainer.position().total_epoch + 1,
        };
        let record = self.log.write(self.trainer.update(), epoch, split, values)?;
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

/// A command line as a shell takes it back.
pub fn shell(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+:,@%~".contains(c);
    let quoted = words.iter().map(|word| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The mean of what was tested.
fn mean(row: &[f64]) -> f64 {
    let known = row.iter().filter(|a| a.is_finite());
    known.clone().sum::<f64>() / known.count() as f64
}

impl Sums {
    fn write_to(&self, checkpoint: &mut Checkpoint) {
        let meta = [("window", self.window.to_text()), ("epoch-sum", self.epoch.to_text())];
        checkpoint.meta.extend(meta.map(|(k, v)| (k.to_owned(), v)));
        self.choice.write_to(checkpoint);
    }

    fn from(checkpoint: &Checkpoint) -> Result<Self> {
        Ok(Self {
            window: checkpoint.meta("window")?,
            epoch: checkpoint.meta("epoch-sum")?,
            choice: Choice::from(checkpoint)?,
        })
    }
}

/// Means per sample, by metric name.
fn metrics(step: &Step) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::from([("loss".to_owned(), step.mean_loss())]);
    values.extend(step.metrics().map(|(metric, value)| (metric.name.to_owned(), value)));
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

#[cfg(test)]
mod tests {
    #[test]
    fn a_shell_takes_a_command_line_back() {
        let words = ["bouton", "run", "./x;rm.toml", "--out", "sp ace", "it's", "", "optim.sgd.lr=[0.1,0.2]"];
        let quoted = super::shell(&words.map(String::from));
        assert_eq!(quoted, r"bouton run './x;rm.toml' --out 'sp ace' 'it'\''s' '' 'optim.sgd.lr=[0.1,0.2]'");
    }
}
