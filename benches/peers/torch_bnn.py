"""Binary networks and consolidation in PyTorch, as published scripts do them: one CSV row per case.

    python torch_bnn.py --repeats 9 --threads 2 --csv out.csv

- bnn_step: one training step of 784-4096-4096-10, batch 100, with the metaplastic Adam of Laborieux et al. 2021 written as
  tensor operations; `published` swaps hidden and binary weights around the forward pass.
- packed: 512 samples through three hidden layers of 4096 in float32, without gradients.
- packed_layer: one of those hidden layers alone, 4096 signs to 4096 signs.
- fisher: exact Fisher information of 784-400-400-10, one sample and one label at a time; timed on a few samples and
  multiplied up to 5,000, because the whole takes minutes.
"""

import argparse

import torch
from torch import nn
from torch.nn import functional as F

import common

FISHER_SAMPLES, FISHER_TIMED = 5000, 20


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x.abs() <= 1)


class Binary(nn.Module):
    def __init__(self, layers):
        super().__init__()
        pairs = list(zip(layers, layers[1:]))
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(n, m).uniform_(-0.05, 0.05)) for m, n in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm1d(n) for _, n in pairs)

    def forward(self, x):
        for i, (w, norm) in enumerate(zip(self.weights, self.norms)):
            x = norm(F.linear(x, w))
            if i + 1 < len(self.weights):
                x = Sign.apply(x)
        return x


class Metaplastic:
    """Adam on hidden weights; steps towards zero are held back by tanh^2(m W)."""

    def __init__(self, params, m=1.35, lr=0.005, decay=1e-7):
        self.params, self.m, self.lr, self.decay, self.t = list(params), m, lr, decay, 0
        self.hidden = [p.detach().clone() for p in self.params]
        self.first = [torch.zeros_like(p) for p in self.params]
        self.second = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        self.t += 1
        size = self.lr * (1 - 0.999**self.t) ** 0.5 / (1 - 0.9**self.t)
        for p, h, first, second in zip(self.params, self.hidden, self.first, self.second):
            g = p.grad
            if p.dim() == 1:
                first.mul_(0.9).add_(g, alpha=0.1)
                second.mul_(0.999).addcmul_(g, g, value=0.001)
                p.addcdiv_(first, second.sqrt().add_(1e-8), value=-size)
                continue
            g = g.add(h, alpha=self.decay)
            first.mul_(0.9).add_(g, alpha=0.1)
            second.mul_(0.999).addcmul_(g, g, value=0.001)
            denominator = second.sqrt().add_(1e-8)
            protection = 1 - torch.tanh(self.m * h) ** 2
            shrinks = first * torch.sign(h) > 0
            h.sub_(size * torch.where(shrinks, protection * first, first) / denominator)
            p.copy_(torch.where(h >= 0, 1.0, -1.0))


def bnn_step():
    net = Binary([784, 4096, 4096, 10])
    optimiser = Metaplastic(net.parameters())
    with torch.no_grad():
        for w in net.weights:
            w.copy_(torch.where(w >= 0, 1.0, -1.0))
    x, y = torch.rand(100, 784), torch.arange(100) % 10

    def work():
        loss = F.cross_entropy(net(x), y)
        for p in net.parameters():
            p.grad = None
        loss.backward()
        optimiser.step()

    return work


def packed():
    net = Binary([784, 4096, 4096, 4096, 10]).eval()
    with torch.no_grad():
        for w in net.weights:
            w.copy_(torch.where(w >= 0, 1.0, -1.0))
    x = torch.rand(512, 784)

    def work():
        with torch.no_grad():
            net(x)

    return work


def packed_layer():
    net = Binary([4096, 4096, 10]).eval()
    with torch.no_grad():
        net.weights[0].copy_(torch.where(net.weights[0] >= 0, 1.0, -1.0))
    x = torch.where(torch.rand(512, 4096) < 0.5, -1.0, 1.0)

    def work():
        with torch.no_grad():
            Sign.apply(net.norms[0](F.linear(x, net.weights[0])))

    return work


def fisher():
    net = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 10))
    x = torch.rand(FISHER_TIMED, 784)
    total = [torch.zeros_like(p) for p in net.parameters()]

    def work():
        for sample in x:
            log_p = F.log_softmax(net(sample[None]), dim=1)[0]
            for label in range(10):
                net.zero_grad()
                (-log_p[label]).backward(retain_graph=label < 9)
                weight = log_p[label].detach().exp()
                for sum_, p in zip(total, net.parameters()):
                    sum_ += weight * p.grad**2

    return work


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--repeats", type=int, default=9)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--csv")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    works = {
        "bnn_step,4096-b100/published": bnn_step(),
        "packed,4096-b512/float32": packed(),
        "packed_layer,4096-b512/float32": packed_layer(),
        "fisher,400-n5000/per-sample": fisher(),
    }
    rows = []
    for name, ms in common.interleaved(works, args.repeats, warm_up=1).items():
        bench, case = name.split(",")
        factor = FISHER_SAMPLES / FISHER_TIMED if bench == "fisher" else 1
        rows.append((bench, case, [factor * x for x in ms]))
    common.report(rows, args.csv)


if __name__ == "__main__":
    main()
