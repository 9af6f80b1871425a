"""Times one update of predictive coding in JAX: what `cargo bench -p bouton --bench ep_update -- pc_update` times.

    python jax_predictive.py

784-512-512-10 sigmoid units whose values stand before the activation, 20 steps of gamma = 0.05 from a pass, squared errors, plain SGD at
1e-3, float32, the whole update compiled into one program. JPC and PCX are not on the package index; this is their arithmetic without
their code, which costs more. Two threads by taskset. Prints rows `bench,case,ms_min,ms_median`. Needs requirements-jax.txt in an
environment of its own.
"""

import os

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import statistics
import time

import jax
import jax.numpy as jnp

LAYERS, STEPS, GAMMA, RATE = [784, 512, 512, 10], 20, 0.05, 1e-3
sigma = jax.nn.sigmoid


def predictions(params, sent):
    return [s @ w.T + b for (w, b), s in zip(params, sent)]


def update(params, x, y):
    first = params[0][0], params[0][1]
    # What the data send stays the same while values move.
    from_data = x @ first[0].T + first[1]
    values = [from_data]
    values.append(sigma(values[0]) @ params[1][0].T + params[1][1])

    def errors(values):
        sent = [sigma(v) for v in values]
        d2 = sent[0] @ params[1][0].T + params[1][1]
        out = sent[1] @ params[2][0].T + params[2][1]
        return sent, [values[0] - from_data, values[1] - d2, y - out]

    def step(values, _):
        sent, e = errors(values)
        s1, s2 = sent
        back1 = s1 * (1 - s1) * (e[1] @ params[1][0])
        back2 = s2 * (1 - s2) * (e[2] @ params[2][0])
        return [values[0] + GAMMA * (back1 - e[0]), values[1] + GAMMA * (back2 - e[1])], None

    values, _ = jax.lax.scan(step, values, None, length=STEPS)
    sent, e = errors(values)
    n = x.shape[0]
    pre = [x, *sent]
    return [(w + RATE * (d.T @ s) / n, b + RATE * d.mean(0)) for (w, b), d, s in zip(params, e, pre)]


def main():
    key = jax.random.PRNGKey(1)
    params = []
    for fan_in, fan_out in zip(LAYERS, LAYERS[1:]):
        key, own = jax.random.split(key)
        bound = fan_in**-0.5
        params.append((jax.random.uniform(own, (fan_out, fan_in), minval=-bound, maxval=bound), jnp.zeros(fan_out)))
    run = jax.jit(update, donate_argnums=0)
    for samples in [64, 256]:
        x = jax.random.uniform(key, (samples, 784))
        y = jax.nn.one_hot(jnp.arange(samples) % 10, 10)
        state = jax.block_until_ready(run([(w + 0, b + 0) for w, b in params], x, y))
        times = []
        for _ in range(15):
            start = time.perf_counter()
            for _ in range(10):
                state = run(state, x, y)
            jax.block_until_ready(state)
            times.append((time.perf_counter() - start) * 100)
        print(f"pc_update,b{samples},{min(times):.5f},{statistics.median(times):.5f}", flush=True)


main()
