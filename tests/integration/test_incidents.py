"""An outage is one case; its members are held by it until it is over, and looked after then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from flask_checkout_case import Agent, IncidentInfo, signals
from flask_checkout_case.data.models import EntryRow, EventRow
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.services import incident_source
from flask_checkout_case.services.staff import remember_agent
from tests.support import storm
from tests.support.due import Clock, Statements, checkout, entries, outbox, runtime_of, work
from tests.support.shop import Shop
from tests.support.storm import (
    case_rows,
    fails,
    incidents,
    look,
    members,
    outage,
    pays,
    queued,
    refs,
)

MINUTE = timedelta(minutes=1)
LIN = Agent(ref="7", name="Lin", teams=["payments"], email="lin@example.com")
SAM = Agent(ref="8", name="Sam", role="supervisor", email="sam@example.com")


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


@pytest.fixture(autouse=True)
def _known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # What a process knows is two seconds old at most; these tests are quicker.
    monkeypatch.setattr(incident_source, "FRESH_FOR", 0.0)


def pass_minutes(shop: Shop, clock: Clock, minutes: int) -> None:
    for _ in range(minutes):
        look(shop, clock, MINUTE)


def over(shop: Shop, clock: Clock) -> None:
    pass_minutes(shop, clock, 18)
    (incident,) = incidents(shop)
    assert incident.resolved_at is not None


def test_an_outage_is_one_urgent_case(shop: Shop, clock: Clock) -> None:
    told: list[IncidentInfo] = []
    signals.incident_opened.connect(lambda _app, incident: told.append(incident), weak=False)
    incident = outage(shop, clock)
    (case,) = queued(shop)
    assert (case.category, case.origin, case.priority, case.team) == (
        "payment_error", "sweep", "urgent", "payments",
    )  # fmt: skip
    assert case.subject == "Payments by card through Stripe fail"
    assert incident.case_id == case.id
    assert (incident.members, len(members(shop))) == (40, 40)
    assert [one.case for one in told] == [case.reference]


def test_reports_without_a_method_are_of_the_gateways_only_one(shop: Shop, clock: Clock) -> None:
    pays(shop, refs("ok", 20))
    fails(shop, refs("page", 20), method=None)
    fails(shop, refs("webhook", 20))
    look(shop, clock)
    (incident,) = incidents(shop)
    assert (incident.method, incident.members) == ("card", 40)
    fails(shop, ["late"], method=None)
    assert case_rows(shop)["late"].folded_into == incident.id
    assert [one.id for one in queued(shop)] == [incident.case_id]


def test_ordinary_declines_are_no_outage(shop: Shop, clock: Clock) -> None:
    pays(shop, refs("ok", 60))
    fails(shop, refs("hit", 12))
    fails(shop, refs("poor", 60), failure_code="card_declined", decline_code="insufficient_funds")
    look(shop, clock)
    look(shop, clock, MINUTE)
    assert incidents(shop) == []
    assert len(queued(shop)) == 72


def test_another_method_and_another_cause_are_not_folded(shop: Shop, clock: Clock) -> None:
    fails(shop, ["sofa"], method="sofort")
    fails(shop, ["poor"], failure_code="card_declined", decline_code="insufficient_funds")
    outage(shop, clock)
    fails(shop, ["sofa-2"], method="sofort")
    fails(shop, ["thief"], failure_code="card_declined", decline_code="fraudulent")
    look(shop, clock)
    rows = case_rows(shop)
    assert {ref for ref, row in rows.items() if row.folded_into is None} == {
        "sofa", "poor", "sofa-2", "thief",
    }  # fmt: skip
    assert len(members(shop)) == 40


def test_failures_of_the_quarter_of_an_hour_before_are_its_members(
    shop: Shop, clock: Clock
) -> None:
    fails(shop, ["long-ago"])
    look(shop, clock, 10 * MINUTE)
    fails(shop, ["before"])
    look(shop, clock, 10 * MINUTE)
    outage(shop, clock)
    rows = case_rows(shop)
    assert rows["before"].folded_into is not None
    assert rows["long-ago"].folded_into is None


def test_later_failures_are_opened_folded_and_counted_once(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    fails(shop, ["later", "later", "hit-1"])
    folded = case_rows(shop)["later"]
    assert folded.folded_into == incidents(shop)[0].id
    look(shop, clock)
    look(shop, clock)
    assert (incidents(shop)[0].members, len(members(shop))) == (41, 41)
    assert case_rows(shop)["hit-1"].occurrences == 2
    lines = [one for one in entries(shop, "decision") if one.case_id == folded.id]
    assert [one.data and one.data["action"] for one in lines] == [
        "routed", "folded",
    ]  # fmt: skip
    assert len(queued(shop)) == 1


def test_opening_a_folded_case_takes_four_statements(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    runtime = runtime_of(shop)
    runtime.incidents.refresh(runtime.database)
    from flask_checkout_case.capture import make_event
    from flask_checkout_case.services import ingest

    given = {
        "checkout": checkout("late"),
        "provider": "stripe",
        "method": "card",
        "failure_code": "processing_error",
    }
    runtime.incidents._stale_at = float("inf")
    with Statements(shop) as statements:
        ingest.record(runtime, [make_event("payment_failed", given, clock())])
    ours = [one for one, _ in statements.seen if not one.startswith(("BEGIN", "PRAGMA"))]
    assert len(ours) == 4, ours
    assert case_rows(shop)["late"].folded_into is not None


def test_nothing_is_due_on_a_folded_case_and_nobody_is_written_to(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    remember_agent(runtime_of(shop), LIN)
    outage(shop, clock)
    fails(shop, ["later"])
    for row in case_rows(shop).values():
        dues = (row.first_response_due, row.resolution_due, row.due_at, row.wake_at)
        assert dues == (None, None, None, None)
    for number in range(10):
        fails(shop, refs(f"more-{number}", 5))
        clock.pass_by(10 * MINUTE)
        work(shop)
    assert {mail.to for mail in mails} == {"lin@example.com"}
    warned = [
        one for one in entries(shop, "escalation") if one.case_id != incidents(shop)[0].case_id
    ]
    assert warned == []


def test_what_is_worth_a_lot_stays_individual_and_is_a_member(shop: Shop, clock: Clock) -> None:
    fails(shop, ["rich"], "5000.01")
    fails(shop, ["poorer"], "5000.00")
    outage(shop, clock)
    fails(shop, ["rich-2"], "9000.00")
    look(shop, clock)
    rows = case_rows(shop)
    assert {ref for ref, row in rows.items() if row.folded_into is None} == {"rich", "rich-2"}
    assert len(members(shop)) == 43
    assert {row.team for row in queued(shop)} == {"concierge", "payments"}


def test_who_works_on_a_case_keeps_it(shop: Shop, clock: Clock) -> None:
    fails(shop, ["mine", "asked"])
    with shop.app.app_context():
        remember_agent(runtime_of(shop), LIN)
        reference = case_rows(shop)["mine"].reference
        shop.cases.reply(reference, "We look at it.", agent=LIN)
        shop.cases.customer_message(case_rows(shop)["asked"].reference, "Help?")
    outage(shop, clock)
    rows = case_rows(shop)
    assert {ref for ref, row in rows.items() if row.folded_into is None} == {"mine", "asked"}


def test_who_writes_is_heard_at_once_and_the_clock_has_stood_still(
    shop: Shop, clock: Clock
) -> None:
    fails(shop, ["early"])
    opened = clock()
    outage(shop, clock)
    folded_at = clock()
    clock.pass_by(10 * MINUTE)
    with shop.app.app_context():
        shop.cases.customer_message(case_rows(shop)["early"].reference, "Is my money gone?")
    row = case_rows(shop)["early"]
    assert row.folded_into is None
    stood = clock() - folded_at
    assert row.first_response_due == opened + 15 * MINUTE + stood
    look(shop, clock)
    assert case_rows(shop)["early"].folded_into is None
    assert len(queued(shop)) == 2


def test_an_agent_who_takes_a_folded_case_has_it(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    row = case_rows(shop)["hit-3"]
    with shop.app.app_context():
        remember_agent(runtime_of(shop), LIN)
        shop.cases.reply(row.reference, "Shall we take a transfer?", agent=LIN)
    look(shop, clock)
    now = case_rows(shop)["hit-3"]
    assert (now.folded_into, now.assignee_ref) == (None, "7")
    actions = [
        one.data and one.data["action"]
        for one in entries(shop, "decision")
        if one.case_id == row.id
    ]
    assert actions == ["routed", "folded", "unfolded"]


def test_who_is_suspected_of_fraud_next_leaves_the_incident(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    fails(shop, ["hit-2"], failure_code="card_declined", decline_code="stolen_card")
    row = case_rows(shop)["hit-2"]
    assert (row.folded_into, row.team) == (None, "risk")


def test_staff_hears_of_it_once(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    for agent in (LIN, SAM):
        remember_agent(runtime_of(shop), agent)
    outage(shop, clock)
    fails(shop, refs("more", 40))
    look(shop, clock)
    with shop.app.app_context():
        deliver(runtime_of(shop))
    assert sorted(mail.to for mail in mails) == ["lin@example.com", "sam@example.com"]
    assert "Payments by card through Stripe fail" in mails[0].text


def test_it_ends_by_itself_after_fifteen_normal_minutes(shop: Shop, clock: Clock) -> None:
    told: list[IncidentInfo] = []
    signals.incident_resolved.connect(lambda _app, incident: told.append(incident), weak=False)
    outage(shop, clock)
    pass_minutes(shop, clock, 14)
    assert incidents(shop)[0].resolved_at is None
    with shop.app.app_context():
        assert [(one.gateway, one.method) for one in shop.cases.open_incidents()] == [
            ("stripe", "card")
        ]
    pass_minutes(shop, clock, 3)
    (incident,) = incidents(shop)
    assert incident.resolved_at is not None
    assert incident.quiet_since is not None
    assert incident.resolved_at - incident.quiet_since >= 15 * MINUTE
    with shop.app.app_context():
        assert shop.cases.open_incidents() == []
        (case,) = shop.cases.find(status="solved")
    assert [one.case for one in told] == [case.reference]
    assert queued(shop) == []


def test_it_lasts_while_payments_fail(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    for number in range(25):
        fails(shop, refs(f"minute-{number}", 6))
        pays(shop, refs(f"lucky-{number}", 2))
        look(shop, clock, MINUTE)
    (incident,) = incidents(shop)
    assert incident.resolved_at is None
    assert incident.members == 40 + 25 * 6


def test_an_agent_ends_it_with_its_case(shop: Shop, clock: Clock) -> None:
    incident = outage(shop, clock)
    (case,) = queued(shop)
    with shop.app.app_context():
        shop.cases.solve(case.reference)
    look(shop, clock)
    assert incidents(shop)[0].resolved_at is not None
    assert incident.resolved_at is None


def test_who_has_not_paid_is_invited_once(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    outage(shop, clock)
    pays(shop, ["hit-0"])
    over(shop, clock)
    for _ in range(5):
        clock.pass_by(MINUTE)
        work(shop)
    wanted = {f"hit-{number}@example.com" for number in range(1, 40)}
    assert {mail.to for mail in mails} == wanted
    assert len(mails) == 39
    assert "You can pay" in mails[0].subject
    assert [row.outcome for ref, row in case_rows(shop).items() if ref == "hit-0"] == [
        "self_recovered"
    ]


def test_who_pays_between_the_decision_and_the_letter_gets_none(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    outage(shop, clock, 40)
    over(shop, clock)
    look(shop, clock, MINUTE)
    assert len([one for one in outbox(shop) if one.kind == "payment_again_mail"]) == 40
    pays(shop, ["hit-39"])
    for _ in range(3):
        clock.pass_by(MINUTE)
        work(shop)
    assert len(mails) == 39


def test_invitations_are_throttled(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    outage(shop, clock, 150)
    over(shop, clock)
    pass_minutes(shop, clock, 4)
    due = sorted(one.due_at for one in outbox(shop) if one.kind == "payment_again_mail")
    assert len(due) == 150
    assert all(later - one >= MINUTE for one, later in zip(due, due[60:], strict=False))
    clock.pass_by(MINUTE)
    work(shop)
    assert len(mails) == 150


def test_who_never_paid_is_lost_a_day_later(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    outage(shop, clock)
    over(shop, clock)
    look(shop, clock, 2 * MINUTE)
    with shop.app.app_context():
        shop.cases.customer_message(case_rows(shop)["hit-5"].reference, "It still fails.")
    pays(shop, ["hit-6"])
    look(shop, clock, timedelta(hours=23))
    assert case_rows(shop)["hit-1"].status == "new"
    look(shop, clock, timedelta(hours=1, minutes=1))
    look(shop, clock)
    rows = case_rows(shop)
    assert (rows["hit-1"].status, rows["hit-1"].outcome) == ("closed", "lost")
    assert (rows["hit-5"].status, rows["hit-6"].outcome) == ("new", "self_recovered")
    assert incidents(shop)[0].finished_at is not None


def test_a_second_outage_is_a_second_incident(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    over(shop, clock)
    fails(shop, refs("again", 40))
    look(shop, clock)
    assert [one.resolved_at is None for one in incidents(shop)] == [False, True]
    assert [one.members for one in incidents(shop)] == [40, 40]
    assert len(queued(shop)) == 1


def test_silence_is_a_case_without_members(shop: Shop, clock: Clock) -> None:
    from flask_checkout_case.data.incident_models import StreamRow

    pays(shop, refs("ok", 5))
    look(shop, clock, 2 * MINUTE)
    runtime = runtime_of(shop)
    with runtime.write() as unit:
        row = unit.session.query(StreamRow).one()
        busy: dict[str, Any] = {str(hour): [120, 1200, 100] for hour in range(168)}
        row.state = {**row.state, "hours": busy, "known": [1200 * 168, 100 * 168]}
        unit.session.flush()
    pass_minutes(shop, clock, 11)
    (incident,) = incidents(shop)
    assert (incident.kind, incident.members) == ("silence", 0)
    (case,) = queued(shop)
    assert case.subject == "Nobody pays by card through Stripe any more"
    with shop.app.app_context():
        assert shop.cases.open_incidents() == [], "to hide the method would make it last"
    for number in range(18):
        pays(shop, refs(f"back-{number}", 4))
        look(shop, clock, MINUTE)
    assert incidents(shop)[0].finished_at is not None


def test_two_sweeps_count_once(shop: Shop, clock: Clock) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from flask_checkout_case.services.incidents import sweep_incidents

    pays(shop, refs("ok", 20))
    fails(shop, refs("hit", 200))
    clock.pass_by(5 * storm.SECOND)

    def one_sweep(_number: int) -> None:
        with shop.app.app_context():
            sweep_incidents(runtime_of(shop))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one_sweep, range(8)))
    look(shop, clock)
    (incident,) = incidents(shop)
    assert (incident.members, len(members(shop))) == (200, 200)
    assert len(queued(shop)) == 1


def test_nothing_of_an_outage_is_lost(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    fails(shop, refs("more", 60))
    look(shop, clock)
    assert storm.count(shop, EventRow) == 120
    assert len(case_rows(shop)) == 100
    signalled = [one for one in entries(shop, "signal") if one.data and "failure_class" in one.data]
    assert len(signalled) == 100
    assert storm.count(shop, EntryRow) > 300


def test_what_is_read_of_payments_follows_its_index(shop: Shop, clock: Clock) -> None:
    outage(shop, clock)
    at = clock() - timedelta(days=30)
    told: dict[str, Any] = {"name": "payment_failed", "at": at, "stored_at": at, "data": {}}
    with runtime_of(shop).write() as unit:
        past = [{"id": f"old-{number}", **told} for number in range(5_000)]
        unit.session.execute(insert(EventRow), past)
    with runtime_of(shop).database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    fails(shop, ["one-more"])
    with Statements(shop) as statements:
        look(shop, clock)
    for part in (
        "ORDER BY checkout_case_event.stored_at",
        "INSERT INTO checkout_case_incident_member",
    ):
        (plan, *_) = statements.plans(part)
        assert "ix_checkout_case_event_payments" in plan, plan
