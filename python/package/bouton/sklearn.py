"""A scikit-learn classifier: `fit`, `partial_fit`, `predict`, `decision_function`, `predict_proba`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from bouton._bouton import Network, Recipe
from bouton.errors import RecipeError

OWN = {"name": "the estimator", "seed": "random_state", "task": "X and y", "network.layers": "hidden"}


def _probable(model: BoutonClassifier) -> bool:
    """Whether the objective is a likelihood, so that outputs stand for probabilities."""
    try:
        recipe = model.network_.recipe if hasattr(model, "network_") else model._recipe(1, 2, 0)
    except (TypeError, ValueError):
        return False  # fit() says what is wrong
    if "softmax-cross-entropy" in json.loads(recipe.to_json())["objective"]:
        return True
    raise AttributeError(
        "outputs of this objective are scores, not probabilities: use decision_function, wrap the classifier in "
        'CalibratedClassifierCV, or pass settings={"objective": {"softmax-cross-entropy": {}}}'
    )


class BoutonClassifier(ClassifierMixin, BaseEstimator):
    """A settling network of one or more hidden layers, trained by equilibrium propagation unless told otherwise.

    Inputs are scaled to mean 0 and standard deviation 1; `partial_fit` scales by all data seen so far. `settings` are
    overrides of the recipe, such as `{"credit.eq-prop.beta": 0.2}`, `{"credit": {"bptt": {"steps": 30}}}` or
    `{"optim": {"adam": {"lr": 1e-3}}}`. There is `predict_proba` with `{"objective": {"softmax-cross-entropy": {}}}`, where the
    outputs are logits: their softmax. Outputs trained by the default, squared error, are scores in no such scale.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64,),
        epochs: int = 60,
        batch: int = 20,
        settings: dict[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.epochs = epochs
        self.batch = batch
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> BoutonClassifier:
        """Learns from scratch."""
        self._check()
        X, y = validate_data(self, X, y, dtype=np.float64)
        self._start(X, y, unique_labels(y))
        self.scaler_.fit(X)
        for _ in range(self.epochs):
            self._epoch(X, y)
        self.n_iter_ = self.epochs
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> BoutonClassifier:
        """Goes once through more data; the first call needs `classes` if `y` does not show all of them."""
        self._check()
        first = not hasattr(self, "network_")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        if first:
            if classes is None and len(unique_labels(y)) < 2:
                raise ValueError("y shows one class only: the first partial_fit needs classes=[…], all that there are")
            self._start(X, y, unique_labels(y) if classes is None else np.unique(classes))
            self.n_iter_ = 0
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes {list(np.unique(classes))} are not those of the first call, {list(self.classes_)}")
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"labels {list(unknown)} are not in classes {list(self.classes_)}")
        self.scaler_.partial_fit(X)
        self._epoch(X, y)
        self.n_iter_ += 1
        return self

    def decision_function(self, X: Any) -> Any:
        """The outputs, (samples, classes); of two classes, the second one's minus the first one's, (samples,)."""
        outputs = self._outputs(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    @available_if(_probable)
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes: the softmax of the outputs, for objectives of which that is the link."""
        outputs = self._outputs(X).astype(np.float64)
        scores = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        """The class with the largest output."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def _check(self) -> None:
        """Parameters as strictly as keys of a recipe."""
        for name in ("epochs", "batch"):
            value = getattr(self, name)
            if not _count(value):
                raise RecipeError(f"{name} is {value!r}", "pass a whole number of at least 1")
        if not isinstance(self.hidden, Iterable) or isinstance(self.hidden, (str, bytes)):
            raise RecipeError(f"hidden is {self.hidden!r}", f"pass the sizes of the hidden layers, as in hidden=({self.hidden},)")
        if not all(map(_count, self.hidden)):
            raise RecipeError(f"hidden is {self.hidden!r}", "sizes of layers are whole numbers of at least 1")
        if self.settings is not None and not isinstance(self.settings, Mapping):
            raise RecipeError(f"settings is {self.settings!r}", 'pass a dict of overrides, {"credit.eq-prop.beta": 0.2}')
        for key, value in (self.settings or {}).items():
            if not isinstance(key, str):
                raise RecipeError(f"settings has the key {key!r}", 'keys are those of recipes, as in "credit.eq-prop.beta"')
            plain = key.replace("__", ".").replace("_", "-")
            taken = [own for own in OWN if plain == own or plain.startswith(own + ".") or own.startswith(plain + ".")]
            if taken and (plain != "network" or "layers" in value):
                raise RecipeError(f"settings has {key!r}", f"{taken[0]} comes from {OWN[taken[0]]}")

    def _recipe(self, features: int, classes: int, seed: int) -> Recipe:
        recipe = Recipe({
            "name": "sklearn",
            "seed": seed,
            "task": {"synthetic": {"shape": [1, 1, features], "classes": classes, "train": 1, "test": 1,
                                   "batch": 1, "epochs": 1}},
            "network": {"layers": [features, *map(int, self.hidden), classes]},
            "neuron": {"settle": {"activation": "shifted-sigmoid"}},
            "credit": {"eq-prop": {"beta": 0.5, "nudge": "symmetric", "free-steps": 30, "nudged-steps": 10}},
            "solver": {"even-odd": {"tolerance": 1e-4}},
            "optim": {"adam": {"lr": 0.005}},
        })
        return Recipe(recipe, **(self.settings or {}))

    def _start(self, X: Any, y: Any, classes: Any) -> None:
        check_classification_targets(y)
        if len(classes) < 2:
            raise ValueError(f"BoutonClassifier needs two classes, but the data holds {len(classes)} class")
        if len(classes) > 256:
            raise ValueError(f"BoutonClassifier takes up to 256 classes, not {len(classes)}")
        self.classes_ = classes
        self._random = check_random_state(self.random_state)
        self.scaler_ = StandardScaler()
        self.network_ = Network(self._recipe(X.shape[1], len(classes), int(self._random.randint(2**31))))

    def _epoch(self, X: Any, y: Any) -> None:
        X, labels = self._scaled(X), np.searchsorted(self.classes_, y)
        for rows in np.array_split(self._random.permutation(len(X)), -(-len(X) // self.batch)):
            self.network_.step(X[rows], labels[rows])

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.network_.forward(self._scaled(X))

    def _scaled(self, X: Any) -> Any:
        # Far outliers saturate every unit anyway.
        return np.clip(self.scaler_.transform(X), -1e3, 1e3).astype(np.float32)


def _count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
