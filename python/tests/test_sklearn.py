"""The classifier by scikit-learn's own rules, and by those that `check_estimator` leaves out.

| # | contract | test |
|---|---|---|
| 1 | `check_estimator`, for scores and for probabilities | test_scikit_learns_own_checks |
| 2 | predict_proba is the link of the objective, sums to 1 and has its largest value where predict is | test_probabilities_are_the_softmax_of_the_outputs |
| 3 | where the objective has no such link there is no predict_proba, and the error says what to use | test_scores_are_not_called_probabilities |
| 4 | decision_function has one column a class, of two classes one number, and agrees with predict | test_decisions |
| 5 | parameters are checked in fit and partial_fit, never in __init__ or set_params, and name the value | test_parameters |
| 6 | settings cannot go around the estimator's own parameters and data; a misspelt one is an error | test_settings |
| 7 | clone and get_params give the parameters back untouched | test_clones |
| 8 | equal random_state, equal bits; a RandomState goes on | test_random_states |
| 9 | labels of any kind, classes_ sorted | test_digits |
| 10 | partial_fit does not depend on what came first: scaling follows all data | test_partial_fit_scales_by_all_that_it_saw |
| 11 | partial_fit keeps to the classes of its first call | test_partial_fit_learns |
| 12 | pickle, deepcopy: the same predictions and the same bits when learning goes on | test_copies_go_on |
| 13 | pipelines, searches, calibration and ensembles take it | test_inside_others |
| 14 | no batch is larger than `batch` | test_batches |
| 15 | predict_proba is by the temperature of the objective, fixed or learned: its log loss is the network's loss | test_probabilities_know_the_temperature |
"""

import copy
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from bouton.errors import RecipeError
from bouton.sklearn import BoutonClassifier

SOFTMAX = {"objective": {"softmax-cross-entropy": {}}}
RNG = np.random.default_rng(0)
X3 = np.concatenate([RNG.normal(c, 1.0, (30, 4)) for c in (-1, 0, 2)])[(order := RNG.permutation(90))]
Y3 = np.repeat([0, 1, 2], 30)[order]


def small(**parameters):
    return BoutonClassifier(**{"hidden": (6,), "epochs": 3, "random_state": 0, **parameters})


@parametrize_with_checks([
    BoutonClassifier(hidden=(32,), epochs=80, random_state=0),
    BoutonClassifier(hidden=(8,), epochs=60, random_state=0, settings=SOFTMAX | {"neuron": {"relu": {}}, "credit": {"backprop": {}}, "solver": {"synchronous": {}}}),
])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_digits():
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X, y, random_state=0)
    words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    model = BoutonClassifier(epochs=20, random_state=1).fit(a, words[c])
    assert model.score(b, words[d]) > 0.95
    assert list(model.classes_) == sorted(words)


def test_partial_fit_learns():
    X, y = load_digits(return_X_y=True)
    model = BoutonClassifier(random_state=1)
    for _ in range(10):
        model.partial_fit(X[:1200], y[:1200], classes=range(10))
    assert model.score(X[1200:], y[1200:]) > 0.85
    with pytest.raises(ValueError, match="not in classes"):
        model.partial_fit(X[:2], [10, 11])
    with pytest.raises(ValueError, match="first call"):
        model.partial_fit(X[:2], y[:2], classes=range(9))


def test_probabilities_are_the_softmax_of_the_outputs():
    model = small(settings=SOFTMAX, epochs=40).fit(X3, Y3)
    outputs, p = model.decision_function(X3).astype(float), model.predict_proba(X3)
    assert np.allclose(np.log(p[:, 0] / p[:, 1]), outputs[:, 0] - outputs[:, 1], atol=1e-6)
    assert np.allclose(p.sum(axis=1), 1, atol=1e-12) and (p > 0).all()
    assert (model.classes_[p.argmax(axis=1)] == model.predict(X3)).all()
    assert -np.log(p[np.arange(90), Y3]).mean() < 0.45, "the log loss of three overlapping clouds"
    far = model.predict_proba(RNG.normal(0, 6, (500, 4)))
    assert len(np.unique(far.round(6), axis=0)) > 400, "no two points look alike"


@pytest.mark.parametrize("tau", [{}, {"temperature": 3.0}, {"temperature": 0.5, "learn-temperature": True}])
def test_probabilities_know_the_temperature(tau):
    model = small(settings={"objective": {"softmax-cross-entropy": tau}}, epochs=20).fit(X3, Y3)
    p = model.predict_proba(X3)
    loss = model.network_.evaluate(model.scaler_.transform(X3), Y3)["loss"]
    assert -np.log(p[np.arange(90), Y3]).mean() == pytest.approx(loss, rel=1e-5)


def test_scores_are_not_called_probabilities():
    for model in (small(), small().fit(X3, Y3)):
        assert not hasattr(model, "predict_proba")
        with pytest.raises(AttributeError, match="predict_proba") as e:
            model.predict_proba(X3)
        assert "CalibratedClassifierCV" in str(e.value.__cause__)
    assert hasattr(small(settings=SOFTMAX), "predict_proba")


def test_decisions():
    model = small().fit(X3, Y3)
    assert (model.decision_function(X3).argmax(axis=1) == model.predict(X3)).all()
    two = small().fit(X3, np.where(Y3 > 0, "yes", "no"))
    decision = two.decision_function(X3)
    assert decision.shape == (90,) and (np.where(decision > 0, "yes", "no") == two.predict(X3)).all()


@pytest.mark.parametrize("parameters", [
    {"batch": 0}, {"batch": -3}, {"batch": None}, {"batch": 2.5}, {"batch": True}, {"epochs": 0}, {"epochs": -5}, {"epochs": 2.5},
    {"hidden": 8}, {"hidden": None}, {"hidden": "8"}, {"hidden": (8.0,)}, {"hidden": (0,)}, {"hidden": (8, -1)},
    {"settings": "relu"}, {"settings": 3},
], ids=str)
def test_parameters(parameters):
    (name, value), = parameters.items()
    model = small().set_params(**parameters)
    for learn in (model.fit, model.partial_fit):
        with pytest.raises(RecipeError) as e:
            learn(X3, Y3)
        assert e.value.message == f"{name} is {value!r}" and e.value.hint


def test_settings():
    for settings, hint in [
        ({"seed": 1}, "random_state"), ({"task": {"digits": {}}}, "X and y"), ({"task.synthetic.train": 5}, "X and y"),
        ({"network.layers": [4, 3]}, "hidden"), ({"network__layers": [4, 3]}, "hidden"), ({"network": {"layers": [4, 3]}}, "hidden"),
        ({"optim.adm.lr": 1}, "adam"),
    ]:
        with pytest.raises(RecipeError) as e:
            small(settings=settings).fit(X3, Y3)
        assert hint in str(e.value), settings
    assert small(settings={"credit.eq-prop.beta": 0.2}, hidden=np.array([6])).fit(X3, Y3).network_.recipe.to_toml().count("beta = 0.2") == 1


def test_clones():
    model = small(settings={"optim": {"adam": {"lr": 0.01}}}).fit(X3, Y3)
    again = clone(model)
    assert not hasattr(again, "network_") and again.get_params() == model.get_params()
    assert np.array_equal(again.fit(X3, Y3).decision_function(X3), model.decision_function(X3))


def test_random_states():
    fits = [small(random_state=s).fit(X3, Y3).decision_function(X3) for s in (0, 0, 1)]
    assert np.array_equal(fits[0], fits[1]) and not np.array_equal(fits[0], fits[2])
    state = np.random.RandomState(0)
    a, b = (small(random_state=state).fit(X3, Y3).decision_function(X3) for _ in range(2))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("first", [1, 2, 90])
def test_partial_fit_scales_by_all_that_it_saw(first):
    scales = np.array([1.0, 100.0, 1e4, 1e-3])
    X = X3 * scales + scales
    model = small(hidden=(16,)).partial_fit(X[:first], Y3[:first], classes=[0, 1, 2])
    for _ in range(25):
        for i in range(0, 90, 15):
            model.partial_fit(X[i : i + 15], Y3[i : i + 15])
    assert model.score(X, Y3) > 0.8
    assert np.allclose(model.scaler_.mean_, X.mean(axis=0), rtol=0.1, atol=0.1 * scales)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_go_on(copied):
    model = small().fit(X3, Y3)
    twin = copied(model)
    for _ in range(2):
        assert np.array_equal(model.decision_function(X3), twin.decision_function(X3))
        model.partial_fit(X3, Y3), twin.partial_fit(X3, Y3)


def test_inside_others():
    assert make_pipeline(StandardScaler(), small(epochs=30)).fit(X3, Y3).score(X3, Y3) > 0.6
    search = GridSearchCV(small(), {"hidden": [(4,), (8, 8)], "settings": [None, {"credit.eq-prop.beta": 0.2}]}, cv=2)
    assert search.fit(X3, Y3).best_params_["hidden"] in [(4,), (8, 8)]
    p = CalibratedClassifierCV(small(epochs=30), cv=2).fit(X3, Y3).predict_proba(X3)
    assert np.allclose(p.sum(axis=1), 1)
    voting = VotingClassifier([("a", small(settings=SOFTMAX)), ("b", small(settings=SOFTMAX, hidden=(4,)))], voting="soft")
    assert voting.fit(X3, Y3).predict(X3).shape == (90,)


def test_batches():
    model = small(batch=20)
    model.partial_fit(X3[:39], Y3[:39], classes=[0, 1, 2])
    assert model.network_.updates == 2
    model.partial_fit(X3[:40], Y3[:40])
    assert model.network_.updates == 4


def test_hints_that_can_be_followed():
    X, y = np.random.default_rng(1).random((8, 3)), np.zeros(8, dtype=int)
    with pytest.raises(ValueError, match="settings has the key 1"):
        BoutonClassifier(settings={1: 2}).fit(X, y)
    with pytest.raises(ValueError, match="needs classes="):
        BoutonClassifier().partial_fit(X, y)
