//! `cargo xtask ci`: what takes too long for `cargo test`, but must hold before anything lands.

use super::{files, smoke, stale};
use std::path::Path;
use std::process::Command;

/// Long tests (those that `cargo test` ignores), generated files, every recipe.
pub fn problems(root: &Path) -> Vec<String> {
    let mut problems: Vec<String> = files(root).iter().filter_map(|file| stale(root, file)).collect();
    problems.extend(smoke::problems(root));
    let long = ["test", "--release", "--lib", "--bins", "--tests", "--", "--ignored"];
    match Command::new(env!("CARGO")).args(long).current_dir(root).status() {
        Ok(status) if status.success() => {}
        Ok(status) => problems.push(format!("the long tests: {status}")),
        Err(e) => problems.push(format!("cargo: {e}")),
    }
    problems
}
