//! A plan as text: one line per population, one per connection.

use super::{ConnectionKind, NetworkPlan};
use crate::axis::variant_name;
use crate::network::{Carries, Role};
use std::fmt::{self, Display};

impl Display for NetworkPlan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = |names: &mut dyn Iterator<Item = usize>| names.max().unwrap_or(0);
        let width = longest(&mut self.populations.iter().map(|p| p.name.len()));
        writeln!(f, "populations")?;
        for p in &self.populations {
            let units = match p.shape {
                s if s.height * s.width == 1 => s.channels.to_string(),
                s => format!("{} × {} × {}", s.channels, s.height, s.width),
            };
            let what = match p.role {
                Role::Clamped => format!("shows columns {} to {}", p.columns.start, p.columns.end - 1),
                Role::Forward if p.neuron.method().traits().settles() => "linear readout".into(),
                Role::Settling | Role::Forward | Role::Stepping => variant_name(p.neuron),
            };
            let norm = if p.role != Role::Clamped && p.norm.method().traits().acts {
                format!(", norm {}", variant_name(p.norm))
            } else {
                String::new()
            };
            let dropout = if p.dropout > 0.0 { format!(", dropout {}", p.dropout) } else { String::new() };
            let output = if p.output { ", output" } else { "" };
            let own = p
                .objective
                .map_or_else(String::new, |(o, weight)| format!(", {weight} × {}", variant_name(o)));
            writeln!(f, "  {:width$}  {units} units, {what}{norm}{dropout}{own}{output}", p.name)?;
        }
        let width = longest(&mut self.connections.iter().map(|c| c.name.len()));
        writeln!(f, "connections")?;
        for c in &self.connections {
            let [from, to] = c.ends().map(|p| &*self.populations[p].name);
            let what = match c.kind {
                ConnectionKind::Skip(skip) if skip.kernel.is_none() => "identity".into(),
                _ if c.carries == Carries::Errors => "errors alone".into(),
                _ => format!("wiring {}, synapse {}", variant_name(c.wiring), variant_name(c.synapse)),
            };
            let lr = c.lr.map_or_else(String::new, |lr| format!(", lr {lr}"));
            let optim = c.optim.map_or_else(String::new, |optim| format!(", optim {}", variant_name(optim)));
            let cut = if c.carries == Carries::Activity { ", activity alone" } else { "" };
            let delay = if c.delay > 0 { format!(", delay {}", c.delay) } else { String::new() };
            let frozen = if c.learns { "" } else { ", does not learn" };
            writeln!(f, "  {:width$}  {from} → {to}, {what}{lr}{optim}{cut}{delay}{frozen}", c.name)?;
        }
        Ok(())
    }
}
