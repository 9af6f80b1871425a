"""The gradient of every kind of block by backpropagation, as torch.autograd.gradcheck asks for it."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from bouton.torch import Block
from test_torch_contract import BP, TASK

torch.set_num_threads(1)

CONV = {
    "task": {"synthetic": {**TASK["synthetic"], "shape": [2, 5, 5]}}, "wiring": {"conv": {}},
    "network": {"layers": [{"image": [2, 5, 5]}, {"filters": 3, "kernel": 2, "pool": {"average": 2}}, 3]},
}
MORE = {
    "relu": {}, "layer": {"norm": {"layer": {}}}, "batch": {"norm": {"batch": {}}},
    "batch statistics": {"norm": {"batch": {"statistics": "batch"}}},
    "dropout": {"network": {"layers": [8, 6, 3], "dropout": 0.4, "input-dropout": 0.2}},
    "skip": {"network": {"layers": [8, 6, 5, 6, 3], "skips": [{"from": 1, "to": 3}]}},
    "conv": CONV, "max pool": {**CONV, "network": {"layers": [CONV["network"]["layers"][0], {"filters": 3, "kernel": 2, "pool": {"max": 2}}, 3]}},
    "conv batch": {**CONV, "norm": {"batch": {}}}, "conv layer": {**CONV, "norm": {"layer": {}}},
    "squared": {"objective": {"squared-error": {}}},
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MORE)
def test_gradcheck(name, training):
    """Of the input and of every parameter, in f64; the random numbers of the pass are held."""
    block = Block({**BP, **MORE[name], "precision": "f64"}).train(training)
    shape = (4, 2, 5, 5) if "conv" in name or "pool" in name else (4, 8)
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    block(x.detach())
    names = list(block.names)

    def held(x, *values):
        block.passes.fill_(7)
        return torch.func.functional_call(block, dict(zip(names, values)), x)

    values = [getattr(block, n).detach().clone().requires_grad_() for n in names]
    assert torch.autograd.gradcheck(held, (x, *values), eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=name.startswith("conv"))
