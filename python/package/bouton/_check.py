"""The exact properties of a recipe as a table."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bouton import _bouton


class Findings:
    """What `check` measured."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.properties: list[dict[str, Any]] = [_row(p) for p in found["properties"]]
        self.series: list[dict[str, Any]] = found["series"]
        self.notes: list[str] = found["notes"]

    @property
    def passed(self) -> bool:
        """Whether no property failed."""
        return all(p["verdict"] != "fail" for p in self.properties)

    def to_pandas(self) -> Any:
        """The properties as a DataFrame."""
        import pandas

        return pandas.DataFrame(self.properties)

    def __repr__(self) -> str:
        rows: list[tuple[str, ...]] = [("property", "measured", "bound", "verdict")]
        for p in self.properties:
            measured = "-" if p["measured"] is None else f"{p['measured']:.2e}"
            rows.append((str(p["id"]), measured, str(p["bound"]), str(p["verdict"])))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)


def _row(p: dict[str, Any]) -> dict[str, Any]:
    bound: dict[str, Any] = p["bound"]
    verdict: Any = p["verdict"]
    if "at-most" in bound:
        text = f"<= {bound['at-most']:.0e}"
    else:
        text = f"{bound['within']['of']} +- {bound['within']['by']}"
    why = None
    if isinstance(verdict, dict):
        verdict, why = "not applicable", verdict["not-applicable"]
    return {
        "id": p["id"],
        "statement": p["statement"],
        "measured": p["measured"],
        "bound": text,
        "verdict": verdict,
        "why": why,
    }


def check(
    recipe: _bouton.Recipe | str | os.PathLike[str] | dict[str, Any], data: str | os.PathLike[str] | None = None
) -> Findings:
    """Measures the exact properties of `recipe` in 64-bit arithmetic; `data` is the folder of data sets."""
    if not isinstance(recipe, _bouton.Recipe):
        recipe = _bouton.Recipe(recipe)
    folder = None if data is None else str(Path(data).expanduser())
    return Findings(json.loads(_bouton.check(recipe, folder)))
