"""Look inside a relaxation: states of every phase, and how far the nudge moves each layer."""

import matplotlib.pyplot as plt
import numpy as np

import bouton

recipe = bouton.Recipe({
    "task": {"digits": {"batch": 20, "epochs": 1}},
    "network": {"layers": [64, 48, 24, 10]},
    "neuron": {"settle": {}},
    "credit": {"eq-prop": {"beta": 0.1, "nudge": "symmetric", "free-steps": 100, "nudged-steps": 100}},
    "optim": {"sgd": {"lr": 0.1}},
})
network = bouton.Network(recipe)
rng = np.random.default_rng(0)
x, y = rng.random((50, 64), dtype=np.float32), rng.integers(0, 10, 50)

free, plus, minus = network.relax(x, y)
print("largest residual of the free phase", free["residual"].max())
for layer, s in free["states"].items():
    odd = (plus["states"][layer] - minus["states"][layer]) / 2
    even = (plus["states"][layer] + minus["states"][layer]) / 2 - s
    print(f"{layer:8} first order {np.abs(odd).mean():.1e}, second order {np.abs(even).mean():.1e}")

betas, cosines = [0.01, 0.03, 0.1, 0.3, 1.0], {"one-sided": [], "symmetric": []}
exact = bouton.Network(recipe.replace(credit={"bptt": {"steps": 100}})).gradients(x, y)
for name, nudge in (("one-sided", "positive"), ("symmetric", "symmetric")):
    for beta in betas:
        rule = bouton.Network(recipe.replace(credit__eq_prop__beta=beta, credit__eq_prop__nudge=nudge))
        a = np.concatenate([g.ravel() for g in rule.gradients(x, y).values()])
        b = np.concatenate([g.ravel() for g in exact.values()])
        cosines[name].append(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))
for name, values in cosines.items():
    plt.loglog(betas, values, "o-", label=name)
plt.xlabel("nudge β")
plt.ylabel("1 − cosine to the exact gradient")
plt.legend()
plt.savefig("relaxation.svg")
assert cosines["symmetric"][2] < cosines["one-sided"][2]
