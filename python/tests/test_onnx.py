"""ONNX files of trained networks, answered by onnxruntime as `bouton predict` answers."""

import json
import pathlib
import re
import subprocess
import sys

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


def in_a_process(line):
    """Carries out a line of a page: a process trains by the command once."""
    program = "from bouton._command import main; main()"
    subprocess.run([sys.executable, "-c", program, *line.split()[1:]], check=True, capture_output=True)


def model_of(folder, recipe, *more):
    """The ONNX file of a trained recipe, checked, and a session that answers it."""
    (folder / "r.toml").write_text(recipe)
    bouton.Experiment(folder / "r.toml", out=folder / "runs").run(progress=False)
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


SEQUENCE = "[network]\nlayers = [64, 16, %d]\n" + SOFTMAX + "[neuron.relu]\n[sequence.%s]\n%s\n" + BACKPROP


@pytest.mark.parametrize("task", [1, 2])
def test_every_head_is_in_the_file(tmp_path, task):
    """Probabilities of a task are those of its own outputs, wherever they stand."""
    recipe = DIGITS + SEQUENCE % (10, "split", 'classes = 5\n[continual]\nscenario = "task"')
    model, session = model_of(tmp_path, recipe)
    x = (np.random.default_rng(4).integers(0, 17, (7, 1, 8, 8)) / 16).astype(np.float32)
    logits, p = session.run(None, {"input": x})
    assert json.loads({e.key: e.value for e in model.metadata_props}["heads"]) == [[0, 5], [5, 10]]
    own = slice(5 * task - 5, 5 * task)
    np.testing.assert_allclose(p[:, own], predicted(tmp_path, x, "--task", task), atol=1e-5)
    assert logits.shape == (7, 10) and np.allclose(p.reshape(7, 2, 5).sum(-1), 1)


def test_classes_that_were_seen_share_their_probability(tmp_path):
    recipe = DIGITS + SEQUENCE % (10, "split", 'classes = 5\n[continual]\nscenario = "class"\nupdates = 5')
    _, session = model_of(tmp_path, recipe + "[run]\nupdates = 5\n")
    x = (np.random.default_rng(4).integers(0, 17, (7, 1, 8, 8)) / 16).astype(np.float32)
    want = alike(tmp_path, session, x, "--task", 1)
    assert want.shape == (7, 5)


@pytest.mark.parametrize("task", [1, 2])
def test_a_file_of_one_task_sees_as_the_task_sees(tmp_path, task):
    more = "tasks = 2\npad = 1\n[norm.batch]\nper-task = true"
    recipe = DIGITS + SEQUENCE.replace("64", "100") % (10, "permuted", more)
    _, session = model_of(tmp_path, recipe, "--task", task)
    x = (np.random.default_rng(4).integers(0, 17, (20, 1, 8, 8)) / 16).astype(np.float32)
    alike(tmp_path, session, x, "--task", task)


COLOURS = "[network]\nlayers = [%s]\n" + SOFTMAX + "[wiring.conv]\n[neuron.relu]\n" + BACKPROP
LAYERS = ["48, 12, 3", "{ image = [3, 4, 4] }, 12, 3", "{ image = [3, 4, 4] }, { filters = 5, kernel = 3 }, 3"]


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("pixels", [True, False])
def test_channels_stand_first_in_the_file(tmp_path, layers, pixels):
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 256, (60, 3, 4, 4), dtype=np.uint8), rng.integers(0, 3, 60)
    seen = x if pixels else rng.normal(size=x.shape).astype(np.float32)
    np.savez(tmp_path / "d.npz", X=seen, y=y)
    files = '[task.files]\ntrain = "d.npz"\ntest = 0.2\nbatch = 8\nepochs = 1\n'
    _, session = model_of(tmp_path, files + COLOURS % layers)
    alike(tmp_path, session, (x / 255).astype(np.float32) if pixels else seen)


def test_inputs_with_names_are_columns(tmp_path):
    recipe = (
        "[task.context]\nfeatures = 6\ncontexts = 3\nclasses = 4\ntrain = 100\ntest = 20\nbatch = 10\nepochs = 1\n"
        "[network]\nlayers = [6, 8, 4]\n[neuron.relu]\n" + SOFTMAX + BACKPROP
        + '[population.context]\nclamp = "context"\n[connection.context-hidden1]\nfrom = "context"\nto = "hidden1"\n'
        + '[population.side]\nunits = 5\nneuron.sign = {}\n[connection.input-side]\nfrom = "input"\nto = "side"\n'
        + '[connection.side-output]\nfrom = "side"\nto = "output"\n'
    )
    _, session = model_of(tmp_path, recipe)
    alike(tmp_path, session, np.random.default_rng(5).normal(size=(12, 9)).astype(np.float32))


def test_values_of_a_regression_have_no_probabilities(tmp_path):
    recipe = (
        "[task.teacher]\ninputs = 5\noutputs = 2\ntrain = 60\ntest = 20\nbatch = 10\nepochs = 1\nrule.polynomial = { degree = 2, directions = 2 }\n"
        "[network]\nlayers = [5, 8, 2]\n[neuron.relu]\n[objective.squared-error]\n" + BACKPROP
    )
    model, session = model_of(tmp_path, recipe)
    assert [o.name for o in model.graph.output] == ["values"]
    alike(tmp_path, session, np.random.default_rng(5).normal(size=(12, 5)).astype(np.float32))


def test_the_guide(tmp_path, monkeypatch):
    """The page of the book, from the top to the end."""
    page = pathlib.Path(__file__).parents[2] / "docs/src/guides/elsewhere.md"
    monkeypatch.chdir(tmp_path)
    known: dict = {}
    for language, text in re.findall(r"```(\w+)\n(.*?)```", page.read_text(), re.S):
        match language:
            case "toml":
                pathlib.Path("digits.toml").write_text(text)
            case "sh":
                for line in text.splitlines():
                    in_a_process(line)
            case "python":
                exec(text, known)
    np.testing.assert_allclose(known["probabilities"].sum(1), 1, atol=1e-5)
    assert known["run"].status["state"] == "done"
    in_a_process("bouton run digits.toml --from start.safetensors --out more")
