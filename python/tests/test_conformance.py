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


def windows(v):
    """(samples, channels, 8, 8) as (samples, channels, 4, 4, 4): the four values of every window of 2x2."""
    n, c = v.shape[:2]
    return v.reshape(n, c, 4, 2, 4, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 4, 4, 4)


def patches(x):
    """Every 3x3 neighbourhood of (samples, channels, 8, 8) with zeros around: (samples, channels, 3, 3, 8, 8)."""
    wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return np.stack([np.stack([wide[:, :, i : i + 8, j : j + 8] for j in range(3)], 2) for i in range(3)], 2)


def pooled(v, how):
    w = windows(v)
    return w.max(-1) if how == "max" else w.mean(-1)


def unpooled(v, g, how):
    """The gradient of sum(g * pooled(v)) with respect to v."""
    w = windows(v)
    share = (np.arange(4) == w.argmax(-1)[..., None]) if how == "max" else np.full(w.shape, 0.25)
    n, c = v.shape[:2]
    return (share * g[..., None]).reshape(n, c, 4, 4, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 8, 8)


@pytest.mark.parametrize("how", ["max", "average"])
def test_states_and_gradients_of_a_convolutional_network(how):
    """Phi = s1 . (P(w * x) + b1) + o . (W s1 + b), 1x8x8 - 4x8x8 pooled to 4x4x4 - 10 (Ernoult et al. 2019, P-conv), and
    a second convolution in between, whose pooling chooses anew in every sweep."""
    rng = np.random.default_rng(7)
    x, y = rng.random((6, 1, 8, 8), dtype=np.float32), rng.integers(0, 10, 6)
    recipe = bouton.Recipe({
        "task": {"digits": {"batch": 20, "epochs": 1}}, "precision": "f64",
        "network": {"layers": [{"image": [1, 8, 8]}, {"filters": 3, "kernel": 3, "padding": 1},
                               {"filters": 4, "kernel": 3, "padding": 1, "pool": {how: 2}}, 10]},
        "neuron": {"settle": {"activation": "shifted-sigmoid"}}, "wiring": {"conv": {}},
        "credit": {"eq-prop": {"beta": 0.1, "nudge": "symmetric", "free-steps": 60, "nudged-steps": 20}},
        "optim": {"sgd": {"lr": 0.1}},
    })
    network = bouton.Network(recipe)
    assert network.shapes == {"input": (1, 8, 8), "hidden1": (3, 8, 8), "hidden2": (4, 4, 4), "output": (10, 1, 1)}
    kernels = {k: rng.normal(size=v.shape) * 0.1 for k, v in network.weights.items()}
    network.set_weights(kernels)
    k1 = kernels["input-hidden1.weight"].reshape(3, 1, 3, 3)
    k2 = kernels["hidden1-hidden2.weight"].reshape(4, 3, 3, 3)
    w = kernels["hidden2-output.weight"].reshape(10, 4, 4, 4).transpose(0, 3, 1, 2)
    b = [kernels[f"{p}.bias"].reshape(-1) for p in ("hidden1", "hidden2", "output")]
    convolve = lambda k, s: np.einsum("fcij,ncijpq->nfpq", k, patches(s))
    transpose = lambda k, s: np.einsum("fcij,nfijpq->ncpq", k[:, :, ::-1, ::-1], patches(s))

    def settle(s, beta, steps):
        for _ in range(steps):
            s1, s2, o = s
            v = convolve(k2, s1)
            s = (sigma(convolve(k1, x) + b[0][:, None, None] + transpose(k2, unpooled(v, s2, how))),
                 sigma(pooled(v, how) + b[1][:, None, None] + np.einsum("ocij,no->ncij", w, o)),
                 sigma(np.einsum("ocij,ncij->no", w, s2) + b[2] + beta * (np.eye(10)[y] - o)))
        return s

    def contrast(s1, s2, o):
        back = unpooled(convolve(k2, s1), s2, how)
        g = [np.einsum("nfpq,ncijpq->fcij", s1, patches(x)), np.einsum("nfpq,ncijpq->fcij", back, patches(s1)),
             np.einsum("no,ncij->oijc", o, s2), s1.sum((0, 2, 3)), s2.sum((0, 2, 3)), o.sum(0)]
        return [v.reshape(len(v), -1) if n < 3 else v[None] for n, v in enumerate(g)]

    free = settle((np.zeros((6, 3, 8, 8)), np.zeros((6, 4, 4, 4)), np.zeros((6, 10))), 0.0, 60)
    states = [free, settle(free, 0.1, 20), settle(free, -0.1, 20)]
    for phase, s in zip(network.relax(x, y), states):
        for name, value in zip(["hidden1", "hidden2", "output"], s):
            rows = value.transpose(0, 2, 3, 1).reshape(6, -1) if value.ndim == 4 else value
            np.testing.assert_allclose(phase["states"][name], rows, rtol=1e-10, atol=1e-12)
    names = ["input-hidden1.weight", "hidden1-hidden2.weight", "hidden2-output.weight", "hidden1.bias", "hidden2.bias", "output.bias"]
    got = network.gradients(x, y)
    for name, plus, minus in zip(names, contrast(*states[1]), contrast(*states[2])):
        np.testing.assert_allclose(got[name], -(plus - minus) / 0.2 / 6, rtol=1e-8, atol=1e-11, err_msg=name)


def test_a_metaplastic_step_against_numpy():
    """W_h <- W_h - lr g (1 - tanh(m W_h)^2 where the step shrinks |W_h|), W = sign(W_h) (Laborieux et al. 2021, eq. 4-5)."""
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(50, 64)), rng.integers(0, 10, 50)
    network = bouton.Network(bouton.Recipe({
        "task": {"digits": {"batch": 50, "epochs": 1}}, "precision": "f64", "network": {"layers": [64, 30, 10]},
        "neuron": {"sign": {}}, "norm": {"batch": {}}, "synapse": {"metaplastic": {"m": 1.35}}, "credit": {"backprop": {}},
        "objective": {"softmax-cross-entropy": {}}, "optim": {"sgd": {"lr": 2.0}},
    }))
    protected = 0
    for _ in range(3):
        before, gradients = network.state_dict(), network.gradients(x, y)
        network.step(x, y)
        after = network.state_dict()
        for layer in ("input-hidden1", "hidden1-output"):
            hidden, change = before[f"{layer}.metaplastic.hidden"], -2.0 * gradients[f"{layer}.weight"]
            shrinks = hidden * change < 0
            factor = np.where(shrinks, 1 - np.tanh(1.35 * hidden) ** 2, 1.0)
            protected += shrinks.sum()
            np.testing.assert_allclose(after[f"{layer}.metaplastic.hidden"], hidden + factor * change, rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(after[f"{layer}.weight"], np.where(after[f"{layer}.metaplastic.hidden"] >= 0, 1.0, -1.0))
    assert protected > 1000


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
    cli = bouton.Run(next((tmp_path / "cli").glob("*/status.json")).parent)
    last = lambda r: (r.path / "checkpoints" / "last.safetensors").read_bytes()
    assert last(run) == last(cli)
    strip = lambda r: [{k: v for k, v in line.items() if k != "wall"} for line in r.records()]
    assert strip(run) == strip(cli)
