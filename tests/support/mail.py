"""A real SMTP server that keeps what it is given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .ports import free_port
from .waiting import wait_until


class Mailbox:
    """What arrived, in order. ``refuse_with`` answers every message with that SMTP error line."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuse_with: str | None = None
        self.host = "127.0.0.1"
        self.port = free_port()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address for ``CHECKOUT_CASE_MAIL_URL``."""
        return f"smtp://{self.host}:{self.port}"

    def wait_for(self, count: int, *, seconds: float = 20.0) -> list[EmailMessage]:
        """Wait until at least ``count`` messages have arrived, and return all of them."""
        wait_until(
            lambda: len(self.messages) >= count, seconds=seconds, what=f"{count} mail message(s)"
        )
        return list(self.messages)

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks the handler up by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.refuse_with is not None:
            return self.refuse_with
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self._lock:
            self.messages.append(message)
            self.recipients.append(list(envelope.rcpt_tos))
        return "250 kept"


@contextmanager
def running_mailbox() -> Iterator[Mailbox]:
    """Start a mail server on a free port, and stop it at the end."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname=mailbox.host, port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
