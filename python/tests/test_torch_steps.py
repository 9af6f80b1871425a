"""Blocks whose units move in time: what PyTorch asks of a module that takes sequences, and steps with a state."""

import pytest

torch = pytest.importorskip("torch")

from test_steps import TEXT  # noqa: E402

from bouton.torch import Block  # noqa: E402

SMOOTH = TEXT.replace("threshold = 0.3\nrefractory = 1", "threshold = 0.3\nsmooth = true\nsurrogate = { sigmoid = 3.0 }")
UNITS = {
    "lif": SMOOTH,
    "ct-rnn": SMOOTH[: SMOOTH.index("[neuron.lif]")] + "[neuron.ct-rnn]\ntau = 3.0\n" + SMOOTH[SMOOTH.index("[population"):],
}


def sequences(requires_grad=False):
    return torch.rand(3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=requires_grad)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("reading", ["last", "mean", "each"])
def test_gradients_of_sequences_and_weights_are_exact(unit, reading):
    block = Block(UNITS[unit] + f'[time]\nreading = "{reading}"\n').eval()
    x = sequences(requires_grad=True)
    names = [name for name, _ in block.named_parameters()]

    def out(x, *weights):
        return torch.func.functional_call(block, dict(zip(names, weights)), (x,))

    weights = [p.detach().clone().requires_grad_() for p in block.parameters()]
    with torch.no_grad():
        assert block(x).abs().max() > 0
    assert torch.autograd.gradcheck(out, (x, *weights), eps=1e-6, atol=1e-7)


def test_a_block_of_sequences_learns_within_a_model():
    torch.manual_seed(1)
    before, block, behind = torch.nn.Linear(4, 4).double(), Block(SMOOTH), torch.nn.Linear(3, 2).double()
    parameters = [*before.parameters(), *block.parameters(), *behind.parameters()]
    optim, x, y = torch.optim.Adam(parameters, lr=0.02), sequences(), torch.tensor([0, 1, 0])
    losses = []
    for _ in range(30):
        optim.zero_grad()
        loss = torch.nn.functional.cross_entropy(behind(block(before(x))), y)
        loss.backward()
        optim.step()
        losses.append(loss.item())
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in before.parameters())
    assert losses[-1] < 0.7 * losses[0]


def test_steps_come_to_the_outputs_of_the_whole():
    block = Block(TEXT).eval()
    x, state = sequences(), block.start(3)
    for t in range(5):
        y, state = block.stream(x[:, t], state)
    assert torch.equal(y, block(x)) and isinstance(state["hidden1.v"], torch.Tensor)
    whole, end = block.stream(x.transpose(0, 1).contiguous(), block.start(3))
    assert torch.equal(whole[-1], y) and all(torch.equal(end[name], state[name]) for name in end)
    with torch.no_grad():
        block.output_bias.add_(0.5)
    moved, _ = block.stream(x.transpose(0, 1).contiguous(), block.start(3))
    assert not torch.equal(moved, whole), "weights that PyTorch moves are those that it steps with"


def test_what_has_no_gradient_says_so():
    block = Block(TEXT)
    with pytest.raises(RuntimeError, match="nothing goes back through stream"):
        block.stream(sequences(requires_grad=True)[:, 0], block.start(3))
    drawn = TEXT.replace("[encoder.rows]\nsteps = 5", "[encoder.poisson]\nsteps = 5\nrate = 0.5")
    block = Block(drawn.replace("layers = [4, 6, 3]", "layers = [20, 6, 3]"))
    x = sequences().reshape(3, 20)
    block(x).sum().backward()
    assert any(p.grad.abs().max() > 0 for p in block.parameters())
    with pytest.raises(RuntimeError, match="spikes or events"):
        block(x.requires_grad_()).sum().backward()
