"""Peak resident memory of one BPTT gradient through T sweeps, beside EP (no graph) on the same net: grows against flat.

    python torch_bptt_memory.py --sizes 784,512,512,10 --batch 500 --csv out.csv

Every figure is a fresh process (VmHWM, so the imports are included: subtract the row T = 0, which only builds the net).
"""

import argparse
import csv
import pathlib
import subprocess
import sys

import torch

import styles


def sweep(x, y, s, params, beta=0.0):
    layers, new = [x] + s, []
    for n in range(len(s)):
        d = torch.addmm(params[2 * n + 1], layers[n], params[2 * n].t())
        if n + 1 < len(s):
            d = d + s[n + 1] @ params[2 * n + 2]
        elif beta:
            d = d - beta * (s[n] - y)
        new.append(styles.squash(d))
    return new


def bptt(x, y, s, params, steps):
    for p in params:
        p.requires_grad_()
    for _ in range(steps):
        s = sweep(x, y, s, params)
    (0.5 * ((s[-1] - y) ** 2).sum(1).mean()).backward()


@torch.inference_mode()
def eqprop(x, y, s, params, steps, beta=0.1, nudged=10):
    for _ in range(steps):
        s = sweep(x, y, s, params)
    free = s
    for _ in range(nudged):
        s = sweep(x, y, s, params, beta)
    pre = [x] + s
    pre0 = [x] + free
    return [(a.t() @ p - b.t() @ q) / (-beta * len(x)) for a, p, b, q in zip(s, pre, free, pre0)]


def peak_mb():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024


def child(method, steps, sizes, batch, threads):
    torch.set_num_threads(threads)
    params = styles.fresh(sizes, 0)
    x, y = torch.rand(batch, sizes[0]), torch.zeros(batch, sizes[-1])
    s = [torch.zeros(batch, n) for n in sizes[1:]]
    if steps:
        {"bptt": bptt, "ep": eqprop}[method](x, y, s, params, steps)
    print(peak_mb())


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--sizes", default="784,512,512,10")
    args.add_argument("--batch", type=int, default=500)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--steps", default="0,20,50,100,150,200")
    args.add_argument("--csv")
    args.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = args.parse_args()
    sizes = [int(n) for n in args.sizes.split(",")]
    if args.child:
        return child(args.child[0], int(args.child[1]), sizes, args.batch, args.threads)
    rows = [["bench", "case", "T", "peak_mb"]]
    for method in ("bptt", "ep"):
        for steps in args.steps.split(","):
            command = [sys.executable, __file__, "--child", method, steps, "--sizes", args.sizes,
                       "--batch", str(args.batch), "--threads", str(args.threads)]
            mb = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append(["memory", f"{args.sizes.replace(',', '-')}-b{args.batch}/{method}", steps, f"{mb:.1f}"])
    for row in rows:
        print(",".join(row))
    if args.csv:
        with open(args.csv, "w", newline="") as file:
            csv.writer(file).writerows(rows)


if __name__ == "__main__":
    main()
