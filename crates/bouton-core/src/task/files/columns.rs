//! Tables of numbers as text (CSV): one sample a line, or one step of a sequence, columns parted by commas, semicolons or tabs.

use super::sequence::{Row, Sequence, gather};
use super::source::Source;
use super::table::{Inputs, Named, Table};
use crate::{Error, Result};
use csv::StringRecord;

/// Names that the column with the class goes by.
const LABELS: [&str; 4] = ["label", "class", "target", "y"];
/// What is written for a missing value.
const MISSING: [&str; 7] = ["", "na", "n/a", "nan", "null", "none", "?"];
/// How many column names a hint shows.
const MOST_SHOWN: usize = 12;

/// A table that was taken apart.
struct Columns<'a> {
    place: &'a str,
    /// None where the first line is a sample.
    names: Option<Vec<String>>,
    /// Line of the file and cells, of every sample.
    rows: Vec<(u64, StringRecord)>,
}

/// The samples of the table at `path`.
///
/// # Errors
/// [`Error::Data`] with line and column, or [`Error::Config`] for a column that is not there.
pub(super) fn read(path: &str, source: Source<'_>) -> Result<Table> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    parse(&bytes, path, source)
}

/// As [`read`], of the content of a file called `place`.
pub(super) fn parse(bytes: &[u8], place: &str, Source { spec, blind, .. }: Source<'_>) -> Result<Table> {
    let columns = Columns::parse(bytes, place, spec.header)?;
    let width = columns.rows[0].1.len();
    // What is there of answers that nobody asks for is left out.
    let all = |name: &String| {
        if blind.is_some() {
            columns.find(name, "targets").ok().map(Ok)
        } else {
            Some(columns.find(name, "targets"))
        }
    };
    let targets = spec.targets.iter().filter_map(all).collect::<Result<Vec<_>>>()?;
    let clock = spec.sequence.as_ref().map(|sequence| columns.clock(sequence)).transpose()?;
    let blind_width =
        blind.map(|all| clock.as_ref().map_or(all, |clock| spec.found().shape[2] + clock.all.len()));
    let label = match blind_width {
        _ if !spec.targets.is_empty() => None,
        Some(features) => columns.label(spec.label.as_deref()).ok().filter(|_| width > features),
        None => Some(columns.label(spec.label.as_deref())?),
    };
    let kept = |c: &usize| clock.as_ref().is_some_and(|clock| clock.all.contains(c));
    if let Some(c) = (0..width).find(|c| kept(c) && (targets.contains(c) || Some(*c) == label)) {
        let message = format!(
            "{place}: column `{}` is named by task.files.sequence, and is an answer",
            columns.name(c)
        );
        return Err(Error::config(message)
            .with_hint("name three different columns; `label` says which has the class"));
    }
    let features: Vec<usize> =
        (0..width).filter(|c| !targets.contains(c) && Some(*c) != label && !kept(c)).collect();
    if features.is_empty() {
        return Err(Error::data(format!("{place}: no column is left for inputs"))
            .with_hint("a table needs columns beside those of `label` or `targets`"));
    }
    let inputs = columns.numbers(&features)?;
    let answers = match label {
        _ if blind.is_some() => Named::Unknown(columns.rows.len()),
        None => Named::Values { outputs: targets.len(), values: columns.numbers(&targets)? },
        Some(label) => columns.answers(label)?,
    };
    let (shape, inputs) = ([1, 1, features.len()], Inputs::Numbers(inputs));
    let table = Table::new(place, shape, inputs, answers);
    match clock {
        Some(Clock { all: [id, time], counts }) => {
            gather(table, &columns.moments([id, time], counts)?, &columns.name(time), counts)
        }
        None => Ok(table),
    }
}

/// Columns that place a row in a sequence: its name, and when it is; and whether that counts steps.
struct Clock {
    all: [usize; 2],
    counts: bool,
}

impl<'a> Columns<'a> {
    fn parse(bytes: &[u8], place: &'a str, header: Option<bool>) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let fail = |why: String| Error::data(format!("{place}: {why}"));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(bytes))
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let mut rows: Vec<(u64, StringRecord)> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| {
                fail(format!("no table as text ({e})"))
                    .with_hint("task.files reads folders of images, CSV in UTF-8, .npz, .npy and IDX files")
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            if let Some((_, first)) = rows.first().filter(|(_, first)| first.len() != record.len()) {
                let message =
                    format!("line {line} has {} cells, but the first has {}", record.len(), first.len());
                return Err(
                    fail(message).with_hint("every line needs as many; quote cells that hold the separator")
                );
            }
            rows.push((line, record));
        }
        let named = |cells: &StringRecord| cells.iter().all(|cell| cell.parse::<f64>().is_err());
        let has_names = header.unwrap_or_else(|| rows.first().is_some_and(|(_, cells)| named(cells)));
        let names = if has_names && !rows.is_empty() {
            Some(rows.remove(0).1.iter().map(str::to_owned).collect())
        } else {
            None
        };
        if rows.is_empty() {
            return Err(fail("holds no samples".into()).with_hint("one sample a line, numbers and a class"));
        }
        Ok(Self { place, names, rows })
    }

    /// Place of the column called `name`; without names, its number from 1.
    fn find(&self, name: &str, key: &str) -> Result<usize> {
        let width = self.rows[0].1.len();
        let found = match &self.names {
            Some(names) => names.iter().position(|n| n == name),
            None => name.parse::<usize>().ok().filter(|n| (1..=width).contains(n)).map(|n| n - 1),
        };
        found.ok_or_else(|| {
            Error::config(format!(
                "{}: task.files.{key} names column `{name}`, which is not there",
                self.place
            ))
            .with_hint(self.known())
        })
    }

    /// The columns that `sequence` names.
    fn clock(&self, sequence: &Sequence) -> Result<Clock> {
        let (time, key, counts) = sequence.clock()?;
        let all = [self.find(&sequence.id, "sequence.id")?, self.find(time, key)?];
        if all[0] == all[1] {
            return Err(Error::config(format!("{}: task.files.sequence names one column twice", self.place))
                .with_hint("`id` is the column with the names of the sequences"));
        }
        Ok(Clock { all, counts })
    }

    /// What each row says of its place in a sequence.
    fn moments(&self, [id, time]: [usize; 2], counts: bool) -> Result<Vec<Row<'_>>> {
        let row = |(line, cells): &'_ (u64, StringRecord)| {
            let wanted = |x: &f64| x.is_finite() && (!counts || x.fract() == 0.0 && x.abs() < 1e15);
            let number = cells[time].parse().ok().filter(wanted);
            let time = number.ok_or_else(|| self.no_time(*line, time, &cells[time], counts))?;
            Ok((*line, time))
        };
        let all = self.rows.iter().map(|cells| {
            let (line, time) = row(cells)?;
            let name = &cells.1[id];
            if MISSING.contains(&name.to_lowercase().as_str()) {
                return Err(self.no_number(line, id, name));
            }
            Ok(Row { line, id: name, time })
        });
        all.collect()
    }

    fn no_time(&self, line: u64, column: usize, cell: &str, counts: bool) -> Error {
        let error = self.no_number(line, column, cell);
        if MISSING.contains(&cell.to_lowercase().as_str()) {
            return error;
        }
        error.with_hint(if counts { "steps are whole numbers" } else { "times are numbers, in any unit" })
    }

    /// What a column is called.
    fn name(&self, column: usize) -> String {
        self.names.as_ref().map_or_else(|| (column + 1).to_string(), |names| names[column].clone())
    }

    fn known(&self) -> String {
        match &self.names {
            None => {
                format!("without a line of names, columns are called \"1\" to \"{}\"", self.rows[0].1.len())
            }
            Some(names) => {
                let shown: Vec<String> =
                    names.iter().take(MOST_SHOWN).map(|name| format!("`{name}`")).collect();
                format!("there are {}{}", shown.join(", "), if names.len() > MOST_SHOWN { ", …" } else { "" })
            }
        }
    }

    fn label(&self, name: Option<&str>) -> Result<usize> {
        match (name, &self.names) {
            (Some(name), _) => self.find(name, "label"),
            (None, None) => Ok(self.rows[0].1.len() - 1),
            (None, Some(names)) => {
                let place = names.iter().position(|n| LABELS.contains(&n.to_lowercase().as_str()));
                place.ok_or_else(|| {
                    Error::config(format!("{}: no column is called label, class, target or y", self.place))
                        .with_hint(format!("say which: task.files.label = \"…\"; {}", self.known()))
                })
            }
        }
    }

    /// The numbers of some columns, line by line.
    fn numbers(&self, columns: &[usize]) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(self.rows.len() * columns.len());
        for (line, cells) in &self.rows {
            for &c in columns {
                match cells[c].parse::<f32>() {
                    Ok(x) if x.is_finite() => all.push(x),
                    _ => return Err(self.no_number(*line, c, &cells[c])),
                }
            }
        }
        Ok(all)
    }

    fn no_number(&self, line: u64, column: usize, cell: &str) -> Error {
        let place = format!("{}: line {line}, column `{}`", self.place, self.name(column).escape_debug());
        if MISSING.contains(&cell.to_lowercase().as_str()) {
            return Error::data(format!("{place}: the value is missing"))
                .with_hint("fill it in, or leave the line or the column out");
        }
        Error::data(format!("{place}: `{}` is no number", cell.chars().take(40).collect::<String>().escape_debug()))
            .with_hint("inputs are numbers: turn words into numbers or leave the column out; `label` names the column with the class")
    }

    /// Classes, or values if they are numbers and one of them is not whole.
    fn answers(&self, label: usize) -> Result<Named> {
        let cells = || self.rows.iter().map(|(_, cells)| &cells[label]);
        if let Some((line, cells)) =
            self.rows.iter().find(|(_, c)| MISSING.contains(&c[label].to_lowercase().as_str()))
        {
            return Err(self.no_number(*line, label, &cells[label]));
        }
        let whole = |cell: &str| cell.parse::<i64>().is_ok();
        if cells().all(|cell| cell.parse::<f64>().is_ok()) && !cells().all(whole) {
            return Ok(Named::Values { outputs: 1, values: self.numbers(&[label])? });
        }
        Ok(Named::Classes(cells().map(str::to_owned).collect()))
    }
}

/// The separator that the first line has most of.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let count = |d: &u8| line.iter().filter(|b| *b == d).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',')
}
