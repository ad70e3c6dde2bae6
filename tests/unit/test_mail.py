"""Mail: what a message looks like, and what can't be smuggled into it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.errors import ConfigurationError
from flask_checkout_case.jobs.mail import (
    Mail,
    MailServer,
    PermanentError,
    build_message,
    message_id,
    read_mail_url,
    read_sender,
)

SENDER = read_sender("Atelier Nord <help@example.com>")
MAIL = Mail(
    to="ada@example.com",
    to_name="Ada",
    subject="Your payment",
    text="Hello Ada,\n",
    html="<p>Hello Ada,</p>",
    language="en",
    message_id="<1@example.com>",
    reference="CC-1",
)


def test_a_message_says_that_a_machine_sends_it() -> None:
    message = build_message(MAIL, SENDER)
    assert message["From"] == "Atelier Nord <help@example.com>"
    assert message["To"] == "Ada <ada@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<1@example.com>"
    assert message["Content-Language"] == "en"
    assert message["X-Checkout-Case"] == "CC-1"
    assert [part.get_content_type() for part in message.walk()] == [
        *("multipart/alternative", "text/plain", "text/html"),
    ]


def test_any_script_survives() -> None:
    mail = replace(MAIL, subject="دفعتك في المتجر", to_name="ليلى", text="Grüße — مرحبا\n")
    message = build_message(mail, SENDER)
    assert message["Subject"] == "دفعتك في المتجر"
    assert message["To"].addresses[0].display_name == "ليلى"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Grüße — مرحبا\n"
    assert bytes(message).isascii()


BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\x00"]


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("field", ["to", "to_name", "subject", "message_id", "language"])
def test_no_header_can_be_smuggled_in(field: str, line_break: str) -> None:
    value = f"ada@example.com{line_break}Bcc: everybody@example.com"
    with pytest.raises(PermanentError):
        build_message(replace(MAIL, **{field: value}), SENDER)


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_a_customer_is_called_there_is_one_recipient(name: str, subject: str) -> None:
    try:
        message = build_message(replace(MAIL, to_name=name, subject=subject), SENDER)
    except PermanentError:
        return
    assert [one.addr_spec for one in message["To"].addresses] == ["ada@example.com"]
    assert message["Bcc"] is None
    assert message["Cc"] is None


@pytest.mark.parametrize(
    "address",
    [
        *("", "ada", "ada@", "@example.com", "a@b@", "a b@example.com", "a@exam ple.com"),
        *("a@example.com,b@example.com", "a@example.com;b@example.com", "<a@example.com>"),
    ],
)
def test_what_is_no_address_can_never_be_sent_to(address: str) -> None:
    with pytest.raises(PermanentError):
        build_message(replace(MAIL, to=address), SENDER)


def test_a_domain_of_another_script_is_written_plainly() -> None:
    message = build_message(replace(MAIL, to="ada@bücher.example"), SENDER)
    assert message["To"].addresses[0].domain == "xn--bcher-kva.example"


def test_a_message_id_is_the_same_in_each_attempt_and_another_for_each_key() -> None:
    assert message_id("a", "x@example.com") == message_id("a", "Shop <y@example.com>")
    assert message_id("a", None) != message_id("b", None)
    assert message_id("a", "x@example.com").endswith("@example.com>")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", MailServer("localhost", 25, "none")),
        ("smtp://localhost:1025?tls=none", MailServer("localhost", 1025, "none")),
        ("smtp://h.example?tls=starttls", MailServer("h.example", 587, "starttls")),
        ("smtps://h.example", MailServer("h.example", 465, "tls")),
        (
            "smtps://shop%40h:p%2Fw@h.example:4650/",
            MailServer("h.example", 4650, "tls", "shop@h", "p/w"),
        ),
        ("smtp://u:p@localhost", MailServer("localhost", 25, "none", "u", "p")),
        ("smtp://[::1]:25", MailServer("::1", 25, "none")),
    ],
)
def test_a_mail_server_is_read(url: str, server: MailServer) -> None:
    assert read_mail_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "localhost:25",
        "http://localhost",
        "smtp://",
        "smtp://host:port",
        "smtp://host?tls=maybe",
        "smtp://host?starttls=1",
        "smtp://host/path",
        "smtp://user:secret@h.example",
    ],
)
def test_any_other_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CHECKOUT_CASE_MAIL_URL") as caught:
        read_mail_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", [None, "", "Shop", "Shop <help>", "Shop <a@b>\nBcc: <c@d>"])
def test_a_sender_has_to_be_an_address(text: str | None) -> None:
    with pytest.raises(ConfigurationError, match="CHECKOUT_CASE_MAIL_SENDER"):
        read_sender(text)
