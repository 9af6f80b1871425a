//! Networks that move in time: what they cannot have yet, and what has a meaning in them alone.

use super::{Refusal, refusal, rule};
use crate::credit::Carried;
use crate::encoder::EncoderSpec;
use crate::network::Reading;
use crate::neuron::UnitDynamics;
use crate::objective::TargetKind;
use crate::recipe::plan::NetworkPlan;
use crate::recipe::{Recipe, variant_name};
use crate::task::Scenario;

/// Choices about time in a network that sees its samples once.
pub(super) fn idle(r: &Recipe) -> Refusal {
    if r.moves_in_time() || rule(r).dynamics == UnitDynamics::Stepping {
        return None;
    }
    let own = r.own_steps();
    if let [first, ..] = r.task.method().beside() {
        return refusal(
            format!(
                "{first} in the data of task.{} would do nothing: {} units see a sample once",
                r.task.name(),
                variant_name(&r.neuron)
            ),
            "use units that move in time, such as neuron.lif, or leave the array out of the file",
        );
    }
    let key = match () {
        () if r.time.is_some() => "[time]".to_owned(),
        () if r.encoder != EncoderSpec::default() => format!("encoder.{}", variant_name(&r.encoder)),
        () if own.steps > 1 => format!("that task.{} is a sequence", r.task.name()),
        () => return None,
    };
    refusal(
        format!("{key} would do nothing: {} units see a sample once", variant_name(&r.neuron)),
        "use units that move in time, such as neuron.lif, or leave it out",
    )
}

/// What does not go through time.
pub(super) fn unfit(r: &Recipe) -> Refusal {
    if !r.moves_in_time() {
        return None;
    }
    if r.norm.method().traits().acts {
        return refusal(
            format!(
                "norm.{} takes its numbers from one pass, but this network moves in time",
                variant_name(&r.norm)
            ),
            "leave [norm] out",
        );
    }
    if r.network.dropout > 0.0 || r.network.input_dropout > 0.0 {
        return refusal(
            "dropout silences units of a single pass, but this network moves in time",
            "leave network.dropout and network.input-dropout out",
        );
    }
    let steps = r.shown_steps().map_or(1, |shown| shown.steps);
    if let Reading::Window(last) | Reading::EachOfLast(last) = r.clock().reading
        && last > steps
    {
        return refusal(
            format!("time.reading judges the last {last} steps, but a sample has {steps}"),
            "make that shorter, or use \"mean\" or \"each\"",
        );
    }
    beside(r).or_else(|| answers(r, steps)).or_else(|| forward(r)).or_else(|| rewards(r))
}

/// Answers are drawn by probabilities, and right if they are the class.
fn rewards(r: &Recipe) -> Refusal {
    let traits = r.objective.method().traits();
    if !r.credit.method().needs().rewards
        || traits.log_likelihood && r.task.method().targets() == TargetKind::Classes
    {
        return None;
    }
    refusal(
        format!("credit.{} rewards answers that are drawn by their probabilities", variant_name(&r.credit)),
        "use a task with classes and objective.softmax-cross-entropy",
    )
}

/// What a rule that goes forward in time alone cannot know at its step.
fn forward(r: &Recipe) -> Refusal {
    if r.credit.method().needs().carries == Carried::Nothing {
        return None;
    }
    let (rule, clock) = (variant_name(&r.credit), r.clock());
    let plan = NetworkPlan::new(r).ok();
    if let Some(p) = plan.iter().flat_map(|plan| &plan.populations).find(|p| p.ports() > 1) {
        return refusal(
            format!(
                "credit.{rule} follows units whose input is one sum, but {} units take {}",
                variant_name(p.neuron),
                p.ports()
            ),
            "use credit.bptt, or leave out `every` where the rule has it",
        );
    }
    if clock.reading != Reading::Last && !clock.reading.every_step() {
        return refusal(
            format!(
                "credit.{rule} learns at every step, but time.reading is known at the end of a sequence alone"
            ),
            "use time.reading = \"each\" or \"last\", or leave out `every` where the rule has it",
        );
    }
    if clock.rates.is_some() {
        return refusal(
            format!("credit.{rule} learns at every step, but time.rates goes by means over a whole sequence"),
            "leave time.rates out, or leave out `every` where the rule has it",
        );
    }
    None
}

/// What does not go with data that say something of the steps of each sample.
fn beside(r: &Recipe) -> Refusal {
    let (said, task) = (r.task.method().beside(), r.task.name());
    let [first, ..] = said else { return None };
    if !r.encoder.method().keeps_steps(r.own_steps()) {
        return refusal(
            format!(
                "encoder.{} makes steps of its own, but {first} in the data of task.{task} tells of those of each sample",
                variant_name(&r.encoder)
            ),
            "use an encoder that shows one step per step, such as none, rows or delta, or leave the array out of the file",
        );
    }
    if !r.sequence.method().traits().keeps_places {
        return refusal(
            format!(
                "sequence.{} moves numbers from step to step, but {first} in the data of task.{task} tells of single steps",
                variant_name(&r.sequence)
            ),
            "use another sequence, or leave the array out of the file",
        );
    }
    if said.iter().any(|name| name == "mask") && !r.clock().reading.every_step() {
        return refusal(
            format!(
                "mask in the data of task.{task} says which steps are judged, but time.reading judges a sample once"
            ),
            "use time.reading = \"each\", or leave mask out of the file",
        );
    }
    None
}

/// What does not agree on how many answers a sample of so many shown steps has.
fn answers(r: &Recipe, steps: usize) -> Refusal {
    let (reading, several) = (r.clock().reading, r.task.method().answers_every_step());
    // Each of the last steps has the one answer of its sample.
    let each = if several { reading == Reading::Each } else { reading.every_step() };
    if several != each && (!each || r.task.method().targets() == TargetKind::Values) {
        let (task, reading) = (r.task.name(), if each { "every step" } else { "one answer for all steps" });
        return refusal(
            format!("task.{task} and time.reading ({reading}) do not agree on how many answers a sample has"),
            "use time.reading = \"each\" for tasks with a value at every step, another one for others",
        );
    }
    let own = r.own_steps().steps;
    if several && steps != own {
        let (encoder, task) = (variant_name(&r.encoder), r.task.name());
        return refusal(
            format!("encoder.{encoder} shows {steps} steps, but task.{task} has answers for {own}"),
            "use an encoder that keeps the steps, or none",
        );
    }
    if each && r.continual.scenario != Scenario::Domain {
        return refusal(
            "time.reading judges steps one by one over all outputs, but this scenario has outputs of single tasks",
            "use scenario = \"domain\", or another reading",
        );
    }
    None
}
