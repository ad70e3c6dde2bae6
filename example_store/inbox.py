"""``python -m example_store.inbox``: takes mail, sends nothing on, shows it on a page."""

from __future__ import annotations

import argparse
import email
import signal
import sys
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as default_policy
from types import FrameType
from typing import Any

from aiosmtpd.controller import Controller
from flask import Flask, abort, render_template
from waitress.server import create_server

from .ports import is_taken


class Inbox:
    """The newest hundred mails, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mails: list[dict[str, Any]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a mail; aiosmtpd calls this."""
        message = email.message_from_bytes(envelope.content, policy=default_policy)
        with self._lock:
            self._mails.insert(0, _read(message, envelope.rcpt_tos))
            del self._mails[100:]
        return "250 taken"

    def mails(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._mails)


def _read(message: EmailMessage, recipients: list[str]) -> dict[str, Any]:
    body = message.get_body(("plain",))
    return {
        "to": ", ".join(recipients),
        "sender": str(message["From"]),
        "subject": str(message["Subject"]),
        "text": body.get_content() if body else "",
        "at": datetime.now(UTC),
    }


def create_page(inbox: Inbox) -> Flask:
    """Make the page that shows what came in."""
    app = Flask(__name__)

    @app.get("/")
    def home() -> str:
        return render_template("inbox.html", mails=inbox.mails(), shown=None)

    @app.get("/<int:number>")
    def one(number: int) -> str:
        mails = inbox.mails()
        if number >= len(mails):
            abort(404)
        return render_template("inbox.html", mails=mails, shown=mails[number])

    return app


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> None:
    """Take mail and show it until the process is told to end."""
    parser = argparse.ArgumentParser(prog="python -m example_store.inbox")
    parser.add_argument("--port", type=int, default=5082, help="port of the page (5082)")
    parser.add_argument("--smtp-port", type=int, default=5083, help="port for mail (5083)")
    given = parser.parse_args(arguments)
    for flag, port in (("--port", given.port), ("--smtp-port", given.smtp_port)):
        if is_taken(port):
            parser.error(f"port {port} is taken; choose another one with {flag}")
    signal.signal(signal.SIGTERM, _leave)
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=given.smtp_port)
    controller.start()
    try:
        server = create_server(create_page(inbox), host="127.0.0.1", port=given.port, threads=4)
        sys.stdout.write(f"Inbox on http://127.0.0.1:{given.port}\n")
        sys.stdout.flush()
        server.run()
    finally:
        controller.stop()


if __name__ == "__main__":
    main()
