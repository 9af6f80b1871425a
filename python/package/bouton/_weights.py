"""Weights of other programs: a `state_dict` of PyTorch, or a `.safetensors` file, as those of a network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bouton import _tensors
from bouton._bouton import Network, Recipe
from bouton.errors import CheckpointError, DataError, RecipeError, ShapeError

Array = np.ndarray[Any, Any]
State = Mapping[str, Any] | str | os.PathLike[str]


def from_state_dict(
    recipe: Recipe | str | os.PathLike[str] | dict[str, Any],
    state: State,
    map: Mapping[str, str] | None = None,
) -> Network:
    """The network of `recipe` with the weights of a PyTorch model: its `state_dict()`, of tensors or NumPy arrays, or a `.safetensors` file.

    Layers are taken in their order: weights of `Linear` [out, in] and `Conv2d` [out, in, height, width] become those of the connections,
    their biases those of the units behind them, and `BatchNorm` or `LayerNorm` gain, bias and running statistics of normalised units. A
    bias before a normalisation goes into its mean. Where the order is another one, `map` names entries by hand:
    `{"hidden1-output.weight": "head.weight"}`. A file keeps no order: there it is that of the names, 2 before 10. Every entry is used, and every number of the network is set; a layer without a bias has
    biases of zero.
    """
    network = Network(recipe)
    if not network.plain:
        raise RecipeError("these synapses keep more than a weight", "begin with plain synapses, or set_weights with all of their states")
    entries = _tensors.read(state) if isinstance(state, (str, os.PathLike)) else _arrays(state)
    network.set_weights(_Match(network, entries, dict(map or {})).matched())
    return network


def save_weights(network: Network, path: str | os.PathLike[str]) -> None:
    """Writes what `network` has learned as a `.safetensors` file, for `bouton run RECIPE --from FILE` (`run.from`)."""
    _tensors.write(Path(path), _learned(network))


def start(recipe: Recipe, weights: Network | State, out: Path) -> Recipe:
    """`recipe` beginning with `weights`, which are kept below `out` under the checksum of what is in them."""
    network = weights if isinstance(weights, Network) else from_state_dict(recipe, weights)
    content = _tensors.content(_learned(network))
    path = out.absolute() / "data" / f"weights-{hashlib.sha256(content).hexdigest()[:16]}.safetensors"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _tensors.write(path, _learned(network))
    return recipe.replace(run__from=str(path))


def _learned(network: Network) -> dict[str, Array]:
    """Every number and state of a network by its name in checkpoints; counters are none."""
    return {k: v for k, v in network.state_dict().items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}


def _arrays(state: Mapping[str, Any]) -> dict[str, Array]:
    """The entries of a state as arrays of floating-point numbers; counters are left out."""
    if not isinstance(state, Mapping):
        raise DataError(f"the state is a {type(state).__name__}", "pass model.state_dict(), or the path of a .safetensors file")
    return {str(k): _array(k, v) for k, v in state.items() if not str(k).endswith("num_batches_tracked")}


def _array(name: Any, value: Any) -> Array:
    """An entry as an array. Tensors are asked by what they have in common, so that PyTorch need not be there."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            # NumPy has no bfloat16.
            value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
        found = np.asarray(value)
    except Exception as e:
        raise DataError(f"{name} cannot be read as an array: {e}", "pass tensors or NumPy arrays of numbers") from e
    if found.dtype.kind != "f":
        raise DataError(f"{name} is an array of {found.dtype}", "pass floating-point numbers: x.float()")
    return found


#: What parts of normalised units are called in the state of a normalisation.
_PARTS = {"gain": "weight", "bias": "bias", "norm.mean": "running_mean", "norm.variance": "running_var"}
_OTHER_LAYERS = "use a recipe with the layers of the model, or name entries by hand: map={\"hidden1-output.weight\": \"head.weight\"}"


class _Match:
    """The entries of a state on the way to the names of a network."""

    def __init__(self, network: Network, entries: dict[str, Array], by_hand: dict[str, str]) -> None:
        self.shapes = network.shapes
        state, own = network.state_dict(), tuple(f"{name}.norm." for name in self.shapes)
        self.known = {k: state[k].shape for k in state if k in network.weights or k.startswith(own)}
        plan = network.recipe.plan()["connections"]
        self.connections = {f"{c['name']}.weight": c for c in plan if c["carries"] != "errors" and f"{c['name']}.weight" in self.known}
        # Not what a model knows nothing of: the objective's own numbers, weights that lead back, numbers of units' own.
        self.wanted = [*self.connections, *(f"{p}.{part}" for p in self.shapes for part in _PARTS if f"{p}.{part}" in self.known)]
        self.normalised = [p for p in self.shapes if any(f"{p}.{part}" in self.known for part in ("gain", "norm.mean"))]
        self.entries, self.left = entries, dict.fromkeys(entries)
        self.new: dict[str, Array] = {}
        for name, entry in by_hand.items():
            self._by_hand(name, entry)

    def matched(self) -> dict[str, Array]:
        """What every number of the network becomes."""
        groups = list(dict.fromkeys(name.rpartition(".")[0] for name in self.left))
        layers = [g for g in groups if _in(g, "weight") in self.left and self.entries[_in(g, "weight")].ndim > 1]
        biases = self._layers(layers)
        self._norms([g for g in groups if g not in layers], biases)
        for units, values in biases.items():
            if units in self.normalised and values.any():
                message = f"the bias before the normalisation of {units} has no place: it is no batch normalisation of this state"
                raise CheckpointError(message, "Linear(…, bias=False) has none")
            if units not in self.normalised:
                self._put(f"{units}.bias", values, f"the bias before {units}")
        self.new |= {n: np.zeros(self.known[n]) for n in self.wanted if n.endswith(".bias") and n not in self.new}
        if missing := [name for name in self.wanted if name not in self.new]:
            raise CheckpointError(f"the state has nothing for {', '.join(missing)}", _OTHER_LAYERS)
        if self.left:
            raise CheckpointError(f"the network has no place for {', '.join(self.left)}", _OTHER_LAYERS)
        return self.new

    def _layers(self, layers: list[str]) -> dict[str, Array]:
        """Takes the weights of layers in their order; returns the sums of their biases, by the units behind them."""
        biases: dict[str, Array] = {}
        names = [name for name in self.connections if name not in self.new]
        for name, layer in zip(names, layers):
            weight, bias, units = _in(layer, "weight"), _in(layer, "bias"), self.connections[name]["to"]
            self._put(name, self._take(weight), weight)
            if bias in self.left:
                values = self._take(bias)
                biases[units] = _sum(biases[units], values, bias) if units in biases else values
        return biases

    def _norms(self, norms: list[str], biases: dict[str, Array]) -> None:
        """Takes gains, biases and running statistics of normalisations in their order."""
        free = [p for p in self.normalised if not any(f"{p}.{part}" in self.new for part in _PARTS)]
        for units, norm in zip(free, norms):
            for part, other in _PARTS.items():
                name, entry = f"{units}.{part}", _in(norm, other)
                if name not in self.known or entry not in self.left:
                    continue
                values = self._take(entry)
                if part == "norm.mean" and units in biases:
                    # (d + b) − μ is d − (μ − b).
                    values = _sum(values, -biases.pop(units), entry)
                self._put(name, values, entry)

    def _by_hand(self, name: str, entry: str) -> None:
        if name not in self.known:
            raise DataError(f"map: the network has no {name!r}", f"it has {', '.join(self.known)}")
        if entry not in self.entries:
            raise DataError(f"map: the state has no {entry!r}", f"it has {', '.join(self.entries)}")
        self._put(name, self._take(entry), entry)

    def _take(self, entry: str) -> Array:
        self.left.pop(entry, None)
        return self.entries[entry]

    def _put(self, name: str, values: Array, entry: str) -> None:
        """Sets what the network calls `name`: filters are rows, and behind an image channels change fastest."""
        shape = self.known.get(name)
        if shape is None:
            raise CheckpointError(f"the network has no {name} for {entry}", _OTHER_LAYERS)
        if name in self.connections:
            places = self.shapes[self.connections[name]["from"]]
            if values.ndim == 2 and values.shape[1] == int(np.prod(places)):
                values = values.reshape(len(values), *places).transpose(0, 2, 3, 1)
            rows = (*values.shape[:1], int(np.prod(values.shape[1:])))
        else:
            rows = (1, *values.shape) if values.ndim == 1 else values.shape
        if rows != shape:
            hint = "the layers of the model and the recipe differ" if values.ndim != 4 else "filters, channels or kernels differ"
            raise ShapeError(f"{name} has shape {shape}, {entry} {tuple(self.entries.get(entry, values).shape)}", f"{hint}: {_OTHER_LAYERS}")
        if name.endswith(".norm.variance") and (values < 0).any():
            raise DataError(f"{entry} holds negative variances", "the state is damaged: save it again")
        self.new[name] = np.ascontiguousarray(values.reshape(shape), np.float64)


def _in(group: str, part: str) -> str:
    return f"{group}.{part}" if group else part


def _sum(a: Array, b: Array, entry: str) -> Array:
    if a.shape != b.shape:
        raise ShapeError(f"{entry} has shape {b.shape}, what it is added to {a.shape}", _OTHER_LAYERS)
    return np.asarray(a + b)
