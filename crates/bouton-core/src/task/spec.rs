//! The task of a recipe: which data, in which batches.
//!
//! Data sets are entries of the catalogue: their tables are read by name. Tasks of another kind stand in the list below, each with
//! its file.

use super::catalogue::{DATA, KnownSet};
use super::context::Context;
use super::copy::CopyTask;
use super::delayed_match::DelayedMatch;
use super::evidence::Evidence;
use super::files::Files;
use super::hierarchy::RandomHierarchy;
use super::images::{Images, Known};
use super::pattern::Pattern;
use super::sequence::{ContinualSpec, Following, SequenceSpec};
use super::store_recall::StoreRecall;
use super::synthetic::SyntheticImages;
use super::teacher::Teacher;
use super::yin_yang::YinYang;
use super::{Dataset, Held};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// Samples per batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BatchSize {
    /// This many.
    Samples(
        #[schemars(extend(
            "minimum" = 1, "maximum" = 10_000_000,
            "x-hint" = "20 is usual; \"all\" takes the whole training set"
        ))]
        usize,
    ),
    /// The whole training set (`"all"`).
    All(All),
}

/// The word `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum All {
    /// Everything that there is.
    All,
}

/// What a recipe's task says of itself, in its own file.
pub trait TaskMethod: fmt::Debug {
    /// Refuses what cannot be meant; the bounds of numbers are attributes of their fields.
    ///
    /// # Errors
    /// [`crate::Error`] with the key and a hint.
    fn check(&self, at: &Place) -> Result<()>;
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// Shape of one image (channels, height, width) as the network sees it, [1, 1, n] for n numbers that are no image; and number
    /// of classes, or of values.
    fn shape(&self) -> ([usize; 3], usize);
    /// Steps of a sample, which stand behind each other in it. Default: one, because it is no sequence.
    fn steps(&self) -> usize {
        1
    }
    /// What its data say of the steps of each sample: `lengths`, `mask`, `weights`. Default: nothing.
    fn beside(&self) -> &[String] {
        &[]
    }
    /// Whether its samples are spikes, mostly zero. Default: no.
    fn shows_spikes(&self) -> bool {
        false
    }
    /// Whether there is something that each step of a sample should come to, all of which stand behind each other. Default: no.
    fn answers_every_step(&self) -> bool {
        false
    }
    /// What a sample shows: names and numbers of columns, in their order; one input, called `input`, unless a task has several.
    fn inputs(&self) -> Vec<(&'static str, usize)> {
        vec![("input", self.shape().0.into_iter().product())]
    }
    /// What samples should come to.
    fn targets(&self) -> TargetKind;
    /// Samples to choose by while training: a share of the training samples, or a file that it loads; none if it holds none back.
    fn validation(&self) -> Option<Held>;
    /// Samples per batch.
    fn batch(&self) -> BatchSize;
    /// Training samples, a share for validation among them.
    fn samples(&self) -> usize;
    /// The data set of the catalogue that it is about, if it is about one.
    fn set(&self) -> Option<&'static KnownSet>;
    /// How samples are shown.
    fn shown(&self) -> Images;
    /// What each output stands for: names of classes, or of values. Default: classes count from 0, values from 1.
    fn names(&self) -> Vec<String> {
        let first = usize::from(self.targets() == TargetKind::Values);
        (first..first + self.shape().1).map(|output| output.to_string()).collect()
    }
    /// Whether samples are images of pixels, and which value stands for 1.0. Default: they are not.
    fn pixels(&self) -> Option<f32> {
        None
    }
    /// How files with samples of its kind are read. Default: as files that nothing is said of.
    fn reads(&self) -> Option<Files> {
        None
    }
    /// Makes it no larger than this.
    fn quicken(&mut self, most: Quick);
    /// The smallest task of the same kind and the same shapes: so many made-up samples, two at a time, once.
    fn smoke(&self, samples: usize) -> TaskSpec;
    /// The same on made-up images of the same shape and number, to be timed where its own are not. Default: there is none.
    fn made_up(&self) -> Option<TaskSpec> {
        None
    }
    /// Settings for the tests of every member that needs no data on the disk, in which each word and each switch occurs.
    /// Default: there is none.
    fn examples() -> Vec<Self>
    where
        Self: Sized,
    {
        Vec::new()
    }
    /// Bytes of its data and of the data sets `then` that follow, and samples that are used.
    fn bytes(&self, then: &[Following]) -> (u128, usize);
    /// Lets the paths of files that it names begin at `folder`, without a look into them. Default: it names none.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if the system does not tell where a path is.
    fn place(&mut self, _folder: &Path) -> Result<()> {
        Ok(())
    }
    /// Looks into the files that it names, whose paths begin at `folder`, for what a recipe has to know of them. Default: it names
    /// none.
    ///
    /// # Errors
    /// As [`TaskMethod::load`].
    fn look(&mut self, _folder: &Path) -> Result<()> {
        Ok(())
    }
    /// The files and folders that it names, beside those of data sets. Default: none.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    /// The same without the places of its files and what was found in them, which tell no recipes apart: their contents do. Default:
    /// it names none.
    fn unplaced(&self) -> Option<TaskSpec> {
        None
    }
    /// Its samples; data sets are looked for in `folder`.
    ///
    /// # Errors
    /// [`crate::Error::DataMissing`] if they are not on this machine, [`crate::Error::Data`] if they are damaged.
    fn load(&self, folder: Option<&Path>) -> Result<Loaded>;
}

/// What is learned, in which order: the part of a recipe that streams and data sets depend on.
#[derive(Clone, Copy, Debug)]
pub struct Curriculum<'a> {
    /// Which data.
    pub task: &'a TaskSpec,
    /// From one data set to a sequence of tasks.
    pub sequence: &'a SequenceSpec,
    /// How the sequence is learned.
    pub continual: &'a ContinualSpec,
    /// Batches of an update.
    pub accumulate: usize,
    /// Seed of every order.
    pub seed: u64,
}

/// The most of a quick version.
#[derive(Clone, Copy, Debug)]
pub struct Quick {
    /// Training samples.
    pub train: usize,
    /// Test samples.
    pub test: usize,
    /// Passes over the training set.
    pub epochs: usize,
}

/// The samples of a task.
#[derive(Debug)]
pub struct Loaded {
    /// To learn from.
    pub train: Dataset,
    /// To choose by, where that is a file of its own.
    pub validation: Option<Dataset>,
    /// To be judged by.
    pub test: Dataset,
}

/// Makes the enum of tasks from the list of those that are no data set: name in recipes, line on it, type.
macro_rules! tasks {
    ($($name:literal $about:literal $member:ident($inner:ty),)*) => {
        /// The task of a recipe: `[task.<name>]`.
        #[derive(Clone, Debug, PartialEq)]
        pub enum TaskSpec {
            /// A data set of the catalogue.
            Known(Known),
            $(#[doc = $about] $member($inner),)*
        }

        impl TaskSpec {
            /// Names of the tasks that are no data set.
            pub const NAMES: &[&str] = &[$($name),*];

            /// Examples of every member that needs no data on the disk.
            pub fn all() -> Vec<Self> {
                let mut all = Vec::new();
                $(all.extend(<$inner>::examples().into_iter().map(Self::$member));)*
                all
            }

            /// What it says of itself.
            pub fn method(&self) -> &dyn TaskMethod {
                match self {
                    Self::Known(task) => task,
                    $(Self::$member(task) => task,)*
                }
            }

            /// [`TaskSpec::method`], to change.
            pub fn method_mut(&mut self) -> &mut dyn TaskMethod {
                match self {
                    Self::Known(task) => task,
                    $(Self::$member(task) => task,)*
                }
            }

            /// Its name in recipes.
            pub fn name(&self) -> &'static str {
                match self {
                    Self::Known(task) => task.set.name,
                    $(Self::$member(_) => $name,)*
                }
            }
        }

        impl Serialize for TaskSpec {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                match self {
                    Self::Known(task) => serializer.collect_map([(task.set.name, &task.images)]),
                    $(Self::$member(task) => serializer.collect_map([($name, task)]),)*
                }
            }
        }

        impl<'de> Visitor<'de> for OneTask {
            type Value = TaskSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table with one task")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<TaskSpec, A::Error> {
                let name: String = map.next_key()?.ok_or_else(|| A::Error::custom("there is no task"))?;
                let task = if let Some(set) = DATA.iter().find(|set| set.name == name) {
                    TaskSpec::Known(Known { set, images: map.next_value()? })
                } $(else if name == $name {
                    TaskSpec::$member(map.next_value()?)
                })* else {
                    return Err(A::Error::custom(format!("no task is called `{name}`")));
                };
                match map.next_key::<String>()? {
                    None => Ok(task),
                    Some(more) => Err(A::Error::custom(format!("one task is enough: `{name}` or `{more}`"))),
                }
            }
        }

        impl JsonSchema for TaskSpec {
            fn schema_name() -> Cow<'static, str> {
                "TaskSpec".into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let images = generator.subschema_for::<Images>();
                let mut all: Vec<Schema> =
                    DATA.iter().map(|set| member(set.name, set.about, images.clone())).collect();
                $(all.push(member($name, $about, generator.subschema_for::<$inner>()));)*
                json_schema!({ "description": "The task of a recipe: `[task.<data set>]`.", "oneOf": all })
            }
        }
    };
}

/// Reads a task by its name.
struct OneTask;

impl<'de> Deserialize<'de> for TaskSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(OneTask)
    }
}

/// The schema of a table that holds the one key `name`.
fn member(name: &str, about: &str, table: Schema) -> Schema {
    json_schema!({
        "description": about,
        "type": "object",
        "properties": { name: table },
        "additionalProperties": false,
        "required": [name],
    })
}

tasks! {
    "synthetic" "Made-up images, for tests." Synthetic(SyntheticImages),
    "context" "Two inputs that tell the class only together." Context(Context),
    "files" "Files of your own: folders of images, tables, arrays." Files(Files),
    "teacher" "Values that a random teacher gives: a regression." Teacher(Teacher),
    "pattern" "Patterns in time to be generated from frozen spikes." Pattern(Pattern),
    "evidence" "Cues in time, and the question which side had more." Evidence(Evidence),
    "store-recall" "Values in time, one of which is to be remembered until it is asked for." StoreRecall(StoreRecall),
    "copy" "Symbols to be said again after a pause." Copy(CopyTask),
    "delayed-match" "Two stimuli with a pause between them: are they the same?" DelayedMatch(DelayedMatch),
    "random-hierarchy" "Strings whose classes are made of features, made of features." RandomHierarchy(RandomHierarchy),
    "yin-yang" "Points in the plane: yin, yang or a dot." YinYang(YinYang),
}

impl TaskSpec {
    /// Shape of one image (channels, height, width) as the network sees it, and number of classes, or of values.
    pub fn shape(&self) -> ([usize; 3], usize) {
        self.method().shape()
    }

    /// What a sample shows: names and numbers of columns, in their order.
    pub fn inputs(&self) -> Vec<(&'static str, usize)> {
        self.method().inputs()
    }

    /// What its data are called: a set by its name, anything else as the task.
    pub fn called(&self) -> &str {
        match self {
            Self::Files(Files { set: Some(set), .. }) => &set.name,
            other => other.name(),
        }
    }

    /// How samples are shown.
    pub fn shown(&self) -> Images {
        self.method().shown()
    }

    /// Samples per batch.
    pub fn batch(&self) -> BatchSize {
        self.method().batch()
    }

    /// Training samples.
    pub fn samples(&self) -> usize {
        self.method().samples()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_of_the_catalogue_is_a_task_with_its_shape() {
        for set in DATA {
            let text = format!("[{}]\nbatch = 1\nepochs = 1", set.name);
            let task: TaskSpec = toml::from_str(&text).unwrap();
            assert_eq!(task.name(), set.name);
            assert_eq!(task.shape(), (set.shape, set.classes));
            assert_eq!(task.shown().epochs, 1);
        }
    }
}
