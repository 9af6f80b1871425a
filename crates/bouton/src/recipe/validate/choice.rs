//! Samples held back to choose by, and patience, that cannot be meant.

use crate::recipe::{Recipe, variant_name};
use crate::task::Held;
use crate::{Error, Result};

/// Checks what `recipe` says of validation.
pub(super) fn check(recipe: &Recipe) -> Result<()> {
    let (task, sequence) = (variant_name(&recipe.task), variant_name(&recipe.sequence));
    let held = recipe.task.method().validation();
    if let (Some(Held::Path(_)), [set, ..]) = (&held, recipe.sequence.method().sets()) {
        let message =
            format!("task.{task}.validation is a file, but {} of [sequence.{sequence}] has none", set.name());
        return Err(Error::config(message).with_hint("validation = 0.1 holds back a tenth of every data set"));
    }
    if recipe.run.patience.is_none() {
        return Ok(());
    }
    if held.is_none() {
        let message = format!("run.patience goes by held back samples, but [task.{task}] holds none back");
        let hint = format!("task.{task}.validation = 0.1 holds back a tenth of those to learn from");
        return Err(Error::config(message).with_hint(hint));
    }
    if recipe.sequence.method().traits().several {
        let message = format!("run.patience would end the run before the last task of [sequence.{sequence}]");
        return Err(Error::config(message).with_hint("leave it out"));
    }
    Ok(())
}
