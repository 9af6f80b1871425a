"""Every example runs."""

import os
import pathlib
import subprocess
import sys

import pytest

EXAMPLES = sorted((pathlib.Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example, tmp_path):
    for module in ("matplotlib", "pandas") + (("torch",) if example.stem == "autograd" else ()):
        pytest.importorskip(module, reason=f"{module} is not installed")
    environment = os.environ | {"MPLBACKEND": "Agg"}
    done = subprocess.run([sys.executable, example], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
