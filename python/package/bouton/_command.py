"""The console script `bouton`: the same program as the Rust binary."""

from __future__ import annotations

import signal
import sys

from bouton import _bouton


def main() -> None:
    """Runs the command line of this process."""
    # The program listens to Ctrl-C itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_bouton.command(["bouton", *sys.argv[1:]]))
