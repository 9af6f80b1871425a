//! What was found in the files of a task: what a recipe has to know before it opens them again.

use super::Files;
use super::table::{Inputs, Named, Table};
use crate::task::Held;
use crate::task::store::hex;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// What the files hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Found {
    /// Channels, height and width of a sample; [1, 1, n] for n numbers.
    #[schemars(extend("minimum" = 1, "maximum" = 67_108_864, "x-hint" = "leave [task.files.found] out"))]
    pub shape: [usize; 3],
    /// Names of the classes in the order of the outputs; none for values.
    pub classes: Vec<String>,
    /// Classes, or numbers of a target.
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "leave [task.files.found] out"))]
    pub outputs: usize,
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = u32::MAX, "x-hint" = "leave [task.files.found] out"))]
    pub train: usize,
    /// Test samples.
    #[schemars(extend("minimum" = 1, "maximum" = u32::MAX, "x-hint" = "leave [task.files.found] out"))]
    pub test: usize,
    /// Whether inputs are pixels from 0 to 255.
    pub bytes: bool,
    /// Whether inputs stay in their files, and are read when they are needed.
    #[serde(default)]
    pub stored: bool,
    /// Arrays that say something of the steps of samples: `lengths`, `mask`, `weights`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// Which question this is the answer to: a checksum of the other keys.
    pub asked: String,
}

/// Nothing, where nobody has looked.
pub(super) static NOTHING: Found = Found {
    shape: [1, 1, 1],
    classes: Vec::new(),
    outputs: 1,
    train: 1,
    test: 1,
    bytes: false,
    stored: false,
    beside: Vec::new(),
    asked: String::new(),
};

/// A checksum of every key that decides what is found.
pub(super) fn asked(files: &Files) -> String {
    let Files { train, test, validation, labels, test_labels, validation_labels, .. } = files;
    let Files { label, targets, header, size, grey, draw, .. } = files;
    let places =
        (train, test, validation.as_ref().and_then(Held::path), labels, test_labels, validation_labels);
    let mut text = format!("{:?}", (places, label, targets, header, size, grey, draw));
    // Nothing for a key that is not there: what was found before there were these keys stays found.
    text.extend(files.sequence.iter().map(|sequence| format!("{sequence:?}")));
    text.extend(files.events.iter().map(|events| format!("{events:?}")));
    hex(&Sha256::digest(text)[..8])
}

/// What the files hold: samples to learn from, to choose by if that is a file, and to be judged by.
pub(super) struct Tables {
    pub train: Table,
    pub validation: Option<Table>,
    pub test: Table,
}

impl Tables {
    /// The same, in which samples that end early are padded to the longest of all.
    pub fn level(mut self) -> Self {
        let Self { train, validation, test } = &mut self;
        let mut all: Vec<&mut Table> = [train, test].into_iter().chain(validation).collect();
        let steps = all.iter().filter(|table| table.spans.is_some()).map(|table| table.shape[1]).max();
        all.iter_mut().for_each(|table| table.lengthen(steps.unwrap_or(0)));
        self
    }

    /// What they come to together.
    ///
    /// # Errors
    /// [`Error::Data`] if they do not fit each other.
    pub fn found(&self, asked: String) -> Result<Found> {
        let Self { train, test, .. } = self;
        let classes = train.classes();
        let outputs = match &train.answers {
            Named::Classes(_) => classes.len(),
            Named::Values { outputs, .. } => *outputs,
            Named::Unknown(_) => 0,
        };
        if classes.len() == 1 || outputs > 1 << 16 {
            let message = format!("{}: {outputs} classes are not 2 to 65,536", train.place);
            return Err(Error::data(message).with_hint("`label` names the column or array with the class"));
        }
        self.validation.iter().chain([test]).try_for_each(|held| alike(train, held, &classes))?;
        let bytes = train.inputs.is_bytes();
        let stored = [train, test].iter().all(|table| matches!(table.inputs, Inputs::Stored(_)));
        let [n, m] = [train, test].map(|table| table.answers.len());
        let (shape, beside) = (train.shape, train.beside.clone());
        Ok(Found { shape, classes, outputs, train: n, test: m, bytes, stored, beside, asked })
    }
}

/// Refuses held samples that are no such samples as those to learn from, which have these classes.
fn alike(train: &Table, held: &Table, classes: &[String]) -> Result<()> {
    let unlike = |what: &str, hint: &str| {
        let message = format!("{} and {} have {what}", train.place, held.place);
        Err(Error::data(message).with_hint(hint))
    };
    if train.shape != held.shape {
        let [a, b] = [train, held].map(|t| t.shape.map(|n| n.to_string()).join("x"));
        let hint = "images can be brought to one size: size = [32, 32]";
        return unlike(&format!("samples of {a} and of {b}"), hint);
    }
    if train.inputs.is_bytes() != held.inputs.is_bytes() {
        return unlike(
            "pixels from 0 to 255 here and other numbers there",
            "save both with the same type of number",
        );
    }
    if train.beside != held.beside {
        let [a, b] =
            [train, held].map(|t| if t.beside.is_empty() { "none".into() } else { t.beside.join(", ") });
        let hint = "save lengths, mask and weights with both or with none";
        return unlike(&format!("different arrays beside X and y: {a} here, {b} there"), hint);
    }
    match (&train.answers, &held.answers) {
        (Named::Classes(_), Named::Classes(_)) => {
            match held.classes().iter().find(|name| !classes.contains(name)) {
                Some(name) => Err(super::table::stranger(&held.place, name, classes)),
                None => Ok(()),
            }
        }
        (Named::Values { outputs: a, .. }, Named::Values { outputs: b, .. }) if a == b => Ok(()),
        (Named::Values { .. }, Named::Values { .. }) => {
            unlike("different numbers of targets", "give both the same columns")
        }
        _ => unlike("classes here and values there", "give both the same kind"),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shape: [c, h, w], classes, outputs, train, test, .. } = self;
        let kind = if classes.is_empty() { "values" } else { "classes" };
        write!(f, "{train} + {test} samples of {c}x{h}x{w} with {outputs} {kind}")
    }
}
