"""Sequences of tasks by hand: what a run of the same recipe learns, to the bit; and what is refused."""

import json
import pickle

import numpy as np
import pytest

import bouton

datasets = pytest.importorskip("sklearn.datasets")

BASE = {
    "task": {"digits": {"batch": 20, "epochs": 2, "train": 300, "test": 60}},
    "sequence": {"split": {"classes": 2}},
    "network": {"layers": [64, 12, 2]},
    "neuron": {"relu": {}},
    "credit": {"backprop": {}},
    "objective": {"softmax-cross-entropy": {}},
    "optim": {"sgd": {"lr": 0.2}},
}
TASKS = 5
ALL = {"network": {"layers": [64, 12, 10]}}
KINDS = {
    "ewc": {"anchor": {"ewc": {"lambda": 3.0}}},
    "ewc-sampled": {"anchor": {"ewc": {"lambda": 3.0, "fisher": "sampled", "samples": 20}}},
    "online-ewc": {"anchor": {"online-ewc": {"lambda": 3.0, "decay": 0.9}}},
    "si": {"anchor": {"si": {"c": 1.0, "xi": 0.1}}},
    "mas": {"anchor": {"mas": {"lambda": 1.0}}},
    "replay": {"continual": {"replay": {"per-class": 3, "batch": 10}}},
    "reservoir": {"continual": {"replay": {"size": 12, "policy": "reservoir"}}},
    "replay-of-heads": ALL | {"continual": {"scenario": "task", "replay": {"size": 12}}},
    "schedule": {"schedule": {"exponential": {"factor": 0.5}}},
    "reset": {"optim": {"adam": {"lr": 0.01}}, "continual": {"reset-optimiser": True}},
    # Batches of 20 would leave a last one of a single sample.
    "norm": {"norm": {"batch": {"per-task": True}}, "task": {"digits": {**BASE["task"]["digits"], "batch": 16}}},
    "outputs-of-tasks": ALL | {"continual": {"scenario": "task"}},
    "outputs-seen": ALL | {"continual": {"scenario": "class"}},
    "updates": {"continual": {"updates": 5}},
    "file-order": {"task": {"digits": {**BASE["task"]["digits"], "shuffle": False}}},
    "posterior": {"synapse": {"bayesbinn": {}}, "neuron": {"sign": {}}},
}


def digits(recipe, first, n):
    """Images and outputs of every task, of `n` digits from `first` on."""
    found = datasets.load_digits()
    x, y = (found.data[first:first + n] / 16).astype(np.float32), found.target[first:first + n]
    own = recipe["network"]["layers"][-1] == 10
    parts = [(y // 2 == task) for task in range(TASKS)]
    return [(x[part], y[part] - (0 if own else 2 * task)) for task, part in enumerate(parts)]


def by_hand(recipe, network, tasks=TASKS):
    """Learns the tasks; the accuracies on every task after each."""
    train, test = digits(recipe, 0, 300), digits(recipe, 1500, 60)
    matrix = []
    for task in range(tasks):
        assert network.begin_task() == task
        for _ in range(BASE["task"]["digits"]["epochs"]):
            network.epoch(*train[task])
        network.end_task(*train[task])
        matrix.append([network.evaluate(*test[j], task=j)["accuracy"] for j in range(TASKS)])
    return matrix


def assert_same(a, b):
    a, b = a.state_dict(), b.state_dict()
    assert a.keys() == b.keys()
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)


@pytest.fixture(scope="module")
def plain():
    network = bouton.Network(bouton.Recipe(BASE))
    return by_hand(BASE, network), network.weights


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_by_hand_are_those_of_a_run(tmp_path, plain, kind):
    table = BASE | KINDS[kind]
    recipe = bouton.Recipe(table)
    network = bouton.Network(recipe)
    matrix = by_hand(table, network)
    run = bouton.Experiment(recipe, out=tmp_path).run(progress=False)
    assert matrix == json.loads((run.path / "continual.json").read_text())["accuracy"]
    assert network.updates == run.status["step"]
    trained = run.network().weights
    for name, w in network.weights.items():
        np.testing.assert_array_equal(w, trained[name], err_msg=name)
    assert any(w.shape != plain[1][n].shape or (w != plain[1][n]).any() for n, w in trained.items() if n in plain[1])


@pytest.mark.parametrize("kind", ["ewc", "si", "replay", "reservoir", "norm", "reset"])
def test_a_state_goes_on_between_and_within_tasks(kind):
    table = BASE | KINDS[kind]
    recipe = bouton.Recipe(table)
    a, b = bouton.Network(recipe), bouton.Network(recipe)
    by_hand(table, a, 2)
    train = digits(table, 0, 300)
    a.begin_task()
    a.epoch(*train[2])
    b.load_state_dict(pickle.loads(pickle.dumps({k: np.array(v) if hasattr(v, "shape") else v for k, v in a.state_dict().items()})))
    for network in (a, b):
        network.epoch(*train[2])
        network.end_task(*train[2])
        network.begin_task()
        network.epoch(*train[3])
    assert_same(a, b)
    before = a.state_dict()
    with pytest.raises(bouton.BoutonError):
        a.load_state_dict(before | {"hidden1.bias": np.zeros((1, 3), np.float32), "position": np.zeros(9, int)})
    assert_same(a, b)


def test_batches_by_hand_follow_a_schedule_and_the_places_of_samples():
    table = BASE | KINDS["schedule"] | KINDS["reservoir"] | {"task": {"digits": {"batch": 10, "epochs": 1, "shuffle": False}}}
    whole, batches = (bouton.Network(bouton.Recipe(table)) for _ in range(2))
    for task, (x, y) in enumerate(digits(table, 0, 300)[:2]):
        for network in (whole, batches):
            network.begin_task()
        for epoch in range(2):
            whole.epoch(x, y)
            for at in range(0, len(x), 10):
                ids = np.arange(at, min(at + 10, len(x)))
                batches.step(x[ids], y[ids], ids=ids, epoch=epoch)
        for network in (whole, batches):
            network.end_task(x, y)
    for name, w in whole.weights.items():
        np.testing.assert_array_equal(w, batches.weights[name])


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("updates", "file-order")])
def test_what_acts_where_tasks_end_needs_to_be_told(kind):
    table = BASE | KINDS[kind]
    network = bouton.Network(bouton.Recipe(table))
    x, y = digits(table, 0, 300)[0]
    before = network.weights
    for call in (lambda: network.step(x, y), lambda: network.epoch(x, y), lambda: network.step(x, y, epoch=0)):
        with pytest.raises(bouton.RecipeError, match="begin_task"):
            call()
    for name, w in network.weights.items():
        np.testing.assert_array_equal(w, before[name])


def refusals():
    x, y = digits(BASE, 0, 300)[0]
    heads = BASE | KINDS["outputs-of-tasks"]
    begun = lambda table: (lambda n: (n.begin_task(), n)[1])(bouton.Network(bouton.Recipe(table)))
    limited = bouton.Network(bouton.Recipe(BASE, run__updates=1))
    limited.step(x, y)
    ended = begun(BASE | {"sequence": {"split": {"classes": 5}}, "network": {"layers": [64, 12, 5]}})
    ended.end_task(), ended.begin_task(), ended.end_task()
    return {
        "end before begin": (lambda: bouton.Network(bouton.Recipe(BASE)).end_task(), "begin_task"),
        "begin twice": (lambda: begun(BASE).begin_task(), "end_task"),
        "no further task": (ended.begin_task, "2 tasks"),
        "ewc without samples": (lambda: begun(BASE | KINDS["ewc"]).end_task(), "samples"),
        "replay without samples": (lambda: begun(BASE | KINDS["replay"]).end_task(), "samples"),
        "samples without labels": (lambda: begun(BASE).end_task(x), "both"),
        "schedule without epoch": (lambda: begun(BASE | KINDS["schedule"]).step(x, y), "epoch"),
        "outputs of another task": (lambda: begun(heads).step(x, y + 2), "outputs of task 0"),
        "evaluation of no task": (lambda: begun(heads).evaluate(x, y), "which"),
        "evaluation of a far task": (lambda: begun(heads).evaluate(x, y, task=5), "no task 5"),
        "varied images": (lambda: bouton.Network(bouton.Recipe(BASE, task__digits__shift=1)).epoch(x, y), "task.shift"),
        "updates of a run": (lambda: limited.step(x, y), "run.updates"),
        "rate": (lambda: bouton.Network(bouton.Recipe(BASE)).step(x, y, rate=float("nan")), "rate"),
        "gradients with replay": (lambda: begun(BASE | KINDS["replay"]).apply({}), "replay"),
    }


@pytest.mark.parametrize("what", [
    "end before begin", "begin twice", "no further task", "ewc without samples", "replay without samples",
    "samples without labels", "schedule without epoch", "outputs of another task", "evaluation of no task",
    "evaluation of a far task", "varied images", "updates of a run", "rate", "gradients with replay",
])
def test_what_is_refused(what):
    call, words = refusals()[what]
    with pytest.raises(bouton.BoutonError, match=words) as caught:
        call()
    assert caught.value.hint
