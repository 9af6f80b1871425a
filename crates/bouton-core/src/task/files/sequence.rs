//! Sequences in a table (CSV), one row a step: a column names the sequence of a row, another one its time.
//!
//!   x_s = rows of sequence s in the order of the file, t_{s,1} < t_{s,2} < …,   ℓ_s of them: `lengths` of `Spans`
//!
//! Rows of several sequences may stand among each other. Sequences that end early are padded with zeros to the longest one.

use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Columns that make sequences of the rows of a table (`task.files.sequence`): exactly one of `time` and `step` says when a row is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sequence {
    /// Column with the name of the sequence that a row belongs to.
    pub id: String,
    /// Column with times, any unit, each later than the one before in its sequence. They are no inputs: a row is a step, however
    /// much later it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Column with whole numbers, each by one larger than the one before in its sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

impl Sequence {
    /// The column that says when a row is, the key that names it, and whether it counts steps.
    ///
    /// # Errors
    /// [`Error::Config`] if there is none, or more than one.
    pub(super) fn clock(&self) -> Result<(&str, &'static str, bool)> {
        match (&self.time, &self.step) {
            (Some(time), None) => Ok((time, "sequence.time", false)),
            (None, Some(step)) => Ok((step, "sequence.step", true)),
            _ => Err(Error::config("task.files.sequence needs either `time` or `step`").with_hint(
                "time = \"…\" names a column with times that rise, step = \"…\" one that counts steps",
            )),
        }
    }
}

#[cfg(feature = "import")]
pub(super) use gathering::{Row, gather};

#[cfg(feature = "import")]
mod gathering {
    use super::super::table::{Inputs, Named, Table};
    use crate::encoder::Spans;
    use crate::task::files::memory;
    use crate::{Error, Result};
    use std::collections::HashMap;

    /// What a row says of its place in a sequence.
    pub struct Row<'a> {
        /// Line of the file, for messages.
        pub line: u64,
        /// Name of the sequence.
        pub id: &'a str,
        /// When it is.
        pub time: f64,
    }

    /// The rows `table` as sequences; `clock` is the column of their times, which counts steps if `counts`.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column for a time that does not follow the one before, or an answer that changes.
    pub fn gather(table: Table, rows: &[Row<'_>], clock: &str, counts: bool) -> Result<Table> {
        let members = members(rows);
        for rows_of in &members {
            for pair in rows_of.windows(2) {
                follows(&table.place, [&rows[pair[0]], &rows[pair[1]]], clock, counts)?;
                same(&table, rows, [rows_of[0], pair[1]])?;
            }
        }
        let firsts: Vec<usize> = members.iter().map(|rows_of| rows_of[0]).collect();
        let (answers, features) = (table.take(&firsts).answers, table.shape[2]);
        let lengths: Vec<usize> = members.iter().map(Vec::len).collect();
        let steps = lengths.iter().copied().max().unwrap_or(1);
        let Inputs::Numbers(numbers) = table.inputs else { return Err(Error::data("no numbers")) };
        let mut padded = vec![0.0; memory::numbers(&table.place, [members.len(), steps, features])?];
        for (sample, rows_of) in padded.chunks_exact_mut(steps * features).zip(&members) {
            for (step, &row) in sample.chunks_exact_mut(features).zip(rows_of) {
                step.copy_from_slice(&numbers[row * features..][..features]);
            }
        }
        let names = firsts.iter().map(|&row| rows[row].id.to_owned()).collect();
        let spans = Some(Spans { lengths, ..Spans::none(steps) });
        let whole = Table::new(table.place, [1, steps, features], Inputs::Numbers(padded), answers);
        Ok(Table { names, spans, beside: vec!["lengths".into()], ..whole })
    }

    /// Rows of each sequence, in the order in which they begin.
    fn members(rows: &[Row<'_>]) -> Vec<Vec<usize>> {
        let (mut places, mut members) = (HashMap::new(), Vec::<Vec<usize>>::new());
        for (i, row) in rows.iter().enumerate() {
            let place = *places.entry(row.id).or_insert(members.len());
            members.resize_with(members.len().max(place + 1), Vec::new);
            members[place].push(i);
        }
        members
    }

    /// Refuses a row that is not after the one before.
    fn follows(place: &str, [before, row]: [&Row<'_>; 2], clock: &str, counts: bool) -> Result<()> {
        let (was, is) = (before.time, row.time);
        if is > was && (!counts || is == was + 1.0) {
            return Ok(());
        }
        let why = if is == was { "twice" } else { "not what follows" };
        let message = format!(
            "{place}: line {}, column `{}`: {is} after {was} of line {} in sequence `{}` is {why}",
            row.line,
            clock.escape_debug(),
            before.line,
            row.id.escape_debug()
        );
        let hint = if counts {
            "steps of a sequence count by one: fill missing ones in, or name a column of times, sequence.time"
        } else {
            "times of a sequence rise from row to row: sort the rows, remove doubles"
        };
        Err(Error::data(message).with_hint(hint))
    }

    /// Refuses a row whose answer is not that of the first one of its sequence.
    fn same(table: &Table, rows: &[Row<'_>], [first, row]: [usize; 2]) -> Result<()> {
        let same = match &table.answers {
            Named::Classes(names) => names[first] == names[row],
            Named::Values { outputs, values } => {
                values[first * outputs..][..*outputs] == values[row * outputs..][..*outputs]
            }
            Named::Unknown(_) => true,
        };
        if same {
            return Ok(());
        }
        let Row { line, id, .. } = &rows[row];
        let message = format!(
            "{}: line {line}: the answer of sequence `{}` is not that of line {}",
            table.place,
            id.escape_debug(),
            rows[first].line
        );
        Err(Error::data(message).with_hint("a sequence has one label (or targets), the same in all its rows"))
    }
}
