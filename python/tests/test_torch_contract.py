"""What PyTorch expects of a module, line by line, and that a block does it.

| # | contract | test |
|---|---|---|
| 1 | parameters() and named_parameters() are the weights, leaves that want gradients | test_parameters_are_leaves |
| 2 | state_dict() holds tensors alone, each under a name of its own | test_a_state_is_tensors |
| 3 | load_state_dict(strict=True) takes the own state, names what is missing and what is too much | test_strict_loading |
| 4 | what is loaded counts at once, in the network too | test_loading_counts_at_once |
| 5 | a state goes through torch.save and torch.load(weights_only=True) | test_files |
| 6 | … and through safetensors, as a state and as a model | test_safetensors |
| 7 | copy.deepcopy gives an independent twin that answers and learns the same bits | test_copies |
| 8 | pickle and torch.save of the whole module do, too | test_copies |
| 9 | train() and eval() switch, go down from a parent, and training is where a module starts | test_modes |
| 10 | in evaluation equal inputs give equal outputs and no state changes | test_evaluation_changes_nothing |
| 11 | in training norm.batch normalises by the batch and moves its statistics, as nn.BatchNorm1d does | test_batch_norm_is_pytorchs |
| 12 | in evaluation it uses them, and backward knows | test_batch_norm_is_pytorchs |
| 13 | one sample has no statistics in training, and is fine in evaluation | test_one_sample |
| 14 | dropout draws anew in every training pass and keeps the mean | test_dropout_draws_anew |
| 15 | backward differentiates the very pass that it belongs to, however many came between | test_backward_knows_its_pass |
| 16 | the same seed and count of passes give the same random numbers; a loaded state goes on with them | test_random_numbers_repeat |
| 17 | gradients add up over backward passes | test_gradients_add_up |
| 18 | zero_grad of the module, of a parent and of an optimiser forgets them, set to none or to zero | test_zero_grad_forgets |
| 19 | retain_graph gives the same gradient again | test_retained_graphs |
| 20 | a gradient is linear in the loss: mean, sum, scaled loss | test_loss_scale |
| 21 | a second derivative is an error, never silently zero | test_double_backward_raises |
| 22 | no_grad and inference_mode record nothing and answer the same | test_no_grad |
| 23 | requires_grad_(False) freezes: no gradient there, gradients elsewhere and for the input | test_freezing |
| 24 | an input that wants no gradient gets none | test_freezing |
| 25 | integers and booleans are refused with a TypeError that says what to do | test_integers_are_refused |
| 26 | floating-point inputs come back in their own type, parameters move by to(), half(), double() | test_types |
| 27 | an empty batch gives an empty output and zero gradients | test_empty_batches |
| 28 | inputs of any strides | test_strides |
| 29 | wrong shapes are errors that name both | test_shapes |
| 30 | hooks, forward and backward, run | test_hooks |
| 31 | torch.func.functional_call puts other weights in the place of the own ones | test_functional_call |
| 32 | nn.Sequential, nn.ModuleList, apply(), children see it | test_inside_other_modules |
| 33 | gradients that are not finite go on, so that a GradScaler skips the update | test_grad_scaler |
| 34 | clip_grad_norm_ and friends change what an update takes, step() too | test_clipping_reaches_step |
| 35 | every optimiser of torch.optim trains it, closures too | test_optimisers |
| 36 | AveragedModel averages it | test_averaged |
| 37 | torch.compile runs it outside the compiled graph | test_compile |
| 38 | repr() says what it is | test_repr |
| 39 | the input is not changed | test_the_input_stays |
| 40 | autograd.grad for attribution leaves nothing behind | test_attribution_leaves_nothing |
| 41 | two forward passes in one graph | test_two_passes_in_one_graph |
"""

import copy
import io
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import bouton
from bouton.errors import DataError, RecipeError, ShapeError
from bouton.torch import Block
from torch import nn

torch.set_num_threads(1)

TASK = {"synthetic": {"shape": [1, 1, 8], "classes": 3, "train": 1, "test": 1, "batch": 20, "epochs": 1}}
EP = {
    "seed": 1, "task": TASK, "network": {"layers": [8, 6, 3]}, "neuron": {"settle": {"activation": "shifted-sigmoid"}},
    "credit": {"eq-prop": {"beta": 0.2, "nudge": "symmetric", "free-steps": 20, "nudged-steps": 8}},
    "optim": {"adam": {"lr": 0.02}},
}
BP = {
    "seed": 1, "task": TASK, "network": {"layers": [8, 6, 3]}, "neuron": {"relu": {}}, "credit": {"backprop": {}},
    "objective": {"softmax-cross-entropy": {}}, "optim": {"adam": {"lr": 0.02}},
}
NORM = {**BP, "norm": {"batch": {}}}
DROP = {**BP, "network": {"layers": [8, 40, 3], "dropout": 0.5}}
META = {**NORM, "neuron": {"sign": {}}, "synapse": {"metaplastic": {"m": 1.0}}}
ALL = {"ep": (EP, "torch"), "bp": (BP, "torch"), "norm": (NORM, "torch"), "drop": (DROP, "torch"), "own": (META, "bouton")}


@pytest.fixture(params=ALL)
def block(request):
    recipe, updates = ALL[request.param]
    return Block(recipe, updates=updates)


@pytest.fixture
def x():
    return torch.randn(7, 8, generator=torch.Generator().manual_seed(3))


Y = torch.arange(7) % 3


def loss(block, x):
    return nn.functional.cross_entropy(block(x), Y[: len(x)])


def gradients(block, x, by=1.0):
    block.zero_grad()
    (loss(block, x) * by).backward()
    return [p.grad.clone() for p in block.parameters()]


def learn(block, x, times=1):
    """Some updates, by whoever makes them."""
    optimiser = torch.optim.Adam(block.parameters(), 1e-2)
    for _ in range(times):
        optimiser.zero_grad()
        loss(block, x).backward()
        optimiser.step() if block.by_torch else block.step()


def same(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_parameters_are_leaves(block):
    named = dict(block.named_parameters())
    assert {name.replace("_", "-", 1).replace("_", ".", 1) for name in named if name.startswith("input")} == {"input-hidden1.weight"}
    assert len(named) == len(block.network.weights) and all(p.is_leaf and p.requires_grad for p in named.values())
    for plain, name in block.names.items():
        np.testing.assert_array_equal(named[plain].detach(), block.network.weights[name])


def test_a_state_is_tensors(block):
    state = block.state_dict()
    assert all(isinstance(v, torch.Tensor) for v in state.values())
    assert set(state) == {n for n, _ in block.named_parameters()} | {n for n, _ in block.named_buffers()}
    assert len({v.data_ptr() for v in state.values()}) == len(state)


def test_strict_loading(block):
    state = block.state_dict()
    result = block.load_state_dict(state, strict=True)
    assert not result.missing_keys and not result.unexpected_keys
    name = next(iter(state))
    with pytest.raises(RuntimeError, match=name):
        block.load_state_dict({k: v for k, v in state.items() if k != name})
    with pytest.raises(RuntimeError, match="elsewhere"):
        block.load_state_dict({**state, "elsewhere": torch.zeros(1)})
    with pytest.raises(RuntimeError, match="size mismatch"):
        block.load_state_dict({**state, name: torch.zeros(2, 2)})


def test_loading_counts_at_once(block, x):
    other = copy.deepcopy(block)
    learn(other, x, 3)
    assert not same(block, other)
    block.load_state_dict(other.state_dict())
    for name, values in block.network.weights.items():
        np.testing.assert_array_equal(values, getattr(other, name.replace("-", "_").replace(".", "_")).detach())
    assert block.network.updates == other.network.updates == (0 if block.by_torch else 3)
    assert torch.equal(block.eval()(x), other.eval()(x))


def test_files(block, x, tmp_path):
    learn(block, x)
    torch.save(block.state_dict(), tmp_path / "state.pt")
    twin = copy.deepcopy(block)
    learn(twin, x)
    twin.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert same(block, twin)


def test_safetensors(block, x, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    twin = copy.deepcopy(block)
    learn(block, x)
    safetensors.save_file(block.state_dict(), tmp_path / "state.safetensors")
    twin.load_state_dict(safetensors.load_file(tmp_path / "state.safetensors"))
    assert same(block, twin)
    learn(block, x)
    safetensors.save_model(nn.Sequential(block), tmp_path / "model.safetensors")
    missing, unexpected = safetensors.load_model(nn.Sequential(twin), tmp_path / "model.safetensors")
    assert same(block, twin) and not missing and not unexpected


@pytest.mark.parametrize("way", ["deepcopy", "pickle", "save"])
def test_copies(block, x, way):
    learn(block, x)
    file = io.BytesIO()
    if way == "save":
        torch.save(block, file)
        file.seek(0)
    twin = {
        "deepcopy": lambda: copy.deepcopy(block),
        "pickle": lambda: pickle.loads(pickle.dumps(block)),
        "save": lambda: torch.load(file, weights_only=False),
    }[way]()
    assert same(block, twin) and twin.network is not block.network
    before = copy.deepcopy(twin.state_dict())
    learn(block, x, 2)
    assert not same(block, twin) and all(torch.equal(v, before[k]) for k, v in twin.state_dict().items())
    learn(twin, x, 2)
    assert same(block, twin) and torch.equal(block(x), twin(x))


def test_modes(block):
    model = nn.Sequential(block)
    assert block.training
    model.eval()
    assert not block.training
    model.train()
    assert block.training


def test_evaluation_changes_nothing(block, x):
    learn(block, x)
    before = copy.deepcopy(block.state_dict())
    a, b = block.eval()(x), block(x)
    b.sum().backward()
    assert torch.equal(a, b) and all(torch.equal(v, before[k]) for k, v in block.state_dict().items())
    assert torch.allclose(block(x[2:3]), a[2:3], atol=1e-6), "samples do not see each other"


def twin_of(block):
    """The layers of `NORM` in PyTorch, with the weights of the block."""
    model = nn.Sequential(nn.Linear(8, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3, bias=False), nn.BatchNorm1d(3))
    with torch.no_grad():
        model[0].weight.copy_(block.input_hidden1_weight)
        model[3].weight.copy_(block.hidden1_output_weight)
    return model


def test_batch_norm_is_pytorchs(x):
    block = Block(NORM)
    model = twin_of(block)
    adams = [torch.optim.Adam(m.parameters(), 1e-2) for m in (block, model)]
    for i in range(12):
        if i == 8:
            block.eval(), model.eval()
        for m, adam in zip((block, model), adams):
            adam.zero_grad()
            loss(m, x * 3 + 5).backward()
        pairs = [(block.input_hidden1_weight, model[0].weight), (block.hidden1_gain, model[1].weight), (block.output_bias, model[4].bias)]
        for mine, theirs in pairs:
            assert torch.allclose(mine.grad.flatten(), theirs.grad.flatten(), atol=1e-5), i
        for mine, theirs in [("hidden1_norm_mean", model[1].running_mean), ("output_norm_variance", model[4].running_var)]:
            assert torch.allclose(getattr(block, mine)[0], theirs, atol=1e-4, rtol=1e-4), i
        [adam.step() for adam in adams]
    assert torch.allclose(block(x), model(x), atol=1e-3)


def test_one_sample(x):
    block = Block(NORM)
    with pytest.raises(ShapeError, match="one sample"):
        block(x[:1])
    assert block.eval()(x[:1]).shape == (1, 3)


def test_dropout_draws_anew(x):
    block = Block(DROP)
    with torch.no_grad():
        outs = torch.stack([block(x) for _ in range(400)])
        mean = block.eval()(x)
    assert not torch.equal(outs[0], outs[1])
    spread = outs.std(0) / 400**0.5
    assert ((outs.mean(0) - mean).abs() < 5 * spread + 1e-6).all()
    gs = [gradients(block.train(), x)[0] for _ in range(3)]
    assert not torch.equal(gs[0], gs[1]) and not torch.equal(gs[1], gs[2])
    sign = Block({**EP, "credit": {"eq-prop": {**EP["credit"]["eq-prop"], "nudge": "random-sign"}}})
    assert len({gradients(sign, x)[0].sum().item() for _ in range(8)}) == 2


def test_backward_knows_its_pass(block, x):
    twin = copy.deepcopy(block)
    first = loss(block, x)
    block(x * 2), block.eval()(x), block.train()(x + 1)
    first.backward()
    for mine, theirs in zip((p.grad for p in block.parameters()), gradients(twin, x)):
        assert torch.equal(mine, theirs)


def test_random_numbers_repeat(x):
    a, b = Block(DROP), Block(DROP)
    assert torch.equal(a(x), b(x)) and torch.equal(a(x), b(x)) and int(a.passes) == 2
    c = Block(DROP)
    c.load_state_dict(a.state_dict())
    assert torch.equal(c(x), a(x))
    assert not torch.equal(Block({**DROP, "seed": 2}).load(nn.Sequential(nn.Linear(8, 40), nn.Linear(40, 3)))(x), Block(DROP)(x))


def test_gradients_add_up(block, x):
    twin = copy.deepcopy(block)
    a, b = gradients(twin, x), gradients(twin, x * 2)
    loss(block, x).backward(), loss(block, x * 2).backward()
    for p, one, two in zip(block.parameters(), a, b):
        assert torch.allclose(p.grad, one + two, atol=1e-7)


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize("who", ["block", "parent", "optimiser"])
def test_zero_grad_forgets(x, to_none, who):
    a, b = Block(META, updates="bouton"), Block(META, updates="bouton")
    loss(b, x * 50).backward()
    zero = {"block": b, "parent": nn.Sequential(b), "optimiser": torch.optim.SGD(b.parameters(), 0.1)}[who]
    zero.zero_grad(set_to_none=to_none)
    b.load_state_dict(a.state_dict())
    for block in (a, b):
        loss(block, x).backward()
        block.step()
    assert same(a, b)
    before = copy.deepcopy(a.state_dict())
    a.step()
    assert all(torch.equal(v, before[k]) for k, v in a.state_dict().items()), "what was learned is forgotten"


def test_retained_graphs(block, x):
    value = loss(block, x)
    value.backward(retain_graph=True)
    first = [p.grad.clone() for p in block.parameters()]
    block.zero_grad()
    value.backward()
    assert all(torch.equal(p.grad, g) for p, g in zip(block.parameters(), first))


@pytest.mark.parametrize("recipe", [EP, BP, {**EP, "precision": "f64"}])
def test_loss_scale(recipe, x):
    block = Block(recipe, solver={"even-odd": {"tolerance": 1e-4}} if recipe is not BP else {"synchronous": {}})
    one = gradients(block, x)
    for by in [1e-6, 1e-3, 7.0, 65536.0, 1e6]:
        for g, want in zip(gradients(block, x, by), one):
            assert (g / by - want).norm() <= 1e-5 * want.norm(), by
    assert all((g == 0).all() for g in gradients(block, x, 0.0))
    block.zero_grad()
    nn.functional.cross_entropy(block(x), Y, reduction="sum").backward()
    for p, want in zip(block.parameters(), one):
        assert (p.grad / 7 - want).norm() <= 1e-5 * want.norm()


def test_double_backward_raises(block, x):
    z = x.clone().requires_grad_()
    for through in (loss(block, z), block(z).sum()):
        with pytest.raises(RuntimeError, match="no derivative of its own"):
            torch.autograd.grad(through, z, create_graph=True)
    with pytest.raises(RuntimeError, match="no derivative of its own"):
        torch.autograd.functional.jvp(block, x, torch.ones_like(x))


def test_no_grad(block, x):
    before, want = copy.deepcopy(block.state_dict()), block.eval()(x)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            out = block(x)
            assert torch.equal(out, want) and not out.requires_grad and not block.train()(x).requires_grad
        block.load_state_dict(before)
        block.eval()


def test_freezing(block, x):
    first, *others = block.parameters()
    first.requires_grad_(False)
    z = x.clone().requires_grad_()
    loss(block, z).backward()
    assert first.grad is None and all(p.grad is not None for p in others) and z.grad.abs().sum() > 0
    before = first.clone()
    if not block.by_torch:
        block.step()
    assert x.grad is None and torch.equal(first, before)
    block.requires_grad_(False)
    assert not block(x).requires_grad


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool, torch.complex64])
def test_integers_are_refused(block, x, dtype):
    with pytest.raises(TypeError, match=r"x.float\(\)"):
        block(x.abs().to(dtype))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types(block, x, dtype):
    want = block.eval()(x)
    out = block(x.to(dtype))
    assert out.dtype == dtype and torch.allclose(out.float(), want, atol=0.05)
    block.to(dtype)
    assert all(p.dtype == dtype for p in block.parameters()) and block.passes.dtype == torch.int64
    z = x.to(dtype).requires_grad_()
    block(z).sum().backward()
    assert z.grad.dtype == dtype and all(p.grad.dtype == dtype for p in block.parameters())
    assert torch.allclose(block.float()(x), want, atol=0.05)


def test_empty_batches(block):
    out = block(torch.zeros(0, 8))
    assert out.shape == (0, 3)
    out.sum().backward()
    assert all((p.grad == 0).all() for p in block.parameters())
    with pytest.raises(ShapeError):
        block(torch.zeros(0, 9))


def test_strides(block, x):
    want = block.eval()(x)
    for z in (x.t().contiguous().t(), x.repeat_interleave(2, 0)[::2], x.flip(0).flip(0)):
        assert torch.equal(block(z), want)
    assert torch.allclose(block(x[:1].expand(7, 8)), want[:1].expand(7, 3), atol=1e-6)


def test_shapes(block):
    for z in (torch.zeros(2, 9), torch.zeros(8), torch.zeros(2, 1, 8), torch.tensor(0.0)):
        with pytest.raises(ShapeError, match="8"):
            block(z)
    with pytest.raises(DataError, match="NaN"):
        block(torch.full((2, 8), float("nan")))


def test_hooks(block, x):
    seen = []
    block.register_forward_pre_hook(lambda m, a: seen.append("pre"))
    block.register_forward_hook(lambda m, a, out: seen.append(out.shape))
    block.register_full_backward_hook(lambda m, gi, go: seen.append(go[0].shape))
    block.output_bias.register_hook(lambda g: seen.append("bias"))
    loss(block, x.requires_grad_()).backward()
    assert seen[:2] == ["pre", (7, 3)] and sorted(map(str, seen[2:])) == ["bias", "torch.Size([7, 3])"]


def test_functional_call(block, x):
    other = {name: p.detach() * (-1 if name == "hidden1_output_weight" else 1) for name, p in block.named_parameters()}
    mine = {name: p.clone() for name, p in block.named_parameters()}
    block.eval()
    out, want = torch.func.functional_call(block, other, x), block(x)
    assert not torch.equal(out, want) and all(torch.equal(p, mine[n]) for n, p in block.named_parameters())
    twin = copy.deepcopy(block)
    twin.load_state_dict({**twin.state_dict(), **other})
    assert torch.equal(twin(x), out)


def test_inside_other_modules(block, x):
    model = nn.Sequential(nn.Linear(8, 8), nn.ModuleList([block])[0], nn.Linear(3, 2))
    seen = []
    model.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Block", "Linear", "Sequential"] and list(model.children())[1] is block
    model(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert {n for n in model.state_dict() if n.startswith("1.")} == {f"1.{n}" for n in block.state_dict()}


def test_grad_scaler(x):
    block = Block(EP)
    sgd = torch.optim.SGD(block.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    before = copy.deepcopy(block.state_dict())
    scaler.scale(loss(block, x) * float("inf")).backward()
    scaler.step(sgd), scaler.update()
    assert all(torch.equal(p, before[n]) for n, p in block.named_parameters()) and scaler.get_scale() == 2.0**9
    sgd.zero_grad()
    scaler.scale(loss(block, x)).backward()
    scaler.unscale_(sgd)
    want = gradients(copy.deepcopy(block), x)
    assert all((p.grad - g).norm() <= 1e-5 * g.norm() for p, g in zip(block.parameters(), want))
    scaler.step(sgd)
    assert not torch.equal(block.output_bias, before["output_bias"])


def test_clipping_reaches_step(x):
    recipe = {**BP, "optim": {"sgd": {"lr": 1.0}}}
    a, b = Block(recipe, updates="bouton"), Block(recipe)
    before = [p.clone() for p in a.parameters()]
    for block in (a, b):
        loss(block, x).backward()
        nn.utils.clip_grad_norm_(block.parameters(), 1e-3)
    a.step()
    torch.optim.SGD(b.parameters(), 1.0).step()
    assert all(torch.allclose(p, q, atol=1e-7) for p, q in zip(a.parameters(), b.parameters()))
    assert sum((p - q).detach().norm().item() ** 2 for p, q in zip(a.parameters(), before)) ** 0.5 == pytest.approx(1e-3, rel=1e-3)
    loss(a, x).backward()
    torch.optim.Adam(a.parameters()).step()
    with pytest.raises(RecipeError, match="PyTorch optimiser"):
        a.step()
    with pytest.raises(RecipeError, match="updates="):
        b.step()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS"])
def test_optimisers(name, x):
    block = Block(BP)
    optimiser = getattr(torch.optim, name)(block.parameters(), lr=0.05)

    def closure():
        optimiser.zero_grad()
        value = loss(block, x)
        value.backward()
        return value

    first = closure().item()
    for _ in range(10):
        optimiser.step(closure)
    assert closure().item() < 0.97 * first


def test_averaged(block, x):
    averaged = torch.optim.swa_utils.AveragedModel(block)
    learn(block, x)
    averaged.update_parameters(block)
    learn(block, x)
    averaged.update_parameters(block)
    assert averaged.eval()(x).shape == (7, 3) and averaged.module.network is not block.network


def test_compile(x):
    block = Block(BP).eval()
    compiled = torch.compile(nn.Sequential(block, nn.Tanh()), backend="eager")
    out = compiled(x)
    assert torch.equal(out, torch.tanh(block(x)))
    out.sum().backward()
    assert block.output_bias.grad is not None


def test_repr(block):
    assert "Block(" in repr(block) and "8-" in repr(block)


def test_the_input_stays(block, x):
    before = x.clone()
    loss(block, x).backward()
    assert torch.equal(x, before)


def test_attribution_leaves_nothing(x):
    block = Block(META, updates="bouton")
    before = copy.deepcopy(block.state_dict())
    z = x.clone().requires_grad_()
    for _ in range(3):
        torch.autograd.grad(block.eval()(z).sum(), z)
    block.step()
    assert all(torch.equal(v, before[k]) for k, v in block.state_dict().items())


def test_two_passes_in_one_graph(block, x):
    twin = copy.deepcopy(block)
    (loss(block, x) + loss(block, x * 2)).backward()
    want = [a + b for a, b in zip(gradients(twin, x), gradients(twin, x * 2))]
    assert all(torch.allclose(p.grad, g, atol=1e-7) for p, g in zip(block.parameters(), want))
