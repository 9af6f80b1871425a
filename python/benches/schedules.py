"""Free phases of a trained network by a published schedule and to the fixed point: time, residual and gradient.

    python schedules.py RUN --images images.npz --steps 250 --tolerance 1e-4

Synchronous sweeps, as many as the paper takes, against even-odd ones with over-relaxation that stop sample by sample, on
given images. Prints CSV rows.
"""

import argparse
import pathlib
import statistics
import time

import numpy as np

import bouton


def milliseconds(network, x, repeats):
    network.forward(x)
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        network.forward(x)
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("run", type=pathlib.Path)
    args.add_argument("--images", type=pathlib.Path, required=True, help=".npz with x (samples, channels, height, width) and y")
    args.add_argument("--steps", type=int, default=250)
    args.add_argument("--nudged", type=int, default=30)
    args.add_argument("--tolerance", type=float, default=1e-4)
    args.add_argument("--beta", type=float, default=0.1)
    args.add_argument("--repeats", type=int, default=5)
    args = args.parse_args()
    recipe, data = bouton.Run(args.run).recipe, np.load(args.images)
    x, y = data["x"].astype(np.float32), data["y"]
    ep = {"beta": args.beta, "nudge": "symmetric", "free-steps": args.steps, "nudged-steps": args.nudged}
    published = recipe.replace(solver={"synchronous": {}}, credit={"eq-prop": ep})
    fast = {"even-odd": {"relaxation": 1.2, "tolerance": args.tolerance}}
    ours = recipe.replace(solver=fast, credit={"eq-prop": ep})
    exact = recipe.replace(solver={"even-odd": {"tolerance": 1e-7}}, credit={"eq-prop": ep | {"free-steps": 2000, "nudged-steps": 2000}})
    networks = {name: bouton.Network.load(args.run, r) for name, r in [("published", published), ("ours", ours), ("exact", exact)]}
    flat = {n: np.concatenate([g.ravel() for g in net.gradients(x, y).values()]).astype(float) for n, net in networks.items()}
    cosine = lambda a, b: a @ b / np.sqrt((a @ a) * (b @ b))
    took = {n: milliseconds(networks[n], x, args.repeats) for n in ("published", "ours")}
    for n in took:
        step = networks[n].evaluate(x, y)
        print(f"{n},{took[n]:.2f} ms,residual {step['residual.free']:.1e},sweeps {step['sweeps.free']:.1f},cosine {cosine(flat[n], flat['exact']):.6f}")
    print(f"ratio,{took['published'] / took['ours']:.2f},cosine of both {cosine(flat['published'], flat['ours']):.6f}")


if __name__ == "__main__":
    main()
