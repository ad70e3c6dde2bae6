"""Escalations that are posted to the shop's own systems, to a real receiver."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

from flask_checkout_case import Agent
from flask_checkout_case.errors import ConfigurationError
from flask_checkout_case.rules.policy import parse_policy
from flask_checkout_case.services.policy_source import PolicySource
from flask_checkout_case.types import utc_now
from tests.support.due import MINUTE, Clock, decline, entries, outbox, runtime_of, set_clock, work
from tests.support.shop import Shop

OLD, NEW = (f"whsec_{base64.b64encode(bytes([count] * 32)).decode()}" for count in (1, 2))
POLICY = """
currency = "USD"

[teams.payments]
name = "Payments"

[sla.payment]
first_response = "15m"
escalate = [
  { at = "100%", notify = "webhook" },
  { after = "15m", priority = "urgent" },
]

[[routes]]
name = "everything"
team = "payments"
sla = "payment"
"""
PROTOCOL = """
protocol = "rescue"

[protocols.rescue]
name = "Rescue"
tasks = [{ title = "Ring the customer", within = "10m" }]
"""


@dataclass
class Receiver:
    """An HTTP server that keeps what was posted to it, and answers as it is told to."""

    answers: list[int] = field(default_factory=list)
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("receiver")

        @app.post("/hook")
        def hook() -> tuple[str, int]:
            self.posted.append((dict(request.headers), request.get_data()))
            return "", self.answers.pop(0) if self.answers else 204

        return app


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def shop(
    make_app: Callable[..., Shop],
    tmp_path: Path,
    live_server: Callable[[Flask], str],
    receiver: Receiver,
) -> Shop:
    (tmp_path / "policy.toml").write_text(POLICY)
    return make_app(
        CHECKOUT_CASE_POLICY=str(tmp_path / "policy.toml"),
        CHECKOUT_CASE_ALERT_URLS=[f"{live_server(receiver.app())}/hook"],
        CHECKOUT_CASE_ALERT_SECRETS=[OLD, NEW],
        CHECKOUT_CASE_EGRESS_ALLOW=["127.0.0.0/8"],
        CHECKOUT_CASE_PUBLIC_URL="https://shop.example.com",
    )


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop, utc_now().replace(microsecond=0) - timedelta(minutes=15))


def breach(shop: Shop, clock: Clock) -> Any:
    case = decline(shop, clock.now)
    clock.pass_by(15 * MINUTE)
    work(shop)
    return case


def test_it_says_what_is_overdue_and_nothing_about_the_customer(
    shop: Shop, clock: Clock, receiver: Receiver
) -> None:
    case = breach(shop, clock)
    ((_, body),) = receiver.posted
    told = json.loads(body)
    assert told["type"] == "case.escalated"
    assert (told["data"]["clock"], told["data"]["percent"]) == ("first_response", 100)
    assert told["data"]["case"]["reference"] == case.reference
    assert told["data"]["case"]["link"].startswith("https://shop.example.com/checkout-case/agent/")
    assert b"Ada" not in body


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_any_library_of_the_standard_verifies_it(
    shop: Shop, clock: Clock, receiver: Receiver, secret: str
) -> None:
    breach(shop, clock)
    ((headers, body),) = receiver.posted
    named = {name.lower(): value for name, value in headers.items()}
    assert Webhook(secret).verify(body, named)["type"] == "case.escalated"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"urgent", b"normal") + b" ", named)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"x" * 32).decode()).verify(body, named)


def test_a_receiver_in_trouble_gets_the_same_one_again(
    shop: Shop, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [500, 302]
    breach(shop, clock)
    for _ in range(3):
        clock.pass_by(2 * MINUTE)
        work(shop)
    assert len(receiver.posted) == 3
    assert len({headers["Webhook-Id"] for headers, _ in receiver.posted}) == 1
    assert {row.state for row in outbox(shop)} == {"done"}


def test_a_receiver_that_is_gone_is_left_alone(
    shop: Shop, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [410]
    breach(shop, clock)
    clock.pass_by(timedelta(hours=2))
    work(shop)
    assert len(receiver.posted) == 1


def test_a_step_that_names_no_webhook_posts_nothing(
    shop: Shop, clock: Clock, receiver: Receiver
) -> None:
    breach(shop, clock)
    clock.pass_by(15 * MINUTE)
    work(shop)
    assert len(receiver.posted) == 1


def test_a_late_task_is_posted_once_where_the_service_level_posts(
    shop: Shop, clock: Clock, receiver: Receiver
) -> None:
    follow(shop, POLICY + PROTOCOL)
    case = decline(shop, clock.now)
    clock.pass_by(11 * MINUTE)
    work(shop)
    work(shop)
    ((_, body),) = receiver.posted
    data = json.loads(body)["data"]
    assert (data["clock"], data["task"]) == ("task", "Ring the customer")
    assert (data["owner"], data["case"]["reference"]) == ("assignee", case.reference)
    page = page_of(shop, case.reference)
    assert "Task overdue: Ring the customer" in page
    assert "told: the shop&#39;s systems" in page


def test_a_late_task_is_not_posted_where_no_step_posts(
    shop: Shop, clock: Clock, receiver: Receiver
) -> None:
    follow(shop, POLICY.replace('notify = "webhook"', 'notify = "team"') + PROTOCOL)
    decline(shop, clock.now)
    clock.pass_by(11 * MINUTE)
    work(shop)
    assert receiver.posted == []
    assert "task_overdue" in {(line.data or {})["action"] for line in entries(shop, "escalation")}


def follow(shop: Shop, policy: str) -> None:
    runtime_of(shop).policies = PolicySource(parse_policy(policy, "protocol.toml"), policy)


def page_of(shop: Shop, reference: str) -> str:
    shop.cases.agent_loader(lambda: Agent(ref="7", name="Lin", teams=["payments"]))
    return shop.app.test_client().get(f"/checkout-case/agent/cases/{reference}").text


def test_a_private_address_is_refused_unless_it_is_allowed(
    make_app: Callable[..., Shop],
    tmp_path: Path,
    live_server: Callable[[Flask], str],
    receiver: Receiver,
) -> None:
    (tmp_path / "policy.toml").write_text(POLICY)
    shop = make_app(
        CHECKOUT_CASE_POLICY=str(tmp_path / "policy.toml"),
        CHECKOUT_CASE_ALERT_URLS=[f"{live_server(receiver.app())}/hook"],
        CHECKOUT_CASE_ALERT_SECRETS=NEW,
    )
    breach(shop, set_clock(shop, utc_now() - timedelta(minutes=15)))
    assert receiver.posted == []
    (row,) = outbox(shop)
    assert "EgressRefused" in str(row.last_error)


@pytest.mark.parametrize("secret", ["whsec_", "hunter2", "whsec_c2hvcnQ=", "whsec_%%%", [NEW] * 3])
def test_a_weak_secret_stops_the_start(make_app: Callable[..., Shop], secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="CHECKOUT_CASE_ALERT_SECRETS"):
        make_app(CHECKOUT_CASE_ALERT_SECRETS=secret)
