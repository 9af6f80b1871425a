"""Python values as TOML. JSON's strings, numbers and lists of them are TOML already."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any


def value(x: Any) -> str:
    """One value on one line."""
    if hasattr(x, "item") and getattr(x, "ndim", 0) == 0:
        x = x.item()
    if isinstance(x, Mapping):
        return "{ " + ", ".join(f"{_text(str(k))} = {value(v)}" for k, v in x.items() if v is not None) + " }"
    if isinstance(x, (list, tuple)):
        return "[" + ", ".join(value(v) for v in x) + "]"
    if isinstance(x, float) and not math.isfinite(x):
        return {math.inf: "inf", -math.inf: "-inf"}.get(x, "nan")
    if isinstance(x, os.PathLike):
        x = os.fspath(x)
    if isinstance(x, str):
        return _text(x)
    if isinstance(x, (bool, int, float)):
        return json.dumps(x)
    raise TypeError(f"{type(x).__name__} cannot be a value of a recipe: use numbers, strings, lists and dicts")


def _text(x: str) -> str:
    """A string; of what JSON leaves as it is, TOML refuses one character."""
    return json.dumps(x, ensure_ascii=False).replace("\x7f", "\\u007f")


def dumps(table: Mapping[str, Any]) -> str:
    """A recipe as TOML text; keys that are None are left out."""
    return "".join(f"{_text(str(k))} = {value(v)}\n" for k, v in table.items() if v is not None)
