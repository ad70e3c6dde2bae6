"""E-mail: what a message is, and the mailer that speaks SMTP."""

from __future__ import annotations

import hashlib
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from ..egress import TIMEOUT, Network, Target, read_networks, resolve
from ..errors import ConfigurationError
from ..services.runtime import Runtime
from ..types import utc_now

_MAIL_URL: Final = "CHECKOUT_CASE_MAIL_URL"
_EXPECTED: Final = "an address such as 'smtp://user:password@host:587?tls=starttls' or 'smtps://…'"


class PermanentError(Exception):
    """It can't be sent, however often it is tried."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to one person, ready to be sent; what the shop's ``mailer`` gets.

    Args:
        to, to_name: the recipient's address, and name when it is known.
        text, html: the same message twice.
        language: its language tag.
        message_id: with angle brackets; the same in every attempt to send this message, so that a
            mail service can drop a repetition.
        purpose: ``service``; nothing else is sent in this version.
        reference: of the case that it is about.
    """

    to: str
    subject: str
    text: str
    html: str
    language: str
    message_id: str
    to_name: str | None = None
    purpose: str = "service"
    reference: str | None = None


Mailer = Callable[[Mail], None]


def mailer_of(runtime: Runtime) -> Mailer | None:
    """Return the shop's mailer, else ours, else ``None`` when no mail server is configured.

    Raises:
        ConfigurationError: the mail server's address or the sender is wrong.
    """
    if runtime.hooks.mailer is not None:
        return runtime.hooks.mailer
    settings = runtime.settings
    if settings.mail_url is None:
        return None
    return SMTPMailer(
        read_mail_url(settings.mail_url),
        read_sender(settings.mail_sender),
        allow=read_networks(settings.egress_allow),
    )


def message_id(key: str, sender: str | None) -> str:
    """Return the Message-ID of whatever is sent once under ``key``."""
    _, address = parseaddr(sender or "")
    domain = address.rpartition("@")[2] or "checkout-case.invalid"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. ``tls`` is ``none``, ``starttls`` or ``tls`` (from the start)."""

    host: str
    port: int
    tls: str
    user: str | None = None
    password: str | None = None


def read_mail_url(url: str) -> MailServer:
    """Read ``smtp://`` and ``smtps://`` addresses.

    Raises:
        ConfigurationError: the address can't be read, or would send a password in clear.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{_MAIL_URL}: expected {_EXPECTED}") from error
    query = parse_qs(parts.query, keep_blank_values=True)
    wanted = query.pop("tls", ["none"])[-1]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
        raise ConfigurationError(f"{_MAIL_URL}: expected {_EXPECTED}")
    if query or wanted not in {"none", "starttls"}:
        raise ConfigurationError(f"{_MAIL_URL}: expected nothing but ?tls=starttls or ?tls=none")
    tls = "tls" if parts.scheme == "smtps" else wanted
    if parts.password and tls == "none" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ConfigurationError(
            f"{_MAIL_URL}: a password would travel in clear; use smtps:// or ?tls=starttls"
        )
    usual = {"none": 25, "starttls": 587, "tls": 465}
    return MailServer(
        host=parts.hostname,
        port=port or usual[tls],
        tls=tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def read_sender(text: str | None) -> Address:
    """Read ``CHECKOUT_CASE_MAIL_SENDER``: ``Shop <help@example.com>`` or the address alone.

    Raises:
        ConfigurationError: there is none, or it is no address.
    """
    name, address = parseaddr(text or "")
    try:
        _one_line(text or "")
        return _address(address, name)
    except PermanentError as error:
        message = "CHECKOUT_CASE_MAIL_SENDER: expected an address such as 'Shop <help@example.com>'"
        raise ConfigurationError(message) from error


def build_message(mail: Mail, sender: Address) -> EmailMessage:
    """Make the message as it is sent: plain text, and the same as HTML.

    Raises:
        PermanentError: an address or a header can't be written, or smuggles in another.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = _address(mail.to, mail.to_name or "")
        message["Subject"] = _one_line(mail.subject)
        message["Message-ID"] = _one_line(mail.message_id)
        message["Date"] = format_datetime(utc_now())
        # No out-of-office answers to a machine (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        if mail.reference:
            message["X-Checkout-Case"] = _one_line(mail.reference)
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        # Setting the content takes the Content headers that were there away.
        message["Content-Language"] = _one_line(mail.language)
    except (ValueError, MessageError) as error:
        raise PermanentError(f"the message can't be written: {error}") from error
    return message


def _address(address: str, name: str) -> Address:
    local, at, domain = address.rpartition("@")
    if (
        not (local and at and domain)
        or _breaks(address)
        or any(char in address for char in " ,;<>")
    ):
        raise PermanentError("that is no e-mail address")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        return Address(display_name=_one_line(name), addr_spec=f"{local}@{ascii_domain}")
    except (ValueError, IndexError, UnicodeError, HeaderParseError) as error:
        raise PermanentError("that is no e-mail address") from error


def _one_line(text: str) -> str:
    if _breaks(text):
        raise PermanentError("a header can't hold a line break")
    return text


def _breaks(text: str) -> bool:
    return any(ord(char) < 32 or char in "\x7f\x85\u2028\u2029" for char in text)


class _PinnedSMTP(smtplib.SMTP):
    """Connects to the address that was checked; certificates are still the host's.

    Args:
        tls: for TLS from the start; without it the connection begins in clear.
    """

    def __init__(self, target: Target, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._target = target
        self._tls = tls
        super().__init__(target.host, target.port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._target.connect(timeout)
        if self._tls is None:
            return plain
        return self._tls.wrap_socket(plain, server_hostname=self._target.host)


class SMTPMailer:
    """Hands each message to the configured server, on a connection of its own.

    Args:
        allow: private networks of the configuration. The server itself needs none of them: the
            operator named it.
        context: for TLS; the system's trusted certificates when ``None``.
        timeout: seconds for each step of the conversation.
    """

    def __init__(
        self,
        server: MailServer,
        sender: Address,
        *,
        allow: Sequence[Network] = (),
        context: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._server = server
        self._sender = sender
        self._allow = allow
        self._context = context
        self._timeout = timeout

    def __call__(self, mail: Mail) -> None:
        """Send.

        Raises:
            PermanentError: this recipient or message is refused for good.
            EgressRefusedError, OSError, smtplib.SMTPException: try again later.
        """
        message = build_message(mail, self._sender)
        try:
            with self._connected() as connection:
                connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if codes and all(500 <= code < 600 for code in codes):
                raise PermanentError(f"the recipient is refused: {codes[0]}") from error
            raise

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        target = resolve(server.host, server.port, allow=self._allow, named_by_operator=True)
        context = self._context or ssl.create_default_context()
        at_once = context if server.tls == "tls" else None
        connection = _PinnedSMTP(target, self._timeout, at_once)
        try:
            if server.tls == "starttls":
                connection.starttls(context=context)
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except BaseException:
            connection.close()
            raise
        return connection
