"""What a browser tells becomes a score, a quiet line, a case; and nothing without consent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from flask_checkout_case import Checkout, Money, signals
from flask_checkout_case.data.hesitation_models import ContactRow
from flask_checkout_case.data.models import EventRow
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import glancing
from flask_checkout_case.types import utc_now
from tests.support.browsing import Page, come, observed
from tests.support.due import Clock, cases, checkout_row, entries, runtime_of, send, set_clock
from tests.support.shop import Shop
from tests.support.storm import count
from tests.support.widget import ORIGIN, Person, checkout, fail, furnish, reply

WAVERING = ("idle", "exit", "coupon_away", "error", "error", "error")
MACHINE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return observed(shop)


@pytest.fixture
def sqlite_shop(sqlite_shop: Shop) -> Shop:
    return observed(sqlite_shop)


def settle(shop: Shop) -> None:
    with shop.app.app_context():
        shop.cases.flush()


# --- who is watched ------------------------------------------------------------------------------


def test_without_the_shops_hook_nobody_is_watched(sqlite_shop: Shop) -> None:
    runtime_of(sqlite_shop).hooks.consent_loader = None
    assert not come(sqlite_shop).is_watched


@pytest.mark.parametrize(
    "headers",
    [{"Sec-GPC": "1"}, {"DNT": "1"}, {"User-Agent": MACHINE}, {"Sec-Purpose": "prefetch"}],
    ids=["gpc", "dnt", "machine", "prefetch"],
)
def test_nobody_who_objects_and_no_machine_is_watched(
    sqlite_shop: Shop, headers: dict[str, str]
) -> None:
    assert not come(sqlite_shop, **headers).is_watched


def test_a_hook_that_fails_or_says_no_means_no(sqlite_shop: Shop) -> None:
    runtime_of(sqlite_shop).hooks.consent_loader = lambda: 1 / 0 > 1
    assert not come(sqlite_shop).is_watched
    runtime_of(sqlite_shop).hooks.consent_loader = lambda: False
    assert not come(sqlite_shop).is_watched


def test_who_has_paid_is_watched_no_more(sqlite_shop: Shop) -> None:
    page = come(sqlite_shop)
    assert page.state["watch"]["idle"] == 120
    with sqlite_shop.app.app_context():
        signals.payment_succeeded.send(sqlite_shop.app, checkout=checkout("c-1"))
        sqlite_shop.cases.flush()
    assert not Page(page.person).is_watched


def test_consent_is_written_down_once(shop: Shop) -> None:
    come(shop)
    first = checkout_row(shop)
    assert first.consented_at is not None
    assert first.value_minor == 520_000
    come(shop)
    assert checkout_row(shop).consented_at == first.consented_at


def test_with_the_consent_goes_what_was_told(shop: Shop) -> None:
    page = come(shop)
    page.tell("away")
    settle(shop)
    assert checkout_row(shop).signs
    shop.cases.consent_loader(lambda: False)
    Page(page.person, **{"Sec-Purpose": "prefetch"})
    settle(shop)
    assert checkout_row(shop).signs, "nobody has said no by a prefetch"
    assert not Page(page.person).is_watched
    settle(shop)
    row = checkout_row(shop)
    assert (row.signs, row.score, row.consented_at) == ({}, 0, None)


# --- what they tell ------------------------------------------------------------------------------


def test_wavering_at_high_value_opens_the_concierges_case(shop: Shop, clock: Clock) -> None:
    page = come(shop)
    clock.pass_by(timedelta(seconds=30))
    page.tell(*WAVERING)
    (case,) = cases(shop)
    assert (case.category, case.team, case.subject.split(" · ")[0]) == (
        "hesitation",
        "concierge",
        "Wavers in the checkout",
    )
    (line,) = entries(shop, "signal")
    assert line.data is not None
    assert line.data["score"] == checkout_row(shop).score > 55
    assert [one["kind"] for one in line.data["reasons"]] == ["coupon_away", "validation", "idle"]
    page.tell("rage", "back")
    settle(shop)
    assert len(cases(shop)) == 1


def test_below_its_score_it_is_kept_and_nothing_follows(shop: Shop) -> None:
    page = come(shop)
    page.tell("away")
    page.tell("slow")
    settle(shop)
    row = checkout_row(shop)
    assert row.signs is not None
    assert sorted(row.signs) == ["away", "slow_page"]
    assert row.score == 13
    assert cases(shop) == []
    assert count(shop, EventRow) == 1, "what browsers tell is no event of the history"


def test_the_same_told_twice_is_told_once(shop: Shop) -> None:
    page = come(shop)
    for _ in range(4):
        page.tell(signals=[["error", 0, 0]])
    settle(shop)
    (kept,) = (checkout_row(shop).signs or {}).values()
    assert len(kept) == 1


def test_a_browser_may_be_faster_than_the_shop(shop: Shop) -> None:
    glancing.take(runtime_of(shop), "c-7", {"away": [[1000, "p:0"]]}, dismissed=False)
    glancing.note_consent(runtime_of(shop), "c-7", None)
    settle(shop)
    send(shop, "checkout_started", utc_now(), checkout=checkout("c-7"))
    row = checkout_row(shop, "c-7")
    assert row.signs is not None
    assert (list(row.signs), row.value_minor) == (["away"], 520_000)
    assert row.consented_at is not None


def test_it_waits_in_the_spool_for_a_database_that_is_away(shop: Shop) -> None:
    page = come(shop)
    page.tell("away")
    recorder = runtime_of(shop).recorder
    assert recorder is not None
    assert recorder.health()["unacknowledged"] == 1
    settle(shop)
    assert recorder.health()["unacknowledged"] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "forged"},
        {"page": "short"},
        {"page": "x" * 25},
        {"signals": "idle"},
        {"signals": [["hovering", 0, 0]]},
        {"signals": [["idle", -1, 0]]},
        {"signals": [["idle", True, 0]]},
        {"signals": [["idle", 0, -1]]},
        {"signals": [["idle", 0, 10**9]]},
        {"signals": [["error", 0, 0, "Ada Lovelace"]]},
        {"signals": [["error", 0, 0, "4111 1111 1111 1111"]]},
        {"signals": [["idle", 0, 0]] * 21},
        {"more": "x" * 600},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(sqlite_shop: Shop, changes: object) -> None:
    page = come(sqlite_shop)
    assert isinstance(changes, dict)
    assert page.tell("idle", status="*", **changes).status_int in (400, 403)
    settle(sqlite_shop)
    assert not checkout_row(sqlite_shop).signs


def test_another_sites_page_tells_nothing(sqlite_shop: Shop) -> None:
    page = come(sqlite_shop)
    body = {"token": page.state["watch"]["token"], "page": page.name, "signals": [["idle", 0, 0]]}
    http = page.person.http
    for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        assert http.post_json("/checkout-case/signals", body, headers=headers, status=403)
    settle(sqlite_shop)
    assert not checkout_row(sqlite_shop).signs


def test_a_beacon_is_taken_as_it_is_sent(sqlite_shop: Shop) -> None:
    page = come(sqlite_shop)
    token = page.state["watch"]["token"]
    raw = f'{{"token":"{token}","page":"page-0001","signals":[["exit",0,5,"email"]]}}'
    headers = {**ORIGIN, "Content-Type": "text/plain;charset=UTF-8"}
    page.person.http.post("/checkout-case/signals", raw, headers=headers)
    settle(sqlite_shop)
    assert list(checkout_row(sqlite_shop).signs or {}) == ["exit_intent"]


# --- what they are offered -----------------------------------------------------------------------


def test_the_line_says_something_for_this_step(shop: Shop) -> None:
    page = come(shop)
    assert page.offer("away") is None
    found = page.tell(*WAVERING).json["offer"]
    assert found == {"text": "Code not working? We look at it with you", "reason": "price"}
    assert page.offer() == found["text"], "it stays until it is sent away"
    assert Page(page.person).state["offer"] == found
    assert count(shop, ContactRow) == 1


def test_dismissed_is_gone_for_good(shop: Shop) -> None:
    page = come(shop, who="42")
    assert page.offer(*WAVERING)
    assert page.offer("dismissed") is None
    assert "offer" not in Page(page.person).state
    other = come(shop, "c-2", who="42")
    assert other.offer(*WAVERING) is None


def test_nobody_is_spoken_to_twice_a_day_in_any_checkout(shop: Shop) -> None:
    clock = set_clock(shop)

    def wavers(ref: str, who: str) -> str | None:
        page = come(shop, ref, who)
        clock.pass_by(timedelta(minutes=2))
        return page.offer(*WAVERING)

    assert wavers("c-1", "42")
    clock.pass_by(timedelta(hours=23))
    assert wavers("c-2", "42") is None
    assert wavers("c-3", "43")
    clock.pass_by(timedelta(hours=1))
    assert wavers("c-4", "42")


def test_who_was_not_spoken_to_for_the_budget_is_thought_of_again(shop: Shop) -> None:
    clock = set_clock(shop)
    first = come(shop, "c-1", "42")
    clock.pass_by(timedelta(minutes=2))
    assert first.offer(*WAVERING)
    other = come(shop, "c-2", "42")
    clock.pass_by(timedelta(minutes=2))
    assert other.offer(*WAVERING) is None
    clock.pass_by(timedelta(days=1))
    again = Page(other.person, "page-0002")
    assert again.offer(*WAVERING)


def test_never_while_paying_and_gone_with_the_purchase(shop: Shop) -> None:
    clock = set_clock(shop)
    page = come(shop)
    send(shop, "payment_started", clock.now, checkout=checkout("c-1"), provider="stripe")
    clock.pass_by(timedelta(seconds=5))
    assert page.offer(*WAVERING) is None
    send(shop, "payment_canceled", clock.now, checkout=checkout("c-1"), provider="stripe")
    assert page.offer()
    send(shop, "order_completed", clock.now, checkout=checkout("c-1"), order_ref="o-1")
    assert page.offer() is None
    assert "offer" not in Page(page.person).state


def test_an_answer_counts_more_than_an_offer(shop: Shop) -> None:
    page = come(shop)
    page.tell(*WAVERING)
    (case,) = cases(shop)
    reply(shop, case.reference, "Can I help you with your order?")
    assert page.tell().json["unread"] == 1


def test_one_clients_flood_is_refused_and_changes_nothing_for_others(
    make_sqlite_app: Callable[..., Shop],
) -> None:
    shop = observed(furnish(make_sqlite_app(CHECKOUT_CASE_RATE_LIMIT="2 per hour")))
    page = come(shop)
    quiet = come(shop, "c-2")
    answers = {page.tell("error", status="*").status_int for _ in range(100)}
    assert answers == {200, 429}
    settle(shop)
    row = checkout_row(shop)
    assert row.signs is not None
    assert len(row.signs["validation"]) == 12
    quiet.person.http.extra_environ["REMOTE_ADDR"] = "192.0.2.9"
    assert quiet.tell("away").status_int == 200


# --- the held-out share --------------------------------------------------------------------------


HOLD_HALF_OUT = ('share = "0%"', 'share = "50%"')


def test_who_is_held_out_gets_no_proactive_help_and_is_known_to_be(
    make_shop_with: Callable[[str, str], Shop],
) -> None:
    shop = observed(make_shop_with(*HOLD_HALF_OUT))
    arms = {}
    for number in range(12):
        ref = f"c-{number}"
        offered = come(shop, ref).offer(*WAVERING)
        row = checkout_row(shop, ref)
        assert row.eligible_at is not None
        arms[ref] = (row.arm, offered is not None, row.hesitated_at is not None)
    assert set(arms.values()) == {("held_out", False, False), ("treated", True, True)}
    assert len(cases(shop)) == sum(1 for arm, *_ in arms.values() if arm == "treated")
    clock = set_clock(shop)
    clock.pass_by(timedelta(hours=1))
    sweep(runtime_of(shop))
    assert len(cases(shop)) == sum(1 for arm, *_ in arms.values() if arm == "treated")


def test_the_held_out_are_still_helped_when_they_ask_or_their_card_fails(
    make_shop_with: Callable[[str, str], Shop],
) -> None:
    shop = observed(make_shop_with(*HOLD_HALF_OUT))
    held = next(
        f"c-{n}"
        for n in range(50)
        if come(shop, f"c-{n}").tell(*WAVERING) and checkout_row(shop, f"c-{n}").arm == "held_out"
    )
    fail(shop, held, "insufficient_funds")
    assert [case.category for case in cases(shop, checkout_ref=held)] == ["payment_declined"]
    person = Person(shop.app, held)
    person.write("Can you help me?")
    assert "Can you help me?" in person.texts()


# --- what the shop itself tells ------------------------------------------------------------------


def test_the_shops_signals_alone_are_enough(shop: Shop) -> None:
    clock = set_clock(shop)
    there = {"checkout": checkout("c-9")}
    for name in ("checkout_started", "coupon_rejected", "policy_viewed"):
        send(shop, name, clock.now, **there)
        clock.pass_by(timedelta(seconds=20))
    sweep(runtime_of(shop))
    (case,) = cases(shop)
    assert case.team == "concierge"
    (line,) = entries(shop, "signal")
    assert line.data is not None
    # Both weigh the same; the later one has faded less.
    assert [one["kind"] for one in line.data["reasons"]] == ["policy_page", "coupon_rejected"]


def test_a_crawler_and_a_prefetch_are_no_customers(shop: Shop) -> None:
    page = "/view"
    shop.app.add_url_rule(page, view_func=lambda: _viewed(shop))
    http = Person(shop.app).http
    for headers in ({"User-Agent": MACHINE}, {"Sec-Purpose": "prefetch;prerender"}):
        http.get(page, headers=headers)
    settle(shop)
    assert count(shop, EventRow) == 2
    assert cases(shop) == []
    http.get(page)
    settle(shop)
    assert checkout_row(shop, "c-bot").step == "payment"


def test_what_a_shop_adds_to_a_signal_is_its_own(shop: Shop) -> None:
    clock = set_clock(shop)
    more = {"unattended": True, "cart": "abc", "checkout_case_unattended": True}
    there = {"checkout": Checkout(ref="c-5", value=Money("900.00", "USD"), step="payment")}
    for _ in range(2):
        send(shop, "payment_failed", clock.now, provider="stripe", **there, **more)
        clock.pass_by(timedelta(seconds=9))
    sweep(runtime_of(shop))
    (case,) = cases(shop, checkout_ref="c-5")
    assert case.occurrences == 2
    assert checkout_row(shop, "c-5").score > 0


def _viewed(shop: Shop) -> str:
    signals.checkout_step_viewed.send(shop.app, checkout=checkout("c-bot"))
    return "page"


def test_a_clock_that_was_set_back_does_no_harm(shop: Shop, clock: Clock) -> None:
    page = come(shop)
    clock.pass_by(timedelta(hours=-2))
    assert page.tell(*WAVERING).status_int == 200
