//! The points of a sweep with what the folders of their runs say.

use super::{Point, Stand, Unit, in_one_line};
use crate::selection::overview;
use bouton::train::Entry;
use bouton::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// A point and its run.
pub(crate) struct Row {
    /// Where it stands, or why it is refused.
    stand: Result<Stand>,
    /// The run that counts, if there is one.
    pub run: Option<Entry>,
}

impl Row {
    /// The points with their runs.
    ///
    /// # Errors
    /// If the folder of runs cannot be read.
    pub fn all(unit: &Unit, points: &[Point]) -> Result<Vec<Self>> {
        let mut runs: HashMap<String, Vec<Entry>> = HashMap::new();
        for run in overview(&unit.out)?.runs.into_iter().rev() {
            runs.entry(run.status.hash.clone()).or_default().push(run);
        }
        Ok(points
            .iter()
            .map(|point| Self::new(unit, point, runs.remove(&point.hash).unwrap_or_default()))
            .collect())
    }

    /// A point with the one of its `runs`, newest first, that counts.
    fn new(unit: &Unit, point: &Point, runs: Vec<Entry>) -> Self {
        let stand = match &point.recipe {
            Ok(recipe) => unit.stand(recipe, runs.iter().map(Entry::run).collect()),
            Err(error) => Err(Error::config(in_one_line(error))),
        };
        let counts = stand.as_ref().ok().and_then(Stand::run).map(|run| run.path().to_owned());
        Self { run: runs.into_iter().find(|run| Some(&run.path) == counts.as_ref()), stand }
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        matches!(self.stand, Ok(Stand::Done(_)))
    }

    /// Whether there is something left to do.
    pub fn is_left(&self) -> bool {
        self.stand.is_ok() && !self.is_done()
    }

    /// The state of the run; without one, whether the point `failed`.
    pub fn state(&self, failed: bool) -> String {
        match (&self.stand, &self.run) {
            (Err(_), _) => "refused".into(),
            (_, Some(run)) => run.status.state.to_string(),
            _ if failed => "failed".into(),
            _ => "not begun".into(),
        }
    }
}

/// The points that cannot be trained, and why.
pub(crate) fn refused(points: &[Point], rows: &[Row]) -> BTreeMap<usize, String> {
    let reason = |i: usize| Some((i, in_one_line(rows[i].stand.as_ref().err()?)));
    (0..points.len()).filter_map(reason).collect()
}
