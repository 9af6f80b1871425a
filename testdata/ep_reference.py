"""Dense settling networks in plain NumPy float64 (complex128 for the holomorphic estimator), written from the equations.

Layers s_1..s_L, clamped input s_0 = x, rows are samples, W_n is [post, pre].
    Phi(s) = sum_n s_n . (W_n s_{n-1} + b_n)          E(s) = 1/2 sum_n |s_n|^2 - Phi(s)
    drive  d_n = dPhi/ds_n = W_n s_{n-1} + b_n + W_{n+1}^T s_{n+1}
    fixed point of the nudged system  s_n = f_n(d_n),  s_L = f_L(d_L - beta dl/ds_L)
Losses are per sample inside the dynamics and averaged over the batch in every gradient:
    mse:  l = 1/2 |s_L - y|^2          xent: l = CE(softmax(W_o s_L + b_o), y), logits outside the dynamics
In code, layer n lives at list index n - 1.
"""

from dataclasses import dataclass

import numpy as np


# ---------------------------------------------------------------- activations: name -> (f, f')
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _silu3(x):
    return x * sigmoid(3 * x)


def _silu3_slope(x):
    p = sigmoid(3 * x)
    return p + 3 * x * p * (1 - p)


def _dsilu(z):
    return 0.5 * z * sigmoid(z) + (1 - 0.5 * z) * sigmoid(z - 2)


def _dsilu_slope(z):
    p, q = sigmoid(z), sigmoid(z - 2)
    return 0.5 * p + 0.5 * z * p * (1 - p) - 0.5 * q + (1 - 0.5 * z) * q * (1 - q)


def _inside(x, low, high):
    """1 strictly between the kinks, 0 elsewhere (a drive never falls exactly on a kink here)."""
    return ((x > low) & (x < high)).astype(float)


def _shifted(x):
    return sigmoid(4 * (x - 0.5))


ACTIVATIONS = {
    "linear": (lambda x: x, lambda x: np.ones_like(x)),
    "relu": (lambda x: np.maximum(x, 0), lambda x: _inside(x, 0, np.inf)),
    "relu6": (lambda x: np.clip(x, 0, 6), lambda x: _inside(x, 0, 6)),
    "hard-sigmoid": (lambda x: np.clip(x, 0, 1), lambda x: _inside(x, 0, 1)),
    "half-hard-sigmoid": (lambda x: np.clip(x / 2, 0, 1), lambda x: 0.5 * _inside(x, 0, 2)),
    "shifted-sigmoid": (_shifted, lambda x: 4 * _shifted(x) * (1 - _shifted(x))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "dsilu": (_dsilu, _dsilu_slope),
    "silu-step": (lambda z: _silu3(z) - _silu3(z - 1), lambda z: _silu3_slope(z) - _silu3_slope(z - 1)),
}


def softmax(o):
    e = np.exp(o - o.real.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---------------------------------------------------------------- network
@dataclass
class Net:
    W: list
    b: list
    acts: list  # one activation name per layer
    readout: tuple | None = None  # (W_o, b_o): cross-entropy; None: squared error on s_L

    @property
    def depth(self):
        return len(self.W)

    def f(self, n, d):
        return ACTIVATIONS[self.acts[n]][0](d)

    def slope(self, n, d):
        return ACTIVATIONS[self.acts[n]][1](d)


def zeros(net, x):
    return [np.zeros((len(x), len(b))) for b in net.b]


def drive(net, x, s, n):
    d = (x if n == 0 else s[n - 1]) @ net.W[n].T + net.b[n]
    return d if n == net.depth - 1 else d + s[n + 1] @ net.W[n + 1]


def logits(net, s):
    return s[-1] @ net.readout[0].T + net.readout[1]


def loss_slope(net, s, y):
    """dl/ds_L per sample."""
    if net.readout is None:
        return s[-1] - y
    return (softmax(logits(net, s)) - y) @ net.readout[0]


def loss(net, s, y):
    """Batch mean of l."""
    if net.readout is None:
        return 0.5 * ((s[-1] - y) ** 2).sum(axis=1).mean()
    return -np.log((softmax(logits(net, s)) * y).sum(axis=1)).mean()


def phi_grad(x, s):
    """Batch mean of dPhi/dW_n and dPhi/db_n (no complex conjugation)."""
    pre = [x] + s[:-1]
    return [a.T @ p / len(x) for a, p in zip(s, pre)], [a.mean(axis=0) for a in s]


# ---------------------------------------------------------------- dynamics
def step(net, x, y, s, beta=0.0, nudge="inside"):
    """One synchronous step: every layer from the old state."""
    d = [drive(net, x, s, n) for n in range(net.depth)]
    if nudge == "inside" and beta != 0:
        d[-1] = d[-1] - beta * loss_slope(net, s, y)
    new = [net.f(n, d[n]) for n in range(net.depth)]
    if nudge == "outside" and beta != 0:
        new[-1] = new[-1] - beta * loss_slope(net, s, y)
    return new


def groups(net):
    """Even-odd order: first the parity group that contains layer L, then the other one."""
    last = net.depth - 1
    return [[n for n in range(net.depth) if (last - n) % 2 == r] for r in (0, 1)]


def half_sweep(net, x, y, s, group, beta=0.0, omega=1.0, exact_output=False, frozen=()):
    """Update one parity group from the current state. exact_output: s_L = (d_L + beta y)/(1 + beta), linear mse output."""
    new = list(s)
    for n in group:
        if n in frozen:
            continue
        d = drive(net, x, s, n)
        if n == net.depth - 1 and beta != 0:
            d = (d + beta * y) / (1 + beta) if exact_output else d - beta * loss_slope(net, s, y)
        if omega == 1.0:
            new[n] = net.f(n, d)
        elif net.acts[n] == "hard-sigmoid":
            new[n] = np.clip((1 - omega) * s[n] + omega * d, 0, 1)
        else:
            new[n] = (1 - omega) * s[n] + omega * net.f(n, d)
    return new


def sweep(net, x, y, s, **how):
    for group in groups(net):
        s = half_sweep(net, x, y, s, group, **how)
    return s


def repeat(advance, s, times):
    for _ in range(times):
        s = advance(s)
    return s


def row_change(new, old):
    """Per-sample residual: largest |change| of any unit."""
    return np.max([np.abs(a - b).max(axis=1) for a, b in zip(new, old)], axis=0)


def settle(advance, s, tol=1e-15, limit=20000):
    """Advance until the residual of every sample is <= tol; then 50 more steps wash out the last bits."""
    for _ in range(limit):
        new = advance(s)
        done, s = row_change(new, s).max() <= tol, new
        if done:
            return repeat(advance, s, 50)
    return s


def energy_step(net, x, y, s, eps, beta=0.0, rho_input=False, output_slope=True, loss_of_rho=False):
    """Real-time dynamics s <- clip(s + eps (-dF/ds), 0, 1), rho = activation of layer 1, inside the weights.

    -dF/ds_n = -s_n + rho'(s_n) (W_n rho(s_{n-1}) + b_n + W_{n+1}^T rho(s_{n+1})), output + beta (y - s_L).
    rho' of the hard sigmoid is 1 on the closed interval [0, 1]. output_slope False drops rho'(s_L) on the output.
    loss_of_rho: the loss is one of rho(s_L), so that the nudge is beta rho'(s_L) (y - rho(s_L)).
    """
    name = net.acts[0]
    rho = ACTIVATIONS[name][0]
    slope = (lambda v: ((v >= 0) & (v <= 1)).astype(float)) if name == "hard-sigmoid" else ACTIVATIONS[name][1]
    fired = [rho(v) for v in s]
    new = []
    for n in range(net.depth):
        d = drive(net, rho(x) if rho_input else x, fired, n)
        last = n == net.depth - 1
        rate = -s[n] + (d if last and not output_slope else slope(s[n]) * d)
        if last and beta != 0:
            rate = rate + beta * (slope(s[n]) * (y - fired[n]) if loss_of_rho else y - s[n])
        new.append(np.clip(s[n] + eps * rate, 0, 1))
    return new


# ---------------------------------------------------------------- Lyapunov energy
def _xlogx(v):
    return np.where(v > 0, v * np.log(np.where(v > 0, v, 1.0)), 0.0)


def inverse_integral(name, v):
    """Integral of f^{-1} from 0 to v (hard sigmoid: inside the box)."""
    if name in ("linear", "hard-sigmoid"):
        return 0.5 * v**2
    if name == "shifted-sigmoid":
        return 0.5 * v + 0.25 * (_xlogx(v) + _xlogx(1 - v))
    if name == "tanh":
        return v * np.arctanh(v) + 0.5 * np.log1p(-(v**2))
    raise ValueError(name)


def lyapunov(net, x, y, s, beta=0.0):
    """E_sigma + beta l per sample (mse)."""
    total = beta * 0.5 * ((s[-1] - y) ** 2).sum(axis=1) if beta else np.zeros(len(x))
    for n in range(net.depth):
        below = x if n == 0 else s[n - 1]
        total = total + inverse_integral(net.acts[n], s[n]).sum(axis=1)
        total = total - (s[n] * (below @ net.W[n].T + net.b[n])).sum(axis=1)
    return total


# ---------------------------------------------------------------- gradients: pairs (list of W, list of b)
def scale(a, g):
    return [a * w for w in g[0]], [a * v for v in g[1]]


def add(g, h):
    return [a + b for a, b in zip(g[0], h[0])], [a + b for a, b in zip(g[1], h[1])]


def contrast(x, s_plus, s_minus, span):
    """-(dPhi(s_plus) - dPhi(s_minus)) / span."""
    return scale(-1 / span, add(phi_grad(x, s_plus), scale(-1, phi_grad(x, s_minus))))


def pull_layers(net, x, s, delta):
    """Backwards through the drives: parameter gradient (batch mean) and gradient on the old state.

    delta[n] = dloss/dd_n per sample, None where a layer was not updated.
    """
    size = len(x)
    gw = [np.zeros_like(w) for w in net.W]
    gb = [np.zeros_like(v) for v in net.b]
    g = [np.zeros_like(v) for v in s]
    for n, e in enumerate(delta):
        if e is None:
            continue
        gw[n] += e.T @ (x if n == 0 else s[n - 1]) / size
        gb[n] += e.mean(axis=0)
        if n > 0:
            g[n - 1] += e @ net.W[n]
        if n < net.depth - 1:
            gw[n + 1] += s[n + 1].T @ e / size
            g[n + 1] += e @ net.W[n + 1].T
    return (gw, gb), g


def bptt(net, x, y, s, steps, keep=None):
    """Gradient of the loss after `steps` free synchronous steps from s (s constant); per-step list, last step first.

    keep: only the last `keep` steps contribute (truncated BPTT). Also returns the per-sample dl/ds of each step.
    """
    path = [s]
    for _ in range(steps):
        path.append(step(net, x, y, path[-1]))
    g = [np.zeros_like(v) for v in s]
    g[-1] = loss_slope(net, path[-1], y)
    parts, states = [], []
    for old in reversed(path[:-1][-(keep or steps):]):
        states.append(g)
        delta = [net.slope(n, drive(net, x, old, n)) * g[n] for n in range(net.depth)]
        part, g = pull_layers(net, x, old, delta)
        parts.append(part)
    return parts, states


def bptt_half_sweeps(net, x, y, s, count):
    """As bptt from a fixed point s, over half-sweeps; walking backwards, the group with layer L comes first."""
    g = [np.zeros_like(v) for v in s]
    g[-1] = loss_slope(net, s, y)
    parts = []
    for k in range(count):
        group = groups(net)[k % 2]
        delta = [net.slope(n, drive(net, x, s, n)) * g[n] if n in group else None for n in range(net.depth)]
        part, back = pull_layers(net, x, s, delta)
        g = [back[n] if n in group else g[n] + back[n] for n in range(net.depth)]
        parts.append(part)
    return parts


def total(parts):
    out = parts[0]
    for p in parts[1:]:
        out = add(out, p)
    return out


def adjoint(net, x, y, s, first=None, steps=3000):
    """Recurrent backprop at the fixed point s: the infinite sum of bptt's steps. first: dl/ds_L, default that of the loss."""
    g = [np.zeros_like(v) for v in s]
    g[-1] = loss_slope(net, s, y) if first is None else first
    d = [net.slope(n, drive(net, x, s, n)) for n in range(net.depth)]
    summed = [np.zeros_like(v) for v in s]
    for _ in range(steps):
        delta = [a * b for a, b in zip(d, g)]
        summed = [a + b for a, b in zip(summed, delta)]
        g = pull_layers(net, x, s, delta)[1]
    return pull_layers(net, x, s, summed)[0]


def readout_grad(net, s, y):
    """Gradient of the softmax readout at the state s."""
    e = softmax(logits(net, s)) - y
    return e.T @ s[-1] / len(y), e.mean(axis=0)


def holomorphic(net, x, y, s0, beta, points, advance_times):
    """-(1/N) sum_k dPhi(s^{beta_k}) / beta_k, beta_k = beta exp(2 pi i k / N), real part; all phases start from s0."""
    out = None
    for k in range(points):
        b = beta * np.exp(2j * np.pi * k / points)
        s = repeat(lambda v: step(net, x, y, v, b), [v.astype(complex) for v in s0], advance_times)
        part = scale(-1 / (points * b), phi_grad(x, s))
        out = part if out is None else add(out, part)
    return [w.real for w in out[0]], [v.real for v in out[1]]


# ---------------------------------------------------------------- comparisons
def flat(g):
    return np.concatenate([v.ravel() for v in g[0] + g[1]])


def rel_error(g, ref):
    return np.linalg.norm(flat(g) - flat(ref)) / np.linalg.norm(flat(ref))


def cosine(g, h):
    return flat(g) @ flat(h) / np.linalg.norm(flat(g)) / np.linalg.norm(flat(h))
