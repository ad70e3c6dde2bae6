"""``python -m example_store.serve``: run the shop with a real server."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from types import FrameType

from waitress.server import create_server

from . import create_app
from .ports import is_taken


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> None:
    """Serve until the process is told to end (SIGTERM or Ctrl-C)."""
    parser = argparse.ArgumentParser(prog="python -m example_store.serve")
    parser.add_argument("--port", type=int, default=5080, help="port on 127.0.0.1 (5080)")
    given = parser.parse_args(arguments)
    if is_taken(given.port):
        parser.error(f"port {given.port} is taken; choose another one with --port")
    signal.signal(signal.SIGTERM, _leave)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for talkative in ("alembic", "stripe"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    server = create_server(create_app(), host="127.0.0.1", port=given.port, threads=12)
    sys.stdout.write(f"Shop on http://127.0.0.1:{given.port}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
