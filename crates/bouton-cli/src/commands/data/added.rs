//! `bouton data add`, `rm`: files of one's own under a name.

use crate::printer::Printer;
use bouton::task::{Files, TaskMethod, added};
use bouton::{Error, Result};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Give a name to files of your own: a data set wherever a recipe names one. The files stay where they are
#[derive(Args, Debug)]
pub struct Add {
    /// The name: small letters, digits and `-`
    name: String,
    /// Samples to learn from: a folder of images in a folder per class, a CSV, .npz, .npy or IDX file
    path: PathBuf,
    /// Samples to be judged by: another such file, or a share of every class
    #[arg(long, value_name = "PATH|SHARE", default_value = "0.2")]
    test: String,
    /// Samples to choose by while training, as --test [default: none]
    #[arg(long, value_name = "PATH|SHARE")]
    validation: Option<String>,
    /// File with the classes or values of PATH (for .npy and IDX)
    #[arg(long, value_name = "PATH")]
    labels: Option<PathBuf>,
    /// The same of --test
    #[arg(long, value_name = "PATH")]
    test_labels: Option<PathBuf>,
    /// The same of --validation
    #[arg(long, value_name = "PATH")]
    validation_labels: Option<PathBuf>,
    /// Column of a table, or array of an .npz, with the class
    #[arg(long)]
    label: Option<String>,
    /// Columns of a table with numbers to come to: a regression
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    targets: Vec<String>,
    /// Whether the first line of a table holds names [default: if none of them is a number]
    #[arg(long)]
    header: Option<bool>,
    /// Height and width that images are brought to, such as 32,32
    #[arg(long, value_name = "H,W", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=4096))]
    size: Vec<u16>,
    /// Take images in shades of grey
    #[arg(long)]
    grey: bool,
    /// Which samples a share takes
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    draw: u64,
}

impl Add {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer, dir: Option<&Path>) -> Result<()> {
        printer.only_tell();
        let files = added::add(&self.name, self.files()?, dir)?;
        let found = files.found.map(|found| found.to_string()).unwrap_or_default();
        printer.line(format_args!("{}: {found}", self.name))?;
        printer.line(format_args!("in a recipe: [task.{0}], or sequence.sets.then = [\"{0}\"]", self.name))
    }

    /// The `[task.files]` that the options stand for.
    fn files(&self) -> Result<Files> {
        if !matches!(self.size[..], [] | [_, _]) {
            return Err(Error::config("--size is a height and a width").with_hint("--size 32,32"));
        }
        let held = |text: &String| text.parse::<f64>().map_or_else(|_| json!(text), |share| json!(share));
        let mut table = json!({
            "train": self.path, "test": held(&self.test), "validation": self.validation.as_ref().map(held),
            "labels": self.labels, "test-labels": self.test_labels, "validation-labels": self.validation_labels,
            "label": self.label, "targets": self.targets, "header": self.header, "grey": self.grey,
            "size": (!self.size.is_empty()).then_some(&self.size), "draw": self.draw,
            "batch": "all", "epochs": 1,
        });
        if let Value::Object(table) = &mut table {
            table.retain(|_, value| !value.is_null());
        }
        serde_json::from_value(table).map_err(|e| Error::config(format!("{}: {e}", self.path.display())))
    }
}

/// One line about a set of one's own.
pub struct Row {
    /// Its name.
    pub name: String,
    /// Whether its files are there.
    pub state: &'static str,
    /// What is known of it; none if its description is damaged.
    pub files: Option<Files>,
    /// What it is, in one line.
    pub title: String,
}

/// Every set of one's own.
pub fn rows(dir: Option<&Path>) -> Result<Vec<Row>> {
    let row = |(name, known): (String, Result<Files>)| match known {
        Err(error) => Row { name, state: "damaged", files: None, title: error.to_string() },
        Ok(files) => {
            let here = files.files().iter().all(|path| path.exists());
            let state = if here { "yours" } else { "not here" };
            let found = files.found.as_ref().map(ToString::to_string).unwrap_or_default();
            Row { name, state, title: format!("{found} in {}", files.train), files: Some(files) }
        }
    };
    Ok(added::all(dir)?.into_iter().map(row).collect())
}

impl Row {
    /// The same as JSON, with the keys of a set of the catalogue.
    pub fn as_json(&self) -> Value {
        let found = self.files.as_ref().and_then(|files| files.found.as_deref());
        json!({
            "name": self.name, "title": self.title, "state": self.state, "licence": null,
            "shape": found.map(|f| f.shape), "classes": found.map(|f| f.classes.len()),
            "train": found.map(|f| f.train), "test": found.map(|f| f.test),
            "path": self.files.as_ref().map(|files| &files.train),
            "content": self.files.as_ref().and_then(|files| Some(&files.set.as_ref()?.content)),
        })
    }
}

/// Forgets a set of one's own.
pub fn forget(printer: &mut Printer, name: &str, dir: Option<&Path>) -> Result<()> {
    printer.only_tell();
    added::remove(name, dir)?;
    printer.line(format_args!("{name}: forgotten; its files are where they were"))
}

/// Compares a set of one's own with what it was when it was added; false if there is no such set.
pub fn verify(name: &str, dir: Option<&Path>) -> Result<bool> {
    let Some(files) = added::find(name, dir)? else { return Ok(false) };
    files.set.iter().try_for_each(|set| set.check(&files, dir))?;
    Ok(true)
}
