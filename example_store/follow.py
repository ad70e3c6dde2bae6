"""``python -m example_store.follow COMMAND …``: run a command that ends when its parent ends.

Without it a parent that is killed leaves its children behind. Linux only; elsewhere the command is
run as it is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Replace this process by the command."""
    command = sys.argv[1:]
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the parent's own choice


if __name__ == "__main__":
    main()
