"""``python -m example_store.local_adyen``: run the local Adyen."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from types import FrameType

from waitress.server import create_server

from example_store.ports import is_taken

from .app import create_app
from .payments import Endpoint, Payments


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> None:
    """Serve until the process is told to end (SIGTERM or Ctrl-C)."""
    parser = argparse.ArgumentParser(prog="python -m example_store.local_adyen")
    parser.add_argument("--port", type=int, default=5084, help="port on 127.0.0.1 (5084)")
    parser.add_argument("--webhook-url", help="receiver of webhooks")
    parser.add_argument("--hmac-key", help="the receiver's HMAC key, hexadecimal")
    given = parser.parse_args(arguments)
    if bool(given.webhook_url) != bool(given.hmac_key):
        parser.error("--webhook-url and --hmac-key belong together")
    if is_taken(given.port):
        parser.error(f"port {given.port} is taken; choose another one with --port")
    logging.basicConfig(level=logging.WARNING, format="local adyen: %(message)s")
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    endpoints = (Endpoint(given.webhook_url, given.hmac_key),) if given.webhook_url else ()
    app = create_app(Payments(endpoints))
    server = create_server(app, host="127.0.0.1", port=given.port, threads=4)
    sys.stdout.write(f"Local Adyen on http://127.0.0.1:{given.port}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
