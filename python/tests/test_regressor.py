"""The regressor by scikit-learn's own rules, and by those that `check_estimator` leaves out.

| # | contract | test |
|---|---|---|
| 1 | `check_estimator`, settling and in one pass | test_scikit_learns_own_checks |
| 2 | it explains what a linear model explains of real data | test_diabetes |
| 3 | predictions have the axes of the targets, and each output is learned | test_outputs |
| 4 | predictions do not depend on the units and the origin of the targets; what never varies is told exactly | test_units_of_targets |
| 5 | partial_fit scales by all data seen so far and keeps to the outputs of its first call | test_partial_fit, test_numbers_of_outputs |
| 6 | settings reach the recipe: rules, synapses, precision; what needs classes is refused | test_settings |
| 7 | what is no number is refused | test_targets_that_are_refused |
| 8 | clone, pickle, deepcopy: the same parameters, the same bits | test_copies_go_on |
| 9 | pipelines, searches and ensembles take it | test_inside_others |
"""

import copy
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from bouton.errors import RecipeError, ShapeError
from bouton.sklearn import BoutonRegressor

PASS = {"neuron": {"relu": {}}, "credit": {"backprop": {}}, "solver": {"synchronous": {}}}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = np.stack([X[:, 0] - 2 * X[:, 1], np.tanh(X[:, 2]) + X[:, 3]], axis=1)


def small(**parameters):
    return BoutonRegressor(**{"hidden": (8,), "epochs": 20, "random_state": 0, **parameters})


@parametrize_with_checks([BoutonRegressor(hidden=(8,), epochs=40, random_state=0), small(epochs=40, settings=PASS)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("split", range(3))
def test_diabetes(split):
    a, b, c, d = train_test_split(*load_diabetes(return_X_y=True), random_state=split)
    model = BoutonRegressor(epochs=20, random_state=1).fit(a, c)
    assert model.score(b, d) > 0.3 and model.predict(b).shape == d.shape


def test_outputs():
    assert small().fit(X, Y[:, 0]).predict(X).shape == (120,)
    assert small().fit(X, Y[:, :1]).predict(X).shape == (120, 1)
    both = small(epochs=60).fit(X, Y).predict(X)
    assert both.shape == Y.shape and (1 - ((both - Y) ** 2).mean(0) / Y.var(0) > 0.9).all()


def test_units_of_targets():
    plain, shifted = small().fit(X, Y), small().fit(X, 1e4 * Y - 5e6)
    assert np.allclose(1e4 * plain.predict(X) - 5e6, shifted.predict(X), atol=100)
    still = small().fit(X, np.stack([Y[:, 0], np.full(120, 7.5)], axis=1))
    assert (still.predict(X)[:, 1] == 7.5).all()


@pytest.mark.parametrize("first", [1, 2, 120])
def test_partial_fit(first):
    scales = np.array([100.0, 1e-3])
    model = small().partial_fit(X[:first], Y[:first] * scales)
    for _ in range(25):
        for i in range(0, 120, 15):
            model.partial_fit(X[i : i + 15], Y[i : i + 15] * scales)
    assert model.score(X, Y * scales) > 0.8
    assert model.scaler_.n_samples_seen_ == model.target_scaler_.n_samples_seen_ == first + 25 * 120
    updates = model.network_.updates
    model.partial_fit(X[:41], Y[:41] * scales)
    assert model.network_.updates == updates + 3, "batches of at most 20"


@pytest.mark.parametrize("outputs, other", [(Y[:, 0], Y), (Y, Y[:, 0]), (Y, Y[:, :1]), (Y, np.hstack([Y, Y]))])
def test_numbers_of_outputs(outputs, other):
    model = small().partial_fit(X, outputs)
    before = model.predict(X)
    known, wrong = (y.reshape(120, -1).shape[1] for y in (outputs, other))
    with pytest.raises(ShapeError) as e:
        model.partial_fit(X, other)
    assert e.value.message == f"y has {wrong} outputs, that of the first call had {known}" and "fit()" in e.value.hint
    assert np.array_equal(model.predict(X), before)
    assert model.fit(X, other).predict(X).shape == other.shape


@pytest.mark.parametrize("settings", [
    {"credit.eq-prop.beta": 0.1},
    PASS,
    {"credit": {"bptt": {"steps": 30}}, "solver": {"synchronous": {}}},
    {"precision": "f64", "optim": {"sgd": {"lr": 0.1, "momentum": 0.5}}},
], ids=str)
def test_settings(settings):
    model = small(settings=settings, epochs=30).fit(X, Y)
    assert model.score(X, Y) > 0.9
    assert model.network_.recipe == model.network_.recipe.replace(**settings) != small().fit(X, Y).network_.recipe
    for wrong, hint in [
        ({"objective": {"softmax-cross-entropy": {}}}, "squared-error"), ({"task.teacher.inputs": 3}, "X and y"),
        ({"network.layers": [4, 2]}, "hidden"), ({"seed": 3}, "random_state"), ({"optim.adm.lr": 1}, "adam"),
    ]:
        with pytest.raises(RecipeError) as e:
            small(settings=wrong).fit(X, Y)
        assert hint in str(e.value), wrong


@pytest.mark.parametrize("y", [
    np.full(120, np.nan), np.where(X[:, 0] > 2, np.inf, 1.0), np.array(["a"] * 120), Y[:100], Y[:, :, None], Y[:, :0],
], ids=["NaN", "infinite", "words", "short", "three axes", "no outputs"])
def test_targets_that_are_refused(y):
    for learn in (small().fit, small().partial_fit):
        with pytest.raises(ValueError):
            learn(X, y)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), lambda m: clone(m).fit(X, Y)])
def test_copies_go_on(copied):
    model = small(settings={"optim": {"adam": {"lr": 0.01}}}).fit(X, Y)
    twin = copied(model)
    assert twin.get_params() == model.get_params() and not hasattr(clone(model), "network_")
    for _ in range(2):
        assert np.array_equal(model.predict(X), twin.predict(X))
        model.partial_fit(X, Y), twin.partial_fit(X, Y)


def test_inside_others():
    assert make_pipeline(StandardScaler(), small()).fit(X, Y).score(X, Y) > 0.9
    search = GridSearchCV(small(), {"hidden": [(4,), (8, 8)], "settings": [None, {"credit.eq-prop.beta": 0.2}]}, cv=2)
    assert search.fit(X, Y).best_score_ > 0.8
    assert BaggingRegressor(small(), 3, random_state=0).fit(X, Y[:, 0]).score(X, Y[:, 0]) > 0.9
    scaled = TransformedTargetRegressor(small(), transformer=StandardScaler()).fit(X, Y).predict(X)
    assert np.allclose(scaled, small().fit(X, Y).predict(X), atol=1e-3), "targets are scaled anyway"
