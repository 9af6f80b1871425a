"""What the Python front door costs: `step` on 784-512-10, batch 20, and the import. Prints CSV rows.

    python overhead.py

The command's own step is taken from the clock in the metrics of a run of the same recipe, in turn with Python's.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import bouton

RECIPE = bouton.Recipe({
    "task": {"synthetic": {"shape": [1, 28, 28], "classes": 10, "train": 2000, "test": 1, "batch": 20, "epochs": 10}},
    "run": {"log-every": 25},
    "network": {"layers": [784, 512, 10]},
    "neuron": {"settle": {}},
    "credit": {"eq-prop": {"beta": 0.1, "nudge": "positive", "free-steps": 20, "nudged-steps": 4}},
    "optim": {"sgd": {"lr": [0.08, 0.04]}},
})


def step_ms(calls: int = 300) -> float:
    network, rng = bouton.Network(RECIPE), np.random.default_rng(0)
    x, y = rng.random((20, 784), dtype=np.float32), np.arange(20) % 10
    network.step(x, y)
    begin = time.perf_counter()
    for _ in range(calls):
        network.step(x, y)
    return (time.perf_counter() - begin) / calls * 1e3


def command_ms() -> float:
    with tempfile.TemporaryDirectory() as folder:
        recipe = pathlib.Path(folder, "overhead.toml")
        recipe.write_text(RECIPE.replace(name="overhead").to_toml())
        code = "import sys; sys.argv[0] = 'bouton'; from bouton._command import main; main()"
        subprocess.run([sys.executable, "-c", code, "run", recipe, "--out", folder], check=True, capture_output=True)
        lines = next(pathlib.Path(folder).glob("*/metrics.jsonl")).read_text().splitlines()
    walls = {r["step"]: r["wall"] for r in map(json.loads, lines) if r["split"] == "batch"}
    # 50 updates between two lines inside an epoch of 100: no test, no checkpoint.
    return statistics.median((walls[s + 50] - walls[s]) / 50 * 1e3 for s in walls if s % 100 == 25)


def import_ms(module: str) -> float:
    code = f"import numpy, time; t = time.perf_counter(); import {module}; print((time.perf_counter() - t) * 1e3)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    ours, theirs = [], []
    for _ in range(7):
        ours.append(step_ms())
        theirs.append(command_ms())
    print(f"step,python,{statistics.median(ours):.4f} ms")
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    print(f"step,command,{statistics.median(theirs):.4f} ms\nstep,ratio,{ratio:.3f}")
    print(f"import,beyond numpy,{statistics.median(import_ms('bouton') for _ in range(7)):.1f} ms")


if __name__ == "__main__":
    main()
