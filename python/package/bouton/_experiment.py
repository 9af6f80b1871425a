"""Training runs: the same run folders as the command writes, resumed bit for bit."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bouton import _bouton, _weights
from bouton._data import with_samples
from bouton.errors import DataError

Event = dict[str, Any]


class Run:
    """The folder of one run."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        if not (self.path / "status.json").is_file():
            raise DataError(f"{self.path} is no run", "runs() lists the runs of a folder")

    @property
    def status(self) -> dict[str, Any]:
        """What `status.json` says."""
        found: dict[str, Any] = json.loads((self.path / "status.json").read_text())
        return found

    @property
    def recipe(self) -> _bouton.Recipe:
        """The recipe, fully resolved."""
        return _bouton.Recipe(self.path / "recipe.toml")

    def network(self) -> _bouton.Network:
        """The network with the weights of the newest checkpoint."""
        return _bouton.Network.load(self.path)

    def records(self, split: str | None = None) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`, of one split if given: `batch`, `train` or `test`.

        A torn last line, of a run that was killed, is left out; what was not finite is NaN.
        """
        found = _bouton.records(self.path / "metrics.jsonl")
        return [r for r in found if split in (None, r["split"])]

    def metrics(self, split: str | None = None) -> Any:
        """The same as a DataFrame."""
        import pandas

        return pandas.DataFrame(self.records(split))

    @property
    def last(self) -> dict[str, float]:
        """The last test metrics: `accuracy` and `error` of classes, `mse`, `mae` and `r2` of values, and the `loss`."""
        tests = self.records("test")
        if not tests:
            raise DataError(f"{self.path} has no test metrics", "let it train until its first test")
        return {k: v for k, v in tests[-1].items() if k not in ("step", "epoch", "wall", "split")}

    def __repr__(self) -> str:
        return f"<bouton.Run {self.path}>"


class Experiment:
    """A recipe that can be run; the same experiment goes on where it stopped.

    `out` is the folder of runs, `data` the folder of data sets (default: `BOUTON_DATA`, else the user's data folder), or samples of
    your own, arrays or frames: (X, y, X_test, y_test), or (X, y) to test on a fifth of every class. They take the place of the
    recipe's task, which says batches and epochs: `{"task": {"files": {"batch": 20, "epochs": 10}}}` is enough. Classes may be words, and
    floats as y make it a regression. They are kept in `out/data`, for runs that go on.

    `weights` are those that the run begins with: a network, or what `from_state_dict` takes; they are kept in `out/data` as well.
    """

    def __init__(
        self,
        recipe: _bouton.Recipe | str | os.PathLike[str] | dict[str, Any],
        out: str | os.PathLike[str] = "runs",
        data: str | os.PathLike[str] | Sequence[Any] | None = None,
        weights: _weights.State | _bouton.Network | None = None,
        **overrides: Any,
    ) -> None:
        self.out = Path(out).expanduser()
        if data is not None and not isinstance(data, (str, os.PathLike)):
            table = recipe if isinstance(recipe, Mapping) else json.loads(_bouton.Recipe(recipe).to_json())
            recipe, data = with_samples(table, data, self.out), None
        self.recipe = _bouton.Recipe(recipe, **overrides)
        if weights is not None:
            self.recipe = _weights.start(self.recipe, weights, self.out)
        self.data = None if data is None else Path(data).expanduser()

    def run(self, callback: Callable[[Event], object] | None = None, progress: bool = True, again: bool = False) -> Run:
        """Trains and returns the run; a finished run of the same recipe is returned as it is, unless `again`.

        `callback` gets every event as a dict, of updates one now and then, with the `loss` and `accuracy` or `mse`; an
        exception in it, like Ctrl-C, stops the run with a checkpoint.
        """
        watch = [w for w in (callback, Progress() if progress else None) if w is not None]

        def tell(event: Event) -> None:
            for one in watch:
                one(event)

        data = None if self.data is None else str(self.data)
        path, _ = _bouton.train(self.recipe, str(self.out), data, again, tell if watch else None)
        return Run(path)

    def __repr__(self) -> str:
        return f"<bouton.Experiment {self.recipe.name} seed={self.recipe.seed} out={self.out}>"


class Progress:
    """A progress bar: tqdm's if it is installed, else a line now and then on stderr."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.spoke = 0.0
        self.done = 0

    def __call__(self, event: Event) -> None:
        kind = event["event"]
        if kind == "start":
            self.done = event["resumed_at"] or 0
            try:
                from tqdm.auto import tqdm

                self.bar = tqdm(total=event["updates"], initial=self.done, unit="update")
            except ImportError:
                pass
        elif kind == "update":
            self._update(event)
        elif kind == "metrics" and event["split"] == "test":
            name, value = _score(event["values"])
            self._say(f"epoch {event['epoch']}: test {name} {value:.4g}")
        elif kind == "note":
            self._say(event["text"])
        elif kind == "finish" and self.bar is not None:
            self.bar.update(event["updates"] - self.done)
            self.bar.close()

    def _update(self, event: Event) -> None:
        if self.bar is not None:
            self.bar.update(event["update"] - self.done)
            name, value = _score(event)
            self.bar.set_postfix({"loss": f"{event['loss']:.4g}", name: f"{value:.4g}"}, refresh=False)
        elif time.monotonic() - self.spoke > 10:
            self._say(f"update {event['update']}/{event['updates']}  loss {event['loss']:.4g}")
        self.done = event["update"]

    def _say(self, text: str) -> None:
        self.spoke = time.monotonic()
        if self.bar is not None:
            self.bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)


def _score(values: Mapping[str, Any]) -> tuple[str, float]:
    """The metric by which networks are compared, with its name: accuracy of classes, mse of values."""
    return next((name, values[name]) for name in (*_bouton.SCORES, "loss") if name in values)


def runs(out: str | os.PathLike[str] = "runs") -> Any:
    """All runs below `out` as a DataFrame: path, name, seed, state, progress, the recipe by its keys (`optim.sgd.lr`), and the last
    metrics of every split (`test.accuracy`)."""
    import pandas

    return pandas.DataFrame(_bouton.runs(str(Path(out).expanduser())))
