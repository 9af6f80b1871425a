"""Runs: progress, Ctrl-C, resuming, listings, checks."""

import json
import os
import signal
import sys
import threading
import time
import types

import numpy as np
import pytest

import bouton
from bouton.errors import CheckpointError


def test_a_run_and_its_listing(tmp_path, recipe):
    events = []
    run = bouton.Experiment(recipe, out=tmp_path).run(callback=events.append, progress=False)
    assert [e["event"] for e in events][0] == "start" and events[-1]["event"] == "finish"
    assert run.status["state"] == "done" and run.last["accuracy"] == events[-1]["values"]["accuracy"]
    assert run.recipe == recipe and run.metrics("test").step.iloc[-1] == run.status["step"]
    again = bouton.Experiment(recipe, out=tmp_path).run()
    assert again.path == run.path
    trained = run.network()
    assert trained.recipe == recipe and trained.updates == 0
    x, y = np.random.default_rng(1).random((5, 64), dtype=np.float32), np.arange(5)
    other = recipe.replace(solver={"even-odd": {"tolerance": 1e-6}}, credit__eq_prop__free_steps=400)
    same = bouton.Network.load(run.path, other).forward(x)
    assert np.abs(trained.forward(x) - same).max() < 1e-3 < np.abs(bouton.Network(recipe).forward(x) - same).max()
    with pytest.raises(CheckpointError):
        bouton.Network.load(run.path, recipe.replace(network__layers=[64, 7, 10]))
    table = bouton.runs(tmp_path)
    assert list(table.state) == ["done"] and table["test.accuracy"].iloc[0] == run.last["accuracy"]


def test_an_exception_in_the_callback_stops_the_run_which_can_go_on(tmp_path, recipe):
    def angry(event):
        if event["event"] == "metrics":
            raise RuntimeError("enough")

    slow = recipe.replace(task__digits__epochs=3)
    with pytest.raises(RuntimeError, match="enough"):
        bouton.Experiment(slow, out=tmp_path).run(callback=angry, progress=False)
    assert list(bouton.runs(tmp_path).state) == ["interrupted"]
    run = bouton.Experiment(slow, out=tmp_path).run(progress=False)
    whole = bouton.Experiment(slow, out=tmp_path / "whole").run(progress=False)
    last = lambda r: (r.path / "checkpoints" / "last.safetensors").read_bytes()
    assert last(run) == last(whole)


def test_ctrl_c(tmp_path, recipe):
    long = recipe.replace(task__digits__epochs=100_000)
    # Processes started in the background ignore interrupts, and Python then sets no handler of its own.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=lambda: (time.sleep(1), os.kill(os.getpid(), signal.SIGINT)), daemon=True).start()
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            bouton.Experiment(long, out=tmp_path).run(progress=False)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begun < 10
    assert list(bouton.runs(tmp_path).state) == ["interrupted"]


def test_other_threads_run_while_bouton_computes(tmp_path, recipe):
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.005):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    bouton.Experiment(recipe.replace(task__digits__epochs=10), out=tmp_path).run(progress=False)
    stop.set()
    thread.join()
    assert len(ticks) > 5


def test_check_is_a_table():
    recipe = bouton.Recipe({"task": {"digits": {"batch": 9, "epochs": 1}}, "network": {"layers": [64, 16, 10]}, "neuron": {"settle": {}},
                            "credit": {"eq-prop": {"beta": 0.1, "free-steps": 30, "nudged-steps": 10}}, "optim": {"sgd": {"lr": 0.1}}})
    findings = bouton.check(recipe)
    assert findings.passed and "verdict" in repr(findings)
    assert set(findings.to_pandas().verdict) <= {"pass", "not applicable"}


def test_metrics_of_a_killed_run_are_read_up_to_the_torn_line(tmp_path, recipe):
    run = bouton.Experiment(recipe, out=tmp_path).run(progress=False)
    before = run.records()
    file = run.path / "metrics.jsonl"
    whole = file.read_text()
    file.write_text(whole + '{"step":151,"epo')
    assert run.records() == before and len(run.metrics("test")) == 1
    file.write_text(whole + '{"step":76,"epoch":1,"wall":1.0,"split":"test","accuracy":0.5,"loss":null}\n')
    assert np.isnan(run.last["loss"]) and run.last["accuracy"] == 0.5
    file.write_text('{"step":151,"epo\n' + whole)
    with pytest.raises(bouton.DataError, match="metrics.jsonl:1"):
        run.records()
    file.write_text("")
    with pytest.raises(bouton.DataError, match="no test metrics"):
        run.last


def test_progress_is_told_although_epochs_are_short(tmp_path, recipe):
    events = []
    bouton.Experiment(recipe.replace(task__digits__epochs=60, task__digits__train=20), out=tmp_path).run(callback=events.append, progress=False)
    assert any(e["event"] == "update" for e in events)


TEACHER = {
    "task": {"teacher": {"inputs": 8, "rule": {"committee": {"units": 2}}, "train": 200, "test": 50, "batch": 1, "epochs": 60}},
    "network": {"layers": [8, 16, 1]},
    "neuron": {"settle": {"activation": "tanh", "output": "linear"}},
    "credit": {"eq-prop": {"beta": 0.1, "free-steps": 20, "nudged-steps": 10}},
    "optim": {"sgd": {"lr": 0.02}},
}


class Bar:
    """What tqdm is asked to show."""

    def __init__(self, total, initial, unit):
        self.total, self.n, self.said, self.postfixes, self.closed = total, initial, [], [], False
        Bar.last = self

    def update(self, n):
        self.n += n

    def set_postfix(self, shown, refresh):
        self.postfixes.append(shown)

    def write(self, text, file):
        self.said.append(text)

    def close(self):
        self.closed = True


@pytest.mark.parametrize("score", ["accuracy", "mse"])
def test_the_progress_bar_shows_the_score_of_the_task(tmp_path, recipe, monkeypatch, score):
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    made = bouton.Recipe(TEACHER) if score == "mse" else recipe.replace(task__digits__epochs=60, task__digits__train=20)
    run = bouton.Experiment(made, out=tmp_path).run()
    bar = Bar.last
    assert bar.closed and bar.n == bar.total == run.status["step"]
    assert bar.postfixes and all(set(shown) == {"loss", score} for shown in bar.postfixes)
    epochs = len(run.records("test"))
    assert bar.said[-1] == f"epoch {epochs}: test {score} {run.last[score]:.4g}"


@pytest.mark.parametrize("score", ["accuracy", "mse"])
def test_progress_without_a_bar_is_lines_with_the_score_of_the_task(tmp_path, recipe, monkeypatch, capsys, score):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    made = bouton.Recipe(TEACHER) if score == "mse" else recipe
    events = []
    run = bouton.Experiment(made, out=tmp_path).run(callback=events.append)
    lines = capsys.readouterr().err.splitlines()
    assert f"epoch {len(run.records('test'))}: test {score} {run.last[score]:.4g}" in lines
    assert all(score in event for event in events if event["event"] == "update")


def test_a_regression_is_run_as_a_classification_is(tmp_path):
    run = bouton.Experiment(TEACHER, out=tmp_path, task__teacher__batch=10).run(progress=False)
    assert set(run.last) >= {"loss", "mse", "mae", "r2"} and "accuracy" not in run.last and run.last["r2"] > 0.8
    first, last = run.metrics("test").mse.iloc[[0, -1]]
    assert last < first and bouton.runs(tmp_path)["test.mse"].iloc[0] == last


def test_home_is_written_as_a_tilde(tmp_path, recipe, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run = bouton.Experiment(recipe, out="~/runs").run(progress=False)
    assert run.path.parent == tmp_path / "runs" and len(bouton.runs("~/runs")) == 1
    assert bouton.Run("~/runs/" + run.path.name).status == run.status


def test_missing_data_is_named(tmp_path, recipe):
    mnist = bouton.Recipe(recipe, task={"mnist": {"batch": 9, "epochs": 1}}, network__layers=[784, 10])
    with pytest.raises(bouton.DataMissingError, match="mnist") as caught:
        bouton.Experiment(mnist, out=tmp_path, data=tmp_path).run(progress=False)
    assert caught.value.exit_code == 3 and not (tmp_path / "runs").exists()


NET = {
    "task": {"files": {"batch": 10, "epochs": 3}},
    "network": {"layers": [4, 8, 3]},
    "neuron": {"relu": {}},
    "credit": {"backprop": {}},
    "objective": {"softmax-cross-entropy": {}},
    "optim": {"adam": {"lr": 0.02}},
}


def flowers(n, seed):
    """Three clusters of four numbers, with words for classes."""
    y = np.arange(n) % 3
    x = np.random.default_rng(seed).normal(size=(n, 4)) * 0.3 + np.eye(4)[y] * 3
    return x, np.array(["iris", "rose", "aster"])[y]


def test_arrays_and_frames_of_ones_own_are_a_task(tmp_path):
    import pandas

    (x, y), (x2, y2) = flowers(60, 1), flowers(30, 2)
    made = bouton.Experiment(NET, out=tmp_path, data=(x, y, x2, y2), seed=4)
    run = made.run(progress=False)
    assert run.last["accuracy"] > 0.9
    assert json.loads(made.recipe.to_json())["task"]["files"]["found"]["classes"] == ["aster", "iris", "rose"]
    frames = pandas.DataFrame(x, columns=list("abcd")), pandas.Series(y), pandas.DataFrame(x2), pandas.Series(y2)
    again = bouton.Experiment(NET, out=tmp_path, data=frames, seed=4)
    assert again.recipe.hash == made.recipe.hash and again.run(progress=False).path == run.path
    other = bouton.Experiment(NET, out=tmp_path, data=(x + 1, y, x2, y2), seed=4)
    assert other.recipe.hash != made.recipe.hash
    shared = bouton.Experiment(NET, out=tmp_path, data=(x, y), seed=4, task__files__validation=0.25)
    assert json.loads(shared.recipe.to_json())["task"]["files"]["test"] == 0.2
    run = shared.run(progress=False)
    assert run.records("validation") and (run.path / "checkpoints/best.safetensors").exists()


def test_arrays_take_the_place_of_a_data_set(tmp_path, recipe):
    x = np.random.default_rng(3).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    y = np.arange(40) % 10
    made = bouton.Experiment(recipe, out=tmp_path, data=(x, y, x, y))
    task = json.loads(made.recipe.to_json())["task"]["files"]
    assert (task["batch"], task["epochs"], task["found"]["shape"]) == (20, 1, [1, 8, 8])
    assert made.run(progress=False).status["state"] == "done"
    values = bouton.Experiment(
        {**NET, "network": {"layers": [4, 8, 2]}, "objective": {"squared-error": {}}},
        out=tmp_path,
        data=(x[:, 0, 0, :4] / 255, x[:, 0, 1, :2] / 255.0),
    )
    assert set(values.run(progress=False).last) >= {"mse", "r2"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.zeros((3, 4)),), "1 parts"),
        ((np.zeros((3, 4)), np.zeros(2, int)), "3 samples, and 2 answers"),
        ((np.zeros(3), np.zeros(3, int)), "shape"),
        ((np.array([["a", "b"]] * 3), np.zeros(3, int)), "no numbers"),
        ((np.full((30, 4), np.nan), np.arange(30) % 3), "not finite"),
        ((np.zeros((30, 4)), np.zeros(30, complex)), "type complex128"),
    ],
)
def test_arrays_that_make_no_sense_are_refused(tmp_path, data, message):
    with pytest.raises(bouton.BoutonError, match=message) as caught:
        bouton.Experiment(NET, out=tmp_path, data=data).run(progress=False)
    assert caught.value.hint


def test_what_arrays_cannot_have_is_refused(tmp_path, recipe):
    varied = recipe.replace(task={"fashion-mini": {"batch": 20, "epochs": 1, "flip": True}}, network__layers=[784, 10, 10])
    with pytest.raises(bouton.DataError, match="task.flip"):
        bouton.Experiment(varied, out=tmp_path, data=(np.zeros((9, 4)), np.arange(9) % 3))
