//! Tells the command what it was built from. Not the library: that would be compiled again at every commit.
//!
//! `BOUTON_BUILD` is the commit and a mark of what differs from it in what is compiled, `34d4860` or
//! `34d4860, modified 1b2f3a9`; it is not set where there is no git. `BOUTON_COMMIT`, if it is set, says it instead.

// Cargo listens on stdout.
#![allow(clippy::disallowed_macros)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is compiled, from the root of the repository.
const SOURCES: [&str; 13] = [
    "Cargo.lock",
    "Cargo.toml",
    "crates/bouton-cli/Cargo.toml",
    "crates/bouton-cli/src",
    "crates/bouton-core/Cargo.toml",
    "crates/bouton-core/data",
    "crates/bouton-core/src",
    "crates/bouton-kernels/Cargo.toml",
    "crates/bouton-kernels/src",
    "crates/bouton/Cargo.toml",
    "crates/bouton/data",
    "crates/bouton/src",
    ".cargo",
];
const ROOT: &str = "../..";

fn main() {
    watch("build.rs");
    println!("cargo::rerun-if-env-changed=BOUTON_COMMIT");
    let given = std::env::var("BOUTON_COMMIT").ok().filter(|commit| !commit.is_empty());
    let version = env!("CARGO_PKG_VERSION");
    match given.or_else(of_git) {
        Some(build) => {
            println!("cargo::rustc-env=BOUTON_BUILD={build}");
            println!("cargo::rustc-env=BOUTON_VERSION={version} ({build})");
        }
        None => println!("cargo::rustc-env=BOUTON_VERSION={version}"),
    }
}

/// The build as git tells it, if this file is one of its.
fn of_git() -> Option<String> {
    git(&["ls-files", "--error-unmatch", "crates/bouton-cli/build.rs"], "")?;
    let commit = git(&["rev-parse", "--short=7", "HEAD"], "")?;
    let branch = git(&["symbolic-ref", "-q", "HEAD"], "").unwrap_or_default();
    for name in ["HEAD", "packed-refs", &branch].into_iter().filter(|name| !name.is_empty()) {
        watch(&in_root(&git(&["rev-parse", "--git-path", name], "")?));
    }
    SOURCES.iter().for_each(|name| watch(&in_root(name)));
    let with = |words: &[&'static str]| git(&[words, &["--"], &SOURCES].concat(), "");
    let new = with(&["ls-files", "--others", "--exclude-standard"])?;
    let contents = git(&["hash-object", "--stdin-paths"], &new)?;
    let changes = with(&["diff", "HEAD"])? + &new + &contents;
    if changes.is_empty() {
        return Some(commit);
    }
    let mark = git(&["hash-object", "--stdin"], &changes)?;
    Some(format!("{commit}, modified {}", mark.get(..7)?))
}

/// What git prints, trimmed; none if it fails or is not there.
fn git(words: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new("git");
    command.current_dir(ROOT).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut git = command.spawn().ok()?;
    git.stdin.take()?.write_all(input.as_bytes()).ok()?;
    let output = git.wait_with_output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn in_root(path: &str) -> String {
    Path::new(ROOT).join(path).display().to_string()
}

/// Runs this again when `path` changes; what is not there would make that always.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo::rerun-if-changed={path}");
    }
}
