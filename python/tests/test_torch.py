"""A block inside a PyTorch model."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import bouton
from bouton.errors import DataError, RecipeError, ShapeError
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


def test_backprop_through_convolutions_equals_autograd(recipe):
    torch.manual_seed(0)
    conv, linear = torch.nn.Conv2d(3, 5, 3, padding=1), torch.nn.Linear(5 * 16, 10)
    model = torch.nn.Sequential(conv, torch.nn.MaxPool2d(2), torch.nn.ReLU(), torch.nn.Flatten(), linear)
    layers = [{"image": [3, 8, 8]}, {"filters": 5, "kernel": 3, "padding": 1, "pool": {"max": 2}}, 10]
    task = {"synthetic": {"shape": [3, 8, 8], "classes": 10, "train": 1, "test": 1, "batch": 1, "epochs": 1}}
    block = Block(bouton.Recipe(recipe, task=task, network__layers=layers, wiring={"conv": {}}, **RELU)).load(model)
    x = torch.randn(7, 3, 8, 8, requires_grad=True)
    z = x.detach().clone().requires_grad_()
    y = torch.arange(7)
    for out in (torch.nn.functional.cross_entropy(block(x), y), torch.nn.functional.cross_entropy(model(z), y)):
        out.backward()
    mine = [block.input_hidden1_weight.grad, block.hidden1_bias.grad[0], block.output_bias.grad[0], x.grad]
    theirs = [conv.weight.grad.reshape(5, -1), conv.bias.grad, linear.bias.grad, z.grad]
    for a, b in zip(mine, theirs):
        assert (a - b).norm() <= 1e-5 * b.norm()
    moved = block._rows(linear, "hidden1")
    assert torch.equal(moved, block.hidden1_output_weight) and moved.shape == linear.weight.shape


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


METAPLASTIC = {
    "neuron": {"sign": {}},
    "norm": {"batch": {}},
    "synapse": {"metaplastic": {"m": 1.0}},
    "wiring": {"dense": {"init": "uniform", "gain": 0.1}},
    "credit": {"backprop": {}},
    "objective": {"softmax-cross-entropy": {}},
    "optim": {"adam": {"lr": 0.01}},
}


def test_a_block_for_pytorch_refuses_what_its_optimiser_would_not_do(recipe):
    clipped = recipe.replace(update={"clip-norm": 1.0})
    with pytest.raises(RecipeError, match="PyTorch optimiser"):
        Block(clipped)
    Block(clipped, updates="bouton")
    with pytest.raises(RecipeError, match="update.accumulate"):
        Block(recipe.replace(update={"accumulate": 2}), updates="bouton")


def test_a_metaplastic_block_learns_by_its_own_synapses(recipe, tmp_path):
    torch.manual_seed(0)
    x = torch.rand(60, 64)
    y = (x[:, :32].sum(1) > x[:, 32:].sum(1)).long()
    recipe = recipe.replace(network__layers=[64, 100, 10], **METAPLASTIC)
    with pytest.raises(RecipeError, match="step()"):
        Block(recipe)
    block = Block(recipe, updates="bouton")
    model = torch.nn.Sequential(block, torch.nn.Linear(10, 2))
    optimiser = torch.optim.Adam(model[1].parameters(), 1e-2)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
        block.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    weights = block.network.weights["input-hidden1.weight"]
    assert set(np.unique(weights)) == {-1.0, 1.0}
    torch.save(model.state_dict(), tmp_path / "model.pt")
    again = torch.nn.Sequential(Block(recipe, updates="bouton"), torch.nn.Linear(10, 2))
    again.load_state_dict(torch.load(tmp_path / "model.pt"))
    assert torch.equal(again(x), model(x))
    assert again[0].network.updates == 40


def test_a_block_that_learns_by_itself_takes_the_same_steps_as_a_network(recipe, batch):
    recipe = recipe.replace(network__layers=[64, 20, 10], **RELU)
    block, network = Block(recipe, updates="bouton"), bouton.Network(recipe)
    x, y = torch.from_numpy(batch[0]), torch.from_numpy(batch[1])
    for _ in range(3):
        torch.nn.functional.cross_entropy(block(x), y).backward()
        block.step()
        network.step(*batch)
    for name, values in network.weights.items():
        assert np.allclose(block.network.weights[name], values, atol=1e-6)


def test_tensors_go_in_by_dlpack(recipe, batch):
    network = bouton.Network(recipe)
    x, y = torch.from_numpy(batch[0]), torch.from_numpy(batch[1])
    assert np.array_equal(network.forward(x), network.forward(batch[0]))
    assert network.evaluate(x, y) == network.evaluate(*batch)
    assert torch.equal(torch.from_dlpack(network.forward(x)), torch.from_numpy(network.forward(x)))
    with pytest.raises(DataError, match="detach"):
        network.forward(x.requires_grad_())


@pytest.mark.parametrize("updates", ["torch", "bouton"])
def test_a_loss_of_pytorch_knows_no_temperature(recipe, batch, updates):
    learned = {"softmax-cross-entropy": {"temperature": 2.0, "learn-temperature": True}}
    recipe = bouton.Recipe(recipe, neuron={"relu": {}}, credit={"backprop": {}}, objective=learned)
    block, bare = (Block(r, updates) for r in (recipe, bouton.Recipe(recipe, objective={"softmax-cross-entropy": {"temperature": 2.0}})))
    assert dict(block.named_parameters()).keys() == dict(bare.named_parameters()).keys()
    for _ in range(2):
        for module in (block, bare):
            torch.nn.functional.cross_entropy(module(torch.from_numpy(batch[0])), torch.from_numpy(batch[1])).backward()
            module.step() if updates == "bouton" else torch.optim.SGD(module.parameters(), 0.1).step()
    assert all(torch.equal(p, q) for p, q in zip(block.parameters(), bare.parameters()))
    twin = Block(recipe, updates)
    twin.load_state_dict(block.state_dict())
    assert torch.equal(twin.eval()(torch.ones(1, 64)), block.eval()(torch.ones(1, 64)))


def test_a_block_of_a_regression_has_the_gradient_of_its_network():
    teacher = {"inputs": 5, "outputs": 2, "rule": {"committee": {"units": 2}}, "train": 9, "test": 9, "batch": 9, "epochs": 1}
    block = Block({"task": {"teacher": teacher}, "network": {"layers": [5, 7, 2]}, "neuron": {"relu": {}}, "credit": {"backprop": {}},
                   "optim": {"sgd": {"lr": 0.1}}, "precision": "f64"})
    x, y = torch.randn(9, 5, dtype=torch.float64), torch.randn(9, 2, dtype=torch.float64)
    (torch.nn.functional.mse_loss(block(x), y, reduction="sum") / 18).backward()
    gradients = block.network.gradients(x.numpy(), y.numpy())
    for plain, name in block.names.items():
        assert np.allclose(getattr(block, plain).grad.numpy(), gradients[name], rtol=1e-10, atol=1e-12)
