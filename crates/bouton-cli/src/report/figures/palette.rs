//! One look for each series, the same in every figure that shares a palette.
//!
//! The colours are those of Okabe and Ito (2008), told apart by colour-blind readers, without their yellow, which paper
//! swallows. Beyond seven series the colours come back in dashes, longer each time, so that no look comes twice.

use plotters::style::RGBColor;

const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];
/// The shortest dash, and how much longer each round of colours makes it, in shown pixels.
const DASH: i32 = 3;
const LONGER: i32 = 5;

/// How a series looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub colour: RGBColor,
    /// Length of its dashes in shown pixels; none for a whole line.
    pub dash: Option<i32>,
}

impl Look {
    /// The look of the `i`-th series.
    pub fn of(i: usize) -> Self {
        let round = (i / COLOURS.len()) as i32;
        Self { colour: COLOURS[i % COLOURS.len()], dash: (round > 0).then(|| DASH + LONGER * (round - 1)) }
    }

    /// How often the colours were used up before.
    pub fn round(self) -> usize {
        self.dash.map_or(0, |dash| ((dash - DASH) / LONGER + 1) as usize)
    }
}

/// Gives every name a look of its own, in the order in which names are first asked for.
#[derive(Clone, Debug, Default)]
pub struct Palette(Vec<String>);

impl Palette {
    /// Gives `name` the next look, if it has none yet.
    pub fn know(&mut self, name: &str) {
        self.look(name);
    }

    /// The look of the series called `name`.
    pub(super) fn look(&mut self, name: &str) -> Look {
        let known = self.0.iter().position(|n| n == name);
        Look::of(known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_keeps_a_look_of_its_own() {
        let mut palette = Palette::default();
        let names: Vec<String> = (0..50).map(|i| format!("layer {i}")).collect();
        let looks: Vec<_> = names.iter().map(|name| palette.look(name)).collect();
        for (i, look) in looks.iter().enumerate() {
            assert!(!looks[..i].contains(look), "{i}: {look:?}");
            assert_eq!(palette.look(&names[i]), *look);
        }
        assert!(looks[..7].iter().all(|look| look.dash.is_none()));
    }
}
