"""Equilibrium propagation beside PyTorch's autograd, gradient by gradient, on the same settling network."""

import numpy as np
import torch

import bouton

STEPS = 60
recipe = bouton.Recipe({
    "task": {"digits": {"batch": 20, "epochs": 1}},
    "network": {"layers": [64, 32, 10]},
    "neuron": {"settle": {"activation": "shifted-sigmoid"}},
    "precision": "f64",
    "credit": {"eq-prop": {"beta": 1e-3, "nudge": "symmetric", "free-steps": STEPS, "nudged-steps": STEPS}},
    "optim": {"sgd": {"lr": 0.1}},
})
network = bouton.Network(recipe)
rng = np.random.default_rng(0)
x, y = rng.random((20, 64)), rng.integers(0, 10, 20)

w = {name: torch.tensor(values, requires_grad=True) for name, values in network.weights.items()}
hidden, output = torch.zeros(20, 32).double(), torch.zeros(20, 10).double()
for _ in range(STEPS):
    below = torch.from_numpy(x) @ w["input-hidden1.weight"].T + w["hidden1.bias"] + output @ w["hidden1-output.weight"]
    above = hidden @ w["hidden1-output.weight"].T + w["output.bias"]
    hidden, output = (torch.sigmoid(4 * (drive - 0.5)) for drive in (below, above))
loss = 0.5 * ((output - torch.nn.functional.one_hot(torch.from_numpy(y), 10)) ** 2).sum() / 20
loss.backward()

for name, g in network.gradients(x, y).items():
    exact = w[name].grad.numpy()
    error = np.linalg.norm(g - exact) / np.linalg.norm(exact)
    print(f"{name:22} relative difference {error:.1e}")
    assert error < 1e-4
