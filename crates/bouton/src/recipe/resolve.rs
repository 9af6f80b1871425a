//! The resolved recipe: every default filled in, its hash, and its smallest version.

use super::{Recipe, Start, migrate};
use crate::task::Following;
use crate::task::store::hex;
use sha2::{Digest, Sha256};

/// How every hashed text begins: the first version, and unchanged since, so that stored hashes stay those of their recipes.
const HASHED_AS: &str = "bouton 0.1.0\n";

impl Recipe {
    /// The recipe with every default filled in, as TOML that is itself a valid recipe.
    pub fn to_toml(&self) -> String {
        self.written().expect("every recipe that TOML can hold can be written as TOML")
    }

    /// As a table first, whose writing is compiled already: that of every type of a recipe would be a thirtieth of the library.
    pub(super) fn written(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&toml::Table::try_from(self)?)
    }

    /// What identifies the recipe: SHA-256 over everything in it but name, description and citations, in hexadecimal.
    /// Whoever reads a recipe from TOML has the files that it names in it ([`Recipe::embedded`]).
    pub fn hash(&self) -> String {
        let mut anonymous =
            Self { name: String::new(), about: String::new(), cite: Vec::new(), ..self.clone() };
        anonymous.run.from = self.run.from.clone().map(Start::unplaced);
        let sequence = anonymous.sequence.method_mut();
        sequence.into_iter().flat_map(|s| s.sets_mut()).for_each(Following::unplace);
        anonymous.task = self.task.method().unplaced().unwrap_or(anonymous.task);
        let text = format!("{HASHED_AS}{}", migrate::first_names(&anonymous.to_toml()));
        hex(&Sha256::digest(text.as_bytes()))
    }

    /// The smallest run of the same kind: two updates of two made-up samples with targets of its own kind, at most three sweeps per phase.
    #[must_use]
    pub fn smoke(&self) -> Self {
        let mut small = self.clone();
        let samples = self.sequence.method().smoke_samples(self.task.shape().1);
        small.sequence = self.sequence.method().smoke();
        small.continual.updates = self.continual.updates.map(|_| 2);
        small.task = self.task.method().smoke(samples);
        small.run.updates = Some(2);
        (small.run.checkpoint_every, small.run.patience, small.run.from) = (None, None, None);
        for steps in small.credit.steps_mut() {
            *steps = (*steps).min(3);
        }
        small
    }
}
