//! Figures as files, by how their names end.

use crate::report::figures::Drawing;
use bouton::train::atomic;
use bouton::{Error, Result};
use std::path::Path;

/// How the name of a file ends, in lower case.
pub(super) fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Refuses a file that is no figure, before anything is done for it; `also` are other endings that are allowed.
///
/// # Errors
/// [`Error::Config`] with the endings that there are.
pub(super) fn known(path: &Path, also: &[&str]) -> Result<()> {
    let ending = ending(path);
    let all = [&["svg", "pdf", "png"], also].concat();
    if all.contains(&ending.as_str()) {
        return Ok(());
    }
    let words = all.iter().map(|word| format!(".{word}")).collect::<Vec<_>>().join(", ");
    Err(Error::config(format!("{}: no figure of the kind `{}`", path.display(), ending.escape_debug()))
        .with_hint(format!("name a file that ends in {words}")))
}

/// Writes a drawing, whole or not at all.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
pub(super) fn write(path: &Path, drawing: &Drawing) -> Result<()> {
    match ending(path).as_str() {
        "png" => atomic::write(path, drawing.png()),
        "pdf" => atomic::write(path, drawing.pdf()),
        _ => atomic::write(path, drawing.svg()),
    }
}
