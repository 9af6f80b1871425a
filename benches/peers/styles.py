"""One EP update of a net with one hidden layer, three ways in PyTorch.

Prototypical dynamics: all states at once, s = f(dPhi/ds) with f(v) = 1/(1+exp(-4(v-1/2))), squared error, nudge inside f,
states start at zero, plain SGD, one rate per layer. Sizes [n_in, n_hidden, n_out]; W1 [hidden, in], W2 [out, hidden].
"""

import torch
import torch.nn.functional as F


def squash(v):
    return 1 / (1 + torch.exp(-4 * (v - 0.5)))


def fresh(sizes, seed):
    """Weights and biases ~ U(+-1/sqrt(fan_in)): [W1, b1, W2, b2]."""
    torch.manual_seed(seed)
    out = []
    for fan_in, units in zip(sizes, sizes[1:]):
        bound = fan_in**-0.5
        out += [torch.empty(units, fan_in).uniform_(-bound, bound), torch.empty(units).uniform_(-bound, bound)]
    return out


class Autograd:
    """The published way: every step differentiates the scalar primitive function, input term included, by autograd;
    the update is a backward pass through the difference of two primitive functions."""

    def __init__(self, params, free, nudged, beta, lr):
        self.params = [p.clone().requires_grad_() for p in params]
        self.free, self.nudged, self.beta = free, nudged, beta
        pairs = [self.params[:2], self.params[2:]]
        self.optim = torch.optim.SGD([{"params": p, "lr": r} for p, r in zip(pairs, lr)], lr=lr[0])

    def phi(self, x, y, s, beta):
        w1, b1, w2, b2 = self.params
        phi = (F.linear(x, w1, b1) * s[0]).sum(1) + (F.linear(s[0], w2, b2) * s[1]).sum(1)
        if beta != 0:
            phi = phi - beta * 0.5 * ((s[1] - y) ** 2).sum(1)
        return phi

    def settle(self, x, y, s, beta, steps):
        for _ in range(steps):
            grads = torch.autograd.grad(self.phi(x, y, s, beta).sum(), s)
            s = [squash(g).requires_grad_() for g in grads]
        return s

    def update(self, x, y, symmetric=False):
        sizes = (self.params[1].numel(), self.params[3].numel())
        s = [torch.zeros(len(x), n, requires_grad=True) for n in sizes]
        free = self.settle(x, y, s, 0.0, self.free)
        plus = self.settle(x, y, free, self.beta, self.nudged)
        other, span = free, self.beta
        if symmetric:
            other, span = self.settle(x, y, free, -self.beta, self.nudged), 2 * self.beta
        self.optim.zero_grad()
        ((self.phi(x, y, other, 0.0).mean() - self.phi(x, y, plus, 0.0).mean()) / span).backward()
        self.optim.step()
        return free[1].detach()


class HandWritten:
    """Drives written out, no autograd; the input drive is recomputed in every step, as the published no-grad code does."""

    def __init__(self, params, free, nudged, beta, lr):
        self.params = [p.clone() for p in params]
        self.free, self.nudged, self.beta, self.lr = free, nudged, beta, lr

    def settle(self, x, y, s, beta, steps):
        w1, b1, w2, b2 = self.params
        for _ in range(steps):
            d = F.linear(s[0], w2, b2)
            if beta != 0:
                d = d - beta * (s[1] - y)
            s = [squash(F.linear(x, w1, b1) + s[1] @ w2), squash(d)]
        return s

    @torch.inference_mode()
    def update(self, x, y, symmetric=False):
        w1, b1, w2, b2 = self.params
        free = self.settle(x, y, [torch.zeros(len(x), len(b1)), torch.zeros(len(x), len(b2))], 0.0, self.free)
        plus = self.settle(x, y, free, self.beta, self.nudged)
        other, span = free, self.beta
        if symmetric:
            other, span = self.settle(x, y, free, -self.beta, self.nudged), 2 * self.beta
        a1, a2 = (r / (span * len(x)) for r in self.lr)
        w1 += a1 * ((plus[0] - other[0]).t() @ x)
        b1 += a1 * (plus[0] - other[0]).sum(0)
        w2 += a2 * (plus[1].t() @ plus[0] - other[1].t() @ other[0])
        b2 += a2 * (plus[1] - other[1]).sum(0)
        return free[1]


class Cached:
    """As fast as eager PyTorch gets here: input drive computed once, no allocation in a step (addmm into ping-pong buffers,
    sigmoid in place, the factors 4 and -2 folded into the constants), the first step from zero needs no product, both
    nudged phases of the symmetric estimator are one batch, updates are in-place addmm."""

    def __init__(self, params, free, nudged, beta, lr):
        self.params = [p.clone() for p in params]
        self.free, self.nudged, self.beta, self.lr = free, nudged, beta, lr
        self.buffers = {}

    def pair_of_buffers(self, phase, rows):
        if (phase, rows) not in self.buffers:
            sizes = (len(self.params[1]), len(self.params[3]))
            self.buffers[phase, rows] = [[torch.empty(rows, n) for n in sizes] for _ in range(2)]
        return self.buffers[phase, rows]

    @torch.inference_mode()
    def update(self, x, y, symmetric=False):
        w1, b1, w2, b2 = self.params
        w2t, rows, beta = w2.t(), len(x), self.beta
        drive = torch.addmm(4 * b1 - 2, x, w1.t(), alpha=4)
        bias = (4 * b2 - 2).expand(rows, -1)
        (h, o), (h2, o2) = self.pair_of_buffers("free", rows)
        torch.sigmoid(drive, out=h)
        torch.sigmoid(bias, out=o)
        for _ in range(self.free - 1):
            torch.addmm(drive, o, w2, alpha=4, out=h2).sigmoid_()
            torch.addmm(bias, h, w2t, alpha=4, out=o2).sigmoid_()
            h, o, h2, o2 = h2, o2, h, o
        h0, o0 = h, o
        if symmetric:
            signs = torch.cat([torch.full((rows, 1), beta), torch.full((rows, 1), -beta)])
            drive, bias, y, h, o = (torch.cat([v, v]) for v in (drive, bias, y, h, o))
            nudge, target = -4 * signs, bias + 4 * signs * y
        else:
            nudge, target = torch.tensor(-4 * beta), bias + 4 * beta * y
        (p, q), (p2, q2) = self.pair_of_buffers("nudged", len(drive))
        for _ in range(self.nudged):
            torch.addmm(drive, o, w2, alpha=4, out=p).sigmoid_()
            torch.addmm(target, h, w2t, alpha=4, out=q).addcmul_(o, nudge).sigmoid_()
            h, o, p, q, p2, q2 = p, q, p2, q2, p, q
        span = 2 * beta if symmetric else beta
        plus = (h[:rows], o[:rows])
        other = (h[rows:], o[rows:]) if symmetric else (h0, o0)
        a1, a2 = (r / (span * rows) for r in self.lr)
        gap = plus[0] - other[0]
        w2.addmm_(plus[1].t(), plus[0], alpha=a2).addmm_(other[1].t(), other[0], alpha=-a2)
        b2.add_((plus[1] - other[1]).sum(0), alpha=a2)
        w1.addmm_(gap.t(), x, alpha=a1)
        b1.add_(gap.sum(0), alpha=a1)
        return o0


class CachedCompiled:
    """The cached style as a pure function, left to torch.compile (CPU inductor)."""

    def __init__(self, params, free, nudged, beta, lr):
        self.params = [p.clone() for p in params]
        self.args = (free, nudged, beta, lr)
        self.compiled = torch.compile(cached_update, dynamic=False)

    @torch.inference_mode()
    def update(self, x, y, symmetric=False):
        return self.compiled(*self.params, x, y, symmetric, *self.args)


def cached_update(w1, b1, w2, b2, x, y, symmetric, free, nudged, beta, lr):
    drive, rows = torch.addmm(4 * b1 - 2, x, w1.t(), alpha=4), len(x)
    h, o = torch.sigmoid(drive), torch.sigmoid(4 * b2 - 2).expand(rows, -1)
    for _ in range(free - 1):
        h, o = torch.sigmoid(drive + 4 * (o @ w2)), torch.sigmoid(4 * F.linear(h, w2, b2) - 2)
    h0, o0 = h, o
    if symmetric:
        signs = torch.cat([torch.full((rows, 1), beta), torch.full((rows, 1), -beta)])
        drive, y, h, o = (torch.cat([v, v]) for v in (drive, y, h, o))
    else:
        signs = beta
    for _ in range(nudged):
        d = F.linear(h, w2, b2) - signs * (o - y)
        h, o = torch.sigmoid(drive + 4 * (o @ w2)), torch.sigmoid(4 * d - 2)
    other, span = ((h[rows:], o[rows:]), 2 * beta) if symmetric else ((h0, o0), beta)
    a1, a2 = (r / (span * rows) for r in lr)
    gap = h[:rows] - other[0]
    w2.add_(o[:rows].t() @ h[:rows] - other[1].t() @ other[0], alpha=a2)
    b2.add_((o[:rows] - other[1]).sum(0), alpha=a2)
    w1.add_(gap.t() @ x, alpha=a1)
    b1.add_(gap.sum(0), alpha=a1)
    return o0
