"""Train a network by equilibrium propagation on images that are in the wheel, and draw how it went."""

import matplotlib.pyplot as plt

import bouton

recipe = bouton.Recipe({
    "name": "example",
    "task": {"fashion-mini": {"batch": 20, "epochs": 10}},
    "network": {"layers": [784, 128, 10]},
    "neuron": {"settle": {"activation": "shifted-sigmoid"}},
    "credit": {"eq-prop": {"beta": 0.5, "nudge": "symmetric", "free-steps": 40, "nudged-steps": 10}},
    "solver": {"even-odd": {"tolerance": 2.5e-4}},
    "optim": {"sgd": {"lr": [0.1, 0.05]}},
})
run = bouton.Experiment(recipe, out="runs").run()
print(run, run.last)

for split in ("train", "test"):
    table = run.metrics(split)
    plt.plot(table.epoch, table.accuracy, label=split)
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.savefig("train.svg")
