"""Weights of PyTorch models in networks of bouton: the same answers as the model's equations in NumPy, and refusals."""

import struct
import subprocess
import sys

import numpy as np
import pytest

import bouton
from bouton._tensors import content, read

RELU = {
    "neuron": {"relu": {}},
    "credit": {"backprop": {}},
    "objective": {"softmax-cross-entropy": {}},
    "optim": {"sgd": {"lr": 0.1}},
    "precision": "f64",
    "task": {"digits": {"batch": 20, "epochs": 1}},
}
DENSE = {**RELU, "network": {"layers": [64, 7, 10]}}
CONV = {
    **RELU,
    "network": {"layers": [{"image": [1, 8, 8]}, {"filters": 4, "kernel": 3, "padding": 1, "pool": {"max": 2}}, 10]},
    "wiring": {"conv": {}},
    "norm": {"batch": {}},
}


def dense_state(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"0.weight": (7, 64), "0.bias": (7,), "2.weight": (10, 7), "2.bias": (10,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def conv_state(seed=0):
    rng = np.random.default_rng(seed)
    state = {"conv.weight": rng.normal(size=(4, 1, 3, 3)), "conv.bias": rng.normal(size=4)}
    for norm, n in (("bn1", 4), ("bn2", 10)):
        state |= {f"{norm}.{part}": rng.normal(size=n) for part in ("weight", "bias", "running_mean")}
        state |= {f"{norm}.running_var": rng.random(n) + 0.5, f"{norm}.num_batches_tracked": np.array(3)}
        if norm == "bn1":
            state |= {"fc.weight": rng.normal(size=(10, 64)), "fc.bias": rng.normal(size=10)}
    return state


def conv_model(s, x):
    """Conv2d, BatchNorm2d, MaxPool2d of the drives, ReLU, Linear, BatchNorm1d; bouton normalises behind the pooling."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    d = np.einsum("nchwij,fcij->nfhw", windows, s["conv.weight"]) + s["conv.bias"][:, None, None]
    d = d.reshape(*d.shape[:2], 4, 2, 4, 2).max((3, 5))

    def normalised(d, name, places):
        mean, var, gain, bias = (s[f"{name}.{p}"].reshape(-1, *places) for p in ("running_mean", "running_var", "weight", "bias"))
        return (d - mean) / np.sqrt(var + 1e-5) * gain + bias

    hidden = np.maximum(normalised(d, "bn1", (1, 1)), 0).reshape(len(x), -1)
    return normalised(hidden @ s["fc.weight"].T + s["fc.bias"], "bn2", ())


@pytest.fixture
def x():
    return np.random.default_rng(7).random((9, 64))


def test_linear_layers_answer_as_the_model_does(x):
    s = dense_state()
    want = np.maximum(x @ s["0.weight"].T + s["0.bias"], 0) @ s["2.weight"].T + s["2.bias"]
    np.testing.assert_allclose(bouton.from_state_dict(DENSE, s).forward(x), want, atol=1e-12)


def test_convolutions_and_normalisations_answer_as_the_model_does(x):
    s = conv_state()
    images = x.reshape(9, 1, 8, 8)
    got = bouton.from_state_dict(CONV, s).forward(images)
    np.testing.assert_allclose(got, conv_model(s, images), atol=1e-10)
    # A layer without a bias has biases of zero.
    bare = {k: v for k, v in s.items() if k != "conv.bias"}
    got = bouton.from_state_dict(CONV, bare).forward(images)
    np.testing.assert_allclose(got, conv_model({**s, "conv.bias": np.zeros(4)}, images), atol=1e-10)


def test_a_bias_before_a_layer_normalisation_has_no_place(x):
    recipe = {**DENSE, "population": {"hidden1": {"norm": {"layer": {}}}}}
    s = dense_state()
    s |= {"1.weight": np.full(7, 2.0), "1.bias": np.full(7, 0.5)}
    with pytest.raises(bouton.CheckpointError, match="normalisation of hidden1"):
        bouton.from_state_dict(recipe, s)
    s["0.bias"] = np.zeros(7)
    d = x @ s["0.weight"].T
    d = (d - d.mean(1, keepdims=True)) / np.sqrt(d.var(1, keepdims=True) + 1e-5) * 2 + 0.5
    want = np.maximum(d, 0) @ s["2.weight"].T + s["2.bias"]
    np.testing.assert_allclose(bouton.from_state_dict(recipe, s).forward(x), want, atol=1e-10)


def test_names_by_hand_go_before_the_order(x):
    s = dense_state()
    want = bouton.from_state_dict(DENSE, s).forward(x)
    other = {k: s[k] for k in ("2.weight", "2.bias", "0.weight", "0.bias")}
    with pytest.raises(bouton.ShapeError, match=r"input-hidden1.weight has shape \(7, 64\), 2.weight \(10, 7\)"):
        bouton.from_state_dict(DENSE, other)
    by_hand = {"hidden1-output.weight": "2.weight", "output.bias": "2.bias"}
    np.testing.assert_array_equal(bouton.from_state_dict(DENSE, other, map=by_hand).forward(x), want)


def test_a_file_is_a_state(tmp_path, x):
    s = {k: v.astype(np.float32) for k, v in dense_state().items()}
    (tmp_path / "m.safetensors").write_bytes(content(s))
    want = bouton.from_state_dict(DENSE, s).forward(x)
    np.testing.assert_array_equal(bouton.from_state_dict(DENSE, tmp_path / "m.safetensors").forward(x), want)
    (tmp_path / "m.safetensors").write_bytes(content({k.replace("2.", "10."): v for k, v in reversed(s.items())}))
    np.testing.assert_array_equal(bouton.from_state_dict(DENSE, tmp_path / "m.safetensors").forward(x), want)
    with pytest.raises(bouton.DataMissingError):
        bouton.from_state_dict(DENSE, tmp_path / "none.safetensors")


def test_the_file_of_another_program_is_read(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="the package safetensors is not installed")
    s = {**dense_state(), "half": np.array([0.5, -2], np.float16), "steps": np.array([3])}
    safetensors.save_file(s, tmp_path / "theirs")
    found = read(tmp_path / "theirs")
    assert found.keys() == s.keys() - {"steps"} and all((found[k] == s[k]).all() for k in found)
    (tmp_path / "ours").write_bytes(content(s))
    assert all((v == s[k]).all() for k, v in safetensors.load_file(tmp_path / "ours").items())


def test_bfloat16_is_the_upper_half_of_a_float(tmp_path):
    header = b'{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    file = struct.pack("<Q", len(header)) + header + struct.pack("<HH", 0x3F80, 0xC040)
    (tmp_path / "b").write_bytes(file)
    assert read(tmp_path / "b")["w"].tolist() == [1.0, -3.0]


def test_a_run_begins_with_them(tmp_path, x):
    s = dense_state()
    experiment = bouton.Experiment(DENSE, out=tmp_path, weights=s, run={"updates": 1}, optim={"sgd": {"lr": 1e-9}})
    run = experiment.run(progress=False)
    want = bouton.from_state_dict(DENSE, s)
    np.testing.assert_allclose(run.network().forward(x), want.forward(x), atol=1e-5)
    # The same weights are the same run; others are another one.
    again = bouton.Experiment(DENSE, out=tmp_path, weights=want, run={"updates": 1}, optim={"sgd": {"lr": 1e-9}})
    assert again.recipe.hash == experiment.recipe.hash
    assert bouton.Experiment(DENSE, out=tmp_path, weights=dense_state(1), run={"updates": 1}).recipe.hash != experiment.recipe.hash
    bouton.save_weights(want, tmp_path / "w.safetensors")
    (tmp_path / "r.toml").write_text(bouton.Recipe(DENSE, run={"updates": 1}, optim={"sgd": {"lr": 1e-9}}).to_toml())
    # A process trains by the command once.
    words = ["run", tmp_path / "r.toml", "--from", tmp_path / "w.safetensors", "--out", tmp_path / "more"]
    program = "from bouton._command import main; main()"
    subprocess.run([sys.executable, "-c", program, *map(str, words)], check=True, capture_output=True)
    assert [p for p in (tmp_path / "more").iterdir() if p.is_dir()]


@pytest.mark.parametrize(
    "change, kind, words",
    [
        (lambda s: s.update({"0.weight": np.zeros((7, 63))}), bouton.ShapeError, ["(7, 64)", "(7, 63)"]),
        (lambda s: s.update({"2.bias": np.zeros(9)}), bouton.ShapeError, ["output.bias", "(1, 10)", "(9,)"]),
        (lambda s: s.update({"0.bias": np.full(7, np.nan)}), bouton.DataError, ["hidden1.bias", "NaN"]),
        (lambda s: s.update({"0.bias": np.arange(7)}), bouton.DataError, ["0.bias", "int64"]),
        (lambda s: s.update({"0.bias": object()}), bouton.DataError, ["0.bias", "object"]),
        (lambda s: s.pop("2.weight"), bouton.CheckpointError, ["hidden1-output.weight"]),
        (lambda s: s.update({"4.weight": np.zeros((3, 3))}), bouton.CheckpointError, ["4.weight"]),
        (lambda s: s.update({"scale": np.zeros(())}), bouton.CheckpointError, ["scale"]),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, kind, words):
    s = dense_state()
    change(s)
    with pytest.raises(kind) as e:
        bouton.from_state_dict(DENSE, s)
    assert all(word in e.value.message for word in words) and e.value.hint, e.value


def test_other_refusals():
    with pytest.raises(bouton.RecipeError):
        bouton.from_state_dict({**DENSE, "synapse": {"binary": {}}}, dense_state())
    for by_hand in ({"nothing": "0.weight"}, {"output.bias": "nothing"}):
        with pytest.raises(bouton.DataError, match="map: "):
            bouton.from_state_dict(DENSE, dense_state(), map=by_hand)
    with pytest.raises(bouton.DataError, match="negative"):
        bouton.from_state_dict(CONV, {**conv_state(), "bn1.running_var": -np.ones(4)})
    with pytest.raises(bouton.DataError):
        bouton.from_state_dict(DENSE, [1, 2])


def mutated(state, rng):
    """A state with one to three things wrong with it, or none."""
    odd = [np.zeros(0), np.zeros((0, 3, 3, 3)), np.full(4, np.inf), "text", None, [[1.0], [2.0, 3.0]], np.array("a"), {}, 1.5, np.zeros((1,) * 9)]
    for _ in range(rng.integers(1, 4)):
        name = str(rng.choice(list(state)))
        value = state[name]
        match rng.integers(0, 6):
            case 0:
                state.pop(name)
            case 1:
                state[name] = odd[rng.integers(len(odd))]
            case 2:
                state[name + "x"] = state.pop(name)
            case 3 if isinstance(value, np.ndarray):
                state[name] = np.moveaxis(value, 0, -1) if value.ndim else value
            case 4 if isinstance(value, np.ndarray) and value.size:
                state[name] = np.delete(value, 0, value.ndim - 1) if value.ndim else value
            case _:
                state = dict(sorted(state.items(), key=lambda _: rng.random()))
        if not state:
            break
    return state


def test_damaged_states_are_refused_or_taken_whole(tmp_path):
    rng = np.random.default_rng(11)
    refused = 0
    for k in range(100):
        recipe, state = (DENSE, dense_state()) if k % 2 else (CONV, conv_state())
        state = mutated(state, rng)
        try:
            bouton.from_state_dict(recipe, state)
        except bouton.BoutonError as e:
            assert e.hint and "inside" not in e.message
            refused += 1
    assert 60 < refused < 100, refused
    whole = content({k: v.astype(np.float32) for k, v in dense_state().items()})
    for k in range(100):
        broken = bytearray(whole[: rng.integers(len(whole))] if k % 2 else whole)
        for at in rng.integers(0, max(1, min(len(broken), 300)), 3):
            broken[at : at + 1] = rng.bytes(1)
        (tmp_path / "b").write_bytes(broken)
        try:
            bouton.from_state_dict(DENSE, tmp_path / "b")
        except bouton.BoutonError as e:
            assert e.hint


def test_a_model_of_pytorch_is_its_state(x):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    model = nn.Sequential(nn.Linear(64, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 10, bias=False)).double()
    model(torch.randn(30, 64, dtype=torch.float64))
    recipe = {**DENSE, "population": {"hidden1": {"norm": {"batch": {}}}}}
    want = model.eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(bouton.from_state_dict(recipe, model.state_dict()).forward(x), want, atol=1e-6)
    half = {k: v.bfloat16() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    assert np.isfinite(bouton.from_state_dict(recipe, half).forward(x)).all()
