"""Threads, processes and signals: every call comes back, and Ctrl-C stops a run, wherever it was started.

Each case runs in a process of its own, so that one that hangs is a failure and no more.
"""

import os
import subprocess
import sys

import pytest

HEAD = """
import os, signal, sys, threading, time
def recipe(epochs=1):
    return bouton.Recipe({
        "task": {"digits": {"batch": 20, "epochs": epochs}}, "network": {"layers": [64, 16, 10]},
        "neuron": {"settle": {"activation": "shifted-sigmoid"}}, "optim": {"sgd": {"lr": 0.1}},
        "credit": {"eq-prop": {"beta": 0.1, "free-steps": 10, "nudged-steps": 4}},
    })
def answer(network):
    rng = np.random.default_rng(5)
    x, y = rng.random((9, 64), dtype=np.float32), rng.integers(0, 10, 9)
    return network.gradients(x, y)["output.bias"].tobytes() + network.forward(x).tobytes()
def thread(work):
    found = []
    t = threading.Thread(target=lambda: found.append(work()))
    t.start(); t.join()
    return found[0]
def child(work):
    \"\"\"What `work` gives in a forked process.\"\"\"
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, work())
        finally:
            os._exit(0)
    os.close(writer)
    parts = []
    while part := os.read(reader, 1 << 16):
        parts.append(part)
    os.close(reader); os.waitpid(pid, 0)
    return b"".join(parts)
"""
USUAL = "import numpy as np, bouton\n" + HEAD
ONE_CPU = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n" + USUAL
IN_A_THREAD = "import threading; t = threading.Thread(target=lambda: __import__('bouton')); t.start(); t.join()\n" + USUAL


def run(code, *arguments, **environment):
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


CALLS = """
network = bouton.Network(recipe())
want = answer(network)
found = [
    thread(lambda: answer(network)),
    child(lambda: answer(network)),
    child(lambda: child(lambda: answer(network))),
    child(lambda: thread(lambda: answer(network))),
    thread(lambda: child(lambda: child(lambda: answer(network)))),
    child(lambda: answer(bouton.Network(recipe()))),
]
print(*[f == want for f in found], len(want) > 100)
"""


@pytest.mark.parametrize("head", [USUAL, ONE_CPU, IN_A_THREAD], ids=["usual", "one-cpu", "import-in-a-thread"])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_threads_and_forked_processes_compute_the_same(head, threads):
    assert run(head + CALLS, RAYON_NUM_THREADS=threads) == ["True"] * 7


def test_spawned_processes_and_joblib_threads_compute(tmp_path):
    pytest.importorskip("joblib")
    script = tmp_path / "script.py"
    script.write_text(USUAL + """
def work(_):
    return answer(bouton.Network(recipe()))
if __name__ == "__main__":
    import joblib, multiprocessing
    want = work(0)
    threads = joblib.Parallel(n_jobs=3, backend="threading")(joblib.delayed(work)(k) for k in range(6))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        spawned = pool.map(work, range(2))
    print(*[f == want for f in threads + spawned])
""")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["True"] * 8, done.stderr


INTERRUPTED = """
signal.signal(signal.SIGINT, signal.default_int_handler)
def go(folder):
    told = []
    def callback(event):
        if event["event"] == "update" and not told:
            told.append(event)
            os.kill(os.getpid(), signal.SIGINT)
    try:
        bouton.Experiment(recipe(100_000), out=folder).run(callback, progress=False)
        return b"finished"
    except KeyboardInterrupt:
        return bouton._bouton.runs(folder)[0]["state"].encode()
"""


@pytest.mark.parametrize("head", [USUAL, ONE_CPU, IN_A_THREAD], ids=["usual", "one-cpu", "import-in-a-thread"])
@pytest.mark.parametrize("where", ["go(sys.argv[1])", "child(lambda: go(sys.argv[1]))"], ids=["here", "forked"])
def test_ctrl_c_stops_a_run_with_a_checkpoint(tmp_path, head, where):
    code = head + INTERRUPTED + f"print({where}.decode())"
    assert run(code, tmp_path) == ["interrupted"]
    assert list(tmp_path.glob("*/checkpoints/last.safetensors"))


def test_ctrl_c_stops_an_epoch_by_hand():
    code = USUAL + """
signal.signal(signal.SIGINT, signal.default_int_handler)
network = bouton.Network(bouton.Recipe(recipe(), task__digits__batch=1))
rng = np.random.default_rng(5)
x, y = rng.random((200_000, 64), dtype=np.float32), rng.integers(0, 10, 200_000)
threading.Thread(target=lambda: (time.sleep(0.3), os.kill(os.getpid(), signal.SIGINT))).start()
try:
    network.epoch(x, y)
except KeyboardInterrupt:
    print("interrupted", 0 < network.updates < 200_000)
"""
    assert run(code) == ["interrupted", "True"]


def test_a_panic_arrives_as_an_exception():
    code = USUAL + """
for where in (lambda work: work(), thread):
    try:
        where(lambda: bouton._bouton._panic())
    except IndexError:
        print("in a thread")
    except bouton.BoutonError as e:
        print(e.message.replace(" ", "-"), "report" in e.hint)
"""
    assert run(code) == ["bouton-failed-inside:-a-panic-for-the-tests", "True", "in", "a", "thread"]
