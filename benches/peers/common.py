"""Machine description, timing and CSV rows shared by the torch scripts."""

import csv
import datetime
import os
import pathlib
import platform
import statistics
import time

import torch

ROW = ["bench", "case", "ms_min", "ms_median"]


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def machine():
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
    }


def busy(seconds=1.0):
    """Share of all cores that somebody keeps busy while this process sleeps, 0..1."""

    def ticks():
        values = [int(v) for v in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(values), values[3] + values[4]

    total, idle = ticks()
    time.sleep(seconds)
    total2, idle2 = ticks()
    return 1 - (idle2 - idle) / max(total2 - total, 1)


def wait_until_quiet(limit, share=0.1):
    """Sleeps until `busy` falls below `share`, at most `limit` seconds; returns the last share seen."""
    end = time.monotonic() + limit
    while (now := busy()) > share and time.monotonic() < end:
        time.sleep(4)
    return now


def interleaved(works, repeats, warm_up=3, least_ms=2.0):
    """Times every work (name -> function) in turn, `repeats` rounds; one figure covers at least `least_ms`.

    Returns name -> list of milliseconds per call.
    """
    inner = {}
    for name, work in works.items():
        for _ in range(warm_up):
            work()
        start = time.perf_counter()
        work()
        inner[name] = max(1, int(least_ms / 1e3 / max(time.perf_counter() - start, 1e-9)))
    times = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            for _ in range(inner[name]):
                work()
            times[name].append((time.perf_counter() - start) * 1e3 / inner[name])
    return times


def report(rows, csv_path=None):
    """Prints `bench,case,ms_min,ms_median` and appends the rows with the machine description to csv_path.

    rows: (bench, case, list of ms).
    """
    print(",".join(ROW), flush=True)
    full = []
    for bench, case, ms in rows:
        row = dict(zip(ROW, (bench, case, f"{min(ms):.5g}", f"{statistics.median(ms):.5g}")))
        print(",".join(row.values()), flush=True)
        full.append({**row, "repeats": len(ms), **machine()})
    if csv_path:
        new = not os.path.exists(csv_path)
        with open(csv_path, "a", newline="") as file:
            out = csv.DictWriter(file, full[0].keys())
            if new:
                out.writeheader()
            out.writerows(full)
