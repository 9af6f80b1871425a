//! Streams of batches: data sets, their files and their order.

mod answers;
pub mod augment;
pub mod catalogue;
mod checksums;
pub mod cifar;
mod context;
mod copy;
mod dataset;
mod delayed_match;
pub mod digits;
#[cfg(feature = "download")]
pub mod download;
mod drawn;
pub mod embedded;
mod evidence;
mod files;
mod held;
pub mod hierarchy;
pub mod idx;
#[cfg(feature = "import")]
pub mod imagenet32;
mod images;
#[cfg(feature = "import")]
pub mod import;
#[cfg(feature = "import")]
pub mod jpegs;
pub mod layout;
pub mod mat;
mod normalise;
pub mod npy;
#[cfg(feature = "import")]
pub mod npz;
pub mod order;
mod outputs;
mod part;
mod pattern;
#[cfg(feature = "import")]
pub mod pictures;
mod replay;
mod sample_input;
pub mod samples;
mod sequence;
mod spec;
pub mod stl;
pub mod store;
mod store_recall;
mod stored;
pub mod stream;
pub mod svhn;
mod synthetic;
mod teacher;
mod trains;
mod unseen;
mod yin_yang;

pub use answers::Answers;
pub use augment::{Augment, Padding};
pub use catalogue::{DATA, Format, KnownArchive, KnownFile, KnownSet};
pub use checksums::{Checksums, checksums};
pub use context::Context;
pub use copy::{CopyAnswers, CopyTask};
pub use dataset::{Dataset, Split};
pub use delayed_match::DelayedMatch;
pub use evidence::Evidence;
pub use files::{Added, Files, Found, added};
pub use held::{Held, Share};
pub use hierarchy::RandomHierarchy;
pub use images::{Images, Known, Normalise, Pad, Pixels};
pub use outputs::Outputs;
pub use part::Part;
pub use pattern::Pattern;
pub use replay::{Kept, Policy, ReplaySpec};
pub use sample_input::{InputStep, SampleInput, sample_input};
pub use sequence::{
    Classes as ClassesOfTasks, ContinualSpec, Following, Permuted, Rotated, Scenario, SequenceSpec, Sets,
    Split as SplitClasses, Subsets,
};
pub use spec::{All, BatchSize, Curriculum, Loaded, Quick, TaskMethod, TaskSpec};
pub use store::load;
pub use store_recall::{Questions, StoreRecall};
pub use synthetic::SyntheticImages;
pub use teacher::{Rule, Teacher};
pub use unseen::{Unseen, outputs};
pub use yin_yang::YinYang;
