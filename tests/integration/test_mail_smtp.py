"""Mail on its way: a real SMTP server, TLS, refusals, servers that hang."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from flask_checkout_case.errors import EgressRefusedError
from flask_checkout_case.jobs.mail import (
    Mail,
    MailServer,
    PermanentError,
    SMTPMailer,
    read_mail_url,
    read_sender,
)
from tests.support.certificate import Certificate, make_certificate
from tests.support.due import MINUTE, decline, entries, outbox, set_clock, work
from tests.support.mail import Mailbox
from tests.support.ports import free_port
from tests.support.shop import Shop

SENDER = read_sender("Atelier Nord <help@example.com>")
MAIL = Mail(
    to="ada@example.com",
    to_name="Ada",
    subject="Grüße",
    text="Hello Ada,\n.\nthe end\n",
    html="<p>Hello Ada,</p>",
    language="en",
    message_id="<1@example.com>",
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost")


def test_a_message_arrives_as_it_was_written(smtp: Mailbox) -> None:
    SMTPMailer(read_mail_url(smtp.url), SENDER)(MAIL)
    (message,) = smtp.wait_for(1)
    assert smtp.recipients == [["ada@example.com"]]
    assert message["Subject"] == "Grüße"
    assert message["Message-ID"] == "<1@example.com>"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == MAIL.text


def test_what_the_server_refuses_is_tried_again(smtp: Mailbox) -> None:
    smtp.refuse_with = "451 later"
    with pytest.raises(Exception, match="451"):
        SMTPMailer(read_mail_url(smtp.url), SENDER)(MAIL)
    assert smtp.messages == []


class Refusing(Mailbox):
    """Knows no recipient."""

    async def handle_RCPT(self, *_given: Any) -> str:  # noqa: N802 - aiosmtpd's name
        return "550 no such person"


def test_a_recipient_who_is_not_there_is_refused_for_good() -> None:
    mailbox = Refusing()
    mailer = SMTPMailer(read_mail_url(mailbox.url), SENDER)
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    with serving(controller), pytest.raises(PermanentError, match="550"):
        mailer(MAIL)


@contextmanager
def serving(controller: Controller) -> Iterator[None]:
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def test_starttls_is_spoken_and_the_certificate_checked(certificate: Certificate) -> None:
    mailbox = Mailbox()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=mailbox.port,
        tls_context=certificate.server_context(),
        require_starttls=True,
    )
    server = MailServer("localhost", mailbox.port, "starttls")
    with serving(controller):
        SMTPMailer(server, SENDER, context=certificate.client_context())(MAIL)
        mailbox.wait_for(1)
        with pytest.raises(ssl.SSLCertVerificationError):
            SMTPMailer(server, SENDER)(MAIL)
        elsewhere = replace(server, host="127.0.0.1")
        with pytest.raises(ssl.SSLCertVerificationError):
            SMTPMailer(elsewhere, SENDER, context=certificate.client_context())(MAIL)
    assert len(mailbox.messages) == 1


class TLSController(Controller):
    """Probes its server with TLS: aiosmtpd's own probe trusts no certificate of a test."""

    trusting: ssl.SSLContext

    def _trigger_server(self) -> None:
        with (
            socket.create_connection((self.hostname, self.port), 10) as plain,
            self.trusting.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            secure.recv(1024)


def test_smtps_is_spoken_and_the_certificate_checked(certificate: Certificate) -> None:
    mailbox = Mailbox()
    controller = TLSController(
        mailbox, hostname="127.0.0.1", port=mailbox.port, ssl_context=certificate.server_context()
    )
    controller.trusting = certificate.client_context()
    server = MailServer("localhost", mailbox.port, "tls")
    with serving(controller):
        SMTPMailer(server, SENDER, context=certificate.client_context())(MAIL)
        mailbox.wait_for(1)
        with pytest.raises(ssl.SSLCertVerificationError):
            SMTPMailer(server, SENDER)(MAIL)


def test_a_server_that_never_answers_holds_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer("127.0.0.1", silent.getsockname()[1], "none")
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            SMTPMailer(server, SENDER, timeout=0.3)(MAIL)


def test_a_disguised_server_is_refused() -> None:
    with pytest.raises(EgressRefusedError):
        SMTPMailer(MailServer("127.1", 25, "none"), SENDER)(MAIL)


# --- the whole way -------------------------------------------------------------------------------


@pytest.fixture
def shop(make_app: Callable[..., Shop], smtp: Mailbox) -> Shop:
    return make_app(
        CHECKOUT_CASE_MAIL_URL=smtp.url,
        CHECKOUT_CASE_MAIL_SENDER="Atelier Nord <help@example.com>",
        CHECKOUT_CASE_PUBLIC_URL="https://shop.example.com",
    )


def test_from_the_decline_to_the_customers_mailbox(shop: Shop, smtp: Mailbox) -> None:
    clock = set_clock(shop)
    decline(shop, clock.now)
    clock.pass_by(30 * MINUTE)
    work(shop)
    (message,) = smtp.wait_for(1)
    assert message["To"] == "Ada <ada@example.com>"
    assert message["From"] == "Atelier Nord <help@example.com>"
    (row,) = outbox(shop)
    assert row.state == "done"
    (line,) = entries(shop, "mail")
    assert line.data is not None
    assert line.data["message_id"] == message["Message-ID"]


def test_a_server_that_refuses_gets_the_same_message_later(shop: Shop, smtp: Mailbox) -> None:
    clock = set_clock(shop)
    decline(shop, clock.now)
    clock.pass_by(30 * MINUTE)
    smtp.refuse_with = "500 ada@example.com is not wanted now"
    for _ in range(3):
        work(shop)
        clock.pass_by(10 * MINUTE)
    (row,) = outbox(shop)
    assert row.attempts == 3
    # What the server quotes belongs in no log and no table.
    assert row.last_error == "SMTPDataError: 500"
    smtp.refuse_with = None
    work(shop)
    assert len(smtp.wait_for(1)) == 1
    assert outbox(shop)[0].state == "done"


def test_a_server_that_is_away_is_tried_again(make_app: Callable[..., Shop]) -> None:
    shop = make_app(
        CHECKOUT_CASE_MAIL_URL=f"smtp://127.0.0.1:{free_port()}",
        CHECKOUT_CASE_MAIL_SENDER="help@example.com",
    )
    clock = set_clock(shop)
    decline(shop, clock.now)
    clock.pass_by(30 * MINUTE)
    work(shop)
    (row,) = outbox(shop)
    assert row.state == "due"
    assert "ConnectionRefusedError" in (row.last_error or "")


def test_a_connection_that_breaks_after_the_message_repeats_its_id(
    make_app: Callable[..., Shop],
) -> None:
    mailbox = Mailbox()
    broken = threading.Event()

    class Dropping(Mailbox):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            kept = await mailbox.handle_DATA(server, session, envelope)
            if not broken.is_set():
                broken.set()
                server.transport.abort()
            return kept

    handler = Dropping()
    shop = make_app(
        CHECKOUT_CASE_MAIL_URL=handler.url, CHECKOUT_CASE_MAIL_SENDER="help@example.com"
    )
    clock = set_clock(shop)
    decline(shop, clock.now)
    clock.pass_by(30 * MINUTE)
    with serving(Controller(handler, hostname="127.0.0.1", port=handler.port)):
        work(shop)
        clock.pass_by(MINUTE)
        work(shop)
    first, second = mailbox.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert outbox(shop)[0].state == "done"
