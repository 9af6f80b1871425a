"""A bouton network inside a PyTorch model: its backward is bouton's credit rule.

Weights live in `torch.nn.Parameter`s, so that any PyTorch optimiser trains them; gradients come from equilibrium
propagation, backpropagation through time, … as the recipe says, for whatever loss the rest of the model ends in.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import nn

from bouton._bouton import Network, Recipe
from bouton.errors import ShapeError


class Block(nn.Module):
    """The network of `recipe` as a module from (samples, features) to (samples, outputs).

    Computes on the CPU in the precision of the recipe; tensors of other devices and types are converted and converted
    back. Dots in parameter names become underscores, as PyTorch wants it.
    """

    def __init__(self, recipe: Recipe | str | os.PathLike[str] | dict[str, Any], **overrides: Any) -> None:
        super().__init__()
        self.network = Network(Recipe(recipe, **overrides))
        self.names: list[str] = []
        for name, values in self.network.weights.items():
            self.names.append(name)
            self.register_parameter(_plain(name), nn.Parameter(torch.from_numpy(np.array(values))))

    @property
    def dtype(self) -> torch.dtype:
        """Number type of weights and states."""
        return next(self.parameters()).dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The outputs after the free phase."""
        parameters = [getattr(self, _plain(name)) for name in self.names]
        out: torch.Tensor = _Learn.apply(self, x, *parameters)
        return out

    def load(self, model: nn.Sequential) -> Block:
        """Takes the weights of the `nn.Linear` layers of a plain model, from the input to the output."""
        linear = [m for m in model if isinstance(m, nn.Linear)]
        weights = [n for n in self.names if n.endswith(".weight")]
        if len(linear) != len(weights):
            raise ShapeError(f"the model has {len(linear)} linear layers, the network {len(weights)} connections")
        new: dict[str, torch.Tensor] = {}
        for name, layer in zip(weights, linear):
            new[name] = layer.weight.detach()
            bias = name.removesuffix(".weight").split("-")[-1] + ".bias"
            if bias in self.names:
                zero = torch.zeros(layer.out_features)
                new[bias] = (zero if layer.bias is None else layer.bias.detach()).reshape(1, -1)
        for name, values in new.items():
            mine = getattr(self, _plain(name))
            if mine.shape != values.shape:
                raise ShapeError(f"{name} has shape {tuple(mine.shape)}, the model's layer {tuple(values.shape)}")
        with torch.no_grad():
            for name, values in new.items():
                getattr(self, _plain(name)).copy_(values)
        return self

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
        gradients, gx = block.network.backward(_array(x, block.dtype), _array(g, block.dtype))
        back = [torch.from_numpy(gradients[n]).to(p) for n, p in zip(block.names, parameters)]
        return None, torch.from_numpy(gx).to(x), *back


def _array(tensor: torch.Tensor, dtype: torch.dtype | None = None) -> Any:
    return tensor.detach().to(device="cpu", dtype=dtype or tensor.dtype).numpy()
