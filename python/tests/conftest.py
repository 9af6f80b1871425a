"""Shared recipes and data."""

import numpy as np
import pytest

import bouton

SMALL = {
    "task": {"digits": {"batch": 20, "epochs": 1}},
    "network": {"layers": [64, 16, 12, 10]},
    "neuron": {"settle": {"activation": "shifted-sigmoid"}},
    "credit": {"eq-prop": {"beta": 0.1, "nudge": "symmetric", "free-steps": 40, "nudged-steps": 10}},
    "optim": {"sgd": {"lr": 0.1}},
}


@pytest.fixture
def recipe() -> bouton.Recipe:
    return bouton.Recipe(SMALL, seed=3)


@pytest.fixture
def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.random((9, 64), dtype=np.float32), rng.integers(0, 10, 9)
