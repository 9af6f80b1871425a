"""Time of single-precision matrix products in PyTorch: one CSV row per shape.

    python torch_gemm.py --repeats 20 --threads 2 --csv out.csv

Case names are ORIENTATION-MxKxN for a result [M, N] summed over K: nn = A[M,K] B[K,N]; tn = A stored [K,M] (weight
gradient); nt = B stored [N,K] (feedback). Results go to a reused buffer.
"""

import argparse

import torch

import common

SHAPES = [
    ("nn", 1024, 1024, 1024),
    ("nn", 1, 784, 512),
    ("nn", 20, 784, 512),
    ("nn", 64, 784, 512),
    ("nn", 256, 784, 512),
    ("nn", 512, 784, 512),
    ("tn", 784, 20, 512),
    ("tn", 784, 64, 512),
    ("nt", 20, 512, 784),
    ("nn", 1, 512, 10),
    ("nn", 20, 512, 10),
    ("nn", 20, 10, 512),
]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--repeats", type=int, default=20)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--csv")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    works = {}
    for kind, m, k, n in SHAPES:
        a = torch.rand(k, m).t() if kind == "tn" else torch.rand(m, k)
        b = torch.rand(n, k).t() if kind == "nt" else torch.rand(k, n)
        works[f"{kind}-{m}x{k}x{n}"] = lambda a=a, b=b, out=torch.empty(m, n): torch.mm(a, b, out=out)
    with torch.inference_mode():
        times = common.interleaved(works, args.repeats, least_ms=5)
    common.report([("gemm", name, ms) for name, ms in times.items()], args.csv)


if __name__ == "__main__":
    main()
