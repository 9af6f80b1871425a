"""Numbers of an objective's own: a learned temperature is a parameter like others, by its name."""

import numpy as np
import pytest

import bouton

NAME = "objective.temperature"
ONE = {"neuron": {"relu": {}}, "credit": {"backprop": {}}}
SETTLE = {
    "neuron": {"settle": {"activation": "tanh", "output": "linear"}},
    "credit": {"eq-prop": {"beta": 1e-4, "nudge": "symmetric", "free-steps": 600, "nudged-steps": 600}},
    "solver": {"even-odd": {"tolerance": 1e-13}},
}


def made(tables=ONE, learn=True, **more):
    table = {
        "task": {"synthetic": {"shape": [1, 1, 6], "classes": 4, "train": 20, "test": 10, "batch": 5, "epochs": 1}},
        "network": {"layers": [6, 8, 4]},
        "optim": {"sgd": {"lr": 0.1}},
        "objective": {"softmax-cross-entropy": {"temperature": 1.5, "learn-temperature": learn}},
    }
    return bouton.Network(bouton.Recipe(table | tables | more, seed=2))


X, Y = np.random.default_rng(3).normal(size=(9, 6)), np.arange(9) % 4


def test_a_learned_temperature_is_a_parameter_by_its_name():
    network = made()
    assert network.weights[NAME].shape == (1, 1) and network.weights[NAME].item() == 1.5
    assert set(network.gradients(X, Y)) == set(network.weights) <= set(network.state_dict())
    before, slope = network.weights[NAME].item(), network.gradients(X, Y)[NAME].item()
    network.step(X, Y)
    assert network.weights[NAME].item() == pytest.approx(before - 0.1 * slope, abs=1e-6) != before
    fixed = made(learn=False)
    assert NAME not in fixed.weights and NAME not in fixed.gradients(X, Y)


@pytest.mark.parametrize("tables", [ONE, SETTLE], ids=["backprop", "eq-prop"])
def test_the_gradient_of_a_temperature_is_that_of_the_loss(tables):
    network = made(tables, precision="f64")
    slope = network.gradients(X, Y)[NAME].item()
    losses = []
    for tau in (1.5 + 1e-5, 1.5 - 1e-5):
        network.set_weights({NAME: np.array([[tau]])})
        losses.append(network.evaluate(X, Y)["loss"])
    assert abs(slope) > 1e-3 and slope == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-5)


def test_a_temperature_that_is_set_is_the_one_that_counts():
    network = made(precision="f64")
    network.set_weights({NAME: np.array([0.7])})
    out = network.forward(X) / 0.7
    loss = np.log(np.exp(out).sum(1)) - out[np.arange(9), Y]
    assert network.evaluate(X, Y)["loss"] == pytest.approx(loss.mean(), rel=1e-12)
    other = made(precision="f64")
    other.load_state_dict(network.state_dict())
    assert other.evaluate(X, Y) == network.evaluate(X, Y) and other.weights[NAME].item() == 0.7


@pytest.mark.parametrize("tables", [ONE, SETTLE], ids=["backprop", "eq-prop"])
def test_a_loss_from_outside_has_no_part_of_the_temperature(tables):
    g = np.random.default_rng(4).normal(size=(9, 4))
    (gradients, gx), (fixed, fixed_gx) = (made(tables, learn, precision="f64").backward(X, g) for learn in (True, False))
    assert gradients.pop(NAME) == 0 and gradients.keys() == fixed.keys()
    for name, gradient in fixed.items():
        np.testing.assert_array_equal(gradients[name], gradient)
    np.testing.assert_array_equal(gx, fixed_gx)
    network = made(tables)
    network.backward(X, g)
    assert network.weights[NAME].item() == 1.5


def test_gradients_of_other_losses_move_a_temperature():
    network = made()
    network.apply({NAME: np.array([[2.0]])})
    assert network.weights[NAME].item() == pytest.approx(1.3)
    network.apply({NAME: np.array([[1e6]])})
    assert network.weights[NAME].item() == pytest.approx(1e-3), "it stays in its range"


@pytest.mark.parametrize("value, error, words", [
    (np.ones(2), bouton.ShapeError, r"objective.temperature has shape \[2\], the network has \(1, 1\)"),
    (np.ones((2, 1)), bouton.ShapeError, r"\[2, 1\]"),
    (np.ones(0), bouton.ShapeError, r"\[0\]"),
    (np.ones((1, 1), int), bouton.DataError, "int64"),
    (np.array([np.nan]), bouton.DataError, "NaN"),
    (np.zeros(1), bouton.DataError, "objective.temperature is 0"),
    (np.array([-1.0]), bouton.DataError, "objective.temperature is -1"),
    (np.array([1001.0]), bouton.DataError, "objective.temperature is 1001"),
])
def test_temperatures_that_are_refused_change_nothing(value, error, words):
    network = made()
    before = network.state_dict()
    for call in (network.set_weights, lambda new: network.load_state_dict({**before, **new})):
        with pytest.raises(error, match=words) as caught:
            call({NAME: value, "output.bias": np.ones((1, 4))})
        assert caught.value.hint
    for name, kept in network.state_dict().items():
        np.testing.assert_array_equal(kept, before[name])
    for border in (1e-3, 1e3):
        network.set_weights({NAME: np.array([border])})
        network.load_state_dict(network.state_dict())
