"""What people do to a case, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_checkout_case import Agent, CaseInfo, Money, signals
from flask_checkout_case.data.models import CaseRow, EntryRow
from flask_checkout_case.errors import (
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
    VersionRequiredError,
)
from flask_checkout_case.services import cases, reading
from flask_checkout_case.services.staff import remember_agent
from flask_checkout_case.types import Outcome, Priority, Status
from tests.support.desk import runtime_of
from tests.support.shop import Shop

LIN = Agent(ref="7", name="Lin", teams=["support", "payments"])
SAM = Agent(ref="8", name="Sam", teams=["support"])
EVE = Agent(ref="9", name="Eve", teams=["risk"])
BOSS = Agent(ref="1", name="Noor", role="supervisor")


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    made = make_app()
    for agent in (LIN, SAM, EVE, BOSS):
        remember_agent(runtime_of(made), agent)
    return made


@pytest.fixture
def case(shop: Shop) -> CaseInfo:
    return opened(shop)


def opened(shop: Shop, **changes: Any) -> CaseInfo:
    given = {"subject": "Where is it?", "text": "Where is my bag?", "checkout_ref": "c-1"}
    with shop.app.app_context():
        return shop.cases.open(**{**given, **changes})


def lines(shop: Shop) -> list[EntryRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(EntryRow).order_by(EntryRow.id)))


def test_opening_from_code(shop: Shop, case: CaseInfo) -> None:
    assert case.status is Status.NEW
    assert case.team == "support"
    assert case.subject == "Where is it?"
    assert [line.text for line in lines(shop) if line.kind == "message"] == ["Where is my bag?"]


@pytest.mark.parametrize("bad", [{"category": "nope"}, {"text": " "}, {"subject": ""}])
def test_what_no_case_can_be_opened_with_leaves_none(shop: Shop, bad: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        opened(shop, **bad)
    assert reading.find(runtime_of(shop)) == []


def test_a_failure_again_while_we_wait_for_the_customer_needs_an_agent_again(shop: Shop) -> None:
    with shop.app.app_context():
        signals.payment_failed.send(shop.app, checkout_ref="c-9", decline_code="do_not_honor")
        shop.cases.flush()
        (case,) = shop.cases.find(checkout_ref="c-9")
        shop.cases.reply(case.reference, "Try another card.", agent=BOSS)
        signals.payment_failed.send(shop.app, checkout_ref="c-9", decline_code="do_not_honor")
        shop.cases.flush()
        again = shop.cases.get(case.reference)
    assert (again.status, again.occurrences) == (Status.OPEN, 2)


def test_a_reply_passes_the_turn_and_stops_the_first_clock(shop: Shop, case: CaseInfo) -> None:
    answered = cases.reply(runtime_of(shop), case.reference, "On its way.", agent=LIN)
    assert answered.status is Status.WAITING
    assert answered.assignee == "7"
    assert answered.first_response_due is None or answered.first_response_due > case.opened_at
    again = cases.customer_message(runtime_of(shop), case.reference, "Thank you, when?")
    assert again.status is Status.OPEN


def test_a_reply_posted_twice_is_one_reply(shop: Shop, case: CaseInfo) -> None:
    first = cases.reply(runtime_of(shop), case.reference, "On its way.", agent=LIN, key="k1")
    second = cases.reply(runtime_of(shop), case.reference, "On its way.", agent=LIN, key="k1")
    assert first.version == second.version
    assert sum(line.author == "agent" for line in lines(shop)) == 1


def test_a_reply_that_solves_stops_every_clock(shop: Shop, case: CaseInfo) -> None:
    heard: list[str] = []

    def solved(_sender: Any, case: CaseInfo, **_: Any) -> None:
        heard.append(case.reference)

    with signals.case_solved.connected_to(solved, sender=shop.app):
        done = cases.reply(
            runtime_of(shop), case.reference, "All done.", agent=LIN, status=Status.SOLVED
        )
    assert done.status is Status.SOLVED
    assert heard == [case.reference]
    with runtime_of(shop).read() as session:
        row = session.scalars(select(CaseRow)).one()
    assert (row.due_at, row.wake_at, row.unanswered_since) == (None, None, None)
    assert row.ended_at is not None


@pytest.mark.parametrize("bad", ["", "   ", "\x00\x01", "x" * 10_001])
def test_a_message_that_cannot_be_is_refused(shop: Shop, case: CaseInfo, bad: str) -> None:
    with pytest.raises(InvalidInputError):
        cases.reply(runtime_of(shop), case.reference, bad, agent=LIN)


def test_card_numbers_are_masked_in_every_text(shop: Shop, case: CaseInfo) -> None:
    number = "4111 1111 1111 1111"
    cases.customer_message(runtime_of(shop), case.reference, f"my card is {number}")
    cases.reply(runtime_of(shop), case.reference, f"never send {number}", agent=LIN)
    cases.note(runtime_of(shop), case.reference, f"sent {number}", agent=LIN)
    opened(shop, subject=f"card {number}", checkout_ref="c-2")
    for line in lines(shop):
        assert number not in (line.text or "")
        assert "4111" not in (line.text or "")
    assert all(number not in found.subject for found in reading.find(runtime_of(shop)))


def test_a_write_needs_the_version_it_is_based_on(shop: Shop, case: CaseInfo) -> None:
    with pytest.raises(VersionRequiredError):
        cases.take(runtime_of(shop), case.reference, agent=LIN, version=None)


def test_a_stale_write_changes_nothing_and_says_who_was_first(shop: Shop, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    cases.take(runtime, case.reference, agent=LIN, version=case.version)
    with pytest.raises(StaleVersionError) as caught:
        cases.take(runtime, case.reference, agent=SAM, version=case.version)
    assert [change["name"] for change in caught.value.changes] == ["Lin"]
    assert reading.get(runtime, case.reference).assignee == "7"


def test_taking_opens_a_new_case(shop: Shop, case: CaseInfo) -> None:
    taken = cases.take(runtime_of(shop), case.reference, agent=LIN, version=case.version)
    assert (taken.status, taken.assignee) == (Status.OPEN, "7")


def test_assigning_to_a_stranger_of_the_team_is_refused(shop: Shop, case: CaseInfo) -> None:
    for ref in ("9", "404"):
        with pytest.raises(InvalidInputError):
            cases.assign(
                runtime_of(shop),
                case.reference,
                agent=LIN,
                assignee_ref=ref,
                version=case.version,
            )


def test_transferring_gives_it_to_the_team_and_nobody_in_it(shop: Shop, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    taken = cases.take(runtime, case.reference, agent=LIN, version=case.version)
    moved = cases.transfer(
        runtime, case.reference, agent=LIN, team="payments", version=taken.version
    )
    assert (moved.team, moved.assignee) == ("payments", None)
    with pytest.raises(InvalidInputError):
        cases.transfer(runtime, case.reference, agent=LIN, team="no-such", version=moved.version)


def test_others_do_not_learn_that_a_case_exists(shop: Shop, case: CaseInfo) -> None:
    with pytest.raises(NotFoundError):
        cases.reply(runtime_of(shop), case.reference, "hello", agent=EVE)
    with pytest.raises(NotFoundError):
        cases.take(runtime_of(shop), case.reference, agent=EVE, version=case.version)


def test_supervisors_may(shop: Shop, case: CaseInfo) -> None:
    raised = cases.set_priority(
        runtime_of(shop), case.reference, "urgent", agent=BOSS, version=case.version
    )
    assert raised.priority is Priority.URGENT


def test_the_shops_permission_decides_alone(shop: Shop, case: CaseInfo) -> None:
    @shop.cases.permission
    def permission(agent: Agent, action: str, _case: CaseInfo) -> bool:
        return action in {"view", "note"}

    runtime = runtime_of(shop)
    cases.note(runtime, case.reference, "may", agent=EVE)
    with pytest.raises(PermissionDeniedError):
        cases.reply(runtime, case.reference, "may not", agent=LIN)


def test_a_broken_permission_hook_denies(shop: Shop, case: CaseInfo) -> None:
    @shop.cases.permission
    def permission(agent: Agent, action: str, _case: CaseInfo) -> bool:
        raise RuntimeError("hook")

    with pytest.raises(NotFoundError):
        cases.note(runtime_of(shop), case.reference, "no", agent=BOSS)


def test_solving_and_reopening(shop: Shop, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    solved = cases.set_status(
        runtime, case.reference, "solved", agent=LIN, version=case.version, outcome="assisted"
    )
    assert (solved.status, solved.outcome) == (Status.SOLVED, Outcome.ASSISTED)
    reopened = cases.customer_message(runtime, case.reference, "It broke again.")
    assert (reopened.status, reopened.outcome) == (Status.OPEN, None)
    decisions = [line.data for line in lines(shop) if line.kind == "decision" and line.data]
    assert decisions[-1]["action"] == "reopened"


def test_a_reopening_goes_to_the_customers_case_that_took_its_place(shop: Shop) -> None:
    runtime = runtime_of(shop)
    first = opened(shop, customer_ref="42")
    cases.solve(runtime, first.reference)
    newer = opened(shop, customer_ref="42", text="Another question")
    assert newer.reference != first.reference
    landed = cases.customer_message(runtime, first.reference, "About the first one")
    assert landed.reference == newer.reference
    ended = reading.get(runtime, first.reference)
    with pytest.raises(InvalidTransitionError):
        cases.set_status(runtime, first.reference, "open", agent=LIN, version=ended.version)


@pytest.mark.parametrize("other", ["43", None])
def test_a_reopening_never_goes_to_somebody_elses_case(shop: Shop, other: str | None) -> None:
    runtime = runtime_of(shop)
    first = opened(shop, customer_ref="42")
    cases.solve(runtime, first.reference)
    newer = opened(shop, customer_ref=other, text="Mine alone")
    landed = cases.customer_message(runtime, first.reference, "About the first one", key="again")
    assert landed.reference == first.reference
    assert landed.status is Status.OPEN
    assert reading.get(runtime, newer.reference).version == newer.version
    again = cases.customer_message(runtime, first.reference, "About the first one", key="again")
    assert again.version == landed.version


def test_checkouts_and_orders_may_be_numbered_alike(shop: Shop) -> None:
    by_checkout = opened(shop, checkout_ref=42, customer_ref="A")
    by_order = opened(shop, checkout_ref=None, order_ref=42, customer_ref="B")
    assert by_checkout.reference != by_order.reference


def test_code_never_puts_one_customers_text_into_anothers_case(shop: Shop) -> None:
    of_a = opened(shop, customer_ref="A")
    of_b = opened(shop, customer_ref="B", text="B's words")
    assert of_a.reference != of_b.reference
    assert reading.get(runtime_of(shop), of_a.reference).version == of_a.version


def test_an_outcome_belongs_to_an_ended_case(shop: Shop, case: CaseInfo) -> None:
    with pytest.raises(InvalidInputError):
        cases.set_status(
            runtime_of(shop),
            case.reference,
            "waiting",
            agent=LIN,
            version=case.version,
            outcome="lost",
        )


def test_history_can_be_dated_back(shop: Shop) -> None:
    then = datetime.now(UTC) - timedelta(days=12)
    old = opened(shop, at=then, checkout_ref="c-old")
    assert old.opened_at == then
    cases.reply(runtime_of(shop), old.reference, "Sent.", agent=LIN, at=then + timedelta(minutes=4))
    cases.solve(runtime_of(shop), old.reference, agent=LIN, at=then + timedelta(hours=1))
    assert [line.at - then for line in lines(shop) if line.kind == "message"] == [
        timedelta(0),
        timedelta(minutes=4),
    ]


def test_unknown_cases_and_filters(shop: Shop, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    with pytest.raises(NotFoundError):
        reading.get(runtime, "CC-NONE")
    with pytest.raises(InvalidInputError):
        reading.find(runtime, status="nope")
    with pytest.raises(InvalidInputError):
        reading.find(runtime, limit=0)
    assert reading.find(runtime, checkout_ref="c-1", status=["new", "open"])
    assert reading.find(runtime, team="risk") == []


def test_replies_at_once_are_all_kept(shop: Shop, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    failures: list[BaseException] = []

    def post(number: int) -> None:
        try:
            cases.reply(runtime, case.reference, f"answer {number}", agent=LIN)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(line.author == "agent" for line in lines(shop)) == 8
    assert reading.get(runtime, case.reference).version == case.version + 8


def test_of_two_who_take_at_once_one_wins(shop: Shop, case: CaseInfo) -> None:
    runtime = runtime_of(shop)
    outcomes: list[str] = []

    def grab(agent: Agent) -> None:
        try:
            cases.take(runtime, case.reference, agent=agent, version=case.version)
            outcomes.append("won")
        except StaleVersionError:
            outcomes.append("stale")

    threads = [threading.Thread(target=grab, args=(agent,)) for agent in (LIN, SAM)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stale", "won"]


def test_signals_tell_the_shop(shop: Shop, case: CaseInfo) -> None:
    heard: list[tuple[str, Any]] = []

    def posted(_sender: Any, author: str, **_: Any) -> None:
        heard.append(("posted", author))

    def solved(_sender: Any, outcome: Outcome | None, **_: Any) -> None:
        heard.append(("solved", outcome))

    with (
        signals.message_posted.connected_to(posted, sender=shop.app),
        signals.case_solved.connected_to(solved, sender=shop.app),
    ):
        cases.reply(runtime_of(shop), case.reference, "Done.", agent=LIN)
        cases.solve(runtime_of(shop), case.reference, agent=LIN, outcome="assisted")
    assert heard == [("posted", "agent"), ("solved", Outcome.ASSISTED)]


def test_money_in_other_currencies_is_kept_exactly(shop: Shop) -> None:
    from flask_checkout_case import Checkout

    yen = opened(
        shop,
        checkout_ref=None,
        checkout=Checkout(ref="c-jp", value=Money(150_000, "JPY")),
    )
    assert yen.value == Money(150_000, "JPY")
