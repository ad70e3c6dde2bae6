"""A promised call at the desk: shown with its time, told of before it is due, made and noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from flask_checkout_case import CaseInfo, Money
from flask_checkout_case.data.callback_models import CallbackRow
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import callbacks, cases
from flask_checkout_case.services.access import Viewer
from flask_checkout_case.services.callbacks import Wish
from flask_checkout_case.services.staff import remember_agent
from flask_checkout_case.types import Agent
from tests.support.desk import Desk, body, decline, now, open_desk, runtime_of, statements
from tests.support.due import Clock, set_clock
from tests.support.protocols import LARGE
from tests.support.shop import Shop

MINUTE = timedelta(minutes=1)
START = datetime.now(UTC).replace(microsecond=0, second=0)
ROSA = Agent(ref="21", name="Rosa Lind", teams=["concierge"], email="rosa@staff.example")
KAI = Agent(ref="22", name="Kai Berg", teams=["concierge"], email="kai@staff.example")


POLICY = """
[teams.concierge]
[teams.payments]
[sla.calm]
first_response = "1d"
[callbacks]
[[routes]]
name = "All"
team = "concierge"
sla = "calm"
"""


@pytest.fixture
def shop(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return open_desk(
        make_app,
        CHECKOUT_CASE_POLICY=str(path),
        CHECKOUT_CASE_MAIL_URL="smtp://localhost",
        CHECKOUT_CASE_MAIL_SENDER="shop@example.com",
        CHECKOUT_CASE_PUBLIC_URL="https://shop.example",
    )


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop, START)


@pytest.fixture
def mails(shop: Shop) -> list[Mail]:
    found: list[Mail] = []
    shop.cases.mailer(found.append)
    for agent in (ROSA, KAI):
        remember_agent(runtime_of(shop), agent)
    return found


@pytest.fixture
def case(shop: Shop, clock: Clock) -> CaseInfo:
    """A large cart whose customer is to be called in about an hour."""
    case = decline(shop, "c-1", value=LARGE)
    wish_a_call(shop)
    return now(shop, case)


def wish_a_call(shop: Shop, place: int = 0) -> datetime:
    value = Money(LARGE, "USD")
    checkout = {
        "ref": "c-1",
        "value_minor": value.minor_units,
        "currency": value.currency,
        "customer": {"ref": "of-Ada Lovelace", "name": "Ada Lovelace"},
    }
    viewer = Viewer(checkout, language="en")
    offer = callbacks.offer(runtime_of(shop), viewer, "Asia/Tokyo")
    assert offer is not None
    start = offer.slots[place].start
    wish = Wish(start, "+81 3 5555 0142", "Asia/Tokyo", f"w:{place}-{start}", "About the bag")
    callbacks.ask(runtime_of(shop), viewer, wish, "nonce")
    return start


def the_call(shop: Shop) -> CallbackRow:
    with runtime_of(shop).read() as session:
        return session.scalars(select(CallbackRow)).one()


def test_the_case_page_says_whom_to_call_and_when(shop: Shop, case: CaseInfo) -> None:
    shown = Desk(shop, "lin").get(f"cases/{case.reference}").text
    told = body(shown)
    for fact in ("Call Ada Lovelace", "+81 3 5555 0142", "Tokyo · Japan Time", "About the bag"):
        assert fact in told
    assert 'href="tel:+81355550142"' in shown
    assert "The customer asks to be called" in told


def test_the_concierges_queue_shows_the_call(shop: Shop, case: CaseInfo) -> None:
    lin = Desk(shop, "lin")
    lin.get()
    with statements(shop) as noted:
        shown = lin.get("?view=concierge").text
    assert len(noted) <= 6, noted
    assert "The customer asks to be called" in body(shown)
    assert "asks to be called" not in body(lin.get().text)


def test_reaching_the_customer_is_an_answer(shop: Shop, case: CaseInfo) -> None:
    lin = Desk(shop, "lin")
    lin.do(case.reference, "callback", callback="reached")
    told = body(lin.get(f"cases/{case.reference}").text)
    assert "Lin Okafor called and reached the customer" in told
    assert "Not reached" not in told
    row = the_call(shop)
    assert (row.reached, row.done_by, row.done_by_name) == (True, "7", "Lin Okafor")
    with runtime_of(shop).read() as session:
        answered = session.scalars(select(CaseRow)).one()
    assert answered.first_response_at == START
    lin.do(case.reference, "callback", answers=409, callback="reached")


def test_not_reaching_them_is_none(shop: Shop, case: CaseInfo) -> None:
    Desk(shop, "lin").do(case.reference, "callback", callback="missed")
    assert the_call(shop).reached is False
    wish_a_call(shop, 1)
    with runtime_of(shop).read() as session:
        assert len(session.scalars(select(CallbackRow)).all()) == 2


def test_only_who_may_answer_may_note_it(shop: Shop, case: CaseInfo) -> None:
    Desk(shop, "boss").do(case.reference, "callback", answers=400, callback="perhaps")

    @shop.cases.permission
    def looking(_agent: object, action: str, _case: object) -> bool:
        return action == "view"

    lin = Desk(shop, "lin")
    assert "Not reached" not in lin.get(f"cases/{case.reference}").text
    lin.do(case.reference, "callback", answers=403, callback="reached")


def due(shop: Shop, clock: Clock, ahead: timedelta) -> int:
    clock.now = the_call(shop).start_at - ahead
    return sweep(runtime_of(shop)).calls


def test_the_team_hears_of_it_ten_minutes_before_once(
    shop: Shop, case: CaseInfo, clock: Clock, mails: list[Mail]
) -> None:
    assert due(shop, clock, 10 * MINUTE + timedelta(seconds=1)) == 0
    assert due(shop, clock, 10 * MINUTE) == 1
    assert due(shop, clock, 5 * MINUTE) == 0
    deliver(runtime_of(shop))
    calls = [mail for mail in mails if "A customer is to be called" in mail.subject]
    assert {mail.to for mail in calls} == {ROSA.email, KAI.email}
    assert case.reference in calls[0].text
    assert "5555" not in calls[0].text
    assert "A call is due" in body(Desk(shop, "lin").get(f"cases/{case.reference}").text)


def test_the_assignee_alone_hears_of_it(
    shop: Shop, case: CaseInfo, clock: Clock, mails: list[Mail]
) -> None:
    cases.take(runtime_of(shop), case.reference, agent=ROSA, version=case.version)
    assert due(shop, clock, 10 * MINUTE) == 1
    deliver(runtime_of(shop))
    calls = [mail.to for mail in mails if "A customer is to be called" in mail.subject]
    assert calls == [ROSA.email]


def test_what_is_done_or_moved_meanwhile_is_not_mailed(
    shop: Shop, case: CaseInfo, clock: Clock, mails: list[Mail]
) -> None:
    assert due(shop, clock, 10 * MINUTE) == 1
    Desk(shop, "lin").do(case.reference, "callback", callback="reached")
    deliver(runtime_of(shop))
    assert not [mail for mail in mails if "A customer is to be called" in mail.subject]


def test_an_ended_case_is_told_of_to_nobody(
    shop: Shop, case: CaseInfo, clock: Clock, mails: list[Mail]
) -> None:
    cases.solve(runtime_of(shop), case.reference)
    assert due(shop, clock, 10 * MINUTE) == 0
    deliver(runtime_of(shop))
    assert not [mail for mail in mails if "A customer is to be called" in mail.subject]
