"""Networks: learning, state, memory."""

import gc
import resource

import numpy as np
import pytest

import bouton


def test_steps_learn_and_follow_the_gradient(recipe, batch):
    network, (x, y) = bouton.Network(recipe), batch
    before, gradients = network.weights, network.gradients(x, y)
    out = network.step(x, y)
    assert out["samples"] == 9 and 0 <= out["accuracy"] <= 1 and network.updates == 1
    for name, w in network.weights.items():
        np.testing.assert_allclose(w, before[name] - 0.1 * gradients[name], atol=1e-7)
    first = network.evaluate(x, y)["loss"]
    for _ in range(200):
        network.step(x, y)
    assert network.evaluate(x, y)["loss"] < 0.5 * first


def test_weights_that_are_distributions_answer_with_their_means(recipe, batch):
    recipe = bouton.Recipe(recipe, synapse={"mesu": {}})
    network = bouton.Network(recipe)
    state = network.state_dict()
    answer = network.evaluate(*batch)
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(value, state[name])
    means = {name.removesuffix("mesu.mean") + "weight": v for name, v in state.items() if name.endswith("mesu.mean")}
    network.set_weights(means)
    assert network.evaluate(*batch) == answer
    drawn = bouton.Network(bouton.Recipe(recipe, run={"test-draws": 2}))
    assert drawn.evaluate(*batch)["loss"] != answer["loss"]


def test_a_step_averages_over_draws_of_the_weights(recipe, batch):
    recipe = bouton.Recipe(recipe, synapse={"mesu": {}})
    one, two = bouton.Network(recipe), bouton.Network(bouton.Recipe(recipe, run={"train-draws": 2}))
    outs = [network.step(*batch) for network in (one, two)]
    assert [out["samples"] for out in outs] == [9, 18] and one.updates == two.updates == 1
    spreads = [{k: v for k, v in n.state_dict().items() if k.endswith("mesu.mean")} for n in (one, two)]
    assert any((spreads[0][name] != spreads[1][name]).any() for name in spreads[0])


def test_gradients_change_nothing(recipe, batch):
    network = bouton.Network(recipe)
    before = network.state_dict()
    network.gradients(*batch)
    network.relax(*batch)
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("optim", [{"sgd": {"lr": 0.1, "momentum": 0.9}}, {"adam": {"lr": 1e-3}}])
def test_a_state_goes_on_bit_for_bit(recipe, batch, optim):
    recipe = bouton.Recipe(recipe, optim=optim)
    a, b = bouton.Network(recipe), bouton.Network(recipe)
    for _ in range(3):
        a.step(*batch)
    b.load_state_dict(a.state_dict())
    for network in (a, b):
        network.step(*batch)
    for name, value in a.state_dict().items():
        np.testing.assert_array_equal(value, b.state_dict()[name])
    with pytest.raises(bouton.CheckpointError):
        b.load_state_dict({"updates": 1})


def test_results_share_memory_with_the_library_and_outlive_it(recipe, batch):
    out = bouton.Network(recipe).forward(batch[0])
    gc.collect()
    assert not out.flags.owndata and out.base is not None
    assert np.isfinite(out).all()


def test_memory_stays_flat(recipe, batch):
    network = bouton.Network(recipe)
    rss = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
    for _ in range(200):
        network.step(*batch)
        bouton.Network(recipe)
    before = rss()
    for _ in range(3_000):
        network.step(*batch)
        network.forward(batch[0])
    for _ in range(300):
        bouton.Network(recipe).weights
    assert rss() - before < 5


class Exchanged:
    """An array that only speaks DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **how):
        return self.array.__dlpack__(**how)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_arrays_of_other_libraries_go_in_by_dlpack(recipe, batch):
    network = bouton.Network(recipe)
    x, y = Exchanged(batch[0]), Exchanged(batch[1])
    assert np.array_equal(network.forward(x), network.forward(batch[0]))
    assert network.evaluate(x, y) == network.evaluate(*batch)


BINARY = {
    "task": {"digits": {"batch": 50, "epochs": 1}},
    "network": {"layers": [64, 40, 33, 10]},
    "neuron": {"sign": {}},
    "norm": {"batch": {}},
    "synapse": {"binary": {}},
    "credit": {"backprop": {}},
    "objective": {"softmax-cross-entropy": {}},
    "optim": {"adam": {"lr": 0.01}},
}


def test_a_packed_network_answers_as_the_network_did(tmp_path, batch):
    run = bouton.Experiment(bouton.Recipe(BINARY), out=tmp_path).run()
    file = tmp_path / "packed.safetensors"
    words = ["convert", run.path.name, "--packed", "-o", str(file), "--out", str(tmp_path)]
    assert bouton._bouton.command(["bouton", *words]) == 0
    packed = bouton.Packed.load(file)
    np.testing.assert_array_equal(packed.forward(batch[0]), run.network().forward(batch[0]))
    assert packed.bytes < (64 * 40 + 40 * 33 + 33 * 10) * 4 / 2
    with pytest.raises(bouton.ShapeError):
        packed.forward(batch[0][:, :63])
    with pytest.raises(bouton.ShapeError):
        packed.forward(batch[0][:0])
    (tmp_path / "broken").write_bytes(b"no tensors")
    with pytest.raises(bouton.CheckpointError):
        bouton.Packed.load(tmp_path / "broken")
