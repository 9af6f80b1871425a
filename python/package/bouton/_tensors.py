"""Files of named arrays (`.safetensors`): eight bytes with the length of a JSON header, the header, the numbers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from bouton.errors import CheckpointError, DataError, DataMissingError

Array = np.ndarray[Any, Any]

_FLOATS = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
#: Counters of normalisations.
_OTHERS = {"I64": np.int64, "I32": np.int32, "U64": np.uint64, "U8": np.uint8, "BOOL": np.bool_}
_NAMES = {np.dtype(kind): name for name, kind in (_FLOATS | _OTHERS).items()}


def read(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The floating-point arrays of a file, in the order of their names, 2 before 10: programs that write such files sort them."""
    try:
        content = Path(path).expanduser().read_bytes()
    except FileNotFoundError as e:
        raise DataMissingError(f"{path}: there is no such file", "save one: safetensors.torch.save_file(model.state_dict(), …)") from e
    except OSError as e:
        raise DataError(f"{path}: {e}", "pass the path of a .safetensors file") from e
    try:
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        entries = {k: v for k, v in header.items() if k != "__metadata__"}
        found = {name: _array(content[8 + size :], name, **entries[name]) for name in sorted(entries, key=_counted)}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, MemoryError, OverflowError) as e:
        raise CheckpointError(f"{path}: not a safetensors file ({e})", "the file is damaged: save it again") from e
    return {name: array for name, array in found.items() if array.dtype.kind == "f"}


def _counted(name: str) -> list[tuple[int, str]]:
    """Numbers in a name by their size, words by their letters."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _array(content: bytes, name: str, dtype: str, shape: list[int], data_offsets: list[int]) -> Array:
    start, end = data_offsets
    if not 0 <= start <= end <= len(content):
        raise ValueError(f"{name} lies outside")
    part = content[start:end]
    if dtype == "BF16":
        # The upper half of a float32.
        wide = np.frombuffer(part, "<u2").astype("<u4") << 16
        return wide.view(np.float32).reshape(shape)
    if dtype not in _FLOATS | _OTHERS:
        raise ValueError(f"{name} holds numbers of type {dtype}")
    return np.frombuffer(part, {**_FLOATS, **_OTHERS}[dtype]).reshape(shape)


def content(arrays: dict[str, Array]) -> bytes:
    """The bytes of a file with these arrays."""
    header, parts, at = {}, [], 0
    for name, array in arrays.items():
        part = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


def write(path: Path, arrays: dict[str, Array]) -> None:
    """Writes a file whole and renames it."""
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        part.write_bytes(content(arrays))
        part.replace(path)
    except OSError as e:
        part.unlink(missing_ok=True)
        raise DataError(f"{path}: {e}", "choose a folder that can be written to") from e
