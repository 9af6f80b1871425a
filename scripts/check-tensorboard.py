"""Compares the event files of a run with its metrics.jsonl, through TensorBoard's own reader.

Needs a Python with `pip install tensorboard`. Usage: check-tensorboard.py RUN_DIRECTORY
"""

import json
import math
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def single(value):
    """The value as the event file keeps it: single precision, NaN where metrics.jsonl has null."""
    return math.nan if value is None else struct.unpack("<f", struct.pack("<f", value))[0]


def expected(run):
    curves = {}
    for line in (Path(run) / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        for name in record.keys() - {"step", "epoch", "wall", "split"}:
            point = (record["step"], single(record[name]))
            curves.setdefault(f"{record['split']}/{name}", []).append(point)
    return curves


def same(a, b):
    return a == b or (a[0] == b[0] and not math.isfinite(a[1]) and not math.isfinite(b[1]))


def main(run):
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    wanted = expected(run)
    assert wanted, "no metrics"
    tags = sorted(events.Tags()["scalars"])
    assert tags == sorted(wanted), f"{tags} are not {sorted(wanted)}"
    for tag, points in wanted.items():
        got = [(event.step, event.value) for event in events.Scalars(tag)]
        assert len(got) == len(points), f"{tag}: {len(got)} points, {len(points)} in metrics.jsonl"
        for a, b in zip(got, points):
            assert same(a, b), f"{tag}: {a} is not {b}"
    print(f"TensorBoard reads {sum(map(len, wanted.values()))} points of {len(wanted)} curves as in metrics.jsonl")


if __name__ == "__main__":
    main(sys.argv[1])
