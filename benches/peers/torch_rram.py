"""One update of 784-3000-10 resistive pairs in PyTorch, with the arithmetic of Majumdar et al. 2021: one CSV row.

    python torch_rram.py --repeats 5 --threads 2 --csv out.csv

Adam on a given gradient, a number of pulses for every weight, the resistances of both devices anew from all their pulses
(two slopes around a breakpoint, telegraph noise, 1/f noise from a register of 15 uniforms that moves by the pulses), and
the sign of their difference. Everything as tensor operations on whole matrices, as in the published code.
"""

import argparse

import torch

import common

SHAPES, TAPS = [(3000, 784), (10, 3000)], 15


class Device:
    def __init__(self, shape):
        u = lambda: torch.rand(shape)
        self.r0 = 6988 + 381.7 * torch.randn(shape).clamp(-1.9, 2.4)
        self.early = 3.7415768e-5 - 6.564678e-4 * torch.log(u().clamp_min(1e-5))
        self.late = -2.8890517e-5 * torch.log(u().clamp_min(1e-2))
        self.breakpoint = 542.53852 * torch.exp(0.80338177 * torch.randn(shape)).clamp(0.08, 3.7)
        self.offset = (5.293141e-3 + 5.320804e-2 * torch.randn(shape)).clamp(-0.15, 0.15)
        self.pulses = torch.zeros(shape)
        self.high = torch.zeros(shape)
        self.size = 0.5 * u()
        self.register = torch.zeros(TAPS, *shape)
        taps = [1.0]
        for k in range(1, TAPS):
            taps.append(taps[-1] * (k - 0.5) / k)
        self.taps = torch.tensor(taps)
        # Probability of the high state behind n pulses, from the low and from the high one.
        step, powers = torch.tensor([[1 - 0.0008, 0.0008], [0.002, 1 - 0.002]]), [torch.eye(2)]
        for _ in range(TAPS - 1):
            powers.append(powers[-1] @ step)
        self.chain = torch.stack(powers)[:, :, 1]

    def resistance(self, n):
        """ln-normal resistance after n more pulses."""
        self.pulses += n
        t = self.pulses
        mean = torch.where(t < self.breakpoint, self.early * t, self.late * t + self.breakpoint * (self.early - self.late))
        at = n.long()
        self.high = (torch.rand_like(t) < self.chain[at, self.high.long()]).float()
        telegraph = self.high * torch.rand_like(t) * torch.rand_like(t) * self.size
        for k in range(1, TAPS):
            moved = torch.cat([torch.rand(k, *t.shape), self.register[: TAPS - k]])
            self.register = torch.where(at == k, moved, self.register)
        pink = 0.025 * torch.tensordot(self.taps, self.register, 1)
        return self.r0 * torch.exp(mean + self.offset + telegraph + pink)


class Pairs:
    def __init__(self, shape):
        self.up, self.down = Device(shape), Device(shape)
        self.first, self.second = torch.zeros(shape), torch.zeros(shape)

    def step(self, g, t, lr=8.0):
        self.first.mul_(0.9).add_(g, alpha=0.1)
        self.second.mul_(0.999).addcmul_(g, g, value=0.001)
        size = (self.second.sqrt() / (1 - 0.999**t) ** 0.5).add_(1e-8)
        n = (-lr / (1 - 0.9**t) * self.first / size).clamp(-14, 14).round()
        return torch.sign(self.up.resistance(n.clamp_min(0)) - self.down.resistance((-n).clamp_min(0)))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--repeats", type=int, default=5)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--csv")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    pairs, gradients = [Pairs(s) for s in SHAPES], [torch.randn(s) for s in SHAPES]
    time = [0]

    @torch.no_grad()
    def work():
        time[0] += 1
        for p, g in zip(pairs, gradients):
            p.step(g, time[0])

    rows = []
    for name, ms in common.interleaved({"rram_update,784-3000-10/published": work}, args.repeats, warm_up=1).items():
        bench, case = name.split(",")
        rows.append((bench, case, ms))
    common.report(rows, args.csv)


if __name__ == "__main__":
    main()
