"""Convolutions per layer and a relaxation sweep of a convolutional EP net in PyTorch: one CSV row per case.

    python torch_conv.py --repeats 10 --threads 2 --csv conv.csv

- conv: forward, pull_input and pull_weight (gradients in the input and in the weight), named
  WHAT-CHANNELS-FILTERS@IMAGE/LAYOUT, 3x3 with padding 1, batch 64, float32, no autograd. pull_unpooled is pull_input of a
  gradient of which one element in eight is not zero; there 32-64@12 is 5x5 without padding.
- sweep: one synchronous step of 3-128-256-512-512 (image 32, paddings 1, 1, 1, 0, each followed by 2x2 max-pooling), all
  states at once, s = clamp(dPhi/ds, 0, 1). `hand-written` has no autograd and caches the input drive; `autograd`
  differentiates the scalar primitive function, input term included, at every step: the published algorithm of Laborieux
  et al. 2021.
- pool: 2x2 max-pooling with indices and its adjoint, 128 channels of 32x32.

Layouts: nchw is contiguous, nhwc is torch.channels_last.
"""

import argparse

import torch
from torch.nn import functional as F

import common

BATCH = 64
LAYERS = [(64, 128, 16), (128, 256, 8), (256, 512, 4), (128, 256, 16), (3, 64, 32), (3, 128, 32)]
UNPOOLED = [(128, 256, 16, 3, 1), (32, 64, 12, 5, 0)]
STAGES = [(3, 128, 32, 1), (128, 256, 16, 1), (256, 512, 8, 1), (512, 512, 4, 0)]
LAYOUTS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}
grad = torch.nn.grad


def layers(name, layout):
    works = {}
    for channels, filters, size in LAYERS:
        x = torch.rand(BATCH, channels, size, size).contiguous(memory_format=layout)
        g = torch.rand(BATCH, filters, size, size).contiguous(memory_format=layout)
        w = torch.rand(filters, channels, 3, 3).contiguous(memory_format=layout)
        case = f"{channels}-{filters}@{size}/{name}"
        works[f"forward-{case}"] = lambda x=x, w=w: F.conv2d(x, w, padding=1)
        works[f"pull_input-{case}"] = lambda x=x, w=w, g=g: F.conv_transpose2d(g, w, padding=1)
        works[f"pull_weight-{case}"] = lambda x=x, w=w, g=g: grad.conv2d_weight(x, w.shape, g, padding=1)
    for channels, filters, size, kernel, padding in UNPOOLED:
        side = size + 2 * padding + 1 - kernel
        g = torch.rand(BATCH, filters, side, side)
        g = (g * (torch.rand_like(g) < 0.125)).contiguous(memory_format=layout)
        w = torch.rand(filters, channels, kernel, kernel).contiguous(memory_format=layout)
        case = f"pull_unpooled-{channels}-{filters}@{size}/{name}"
        works[case] = lambda g=g, w=w, p=padding: F.conv_transpose2d(g, w, padding=p)
    return works


class Net:
    def __init__(self, layout):
        def noise(*size):
            return (torch.rand(*size) - 0.5).contiguous(memory_format=layout)

        self.x = noise(BATCH, 3, 32, 32)
        self.weights = [noise(f, c, 3, 3) * (9 * c) ** -0.5 for c, f, _, _ in STAGES]
        self.padding = [p for _, _, _, p in STAGES]
        sizes = [(n - 2 + 2 * p) // 2 for _, _, n, p in STAGES]
        self.states = [noise(BATCH, f, n, n) for (_, f, _, _), n in zip(STAGES, sizes)]
        self.drive = F.max_pool2d(F.conv2d(self.x, self.weights[0], padding=1), 2)


def hand_written(net):
    states = net.states
    new = [net.drive.clone(), *states[1:]]
    for i in range(1, len(states)):
        w, p = net.weights[i], net.padding[i]
        wide = F.conv2d(states[i - 1], w, padding=p)
        new[i], index = F.max_pool2d(wide, 2, return_indices=True)
        back = F.max_unpool2d(states[i], index, 2, output_size=wide.shape[2:])
        new[i - 1] += F.conv_transpose2d(back, w, padding=p)
    return [s.clamp_(0, 1) for s in new]


def autograd(net):
    states = [s.detach().requires_grad_() for s in net.states]
    phi = 0
    for below, w, p, s in zip([net.x, *states], net.weights, net.padding, states):
        phi = phi + (F.max_pool2d(F.conv2d(below, w, padding=p), 2) * s).sum()
    return [g.clamp_(0, 1) for g in torch.autograd.grad(phi, states)]


def check(net):
    with torch.no_grad():
        mine = hand_written(net)
    for a, b in zip(mine, autograd(net)):
        assert torch.allclose(a, b, atol=1e-4), "the two sweeps differ"


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--repeats", type=int, default=10)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--only", default="", help="time cases that contain this")
    args.add_argument("--csv")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    works = {}
    for name, layout in LAYOUTS.items():
        works |= {("conv", case): work for case, work in layers(name, layout).items()}
        net = Net(layout)
        check(net)
        case = "128-256-512-512@32"
        works["sweep", f"{case}/hand-written-{name}"] = lambda net=net: hand_written(net)
        works["sweep", f"{case}/autograd-{name}"] = lambda net=net: with_grad(autograd, net)
        y = torch.rand(BATCH, 128, 32, 32).contiguous(memory_format=layout)
        out, index = F.max_pool2d(y, 2, return_indices=True)
        works["pool", f"max_pool-128@32/{name}"] = lambda y=y: F.max_pool2d(y, 2, return_indices=True)
        works["pool", f"max_unpool-128@32/{name}"] = lambda o=out, i=index: F.max_unpool2d(o, i, 2)
    works = {key: work for key, work in works.items() if args.only in ",".join(key)}
    with torch.no_grad():
        times = common.interleaved(works, args.repeats, warm_up=1)
    common.report([(*key, ms) for key, ms in times.items()], args.csv)


def with_grad(work, net):
    with torch.enable_grad():
        return work(net)


if __name__ == "__main__":
    main()
