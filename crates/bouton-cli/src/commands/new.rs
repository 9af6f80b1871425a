//! `bouton new`: a recipe to begin with.

use crate::printer::Printer;
use bouton::rng::Key;
use bouton::train::atomic;
use bouton::{Error, Result};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::path::{Path, PathBuf};

/// A recipe to begin with: name, one line, text.
type Template = (&'static str, &'static str, &'static str);

/// All of them.
const TEMPLATES: [Template; 7] = [
    ("ep", "equilibrium propagation on 8x8 digits", include_str!("../../templates/ep.toml")),
    ("bnn", "a network of weights and units of -1 and 1", include_str!("../../templates/bnn.toml")),
    (
        "continual",
        "tasks one after the other, metaplastic weights",
        include_str!("../../templates/continual.toml"),
    ),
    ("device", "weights on resistive devices", include_str!("../../templates/device.toml")),
    ("data", "a table of your own, with one to begin with", include_str!("../../templates/data.toml")),
    ("spikes", "spiking units that move in time", include_str!("../../templates/spikes.toml")),
    ("regression", "values instead of classes", include_str!("../../templates/regression.toml")),
];

/// Write a commented recipe that runs, to change
#[derive(Args, Debug)]
pub struct New {
    /// What it is about
    #[arg(value_name = "KIND", value_parser = PossibleValuesParser::new(TEMPLATES.map(|(name, ..)| name)))]
    kind: String,
    /// File to write [default: KIND.toml]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl New {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let (_, about, text) =
            TEMPLATES.iter().find(|(name, ..)| *name == self.kind).expect("the parser knows them");
        let path = self.output.unwrap_or_else(|| format!("{}.toml", self.kind).into());
        if path.exists() {
            return Err(Error::config(format!("{} is there already", path.display()))
                .with_hint("choose another name with -o FILE, or remove it"));
        }
        atomic::write(&path, text)?;
        printer.line(format_args!("{}: {about}", path.display()))?;
        let table = path.with_file_name("train.csv");
        if text.contains("\"train.csv\"") && !table.exists() {
            atomic::write(&table, samples())?;
            printer.line(format_args!("{}: made-up samples", table.display()))?;
        }
        printer.line(format_args!("bouton run {}", shown(&path)))
    }
}

/// A path as the next command takes it.
fn shown(path: &Path) -> String {
    bouton::train::shell(&[path.display().to_string()])
}

/// Three kinds of flowers by four measures, made up.
fn samples() -> String {
    let mut draws = Key::new(1).of("flowers", 0).stream();
    let mut text = "length,width,height,weight,label\n".to_owned();
    for i in 0..150 {
        let kind = i % 3;
        let cells = (0..4)
            .map(|c| format!("{:.2}", 3.0 + f64::from(u8::from(c == kind)) * 2.0 + 0.8 * draws.normal()));
        text += &cells.chain([["aster", "iris", "rose"][kind].to_owned()]).collect::<Vec<_>>().join(",");
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton::recipe::Recipe;

    /// Every template is a recipe whose every value differs from leaving it out, and says in comments what it is.
    #[test]
    fn templates_are_recipes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.csv"), samples()).unwrap();
        for (name, about, text) in TEMPLATES {
            let path = folder.path().join(format!("{name}.toml"));
            std::fs::write(&path, text).unwrap();
            let recipe = Recipe::load(&path).and_then(|r| r.check().map(|()| r));
            recipe.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(text.starts_with("# ") && !about.is_empty(), "{name}");
        }
    }
}
