//! What training a recipe holds in memory, estimated before any of it is allocated.

use super::Recipe;
use super::plan::{ConnectionKind, ConnectionPlan, NetworkPlan, PopulationPlan};
use crate::encoder::Steps;
use crate::network::{Layer, Role};
use crate::synapse::Site;
use crate::task::BatchSize;
use crate::wiring::FeedbackSpec;
use crate::{Error, Result};
use bouton_kernels::DType;
use serde::Serialize;

/// Samples of an evaluation batch.
const EVALUATION: usize = 512;

/// Bytes that training holds at once, at least: working memory of single kernels comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Weights and biases, feedback weights of their own included.
    pub weights: u64,
    /// What optimiser, anchor and averages over draws keep of every weight.
    pub learning: u64,
    /// State that synapses keep beside every weight.
    pub synapses: u64,
    /// A copy of the three for a checkpoint.
    pub checkpoint: u64,
    /// States of all units for one batch, those that a credit rule or a solver remembers included.
    pub states: u64,
    /// Images, lists of samples and orders of pixels, and the matrix of accuracies.
    pub data: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        let parts = [self.weights, self.learning, self.synapses, self.checkpoint, self.states, self.data];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// Refuses what this machine has no memory for.
    ///
    /// # Errors
    /// [`Error::Config`] with the estimate, what is there, and what to make smaller.
    pub(crate) fn fits(&self) -> Result<()> {
        let (total, there) = (self.total(), available());
        if total <= there {
            return Ok(());
        }
        let (part, most, hint) = self.largest();
        let [total, most, there] = [total, most, there].map(gigabytes);
        let message = format!("this needs about {total} of memory ({most} for {part}), but {there} are free");
        Err(Error::config(message).with_hint(hint))
    }

    /// The part that is the largest, and what makes it smaller; a checkpoint copies others.
    fn largest(&self) -> (&'static str, u64, &'static str) {
        let layers = "make network.layers smaller";
        let parts = [
            ("weights", self.weights, layers),
            (
                "the optimiser",
                self.learning,
                "use an optimiser with less state, such as optim.sgd without momentum",
            ),
            (
                "states of synapses",
                self.synapses,
                "use a synapse with fewer states, or smaller network.layers",
            ),
            (
                "states of units",
                self.states,
                "make the batches of [task] smaller, or let bptt keep fewer sweeps, or steps (credit.bptt.checkpoint)",
            ),
            ("data", self.data, "train on fewer or smaller images, or on fewer tasks"),
        ];
        parts.into_iter().max_by_key(|part| part.1).unwrap_or(parts[0])
    }
}

impl Recipe {
    /// An estimate of what training holds in memory. The recipe has passed [`Recipe::check`].
    ///
    /// # Errors
    /// [`Error::Shape`] if layers do not chain.
    pub fn memory(&self) -> Result<Memory> {
        let plan = NetworkPlan::new(self)?;
        let size = DType::from(self.precision).size() as u128;
        let (mut weights, mut synapses) = (0, 0);
        for c in &plan.connections {
            let own = c.wiring.weights().feedback != FeedbackSpec::Tied;
            let states =
                c.synapse.method().build(Site::default()).map_or(0, |synapse| synapse.states().len());
            let n = weights_of(self, &plan, c) * size * if own { 2 } else { 1 };
            weights += n;
            synapses += n * states as u128;
        }
        weights += plan
            .populations
            .iter()
            .filter(|p| p.role != Role::Clamped)
            .map(|p| p.shape.channels as u128)
            .sum::<u128>()
            * size;
        let kept = self.optims().map(|(_, optim)| optim.build().slots()).max().unwrap_or(0)
            + if self.anchor.method().needs().holds { 4 } else { 0 }
            + usize::from(self.run.train_draws.is_some())
            + usize::from(self.piece().is_some() || self.update.clip_norm.is_some());
        let learning = kept as u128 * weights;
        let bytes = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(Memory {
            weights: bytes(weights),
            learning: bytes(learning),
            synapses: bytes(synapses),
            checkpoint: bytes(weights + learning + synapses),
            states: bytes(states(self, &plan) * size),
            data: bytes(data(self)),
        })
    }
}

/// Weights of a connection.
fn weights_of(recipe: &Recipe, plan: &NetworkPlan<'_>, c: &ConnectionPlan<'_>) -> u128 {
    let product = |sides: [usize; 4]| sides.into_iter().map(|n| n as u128).product::<u128>();
    let [pre, post] = [c.pre, c.post].map(|p| plan.populations[p].shape);
    let filters = |[rows, columns]: [usize; 2]| product([pre.channels, rows, columns, post.channels]);
    let wiring = c.wiring.method();
    let numbers = wiring.numbers(plan.populations[c.post].ports()).unwrap_or(1);
    let joined =
        if wiring.learns() { product([wiring.inputs(pre.units()), post.units(), numbers, 1]) } else { 0 };
    match c.kind {
        ConnectionKind::Skip(skip) => skip.kernel.map_or(0, |side| filters([side; 2])),
        ConnectionKind::Chain(layer) => match recipe.network.layers[layer] {
            Layer::Conv(conv) => filters(conv.kernel.sides()),
            _ => joined,
        },
        ConnectionKind::Dense => joined,
    }
}

/// Numbers that hold the states of a batch.
fn states(recipe: &Recipe, plan: &NetworkPlan<'_>) -> u128 {
    let all = recipe.task.samples();
    let new = match recipe.task.batch() {
        BatchSize::Samples(n) => n.min(all),
        BatchSize::All(_) => all,
    };
    let replayed = recipe.continual.replay.as_ref().map_or(0, |replay| replay.batch.unwrap_or(new));
    let rows = (new + replayed).max(all.min(EVALUATION)) as u128;
    // Output, drive, constant drive and their gradient.
    let copies = recipe.credit.method().copies() as u128;
    let mixed = 2 * recipe.solver.method().traits().history as u128;
    let of = |p: &PopulationPlan<'_>| {
        let own = p.neuron.method().population(p.reads_out()).states().len() as u128;
        p.shape.units() as u128 * (copies * (1 + own) + mixed)
    };
    let all = plan.populations.iter().map(of).sum::<u128>();
    if !plan.in_time() {
        return rows * all;
    }
    // Threads work on a shard each, whose steps are all kept, or those of a section and the first of each.
    let steps = recipe.shown_steps().map_or(1, |shown| shown.steps);
    let kept = recipe.credit.method().section().map_or(steps, |n| n.min(steps) + steps.div_ceil(n));
    let shown = recipe.shown_steps().map_or(0, Steps::all) as u128;
    let substeps = recipe.clock().substeps as u128;
    let rows = rows.min(32 * rayon::current_num_threads() as u128);
    let kept = rows * kept as u128 * substeps * all;
    let size = DType::from(recipe.precision).size() as u128;
    let bound = recipe.credit.method().memory().map_or(kept, |bytes| u128::from(bytes) / size);
    kept.min(bound) + rows * shown + carried(recipe, plan)
}

/// Numbers that a rule carries along a batch: along all samples at once where weights move within their sequences, and along one on
/// each thread otherwise.
fn carried(recipe: &Recipe, plan: &NetworkPlan<'_>) -> u128 {
    let needs = recipe.credit.method().needs();
    let of_unit = |p: &PopulationPlan<'_>| p.neuron.method().population(p.reads_out()).states().len() as u128;
    let moving = || plan.populations.iter().filter(|p| p.role != Role::Clamped);
    let past = plan.connections.iter().map(|c| c.delay as u128).max().unwrap_or(0);
    let states = moving().map(|p| p.shape.units() as u128 * (of_unit(p) + 1 + past)).sum();
    let parameters = plan.connections.iter().map(|c| weights_of(recipe, plan, c)).sum::<u128>()
        + moving().map(|p| p.shape.channels as u128).sum::<u128>();
    let batch = match recipe.task.batch() {
        BatchSize::Samples(n) => n.min(recipe.task.samples()),
        BatchSize::All(_) => recipe.task.samples(),
    };
    let at_once = if needs.online { batch } else { rayon::current_num_threads() };
    at_once as u128 * needs.carries.numbers(parameters, states, moving().map(of_unit).max().unwrap_or(0))
}

/// Bytes of data sets and of what is known about their samples.
fn data(recipe: &Recipe) -> u128 {
    let product = |sides: [usize; 3]| sides.into_iter().map(|n| n as u128).product::<u128>();
    let (shape, classes) = recipe.task.shape();
    let (sets, samples) = recipe.task.method().bytes(recipe.sequence.method().sets());
    let tasks = recipe.sequence.tasks(classes) as u128;
    let orders = recipe.sequence.method().order_bytes(product(recipe.sequence.shape(shape)));
    sets + 16 * samples as u128 + orders + 8 * tasks * tasks
}

/// Bytes that the system can still give; a tebibyte where it does not say.
fn available() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let text = read("/proc/meminfo");
    let entry = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    };
    let free = entry("MemAvailable:").map(|n| n + entry("SwapFree:").unwrap_or(0));
    let allowed = read("/sys/fs/cgroup/memory.max").trim().parse().ok();
    free.into_iter().chain(allowed).min().unwrap_or(1 << 40)
}

/// "12.3 GB".
fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
