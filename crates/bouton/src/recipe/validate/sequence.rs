//! Sequences of tasks and replay that cannot be meant.

use super::require;
use crate::recipe::{Recipe, tag};
use crate::task::{DATA, KnownSet, Policy, ReplaySpec, SequenceSpec, Sets, TaskSpec};
use crate::{Error, Result};

/// Checks `[sequence]` and `[continual]` of `recipe`.
pub(super) fn check(recipe: &Recipe) -> Result<()> {
    let (task, classes) = (&recipe.task, recipe.task.shape().1);
    recipe.continual.replay.as_ref().map_or(Ok(()), replay)?;
    match &recipe.sequence {
        SequenceSpec::Single | SequenceSpec::Permuted(_) => {}
        SequenceSpec::Split(s) => {
            let ok = s.classes < classes && classes.is_multiple_of(s.classes);
            let need = format!("a divisor of the {classes} classes of {}", tag(task));
            require(ok, "sequence.split.classes", s.classes, &need, "2 is usual")?;
        }
        SequenceSpec::Rotated(r) => rotated(&r.degrees)?,
        SequenceSpec::Subsets(s) => {
            let samples = task.samples();
            let ok = s.parts <= samples;
            let need = format!("from 1 to {samples}, the training samples");
            require(
                ok,
                "sequence.subsets.parts",
                s.parts,
                &need,
                "60 parts of MNIST have 1,000 samples each",
            )?;
        }
        SequenceSpec::Sets(s) => sets(s, task)?,
    }
    let outputs = recipe.sequence.sides(task, recipe.continual.scenario).1;
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

fn rotated(degrees: &[f64]) -> Result<()> {
    let key = "sequence.rotated.degrees";
    require(!degrees.is_empty(), key, "empty", "a list of angles", "[0, 45, 90]")?;
    let seen = |(i, d): &(usize, &f64)| degrees[..*i].iter().any(|e| (*d - e) % 360.0 == 0.0);
    match degrees.iter().enumerate().find(seen) {
        None => Ok(()),
        Some((_, d)) => Err(Error::config(format!("{key} repeats {d}: the task would be an earlier one"))
            .with_hint("name every angle once; 360 degrees are a whole turn")),
    }
}

/// The shape of an image of `set` beside those of `task`, which may ask for a border around every image.
fn padded(set: &KnownSet, task: &TaskSpec) -> [usize; 3] {
    let [_, height, width] = set.shape;
    // An image is never cut: a larger one keeps its shape, which does not fit then.
    let fits = task.images().filter(|images| images.size.is_some_and(|size| size >= height.max(width)));
    fits.map_or(set.shape, |images| images.shape(set.shape))
}

fn sets(sets: &Sets, task: &TaskSpec) -> Result<()> {
    require(
        !sets.then.is_empty(),
        "sequence.sets.then",
        "empty",
        "a list of data sets",
        "[\"fashion-mnist\"]",
    )?;
    for (i, name) in sets.then.iter().enumerate() {
        let known = DATA.iter().find(|set| set.name == *name);
        let Some(set) = known else {
            let names: Vec<_> = DATA.iter().map(|set| set.name).collect();
            return Err(Error::config(format!("sequence.sets.then names `{name}`, which is no data set"))
                .with_hint(format!("one of {}", names.join(", "))));
        };
        let shape = padded(set, task);
        if (shape, set.classes) != task.shape() {
            return Err(Error::shape(format!(
                "{name} has images of {:?} and {} classes, {} has {:?} and {}",
                shape,
                set.classes,
                tag(task),
                task.shape().0,
                task.shape().1
            ))
            .with_hint("a sequence of data sets needs one shape and one number of classes"));
        }
        if sets.then[..i].contains(name) || *name == tag(task) {
            return Err(Error::config(format!("sequence.sets repeats `{name}`"))
                .with_hint("name every data set once; sequence.permuted repeats one set"));
        }
    }
    Ok(())
}
