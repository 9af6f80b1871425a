"""A block inside a PyTorch model."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import bouton
from bouton.errors import ShapeError
from bouton.torch import Block

RELU = {"neuron": {"relu": {}}, "credit": {"backprop": {}}, "objective": {"softmax-cross-entropy": {}}}


def plain():
    return torch.nn.Sequential(torch.nn.Linear(64, 20), torch.nn.ReLU(), torch.nn.Linear(20, 10))


def test_backprop_equals_autograd(recipe, batch):
    torch.manual_seed(0)
    model = plain()
    block = Block(bouton.Recipe(recipe, network__layers=[64, 20, 10], **RELU)).load(model)
    x = torch.from_numpy(batch[0]).requires_grad_()
    z = x.detach().clone().requires_grad_()
    y = torch.from_numpy(batch[1])
    for out in (torch.nn.functional.cross_entropy(block(x), y), torch.nn.functional.cross_entropy(model(z), y)):
        out.backward()
    mine = [block.input_hidden1_weight.grad, block.hidden1_output_weight.grad, block.hidden1_bias.grad[0], x.grad]
    theirs = [model[0].weight.grad, model[2].weight.grad, model[0].bias.grad, z.grad]
    for a, b in zip(mine, theirs):
        assert (a - b).norm() <= 1e-5 * b.norm()


def test_an_ep_block_learns_between_layers_of_another_model(recipe):
    torch.manual_seed(0)
    x = torch.rand(60, 8)
    y = (x[:, :4].sum(1) > x[:, 4:].sum(1)).long()
    block = Block(recipe.replace(network__layers=[64, 16, 10], credit__eq_prop__free_steps=30))
    model = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.Sigmoid(), block, torch.nn.Linear(10, 2))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert all(np.abs(p.grad).sum() > 0 for p in model[0].parameters())


def test_a_model_that_does_not_fit(recipe):
    with pytest.raises(ShapeError):
        Block(recipe).load(plain())
