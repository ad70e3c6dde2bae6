"""An incident above the queue, on the cases that it holds, and whom it has hit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flask_checkout_case.services import incident_source
from tests.support.desk import Desk, body, open_desk
from tests.support.due import Clock, set_clock
from tests.support.shop import Shop
from tests.support.storm import MINUTE, case_rows, fails, incidents, look, outage, pays, queued


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_app)


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


@pytest.fixture(autouse=True)
def _known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_source, "FRESH_FOR", 0.0)


def test_the_queue_says_what_has_broken(shop: Shop, clock: Clock) -> None:
    lin = Desk(shop, "lin")
    before = lin.get("queue?view=all").headers["ETag"]
    outage(shop, clock)
    page = lin.get("queue?view=all", headers={"If-None-Match": before}, status=200)
    (case,) = queued(shop)
    assert "Payments by card through Stripe fail" in body(page.text)
    assert "40 checkouts were hit." in body(page.text)
    assert f"/cases/{case.reference}" in page.text
    assert "40 checkouts were hit." in body(lin.get("?view=all").text)


def test_who_may_not_see_its_case_gets_no_link_to_it(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    (case,) = queued(shop)
    page = Desk(shop, "eve").get("?view=all").text
    assert "Payments by card through Stripe fail" in body(page)
    assert case.reference not in page


def test_a_case_that_it_holds_says_so(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    fails(shop, ["rich"], "9000.00")
    look(shop, clock)
    lin = Desk(shop, "lin")
    (reference,) = {row.reference for row in queued(shop) if row.checkout_ref is None}
    held = lin.get(f"cases/{case_rows(shop)['hit-3'].reference}").text
    assert "Nothing is due on this case until it is over." in body(held)
    assert f"Case {reference} stands for it" in body(held)
    assert "Left to the incident: nothing is due until it is over" in body(held)
    rich = body(lin.get(f"cases/{case_rows(shop)['rich'].reference}").text)
    assert "Payments by card through Stripe fail" in rich
    assert "Nothing is due on this case" not in rich


def test_its_own_case_lists_whom_it_has_hit(shop: Shop, clock: Clock) -> None:
    incident = outage(shop, clock)
    (case,) = queued(shop)
    lin = Desk(shop, "lin")
    page = lin.get(f"cases/{case.reference}").text
    rows = case_rows(shop)
    assert sum(row.reference in page for row in rows.values() if row.folded_into) == 25
    seen = set()
    address = f"incidents/{incident.id}"
    for _ in range(2):
        part = lin.get(address).text
        seen |= {row.reference for row in rows.values() if row.reference in part}
        address = f"incidents/{incident.id}?after=25"
    assert seen >= {row.reference for row in rows.values() if row.folded_into}
    Desk(shop, "eve").get(f"incidents/{incident.id}", status=404)
    lin.get("incidents/99", status=404)
    lin.get(f"incidents/{2**70}", status=404)


def test_it_stays_on_its_cases_when_it_is_over(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    (case,) = queued(shop)
    pays(shop, ["hit-1"])
    for _ in range(18):
        look(shop, clock, MINUTE)
    assert incidents(shop)[0].resolved_at is not None
    lin = Desk(shop, "lin")
    assert "It is over since" in body(lin.get(f"cases/{case_rows(shop)['hit-1'].reference}").text)
    own = body(lin.get(f"cases/{case.reference}").text)
    assert "The incident is over; it held 40 checkouts" in own
    assert "Payments by card" not in body(lin.get("?view=all").text)


def test_its_own_case_has_nobody_to_answer(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    (case,) = queued(shop)
    page = Desk(shop, "lin").get(f"cases/{case.reference}").html
    assert page.select_one("#reply-text") is None
    assert page.select_one("#note-text") is not None
    assert page.select_one('[data-key="customer"]') is None
