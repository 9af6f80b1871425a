"""Networks whose targets are values: what goes in, what is said of it, what is refused, and the gradient of it."""

import copy

import numpy as np
import pytest

import bouton

PASS = {"neuron": {"relu": {}}, "credit": {"backprop": {}}}
SETTLE = {
    "neuron": {"settle": {"activation": "tanh", "output": "linear"}},
    "credit": {"eq-prop": {"beta": 1e-4, "nudge": "symmetric", "free-steps": 600, "nudged-steps": 600}},
    "solver": {"even-odd": {"tolerance": 1e-13}},
}


def values(outputs=2, **tables):
    teacher = {"inputs": 5, "outputs": outputs, "rule": {"committee": {"units": 2}}, "train": 40, "test": 20, "batch": 10, "epochs": 2}
    table = {"task": {"teacher": teacher}, "network": {"layers": [5, 7, outputs]}, "optim": {"sgd": {"lr": 0.1}}}
    return bouton.Recipe(table | (tables or PASS), seed=4)


def samples(outputs=2, n=9):
    rng = np.random.default_rng(6)
    return rng.normal(size=(n, 5)), rng.normal(size=(n, outputs))


def test_one_value_a_sample_may_come_without_a_second_axis():
    x, y = samples(outputs=1)
    flat, columns = bouton.Network(values(outputs=1)), bouton.Network(values(outputs=1))
    assert flat.evaluate(x, y[:, 0]) == columns.evaluate(x, y) == columns.evaluate(x, y.astype(np.float32))
    for _ in range(3):
        assert flat.step(x, y[:, 0]) == columns.step(x, y)
    assert flat.epoch(x, y[:, 0]) == columns.epoch(x, y)
    for name, weight in flat.weights.items():
        np.testing.assert_array_equal(weight, columns.weights[name])


def test_metrics_are_those_of_the_outputs():
    network, (x, y) = bouton.Network(values(**PASS, precision="f64")), samples()
    out = network.forward(x)
    found = network.evaluate(x, y)
    assert set(found) >= {"loss", "mse", "mae", "r2", "samples"} and not set(found) & {"accuracy", "error"}
    wanted = {
        "mse": ((out - y) ** 2).mean(),
        "mae": np.abs(out - y).mean(),
        "r2": (1 - ((out - y) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)).mean(),
        "loss": ((out - y) ** 2).sum(1).mean() / 2,
    }
    assert found == {**found, **{name: pytest.approx(value, rel=1e-12) for name, value in wanted.items()}}
    assert network.step(x, y) == pytest.approx(found, rel=1e-12), "what the batch came to before the update"
    assert network.evaluate(x, y)["mse"] < found["mse"]


@pytest.mark.parametrize("tables", [PASS, SETTLE], ids=["backprop", "eq-prop"])
def test_gradients_are_central_differences_of_the_loss(tables):
    network, (x, y) = bouton.Network(values(**tables, precision="f64")), samples()
    weights = {name: w.copy() for name, w in network.weights.items()}
    for name, gradient in network.gradients(x, y).items():
        assert gradient.shape == weights[name].shape and np.abs(gradient).max() > 1e-4
        for place in np.ndindex(gradient.shape):
            losses = []
            for change in (1e-5, -1e-5):
                moved = weights[name].copy()
                moved[place] += change
                network.set_weights(weights | {name: moved})
                losses.append(network.evaluate(x, y)["loss"])
            slope = (losses[0] - losses[1]) / 2e-5
            assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=1e-7), (name, place)


def test_a_nudge_pulls_towards_the_values():
    network, (x, y) = bouton.Network(values(**SETTLE).replace(credit__eq_prop__beta=0.5)), samples()
    distance = {phase["beta"]: np.abs(phase["states"]["output"] - y).sum() for phase in network.relax(x, y)}
    assert distance[0.5] < distance[0.0] < distance[-0.5]


X, Y = samples()
HOLED = np.where(np.arange(18).reshape(9, 2) == 7, np.nan, Y)


@pytest.mark.parametrize("y, error, words, hint", [
    (np.zeros(9, int), bouton.DataError, "array of int64", "values"),
    (np.zeros((9, 2), np.uint8), bouton.DataError, "array of uint8", "values"),
    (Y.astype(np.float16), bouton.DataError, "array of float16", "values"),
    (Y.tolist(), bouton.DataError, "a list", "numpy.asarray"),
    (np.array(["cat"] * 9), bouton.DataError, "<U3", "values"),
    (HOLED, bouton.DataError, "NaN", "clean"),
    (np.full((9, 2), -np.inf), bouton.DataError, "infinite", "clean"),
    (1e200 * Y, bouton.DataError, "infinite in the network's precision", "clean"),
    (np.ma.masked_greater(Y, 0), bouton.DataError, "masked", "fill"),
    (Y[:8], bouton.ShapeError, r"\[8, 2\], x has 9 rows", r"(9, 2)"),
    (Y[:, 0], bouton.ShapeError, r"\[9\]", r"(9, 2)"),
    (Y[:, :1], bouton.ShapeError, r"\[9, 1\]", r"(9, 2)"),
    (Y.T, bouton.ShapeError, r"\[2, 9\]", r"(9, 2)"),
    (Y[None], bouton.ShapeError, r"\[1, 9, 2\]", r"(9, 2)"),
])
def test_what_is_no_row_of_values_is_refused(y, error, words, hint):
    network = bouton.Network(values())
    before = network.state_dict()
    for call in (network.step, network.epoch, network.evaluate, network.gradients, network.relax):
        with pytest.raises(error, match=words) as caught:
            call(X, y)
        assert caught.value.message.startswith("y ") and hint in caught.value.hint and "\n" not in caught.value.message
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("y", [np.zeros(9), np.zeros((9, 10), np.float32)])
def test_values_are_no_classes(recipe, batch, y):
    network = bouton.Network(recipe)
    for call in (network.step, network.evaluate, network.gradients):
        with pytest.raises(bouton.DataError, match="y is an array of float") as caught:
            call(batch[0], y)
        assert "classes" in caught.value.hint and network.updates == 0


@pytest.mark.parametrize("tables", [PASS, SETTLE], ids=["backprop", "eq-prop"])
def test_networks_of_values_go_on_from_a_copy(tables):
    network, (x, y) = bouton.Network(values(**tables)), samples()
    network.epoch(x, y)
    twin = copy.deepcopy(network)
    assert network.step(x, y) == twin.step(x, y)
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(value, twin.state_dict()[name])
