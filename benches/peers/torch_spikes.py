"""Times spiking networks in snnTorch, Norse and SpikingJelly: what `cargo bench -p bouton --bench spikes` times.

    python torch_spikes.py --threads 2 --csv spikes.csv

16 samples, 500 steps, as many inputs as units, a tenth of which spikes, leaky integrate-and-fire units (membrane time constant of 20
steps; surrogate and reset of each library's own kind), a leaky readout of ten judged at the last step; float32, plain SGD. Rows
`spikes,{forward,update}-lif[-recurrent]-UNITS-tTHREADS/PEER-STYLE`.

Styles: `hoisted` computes the product of all steps at once and takes it apart step by step, which is the fastest form of each library
(SpikingJelly's own name for it is multi-step mode); `steps` is the form of their tutorials, a product in every step. A recurrent
layer has only its own product in the loop.
"""

import argparse
import math

import common
import norse.torch as norse
import snntorch
import torch
from snntorch import surrogate as snn_surrogate
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import nn

SAMPLES, STEPS, TAU, CLASSES = 16, 500, 20.0, 10
BETA = math.exp(-1 / TAU)


class Net(nn.Module):
    """Two products, units between them and a leaky readout; `step(current, state)` is the library's own unit."""

    def __init__(self, units, recurrent, hoisted):
        super().__init__()
        self.hidden, self.out = nn.Linear(units, units, bias=True), nn.Linear(units, CLASSES, bias=True)
        self.loop = nn.Linear(units, units, bias=False) if recurrent else None
        self.hoisted = hoisted

    def forward(self, x):
        drives = self.hidden(x).unbind(0) if self.hoisted else None
        state, sent, spikes, read = self.begin(), None, [], 0.0
        for t in range(STEPS):
            drive = drives[t] if self.hoisted else self.hidden(x[t])
            if self.loop is not None and sent is not None:
                drive = drive + self.loop(sent)
            sent, state = self.step(drive, state)
            if self.hoisted:
                spikes.append(sent)
            else:
                read = BETA * read + (1 - BETA) * self.out(sent)
        if self.hoisted:
            for seen in self.out(torch.stack(spikes)).unbind(0):
                read = BETA * read + (1 - BETA) * seen
        return read


class SnnTorch(Net):
    def __init__(self, *args):
        super().__init__(*args)
        self.lif = snntorch.Leaky(beta=BETA, spike_grad=snn_surrogate.fast_sigmoid())

    def begin(self):
        return self.lif.init_leaky()

    def step(self, drive, state):
        return self.lif(drive, state)


class Norse(Net):
    def __init__(self, *args):
        super().__init__(*args)
        # dt · τ⁻¹ = 1 − β, the membrane alone.
        p = norse.LIFBoxParameters(tau_mem_inv=torch.tensor((1 - BETA) / 1e-3), v_th=torch.tensor(1.0))
        self.lif = norse.LIFBoxCell(p=p, dt=1e-3)

    def begin(self):
        return None

    def step(self, drive, state):
        return self.lif(drive, state)


class SpikingJelly(nn.Module):
    """Its own multi-step mode."""

    def __init__(self, units, recurrent, hoisted):
        super().__init__()
        self.hidden, self.out = nn.Linear(units, units), nn.Linear(units, CLASSES)
        mode = "m" if hoisted and not recurrent else "s"
        self.lif = neuron.LIFNode(
            tau=1 / (1 - BETA), decay_input=False, v_reset=None, surrogate_function=surrogate.ATan(),
            detach_reset=True, step_mode=mode,
        )
        self.loop = nn.Linear(units, units, bias=False) if recurrent else None
        self.hoisted = hoisted

    def forward(self, x):
        functional.reset_net(self.lif)
        if self.loop is None and self.hoisted:
            spikes = self.lif(self.hidden(x))
        else:
            drives = self.hidden(x).unbind(0) if self.hoisted else None
            sent, all_sent = None, []
            for t in range(STEPS):
                drive = drives[t] if self.hoisted else self.hidden(x[t])
                sent = self.lif(drive if self.loop is None or sent is None else drive + self.loop(sent))
                all_sent.append(sent)
            spikes = torch.stack(all_sent)
        read = 0.0
        for seen in self.out(spikes).unbind(0):
            read = BETA * read + (1 - BETA) * seen
        return read


PEERS = {"snntorch": SnnTorch, "norse": Norse, "spikingjelly": SpikingJelly}


def works(units, recurrent, threads):
    x = (torch.rand(STEPS, SAMPLES, units) < 0.1).float()
    target = torch.arange(SAMPLES) % 2
    made = {}
    for peer, kind in PEERS.items():
        for style in ("hoisted", "steps"):
            net = kind(units, recurrent, style == "hoisted")
            optim = torch.optim.SGD(net.parameters(), lr=0.0)

            def forward(net=net):
                with torch.no_grad():
                    net(x)

            def update(net=net, optim=optim):
                optim.zero_grad()
                nn.functional.cross_entropy(net(x), target).backward()
                optim.step()

            case = f"lif{'-recurrent' if recurrent else ''}-{units}-t{threads}/{peer}-{style}"
            made[f"forward-{case}"], made[f"update-{case}"] = forward, update
    return made


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--repeats", type=int, default=3)
    args.add_argument("--units", default="512", help="widths, such as 512,4096")
    args.add_argument("--csv")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    for units in map(int, args.units.split(",")):
        for recurrent in (False, True):
            times = common.interleaved(works(units, recurrent, args.threads), args.repeats, warm_up=1)
            common.report([("spikes", case, ms) for case, ms in times.items()], args.csv)


if __name__ == "__main__":
    main()
