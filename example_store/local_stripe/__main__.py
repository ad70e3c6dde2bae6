"""``python -m example_store.local_stripe``: run the local Stripe."""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
import sys
from types import FrameType

from waitress.server import create_server

from example_store.ports import is_taken

from .app import create_app
from .settings import Endpoint, Settings
from .upstream import running


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m example_store.local_stripe")
    parser.add_argument("--port", type=int, default=5081, help="port on 127.0.0.1 (5081)")
    parser.add_argument(
        "--webhook-url", action="append", default=[], help="receiver of webhooks; may be repeated"
    )
    parser.add_argument(
        "--webhook-secret",
        action="append",
        default=[],
        help="signing secret of the receiver, in the same order",
    )
    parser.add_argument("--state", help="SQLite file that keeps the state; memory without it")
    parser.add_argument(
        "--without-localstripe",
        action="store_true",
        help="answer only payments, not customers, products and the rest",
    )
    given = parser.parse_args(arguments)
    if len(given.webhook_url) != len(given.webhook_secret):
        parser.error("give one --webhook-secret for each --webhook-url")
    if is_taken(given.port):
        parser.error(f"port {given.port} is taken; choose another one with --port")
    return given


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> None:
    """Serve until the process is told to end (SIGTERM or Ctrl-C)."""
    given = _arguments(arguments)
    logging.basicConfig(level=logging.WARNING, format="local stripe: %(message)s")
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    receivers = zip(given.webhook_url, given.webhook_secret, strict=True)
    with contextlib.ExitStack() as stack:
        upstream = None if given.without_localstripe else stack.enter_context(running())
        app = create_app(
            Settings(
                endpoints=tuple(Endpoint(url, secret) for url, secret in receivers),
                database=given.state,
                upstream=upstream,
            )
        )
        events = app.extensions["local_stripe"]
        events.start()
        stack.callback(events.stop)
        server = create_server(app, host="127.0.0.1", port=given.port, threads=8)
        sys.stdout.write(f"Local Stripe on http://127.0.0.1:{given.port}\n")
        sys.stdout.flush()
        server.run()


if __name__ == "__main__":
    main()
