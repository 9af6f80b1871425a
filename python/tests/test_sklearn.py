"""The estimator by scikit-learn's own rules."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from bouton.sklearn import BoutonClassifier


@parametrize_with_checks([BoutonClassifier(hidden=(32,), epochs=80, random_state=0)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_digits():
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X, y, random_state=0)
    words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    model = BoutonClassifier(epochs=20, random_state=1).fit(a, words[c])
    assert model.score(b, words[d]) > 0.95
    assert np.allclose(model.predict_proba(b).sum(axis=1), 1)


def test_partial_fit_learns():
    X, y = load_digits(return_X_y=True)
    model = BoutonClassifier(random_state=1)
    for _ in range(10):
        model.partial_fit(X[:1200], y[:1200], classes=range(10))
    assert model.score(X[1200:], y[1200:]) > 0.85
    with pytest.raises(ValueError, match="not in classes"):
        model.partial_fit(X[:2], [10, 11])
