//! Numbers that cannot be meant together: each refusal names the key and says what to write. The bounds of single numbers
//! are attributes of their fields.

mod choice;
mod sequence;

use super::load::{LONGEST_NAME, fit_name, fits_name};
use super::plan::{ConnectionKind, ConnectionPlan, NetworkPlan};
use super::{Recipe, combos, inspect, variant_name};
use crate::network::{ImageLayer, Layer, NetworkSpec, Role, Shape};
use crate::{Error, Place, Result};
use serde_json::Value;
use toml::de::DeTable;

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
        bounds(self)?;
        let connections = self.network.weighted();
        let place = |axis: &str, member: String| Place { table: format!("{axis}.{member}"), connections };
        self.task.method().check(&place("task", variant_name(&self.task)))?;
        choice::check(self)?;
        sequence::check(self)?;
        members(self)?;
        network(self)?;
        self.credit.method().check(&place("credit", variant_name(&self.credit)))?;
        self.optims()
            .try_for_each(|(axis, optim)| optim.method().check(&of(self, &axis, variant_name(optim))))
    }
}

/// The place of a member, with as many connections as it is about.
fn of(recipe: &Recipe, axis: &str, member: String) -> Place {
    let connections = if axis.starts_with("connection.") { 1 } else { recipe.network.weighted() };
    Place { table: format!("{axis}.{member}"), connections }
}

/// Checks every synapse, neuron and wiring on its own. What belongs to one connection has one value.
fn members(recipe: &Recipe) -> Result<()> {
    let place = |axis: String, member: String| of(recipe, &axis, member);
    for (axis, synapse) in recipe.synapses() {
        synapse.method().check(&place(axis, variant_name(synapse)))?;
    }
    let dt = recipe.clock().step();
    for (axis, neuron) in recipe.neurons() {
        neuron.method().check(&place(axis, variant_name(neuron)), dt)?;
    }
    recipe
        .wirings()
        .try_for_each(|(axis, w)| place(axis, variant_name(w)).per_connection("gain", &w.weights().gain))
}

/// Checks every number against the bounds of its key, for recipes that were not read from text.
fn bounds(recipe: &Recipe) -> Result<()> {
    let text = recipe.written().map_err(|e| {
        let values = serde_json::to_value(recipe).unwrap_or_default();
        Error::config(too_large("", &values).unwrap_or_else(|| format!("not a recipe in TOML: {e}")))
    })?;
    let document =
        DeTable::parse(&text).map_err(|e| Error::config(format!("resolved recipe: {}", e.message())))?;
    let problems = inspect::document(&document);
    if problems.is_empty() { Ok(()) } else { Err(inspect::error(problems, |_| String::new())) }
}

/// The first whole number that TOML cannot hold.
fn too_large(path: &str, value: &Value) -> Option<String> {
    match value {
        Value::Object(table) => table.iter().find_map(|(key, v)| too_large(&inspect::join(path, key), v)),
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(i, v)| too_large(&format!("{path}[{i}]"), v))
        }
        Value::Number(n) if n.is_u64() && !n.is_i64() => {
            Some(format!("`{path}` is {n}, but must be from 0 to 9,223,372,036,854,775,807"))
        }
        _ => None,
    }
}

/// "`key` is 0, but must be …" unless `ok`.
fn require(ok: bool, key: &str, value: impl std::fmt::Display, need: &str, hint: &str) -> Result<()> {
    if ok {
        return Ok(());
    }
    Err(Error::config(format!("`{key}` is {value}, but must be {need}")).with_hint(hint))
}

fn name(name: &str) -> Result<()> {
    let ok = name.chars().all(fits_name) && !name.starts_with('.') && name.len() <= LONGEST_NAME;
    let need = "at most 100 letters, digits, `-`, `_`, `+` and dots";
    let hint = format!("it becomes part of a folder's name: name = \"{}\" would do", fit_name(name));
    require(ok, "name", format!("\"{}\"", name.escape_debug()), need, &hint)
}

fn norm(plan: &NetworkPlan<'_>, recipe: &Recipe) -> Result<()> {
    for p in plan.populations.iter().filter(|p| p.role != Role::Clamped) {
        let own = recipe.population.get(&p.name).is_some_and(|entry| entry.norm.is_some());
        let place = if own { format!("population.{}.norm", p.name) } else { "norm".to_owned() };
        let (least, units) = (p.norm.method().traits().least_units, p.shape.units());
        if units < least {
            let message =
                format!("[{place}.{}] on a layer of {units} leaves nothing to learn", variant_name(p.norm));
            let hint = format!("use layers of at least {least} units, or {place}.batch");
            return Err(Error::shape(message).with_hint(hint));
        }
    }
    Ok(())
}

fn network(recipe: &Recipe) -> Result<()> {
    let network = &recipe.network;
    encoder(recipe)?;
    if !network.layers.is_empty() || recipe.population.is_empty() {
        chain(recipe)?;
    }
    let plan = NetworkPlan::new(recipe)?;
    let classes = recipe.sequence.sides(&recipe.task, recipe.continual.scenario).1;
    norm(&plan, recipe)?;
    filters(&plan, recipe)?;
    let output = plan.populations.iter().find(|p| p.output);
    match output.filter(|p| p.shape.units() != classes) {
        None => Ok(()),
        Some(p) => {
            let (kind, data) = (recipe.task.method().targets(), variant_name(&recipe.task));
            let message = format!(
                "population {} has {} units, but {data} has {classes} {kind}",
                p.name,
                p.shape.units()
            );
            Err(Error::shape(message).with_hint(format!("give it {classes} units")))
        }
    }
}

/// Whether the encoder can show the task.
fn encoder(recipe: &Recipe) -> Result<()> {
    let (task, columns) = (recipe.task.method(), recipe.seen_columns());
    if task.steps() > 1 && columns != task.shape().0.into_iter().product::<usize>() {
        let sequence = variant_name(&recipe.sequence);
        let message = format!(
            "sequence.{sequence} changes how many numbers a sample of task.{} has",
            recipe.task.name()
        );
        return Err(
            Error::shape(message).with_hint("leave pad out: the steps of a sample have to stay apart")
        );
    }
    if recipe.shown_steps().is_some() {
        return aligned(recipe, recipe.encoder.method().cut(recipe.own_steps()).columns);
    }
    let (own, encoder) = (recipe.own_steps(), variant_name(&recipe.encoder));
    let steps = if own.steps == 1 { "1 step".to_owned() } else { format!("{} steps", own.steps) };
    let message = format!("encoder.{encoder} cannot show samples of {steps} and {} numbers", own.all());
    Err(Error::shape(message).with_hint(
        "encoder.rows takes a number of steps that divides the numbers of a sample, as delta and threshold do beside \
         sequences; others take samples of one step",
    ))
}

/// Refuses steps that cut the rows of a sample apart, as no image and no sequence means it.
fn aligned(recipe: &Recipe, columns: usize) -> Result<()> {
    let [channels, height, width] = recipe.task.shape().0;
    let row = channels * width;
    let kept = recipe.sequence.method().traits().keeps_places && recipe.own_steps().steps == 1;
    if !kept || height == 1 || columns.is_multiple_of(row) || row.is_multiple_of(columns) {
        return Ok(());
    }
    let encoder = variant_name(&recipe.encoder);
    let message =
        format!("encoder.{encoder} shows {columns} numbers at once, but samples are {height} rows of {row}");
    Err(Error::shape(message).with_hint(format!("steps = {height} shows them row by row")))
}

fn chain(recipe: &Recipe) -> Result<()> {
    let network = &recipe.network;
    let ((pixels, classes), data) = (recipe.seen_sides(), variant_name(&recipe.task));
    let hint = format!("{data} needs layers = [{pixels}, …, {classes}]");
    let shape = |message: String| Err(Error::shape(message).with_hint(hint.clone()));
    if network.layers.len() < 2 {
        let entries = network.layers.len();
        return shape(format!("network.layers has {entries} entries, but needs input and output"));
    }
    let units = network.units()?;
    let several = recipe.task.inputs().len() > 1;
    if units[0] != pixels && !several {
        return shape(format!(
            "network.layers starts with {}, but {data} images have {pixels} pixels",
            units[0]
        ));
    }
    image(recipe)?;
    let last = units[units.len() - 1];
    let tasks = if recipe.sequence.method().traits().several { " in this sequence" } else { "" };
    if last != classes && network.output.is_none() {
        let kind = recipe.task.method().targets();
        return shape(format!("network.layers ends with {last}, but {data} has {classes} {kind}{tasks}"));
    }
    (0..network.skips.len()).try_for_each(|i| skip(network, i))
}

/// Whether an image layer and convolutions go with the data and the wiring.
fn image(recipe: &Recipe) -> Result<()> {
    let network = &recipe.network;
    if let Layer::Image(ImageLayer { image }) = network.layers[0] {
        let data = recipe.task.shape().0;
        let kept = recipe.sequence.method().traits().keeps_places;
        if kept && image != data {
            let message = format!(
                "network.layers starts with an image {image:?}, but {} has {data:?}",
                variant_name(&recipe.task)
            );
            return Err(Error::shape(message).with_hint("channels, height and width, in this order"));
        }
    }
    Ok(())
}

/// Whether connections with filters have a wiring that has them.
fn filters(plan: &NetworkPlan<'_>, recipe: &Recipe) -> Result<()> {
    let convolves = |c: &ConnectionPlan<'_>| match c.kind {
        ConnectionKind::Chain(layer) => matches!(recipe.network.layers[layer], Layer::Conv(_)),
        ConnectionKind::Skip(skip) => skip.kernel.is_some(),
        ConnectionKind::Dense => false,
    };
    let unfit = |c: &&ConnectionPlan<'_>| convolves(c) && !c.wiring.method().convolves();
    plan.connections.iter().find(unfit).map_or(Ok(()), |c| {
        let own = recipe.connection.get(&c.name).is_some_and(|entry| entry.wiring.is_some());
        let place = if own { format!("connection.{}.wiring", c.name) } else { "wiring".to_owned() };
        Err(Error::incompatible(
            format!("network.layers has filters, but {place}.{} has none", variant_name(c.wiring)),
            format!("use [{place}.conv], which has the same keys"),
        ))
    })
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
