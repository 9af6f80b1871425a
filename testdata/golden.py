"""The nets, inputs and free states behind testdata/ep, and the writer of its files."""

import json

import numpy as np

import ep_reference as ep
from ep_reference import Net, repeat, step

SEED = 2017
SIZES, BATCH = [20, 30, 25, 10], 8
BETA, T, K = 0.1, 20, 5
FILES = {}


# ---------------------------------------------------------------- nets
def uniform_net(rng, sizes, batch):
    """W, b ~ U(+-1/sqrt(fan_in)), x ~ U(0, 1), one-hot targets."""
    W, b = [], []
    for fan_in, units in zip(sizes, sizes[1:]):
        bound = 1 / np.sqrt(fan_in)
        W.append(rng.uniform(-bound, bound, (units, fan_in)))
        b.append(rng.uniform(-bound, bound, units))
    x = rng.uniform(0, 1, (batch, sizes[0]))
    labels = rng.integers(0, sizes[-1], batch)
    return W, b, x, labels, np.eye(sizes[-1])[labels]


RNG = np.random.default_rng(SEED)
W, B, X, LABELS, Y = uniform_net(RNG, SIZES, BATCH)
SMALL = uniform_net(RNG, [6, 7, 5, 4], 3)


def mse(act, output=None):
    return Net(W, B, [act, act, output or act])


def xent(act):
    return Net(W[:2], B[:2], [act, act], readout=(W[2], B[2]))


NETS = {
    "hard-sigmoid": mse("hard-sigmoid"),
    "shifted-sigmoid": mse("shifted-sigmoid"),
    "tanh": mse("tanh"),
    "dsilu": mse("dsilu"),
    "hard-sigmoid+linear-output": mse("hard-sigmoid", "linear"),
    "shifted-sigmoid+softmax-readout": xent("shifted-sigmoid"),
    "tanh+softmax-readout": xent("tanh"),
}
SMOOTH = [k for k in NETS if not k.startswith("hard")]


def rest(net, beta=0.0, start=None):
    """Converged synchronous fixed point."""
    return ep.settle(lambda s: step(net, X, Y, s, beta), ep.zeros(net, X) if start is None else start)


FREE = {name: rest(net) for name, net in NETS.items()}


def nudged(name, beta, steps=K, nudge="inside"):
    net = NETS[name]
    return repeat(lambda s: step(net, X, Y, s, beta, nudge), FREE[name], steps)


# ---------------------------------------------------------------- writing
def params(g):
    return {"W": g[0], "b": g[1]}


def text(v, depth=0):
    """JSON with one matrix row per line; numbers in shortest round-trip form."""
    pad = " " * depth
    if isinstance(v, np.ndarray):
        v = v.tolist()
    if isinstance(v, dict):
        rows = [f'{pad} "{k}": {text(w, depth + 1)}' for k, w in v.items()]
        return "{\n" + ",\n".join(rows) + f"\n{pad}}}"
    if isinstance(v, (list, tuple)) and v and isinstance(v[0], (list, tuple, dict, np.ndarray)):
        return "[\n" + ",\n".join(f"{pad} {text(w, depth + 1)}" for w in v) + f"\n{pad}]"
    return json.dumps(v, allow_nan=False, separators=(",", ":"))


def save(name, about, **content):
    body = text({"about": about, **content}) + "\n"
    assert len(body) < 300_000, (name, len(body))
    FILES[f"{name}.json"] = body


def between(value, low, high, what):
    assert low <= value <= high, f"{what}: {value:.3g} not in [{low:.3g}, {high:.3g}]"
    print(f"  {what}: {value:.3g}")
