"""Run a bouton benchmark and the torch scripts in turn, several rounds, and write their ratios.

    python compare.py --rounds 5 --csv ratios.csv -- cargo bench -p bouton --bench peers

The command after `--` must print rows `bench,case,ms_min,ms_median` (other lines are ignored). A torch row belongs to a
bouton row if bench is equal and its case is the bouton case or that case plus `/style`. One ratio per round
(torch median / bouton median, > 1: bouton is faster); the result is their median, with lowest and highest.
"""

import argparse
import csv
import pathlib
import statistics
import subprocess
import sys

import torch

import common

HERE = pathlib.Path(__file__).parent


def measure(command):
    """(bench, case) -> median ms of every CSV row the command prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    found = {}
    for line in done.stdout.splitlines():
        cells = line.strip().split(",")
        try:
            found[cells[0], cells[1]] = float(cells[3])
        except (IndexError, ValueError):
            pass
    return found


def torch_commands(args):
    how = ["--repeats", str(args.repeats), "--threads", str(args.threads)]
    if args.scripts:
        scripts = [[name] for name in args.scripts.split(",")]
    else:
        scripts = [["torch_ep.py", "--batch", b] for b in args.batches.split(",")] + [["torch_gemm.py"]]
    return [[sys.executable, str(HERE / s[0]), *s[1:], *how] for s in scripts]


def pairs(ours, theirs):
    for (bench, case), ms in ours.items():
        for (peer_bench, peer_case), peer_ms in theirs.items():
            if peer_bench == bench and (peer_case == case or peer_case.startswith(case + "/")):
                yield (bench, case, peer_case.removeprefix(case).lstrip("/") or "torch"), ms, peer_ms


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--repeats", type=int, default=20, help="repeats of each torch script in a round")
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--batches", default="20,500")
    args.add_argument("--scripts", help="these torch scripts instead of torch_ep.py and torch_gemm.py, such as torch_bnn.py")
    args.add_argument("--wait", type=float, default=0, help="before a round, wait so many seconds for a quiet machine")
    args.add_argument("--csv", required=True)
    args.add_argument("command", nargs="+", help="the bouton benchmark, after --")
    args = args.parse_args()
    seen, noise = {}, 0.0
    for number in range(args.rounds):
        noise = max(noise, common.wait_until_quiet(args.wait))
        print(f"round {number + 1} of {args.rounds} (others use {noise:.0%} of the cores at most)", file=sys.stderr, flush=True)
        ours, theirs = measure(args.command), {}
        for command in torch_commands(args):
            theirs |= measure(command)
        for key, ms, peer_ms in pairs(ours, theirs):
            seen.setdefault(key, []).append((ms, peer_ms))
    if not seen:
        raise SystemExit("no bouton row matched a torch row: check the bench and case names")
    write(args, seen, noise)


def write(args, seen, noise):
    torch.set_num_threads(args.threads)
    rows = []
    for (bench, case, peer), figures in seen.items():
        ratios = [b / a for a, b in figures]
        rows.append({
            "bench": bench, "case": case, "peer": peer,
            "bouton_ms": f"{statistics.median(a for a, _ in figures):.5g}",
            "peer_ms": f"{statistics.median(b for _, b in figures):.5g}",
            "ratio": f"{statistics.median(ratios):.3f}",
            "ratio_low": f"{min(ratios):.3f}", "ratio_high": f"{max(ratios):.3f}", "rounds": len(ratios),
            "busy_before": f"{noise:.2f}",
        } | common.machine())
    with open(args.csv, "w", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows(rows)
    for row in rows:
        print(f"{row['bench']:10} {row['case']:18} {row['peer']:14} {row['ratio']:>8}x  "
              f"({row['bouton_ms']} ms against {row['peer_ms']} ms)")


if __name__ == "__main__":
    main()
