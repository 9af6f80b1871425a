//! `cargo xtask ci`: what takes too long for `cargo test`, but must hold before anything lands.

use super::{files, smoke, stale};
use std::path::Path;

/// Generated files that are not current, and recipes that do not run.
pub fn problems(root: &Path) -> Vec<String> {
    let mut problems: Vec<String> = files(root).iter().filter_map(|file| stale(root, file)).collect();
    problems.extend(smoke::problems(root));
    problems
}
