"""Wall time of MNIST training, 784-512-10, T 30, K 10, beta 0.1 one-sided, batch 20, rates .08 / .04 (styles.py).

    python torch_time_to_error.py --data DIR --batches 200 --epochs-to-target 20     # seconds per epoch, extrapolated
    python torch_time_to_error.py --data DIR --styles hand-written --train --target 2.1

DIR holds the four raw IDX files (train-images-idx3-ubyte ...). Prints and stores one row per style; --train stops at the
first epoch whose test error is at most the target.
"""

import argparse
import csv
import pathlib
import time

import numpy as np
import torch

import common
import styles

SIZES, LR, FREE, NUDGED, BETA, BATCH = [784, 512, 10], (0.08, 0.04), 30, 10, 0.1, 20
STYLES = {"autograd": styles.Autograd, "hand-written": styles.HandWritten, "cached": styles.Cached}


def idx(folder, name):
    raw = (pathlib.Path(folder) / name).read_bytes()
    rank = raw[3]
    if raw[:3] != b"\0\0\x08":
        raise SystemExit(f"{name}: not an unsigned-byte IDX file")
    shape = np.frombuffer(raw, ">u4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder, part):
    x = torch.tensor(idx(folder, f"{part}-images-idx3-ubyte").reshape(-1, 784), dtype=torch.float32) / 255
    return x, torch.tensor(idx(folder, f"{part}-labels-idx1-ubyte"), dtype=torch.int64)


@torch.inference_mode()
def error_percent(net, x, labels):
    params = [p.detach() for p in net.params]
    free = styles.HandWritten(params, FREE, 0, BETA, LR)
    wrong = 0
    for a, b in zip(x.split(500), labels.split(500)):
        s = free.settle(a, None, [torch.zeros(len(a), n) for n in SIZES[1:]], 0.0, FREE)
        wrong += (s[1].argmax(1) != b).sum().item()
    return 100 * wrong / len(x)


def epoch(net, x, labels, batches):
    """Seconds of the updates of (the first `batches` of) one shuffled epoch; batches are cut out inside the clock."""
    eye = torch.eye(10)
    start = time.perf_counter()
    for rows in torch.randperm(len(x)).split(BATCH)[:batches]:
        net.update(x[rows], eye[labels[rows]])
    return time.perf_counter() - start


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--data", required=True)
    args.add_argument("--styles", default="autograd,hand-written,cached")
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--batches", type=int, default=200, help="batches timed per round (not with --train)")
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--epochs-to-target", type=float, help="print this many epochs x seconds per epoch")
    args.add_argument("--train", action="store_true")
    args.add_argument("--target", type=float, default=2.1, help="test error in percent")
    args.add_argument("--epochs", type=int, default=30, help="give up after so many")
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--csv")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    x, labels = load(args.data, "train")
    test = load(args.data, "t10k")
    nets = {n: STYLES[n](styles.fresh(SIZES, args.seed), FREE, NUDGED, BETA, LR) for n in args.styles.split(",")}
    rows = train(args, nets, x, labels, test) if args.train else extrapolate(args, nets, x, labels)
    for row in rows:
        print(",".join(f"{k}={v}" for k, v in row.items()), flush=True)
    if args.csv:
        with open(args.csv, "w", newline="") as file:
            out = csv.DictWriter(file, rows[0].keys())
            out.writeheader()
            out.writerows(rows)


def extrapolate(args, nets, x, labels):
    per_epoch, share = {n: [] for n in nets}, len(x) / BATCH / args.batches
    for _ in range(args.rounds):
        for name, net in nets.items():
            per_epoch[name].append(epoch(net, x, labels, args.batches) * share)
    rows = []
    for name, seconds in per_epoch.items():
        middle = sorted(seconds)[len(seconds) // 2]
        row = {"style": name, "s_per_epoch_min": f"{min(seconds):.2f}", "s_per_epoch_median": f"{middle:.2f}"}
        if args.epochs_to_target:
            row |= {"epochs": args.epochs_to_target, "s_to_target": f"{args.epochs_to_target * middle:.1f}"}
        rows.append(row | common.machine())
    return rows


def train(args, nets, x, labels, test):
    rows = []
    for name, net in nets.items():
        torch.manual_seed(args.seed)
        seconds = 0.0
        for n in range(1, args.epochs + 1):
            seconds += epoch(net, x, labels, None)
            error = error_percent(net, *test)
            print(f"{name} epoch {n}: {seconds:.1f} s of training, test error {error:.2f} %", flush=True)
            if error <= args.target:
                break
        rows.append({"style": name, "epochs": n, "seconds": f"{seconds:.1f}", "test_error_percent": f"{error:.2f}",
                     "target": args.target, "reached": error <= args.target} | common.machine())
    return rows


if __name__ == "__main__":
    main()
