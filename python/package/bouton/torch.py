"""A bouton network inside a PyTorch model: its backward is bouton's credit rule.

Gradients come from equilibrium propagation, backpropagation through time, … as the recipe says, for whatever loss the rest
of the model ends in. Plain weights live in `torch.nn.Parameter`s, so that any PyTorch optimiser trains them; synapses that
decide for themselves how to take an update (binary, metaplastic, resistive) stay in bouton and learn by `Block.step`.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from bouton._bouton import Network, Recipe
from bouton.errors import RecipeError, ShapeError


class Block(nn.Module):
    """The network of `recipe` as a module from (samples, features), or images (samples, channels, height, width) where
    the network begins with one, to (samples, outputs).

    `updates` says who changes its weights: "torch" (a PyTorch optimiser, for plain synapses) or "bouton" (`step`, with the
    optimiser and the synapses of the recipe, which are part of this module's `state_dict`). `forward` answers as the
    network does in evaluation: no dropout, running statistics. Computes on the CPU in the precision of the recipe; tensors
    of other devices and types are converted and converted back. Dots in parameter names become underscores, as PyTorch
    wants it.
    """

    def __init__(
        self,
        recipe: Recipe | str | os.PathLike[str] | dict[str, Any],
        updates: Literal["torch", "bouton"] = "torch",
        **overrides: Any,
    ) -> None:
        super().__init__()
        self.network = Network(Recipe(recipe, **overrides))
        self.names: list[str] = []
        self.pending: list[tuple[Any, Any]] = []
        if updates not in ("torch", "bouton"):
            raise RecipeError(f"updates is {updates!r}", "choose \"torch\" or \"bouton\"")
        if updates == "torch" and not self.network.plain:
            raise RecipeError(
                "the synapses decide how to take an update, which a PyTorch optimiser would go around",
                'pass updates="bouton" and call step() after backward()',
            )
        if updates == "bouton":
            # Autograd only goes back through functions of something that wants a gradient.
            dtype = torch.from_numpy(next(iter(self.network.weights.values()))).dtype
            self.register_parameter("origin", nn.Parameter(torch.zeros((), dtype=dtype)))
            return
        for name, values in self.network.weights.items():
            self.names.append(name)
            self.register_parameter(_plain(name), nn.Parameter(torch.from_numpy(np.array(values))))

    def step(self, rate: float = 1.0) -> None:
        """Learns from every backward pass since the last step; `rate` is a factor on the learning rates."""
        for x, g in self.pending:
            self.network.learn(x, g, rate)
        self.pending.clear()

    def get_extra_state(self) -> dict[str, Any]:
        """What bouton keeps: weights, hidden weights, optimiser."""
        if self.names:
            return {}
        state = self.network.state_dict()
        return {k: v if isinstance(v, int) else torch.from_numpy(np.array(v)) for k, v in state.items()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Goes back to what `get_extra_state` gave."""
        if state:
            self.network.load_state_dict({k: v if isinstance(v, int) else v.numpy() for k, v in state.items()})

    @property
    def dtype(self) -> torch.dtype:
        """Number type of weights and states."""
        return next(self.parameters()).dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The outputs after the free phase."""
        parameters = [getattr(self, _plain(name)) for name in self.names] or [self.origin]
        out: torch.Tensor = _Learn.apply(self, x, *parameters)
        return out

    def load(self, model: nn.Sequential) -> Block:
        """Takes the weights of the `nn.Linear` and `nn.Conv2d` layers of a plain model, from the input to the output."""
        if not self.names:
            raise RecipeError("the weights of this block stay in bouton", "set them with block.network.set_weights")
        layers = [m for m in model if isinstance(m, (nn.Linear, nn.Conv2d))]
        weights = [n for n in self.names if n.endswith(".weight")]
        if len(layers) != len(weights):
            raise ShapeError(f"the model has {len(layers)} layers with weights, the network {len(weights)} connections")
        new: dict[str, torch.Tensor] = {}
        for name, layer in zip(weights, layers):
            pre, post = name.removesuffix(".weight").split("-")[:2]
            new[name] = self._rows(layer, pre)
            bias = post + ".bias"
            if bias in self.names:
                zero = torch.zeros(len(layer.weight))
                new[bias] = (zero if layer.bias is None else layer.bias.detach()).reshape(1, -1)
        for name, values in new.items():
            mine = getattr(self, _plain(name))
            if mine.shape != values.shape:
                raise ShapeError(f"{name} has shape {tuple(mine.shape)}, the model's layer {tuple(values.shape)}")
        with torch.no_grad():
            for name, values in new.items():
                getattr(self, _plain(name)).copy_(values)
        return self

    def _rows(self, layer: nn.Linear | nn.Conv2d, pre: str) -> torch.Tensor:
        """The weight in bouton's order: filters as rows, columns behind an image channel last."""
        weight = layer.weight.detach()
        places = self.network.shapes[pre]
        if isinstance(layer, nn.Linear) and places[1] * places[2] > 1 and weight.shape[1] == np.prod(places):
            weight = weight.reshape(len(weight), *places).permute(0, 2, 3, 1)
        return weight.reshape(len(weight), -1)

    def extra_repr(self) -> str:
        """What `print` says."""
        return repr(self.network)


def _plain(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


class _Learn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, block: Block, x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        block.network.set_weights({n: _array(p) for n, p in zip(block.names, parameters)})
        ctx.block = block
        ctx.save_for_backward(x, *parameters)
        out = torch.from_numpy(block.network.forward(_array(x, block.dtype)))
        return out.to(device=x.device, dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[Any, ...]:
        x, *parameters = ctx.saved_tensors
        block = ctx.block
        block.network.set_weights({n: _array(p) for n, p in zip(block.names, parameters)})
        inside, error = _array(x, block.dtype), _array(g, block.dtype)
        gradients, gx = block.network.backward(inside, error)
        if not block.names:
            block.pending.append((inside, error))
            return None, torch.from_numpy(gx).to(x), torch.zeros_like(block.origin)
        back = [torch.from_numpy(gradients[n]).to(p) for n, p in zip(block.names, parameters)]
        return None, torch.from_numpy(gx).to(x), *back


def _array(tensor: torch.Tensor, dtype: torch.dtype | None = None) -> Any:
    return tensor.detach().to(device="cpu", dtype=dtype or tensor.dtype).numpy()
