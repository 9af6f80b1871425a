"""Arrays and frames of a caller as the files of a recipe (`[task.files]`).

They are written into the folder of runs, under the checksum of what is in them: a run that goes on finds them again, and the same arrays
make the same run.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bouton.errors import DataError

#: What a task says that goes with any samples.
_KEPT = ("batch", "epochs", "shuffle", "pixels", "validation", "draw")
#: What it says of the samples of a data set, which are replaced.
_REPLACED = ("train", "test", "found", "labels", "test-labels", "validation-labels", "label", "targets", "header")


def with_samples(table: Mapping[str, Any], data: Sequence[Any], folder: Path) -> dict[str, Any]:
    """The recipe `table` about the samples of `data`: (X, y, X_test, y_test), or (X, y) with a fifth of every class to test on."""
    if len(data) not in (2, 4):
        raise DataError(f"data has {len(data)} parts", "pass (X, y, X_test, y_test), or (X, y) to test on a fifth of it")
    task = dict(next(iter(dict(table.get("task", {})).values()), {}))
    strange = [k for k, v in task.items() if k not in _KEPT + _REPLACED and v not in (None, False, 0, "zero")]
    if strange:
        raise DataError(f"task.{strange[0]} is about images of a data set, not about arrays", "leave it out")
    files = {k: task[k] for k in _KEPT if task.get(k) is not None}
    files["train"] = _file(folder, "train", *data[:2])
    files["test"] = _file(folder, "test", *data[2:]) if len(data) == 4 else 0.2
    return {**table, "task": {"files": files}}


def _file(folder: Path, name: str, x: Any, y: Any) -> str:
    """Writes inputs and answers as one `.npz`, unless it is there; its path."""
    x, y = _numbers(x, f"the inputs to {name}"), _answers(y, f"the answers to {name}")
    if len(x) != len(y):
        raise DataError(f"{name}: {len(x)} samples, and {len(y)} answers", "every sample needs one")
    content = io.BytesIO()
    # One file after the other, so that equal arrays are equal bytes: an archive would hold the time.
    for array in (x, y):
        np.lib.format.write_array(content, array, allow_pickle=False)
    mark = hashlib.sha256(content.getbuffer()).hexdigest()[:16]
    folder = (folder / "data").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{mark}.npz"
    if not path.exists():
        part = folder / f".{name}-{mark}-{os.getpid()}.npz"
        np.savez(part, X=x, y=y)
        part.replace(path)
    return str(path)


def _numbers(given: Any, what: str) -> np.ndarray[Any, Any]:
    """Inputs as an array of numbers that files hold: bytes as they are (pixels), others as 32 or 64 bits."""
    x: np.ndarray[Any, Any] = np.ascontiguousarray(_plain(given))
    if x.dtype.kind == "b" or x.dtype.kind not in "iuf":
        raise DataError(f"{what} are of type {x.dtype}, no numbers", "turn words into numbers, or leave the columns out")
    if x.ndim < 2:
        raise DataError(f"{what} have shape {x.shape}", "they are [samples, features] or [samples, channels, height, width]")
    return x if x.dtype == np.uint8 else x.astype(np.float32)


def _answers(given: Any, what: str) -> np.ndarray[Any, Any]:
    """Classes as whole numbers or words, values as they are."""
    y: np.ndarray[Any, Any] = np.ascontiguousarray(_plain(given))
    if y.dtype.kind == "O":
        y = y.astype(str)
    if y.dtype.kind == "b":
        y = y.astype(np.uint8)
    if y.dtype.kind not in "iufU":
        raise DataError(f"{what} are of type {y.dtype}", "pass classes as whole numbers or words, values as floats")
    return y


def _plain(x: Any) -> Any:
    """A frame or a series as the array that it holds."""
    return x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
