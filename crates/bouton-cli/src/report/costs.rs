//! What one sample costs: training, from a run's `costs.json`; an answer, from its `operations.json`.

use bouton::analysis::{Cost, Operations, Synapses};
use bouton::train::RunDir;
use bouton::{Error, Result};

/// The costs that `bouton report` counted; none if it has not.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is garbled.
pub fn costs(run: &RunDir) -> Result<Vec<Cost>> {
    let path = run.costs();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::data(format!("{}: {e}", path.display())))
}

/// What [`cost_rows`] are.
pub const COST_COLUMNS: [&str; 4] = ["credit", "operations", "bytes moved", "working memory"];

/// Rule, operations, bytes moved and working memory of each.
pub fn cost_rows(costs: &[Cost]) -> Vec<Vec<String>> {
    let row =
        |c: &Cost| vec![c.rule.clone(), scaled(c.operations, ""), scaled(c.bytes, "B"), scaled(c.peak, "B")];
    costs.iter().map(row).collect()
}

/// The synaptic operations that `bouton report` counted; none if it has not, or if the network settles.
///
/// # Errors
/// Those of [`costs`].
pub fn operations(run: &RunDir) -> Result<Option<Operations>> {
    let path = run.operations();
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|e| Error::data(format!("{}: {e}", path.display())))
}

/// What [`operation_rows`] are.
pub const OPERATION_COLUMNS: [&str; 4] = ["connection", "dense", "effective MACs", "effective ACs"];

/// Synaptic operations per sample of every connection, and of all.
pub fn operation_rows(operations: &Operations) -> Vec<Vec<String>> {
    let row = |s: &Synapses| {
        let numbers = [s.dense, s.macs, s.acs].map(|n| scaled(n, ""));
        [vec![s.connection.clone()], numbers.to_vec()].concat()
    };
    operations.connections.iter().chain([&operations.total()]).map(row).collect()
}

/// Three digits that count, with a prefix of the SI.
fn scaled(n: f64, unit: &str) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P"];
    let order = if n < 1.0 { 0 } else { (n.log10() / 3.0).floor() as usize }.min(prefixes.len() - 1);
    let value = n / 1000f64.powi(order as i32);
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {}{unit}", prefixes[order]).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        let shown = [0.0, 7.0, 999.0, 1536.0, 25_690_112.0, 3.2e12].map(|n| scaled(n, "B"));
        assert_eq!(shown, ["0.00 B", "7.00 B", "999 B", "1.54 kB", "25.7 MB", "3.20 TB"]);
    }
}
