"""Search for good settings with Optuna: every trial is an ordinary run, judged by samples that are held back.

    study = bouton.tune.tune("mine.toml", {"optim.sgd.lr": (1e-3, 1.0, "log"), "synapse": ["plain", "binary"]}, trials=40)
    study.best_params

A trial that Optuna gives up ends with a checkpoint. Settings that were run already are not run again. The score is that of the task
(accuracy, or the mean squared error of a regression) on the samples that `validation` holds back, never on test samples.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bouton import _bouton
from bouton._experiment import Event, Experiment, _score
from bouton.errors import RecipeError

if TYPE_CHECKING:
    import optuna

#: A range (low, high), with "log" for one by factors; or the values to choose from.
Space = Mapping[str, Sequence[Any]]


def tune(
    recipe: _bouton.Recipe | str | os.PathLike[str] | dict[str, Any],
    space: Space,
    trials: int = 20,
    study: optuna.Study | None = None,
    out: str | os.PathLike[str] = "runs",
    data: Any = None,
    progress: bool = False,
) -> optuna.Study:
    """Runs `trials` points of `space` and returns the study.

    `space` gives each key a range `(low, high)`, of whole numbers if both are, or `(low, high, "log")`; or a list to choose from, members of
    an axis by name among them. `study` may be one of your own (storage, sampler, pruner); its direction has to be that of the score.
    """
    import optuna

    base = Experiment(recipe, out=out, data=data)
    if _held(base.recipe) is None:
        name = next(iter(json.loads(base.recipe.to_json())["task"]))
        raise RecipeError("there is nothing to choose by", f"task.{name}.validation = 0.1 holds samples back")
    regression = base.recipe.targets == "values"
    study = study or optuna.create_study(direction="minimize" if regression else "maximize")

    def objective(trial: optuna.Trial) -> float:
        chosen = {key: _suggest(trial, key, values) for key, values in space.items()}
        made = Experiment(base.recipe.replace(**chosen), out=base.out, data=base.data)

        def watch(event: Event) -> None:
            if event["event"] == "metrics" and event["split"] == "validation":
                trial.report(_score(event["values"])[1], event["step"])
                if trial.should_prune():
                    raise optuna.TrialPruned

        run = made.run(callback=watch, progress=progress)
        trial.set_user_attr("run", str(run.path))
        scores = [_score(record)[1] for record in run.records("validation")]
        return min(scores) if regression else max(scores)

    study.optimize(objective, n_trials=trials)
    return study


def _held(recipe: _bouton.Recipe) -> Any:
    """What the task holds back to choose by."""
    task = next(iter(json.loads(recipe.to_json())["task"].values()))
    return task.get("validation")


def _suggest(trial: optuna.Trial, key: str, values: Sequence[Any]) -> Any:
    """One value of a range, or of a list."""
    if isinstance(values, tuple):
        low, high, *how = values
        if isinstance(low, int) and isinstance(high, int):
            return trial.suggest_int(key, low, high, log=how == ["log"])
        return trial.suggest_float(key, low, high, log=how == ["log"])
    return trial.suggest_categorical(key, list(values))
