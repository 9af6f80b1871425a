"""scikit-learn's estimators: `BoutonClassifier` and `BoutonRegressor`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from bouton._bouton import Network, Recipe
from bouton.errors import RecipeError, ShapeError

OWN = {"name": "the estimator", "seed": "random_state", "task": "X and y", "network.layers": "hidden"}
# A recipe's task says here what goes in and comes out only: samples are those of X and y.
SAMPLES = {"train": 1, "test": 1, "batch": 1, "epochs": 1}


class _Estimator(BaseEstimator):
    """A settling network over scaled inputs: its parameters, and learning in batches of random order."""

    _neuron: dict[str, str]

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

    def _task(self, features: int, outputs: int) -> dict[str, Any]:
        """A task of so many inputs and outputs."""
        raise NotImplementedError

    def _recipe(self, features: int, outputs: int, seed: int) -> Recipe:
        recipe = Recipe({
            "name": "sklearn",
            "seed": seed,
            "task": self._task(features, outputs),
            "network": {"layers": [features, *map(int, self.hidden), outputs]},
            "neuron": {"settle": self._neuron},
            "credit": {"eq-prop": {"beta": 0.5, "nudge": "symmetric", "free-steps": 30, "nudged-steps": 10}},
            "solver": {"even-odd": {"tolerance": 1e-4}},
            "optim": {"adam": {"lr": 0.005}},
        })
        return Recipe(recipe, **(self.settings or {}))

    def _start(self, features: int, outputs: int) -> None:
        self._random = check_random_state(self.random_state)
        self.scaler_ = StandardScaler()
        self.network_ = Network(self._recipe(features, outputs, int(self._random.randint(2**31))))
        self.n_iter_ = 0

    def _learn(self, X: Any, targets: Any, epochs: int) -> None:
        """Goes through the data that often; `targets` are what the network takes."""
        X = self._scaled(X)
        for _ in range(epochs):
            for rows in np.array_split(self._random.permutation(len(X)), -(-len(X) // self.batch)):
                self.network_.step(X[rows], targets[rows])
        self.n_iter_ += epochs

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.network_.forward(self._scaled(X))

    def _scaled(self, X: Any) -> Any:
        # Far outliers saturate every unit anyway.
        return np.clip(self.scaler_.transform(X), -1e3, 1e3).astype(np.float32)


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


def _temperature(network: Network) -> float:
    """That of the softmax: the learned one, or the recipe's."""
    learned = network.weights.get("objective.temperature")
    if learned is not None:
        return float(learned[0, 0])
    fixed: float = json.loads(network.recipe.to_json())["objective"]["softmax-cross-entropy"].get("temperature", 1.0)
    return fixed


class BoutonClassifier(ClassifierMixin, _Estimator):
    """A settling network of one or more hidden layers, trained by equilibrium propagation unless told otherwise.

    Inputs are scaled to mean 0 and standard deviation 1; `partial_fit` scales by all data seen so far. `settings` are
    overrides of the recipe, such as `{"credit.eq-prop.beta": 0.2}`, `{"optim": {"adam": {"lr": 1e-3}}}` or
    `{"credit": {"bptt": {"steps": 30}}, "solver": {"synchronous": {}}}`. There is `predict_proba` with
    `{"objective": {"softmax-cross-entropy": {}}}`, where the outputs are logits: the softmax of outputs/temperature.
    Outputs trained by the default, squared error, are scores in no such scale.
    """

    _neuron = {"activation": "shifted-sigmoid"}

    def fit(self, X: Any, y: Any) -> BoutonClassifier:
        """Learns from scratch."""
        self._check()
        X, y = validate_data(self, X, y, dtype=np.float64)
        self._begin(X, y, unique_labels(y))
        self._go_on(X, y, self.epochs)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> BoutonClassifier:
        """Goes once through more data; the first call needs `classes` if `y` does not show all of them."""
        self._check()
        first = not hasattr(self, "network_")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        if first:
            if classes is None and len(unique_labels(y)) < 2:
                raise ValueError("y shows one class only: the first partial_fit needs classes=[…], all that there are")
            self._begin(X, y, unique_labels(y) if classes is None else np.unique(classes))
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes {list(np.unique(classes))} are not those of the first call, {list(self.classes_)}")
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"labels {list(unknown)} are not in classes {list(self.classes_)}")
        self._go_on(X, y, 1)
        return self

    def decision_function(self, X: Any) -> Any:
        """The outputs, (samples, classes); of two classes, the second one's minus the first one's, (samples,)."""
        outputs = self._outputs(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    @available_if(_probable)
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes: the softmax of the outputs by their temperature, if that is the objective's link."""
        outputs = self._outputs(X).astype(np.float64) / _temperature(self.network_)
        scores = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        """The class with the largest output."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def _task(self, features: int, outputs: int) -> dict[str, Any]:
        return {"synthetic": {"shape": [1, 1, features], "classes": outputs, **SAMPLES}}

    def _begin(self, X: Any, y: Any, classes: Any) -> None:
        check_classification_targets(y)
        if len(classes) < 2:
            raise ValueError(f"BoutonClassifier needs two classes, but the data holds {len(classes)} class")
        if len(classes) > 256:
            raise ValueError(f"BoutonClassifier takes up to 256 classes, not {len(classes)}")
        self.classes_ = classes
        self._start(X.shape[1], len(classes))

    def _go_on(self, X: Any, y: Any, epochs: int) -> None:
        self.scaler_.partial_fit(X)
        self._learn(X, np.searchsorted(self.classes_, y), epochs)


class BoutonRegressor(MultiOutputMixin, RegressorMixin, _Estimator):
    """A settling network with linear outputs, trained by equilibrium propagation unless told otherwise.

    Inputs and targets are scaled to mean 0 and standard deviation 1, and predictions scaled back; `partial_fit` scales by all
    data seen so far. Targets are (samples,) or (samples, outputs), and predictions have the same number of axes. `settings`
    are overrides of the recipe, as in `BoutonClassifier`.
    """

    _neuron = {"activation": "tanh", "output": "linear"}

    def fit(self, X: Any, y: Any) -> BoutonRegressor:
        """Learns from scratch."""
        self._go_on(X, y, self.epochs, first=True)
        return self

    def partial_fit(self, X: Any, y: Any) -> BoutonRegressor:
        """Goes once through more data."""
        self._go_on(X, y, 1, first=not hasattr(self, "network_"))
        return self

    def predict(self, X: Any) -> Any:
        """The outputs on the scale of the targets."""
        outputs = self._outputs(X)
        scaler = self.target_scaler_
        # Not the scaler's own way back, which would let outputs for targets that never vary stray from them.
        predictions = outputs * np.sqrt(scaler.var_) + scaler.mean_
        return predictions[:, 0] if self._flat else predictions

    def _task(self, features: int, outputs: int) -> dict[str, Any]:
        return {"teacher": {"inputs": features, "outputs": outputs, "rule": {"committee": {"units": 1}}, **SAMPLES}}

    def _go_on(self, X: Any, y: Any, epochs: int, first: bool) -> None:
        self._check()
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, reset=first)
        y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
        targets = y.reshape(len(y), -1)
        if first:
            self._start(X.shape[1], targets.shape[1])
            self.target_scaler_, self._flat = StandardScaler(), y.ndim == 1
        elif targets.shape[1] != self.target_scaler_.n_features_in_:
            raise ShapeError(
                f"y has {targets.shape[1]} outputs, that of the first call had {self.target_scaler_.n_features_in_}",
                "fit() learns from scratch",
            )
        self.scaler_.partial_fit(X)
        self._learn(X, self.target_scaler_.partial_fit(targets).transform(targets), epochs)


def _count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
