"""Write the golden vectors of testdata/ep (NumPy float64 only): python generate_ep.py

Equations live in ep_reference.py, nets and writer in golden.py. This script asserts the theory (an assertion that
fails writes nothing) and stores one JSON file per topic. PROVENANCE.md describes every key.
"""

import hashlib
import pathlib

import numpy as np

import ep_reference as ep
from ep_reference import Net, add, cosine, rel_error, repeat, scale, step
from golden import (BATCH, BETA, FILES, FREE, K, LABELS, NETS, RNG, SEED, SIZES, SMALL, SMOOTH, T, W, B, X, Y,
                    between, nudged, params, rest, save)

OUT = pathlib.Path(__file__).parent / "ep"


def net_file():
    save("net", "the 20-30-25-10 net, inputs and targets that the other files use unless they carry their own",
         seed=SEED, layers=SIZES, x=X, labels=LABELS, y=Y, W=W, b=B)


def activations():
    grid = np.array([-7.3, -2.1, -1.0, -0.4, 0.3, 0.5, 0.9, 1.4, 1.9, 2.6, 5.5, 7.3])
    z = np.array([0.3 + 0.2j, -0.7 + 0.1j, 1.2 - 0.4j, 2.5 + 0.3j])
    table, complex_table, h = {}, {}, 1e-6
    for name, (f, slope) in ep.ACTIVATIONS.items():
        error = np.abs((f(grid + h) - f(grid - h)) / (2 * h) - slope(grid)).max()
        assert error < 1e-8, (name, error)
        table[name] = {"f": f(grid), "slope": slope(grid)}
        if name in ("shifted-sigmoid", "tanh", "dsilu"):
            complex_table[name] = {"re": f(z).real, "im": f(z).imag}
    o = np.array([[1.0, -2.0, 0.5, 30.0], [0.1, 0.2, 0.3, 0.4]])
    save("activations", "f and f' on a grid; analytic ones at complex points; row softmax",
         x=grid, table=table, z={"re": z.real, "im": z.imag}, complex=complex_table,
         softmax={"logits": o, "p": ep.softmax(o)})


def free_fixed_point():
    cases = {}
    for name, net in NETS.items():
        s = FREE[name]
        residual = ep.row_change(step(net, X, Y, s), s).max()
        between(residual, 0, 1e-14, f"residual {name}")
        for omega in (1.0, 1.2):  # T10: same fixed point for the other solvers
            other = ep.settle(lambda v: ep.sweep(net, X, Y, v, omega=omega), ep.zeros(net, X))
            assert ep.row_change(other, s).max() < 1e-12, name
        kinks = [np.abs(ep.drive(net, X, s, n) - k).min() for n in range(net.depth)
                 for k in (0, 1) if net.acts[n] == "hard-sigmoid"]
        cases[name] = {"acts": net.acts, "states": s, "residual": residual, "loss": ep.loss(net, s, Y)}
        if kinks:
            cases[name]["nearest_kink"] = min(kinks)
        if net.readout:
            cases[name]["logits"] = ep.logits(net, s)
    save("free_fixed_point", "free state to residual < 1e-14 (synchronous; even-odd agrees)", cases=cases)


def sweeps_until(advance, s, tol):
    """Per sample: the first sweep whose residual is <= tol (1 = the first sweep)."""
    count, t = np.zeros(BATCH, int), 0
    while (count == 0).any():
        new, t = advance(s), t + 1
        count[(count == 0) & (ep.row_change(new, s) <= tol)] = t
        s = new
    return count


def free_steps():
    cases = {}
    for name, net in NETS.items():
        case, solvers = {"acts": net.acts}, {
            "synchronous": (T, lambda s: step(net, X, Y, s)),
            "even_odd": (7, lambda s: ep.sweep(net, X, Y, s)),
            "over_relaxed": (7, lambda s: ep.sweep(net, X, Y, s, omega=1.2)),
        }
        for key, (times, advance) in solvers.items():
            before = repeat(advance, ep.zeros(net, X), times - 1)
            after = advance(before)
            case[key] = {"sweeps": times, "states": after, "residual": ep.row_change(after, before),
                         "sweeps_to_1e-6": sweeps_until(advance, ep.zeros(net, X), 1e-6)}
        cases[name] = case
    save("free_steps", "states after exactly so many free sweeps from zero", omega=1.2, cases=cases)


def energy_dynamics():
    forms = {
        "hard-sigmoid": dict(rho_input=False, output_slope=True),
        "shifted-sigmoid/plain-output/rho-input": dict(rho_input=True, output_slope=False),
        "shifted-sigmoid/plain-output/raw-input": dict(rho_input=False, output_slope=False),
        "shifted-sigmoid/gradient-output/raw-input": dict(rho_input=False, output_slope=True),
        "shifted-sigmoid/loss-of-rho/raw-input": dict(rho_input=False, output_slope=True, loss_of_rho=True),
    }
    cases = {}
    for key, form in forms.items():
        net = NETS[key.split("/")[0]]
        rho = lambda v: net.f(0, v)
        x = rho(X) if form["rho_input"] else X
        go = lambda s, beta, times: repeat(lambda v: ep.energy_step(net, X, Y, v, 0.2, beta, **form), s, times)
        free = go(ep.zeros(net, X), 0.0, T)
        pull = go(free, BETA, K)
        if key == "hard-sigmoid":  # the clipped rest state is the fixed point of the discrete dynamics
            assert ep.row_change(go(free, 0.0, 2000), FREE[key]).max() < 1e-12
        g = ep.contrast(x, [rho(v) for v in pull], [rho(v) for v in free], BETA)
        cases[key] = {**form, "free": free, "nudged": pull, "one_sided_plus": params(g)}
    save("energy_dynamics", "s <- clip(s + eps(-dF/ds), 0, 1), rho in the weights, T free steps from zero, then K nudged",
         eps=0.2, T=T, K=K, beta=BETA, cases=cases)


def nudged_steps():
    parallel, even_odd = {}, {}
    for name, net in NETS.items():
        parallel[name], even_odd[name] = {"acts": net.acts}, {"acts": net.acts}
        for sign, beta in (("plus", BETA), ("minus", -BETA)):
            parallel[name][f"inside_{sign}"] = nudged(name, beta)
            if net.readout is None:
                parallel[name][f"outside_{sign}"] = nudged(name, beta, nudge="outside")
            for key, exact in (("", False), ("exact_output_", True)):
                if not exact or net.acts[-1] == "linear":
                    even_odd[name][key + sign] = repeat(
                        lambda s: ep.sweep(net, X, Y, s, beta=beta, exact_output=exact), FREE[name], K)
        losses = [ep.loss(net, s, Y) for s in (parallel[name]["inside_plus"], FREE[name], parallel[name]["inside_minus"])]
        assert losses[0] < losses[1] < losses[2], f"beta > 0 must lower the loss: {name}"
    about = "states after K nudged {} sweeps from the free fixed point (free_fixed_point.json)"
    save("nudged_steps_synchronous", about.format("synchronous"), K=K, beta=BETA, cases=parallel)
    save("nudged_steps_even_odd", about.format("even-odd"), K=K, beta=BETA, cases=even_odd)


def estimators(name, beta=BETA, steps=K, nudge="inside"):
    plus, minus = nudged(name, beta, steps, nudge), nudged(name, -beta, steps, nudge)
    return {"one_sided_plus": ep.contrast(X, plus, FREE[name], beta),
            "one_sided_minus": ep.contrast(X, FREE[name], minus, beta),
            "symmetric": ep.contrast(X, plus, minus, 2 * beta)}


def check_adjoint(name, rbp):
    """Central differences of the loss at the re-settled fixed point, six parameters."""
    net, h = NETS[name], 1e-5
    probes = [(net.W[0], rbp[0][0], (3, 5)), (net.W[1], rbp[0][1], (4, 7)), (net.W[-1], rbp[0][-1], (2, 9)),
              (net.b[0], rbp[1][0], 6), (net.b[1], rbp[1][1], 11), (net.b[-1], rbp[1][-1], 1)]
    for array, gradient, at in probes:
        keep, values = array[at], []
        for move in (h, -h):
            array[at] = keep + move
            values.append(ep.loss(net, rest(net, start=FREE[name]), Y))
        array[at] = keep
        assert abs((values[0] - values[1]) / (2 * h) - gradient[at]) < 1e-9, (name, at)


def check_estimators(name, tbp, rbp):
    """T1, T3, T12: bias orders, truncated EP = truncated BPTT, long EP = recurrent backprop."""
    slopes = {"one_sided_plus": 1, "symmetric": 2}
    for key, order in slopes.items():
        e = [rel_error(estimators(name, b)[key], tbp) for b in (0.025, 0.0125)]
        between(np.log2(e[0] / e[1]), order - 0.2, order + 0.2, f"{name} {key} slope")
    between(rel_error(estimators(name, 1e-4)["symmetric"], tbp), 0, 1e-6, f"{name} symmetric vs TBP, beta 1e-4")
    between(rel_error(estimators(name, 1e-4)["one_sided_plus"], tbp), 1e-6, 1e-3, f"{name} one-sided vs TBP, beta 1e-4")
    between(rel_error(estimators(name, 1e-4, 400)["symmetric"], rbp), 0, 1e-6, f"{name} long symmetric vs RBP")


def gradients():
    for name, net in NETS.items():
        tbp = ep.total(ep.bptt(net, X, Y, FREE[name], K)[0])
        rbp = ep.adjoint(net, X, Y, FREE[name])
        check_adjoint(name, rbp)
        if name in SMOOTH:
            check_estimators(name, tbp, rbp)
        else:  # no kink is crossed at a tiny beta
            between(rel_error(estimators(name, 1e-7)["symmetric"], tbp), 0, 1e-6, f"{name} symmetric vs TBP, beta 1e-7")
        found = {**estimators(name), "tbp": tbp, "rbp": rbp}
        content = {k: params(g) for k, g in found.items()}
        if net.readout:
            content |= readout_and_holomorphic(name, rbp, estimators(name)["symmetric"])
        save("gradients_" + name.replace("-", "_").replace("+", "_"),
             "EP estimators after K synchronous nudged steps (inside) from the free fixed point; exact gradients",
             acts=net.acts, beta=BETA, K=K, loss=ep.loss(net, FREE[name], Y), **content)


def readout_and_holomorphic(name, rbp, symmetric):
    net = NETS[name]
    gw, gb = ep.readout_grad(net, FREE[name], Y)
    h, keep = 1e-5, net.readout[0][2, 3]
    values = []
    for move in (h, -h):
        net.readout[0][2, 3] = keep + move
        values.append(ep.loss(net, FREE[name], Y))
    net.readout[0][2, 3] = keep
    assert abs((values[0] - values[1]) / (2 * h) - gw[2, 3]) < 1e-9
    hep = lambda points, beta, steps: ep.holomorphic(net, X, Y, FREE[name], beta, points, steps)
    assert rel_error(hep(2, BETA, K), symmetric) < 1e-12
    for points in (2, 4, 6):
        e = [rel_error(hep(points, b, 400), rbp) for b in (0.05, 0.025)]
        between(np.log2(e[0] / e[1]), points - 0.2, points + 0.2, f"{name} N={points} slope")
    assert cosine(hep(4, BETA, 400), rbp) > 0.99999
    return {"readout": {"W": gw, "b": gb}, "holomorphic_2_converged": params(hep(2, BETA, 400)),
            "holomorphic_4": params(hep(4, BETA, K)), "holomorphic_4_converged": params(hep(4, BETA, 400))}


def gradients_nudge_outside():
    """T5: with the nudge outside, shifted-sigmoid EP is the gradient of binary cross-entropy / 4."""
    name = "shifted-sigmoid"
    net, s = NETS[name], FREE[name]
    bce = ep.adjoint(net, X, Y, s, first=(s[-1] - Y) / (4 * s[-1] * (1 - s[-1])))
    long = estimators(name, 1e-4, 400, "outside")
    between(rel_error(long["symmetric"], bce), 0, 1e-5, "outside symmetric vs BCE/4")
    between(rel_error(long["one_sided_plus"], bce), 1e-6, 2e-3, "outside one-sided vs BCE/4")
    between(rel_error(long["symmetric"], ep.adjoint(net, X, Y, s)), 0.1, 2, "outside vs squared error (wrong loss)")
    found = {**estimators(name, nudge="outside"), "quarter_bce_rbp": bce}
    save("gradients_nudge_outside", "shifted sigmoid, nudge outside: EP after K steps; exact gradient of BCE/4",
         beta=BETA, K=K, **{k: params(g) for k, g in found.items()})


def gradients_even_odd():
    """T2: K even-odd sweeps = 2K half-sweeps, output group first, against BPTT walking back in the same order."""
    content = {}
    for name in ("shifted-sigmoid", "hard-sigmoid+linear-output"):
        net, s0 = NETS[name], FREE[name]
        after = lambda b: repeat(lambda s: ep.sweep(net, X, Y, s, beta=b), s0, K)
        symmetric = lambda b: ep.contrast(X, after(b), after(-b), 2 * b)
        tbp = ep.total(ep.bptt_half_sweeps(net, X, Y, s0, 2 * K))
        between(rel_error(symmetric(1e-4 if name in SMOOTH else 1e-7), tbp), 0, 1e-6, f"even-odd {name}")
        content[name] = {"symmetric": params(symmetric(BETA)), "tbp": params(tbp)}
    save("gradients_even_odd", "as gradients_*, with K even-odd sweeps (output group first)", beta=BETA, K=K, cases=content)


def coupled_learning():
    name = "hard-sigmoid+linear-output"
    net, s0 = NETS[name], FREE[name]

    def clamped(beta, times):
        start = s0[:-1] + [s0[-1] + beta * (Y - s0[-1])]
        go = lambda s: ep.sweep(net, X, Y, s, frozen=(net.depth - 1,))
        return ep.settle(go, start) if times is None else repeat(go, start, times)

    def soft(beta):
        return ep.settle(lambda s: ep.sweep(net, X, Y, s, beta=beta, exact_output=True), s0)

    grads = {}
    for key, make in (("ep", soft), ("cpl", lambda b: clamped(b, None))):
        plus, minus = make(BETA), make(-BETA)
        grads[f"{key}_positive"] = ep.contrast(X, plus, s0, BETA)
        grads[f"{key}_negative"] = ep.contrast(X, s0, minus, BETA)
        grads[f"{key}_centred"] = ep.contrast(X, plus, minus, 2 * BETA)
    grads["contrastive"] = ep.contrast(X, clamped(1.0, None), s0, 1.0)
    rbp = ep.adjoint(net, X, Y, s0)
    for key, g in grads.items():
        between(cosine(g, rbp), 0.8, 1, f"cosine of {key} to RBP")
    save("coupled_learning", "converged second phases (EP: exact output (d + beta y)/(1 + beta); CpL: output held at "
         "o* +- beta (y - o*); CL: output held at y), hard sigmoid hidden, linear output", beta=BETA,
         **{k: params(g) for k, g in grads.items()},
         clamped_plus_after_2_sweeps=clamped(BETA, 2), clamped_minus_after_2_sweeps=clamped(-BETA, 2))


def series(net, x, y, s0, beta, steps):
    """-(dPhi(s_{t+1}) - dPhi(s_t))/beta and the states of a nudged run from s0."""
    path = [s0]
    for _ in range(steps):
        path.append(step(net, x, y, path[-1], beta))
    return [ep.contrast(x, b, a, beta) for a, b in zip(path, path[1:])], path


def gdu():
    """T1: per-step EP increments = per-step BPTT contributions."""
    w, b, x, labels, y = SMALL
    steps, beta = 12, 1e-3
    for act in ("tanh", "shifted-sigmoid"):
        net = Net(w, b, [act] * 3)
        s0 = ep.settle(lambda s: step(net, x, y, s), ep.zeros(net, x))
        parts, adjoints = ep.bptt(net, x, y, s0, steps)

        def symmetric(beta):
            plus, minus = series(net, x, y, s0, beta, steps)[0], series(net, x, y, s0, -beta, steps)[0]
            return [scale(0.5, add(p, m)) for p, m in zip(plus, minus)]

        worst = lambda found: max(rel_error(f, p) for f, p in zip(found, parts))
        for bt in (1e-2, 1e-3, 1e-4):
            between(worst(series(net, x, y, s0, bt, steps)[0]), 0.02 * bt, 20 * bt, f"gdu {act} one-sided beta {bt}")
            between(worst(symmetric(bt)), 0, 100 * bt**2, f"gdu {act} symmetric beta {bt}")
        path = series(net, x, y, s0, beta, steps)[1]
        d = [net.slope(n, ep.drive(net, x, s0, n)) for n in range(net.depth)]
        for t, g in enumerate(adjoints):  # neurons: ds(t) = -D g(t), per sample
            move = [(q - p) / beta for p, q in zip(path[t], path[t + 1])]
            error = max(np.abs(m + a * e).max() for m, a, e in zip(move, d, g))
            assert error < 20 * beta * max(np.abs(e).max() for e in g) + 1e-12, (act, t, error)
        save(f"gdu_{act.replace('-', '_')}", "per-step series t = 0..11 (t = 0: first nudged step, last BPTT step)",
             layers=[6, 7, 5, 4], acts=net.acts, beta=beta, steps=steps, x=x, labels=labels, y=y, W=w, b=b, free=s0,
             bptt=[params(p) for p in parts], bptt_states=adjoints,
             ep_one_sided_plus=[params(p) for p in series(net, x, y, s0, beta, steps)[0]],
             ep_symmetric=[params(p) for p in symmetric(beta)], states_plus=path[1:])


def continual():
    """C-EP on the small net: after every nudged step theta += lr/beta (dPhi(s_{t+1}) - dPhi(s_t))."""
    w, b, x, _, y = SMALL
    free_net = Net(w, b, ["shifted-sigmoid"] * 3)
    s0 = ep.settle(lambda s: step(free_net, x, y, s), ep.zeros(free_net, x))

    def run(rate):
        net, s = Net(list(w), list(b), free_net.acts), s0
        for _ in range(K):
            new = step(net, x, y, s, BETA)
            g = ep.contrast(x, new, s, BETA)
            net.W = [p - rate * q for p, q in zip(net.W, g[0])]
            net.b = [p - rate * q for p, q in zip(net.b, g[1])]
            s = new
        return net, s

    plain = ep.contrast(x, repeat(lambda s: step(free_net, x, y, s, BETA), s0, K), s0, BETA)
    tiny = run(1e-7)[0]  # T13
    change = ([(p - q) / 1e-7 for p, q in zip(w, tiny.W)], [(p - q) / 1e-7 for p, q in zip(b, tiny.b)])
    between(rel_error(change, plain), 0, 1e-4, "continual EP at a tiny rate vs EP")
    net, s = run(0.05)
    save("continual", "continual EP, small net of gdu_shifted_sigmoid.json, synchronous, nudge inside, plain SGD",
         lr=0.05, beta=BETA, K=K, free=s0, states=s, W=net.W, b=net.b)


def bptt_from_zero():
    net = NETS["shifted-sigmoid"]
    parts, _ = ep.bptt(net, X, Y, ep.zeros(net, X), T)
    cut, _ = ep.bptt(net, X, Y, ep.zeros(net, X), T, keep=K)
    full, h, values = ep.total(parts), 1e-5, []
    for move in (h, -h):
        w = [v.copy() for v in W]
        w[1][4, 7] += move
        other = Net(w, B, net.acts)
        values.append(ep.loss(other, repeat(lambda s: step(other, X, Y, s), ep.zeros(net, X), T), Y))
    assert abs((values[0] - values[1]) / (2 * h) - full[0][1][4, 7]) < 1e-9
    end = repeat(lambda s: step(net, X, Y, s), ep.zeros(net, X), T)
    save("bptt_from_zero", "shifted sigmoid, T synchronous steps from zero, loss at step T: whole gradient, last K steps only",
         T=T, K=K, loss=ep.loss(net, end, Y), full=params(full), last_K=params(ep.total(cut)))


def energy():
    """T10: E_sigma per sample along even-odd half-sweeps never rises."""
    cases = {}
    runs = [("hard-sigmoid", 1.0), ("shifted-sigmoid", 1.0), ("tanh", 1.0), ("hard-sigmoid+linear-output", 1.0),
            ("hard-sigmoid+linear-output", 1.2)]
    for name, omega in runs:
        net = NETS[name]
        phases = [("free", 0.0, ep.zeros(net, X), {})]
        if net.acts[-1] == "linear":
            phases.append(("nudged", BETA, FREE[name], {"exact_output": True}))
        case = {"acts": net.acts, "omega": omega}
        for phase, beta, s, how in phases:
            rows = [ep.lyapunov(net, X, Y, s, beta)]
            for k in range(14):
                s = ep.half_sweep(net, X, Y, s, ep.groups(net)[k % 2], beta=beta, omega=omega, **how)
                rows.append(ep.lyapunov(net, X, Y, s, beta))
            rise = np.diff(np.array(rows), axis=0).max()
            between(rise, -np.inf, 1e-13, f"energy rise {name} omega {omega} {phase}")
            case[phase] = rows
        cases[f"{name}/omega-{omega}"] = case
    save("energy", "E_sigma (free, from zero) and E_sigma + beta l (nudged, exact output, from the free fixed point) "
         "before and after each of 14 half-sweeps, per sample", beta=BETA, cases=cases)


def mlp_relu_xent():
    def forward(w, b):
        a = [X]
        for n in range(3):
            d = a[-1] @ w[n].T + b[n]
            a.append(np.maximum(d, 0) if n < 2 else d)
        return a, -np.log((ep.softmax(a[-1]) * Y).sum(axis=1)).mean()

    a, value = forward(W, B)
    e, gw, gb = (ep.softmax(a[-1]) - Y) / BATCH, [], []
    for n in (2, 1, 0):
        gw.insert(0, e.T @ a[n])
        gb.insert(0, e.sum(axis=0))
        e = (e @ W[n]) * (a[n] > 0)
    h = 1e-6
    for arrays, grads in ((W, gw), (B, gb)):
        for n, array in enumerate(arrays):
            for at in RNG.integers(0, array.size, 20):
                keep, values = array.flat[at], []
                for move in (h, -h):
                    array.flat[at] = keep + move
                    values.append(forward(W, B)[1])
                array.flat[at] = keep
                assert abs((values[0] - values[1]) / (2 * h) - grads[n].flat[at]) < 1e-8, (n, at)
    save("mlp_relu_xent", "feed-forward relu-relu-linear on net.json, softmax cross-entropy, batch mean",
         logits=a[-1], loss=value, hidden=a[1:3], W=gw, b=gb)


def optimisers():
    start, grads = RNG.normal(size=6), RNG.normal(size=(3, 6))
    lr, mu, decay, b1, b2, eps = 0.1, 0.9, 0.01, 0.9, 0.999, 1e-8

    def run(rule):
        p, memory, rows = start.copy(), [np.zeros(6), np.zeros(6)], []
        for t, g in enumerate(grads, 1):
            p = rule(p, g, memory, t)
            rows.append(p.copy())
        return rows

    def coupled(p, g, m, t, nesterov=False):
        g = g + decay * p
        m[0] = mu * m[0] + g
        return p - lr * (g + mu * m[0] if nesterov else m[0])

    def decoupled(p, g, m, t):
        m[0] = mu * m[0] + g
        return (1 - lr * decay) * p - lr * m[0]

    def adam(p, g, m, t):
        m[0], m[1] = b1 * m[0] + (1 - b1) * g, b2 * m[1] + (1 - b2) * g * g
        return p - lr * (m[0] / (1 - b1**t)) / (np.sqrt(m[1] / (1 - b2**t)) + eps)

    rules = {
        "sgd": lambda p, g, m, t: p - lr * g,
        "sgd_momentum_decay_in_gradient": coupled,
        "sgd_nesterov_decay_in_gradient": lambda *a: coupled(*a, nesterov=True),
        "sgd_momentum_decay_decoupled": decoupled,
        "adam": adam,
        "adam_decay_in_gradient": lambda p, g, m, t: adam(p, g + decay * p, m, t),
        "adamw": lambda p, g, m, t: adam((1 - lr * decay) * p, g, m, t),
    }
    save("optimisers", "parameters after steps 1, 2, 3 with the given gradients", lr=lr, momentum=mu, weight_decay=decay,
         betas=[b1, b2], eps=eps, start=start, gradients=grads, after={k: run(r) for k, r in rules.items()})


def training():
    """Three whole updates on the same batch: free T from zero, nudged K, plain SGD with one rate per layer."""
    content = {}
    plans = [("mse_symmetric", NETS["shifted-sigmoid"], True), ("xent_one_sided", NETS["shifted-sigmoid+softmax-readout"], False)]
    for key, base, symmetric in plans:
        net, losses, rates = Net(list(base.W), list(base.b), base.acts, base.readout), [], [0.4, 0.3, 0.2]
        for _ in range(3):
            free = repeat(lambda s: step(net, X, Y, s), ep.zeros(net, X), T)
            losses.append(ep.loss(net, free, Y))
            plus = repeat(lambda s: step(net, X, Y, s, BETA), free, K)
            minus = repeat(lambda s: step(net, X, Y, s, -BETA), free, K)
            g = ep.contrast(X, plus, minus, 2 * BETA) if symmetric else ep.contrast(X, plus, free, BETA)
            read = ep.readout_grad(net, free, Y) if net.readout else None
            net.W = [w - r * v for w, r, v in zip(net.W, rates, g[0])]
            net.b = [w - r * v for w, r, v in zip(net.b, rates, g[1])]
            if read:
                net.readout = tuple(w - rates[2] * v for w, v in zip(net.readout, read))
        assert losses[0] > losses[1] > losses[2], losses
        content[key] = {"acts": net.acts, "losses": losses, "W": net.W, "b": net.b}
        if net.readout:
            content[key]["readout"] = {"W": net.readout[0], "b": net.readout[1]}
    save("training", "parameters after three updates from net.json", T=T, K=K, beta=BETA, lr=[0.4, 0.3, 0.2], cases=content)


def main():
    topics = [net_file, activations, free_fixed_point, free_steps, energy_dynamics, nudged_steps, gradients,
              gradients_nudge_outside, gradients_even_odd, coupled_learning, gdu, continual, bptt_from_zero, energy,
              mlp_relu_xent, optimisers, training]
    for topic in topics:
        print(topic.__name__)
        topic()
    OUT.mkdir(exist_ok=True)
    for name, body in sorted(FILES.items()):
        (OUT / name).write_text(body)
        print(f"| `{name}` | {len(body):,} | `{hashlib.sha256(body.encode()).hexdigest()}` |")
    print("numpy", np.__version__)


if __name__ == "__main__":
    main()
