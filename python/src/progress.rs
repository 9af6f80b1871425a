//! Where in its tasks a network is, and what it keeps of them, as entries of its state.

use crate::arrays::{array_of, exactly, labels, places};
use crate::errors::argument;
use bouton::credit::Batch;
use bouton::train::ByHand;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

const POSITION: &str = "position";
/// Kept samples, group by group: rows, outputs, numbers; and the sizes of the groups.
const REPLAY: [&str; 4] = ["replay.x", "replay.labels", "replay.ids", "replay.sizes"];

/// What these entries hold.
pub struct Progress {
    position: [u64; 9],
    kept: Option<(Batch, Vec<usize>)>,
}

/// Adds the entries to a state.
pub fn save<'py>(hand: &mut ByHand, state: &Bound<'py, PyDict>) -> PyResult<()> {
    let py = state.py();
    let integers = |values: Vec<i64>| PyArray1::from_vec(py, values);
    state.set_item(POSITION, integers(hand.position().map(|n| n as i64).to_vec()))?;
    if let Some((batch, sizes)) = hand.kept().and_then(|kept| kept.contents()) {
        let numbers = |values: Vec<usize>| integers(values.into_iter().map(|n| n as i64).collect());
        state.set_item(REPLAY[0], array_of(py, batch.x)?)?;
        state.set_item(
            REPLAY[1],
            integers(batch.target.classes().unwrap_or_default().iter().map(|&l| i64::from(l)).collect()),
        )?;
        state.set_item(REPLAY[2], numbers(batch.ids))?;
        state.set_item(REPLAY[3], numbers(sizes))?;
    }
    Ok(())
}

/// Takes the entries out of a state.
pub fn read(hand: &ByHand, state: &Bound<'_, PyDict>) -> PyResult<Progress> {
    let py = state.py();
    let wrong = |message: &str| argument(py, "CheckpointError", message, "pass what state_dict() gave");
    let out = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        let found = state.get_item(name)?;
        if found.is_some() {
            state.del_item(name)?;
        }
        Ok(found)
    };
    let position = out(POSITION)?.ok_or_else(|| wrong("the state has no `position`"))?;
    let position = places(&position, 9)?.iter().map(|&n| n as u64).collect::<Vec<_>>();
    let position = position.try_into().expect("nine numbers");
    let [x, outputs, ids, sizes] = REPLAY.map(out);
    let (Some(x), Some(outputs), Some(ids), Some(sizes)) = (x?, outputs?, ids?, sizes?) else {
        return Ok(Progress { position, kept: None });
    };
    let net = &hand.learner.network;
    let sizes = places(&sizes, sizes.len()?)?;
    let n = sizes.iter().sum();
    let (features, units) = (net.features(), net.populations[net.output()].units);
    let x = exactly(&x, net.dtype, (n, features), REPLAY[0])?;
    let batch = Batch { x, target: labels(&outputs, n, units)?.into(), ids: places(&ids, n)?, spans: None };
    Ok(Progress { position, kept: Some((batch, sizes)) })
}

impl Progress {
    /// How many tasks have ended.
    pub fn ended(&self) -> usize {
        self.position[0] as usize
    }

    /// Goes there, after so many updates.
    pub fn set(self, hand: &mut ByHand, updates: u64) {
        hand.set_position(updates, self.position);
        if let Some(kept) = hand.kept() {
            kept.restore(self.kept);
        }
    }
}
