"""A scikit-learn classifier: `fit`, `partial_fit`, `predict`, `predict_proba`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from bouton._bouton import Network, Recipe


class BoutonClassifier(ClassifierMixin, BaseEstimator):
    """A settling network of one or more hidden layers, trained by equilibrium propagation unless told otherwise.

    Inputs are scaled to mean 0 and standard deviation 1. `settings` are overrides of the recipe, such as
    `{"credit.eq-prop.beta": 0.2}`, `{"credit": {"bptt": {"steps": 30}}}` or `{"optim": {"adam": {"lr": 1e-3}}}`.
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
        X, y = validate_data(self, X, y, dtype=np.float64)
        self._start(X, y, unique_labels(y))
        for _ in range(self.epochs):
            self._epoch(X, y)
        self.n_iter_ = self.epochs
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> BoutonClassifier:
        """Goes once through more data; the first call needs `classes` if `y` does not show all of them."""
        first = not hasattr(self, "network_")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        if first:
            self._start(X, y, unique_labels(y) if classes is None else np.unique(classes))
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"labels {list(unknown)} are not in classes {list(self.classes_)}")
        self._epoch(X, y)
        return self

    def predict_proba(self, X: Any) -> Any:
        """Outputs of every class, made positive and normalised to sum 1."""
        scores = np.clip(self._outputs(X), 1e-6, None)
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        """The class with the largest output."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def _start(self, X: Any, y: Any, classes: Any) -> None:
        check_classification_targets(y)
        self.classes_ = classes
        if len(classes) < 2:
            raise ValueError(f"BoutonClassifier needs two classes, but the data holds {len(classes)} class")
        if len(classes) > 256:
            raise ValueError(f"BoutonClassifier takes up to 256 classes, not {len(classes)}")
        self._random = check_random_state(self.random_state)
        self._mean, self._scale = X.mean(axis=0), X.std(axis=0)
        self._scale[self._scale == 0] = 1
        recipe = Recipe({
            "name": "sklearn",
            "seed": int(self._random.randint(2**31)),
            "task": {"synthetic": {"shape": [1, 1, X.shape[1]], "classes": len(classes), "train": 1, "test": 1,
                                   "batch": 1, "epochs": 1}},
            "network": {"layers": [X.shape[1], *self.hidden, len(classes)]},
            "neuron": {"settle": {"activation": "shifted-sigmoid"}},
            "credit": {"eq-prop": {"beta": 0.5, "nudge": "symmetric", "free-steps": 30, "nudged-steps": 10}},
            "solver": {"even-odd": {"tolerance": 1e-4}},
            "optim": {"adam": {"lr": 0.005}},
        })
        self.network_ = Network(Recipe(recipe, **(self.settings or {})))

    def _epoch(self, X: Any, y: Any) -> None:
        X, labels = self._scaled(X), np.searchsorted(self.classes_, y)
        for rows in np.array_split(self._random.permutation(len(X)), max(1, len(X) // self.batch)):
            self.network_.step(X[rows], labels[rows])

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.network_.forward(self._scaled(X))

    def _scaled(self, X: Any) -> Any:
        # Far outliers saturate every unit anyway.
        return np.clip((X - self._mean) / self._scale, -1e3, 1e3).astype(np.float32)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        network = state.pop("network_", None)
        if network is not None:
            tensors = {k: np.array(v) if hasattr(v, "shape") else v for k, v in network.state_dict().items()}
            state["_saved"] = (network.recipe.to_toml(), tensors)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.pop("_saved", None)
        super().__setstate__(state)
        if saved is not None:
            self.network_ = Network(Recipe(saved[0]))
            self.network_.load_state_dict(saved[1])
