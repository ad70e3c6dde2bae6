"""The outbox: written with the decision, leased, sent once, tried again, given up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert

from flask_checkout_case.data import claims
from flask_checkout_case.data import outbox as data
from flask_checkout_case.data.models import OutboxRow
from flask_checkout_case.jobs.deliver import LEASE, TRIES, deliver, pause_after
from flask_checkout_case.jobs.mail import Mail, PermanentError
from flask_checkout_case.services.outreach import KIND
from tests.support.due import (
    MINUTE,
    Clock,
    Statements,
    cases,
    checkout,
    decline,
    entries,
    outbox,
    runtime_of,
)
from tests.support.shop import Shop

SECOND = timedelta(seconds=1)


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


def put(shop: Shop, key: str = "k", *, due_at: timedelta = timedelta(0)) -> bool:
    with runtime_of(shop).write() as unit:
        return data.put(unit.session, "kind", key, {"a": 1}, now=unit.now, due_at=unit.now + due_at)


def claim(shop: Shop, owner: str, limit: int = 10) -> list[int]:
    with runtime_of(shop).write() as unit:
        rows = claims.claim(
            unit.session, unit.now, owner=owner, lease=timedelta(minutes=1), limit=limit
        )
        return [row.id for row in rows]


# --- rows ----------------------------------------------------------------------------------------


def test_a_key_is_written_once(shop: Shop, clock: Clock) -> None:
    assert put(shop)
    assert not put(shop)
    (row,) = outbox(shop)
    assert (row.kind, row.payload, row.state, row.due_at) == ("kind", {"a": 1}, "due", clock.now)


def test_what_is_rolled_back_is_never_sent(shop: Shop, clock: Clock) -> None:
    def decide_and_fail() -> None:
        with runtime_of(shop).write() as unit:
            data.put(unit.session, "kind", "k", {}, now=unit.now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        decide_and_fail()
    assert outbox(shop) == []


def test_only_what_is_due_is_claimed(shop: Shop, clock: Clock) -> None:
    put(shop, "now")
    put(shop, "later", due_at=MINUTE)
    assert len(claim(shop, "one")) == 1
    clock.pass_by(MINUTE - SECOND)
    assert claim(shop, "one") == []


def test_a_claimed_row_is_nobody_elses_until_the_lease_ends(shop: Shop, clock: Clock) -> None:
    put(shop)
    (row_id,) = claim(shop, "one")
    assert claim(shop, "two") == []
    clock.pass_by(MINUTE)
    assert claim(shop, "two") == [row_id]
    (row,) = outbox(shop)
    assert (row.leased_by, row.attempts) == ("two", 2)


def test_who_lost_the_lease_can_do_nothing_more(shop: Shop, clock: Clock) -> None:
    put(shop)
    (row_id,) = claim(shop, "one")
    clock.pass_by(MINUTE)
    claim(shop, "two")
    with runtime_of(shop).write() as unit:
        session, now = unit.session, unit.now
        assert not claims.renew(session, row_id, now, owner="one", lease=MINUTE)
        assert not claims.put_back(session, row_id, now, owner="one", error="x")
        assert not claims.settle(session, row_id, now, owner="one", state="done", error=None)
        assert claims.settle(session, row_id, now, owner="two", state="done", error=None)
        assert not claims.renew(session, row_id, now, owner="two", lease=MINUTE)
    (row,) = outbox(shop)
    assert (row.state, row.done_at) == ("done", clock.now)


def test_a_renewed_lease_lasts(shop: Shop, clock: Clock) -> None:
    put(shop)
    (row_id,) = claim(shop, "one")
    clock.pass_by(50 * SECOND)
    with runtime_of(shop).write() as unit:
        assert claims.renew(unit.session, row_id, unit.now, owner="one", lease=MINUTE)
    clock.pass_by(50 * SECOND)
    assert claim(shop, "two") == []


def test_workers_share_the_rows_without_overlap(shop: Shop, clock: Clock) -> None:
    for number in range(40):
        put(shop, f"k-{number}")
    taken: dict[str, list[int]] = {"one": [], "two": [], "three": []}
    together = threading.Barrier(len(taken))

    def work(owner: str) -> None:
        together.wait()
        while rows := claim(shop, owner, limit=3):
            taken[owner] += rows

    workers = [threading.Thread(target=work, args=[owner]) for owner in taken]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    everything = [row_id for rows in taken.values() for row_id in rows]
    assert len(everything) == len(set(everything)) == 40


def test_claiming_uses_the_index_of_what_is_due(shop: Shop, clock: Clock) -> None:
    usual = {"kind": "kind", "payload": {}, "attempts": 1, "created_at": clock.now}
    rows = [
        {
            **usual,
            "key": f"k-{number}",
            "due_at": clock.now,
            "state": "due" if number < 10 else "done",
        }
        for number in range(3000)
    ]
    with runtime_of(shop).write() as unit:
        unit.session.execute(insert(OutboxRow), rows)
    with runtime_of(shop).database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    with Statements(shop) as statements:
        assert len(claim(shop, "one", limit=4)) == 4
    (plan,) = statements.plans("UPDATE checkout_case_outbox")
    assert "ix_checkout_case_outbox_due" in plan


# --- sending -------------------------------------------------------------------------------------


class Postbox:
    """The shop's mailer: keeps what it gets, or raises what it is told to."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.error: Exception | None = None

    def __call__(self, mail: Mail) -> None:
        if self.error is not None:
            raise self.error
        self.mails.append(mail)


@pytest.fixture
def postbox(shop: Shop) -> Postbox:
    made = Postbox()
    shop.cases.mailer(made)
    return made


def queue(shop: Shop, clock: Clock, number: int = 1) -> None:
    """Put messages about so many declined payments into the outbox."""
    for index in range(number):
        decline(shop, clock.now, checkout=checkout(f"c-{index}"))
    clock.pass_by(MINUTE)
    with runtime_of(shop).write() as unit:
        for index in range(number):
            data.put(unit.session, KIND, f"mail-{index}", {}, now=unit.now, case_id=index + 1)


def run(shop: Shop) -> int:
    with shop.app.app_context():
        return deliver(runtime_of(shop))


def test_a_message_is_sent_once_and_written_down(
    shop: Shop, clock: Clock, postbox: Postbox
) -> None:
    queue(shop, clock)
    assert run(shop) == 1
    assert run(shop) == 0
    (mail,) = postbox.mails
    (row,) = outbox(shop)
    assert (row.state, row.done_at, row.last_error) == ("done", clock.now, None)
    (line,) = entries(shop, "mail")
    assert line.text is None
    assert not line.public
    assert line.data == {
        "mail": "payment_failed",
        "state": "sent",
        "error": None,
        "message_id": mail.message_id,
        "subject": mail.subject,
        "text": mail.text,
    }


def test_a_failure_is_tried_again_after_a_growing_pause(
    shop: Shop, clock: Clock, postbox: Postbox
) -> None:
    queue(shop, clock)
    postbox.error = OSError("away")
    for attempt, seconds in enumerate([30, 60, 120, 240], start=1):
        assert run(shop) == 0
        (row,) = outbox(shop)
        assert (row.attempts, row.last_error) == (attempt, "OSError: away")
        assert row.due_at == clock.now + timedelta(seconds=seconds)
        clock.pass_by(timedelta(seconds=seconds - 1))
        run(shop)
        assert outbox(shop)[0].attempts == attempt
        clock.pass_by(SECOND)
    postbox.error = None
    assert run(shop) == 1
    assert outbox(shop)[0].state == "done"


def test_pauses_are_at_most_an_hour() -> None:
    assert [pause_after(n).total_seconds() for n in (1, 2, 7, 8, 99)] == [30, 60, 1920, 3600, 3600]


def test_after_so_many_tries_it_is_given_up(shop: Shop, clock: Clock, postbox: Postbox) -> None:
    queue(shop, clock)
    postbox.error = OSError("away")
    for _ in range(TRIES):
        run(shop)
        clock.pass_by(timedelta(hours=1))
    # The last tries come after a day, when the mail is of no use any more.
    (row,) = outbox(shop)
    assert row.state == "gave_up"
    assert row.attempts == TRIES
    (line,) = entries(shop, "mail")
    assert line.data is not None
    assert line.data["state"] == "failed"


def test_what_can_never_be_sent_is_given_up_at_once(
    shop: Shop, clock: Clock, postbox: Postbox
) -> None:
    queue(shop, clock)
    postbox.error = PermanentError("that is no e-mail address")
    assert run(shop) == 0
    (row,) = outbox(shop)
    assert (row.state, row.attempts) == ("gave_up", 1)
    assert row.last_error == "that is no e-mail address"


def test_one_that_fails_keeps_no_other_back(shop: Shop, clock: Clock, postbox: Postbox) -> None:
    queue(shop, clock, 3)
    sent: list[Mail] = []

    @shop.cases.mailer
    def fails_once(mail: Mail) -> None:
        sent.append(mail)
        if len(sent) == 1:
            raise OSError("away")

    assert run(shop) == 2
    assert sorted(row.state for row in outbox(shop)) == ["done", "done", "due"]


def test_a_kind_that_nobody_knows_is_given_up(shop: Shop, clock: Clock, postbox: Postbox) -> None:
    put(shop)
    run(shop)
    assert outbox(shop)[0].last_error == "nobody delivers a 'kind'"


def test_without_a_mailer_messages_wait(shop: Shop, clock: Clock) -> None:
    queue(shop, clock)
    assert run(shop) == 0
    (row,) = outbox(shop)
    assert row.state == "due"
    assert "CHECKOUT_CASE_MAIL_URL" in (row.last_error or "")


def test_a_worker_that_stops_takes_nothing_more(shop: Shop, clock: Clock, postbox: Postbox) -> None:
    queue(shop, clock, 3)
    with shop.app.app_context():
        sent = deliver(runtime_of(shop), stopping=lambda: len(postbox.mails) == 1)
    assert sent == 1
    assert [row.state for row in outbox(shop)].count("due") == 2
    assert all(row.leased_by is None for row in outbox(shop))


def test_two_workers_send_nothing_twice(shop: Shop, clock: Clock, postbox: Postbox) -> None:
    queue(shop, clock, 20)
    together = threading.Barrier(2)
    sent: list[int] = []

    def work() -> None:
        together.wait()
        sent.append(run(shop))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(sent) == 20
    ids = [mail.message_id for mail in postbox.mails]
    assert len(ids) == len(set(ids)) == 20


def test_who_lost_the_lease_while_preparing_does_not_send(
    shop: Shop, clock: Clock, postbox: Postbox
) -> None:
    queue(shop, clock)
    asked: list[str] = []
    taken_over: list[int] = []

    @shop.cases.order_for_checkout
    def slow(ref: str) -> None:
        asked.append(ref)
        if len(asked) == 1:
            clock.pass_by(LEASE)
            taken_over.append(run(shop))

    assert run(shop) == 0
    assert taken_over == [1]
    assert len(postbox.mails) == 1
    assert len(cases(shop)) == 1
