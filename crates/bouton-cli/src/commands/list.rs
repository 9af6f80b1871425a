//! `bouton list`: what there is to choose from.

use crate::combos::Grid;
use crate::printer::Printer;
use bouton::analysis::PROPERTIES;
use bouton::claims::papers;
use bouton::recipe::combinations_with;
use bouton::recipe::describe::{self, Entry};
use bouton::theory::presets;
use bouton::{Error, Result};
use clap::{Args, ValueEnum};
use serde_json::json;

/// List what there is to choose from
#[derive(Args, Debug)]
pub struct List {
    /// What to list
    topic: Topic,
    /// Of `combos`, only those with these members: `synapse=rram`, `credit=eq-prop`
    #[arg(value_name = "AXIS=MEMBER")]
    filters: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// How units move
    #[value(alias = "neuron")]
    Neurons,
    /// How layers are joined
    #[value(alias = "wiring")]
    Wirings,
    /// What a network sees of a sample step by step
    #[value(alias = "encoder")]
    Encoders,
    /// How units learn what they should have done
    #[value(alias = "credit")]
    Credits,
    /// How weights take updates
    #[value(alias = "synapse")]
    Synapses,
    /// How drives are normalised
    #[value(alias = "norm")]
    Norms,
    /// What holds weights that earlier tasks needed
    #[value(alias = "anchor")]
    Anchors,
    /// From one data set to a sequence of tasks
    #[value(alias = "sequence")]
    Sequences,
    /// What the output should be
    #[value(alias = "objective")]
    Objectives,
    /// From a gradient to a proposal
    #[value(alias = "optim")]
    Optimisers,
    /// Learning rate over epochs
    #[value(alias = "schedule")]
    Schedules,
    /// How settling networks reach their fixed point
    #[value(alias = "solver")]
    Solvers,
    /// Data sets
    #[value(alias = "task")]
    Tasks,
    /// Built-in device presets
    #[value(alias = "device")]
    Devices,
    /// Papers with recipes and claims
    #[value(alias = "paper")]
    Papers,
    /// What `bouton check` measures
    #[value(alias = "property")]
    Properties,
    /// Which choices go together
    Combos,
}

impl Topic {
    /// The axis of a recipe that the topic is about.
    fn axis(self) -> Option<&'static str> {
        Some(match self {
            Self::Neurons => "neuron",
            Self::Wirings => "wiring",
            Self::Encoders => "encoder",
            Self::Credits => "credit",
            Self::Synapses => "synapse",
            Self::Norms => "norm",
            Self::Anchors => "anchor",
            Self::Sequences => "sequence",
            Self::Objectives => "objective",
            Self::Optimisers => "optim",
            Self::Schedules => "schedule",
            Self::Solvers => "solver",
            Self::Tasks => "task",
            Self::Devices | Self::Papers | Self::Properties | Self::Combos => return None,
        })
    }
}

impl List {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        if self.topic == Topic::Combos {
            return combos(printer, &asked(&self.filters)?, self.json);
        }
        if let Some(filter) = self.filters.first() {
            return Err(Error::config(format!("`{filter}` has no meaning here"))
                .with_hint("`bouton list combos AXIS=MEMBER` takes some of the table"));
        }
        let entries = match self.topic.axis() {
            Some(axis) => describe::list(axis)?,
            None if self.topic == Topic::Devices => {
                presets().into_iter().map(|p| Entry { name: p.name, about: p.citation }).collect()
            }
            None if self.topic == Topic::Properties => {
                PROPERTIES.iter().map(|p| Entry { name: p.id.into(), about: p.proves.into() }).collect()
            }
            None => papers().iter().map(|p| Entry { name: p.slug.clone(), about: p.title.clone() }).collect(),
        };
        if self.json {
            return printer.json(&entries);
        }
        printer.columns(&[], entries.into_iter().map(|e| vec![e.name, e.about]).collect())
    }
}

/// Axes and members that are asked for.
fn asked(filters: &[String]) -> Result<Vec<(&str, &str)>> {
    let pair = |filter: &'_ String| {
        Error::config(format!("`{filter}` is not of the form axis=member"))
            .with_hint("for example `synapse=rram`")
    };
    filters.iter().map(|filter| filter.split_once('=').ok_or_else(|| pair(filter))).collect()
}

fn combos(printer: &mut Printer, asked: &[(&str, &str)], as_json: bool) -> Result<()> {
    let cells = combinations_with(asked)?;
    if as_json {
        let cells: Vec<_> = cells
            .into_iter()
            .map(|c| {
                let (reason, hint) = c.refusal.clone().unzip();
                json!({
                    "neuron": c.neuron, "credit": c.credit, "objective": c.objective, "solver": c.solver,
                    "accepted": c.refusal.is_none(), "reason": reason, "hint": hint,
                })
            })
            .collect();
        return printer.json(&cells);
    }
    let grid = Grid::of(cells);
    for block in grid.blocks {
        let mut heading = vec![block.neuron.as_str(), ""];
        heading.extend(block.solvers.iter().map(String::as_str));
        let row = |(credit, objective, marks)| [vec![credit, objective], marks].concat();
        printer.columns(&heading, block.rows.into_iter().map(row).collect())?;
        printer.line("")?;
    }
    let notes = grid.notes.into_iter().enumerate();
    notes.into_iter().try_for_each(|(i, (reason, hint))| {
        printer.line(format_args!("{:2}  {reason}\n    hint: {hint}", i + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_axis_can_be_listed() {
        let topics: Vec<_> = Topic::value_variants().iter().filter_map(|t| t.axis()).collect();
        for axis in describe::axes() {
            assert!(topics.contains(&axis), "{axis}");
        }
        assert!(topics.iter().all(|axis| !describe::list(axis).unwrap().is_empty()));
    }
}
