"""While payments fail for everybody, the customer reads that, and not that their bank refused."""

from __future__ import annotations

import pytest

from flask_checkout_case.services import incident_source
from tests.support.due import set_clock
from tests.support.shop import Shop
from tests.support.storm import MINUTE, case_rows, fails, look, outage, pays, refs
from tests.support.widget import Person

TROUBLE = (
    "Payments by this method are having trouble right now. Nothing is wrong with your card: please "
    "pay another way."
)


@pytest.fixture(autouse=True)
def _known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_source, "FRESH_FOR", 0.0)


def person(shop: Shop, ref: str) -> Person:
    return Person(shop.app, ref, who=f"k-{ref}")


def told(shop: Shop, ref: str) -> dict[str, object]:
    failure: dict[str, object] = person(shop, ref).get("panel").json["failure"]
    return failure


def test_the_panel_says_so_and_offers_another_way(shop: Shop) -> None:
    outage(shop, set_clock(shop))
    failure = told(shop, "hit-1")
    assert failure["text"] == TROUBLE
    assert [one["text"] for one in failure["actions"]] == ["Pay another way"]  # type: ignore[attr-defined]
    assert TROUBLE in person(shop, "hit-1").get("help").text


def test_an_open_panel_hears_when_it_begins_and_when_it_ends(shop: Shop) -> None:
    clock = set_clock(shop)
    fails(shop, ["ada"])
    ada = person(shop, "ada")
    before = ada.get("poll")
    outage(shop, clock)
    during = ada.get("poll", headers={"If-None-Match": before.headers["ETag"]}, status=200)
    assert during.json["failure"]["text"] == TROUBLE
    for _ in range(18):
        look(shop, clock, MINUTE)
    after = ada.get("poll", headers={"If-None-Match": during.headers["ETag"]}, status=200)
    assert after.json["failure"]["text"] == "Technical problem; try again shortly."


def test_what_is_not_about_the_outage_reads_as_ever(shop: Shop) -> None:
    outage(shop, set_clock(shop))
    fails(shop, ["other"], method="sofort")
    fails(shop, ["poor"], failure_code="card_declined", decline_code="insufficient_funds")
    fails(shop, ["typo"], failure_code="incorrect_cvc")
    fails(shop, ["doubt"], failure_code="processing_error", outcome="unknown")
    texts = {ref: told(shop, ref)["text"] for ref in ("other", "poor", "typo", "doubt")}
    assert texts == {
        "other": "Technical problem; try again shortly.",
        "poor": "Your bank didn't approve this payment. Try another method or contact your bank.",
        "typo": "Check number, date, code and billing postcode.",
        "doubt": "We're checking your payment; please don't pay again yet.",
    }


def test_fraud_reads_in_an_outage_too_what_every_declined_card_reads(shop: Shop) -> None:
    clock = set_clock(shop)
    pays(shop, refs("ok", 20))
    declined = {"failure_code": "card_declined"}
    fails(shop, refs("hit", 60), decline_code="do_not_honor", **declined)
    look(shop, clock)
    for ref, code in (("plain", "do_not_honor"), ("thief", "fraudulent"), ("lost", "lost_card")):
        fails(shop, [ref], decline_code=code, **declined)
    plain = told(shop, "plain")
    assert "it may not be about your card" in str(plain["text"])
    assert told(shop, "thief") == plain
    assert told(shop, "lost") == plain


def test_who_writes_in_the_panel_is_heard_at_once(shop: Shop) -> None:
    outage(shop, set_clock(shop))
    person(shop, "hit-7").write("Was I charged?")
    row = case_rows(shop)["hit-7"]
    assert row.folded_into is None
    assert row.first_response_due is not None
