"""Plug in other choices: the same network under five credit rules, from one recipe."""

import matplotlib.pyplot as plt

import bouton

recipe = bouton.Recipe({
    "task": {"digits": {"batch": 20, "epochs": 5}},
    "network": {"layers": [64, 64, 10]},
    "neuron": {"settle": {}},
    "credit": {"eq-prop": {"beta": 0.5, "nudge": "symmetric", "free-steps": 30, "nudged-steps": 10}},
    "optim": {"sgd": {"lr": 0.1}},
})
phases = {"beta": 0.5, "free-steps": 30, "nudged-steps": 10}
rules = {
    "EP, symmetric": {"eq-prop": phases},
    "EP, one-sided": {"eq-prop": phases | {"nudge": "positive"}},
    "coupled learning": {"coupled-learning": phases},
    "recurrent backpropagation": {"recurrent-backprop": {"free-steps": 30, "adjoint-steps": 10}},
    "BPTT": {"bptt": {"steps": 30}},
}
for name, credit in rules.items():
    run = bouton.Experiment(recipe, credit=credit, name="rule").run(progress=False)
    test = run.metrics("test")
    plt.plot(test.epoch, test.accuracy, label=name)
    print(f"{name:28} {run.last['accuracy']:.3f}")
plt.xlabel("epoch")
plt.ylabel("test accuracy on digits")
plt.legend()
plt.savefig("rules.svg")
print(bouton.runs("runs")[["seed", "state", "test.accuracy"]])
