//! Measured pulses as text (CSV): a line for each pulse with device, cycle, number of the pulse, its direction, and the conductance
//! or the resistance behind it.

use crate::{Error, Result};
use csv::StringRecord;
use std::collections::HashMap;

/// The columns of a file.
pub const COLUMNS: [&str; 5] = ["device", "cycle", "pulse", "direction", "conductance"];
const UNITS: &str = "S, mS, uS, nS, ohm, kohm or Mohm";

/// Unit of a conductance or of a resistance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    size: f64,
    resistance: bool,
}

/// What was measured behind a pulse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    /// Its number, as the file counts.
    pub number: f64,
    /// Whether it should have increased the conductance.
    pub up: bool,
    /// Conductance behind it, siemens.
    pub conductance: f64,
}

/// The pulses of one cycle of one device, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The device, a place in [`Pulses::devices`].
    pub device: usize,
    /// Its pulses.
    pub pulses: Vec<Pulse>,
}

/// Measured pulses.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulses {
    /// The names of the devices.
    pub devices: Vec<String>,
    /// Their cycles.
    pub traces: Vec<Trace>,
}

impl Unit {
    /// Reads `uS`, `kohm`, …
    ///
    /// # Errors
    /// [`Error::Config`] if it is no unit.
    pub fn parse(word: &str) -> Result<Self> {
        let (size, resistance) = match word.replace(['µ', 'μ'], "u").replace('Ω', "ohm").as_str() {
            "S" => (1.0, false),
            "mS" => (1e-3, false),
            "uS" => (1e-6, false),
            "nS" => (1e-9, false),
            "ohm" => (1.0, true),
            "kohm" => (1e3, true),
            "Mohm" => (1e6, true),
            _ => {
                return Err(Error::config(format!("no unit of a conductance: `{}`", word.escape_debug()))
                    .with_hint(format!("write {UNITS}")));
            }
        };
        Ok(Self { size, resistance })
    }

    /// The unit that the header of a file names.
    ///
    /// # Errors
    /// [`Error::Config`] if it names none.
    pub fn of_header(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let line =
            String::from_utf8_lossy(bytes.split(|b| *b == b'\n').next().unwrap_or_default()).into_owned();
        let unit =
            line.split(',').filter_map(|heading| apart(heading.trim()).1.map(str::to_owned)).next_back();
        Self::parse(&unit.unwrap_or_default())
    }

    /// A value of this unit in siemens.
    pub fn siemens(self, value: f64) -> f64 {
        if self.resistance { (value * self.size).recip() } else { value * self.size }
    }
}

impl Pulses {
    /// Reads the content of a file called `place`. Without a `unit` the header has to name it: `conductance (uS)`.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column, [`Error::Config`] for the unit.
    pub fn parse(bytes: &[u8], place: &str, unit: Option<Unit>) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let unread = |e: &csv::Error| {
            Error::data(format!("{place}: no table as text ({e})"))
                .with_hint(format!("one pulse a line, with {}", COLUMNS.join(", ")))
        };
        let header = reader.headers().map_err(|e| unread(&e))?.clone();
        let columns = Columns::find(&header, place, unit)?;
        let mut pulses = Self { devices: Vec::new(), traces: Vec::new() };
        let (mut devices, mut traces) = (HashMap::new(), HashMap::new());
        for record in reader.records() {
            let record = record.map_err(|e| unread(&e))?;
            let pulse = columns.pulse(&record, place)?;
            let [device, cycle] = [0, 1].map(|c| record[columns.places[c]].to_owned());
            let device = *devices.entry(device).or_insert_with_key(|name| {
                pulses.devices.push(name.clone());
                pulses.devices.len() - 1
            });
            let trace = *traces.entry((device, cycle)).or_insert_with(|| {
                pulses.traces.push(Trace { device, pulses: Vec::new() });
                pulses.traces.len() - 1
            });
            pulses.traces[trace].pulses.push(pulse);
        }
        pulses.enough(place)
    }

    fn enough(self, place: &str) -> Result<Self> {
        let most = self.traces.iter().map(|t| t.pulses.len()).max().unwrap_or(0);
        let message = match most {
            0 => "holds no pulses",
            1 => "has one pulse of each cycle only, but a law is about what pulses change",
            _ => return Ok(self),
        };
        Err(Error::data(format!("{place}: {message}"))
            .with_hint(format!("one pulse a line, many of each cycle, with {}", COLUMNS.join(", "))))
    }

    /// How many pulses there are.
    pub fn len(&self) -> usize {
        self.traces.iter().map(|t| t.pulses.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where the columns stand.
struct Columns {
    places: [usize; 5],
    names: [String; 5],
    unit: Unit,
}

impl Columns {
    fn find(header: &StringRecord, place: &str, unit: Option<Unit>) -> Result<Self> {
        let words: Vec<(String, Option<&str>)> = header.iter().map(apart).collect();
        let mut places = [0; 5];
        for (at, name) in places.iter_mut().zip(COLUMNS) {
            let is = |word: &str| word == name || (name == "conductance" && word == "resistance");
            *at = words.iter().position(|(word, _)| is(word)).ok_or_else(|| missing(header, place, name))?;
        }
        let resistance = words[places[4]].0 == "resistance";
        let unit = match (unit, words[places[4]].1) {
            (Some(unit), _) => unit,
            (None, Some(word)) => Unit::parse(word).map_err(|e| e.context(place))?,
            (None, None) => {
                let name = &header[places[4]];
                return Err(Error::config(format!("{place}: in which unit is `{}`?", name.escape_debug()))
                    .with_hint(format!(
                        "say --unit uS, or write it into the header: conductance (uS); there are {UNITS}"
                    )));
            }
        };
        if resistance && !unit.resistance {
            return Err(Error::config(format!("{place}: a resistance in a unit of conductances"))
                .with_hint("call the column conductance, or say ohm, kohm or Mohm"));
        }
        Ok(Self { places, names: places.map(|at| header[at].to_owned()), unit })
    }

    fn pulse(&self, record: &StringRecord, place: &str) -> Result<Pulse> {
        let line = record.position().map_or(0, csv::Position::line);
        let [number, direction, value] = [2, 3, 4].map(|c| &record[self.places[c]]);
        let wrong = |column: usize, why: &str, hint: &str| {
            let cell: String = record[self.places[column]].chars().take(40).collect();
            let name = self.names[column].escape_debug();
            Error::data(format!("{place}: line {line}, column `{name}`: `{}` {why}", cell.escape_debug()))
                .with_hint(hint)
        };
        let up = match direction.to_lowercase().as_str() {
            "set" | "+1" | "1" | "ltp" | "up" => true,
            "reset" | "-1" | "ltd" | "down" => false,
            _ => return Err(wrong(3, "is no direction", "write set or reset, +1 or -1, ltp or ltd")),
        };
        let read = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
        let number = read(number)
            .filter(|n| (0.0..=1e12).contains(n))
            .ok_or_else(|| wrong(2, "is no number of a pulse", "count pulses from 0 or 1"))?;
        let hint = "a measured conductance is a number above 0; leave out what could not be measured";
        let conductance = read(value).filter(|v| *v > 0.0).map(|v| self.unit.siemens(v));
        let conductance = conductance
            .filter(|g| (1e-15..=1e3).contains(g))
            .ok_or_else(|| wrong(4, "is no conductance from 1e-15 to 1000 S", hint))?;
        Ok(Pulse { number, up, conductance })
    }
}

/// A heading in lower case, and what stands in parentheses behind it.
fn apart(heading: &str) -> (String, Option<&str>) {
    let (name, unit) = heading.split_once(['(', '[']).unwrap_or((heading, ""));
    let unit = unit.trim_end_matches([')', ']']).trim();
    (name.trim().to_lowercase(), (!unit.is_empty()).then_some(unit))
}

fn missing(header: &StringRecord, place: &str, name: &str) -> Error {
    let names: Vec<&str> = header.iter().filter(|h| !h.is_empty()).take(12).collect();
    if names.is_empty() {
        return Error::data(format!("{place}: holds no pulses"))
            .with_hint(format!("the first line names the columns: {}", COLUMNS.join(", ")));
    }
    let near = |h: &&&str| strsim::jaro_winkler(&h.to_lowercase(), name);
    let nearest = names.iter().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|h| near(h) > 0.7);
    let quoted: Vec<String> = names.iter().map(|h| format!("`{}`", h.escape_debug())).collect();
    let hint = match nearest {
        Some(h) => format!("is it `{}`? call it `{name}`", h.escape_debug()),
        None => format!("there are {}", quoted.join(", ")),
    };
    Error::data(format!("{place}: no column `{name}`")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "device,cycle,pulse,direction,conductance (uS)\na,1,1,set,20\na,1,2,reset,10.5\nb,1,1,ltp,5\n";

    fn parse(text: &str) -> Result<Pulses> {
        Pulses::parse(text.as_bytes(), "p.csv", None)
    }

    #[test]
    fn lines_are_sorted_into_cycles_of_devices() {
        let pulses = parse(TEXT).unwrap();
        assert_eq!((&pulses.devices[..], pulses.len()), (&["a".to_owned(), "b".to_owned()][..], 3));
        let first = pulses.traces[0].pulses[1];
        assert_eq!((first.up, first.number), (false, 2.0));
        assert!((first.conductance - 10.5e-6).abs() < 1e-18);
        let ohms = TEXT.replace("conductance (uS)", "Resistance [kohm]");
        assert!((parse(&ohms).unwrap().traces[0].pulses[0].conductance - 1.0 / 20e3).abs() < 1e-15);
        let unit = Some(Unit::parse("nS").unwrap());
        let given = Pulses::parse(TEXT.as_bytes(), "p.csv", unit).unwrap();
        assert!((given.traces[0].pulses[0].conductance - 20e-9).abs() < 1e-18);
    }

    #[test]
    fn what_is_no_pulse_is_told_with_its_line() {
        for (from, to, says, hints) in [
            ("set,20", ",20", "line 2, column `direction`: `` is no direction", "set or reset"),
            ("ltp", "sideways", "line 4, column `direction`", "ltp or ltd"),
            ("direction", "directoin", "no column `direction`", "is it `directoin`?"),
            ("cycle", "x", "no column `cycle`", "there are `device`"),
            ("10.5", "-10.5", "line 3, column `conductance (uS)`: `-10.5`", "above 0"),
            ("10.5", "0", "line 3", "above 0"),
            ("10.5", "NaN", "line 3", "above 0"),
            ("(uS)", "", "in which unit", "--unit uS"),
            ("(uS)", "(volt)", "no unit of a conductance: `volt`", "kohm"),
            ("conductance", "resistance", "in a unit of conductances", "ohm"),
            ("a,1,2,", "a,1,many,", "line 3, column `pulse`", "count"),
            ("a,1,2,reset,10.5\n", "a,1\n", "no table as text", "one pulse a line"),
            ("a,1,2,reset,10.5\n", "", "one pulse of each cycle", "many of each"),
            (TEXT, "", "holds no pulses", "first line"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            let error = parse(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(says), "{to}: {error}");
            assert!(error.hint().unwrap().contains(hints), "{to}: {:?}", error.hint());
        }
        let heading = TEXT.lines().next().unwrap();
        assert!(parse(heading).unwrap_err().to_string().contains("holds no pulses"));
    }
}
