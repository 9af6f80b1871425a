"""Tuning: trials are ordinary runs, judged by held back samples; what is given up, found again, refused."""

import pytest

import bouton

optuna = pytest.importorskip("optuna")
optuna.logging.set_verbosity(optuna.logging.WARNING)

from bouton.tune import tune  # noqa: E402

DIGITS = {
    "task": {"digits": {"batch": 20, "epochs": 3, "train": 300, "validation": 0.2}},
    "network": {"layers": [64, 16, 10]},
    "neuron": {"relu": {}},
    "credit": {"backprop": {}},
    "objective": {"softmax-cross-entropy": {}},
    "optim": {"sgd": {"lr": 0.1}},
}


def seeded(**more):
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), **more)


def test_trials_are_runs_and_the_best_is_that_of_held_samples(tmp_path):
    study = tune(DIGITS, {"optim.sgd.lr": (1e-4, 1.0, "log"), "network.dropout": [0.0, 0.2]}, 4, seeded(direction="maximize"), tmp_path)
    frame = bouton.runs(tmp_path)
    assert len(frame) == len(study.trials) == 4 and set(frame["network.dropout"]) <= {0.0, 0.2}
    for trial in study.trials:
        run = bouton.Run(trial.user_attrs["run"])
        scores = [record["accuracy"] for record in run.records("validation")]
        assert trial.value == max(scores) and len(scores) == 3
        assert run.recipe.replace(**trial.params).hash == run.recipe.hash
    assert study.best_value == max(trial.value for trial in study.trials)
    again = tune(DIGITS, {"optim.sgd.lr": (1e-4, 1.0, "log"), "network.dropout": [0.0, 0.2]}, 4, seeded(direction="maximize"), tmp_path)
    assert [t.value for t in again.trials] == [t.value for t in study.trials] and len(bouton.runs(tmp_path)) == 4


def test_what_is_given_up_stops_with_a_checkpoint(tmp_path):
    class Never(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return trial.number > 0

    study = tune(DIGITS, {"optim.sgd.lr": [0.1, 0.2], "seed": (1, 9)}, 2, seeded(direction="maximize", pruner=Never()), tmp_path)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "PRUNED"]
    assert sorted(bouton.runs(tmp_path).state) == ["done", "interrupted"]


def test_a_regression_is_made_small_and_members_are_chosen_by_name(tmp_path):
    task = {"teacher": {"inputs": 8, "rule": {"committee": {"units": 2}}, "train": 100, "test": 20, "batch": 10, "epochs": 2, "validation": 0.2}}
    recipe = {**DIGITS, "task": task, "network": {"layers": [8, 8, 1]}, "objective": {"squared-error": {}}}
    study = tune(recipe, {"optim.sgd.lr": [0.01, 0.05], "neuron": ["relu"]}, 2, out=tmp_path)
    assert study.direction.name == "MINIMIZE" and study.best_value == min(trial.value for trial in study.trials)


def test_without_held_samples_there_is_nothing_to_choose_by(tmp_path, recipe):
    with pytest.raises(bouton.RecipeError, match="nothing to choose by") as caught:
        tune(recipe, {"optim.sgd.lr": [0.1]}, 1, out=tmp_path)
    assert "task.digits.validation = 0.1" in caught.value.hint
