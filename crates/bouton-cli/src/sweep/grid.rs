//! The points of several keys: every value of one with every value of the others, keys that are zipped together.

use super::grammar;
use bouton::{Error, Result};

/// A key with its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    /// The key, as overrides name it.
    pub key: String,
    /// Its values, as overrides write them; there is one at least.
    pub values: Vec<String>,
    /// Whether it moves together with all others that say so.
    pub zipped: bool,
}

impl Axis {
    /// Reads `key=values` or `zip:key=values`.
    ///
    /// # Errors
    /// [`Error::Config`] if it is neither.
    pub fn parse(word: &str) -> Result<Self> {
        let (zipped, rest) = match word.strip_prefix("zip:") {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let (key, text) = rest.split_once('=').ok_or_else(|| {
            Error::config(format!("`{word}`: not of the form key=values"))
                .with_hint("for example `seed=1..5`")
        })?;
        let values = grammar::values(text.trim()).map_err(|e| e.context(format!("`{word}`")))?;
        Ok(Self { key: key.trim().to_owned(), values, zipped })
    }

    fn differs(&self) -> bool {
        self.values.len() > 1
    }
}

/// All points of a sweep.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    axes: Vec<Axis>,
    points: usize,
}

impl Grid {
    /// The points of `axes`; the last one moves fastest.
    ///
    /// # Errors
    /// [`Error::Config`] for keys that stand twice or replace each other, for zipped keys with unequally many values, and
    /// for too many points.
    pub fn new(axes: Vec<Axis>) -> Result<Self> {
        apart(&axes)?;
        together(&axes)?;
        let first = axes.iter().position(|axis| axis.zipped);
        let sides = axes.iter().enumerate().filter(|(k, axis)| !axis.zipped || Some(*k) == first);
        let points = sides.fold(1_u128, |n, (_, axis)| n.saturating_mul(axis.values.len() as u128));
        grammar::few(points)?;
        Ok(Self { axes, points: points as usize })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.points
    }

    /// The overrides of point `i`, in the order of the keys.
    pub fn overrides(&self, i: usize) -> Vec<String> {
        self.at(i).map(|(axis, value)| format!("{}={value}", axis.key)).collect()
    }

    /// The keys that have several values, with those of point `i`.
    pub fn differing(&self, i: usize) -> Vec<(String, String)> {
        let differing = self.at(i).filter(|(axis, _)| axis.differs());
        differing.map(|(axis, value)| (axis.key.clone(), value.to_owned())).collect()
    }

    fn at(&self, mut i: usize) -> impl Iterator<Item = (&Axis, &str)> {
        let first = self.axes.iter().position(|axis| axis.zipped);
        let mut chosen = vec![0; self.axes.len()];
        for (k, axis) in self.axes.iter().enumerate().rev() {
            if !axis.zipped || Some(k) == first {
                chosen[k] = i % axis.values.len();
                i /= axis.values.len();
            }
        }
        let zip = first.map_or(0, |k| chosen[k]);
        let index = move |k: usize, axis: &Axis| if axis.zipped { zip } else { chosen[k] };
        self.axes.iter().enumerate().map(move |(k, axis)| (axis, axis.values[index(k, axis)].as_str()))
    }
}

/// Refuses keys that stand twice, and lists of whole tables beside one of their keys.
fn apart(axes: &[Axis]) -> Result<()> {
    for (k, axis) in axes.iter().enumerate() {
        if axes[..k].iter().any(|earlier| earlier.key == axis.key) {
            return Err(Error::config(format!("`{}` stands twice", axis.key))
                .with_hint(format!("give all its values at once: {0}=a,b,c", axis.key)));
        }
        let inside =
            |other: &&Axis| other.key.strip_prefix(&axis.key).is_some_and(|rest| rest.starts_with('.'));
        if let Some(inner) = axes.iter().find(inside).filter(|_| axis.differs()) {
            return Err(Error::config(format!("`{}` and `{}` replace each other", axis.key, inner.key))
                .with_hint(format!(
                    "leave `{}` out, or write its values as tables: {}={{…}},{{…}}",
                    inner.key, axis.key
                )));
        }
    }
    Ok(())
}

/// Refuses zipped keys with unequally many values.
fn together(axes: &[Axis]) -> Result<()> {
    let mut zipped = axes.iter().filter(|axis| axis.zipped);
    let Some(first) = zipped.next() else { return Ok(()) };
    match zipped.find(|axis| axis.values.len() != first.values.len()) {
        None => Ok(()),
        Some(other) => Err(Error::config(format!(
            "zip: `{}` has {} values, but `{}` has {}",
            first.key,
            first.values.len(),
            other.key,
            other.values.len()
        ))
        .with_hint("zipped keys move together: give each as many values")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(words: &[&str]) -> Result<Grid> {
        Grid::new(words.iter().map(|word| Axis::parse(word)).collect::<Result<_>>()?)
    }

    fn points(words: &[&str]) -> Vec<String> {
        let grid = grid(words).unwrap();
        (0..grid.len()).map(|i| grid.overrides(i).join(" ")).collect()
    }

    #[test]
    fn every_value_meets_every_other_and_the_last_key_moves_fastest() {
        assert_eq!(
            points(&["a=1,2", "b=x", "c=3..4"]),
            ["a=1 b=x c=3", "a=1 b=x c=4", "a=2 b=x c=3", "a=2 b=x c=4"]
        );
        assert_eq!(points(&[]), [""]);
        let grid = grid(&["a=1,2", "b=x", "c=3..4"]).unwrap();
        assert_eq!(grid.differing(1), [("a".into(), "1".into()), ("c".into(), "4".into())]);
    }

    #[test]
    fn zipped_keys_move_together_where_the_first_stands() {
        let expected = ["s=1 a=1 b=x c=5", "s=1 a=1 b=x c=6", "s=1 a=2 b=y c=5", "s=1 a=2 b=y c=6"];
        assert_eq!(points(&["s=1", "zip:a=1,2", "zip:b=x,y", "c=5,6"]), expected);
        assert_eq!(points(&["zip:a=1,2", "c=5,6", "zip:b=x,y"])[1..3], ["a=1 c=6 b=x", "a=2 c=5 b=y"]);
    }

    #[test]
    fn what_is_no_grid_is_refused_with_a_hint() {
        let most = ["a=1..100", "b=1..101"];
        for (words, says) in [
            (&["seed=1,2", "seed=3"][..], "`seed` stands twice"),
            (&["seed=1,2", "zip:seed=3,4"], "`seed` stands twice"),
            (&["synapse=plain,metaplastic", "synapse.metaplastic.m=1"], "replace each other"),
            (&["synapse.metaplastic.m=1", "synapse=plain,metaplastic"], "replace each other"),
            (&["zip:a=1,2", "zip:b=1..3"], "`a` has 2 values, but `b` has 3"),
            (&most, "10100 points are too many"),
            (&["seed"], "not of the form"),
            (&["seed="], "`seed=`: there is no value"),
            (&["lr=log(0,1,3)"], "`lr=log(0,1,3)`"),
        ] {
            let error = grid(words).unwrap_err();
            assert!(error.to_string().contains(says) && error.hint().is_some(), "{words:?}: {error}");
        }
        // A key that begins alike is another one, and one table may be refined.
        assert_eq!(grid(&["run=1,2", "runs.x=1,2"]).unwrap().len(), 4);
        assert_eq!(grid(&["synapse=metaplastic", "synapse.metaplastic.m=1,2"]).unwrap().len(), 2);
    }
}
