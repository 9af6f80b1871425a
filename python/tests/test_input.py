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
    records = np.zeros(9, [("flag", np.uint8), ("x", np.float32, 64), ("y", np.int64)])
    records["x"], records["y"] = x, y
    np.testing.assert_array_equal(network.forward(records["x"]), want)
    assert network.evaluate(records["x"], records["y"]) == network.evaluate(x, y)
    assert network.evaluate(x[::-1], y[::-1])["accuracy"] == network.evaluate(x, y)["accuracy"]
    np.testing.assert_array_equal(network.forward(np.broadcast_to(x[:1], (9, 64))), want[[0] * 9])


def test_masked_values_are_no_values(recipe, batch):
    network, (x, y) = bouton.Network(recipe), batch
    with pytest.raises(bouton.DataError, match="masked"):
        network.forward(np.ma.masked_greater(x, 0.5))
    with pytest.raises(bouton.DataError, match="masked"):
        network.evaluate(x, np.ma.masked_greater(y, 5))
    np.testing.assert_array_equal(network.forward(np.ma.masked_greater(x, 2)), network.forward(x))


@pytest.mark.parametrize("ids, error, words", [
    ([-1] * 9, bouton.DataError, "no sample -1"),
    ([10**18] * 9, bouton.DataError, "no sample 1000000000000000000"),
    ([10**30] * 9, bouton.DataError, "object"),
    ([0.5] * 9, bouton.DataError, "float64"),
    ("abc", bouton.DataError, "<U3"),
    (range(8), bouton.ShapeError, "9 rows"),
])
def test_places_that_are_refused(recipe, batch, ids, error, words):
    network = bouton.Network(recipe)
    with pytest.raises(error, match=words) as caught:
        network.step(*batch, ids=ids)
    assert caught.value.hint and network.updates == 0
    network.step(*batch, ids=np.arange(9)), network.step(*batch, ids=range(9))


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), -0.1])
def test_rates_that_are_refused(recipe, batch, rate):
    network = bouton.Network(recipe)
    for call in (network.step, network.epoch):
        with pytest.raises(bouton.RecipeError, match="rate"):
            call(*batch, rate=rate)
    assert network.updates == 0


def test_states_of_samples_are_remembered_by_their_places(recipe, batch):
    """Rules that remember a state of each sample know how many there are, and want to hear which they see."""
    recipe = recipe.replace(credit__eq_prop__start="persistent", task__digits__train=5)
    network = bouton.Network(recipe)
    for look in (network.relax, network.gradients, network.evaluate):
        look(*batch)
    with pytest.raises(bouton.DataError, match="each sample"):
        network.step(*batch)
    with pytest.raises(bouton.DataError, match="5 samples") as caught:
        network.step(*batch, ids=range(9))
    assert "samples=9" in caught.value.hint
    bouton.Network(recipe, samples=9).step(*batch, ids=range(9))
    with pytest.raises(bouton.BoutonError, match="no memory"):
        bouton.Network(recipe, samples=2**31)


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


def test_overrides_as_python_values(recipe, tmp_path):
    assert recipe.replace(seed=np.int64(3), optim__sgd__lr=np.float64(0.25)).seed == 3
    assert recipe.replace(run__updates=5).replace(run__updates=None) == recipe
    assert recipe.replace(seed=None).seed == 1
    with pytest.raises(bouton.RecipeError, match="did you mean"):
        recipe.replace(run__update=None)
    with pytest.raises(bouton.RecipeError, match="missing"):
        recipe.replace(optim=None)
    table = {"task": {"digits": {"batch": 20, "epochs": 1, "train": None}}, "network": {"layers": [64, 10]}, "neuron": {"relu": {}},
             "credit": {"backprop": {}}, "optim": {"sgd": {"lr": 0.1}}, "about": "\x7f \u2028 \u00e9 \"", "run": None}
    assert bouton.Recipe(bouton.Recipe(table).to_toml()) == bouton.Recipe(table)
    (tmp_path / "r.toml").write_text(bouton.Recipe(table).to_toml())
    assert bouton.Recipe(tmp_path / "r.toml") == bouton.Recipe(str(tmp_path / "r.toml"))


def test_a_diverging_network_says_so(recipe, batch):
    network = bouton.Network(bouton.Recipe(recipe, neuron={"relu": {}}, credit={"backprop": {}}, optim__sgd__lr=1e6))
    with pytest.raises(bouton.DivergedError):
        for _ in range(20):
            network.step(*batch)


def test_networks_take_whatever_recipes_take(recipe, tmp_path, batch):
    from conftest import SMALL

    (tmp_path / "r.toml").write_text(recipe.to_toml())
    for source in (recipe, SMALL | {"seed": 3}, recipe.to_toml(), tmp_path / "r.toml", str(tmp_path / "r.toml")):
        np.testing.assert_array_equal(bouton.Network(source).forward(batch[0]), bouton.Network(recipe).forward(batch[0]))
    with pytest.raises(TypeError, match="not int"):
        bouton.Network(3)


@pytest.mark.parametrize("task", [-1, 2, 2**40])
def test_tasks_that_are_not_in_the_sequence(recipe, batch, task):
    network = bouton.Network(recipe.replace(sequence={"permuted": {"tasks": 2}}))
    network.evaluate(*batch, task=1)
    for ask in (lambda: network.evaluate(*batch, task=task), lambda: network.forward(batch[0], task=task)):
        with pytest.raises(bouton.DataError, match=f"no task {task}"):
            ask()


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(bouton.DataError, match="is no run"):
        bouton.Run(tmp_path / "nowhere")
