"""Brain-inspired learning, put together from free choices: neuron, wiring, credit, synapse."""

from __future__ import annotations

from bouton._bouton import Network, Packed, Recipe, __version__
from bouton._check import Findings, check
from bouton._experiment import Experiment, Run, runs
from bouton._weights import from_state_dict, save_weights
from bouton.errors import (
    BoutonError,
    CheckpointError,
    DataError,
    DataMissingError,
    DivergedError,
    RecipeError,
    ShapeError,
)

__all__ = [
    "BoutonError",
    "CheckpointError",
    "DataError",
    "DataMissingError",
    "DivergedError",
    "Experiment",
    "Findings",
    "Network",
    "Packed",
    "Recipe",
    "RecipeError",
    "Run",
    "ShapeError",
    "__version__",
    "check",
    "from_state_dict",
    "runs",
    "save_weights",
]
