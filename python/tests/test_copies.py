"""Recipes and networks are values: copied and pickled they go on bit for bit, and apart from each other."""

import copy
import pickle

import numpy as np
import pytest

import bouton

WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda x, n=n: pickle.loads(pickle.dumps(x, protocol=n)) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)},
}
PERSISTENT = {"eq-prop": {"beta": 0.2, "start": "persistent", "nudge": "random-sign", "free-steps": 12, "nudged-steps": 5}}
RULES = {
    "persistent states": {"credit": PERSISTENT, "optim": {"adam": {"lr": 0.01}}},
    "momentum": {"optim": {"sgd": {"lr": 0.1, "momentum": 0.9}}},
    "drawn weights": {"synapse": {"mesu": {}}},
    "dropout and statistics": {
        "neuron": {"relu": {}}, "credit": {"backprop": {}}, "norm": {"batch": {}}, "network.dropout": 0.3, "synapse": {"plain": {}},
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_a_recipe(recipe, way):
    twin = WAYS[way](recipe)
    assert twin == recipe and twin.hash == recipe.hash and twin.to_toml() == recipe.to_toml() and hash(twin) == hash(recipe)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rule", RULES)
def test_a_network(recipe, batch, way, rule):
    network = bouton.Network(recipe.replace(**RULES[rule]), samples=20)
    ids = list(range(5, 14))
    for _ in range(3):
        network.step(*batch, ids=ids)
    twin = WAYS[way](network)
    assert twin.recipe == network.recipe and twin.updates == network.updates == 3
    for _ in range(3):
        assert twin.evaluate(*batch) == network.evaluate(*batch)
        assert twin.step(*batch, ids=ids) == network.step(*batch, ids=ids)
    state = network.state_dict()
    assert all(np.array_equal(value, state[name]) for name, value in twin.state_dict().items())
    twin.step(*batch, ids=ids)
    assert network.updates == 6 and not all(np.array_equal(v, state[n]) for n, v in twin.weights.items())


@pytest.mark.parametrize("optim", [{"sgd": {"lr": 0.1, "momentum": 0.5}}, {"adam": {"lr": 0.01}}])
def test_applied_gradients_are_a_step(recipe, batch, optim):
    recipe = recipe.replace(optim=optim)
    a, b = bouton.Network(recipe), bouton.Network(recipe)
    for _ in range(3):
        b.apply(b.gradients(*batch))
        a.step(*batch)
    assert a.updates == b.updates == 3
    for name, values in a.weights.items():
        np.testing.assert_allclose(b.weights[name], values, atol=2e-5)
