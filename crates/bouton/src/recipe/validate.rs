//! Numbers that cannot be meant: each refusal names the key and says what to write.

mod sequence;
mod synapse;

use super::load::{LONGEST_NAME, fit_name, fits_name};
use super::{Recipe, RunSpec, combos, tag};
use crate::anchor::AnchorSpec;
use crate::credit::CreditSpec;
use crate::network::{ConvLayer, ImageLayer, Layer, NetworkSpec, PoolSpec, Shape};
use crate::neuron::{Dynamics, NeuronSpec};
use crate::norm::NormSpec;
use crate::optim::{OptimSpec, ScheduleSpec};
use crate::solver::SolverSpec;
use crate::task::{BatchSize, SequenceSpec, TaskSpec};
use crate::wiring::{PerLayer, WiringSpec};
use crate::{Error, Result};

impl Recipe {
    /// Checks every number and every combination.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Shape`] or [`Error::Incompatible`], with the key and a hint.
    pub fn check(&self) -> Result<()> {
        self.validate()?;
        combos::compatible(self)
    }

    /// Checks every number on its own and against the data's shape.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Shape`], with the key and a hint.
    pub fn validate(&self) -> Result<()> {
        name(&self.name)?;
        if self.signs.is_some() {
            return Err(Error::config("`signs` is not spelled out")
                .with_hint("read the recipe with Recipe::load or Recipe::parse"));
        }
        at_most_toml("seed", self.seed)?;
        run(&self.run)?;
        task(&self.task)?;
        sequence::check(self)?;
        network(self)?;
        norm(self)?;
        synapse::check(&self.synapse, self.network.weighted())?;
        anchor(&self.anchor)?;
        let connections = self.network.weighted();
        neuron(&self.neuron)?;
        wiring(&self.wiring, connections)?;
        credit(&self.credit)?;
        solver(&self.solver)?;
        optim(&self.optim, connections)?;
        schedule(&self.schedule)
    }
}

/// "`key` is 0, but must be …".
fn refuse(key: &str, value: impl std::fmt::Display, need: &str, hint: &str) -> Result<()> {
    Err(Error::config(format!("`{key}` is {value}, but must be {need}")).with_hint(hint))
}

fn require(ok: bool, key: &str, value: impl std::fmt::Display, need: &str, hint: &str) -> Result<()> {
    if ok { Ok(()) } else { refuse(key, value, need, hint) }
}

fn at_least_one(key: &str, value: Option<u64>, hint: &str) -> Result<()> {
    require(value != Some(0), key, 0, "at least 1", hint)
}

fn positive(key: &str, value: f64, hint: &str) -> Result<()> {
    require(value > 0.0 && value.is_finite(), key, value, "a positive number", hint)
}

fn not_negative(key: &str, value: f64, hint: &str) -> Result<()> {
    require(value >= 0.0 && value.is_finite(), key, value, "a number of at least 0", hint)
}

fn below_one(key: &str, value: f64, hint: &str) -> Result<()> {
    require((0.0..1.0).contains(&value), key, value, "at least 0 and below 1", hint)
}

fn at_most_toml(key: &str, value: u64) -> Result<()> {
    require(
        i64::try_from(value).is_ok(),
        key,
        value,
        "at most 9223372036854775807",
        "choose a smaller number",
    )
}

fn name(name: &str) -> Result<()> {
    let ok = name.chars().all(fits_name) && !name.starts_with('.') && name.len() <= LONGEST_NAME;
    let need = "at most 100 letters, digits, `-`, `_`, `+` and dots";
    let hint = format!("it becomes part of a folder's name: name = \"{}\" would do", fit_name(name));
    require(ok, "name", format!("\"{}\"", name.escape_debug()), need, &hint)
}

fn run(run: &RunSpec) -> Result<()> {
    at_least_one("run.updates", run.updates, "leave it out to train for all epochs")?;
    at_least_one("run.checkpoint-every", run.checkpoint_every, "leave it out to checkpoint once per epoch")?;
    at_least_one("run.log-every", Some(run.log_every), "100 is usual")?;
    at_least_one("run.test-every", Some(run.test_every as u64), "1 tests after every epoch")?;
    let draws = run.train_draws.map(|n| n as u64);
    at_least_one("run.train-draws", draws, "leave it out for one sample of the weights")?;
    let draws = run.test_draws.map(|n| n as u64);
    at_least_one("run.test-draws", draws, "leave it out for the answers of the mean weights")?;
    at_least_one("run.turn-draws", run.turn_draws.map(|n| n as u64), "100 is usual")
}

fn task(task: &TaskSpec) -> Result<()> {
    let key = |field: &str| format!("task.{}.{field}", tag(task));
    let batch = |batch: BatchSize| match batch {
        BatchSize::Samples(0) => {
            refuse(&key("batch"), 0, "at least 1", "20 is usual; \"all\" takes the whole training set")
        }
        _ => Ok(()),
    };
    let epochs = |n: usize| at_least_one(&key("epochs"), Some(n as u64), "run.updates stops within an epoch");
    if let TaskSpec::Synthetic(s) = task {
        batch(s.batch)?;
        epochs(s.epochs)?;
        at_least_one(&key("train"), Some(s.train as u64), "100 is plenty")?;
        at_least_one(&key("test"), Some(s.test as u64), "100 is plenty")?;
        let hint = "channels, height, width, such as [1, 28, 28]";
        let shape = format!("{:?}", s.shape);
        require(!s.shape.contains(&0), &key("shape"), shape, "three numbers of at least 1", hint)?;
        return require(s.classes >= 2, &key("classes"), s.classes, "at least 2", "10 is usual");
    }
    let (Some(images), Some(set)) = (task.images(), task.known()) else { return Ok(()) };
    batch(images.batch)?;
    epochs(images.epochs)?;
    for (field, wanted, all) in [("train", images.train, set.train), ("test", images.test, set.test)] {
        let Some(n) = wanted else { continue };
        let need = format!("from 1 to {all}, the samples of {}", set.name);
        require((1..=all).contains(&n), &key(field), n, &need, "leave it out to use every sample")?;
    }
    images.check(set)?;
    let side = set.shape[1].min(set.shape[2]);
    require(
        images.shift < side,
        &key("shift"),
        images.shift,
        "smaller than the image",
        "1 or 2 pixels are usual",
    )
}

fn norm(recipe: &Recipe) -> Result<()> {
    match &recipe.norm {
        NormSpec::None => Ok(()),
        NormSpec::Batch(n) => {
            positive("norm.batch.eps", n.eps, "1e-5 is usual")?;
            let ok = n.momentum > 0.0 && n.momentum <= 1.0;
            require(ok, "norm.batch.momentum", n.momentum, "above 0 and at most 1", "0.1 is usual")
        }
        NormSpec::Layer(n) => {
            positive("norm.layer.eps", n.eps, "1e-5 is usual")?;
            // One unit becomes 0 and two become ±1, whatever the weights.
            let Some(units) = recipe.network.units()?.into_iter().skip(1).find(|n| *n < 3) else {
                return Ok(());
            };
            let message = format!("[norm.layer] on a layer of {units} leaves nothing to learn");
            Err(Error::shape(message).with_hint("use layers of at least 3 units, or norm.batch"))
        }
    }
}

fn anchor(anchor: &AnchorSpec) -> Result<()> {
    match anchor {
        AnchorSpec::None => Ok(()),
        AnchorSpec::Ewc(a) => {
            at_least_one("anchor.ewc.samples", a.samples.map(|n| n as u64), "leave it out for all samples")?;
            not_negative("anchor.ewc.lambda", a.lambda, "100 to 5000 are usual")
        }
        AnchorSpec::OnlineEwc(a) => {
            at_least_one(
                "anchor.online-ewc.samples",
                a.samples.map(|n| n as u64),
                "leave it out for all samples",
            )?;
            let ok = (0.0..=1.0).contains(&a.decay);
            require(ok, "anchor.online-ewc.decay", a.decay, "from 0 to 1", "1 forgets nothing")?;
            not_negative("anchor.online-ewc.lambda", a.lambda, "100 to 5000 are usual")
        }
        AnchorSpec::Si(a) => {
            positive("anchor.si.xi", a.xi, "0.1 is usual")?;
            not_negative("anchor.si.c", a.c, "0.1 is usual")
        }
        AnchorSpec::Mas(a) => {
            let ok = a.alpha.is_none_or(|x| (0.0..1.0).contains(&x));
            require(
                ok,
                "anchor.mas.alpha",
                a.alpha.unwrap_or(0.0),
                "at least 0 and below 1",
                "0.5 is usual",
            )?;
            at_least_one("anchor.mas.samples", a.samples.map(|n| n as u64), "leave it out for all samples")?;
            not_negative("anchor.mas.lambda", a.lambda, "1 is usual")
        }
    }
}

/// Weights of one connection beyond which a layer list must be a mistake (32 GB in single precision).
const MOST_WEIGHTS: u128 = 1 << 33;

fn network(recipe: &Recipe) -> Result<()> {
    let network = &recipe.network;
    below_one("network.dropout", network.dropout, "0.5 is usual; leave it out for none")?;
    below_one("network.input-dropout", network.input_dropout, "0.2 is usual; leave it out for none")?;
    let ((pixels, classes), data) =
        (recipe.sequence.sides(&recipe.task, recipe.continual.scenario), tag(&recipe.task));
    let hint = format!("{data} needs layers = [{pixels}, …, {classes}]");
    let shape = |message: String| Err(Error::shape(message).with_hint(hint.clone()));
    if network.layers.len() < 2 {
        let entries = network.layers.len();
        return shape(format!("network.layers has {entries} entries, but needs input and output"));
    }
    let units = network.units()?;
    if units[0] != pixels {
        return shape(format!(
            "network.layers starts with {}, but {data} images have {pixels} pixels",
            units[0]
        ));
    }
    image(recipe)?;
    let last = units[units.len() - 1];
    let tasks = if recipe.sequence == SequenceSpec::Single { "" } else { " in this sequence" };
    if last != classes {
        return shape(format!("network.layers ends with {last}, but {data} has {classes} classes{tasks}"));
    }
    let dense = |i: &usize| matches!(network.layers[*i], Layer::Units(_));
    let large = |i: &usize| units[i - 1] as u128 * units[*i] as u128 > MOST_WEIGHTS;
    if let Some(i) = (1..units.len()).filter(dense).find(large) {
        return shape(format!(
            "network.layers: {} × {} weights do not fit into memory",
            units[i - 1],
            units[i]
        ));
    }
    (0..network.skips.len()).try_for_each(|i| skip(network, i))
}

/// Whether an image layer and convolutions go with the data and the wiring.
fn image(recipe: &Recipe) -> Result<()> {
    let network = &recipe.network;
    if let Layer::Image(ImageLayer { image }) = network.layers[0] {
        let data = recipe.task.shape().0;
        let kept = !matches!(recipe.sequence, SequenceSpec::Permuted(_));
        if kept && image != data {
            let message = format!(
                "network.layers starts with an image {image:?}, but {} has {data:?}",
                tag(&recipe.task)
            );
            return Err(Error::shape(message).with_hint("channels, height and width, in this order"));
        }
    }
    if network.has_convolutions() && !matches!(recipe.wiring, WiringSpec::Conv(_)) {
        return Err(Error::incompatible(
            "network.layers has filters, but wiring.dense connects every unit to every unit",
            "use [wiring.conv], which has the same keys",
        ));
    }
    let soft = network.layers.iter().filter_map(|l| match l {
        Layer::Conv(ConvLayer { pool: Some(PoolSpec::Soft(s)), .. }) => Some(s.temperature),
        _ => None,
    });
    soft.into_iter().try_for_each(|t| positive("network.layers.pool.soft.temperature", t, "1 is the default"))
}

fn skip(network: &NetworkSpec, i: usize) -> Result<()> {
    let (layers, skip) = (&network.layers, network.skips[i]);
    let shape = |message: String, hint: &str| {
        Err(Error::shape(format!("network.skips[{i}] {message}")).with_hint(hint))
    };
    if skip.to >= layers.len() {
        let message = format!("ends at layer {}, but the last is {}", skip.to, layers.len() - 1);
        return shape(message, "layers are counted from 0, the input");
    }
    if skip.from >= skip.to {
        let message = format!("goes from layer {} to layer {}", skip.from, skip.to);
        return shape(message, "a skip leads from a lower to a higher layer");
    }
    let shapes = network.shapes()?;
    let (from, to) = (shapes[skip.from], shapes[skip.to]);
    if skip.kernel.is_some_and(|k| k == 0 || skip.stride == 0) {
        return shape("has kernel or stride 0".into(), "each must be at least 1");
    }
    if skip.kernel.is_none() && (skip.stride, skip.padding) != (1, 0) {
        return shape(
            "has a stride or padding, but no kernel".into(),
            "kernel = 1 makes it a 1×1 convolution",
        );
    }
    if skip.kernel.is_none() && from.units() != to.units() {
        let message = format!("joins layers of {} and {} units", from.units(), to.units());
        return shape(message, "an identity needs layers of equal size; kernel = 1 makes it a convolution");
    }
    if skip.kernel.is_some() && skip.arrives(from, to.channels) != Some(to) {
        let text = |s: Shape| format!("{} × {}", s.height, s.width);
        let message = match skip.arrives(from, to.channels) {
            Some(arrives) => format!("brings {} places to a layer of {}", text(arrives), text(to)),
            None => format!("has a kernel larger than the image of {} that it starts from", text(from)),
        };
        return shape(message, "its stride and padding must lead to the image of the layer it ends at");
    }
    if network.skips[..i].contains(&skip) {
        return shape("is there twice".into(), "remove one of the two");
    }
    Ok(())
}

fn neuron(neuron: &NeuronSpec) -> Result<()> {
    if let NeuronSpec::Settle(n) = neuron {
        not_negative("neuron.settle.noise", n.noise, "leave it out for none")?;
    }
    match neuron {
        NeuronSpec::Settle(n) if n.dynamics == Dynamics::Energy => {
            let ok = n.dt > 0.0 && n.dt <= 1.0;
            require(ok, "neuron.settle.dt", n.dt, "above 0 and at most 1", "0.2 to 0.5 are usual")
        }
        NeuronSpec::Gate(n) => positive("neuron.gate.threshold", n.threshold, "1 is usual"),
        NeuronSpec::Settle(_) | NeuronSpec::Relu(_) | NeuronSpec::Sign(_) => Ok(()),
    }
}

/// One value, or as many as there are connections; each is handed to `check`.
fn per_layer(
    key: &str,
    v: &PerLayer,
    connections: usize,
    check: impl Fn(&str, f64) -> Result<()>,
) -> Result<()> {
    let values = match v {
        PerLayer::All(v) => return check(key, *v),
        PerLayer::Each(values) => values,
    };
    if values.len() != connections {
        let message =
            format!("`{key}` lists {} values, but the network has {connections} connections", values.len());
        return Err(Error::config(message).with_hint(
            "give one value for all, or one per connection, input side first, then convolutions of skips",
        ));
    }
    values.iter().enumerate().try_for_each(|(i, v)| check(&format!("{key}[{i}]"), *v))
}

fn wiring(wiring: &WiringSpec, connections: usize) -> Result<()> {
    let of = |field: &str| format!("wiring.{}.{field}", tag(wiring));
    let angle = wiring.weights().angle;
    require(
        (0.0..=180.0).contains(&angle),
        &of("angle"),
        angle,
        "from 0 to 180 degrees",
        "0 starts with tied weights",
    )?;
    not_negative(&of("homeostasis"), wiring.weights().homeostasis, "1 is usual")?;
    per_layer(&of("gain"), &wiring.weights().gain, connections, |key, v| positive(key, v, "1 is the default"))
}

fn credit(credit: &CreditSpec) -> Result<()> {
    let key = |field: &str| format!("credit.{}.{field}", tag(credit));
    let steps = |field: &str, n: usize| {
        at_least_one(
            &key(field),
            Some(n as u64),
            "a phase needs sweeps; 20 free and 4 nudged ones are a start",
        )
    };
    let phases = |free, nudged| steps("free-steps", free).and_then(|()| steps("nudged-steps", nudged));
    let beta = |v: f64| {
        let hint = "without a nudge there is no gradient; 0.1 to 0.5 are usual, and `nudge` chooses the sign";
        positive(&key("beta"), v, hint)
    };
    match credit {
        CreditSpec::Backprop(_) => Ok(()),
        CreditSpec::Bptt(c) => {
            steps("steps", c.steps)?;
            let most = c.steps;
            let ok = c.truncate.is_none_or(|k| (1..=most).contains(&k));
            let need = format!("from 1 to steps = {most}");
            require(
                ok,
                &key("truncate"),
                c.truncate.unwrap_or(most),
                &need,
                "leave it out to go through all steps",
            )
        }
        CreditSpec::RecurrentBackprop(c) => {
            steps("free-steps", c.free_steps)?;
            steps("adjoint-steps", c.adjoint_steps)
        }
        CreditSpec::EqProp(c) => beta(c.beta).and_then(|()| phases(c.free_steps, c.nudged_steps)),
        CreditSpec::HolomorphicEqProp(c) => {
            beta(c.beta).and_then(|()| phases(c.free_steps, c.nudged_steps))?;
            let ok = c.points == 1 || c.points.is_multiple_of(2) && c.points > 0;
            require(ok, &key("points"), c.points, "1 or even", "2 is symmetric EP; 4 to 10 are usual")?;
            at_least_one(
                &key("periods"),
                c.periods.map(|n| n as u64),
                "3 is usual; leave it out for settled phases",
            )
        }
        CreditSpec::ContinualEqProp(c) => beta(c.beta).and_then(|()| phases(c.free_steps, c.nudged_steps)),
        CreditSpec::CoupledLearning(c) => beta(c.beta).and_then(|()| phases(c.free_steps, c.nudged_steps)),
        CreditSpec::ContrastiveLearning(c) => phases(c.free_steps, c.nudged_steps),
    }
}

fn solver(solver: &SolverSpec) -> Result<()> {
    match solver {
        SolverSpec::Synchronous(_) => {}
        SolverSpec::Anderson(s) => {
            at_least_one("solver.anderson.memory", Some(s.memory as u64), "5 is usual")?
        }
        SolverSpec::EvenOdd(s) => {
            let ok = s.relaxation > 0.0 && s.relaxation < 2.0;
            let need = "above 0 and below 2";
            require(ok, "solver.even-odd.relaxation", s.relaxation, need, "1 is none; 1.2 is a good choice")?;
        }
    }
    let tolerance = solver.tolerance();
    let key = format!("solver.{}.tolerance", tag(solver));
    tolerance.map_or(Ok(()), |t| positive(&key, t, "leave it out to take every sweep; 1e-4 is a start"))
}

fn optim(optim: &OptimSpec, connections: usize) -> Result<()> {
    let key = |field: &str| format!("optim.{}.{field}", tag(optim));
    let lr = |lr: &PerLayer| {
        per_layer(&key("lr"), lr, connections, |key, v| {
            not_negative(key, v, "the optimiser descends by itself")
        })
    };
    let decay = |v| not_negative(&key("decay"), v, "0 is none");
    let adam = |b1, b2, eps| {
        below_one(&key("beta1"), b1, "0.9 is usual")?;
        below_one(&key("beta2"), b2, "0.999 is usual")?;
        positive(&key("eps"), eps, "1e-8 is usual")
    };
    match optim {
        OptimSpec::Sgd(o) => {
            lr(&o.lr)?;
            below_one(&key("momentum"), o.momentum, "0 is none; 0.9 is usual")?;
            decay(o.decay)?;
            require(
                !o.nesterov || o.momentum > 0.0,
                &key("nesterov"),
                o.nesterov,
                "false without momentum",
                "set momentum = 0.9",
            )?;
            not_negative(&key("bias-scale"), o.bias_scale, "0 keeps biases as they are")
        }
        OptimSpec::Adam(o) => {
            lr(&o.lr).and_then(|()| decay(o.decay)).and_then(|()| adam(o.beta1, o.beta2, o.eps))
        }
        OptimSpec::AdamW(o) => {
            lr(&o.lr).and_then(|()| decay(o.decay)).and_then(|()| adam(o.beta1, o.beta2, o.eps))
        }
    }
}

fn schedule(schedule: &ScheduleSpec) -> Result<()> {
    let factor = |key, v| positive(key, v, "0.99 shrinks the rate by 1 %");
    match schedule {
        ScheduleSpec::Constant => Ok(()),
        ScheduleSpec::Step(s) => {
            at_least_one("schedule.step.every", Some(s.every as u64), "epochs between two drops")?;
            factor("schedule.step.factor", s.factor)
        }
        ScheduleSpec::Cosine(s) => {
            at_least_one(
                "schedule.cosine.epochs",
                Some(s.epochs as u64),
                "the number of epochs of the task",
            )?;
            let ok = (0.0..=1.0).contains(&s.min);
            require(ok, "schedule.cosine.min", s.min, "from 0 to 1", "0 is the default")
        }
        ScheduleSpec::Exponential(s) => factor("schedule.exponential.factor", s.factor),
    }
}
