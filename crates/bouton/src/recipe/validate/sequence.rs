//! Sequences of tasks and replay that cannot be meant.

use super::require;
use crate::recipe::{Recipe, variant_name};
use crate::task::{Policy, ReplaySpec};
use crate::{Error, Place, Result};

/// Checks `[sequence]` and `[continual]` of `recipe`.
pub(super) fn check(recipe: &Recipe) -> Result<()> {
    recipe.continual.replay.as_ref().map_or(Ok(()), replay)?;
    let place = Place { table: format!("sequence.{}", variant_name(&recipe.sequence)), connections: 0 };
    recipe.sequence.method().check(&place, &recipe.task)?;
    let outputs = recipe.sequence.sides(&recipe.task, recipe.continual.scenario).1;
    require(
        outputs <= 65_536,
        "continual.scenario",
        outputs,
        "at most 65536 outputs",
        "use scenario = \"domain\"",
    )
}

fn replay(replay: &ReplaySpec) -> Result<()> {
    if replay.size.is_some() == replay.per_class.is_some() {
        return Err(Error::config("continual.replay needs either `size` or `per-class`")
            .with_hint("size = 2000 keeps 2,000 samples in all, per-class = 100 keeps 100 of each class"));
    }
    if replay.per_class.is_some() && replay.policy == Policy::Reservoir {
        return Err(Error::config("continual.replay.per-class counts classes, which a reservoir does not")
            .with_hint("give its `size`, or use policy = \"balanced\""));
    }
    Ok(())
}
