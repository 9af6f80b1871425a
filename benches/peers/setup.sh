#!/bin/sh
# Makes benches/peers/.venv (ignored by git) with the pinned packages. Needs Python 3.11 and 5.5 GB of disk.
# `--no-deps` would save 4 GB but the Linux wheel then fails at `import torch`: it links the CUDA runtime libraries.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3.11}" -m venv .venv
.venv/bin/python -m pip install --disable-pip-version-check -r requirements.txt
.venv/bin/python -c 'import torch; print("torch", torch.__version__, "CPU capability", torch.backends.cpu.get_cpu_capability())'
