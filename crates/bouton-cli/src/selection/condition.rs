//! `KEY=VALUE`, `KEY!=VALUE`, `KEY<VALUE`, … of a run.

use super::key::{Cell, Key, Known};
use bouton::train::Entry;
use bouton::{Error, Result};

/// Longer signs first: `<=` is no `<`.
const SIGNS: [(&str, Sense); 6] = [
    ("!=", Sense::Differs),
    ("<=", Sense::AtMost),
    (">=", Sense::AtLeast),
    ("=", Sense::Is),
    ("<", Sense::Below),
    (">", Sense::Above),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sense {
    Is,
    Differs,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// What must hold of a run.
#[derive(Debug)]
pub(super) struct Condition {
    key: Key,
    sense: Sense,
    value: Cell,
}

impl Condition {
    /// Reads `text` about runs whose keys are `known`.
    pub fn parse(text: &str, known: &Known<'_>) -> Result<Self> {
        let fail = |error: Error| error.context(format_args!("--where `{text}`"));
        let at = text.find(['=', '!', '<', '>']).unwrap_or(text.len());
        let (key, rest) = text.split_at(at);
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, sense) = sign.filter(|_| !key.trim().is_empty()).ok_or_else(|| {
            let error = Error::config("not of the form KEY=VALUE");
            fail(error.with_hint("for example `beta=0.5`, `state!=done` or `test.accuracy>0.9`"))
        })?;
        let key = known.key(key.trim()).map_err(fail)?;
        let text = rest[sign.len()..].trim();
        let date = key == Key::Own("started");
        let value = Cell { text: text.into(), number: text.parse().ok().filter(|_| !date) };
        let ordered = value.number.is_some() || date;
        if !ordered && !matches!(sense, Sense::Is | Sense::Differs) {
            let error = Error::config(format!("`{text}` is no number to be compared by `{sign}`"));
            return Err(fail(error.with_hint(format!("`{}={text}` asks for that word", key.name()))));
        }
        Ok(Self { key, sense: *sense, value })
    }

    /// Whether it holds. What a run does not have is different from everything, and neither less nor more.
    pub fn holds(&self, run: &Entry) -> bool {
        let cells = self.key.cells(run);
        let any = |holds: &dyn Fn(std::cmp::Ordering) -> bool| {
            // Numbers are compared with numbers; words of a date with words.
            let alike = |cell: &Cell| match (cell.number, self.value.number) {
                (Some(number), Some(_)) => number.is_finite(),
                (number, value) => number.is_none() && value.is_none(),
            };
            cells.iter().any(|cell| alike(cell) && holds(cell.order(&self.value)))
        };
        match self.sense {
            Sense::Is => cells.iter().any(|cell| cell.is(&self.value.text)),
            Sense::Differs => !cells.iter().any(|cell| cell.is(&self.value.text)),
            Sense::Below => any(&|order| order.is_lt()),
            Sense::AtMost => any(&|order| order.is_le()),
            Sense::Above => any(&|order| order.is_gt()),
            Sense::AtLeast => any(&|order| order.is_ge()),
        }
    }
}
