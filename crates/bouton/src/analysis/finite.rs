//! Weights, biases, states of synapses and running statistics are numbers. Of others no theory says anything.

use super::{Bound, Findings, Property};
use crate::error::Result;
use crate::network::Network;

/// The name of this property.
pub(super) const ID: &str = "finite";

/// What is not finite in a network, one line for each matrix.
pub(super) fn damage(network: &mut Network) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    network.visit(&mut |name, mat| {
        let values = mat.to_f64s();
        let count = values.iter().filter(|v| !v.is_finite()).count();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let (row, column, all) = (at / mat.cols(), at % mat.cols(), values.len());
            lines.push(format!(
                "`{name}` holds {} at row {row}, column {column}, counted from 0; {count} of {all} numbers are not finite",
                values[at]
            ));
        }
        Ok(())
    })?;
    Ok(lines)
}

/// Tells of `damage`; false if there is any.
pub(super) fn check(damage: &[String], findings: &mut Findings) -> bool {
    let statement = "matrices of weights and states with numbers that are not finite";
    findings.properties.push(Property::measured(ID, statement, damage.len() as f64, Bound::AtMost(0.0)));
    findings.notes.extend_from_slice(damage);
    if !damage.is_empty() {
        findings.notes.push("nothing else is measured: use weights from before training diverged".into());
    }
    damage.is_empty()
}
