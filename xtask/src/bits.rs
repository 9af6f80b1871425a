//! `cargo xtask bits`: digests of everything that 20 updates of every recipe leave in a checkpoint, on made-up data. Two trees
//! that print the same compute the same, to the bit.

use crate::smoke::recipes;
use bouton::recipe::Recipe;
use bouton::task::TaskSpec;
use bouton::train::{Checkpoint, Outcome, RunOptions, Silent, TensorData, run};
use bouton::{Error, Result};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

/// Prints a line `recipe tensor digest` for every tensor; what is wrong with each recipe that does not run.
pub fn problems(root: &Path) -> Vec<String> {
    let print = |path: &Path| -> Result<()> {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        for (tensor, digest) in digests(&Recipe::load(path)?)? {
            println!("{name} {tensor} {digest:016x}");
        }
        Ok(())
    };
    let paths = recipes(root);
    paths.iter().filter_map(|path| print(path).err().map(|e| format!("{}: {e}", path.display()))).collect()
}

fn digests(recipe: &Recipe) -> Result<Vec<(String, u64)>> {
    let mut small = recipe.smoke();
    if let TaskSpec::Synthetic(task) = &mut small.task {
        task.epochs = 10;
    }
    small.continual.updates = small.continual.updates.map(|_| 10);
    small.run.updates = Some(20);
    let out = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let (Outcome::Finished { run, .. } | Outcome::AlreadyDone { run }) =
        run(&small, &RunOptions::new(out.path()), &mut Silent)?;
    let last = Checkpoint::load(&run.join("checkpoints/last.safetensors"))?;
    Ok(last.tensors.into_iter().map(|t| (t.name, digest(&t.data))).collect())
}

fn digest(data: &TensorData) -> u64 {
    let mut hasher = DefaultHasher::new();
    match data {
        TensorData::F32(values) => values.iter().for_each(|x| x.to_bits().hash(&mut hasher)),
        TensorData::F64(values) => values.iter().for_each(|x| x.to_bits().hash(&mut hasher)),
        other => format!("{other:?}").hash(&mut hasher),
    }
    hasher.finish()
}
