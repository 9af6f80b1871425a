"""Networks as graphs: plans, inputs by the names of clamped populations, parameters by the names of their owners."""

import numpy as np
import pytest

import bouton

CONTEXT = """
precision = "f64"
[task.context]
features = 4
contexts = 2
classes = 3
train = 20
test = 20
batch = 10
epochs = 1
[network]
layers = [4, 6, 3]
[neuron.relu]
[credit.backprop]
[objective.softmax-cross-entropy]
[optim.sgd]
lr = 0.1
[population.context]
clamp = "context"
[connection.context-hidden1]
from = "context"
to = "hidden1"
lr = 0.05
[connection.hidden1-output]
learn = false
"""
X, C = np.random.default_rng(1).normal(size=(9, 4)), np.eye(2)[np.arange(9) % 2]
Y = np.arange(9) % 3


def test_a_plan_lists_populations_and_connections():
    plan = bouton.Recipe(CONTEXT).plan()
    assert [p["name"] for p in plan["populations"]] == ["input", "context", "hidden1", "output"]
    assert plan["populations"][1] == {
        "name": "context", "units": 2, "role": "clamped", "neuron": None, "columns": (4, 6), "output": False,
    }
    assert plan["populations"][3]["output"] and plan["populations"][3]["neuron"] == "relu"
    by_name = {c["name"]: c for c in plan["connections"]}
    assert by_name["context-hidden1"] == {
        "name": "context-hidden1", "from": "context", "to": "hidden1", "wiring": "dense", "synapse": "plain",
        "lr": 0.05, "optim": None, "carries": "both", "learn": True,
    }
    assert by_name["hidden1-output"]["learn"] is False


def test_inputs_go_by_the_names_of_populations():
    network = bouton.Network(CONTEXT)
    whole, named = np.hstack([X, C]), {"context": C, "input": X}
    assert np.array_equal(network.forward(whole), network.forward(named))
    a, b = network.gradients(whole, Y), network.gradients(named, Y)
    assert all(np.array_equal(a[name], b[name]) for name in a)
    before = network.weights
    network.step(named, Y)
    after = network.weights
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {"input-hidden1.weight", "context-hidden1.weight", "hidden1.bias", "output.bias"}
    _, g = network.backward(named, np.ones((9, 3)))
    assert g.shape == (9, 6)


def test_other_names_and_shapes_are_refused():
    network = bouton.Network(CONTEXT)
    for x, words in [
        ({"input": X}, "nothing for population context"),
        ({"input": X, "contxt": C}, "no population \"contxt\""),
        ({"input": X, "context": C[:5]}, "5 samples"),
        ({"input": X, "context": X}, r"x\[\"context\"\] has shape"),
        ({}, "nothing for population input"),
    ]:
        with pytest.raises(bouton.errors.BoutonError, match=words):
            network.forward(x)


def test_numbers_of_units_go_by_the_names_of_their_owners():
    text = CONTEXT.replace("[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]",
                           "[neuron.adaptive]\ntime-constant = { value = 3.0, learned = true }\n[credit.bptt]\nsteps = 6")
    network = bouton.Network(text)
    assert network.weights["hidden1.time-constant"].shape == (1, 6)
    assert network.gradients({"input": X, "context": C}, Y)["hidden1.time-constant"].shape == (1, 6)
    network.set_weights({"hidden1.time-constant": np.full((1, 6), 2.0)})
    assert (network.weights["hidden1.time-constant"] == 2.0).all()
    for value, words in [(np.full((1, 5), 2.0), "shape"), (np.full((1, 6), 0.5), "between 1 and 10000")]:
        with pytest.raises(bouton.errors.BoutonError, match=words):
            network.set_weights({"hidden1.time-constant": value})
    assert (network.weights["hidden1.time-constant"] == 2.0).all(), "all or none"
