"""A bouton network inside a PyTorch model: its backward is bouton's credit rule.

Gradients come from equilibrium propagation, backpropagation through time, … as the recipe says, for whatever loss the rest
of the model ends in. Weights are `torch.nn.Parameter`s, everything else that lasts is a buffer, so that a block is saved,
copied, moved and frozen as any other module. Plain weights are trained by any PyTorch optimiser; synapses that decide for
themselves how to take an update (binary, metaplastic, resistive) learn by `Block.step`.
"""

from __future__ import annotations

import json
import os
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from bouton._bouton import Network, Recipe
from bouton.errors import RecipeError, ShapeError


class Block(nn.Module):
    """The network of `recipe` as a module from (samples, features), or images (samples, channels, height, width) where
    the network begins with one, to (samples, outputs). Where units move in time x may be (samples, steps, numbers), and where every
    step has an answer (`reading = "each"` with a task that says so) the outputs are (samples, steps, outputs).

    `updates` says who changes its weights: "torch" (a PyTorch optimiser, for plain synapses) or "bouton" (`step`, with the
    optimiser and the synapses of the recipe, whose states are buffers). As with other modules, `train()` and `eval()`
    decide on dropout, noise and the statistics of `norm.batch`; random numbers are those of the recipe's seed and of the
    buffer `passes`, which counts training passes. Computes on the CPU in the precision of the recipe (`dtype`); tensors of
    other devices and floating-point types are converted and converted back. Dots and dashes in names become underscores, as
    PyTorch wants it.
    """

    passes: torch.Tensor

    def __init__(
        self,
        recipe: Recipe | str | os.PathLike[str] | dict[str, Any],
        updates: Literal["torch", "bouton"] = "torch",
        **overrides: Any,
    ) -> None:
        super().__init__()
        if updates not in ("torch", "bouton"):
            raise RecipeError(f"updates is {updates!r}", "choose \"torch\" or \"bouton\"")
        self.network = Network(Recipe(recipe, **overrides))
        self.by_torch = updates == "torch"
        # The loss is somebody else's, and the recipe's objective with what it learns itself has no part in it.
        weights = {name: w for name, w in self.network.weights.items() if not name.startswith("objective.")}
        state = self.network.state_dict()
        self._refuse(state)
        self.dtype = torch.from_numpy(next(iter(weights.values()))).dtype
        self.names = {_plain(name): name for name in weights}
        for name in weights:
            self.register_parameter(_plain(name), nn.Parameter(torch.from_numpy(np.array(weights[name]))))
        kept = [n for n in state if n not in weights and (".norm." in n or not self.by_torch)]
        self.kept = {_plain(name): name for name in kept}
        for name in kept:
            self.register_buffer(_plain(name), torch.from_numpy(np.array(state[name])))
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))
        self._left: list[int] | None = self._versions()
        self.register_load_state_dict_post_hook(_loaded)

    def _refuse(self, state: dict[str, Any]) -> None:
        if self.by_torch and not self.network.plain:
            raise RecipeError(
                "the synapses decide how to take an update, which a PyTorch optimiser would go around",
                'pass updates="bouton" and call step() after backward()',
            )
        if self.by_torch and "update" in json.loads(self.network.recipe.to_json()):
            raise RecipeError(
                "[update] clips gradients and paces the updates of bouton's optimiser, which a PyTorch optimiser does not ask",
                'leave it out and use torch.nn.utils.clip_grad_norm_ and a scheduler, or pass updates="bouton"',
            )
        if any(name.startswith("memory.") for name in state):
            raise RecipeError(
                "credit.eq-prop.start remembers states between updates, but a block begins every pass from rest",
                'use credit.eq-prop.start = "zero"',
            )
        if not self.by_torch:
            try:
                Network(self.network.recipe).apply({}, rate=0.0, epoch=0)
            except RecipeError as e:
                raise RecipeError(e.message, "learn by bouton.Network, which is told of tasks") from None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The outputs after the free phase; a training pass is the next one, an evaluation changes nothing."""
        if not x.is_floating_point():
            raise TypeError(f"x is a tensor of {x.dtype}, but a block takes floating-point numbers: pass x.float()")
        draw = int(self.passes) if self.training else None
        parameters = [getattr(self, name) for name in self.names]
        out: torch.Tensor = _Learn.apply(self, draw, x, *parameters)
        if self.training:
            self.passes += 1
        return out

    @torch.no_grad()
    def start(self, samples: int) -> dict[str, torch.Tensor]:
        """Where `samples` sequences are before their first step, for `stream`."""
        self._sync()
        return {name: torch.from_numpy(values.copy()) for name, values in self.network.start(samples).items()}

    def stream(
        self, x: torch.Tensor, state: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The next step, x (samples, numbers), or steps, x (steps, samples, numbers), behind any encoder: outputs of every step and
        the state after them. Nothing goes back through single steps, so x needs no gradient; whole sequences learn by `forward`."""
        if torch.is_grad_enabled() and x.requires_grad:
            raise RuntimeError("nothing goes back through stream(): pass x.detach(), or whole sequences to forward()")
        self._sync()
        with torch.no_grad():
            out, after = self.network.stream(self._array(x), {name: self._array(s) for name, s in state.items()})
        return torch.from_numpy(out).to(x), {name: torch.from_numpy(values.copy()) for name, values in after.items()}

    @torch.no_grad()
    def step(self, rate: float = 1.0, epoch: int | None = None) -> None:
        """One update by what the backward passes since the last one added to the gradients, which are cleared; `rate` is
        a factor on the learning rates, `epoch` is for schedules. Without gradients nothing happens."""
        if self.by_torch:
            raise RecipeError("a PyTorch optimiser changes the weights of this block", 'pass updates="bouton"')
        mine = {name: getattr(self, plain) for plain, name in self.names.items()}
        gradients = {name: self._array(p.grad) for name, p in mine.items() if p.grad is not None}
        if not gradients:
            return
        if self._left not in (None, self._versions()):
            raise RecipeError(
                "the weights changed since the last step(), as by a PyTorch optimiser",
                "give that optimiser the parameters of other modules; load_state_dict() sets weights",
            )
        self._sync()
        self.network.apply(gradients, rate, epoch)
        state = self.network.state_dict()
        for plain, name in (self.names | self.kept).items():
            getattr(self, plain).copy_(torch.from_numpy(np.array(state[name])))
        for p in mine.values():
            p.grad = None
        self._left = self._versions()

    def load(self, model: nn.Sequential) -> Block:
        """Takes the weights of the `nn.Linear` and `nn.Conv2d` layers of a plain model, from the input to the output."""
        if not self.network.plain:
            raise RecipeError("these synapses keep more than a weight", "set them with load_state_dict")
        layers = [m for m in model if isinstance(m, (nn.Linear, nn.Conv2d))]
        weights = [n for n in self.names.values() if n.endswith(".weight")]
        if len(layers) != len(weights):
            raise ShapeError(f"the model has {len(layers)} layers with weights, the network {len(weights)} connections")
        new: dict[str, torch.Tensor] = {}
        for name, layer in zip(weights, layers):
            pre, post = name.removesuffix(".weight").split("-")[:2]
            new[_plain(name)] = self._rows(layer, pre)
            bias = _plain(post + ".bias")
            if bias in self.names:
                zero = torch.zeros(len(layer.weight))
                new[bias] = (zero if layer.bias is None else layer.bias.detach()).reshape(1, -1)
        for name, values in new.items():
            if getattr(self, name).shape != values.shape:
                shape = tuple(getattr(self, name).shape)
                raise ShapeError(f"{self.names[name]} has shape {shape}, the model's layer {tuple(values.shape)}")
        with torch.no_grad():
            for name, values in new.items():
                getattr(self, name).copy_(values)
        self._left = None
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

    def _array(self, tensor: torch.Tensor) -> Any:
        return tensor.detach().to(device="cpu", dtype=self.dtype).numpy()

    def _statistics(self) -> dict[str, Any]:
        """Running statistics, which forward looks at beside the weights."""
        names = {plain: name for plain, name in self.kept.items() if ".norm." in name}
        return {name: self._array(getattr(self, plain)).copy() for plain, name in names.items()}

    def _sync(self) -> None:
        """Shows the network every parameter and buffer."""
        state: dict[str, Any] = {}
        for plain, name in (self.names | self.kept).items():
            tensor = getattr(self, plain)
            state[name] = self._array(tensor) if tensor.is_floating_point() else tensor.cpu().numpy()
        if self.by_torch:
            self.network.set_weights(state)
        else:
            self.network.load_state_dict({**state, "updates": int(state["updates"])})

    def _versions(self) -> list[int]:
        return [p._version for p in self.parameters()]

    def _apply(self, *args: Any, **kwargs: Any) -> Block:
        self._left = None
        moved: Block = super()._apply(*args, **kwargs)
        return moved

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_left": None}


def _loaded(block: Block, _: Any) -> None:
    block._left = None
    block._sync()


def _plain(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


class _Learn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, block: Block, draw: int | None, x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        """Outputs of pass number `draw`, or of evaluation."""
        ctx.block, ctx.draw, ctx.statistics = block, draw, block._statistics()
        ctx.save_for_backward(x, *parameters)
        _show(ctx, parameters)
        if not x.numel() and x.dim():
            # The network knows no empty batches; one sample of this shape says whether it would fit.
            return torch.from_numpy(block.network.forward(np.zeros((1, *x.shape[1:])))).to(x)[:0]
        out = block.network.forward(block._array(x), draw=draw)
        if draw is not None and ctx.statistics:
            state = block.network.state_dict()
            for name in ctx.statistics:
                getattr(block, _plain(name)).copy_(torch.from_numpy(state[name]))
        return torch.from_numpy(out).to(x)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[Any, ...]:
        """What the credit rule makes of ∂loss/∂outputs."""
        if torch.is_grad_enabled():
            # PyTorch would take what follows for a constant: second derivatives of zero, without a word.
            raise RuntimeError(
                "create_graph=True: what a credit rule computes has no derivative of its own, so that second derivatives,"
                " gradient penalties and torch.autograd.functional.jvp do not go through a block"
            )
        x, *parameters = ctx.saved_tensors
        block = ctx.block
        if not x.numel():
            return None, None, torch.zeros_like(x), *map(torch.zeros_like, parameters)
        if not torch.isfinite(g).all():
            # As in any module, so that a loss scaler sees it and skips the update.
            nan = float("nan")
            return None, None, torch.full_like(x, nan), *(torch.full_like(p, nan) for p in parameters)
        _show(ctx, parameters)
        gradients, gx = block.network.backward(block._array(x), block._array(g), draw=ctx.draw)
        if gx is None and ctx.needs_input_grad[2]:
            raise RuntimeError(
                "the recipe's encoder makes spikes or events of x, so that nothing goes back to it: pass x.detach()"
            )
        back = [torch.from_numpy(gradients[n]).to(p) for n, p in zip(block.names.values(), parameters)]
        return None, None, None if gx is None else torch.from_numpy(gx).to(x), *back


def _show(ctx: Any, parameters: Any) -> None:
    """Gives the network the weights and statistics of a pass."""
    block = ctx.block
    weights = {name: block._array(p) for name, p in zip(block.names.values(), parameters)}
    block.network.set_weights(weights | ctx.statistics)
