"""Bad input: an exception with a hint, and nothing changed."""

import numpy as np
import pytest

import bouton


@pytest.mark.parametrize("x, error, words", [
    (np.zeros((9, 64), np.uint8), bouton.DataError, "uint8"),
    (np.zeros((9, 64), np.float16), bouton.DataError, "float16"),
    (np.zeros((9, 64), object), bouton.DataError, "object"),
    (np.zeros((9, 64), complex), bouton.DataError, "complex"),
    ([[0.0] * 64] * 9, bouton.DataError, "list"),
    (np.zeros(64, np.float32), bouton.ShapeError, "[64]"),
    (np.zeros((9, 63), np.float32), bouton.ShapeError, "[9, 63]"),
    (np.zeros((0, 64), np.float32), bouton.ShapeError, "no rows"),
    (np.full((9, 64), np.nan, np.float32), bouton.DataError, "NaN"),
    (np.full((9, 64), np.inf), bouton.DataError, "infinite"),
])
def test_inputs_that_are_refused(recipe, batch, x, error, words):
    network = bouton.Network(recipe)
    before = network.state_dict()
    for call in (network.forward, lambda x: network.step(x, batch[1]), lambda x: network.gradients(x, batch[1])):
        with pytest.raises(error, match="(?s)" + words.replace("[", r"\[")) as caught:
            call(x)
        assert caught.value.hint and "hint:" in str(caught.value)
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("y, error", [
    (np.zeros(8, int), bouton.ShapeError),
    (np.zeros((9, 1), int), bouton.ShapeError),
    (np.full(9, 10), bouton.DataError),
    (np.full(9, -1), bouton.DataError),
    (np.zeros(9), bouton.DataError),
    (np.array(["cat"] * 9), bouton.DataError),
])
def test_labels_that_are_refused(recipe, batch, y, error):
    network = bouton.Network(recipe)
    with pytest.raises(error) as caught:
        network.step(batch[0], y)
    assert "BoutonClassifier" in caught.value.hint and network.updates == 0


def test_any_strides_are_read_as_numpy_reads_them(recipe, batch):
    network, (x, y) = bouton.Network(recipe), batch
    want = network.forward(x)
    wide = np.zeros((18, 128), np.float32)
    wide[::2, ::2] = x
    np.testing.assert_array_equal(network.forward(wide[::2, ::2]), want)
    np.testing.assert_array_equal(network.forward(np.asfortranarray(x)), want)
    np.testing.assert_array_equal(network.forward(x[::-1])[::-1], want)
    np.testing.assert_array_equal(network.forward(x.astype(float)), want)


def test_weights_that_do_not_fit_change_nothing(recipe):
    network = bouton.Network(recipe)
    before = network.weights
    good = {"output.bias": np.ones((1, 10), np.float32)}
    for bad in ({"nowhere": np.ones(3)}, {"hidden1.bias": np.ones(3)}, {"hidden1.bias": np.full((1, 16), np.nan)}):
        with pytest.raises(bouton.BoutonError):
            network.set_weights(good | bad)
    for name, w in network.weights.items():
        np.testing.assert_array_equal(w, before[name])
    network.set_weights(good)
    np.testing.assert_array_equal(network.weights["output.bias"], good["output.bias"])


def test_recipes_that_are_refused():
    with pytest.raises(bouton.RecipeError, match="missing"):
        bouton.Recipe("[task.digits]\nbatch = 3\n")
    with pytest.raises(bouton.RecipeError):
        bouton.Recipe("no-such-file.toml")
    with pytest.raises(TypeError):
        bouton.Recipe(3)
    with pytest.raises(bouton.RecipeError) as caught:
        bouton.Recipe({"task": {"digits": {"batch": 9, "epochs": 1}}, "network": {"layers": [64, 10]}, "neuron": {"relu": {}},
                       "credit": {"eq-prop": {"beta": 0.1, "free-steps": 1, "nudged-steps": 1}}, "optim": {"sgd": {"lr": 1}}})
    assert caught.value.hint and caught.value.exit_code == 2 and isinstance(caught.value, ValueError)


def test_overrides_that_are_refused(recipe):
    with pytest.raises(bouton.RecipeError, match="did you mean"):
        recipe.replace(credit__eq_prop__betta=0.1)
    with pytest.raises(bouton.RecipeError):
        recipe.replace(credit__eq_prop__beta=0)
    with pytest.raises(TypeError):
        recipe.replace(seed=object())


def test_a_diverging_network_says_so(recipe, batch):
    network = bouton.Network(bouton.Recipe(recipe, neuron={"relu": {}}, credit={"backprop": {}}, optim__sgd__lr=1e20))
    with pytest.raises(bouton.DivergedError):
        for _ in range(20):
            network.step(*batch)
