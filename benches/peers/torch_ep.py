"""Time of one EP update of 784-512-10 in three PyTorch styles (styles.py): one CSV row per style.

    python torch_ep.py --batch 20 --repeats 30 --threads 2 --csv out.csv
"""

import argparse

import torch

import common
import styles

SIZES, LR, FREE, NUDGED, BETA = [784, 512, 10], (0.08, 0.04), 20, 4, 0.1


def agree(makers, symmetric):
    """In float64 all styles must change the weights alike (difference relative to the largest change)."""
    torch.set_default_dtype(torch.float64)
    start, x, y = styles.fresh(SIZES, 1), *batch_of(8)
    after = {}
    for name, make in makers.items():
        net = make(start)
        net.update(x, y, symmetric)
        after[name] = [p.detach() for p in net.params]
    for name, params in after.items():
        for p, q, s in zip(params, after["autograd"], start):
            error = ((p - q).abs().max() / (q - s).abs().max()).item()
            assert error < 1e-9, f"{name} differs from autograd by {error}"
    torch.set_default_dtype(torch.float32)


def batch_of(rows):
    return torch.rand(rows, SIZES[0]), torch.eye(SIZES[-1])[torch.randint(0, SIZES[-1], (rows,))]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--batch", type=int, default=20)
    args.add_argument("--repeats", type=int, default=30)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--csv")
    args.add_argument("--compile", action="store_true", help="add a row for torch.compile of the cached style")
    args = args.parse_args()
    torch.set_num_threads(args.threads)

    def maker(kind):
        return lambda params: kind(params, FREE, NUDGED, BETA, LR)

    makers = {"autograd": maker(styles.Autograd), "hand-written": maker(styles.HandWritten), "cached": maker(styles.Cached)}
    if args.compile:
        makers["cached-compiled"] = maker(styles.CachedCompiled)
    x, y = batch_of(args.batch)
    rows = []
    for label, symmetric in (("one-sided", False), ("symmetric", True)):
        agree(makers, symmetric)
        nets = {name: make(styles.fresh(SIZES, 0)) for name, make in makers.items()}
        works = {name: (lambda n=net: n.update(x, y, symmetric)) for name, net in nets.items()}
        for name, ms in common.interleaved(works, args.repeats).items():
            rows.append(("ep_update", f"b{args.batch}-{label}/{name}", ms))
    common.report(rows, args.csv)


if __name__ == "__main__":
    main()
