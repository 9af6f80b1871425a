//! Files that a trained network is asked about: read as those that it learned from.

use super::Files;
use super::table::Table;
use crate::error::{Error, Result};
use crate::task::{BatchSize, Dataset, Held, Pixels};

/// What is asked of files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Channels, height and width of a sample.
    pub shape: [usize; 3],
    /// Whether inputs are pixels, and the value that stands for 1.0 in arrays of them; pictures have 255.
    pub pixels: Option<f32>,
    /// Names of classes, none for values, where samples have answers: in the file itself, or in another.
    pub answers: Option<(&'a [String], Option<&'a str>)>,
}

impl Files {
    /// How files are read of which nothing is said, images brought to one size and colour.
    pub(crate) fn plain(size: Option<[usize; 2]>, grey: bool) -> Self {
        Self {
            train: String::new(),
            test: Held::Share(0.5),
            validation: None,
            labels: None,
            test_labels: None,
            validation_labels: None,
            label: None,
            targets: Vec::new(),
            header: None,
            size,
            grey,
            sequence: None,
            events: None,
            batch: BatchSize::Samples(1),
            epochs: 1,
            shuffle: false,
            pixels: Pixels::Unit,
            draw: 0,
            set: None,
            found: None,
        }
    }

    /// The samples of a file or folder, and what they are called if they have names.
    ///
    /// # Errors
    /// Those of [`TaskMethod::load`](crate::task::TaskMethod::load); [`Error::Data`] if samples are not of the kind that is wanted.
    pub(crate) fn open(&self, path: &str, wanted: Wanted<'_>) -> Result<(Dataset, Vec<String>)> {
        let blind = wanted.answers.is_none().then(|| wanted.shape.iter().product());
        let table = self.source(path, wanted.answers.and_then(|(_, labels)| labels), blind)?;
        let mut table = table;
        if table.spans.is_some() && (self.sequence.is_some() || self.events.is_some()) {
            table.lengthen(wanted.shape[1]);
        }
        let table = shaped(table, wanted.shape)?;
        let names = table.names.clone();
        let table = Table { inputs: table.inputs.loaded(), ..table };
        let set = table.dataset(wanted.answers.map_or(&[], |(classes, _)| classes))?;
        let set = match wanted.pixels {
            Some(scale) => set.pixels_of(if names.is_empty() { scale } else { 255.0 })?,
            None if set.pixels().is_empty() => set,
            None => {
                return Err(Error::data(format!(
                    "{path}: pixels from 0 to 255, but the network learned from other numbers"
                ))
                .with_hint("save numbers of the same kind as those that it learned from"));
            }
        };
        Ok((set, names))
    }

    /// A file that the recipe names.
    #[cfg(feature = "import")]
    pub(super) fn named(&self, path: &str, labels: Option<&str>) -> Result<Table> {
        super::source::Source { spec: self, own: true, blind: None }.read(path, labels)
    }

    /// A file that the recipe names.
    #[cfg(not(feature = "import"))]
    pub(super) fn named(&self, path: &str, labels: Option<&str>) -> Result<Table> {
        self.source(path, labels, None)
    }

    #[cfg(feature = "import")]
    pub(super) fn source(&self, path: &str, labels: Option<&str>, blind: Option<usize>) -> Result<Table> {
        super::source::Source { spec: self, own: false, blind }.read(path, labels)
    }

    #[cfg(not(feature = "import"))]
    pub(super) fn source(&self, path: &str, _: Option<&str>, _: Option<usize>) -> Result<Table> {
        Err(Error::config(format!(
            "{path} cannot be read: this program was built without the feature `import`"
        ))
        .with_hint("build it with that feature"))
    }
}

/// The same samples in the shape that is wanted; one row of numbers is an image of one channel.
fn shaped(table: Table, wanted: [usize; 3]) -> Result<Table> {
    let numbers: usize = table.shape.iter().product();
    let row = table.shape == [1, 1, numbers] && wanted[0] == 1 && wanted.iter().product::<usize>() == numbers;
    if table.shape == wanted || row {
        return Ok(Table { shape: wanted, ..table });
    }
    let [is, should] = [table.shape, wanted].map(|shape| shape.map(|n| n.to_string()).join("x"));
    let message = format!("{}: samples of {is}, but the network takes {should}", table.place);
    let images = table.inputs.is_bytes();
    let hint =
        if images { "bring the images to this size" } else { "leave out columns that it did not learn from" };
    Err(Error::data(message).with_hint(hint))
}
