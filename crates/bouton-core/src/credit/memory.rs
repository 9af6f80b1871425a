//! How many steps of a sequence to keep at once: with T steps of c bytes each, in sections of n steps that begin with states of k bytes,
//!
//!   n·c + ⌈T/n⌉·k ≤ bound
//!
//! by the largest such n; n = √(T·k/c) takes the least.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Units of an amount of memory, the largest first.
const UNITS: [(&str, u64); 4] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1)];

/// An amount of memory: a number with its unit, such as `"200 MB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemoryBound(pub u64);

impl TryFrom<String> for MemoryBound {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            format!("`{}` is no amount of memory: write \"200 MB\", in B, kB, MB or GB", text.escape_debug())
        };
        let known = UNITS.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
        let (number, size) = known.ok_or_else(wrong)?;
        let bytes = number.trim().parse::<f64>().map_err(|_| wrong())? * size as f64;
        if (1.0..=1e18).contains(&bytes) { Ok(Self(bytes.round() as u64)) } else { Err(wrong()) }
    }
}

impl fmt::Display for MemoryBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, size)| self.0.is_multiple_of(*size)).unwrap_or(&UNITS[3]);
        write!(f, "{} {}", self.0 / whole.1, whole.0)
    }
}

impl From<MemoryBound> for String {
    fn from(bound: MemoryBound) -> Self {
        bound.to_string()
    }
}

impl JsonSchema for MemoryBound {
    fn schema_name() -> Cow<'static, str> {
        "MemoryBound".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9.]+ ?(B|kB|MB|GB)$" })
    }
}

/// What the steps of a sequence cost, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepCosts {
    /// A step of the data that is kept.
    pub step: u64,
    /// Where a section begins.
    pub start: u64,
}

impl StepCosts {
    /// Bytes of sections of `n` steps, of `steps` in all.
    fn of(self, n: usize, steps: usize) -> u64 {
        let starts = if n < steps { steps.div_ceil(n) as u64 } else { 0 };
        (n as u64).saturating_mul(self.step).saturating_add(starts.saturating_mul(self.start))
    }

    /// The most steps in a section that stay within `bound`; otherwise the least bound that there is.
    pub fn section(self, steps: usize, bound: MemoryBound) -> Result<usize, MemoryBound> {
        let least = || (1..=steps).map(|n| self.of(n, steps)).min().unwrap_or(0);
        let fits = (1..=steps).rev().find(|&n| self.of(n, steps) <= bound.0);
        fits.ok_or_else(|| MemoryBound(least()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units_and_are_written_as_they_are_read() {
        let read = |text: &str| MemoryBound::try_from(text.to_owned());
        for (text, bytes) in [("200 MB", 200_000_000), ("1.5 kB", 1500), ("3GB", 3_000_000_000), ("7 B", 7)] {
            assert_eq!(read(text), Ok(MemoryBound(bytes)));
            assert_eq!(read(&MemoryBound(bytes).to_string()), Ok(MemoryBound(bytes)));
        }
        assert_eq!(MemoryBound(1500).to_string(), "1500 B");
        for text in ["", "200", "MB", "-1 MB", "0 B", "nan GB", "1e40 GB", "2 MiB", "2 mb"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sections_are_as_long_as_the_bound_allows() {
        let costs = StepCosts { step: 10, start: 4 };
        assert_eq!(costs.section(100, MemoryBound(1000)), Ok(100), "all at once needs no starts");
        assert_eq!(costs.section(100, MemoryBound(999)), Ok(99));
        // 10 n + 4 ⌈100/n⌉ is 130 for n = 5, 128 for 6, 130 for 7.
        assert_eq!(costs.section(100, MemoryBound(130)), Ok(7));
        assert_eq!(costs.section(100, MemoryBound(127)), Err(MemoryBound(128)));
    }
}
