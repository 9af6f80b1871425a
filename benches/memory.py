"""Peak resident memory of one gradient through T sweeps: BPTT stores every sweep, EP none.

usage: python3 benches/memory.py [path of the bouton binary] > benches/results/memory.csv
"""

import os
import platform
import sys
import tempfile

RECIPE = """
[task.synthetic]
shape = [1, 28, 28]
classes = 10
train = 500
test = 10
batch = "all"
epochs = 3
[network]
layers = [784, 512, 10]
[neuron.settle]
[credit.bptt]
steps = 20
[optim.sgd]
lr = 0.1
"""


def peak_mb(binary, recipe, out, overrides):
    """Peak memory of a whole process in MB."""
    arguments = [binary, "--threads", "1", "run", recipe, "--out", out, "--again", *overrides]
    silent = os.open(os.devnull, os.O_WRONLY)
    quiet = [(os.POSIX_SPAWN_DUP2, silent, fd) for fd in (1, 2)]
    pid = os.posix_spawn(binary, arguments, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, overrides
    return usage.ru_maxrss / 1024


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "target/release/bouton"
    print(f"# 784-512-10, batch 500, f32, 3 updates; {platform.machine()}, {platform.system()}")
    print("sweeps,bptt_peak_mb,eq_prop_peak_mb")
    with tempfile.TemporaryDirectory() as folder:
        recipe = os.path.join(folder, "memory.toml")
        with open(recipe, "w", encoding="utf-8") as file:
            file.write(RECIPE)
        for sweeps in (20, 50, 100, 200):
            ep = ["credit.eq-prop.beta=0.1", f"credit.eq-prop.free-steps={sweeps}", "credit.eq-prop.nudged-steps=4"]
            bptt = peak_mb(binary, recipe, folder, [f"credit.bptt.steps={sweeps}"])
            print(f"{sweeps},{bptt:.0f},{peak_mb(binary, recipe, folder, ep):.0f}", flush=True)


if __name__ == "__main__":
    main()
