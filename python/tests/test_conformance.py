"""bouton against an implementation in NumPy float64, written from the equations alone."""

import numpy as np
import pytest

import bouton

LAYERS = [64, 16, 12, 10]


def sigma(v):
    return 1 / (1 + np.exp(-4 * (v - 0.5)))


def net(weights):
    w = [weights[f"{a}-{b}.weight"].astype(float) for a, b in zip(["input", "hidden1", "hidden2"], ["hidden1", "hidden2", "output"])]
    b = [weights[f"{p}.bias"].astype(float) for p in ["hidden1", "hidden2", "output"]]
    return w, b


def sweep(w, b, x, s, y, beta):
    """s <- sigma(dPhi/ds) for all layers at once (Ernoult et al. 2019), nudge inside."""
    drive = []
    for n in range(3):
        below = x if n == 0 else s[n - 1]
        d = below @ w[n].T + b[n]
        if n < 2:
            d = d + s[n + 1] @ w[n + 1]
        else:
            d = d + beta * (y - s[n])
        drive.append(d)
    return [sigma(d) for d in drive]


def settle(w, b, x, y, s, beta, steps):
    for _ in range(steps):
        s = sweep(w, b, x, s, y, beta)
    return s


def phi_gradients(x, s):
    pre = [x, s[0], s[1]]
    return [s[n].T @ pre[n] for n in range(3)] + [s[n].sum(0, keepdims=True) for n in range(3)]


def reference(weights, x, labels, beta, free, nudged, signs):
    w, b = net(weights)
    y = np.eye(10)[labels]
    zero = [np.zeros((len(x), n)) for n in LAYERS[1:]]
    s0 = settle(w, b, x, y, zero, 0.0, free)
    states = {0.0: s0} | {sign * beta: settle(w, b, x, y, s0, sign * beta, nudged) for sign in signs}
    plus, minus = (beta, -beta) if len(signs) == 2 else (signs[0] * beta, 0.0)
    g = [-(p - m) / (plus - minus) / len(x) for p, m in zip(phi_gradients(x, states[plus]), phi_gradients(x, states[minus]))]
    names = ["input-hidden1.weight", "hidden1-hidden2.weight", "hidden2-output.weight", "hidden1.bias", "hidden2.bias", "output.bias"]
    return states, dict(zip(names, g))


def cosine(a, b):
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("nudge, signs", [("symmetric", [1, -1]), ("positive", [1]), ("negative", [-1])])
def test_states_and_gradients_of_equilibrium_propagation(recipe, batch, seed, nudge, signs):
    x, y = batch
    recipe = recipe.replace(seed=seed, credit__eq_prop__nudge=nudge)
    network = bouton.Network(recipe)
    states, want = reference(network.weights, x.astype(float), y, 0.1, 40, 10, signs)
    phases = network.relax(x, y)
    assert [p["beta"] for p in phases] == [0.0] + [s * 0.1 for s in signs]
    for phase in phases:
        for name, s in zip(["hidden1", "hidden2", "output"], states[phase["beta"]]):
            assert np.abs(phase["states"][name] - s).max() <= 1e-5
    np.testing.assert_array_equal(network.forward(x), phases[0]["states"]["output"])
    got = network.gradients(x, y)
    assert got.keys() == want.keys()
    for name, g in want.items():
        assert cosine(got[name].astype(float), g) >= 0.99999, name
    exact = bouton.Network(recipe.replace(precision="f64"))
    exact.set_weights({k: v.astype(float) for k, v in network.weights.items()})
    for name, g in exact.gradients(x.astype(float), y).items():
        assert cosine(g, want[name]) >= 0.99999 and np.allclose(g, want[name], rtol=1e-9, atol=1e-12), name


def test_backprop_against_numpy(batch):
    x, y = batch[0].astype(float), batch[1]
    recipe = bouton.Recipe({
        "task": {"digits": {"batch": 9, "epochs": 1}}, "network": {"layers": [64, 20, 10]}, "neuron": {"relu": {}}, "precision": "f64",
        "objective": {"softmax-cross-entropy": {}}, "credit": {"backprop": {}}, "optim": {"sgd": {"lr": 0.1}},
    })
    network = bouton.Network(recipe)
    w = network.weights
    h = np.maximum(0, x @ w["input-hidden1.weight"].T + w["hidden1.bias"])
    o = h @ w["hidden1-output.weight"].T + w["output.bias"]
    p = np.exp(o - o.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    e = (p - np.eye(10)[y]) / len(x)
    d = (e @ w["hidden1-output.weight"]) * (h > 0)
    want = {"hidden1-output.weight": e.T @ h, "output.bias": e.sum(0, keepdims=True),
            "input-hidden1.weight": d.T @ x, "hidden1.bias": d.sum(0, keepdims=True)}
    np.testing.assert_allclose(network.forward(x), o, rtol=1e-12, atol=1e-12)
    for name, g in network.gradients(x, y).items():
        np.testing.assert_allclose(g, want[name], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("credit, bound", [
    ({"backprop": {}}, 1e-6),
    ({"bptt": {"steps": 60}}, 1e-6),
    ({"eq-prop": {"beta": 1e-3, "free-steps": 200, "nudged-steps": 200}}, 1e-4),
])
def test_backward_is_the_gradient_of_any_loss(batch, credit, bound):
    """The loss sum(g * forward(x)): its gradient by central differences of the weights and of the input."""
    x = batch[0][:3].astype(float)
    g = np.random.default_rng(1).normal(size=(3, 10))
    neuron = {"relu": {}} if "backprop" in credit else {"settle": {}}
    objective = {"softmax-cross-entropy": {}} if "backprop" in credit else {"squared-error": {}}
    network = bouton.Network(bouton.Recipe({
        "task": {"digits": {"batch": 9, "epochs": 1}}, "network": {"layers": [64, 8, 10]}, "neuron": neuron, "precision": "f64",
        "wiring": {"dense": {"gain": 0.5}}, "objective": objective, "credit": credit, "optim": {"sgd": {"lr": 0.1}},
    }))
    gradients, gx = network.backward(x, g)
    loss = lambda: float((network.forward(x) * g).sum())
    rng, h = np.random.default_rng(2), 1e-5
    for name, w in network.weights.items():
        for _ in range(4):
            i = tuple(rng.integers(0, n) for n in w.shape)
            values = []
            for sign in (1, -1):
                moved = w.copy()
                moved[i] += sign * h
                network.set_weights({name: moved})
                values.append(loss())
            network.set_weights({name: w})
            assert abs((values[0] - values[1]) / (2 * h) - gradients[name][i]) <= bound, (name, i)
    for i in [(0, 5), (2, 33)]:
        values = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * h
            values.append(float((network.forward(moved) * g).sum()))
        assert abs((values[0] - values[1]) / (2 * h) - gx[i]) <= bound, i


def test_cli_and_python_agree_bit_for_bit(tmp_path, recipe):
    import subprocess, sys

    file = tmp_path / "small.toml"
    file.write_text(recipe.to_toml())
    code = "import sys; sys.argv[0] = 'bouton'; from bouton._command import main; main()"
    subprocess.run([sys.executable, "-c", code, "run", str(file), "--out", str(tmp_path / "cli")], check=True, capture_output=True)
    run = bouton.Experiment(file, out=tmp_path / "python").run(progress=False)
    cli = bouton.Run(next((tmp_path / "cli").iterdir()))
    last = lambda r: (r.path / "checkpoints" / "last.safetensors").read_bytes()
    assert last(run) == last(cli)
    strip = lambda r: [{k: v for k, v in line.items() if k != "wall"} for line in r.records()]
    assert strip(run) == strip(cli)
