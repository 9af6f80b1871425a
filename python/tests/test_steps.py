"""Networks that move in time from Python: sequences as arrays, what goes back to them, and steps with a state."""

import copy
import pickle

import numpy as np
import pytest

import bouton
from bouton.errors import BoutonError

TEXT = """
precision = "f64"
[task.synthetic]
shape = [1, 5, 4]
classes = 3
train = 8
test = 8
batch = 8
epochs = 1
[encoder.rows]
steps = 5
[network]
layers = [4, 6, 3]
[neuron.lif]
tau = 5.0
threshold = 0.3
refractory = 1
[population.output.neuron.leaky]
tau = 4.0
[connection.input-hidden1]
delay = 1
[connection.loop]
from = "hidden1"
to = "hidden1"
delay = 2
[objective.softmax-cross-entropy]
[credit.bptt]
[optim.sgd]
lr = 0.1
"""
X = np.random.default_rng(1).uniform(size=(7, 5, 4))
Y = np.arange(7) % 3


def test_sequences_are_rows_with_a_dimension_more():
    network = bouton.Network(TEXT)
    flat = X.reshape(7, 20)
    assert np.array_equal(network.forward(X), network.forward(flat))
    g = np.random.default_rng(2).normal(size=(7, 3))
    (a, gx), (b, flat_gx) = network.backward(X, g), network.backward(flat, g)
    assert gx.shape == (7, 5, 4) and np.array_equal(gx.reshape(7, 20), flat_gx) and np.abs(gx).max() > 0
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert network.step(X, Y)["samples"] == 7
    with pytest.raises(BoutonError, match="x has shape"):
        network.forward(X[:, :4])


def test_steps_come_to_the_bits_of_the_whole():
    network = bouton.Network(TEXT)
    state, said = network.start(7), []
    assert set(state) == {
        "hidden1.v", "hidden1.r", "hidden1.z", "hidden1.out", "output.y", "output.out", "input",
    }
    for t in range(5):
        before = copy.deepcopy(state)
        y, state_after = network.stream(X[:, t], state)
        assert all(np.array_equal(state[name], before[name]) for name in state), "the state given stays"
        state = pickle.loads(pickle.dumps(state_after))
        said.append(y)
    whole, end = network.stream(X.transpose(1, 0, 2), network.start(7))
    assert whole.shape == (5, 7, 3) and np.array_equal(np.stack(said), whole)
    assert all(np.array_equal(end[name], state[name]) for name in end)
    assert np.array_equal(whole[-1], network.forward(X)), "the reading is `last`"
    assert np.abs(state["hidden1.v"]).max() > 0


def test_steps_that_do_not_fit_are_refused():
    network = bouton.Network(TEXT)
    state = network.start(7)
    for x, changed, words in [
        (X[:, 0, :3], state, "x has shape"),
        (X[:3, 0], state, "has shape"),
        (X[:, 0], {k: v for k, v in state.items() if k != "hidden1.v"}, "no `hidden1.v`"),
        (X[:, 0], state | {"hidden7.v": state["hidden1.v"]}, "no `hidden7.v`"),
        (np.full((7, 4), np.nan), state, "NaN"),
    ]:
        with pytest.raises(BoutonError, match=words):
            network.stream(x, changed)
    with pytest.raises(BoutonError, match="does not move in time"):
        bouton.Network(STILL).start(3)


STILL = """
[task.digits]
batch = 8
epochs = 1
[network]
layers = [64, 8, 10]
[neuron.relu]
[credit.backprop]
[objective.softmax-cross-entropy]
[optim.sgd]
lr = 0.1
"""


def test_spikes_that_were_drawn_send_nothing_back():
    text = TEXT.replace("[encoder.rows]\nsteps = 5", "[encoder.poisson]\nsteps = 5\nrate = 0.5")
    network = bouton.Network(text.replace("layers = [4, 6, 3]", "layers = [20, 6, 3]"))
    parameters, gx = network.backward(X.reshape(7, 20), np.ones((7, 3)))
    assert gx is None and any(np.abs(g).max() > 0 for g in parameters.values())
