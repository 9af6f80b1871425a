//! Numbers of an owner's own (a unit, an objective), as a member describes them before there is a network, and as recipes
//! write them.

use crate::axis::Place;
use crate::error::{Error, Result};
use crate::rng::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// Its name, as in recipes; in checkpoints and Python it stands behind that of its owner.
    pub name: &'static str,
    /// Where it starts.
    pub start: Start,
    /// Whether it is learned with the network.
    pub learned: bool,
    /// Whether all units of a population have one value together.
    pub shared: bool,
    /// Where it stays, whatever it starts from and learns.
    pub range: (f64, f64),
}

/// Where a number starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// The same everywhere.
    Value(f64),
    /// Drawn between two numbers.
    Uniform(f64, f64),
    /// Drawn with a mean and a standard deviation.
    Normal(f64, f64),
    /// The value in a share of the units, drawn, and zero in the others.
    Share(f64, f64),
}

impl Own {
    /// A first value, by the next numbers of `stream`.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        let value = match self.start {
            Start::Value(value) => value,
            Start::Uniform(low, high) => low + (high - low) * stream.uniform(),
            Start::Normal(mean, deviation) => mean + deviation * stream.normal(),
            Start::Share(value, share) => value * f64::from(u8::from(stream.uniform() < share)),
        };
        value.clamp(self.range.0, self.range.1)
    }
}

/// A number of a unit's own in a recipe: `2.0`, or a table that says how it is drawn and whether it is learned, as in
/// `{ uniform = [1.0, 4.0], learned = true }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OwnSpec {
    /// The same for all units, and not learned.
    Value(
        #[schemars(extend(
            "minimum" = -1e6, "maximum" = 1e6,
            "x-hint" = "a number, or a table such as { value = 2.0, learned = true }"
        ))]
        f64,
    ),
    /// Whatever else.
    Table(OwnTable),
}

/// How a number of a unit's own starts (one of `value`, `uniform` and `normal`), and whether it is learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct OwnTable {
    /// The value of all units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = -1e6, "maximum" = 1e6, "x-hint" = "or uniform = [low, high]"))]
    pub value: Option<f64>,
    /// Drawn between these two numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = -1e6, "maximum" = 1e6, "x-hint" = "the least and the most"))]
    pub uniform: Option<[f64; 2]>,
    /// Drawn with this mean and standard deviation, and cut off at the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = -1e6, "maximum" = 1e6, "x-hint" = "mean and standard deviation"))]
    pub normal: Option<[f64; 2]>,
    /// Share of the units, drawn, that have `value`; the others have 0. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "leave it out for all units"))]
    pub share: Option<f64>,
    /// Where it stays, whatever it starts from and learns, within the range of the number. Default: all of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = -1e9, "maximum" = 1e9, "x-hint" = "the least and the most"))]
    pub range: Option<[f64; 2]>,
    /// Whether it is learned with the network, at the rate of biases. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub learned: bool,
    /// Whether all units of a population have one value together. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

impl OwnSpec {
    /// The number called `name`, which stays within `range`, or within one of its own.
    pub fn own(&self, name: &'static str, range: (f64, f64)) -> Own {
        let table = self.table();
        let value = table.value.unwrap_or_default();
        let start = match (table.uniform, table.normal, table.share) {
            (Some([low, high]), ..) => Start::Uniform(low, high),
            (_, Some([mean, deviation]), _) => Start::Normal(mean, deviation),
            (.., Some(share)) => Start::Share(value, share),
            _ => Start::Value(value),
        };
        let range = table.range.map_or(range, |[low, high]| (low, high));
        Own { name, start, learned: table.learned, shared: table.shared, range }
    }

    /// The least and the most that it may come to, as far as `range` lets it.
    pub fn reach(&self, range: (f64, f64)) -> (f64, f64) {
        let Own { start, learned, range, .. } = self.own("", range);
        match start {
            _ if learned => range,
            Start::Value(value) => (value, value),
            Start::Uniform(low, high) => (low, high),
            Start::Normal(..) => range,
            Start::Share(value, _) => (value.min(0.0), value.max(0.0)),
        }
    }

    /// A number that is learned from `value` on, and stays within `range`.
    pub fn learned(value: f64, range: [f64; 2]) -> Self {
        let table = OwnTable { value: Some(value), range: Some(range), learned: true, ..OwnTable::default() };
        Self::Table(table)
    }

    /// Whether it is learned.
    pub fn is_learned(&self) -> bool {
        self.table().learned
    }

    fn table(&self) -> OwnTable {
        match self {
            Self::Value(value) => OwnTable { value: Some(*value), ..OwnTable::default() },
            Self::Table(table) => *table,
        }
    }

    /// Refuses what is no start, and what starts outside of `range`.
    ///
    /// # Errors
    /// [`Error::Config`] with the key and a hint.
    pub fn check(&self, at: &Place, name: &str, range: (f64, f64)) -> Result<()> {
        let (key, table) = (at.key(name), self.table());
        let starts = [table.value.is_some(), table.uniform.is_some(), table.normal.is_some()];
        if starts.iter().filter(|given| **given).count() != 1 {
            let message = format!("`{key}` needs one of value, uniform and normal");
            return Err(Error::config(message).with_hint("as in { value = 2.0, learned = true }"));
        }
        let (least, most) = range;
        let [low, high] = table.range.unwrap_or([least, most]);
        let inside = format!("two numbers from {least} to {most}, the smaller one first");
        let own_range = least <= low && low < high && high <= most;
        at.require(
            own_range,
            &format!("{name}.range"),
            format!("[{low}, {high}]"),
            &inside,
            "leave it out for all of that",
        )?;
        let need = format!("from {low} to {high}");
        let hint = "the range is that of the number itself";
        let ends = table
            .value
            .iter()
            .chain(table.uniform.iter().flatten())
            .chain(table.normal.iter().take(1).map(|n| &n[0]));
        for end in ends {
            at.require((low..=high).contains(end), name, end, &need, hint)?;
        }
        let [first, last] = table.uniform.unwrap_or_default();
        let ordered = "two numbers, the smaller one first";
        at.require(first <= last, name, format!("[{first}, {last}]"), ordered, "exchange them")?;
        let deviation = table.normal.map_or(0.0, |[_, deviation]| deviation);
        at.require(
            deviation >= 0.0,
            name,
            deviation,
            "a standard deviation of 0 or more",
            "give mean and deviation",
        )?;
        let partly = table.share.is_some();
        at.require(
            !partly || (table.value.is_some() && low <= 0.0 && high >= 0.0),
            name,
            "given to a share of the units",
            "a value that may be 0",
            "leave share out",
        )?;
        at.require(
            !partly || !table.shared,
            name,
            "given to a share of the units",
            "one value for all",
            "leave share or shared out",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn drawn(table: OwnTable, range: (f64, f64)) -> Vec<f64> {
        let own = OwnSpec::Table(table).own("x", range);
        let mut stream = Key::new(3).stream();
        (0..2000).map(|_| own.draw(&mut stream)).collect()
    }

    #[test]
    fn starts_are_drawn_as_they_say_and_stay_in_their_range() {
        let wide = (-10.0, 10.0);
        let moments = |xs: &[f64]| {
            let mean = xs.iter().sum::<f64>() / xs.len() as f64;
            (mean, (xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / xs.len() as f64).sqrt())
        };
        let uniform = drawn(OwnTable { uniform: Some([2.0, 5.0]), ..OwnTable::default() }, wide);
        assert!(uniform.iter().all(|x| (2.0..5.0).contains(x)) && (moments(&uniform).0 - 3.5).abs() < 0.1);
        let (mean, deviation) =
            moments(&drawn(OwnTable { normal: Some([1.0, 0.5]), ..OwnTable::default() }, wide));
        assert!((mean - 1.0).abs() < 0.05 && (deviation - 0.5).abs() < 0.05);
        let share = drawn(OwnTable { value: Some(2.0), share: Some(0.25), ..OwnTable::default() }, wide);
        let some = share.iter().filter(|x| **x == 2.0).count();
        assert!(share.iter().all(|x| [0.0, 2.0].contains(x)) && (400..600).contains(&some), "{some}");
        let cut = drawn(OwnTable { normal: Some([1.0, 5.0]), ..OwnTable::default() }, (0.5, 2.0));
        assert!(cut.iter().all(|x| (0.5..=2.0).contains(x)) && cut.contains(&0.5) && cut.contains(&2.0));
        let own = OwnTable { normal: Some([1.0, 5.0]), range: Some([0.5, 2.0]), ..OwnTable::default() };
        assert_eq!(drawn(own, wide), cut, "a range of its own cuts as that of the number does");
    }

    /// What is learned may come to any number of its range; what is not stays where it is drawn.
    #[test]
    fn numbers_reach_as_far_as_they_are_drawn_or_learned() {
        let reach = |table| OwnSpec::Table(table).reach((-1.0, 9.0));
        let value = OwnTable { value: Some(2.0), ..OwnTable::default() };
        assert_eq!(OwnSpec::Value(2.0).reach((-1.0, 9.0)), (2.0, 2.0));
        assert_eq!(reach(OwnTable { learned: true, ..value }), (-1.0, 9.0));
        assert_eq!(reach(OwnTable { learned: true, range: Some([1.0, 4.0]), ..value }), (1.0, 4.0));
        assert_eq!(reach(OwnTable { share: Some(0.5), ..value }), (0.0, 2.0));
        let uniform = OwnTable { uniform: Some([3.0, 5.0]), ..OwnTable::default() };
        assert_eq!(reach(uniform), (3.0, 5.0));
        let normal = OwnTable { normal: Some([3.0, 5.0]), range: Some([2.0, 4.0]), ..OwnTable::default() };
        assert_eq!(reach(normal), (2.0, 4.0));
        let at = Place { table: "neuron.lif".into(), connections: 1 };
        let refused = |range| {
            let table = OwnTable { range: Some(range), ..value };
            OwnSpec::Table(table).check(&at, "tau", (-1.0, 9.0)).unwrap_err().to_string()
        };
        for range in [[-2.0, 4.0], [1.0, 10.0], [4.0, 1.0]] {
            assert!(refused(range).contains("`neuron.lif.tau.range`"), "{range:?}");
        }
        assert!(refused([3.0, 4.0]).contains("`neuron.lif.tau` is 2, but must be from 3 to 4"));
    }
}
