"""ONNX files of trained networks, answered by onnxruntime as `bouton predict` answers."""

import json

import numpy as np
import pytest

import bouton

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")

DIGITS = "[task.digits]\nbatch = 20\nepochs = 1\ntrain = 200\ntest = 20\n"
BACKPROP = "[credit.backprop]\n[optim.adam]\nlr = 0.01\n"
SOFTMAX = "[objective.softmax-cross-entropy]\n"
CONV = "[wiring.conv]\n"
PATCHES = "{ image = [1, 8, 8] }, { filters = 4, kernel = 3, padding = 1, pool = %s }, { filters = 6, kernel = 3, stride = 2 }, 12, 10"
CHAIN = "[network]\nlayers = [64, 24, 16, 10]\n"
BITS = SOFTMAX + "[neuron.sign]\n[norm.batch]\n[synapse.binary]\n"


def image(pool):
    return f"[network]\nlayers = [{PATCHES % pool}]\n" + CONV


RECIPES = {
    "relu": DIGITS + CHAIN + SOFTMAX + "[neuron.relu]\n",
    "sign": DIGITS + CHAIN + SOFTMAX + "[neuron.sign]\n[norm.batch]\n",
    "sign of zero": DIGITS + CHAIN + SOFTMAX + '[neuron.sign]\nzero = "zero"\n',
    "gate": DIGITS + CHAIN + SOFTMAX + "[neuron.gate]\nthreshold = 0.3\n",
    "layer norm": DIGITS + image("{ average = 2 }") + SOFTMAX + "[neuron.relu]\n[norm.layer]\n",
    "no gain": DIGITS + CHAIN + SOFTMAX + "[neuron.relu]\n[norm.batch]\naffine = false\n",
    "batch norm": DIGITS + image("{ max = 2 }") + SOFTMAX + "[neuron.relu]\n[norm.batch]\n",
    "soft pool": DIGITS + image("{ soft = { size = 2, temperature = 0.5 } }") + SOFTMAX + "[neuron.relu]\n",
    "f64": 'precision = "f64"\n' + DIGITS + image("{ max = 2 }") + SOFTMAX + "[neuron.relu]\n",
    "temperature": DIGITS + CHAIN + "[objective.softmax-cross-entropy]\ntemperature = 2.0\nlearn-temperature = true\n[neuron.relu]\n",
    "squared error": DIGITS + CHAIN + "[objective.squared-error]\n[neuron.relu]\n",
    "binary": DIGITS + CHAIN + BITS,
    "binary with scale": DIGITS + CHAIN + BITS + "scale = 0.25\n",
    "binary image": DIGITS + image("{ max = 2 }") + BITS,
    "means of weights": DIGITS + CHAIN + SOFTMAX + "[neuron.relu]\n[synapse.mesu]\n",
    "skip": DIGITS + "[network]\nlayers = [64, 20, 20, 20, 10]\nskips = [{ from = 1, to = 3 }]\n" + SOFTMAX + "[neuron.relu]\n",
    "convolved skip": DIGITS
    + "[network]\nlayers = [{ image = [1, 8, 8] }, { filters = 4, kernel = 3, padding = 1 }, "
    + "{ filters = 4, kernel = 3, padding = 1, pool = { max = 2 } }, 10]\n"
    + "skips = [{ from = 0, to = 2, kernel = 2, stride = 2 }]\n"
    + CONV + SOFTMAX + "[neuron.relu]\n",
    "signed": DIGITS + 'pixels = "signed"\n' + CHAIN + SOFTMAX + "[neuron.relu]\n",
    "black and white": DIGITS + 'pixels = "binary"\n' + CHAIN + SOFTMAX + "[neuron.relu]\n",
    "larger": DIGITS
    + "size = 11\nnormalise = { mean = [0.3], std = [0.4] }\n"
    + "[network]\nlayers = [{ image = [1, 11, 11] }, { filters = 4, kernel = 4, padding = 1 }, 10]\n"
    + CONV + SOFTMAX + "[neuron.relu]\n",
}


def command(*words):
    """Carries out the command, or says why not."""
    assert bouton._bouton.command(["bouton", *map(str, words)]) == 0, words


def model_of(folder, recipe, *more):
    """The ONNX file of a trained recipe, checked, and a session that answers it."""
    (folder / "r.toml").write_text(recipe)
    command("run", folder / "r.toml", "--out", folder / "runs")
    command("convert", "last", "--onnx", "-o", folder / "m.onnx", "--out", folder / "runs", *more)
    model = onnx.load(folder / "m.onnx")
    onnx.checker.check_model(model, full_check=True)
    return model, onnxruntime.InferenceSession(folder / "m.onnx")


def predicted(folder, x, *more):
    """What `bouton predict` answers."""
    np.save(folder / "x.npy", x)
    command("predict", "last", folder / "x.npy", "-o", folder / "a.npz", "--out", folder / "runs", *more)
    return np.load(folder / "a.npz")["outputs"]


def alike(folder, session, x, *more):
    """Batches of one and of seven answer as `bouton predict` does."""
    want = predicted(folder, x, *more)
    outs = [o.name for o in session.get_outputs()]
    for batch in (x[:1], x[:7], x):
        got = session.run([outs[-1]], {"input": batch})[0]
        np.testing.assert_allclose(got, want[: len(batch)], rtol=1e-5, atol=1e-5)
    return want


@pytest.mark.parametrize("name", RECIPES)
def test_files_answer_as_the_network_does(tmp_path, name):
    model, session = model_of(tmp_path, RECIPES[name] + BACKPROP)
    x = (np.random.default_rng(4).integers(0, 17, (20, 1, 8, 8)) / 16).astype(np.float32)
    want = alike(tmp_path, session, x)
    assert np.ptp(want, axis=0).min() > 1e-4, "answers that do not depend on the sample test nothing"
    said = {p.key: p.value for p in model.metadata_props}
    assert json.loads(said["classes"]) == [str(i) for i in range(10)] and said["version"] == bouton.__version__
    assert len(said["recipe"]) >= 8 and json.loads(said["heads"]) == [[0, 10]]
    if "binary" in name:
        small = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.INT8]
        assert len(small) >= 3 and all(set(onnx.numpy_helper.to_array(t).ravel()) == {-1, 1} for t in small)
