"""From a shop's signal to a routed case, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from flask_checkout_case import Agent, CaseInfo, Checkout, Customer, Line, Money, signals
from flask_checkout_case.data.models import CaseRow, CheckoutRow, EntryRow, EventRow
from flask_checkout_case.services.clocks import outreach_at
from flask_checkout_case.types import Category, FailureClass, Outcome, Priority, Status
from tests.support.shop import Shop

LIN = Agent(ref="7", name="Lin", teams=["payments", "support", "concierge"])


def checkout(ref: str = "c-81", value: str = "120.00", **changes: Any) -> Checkout:
    given: dict[str, Any] = {
        "ref": ref,
        "value": Money(value, "USD"),
        "step": "payment",
        "customer": Customer(ref="42", name="Ada Lovelace", email="ada@example.com"),
        "lines": [Line(sku="BAG-1", title="Bag", unit_price=Money(value, "USD"))],
        **changes,
    }
    return Checkout(**given)


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


def send(shop: Shop, name: str, **arguments: Any) -> None:
    with shop.app.app_context():
        signals.FROM_SHOP[name].send(shop.app, **arguments)
        shop.cases.flush()


def decline(shop: Shop, **arguments: Any) -> None:
    given = {
        "checkout": checkout(),
        "provider": "stripe",
        "failure_code": "card_declined",
        "decline_code": "insufficient_funds",
        **arguments,
    }
    send(shop, "payment_failed", **given)


def found(shop: Shop, **wanted: Any) -> list[CaseInfo]:
    with shop.app.app_context():
        return shop.cases.find(**wanted)


def rows(shop: Shop, model: Any) -> list[Any]:
    with shop.app.extensions["checkout_case"].read() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def test_a_decline_opens_a_routed_case(shop: Shop) -> None:
    decline(shop, payment_id="pi_1", attempt_id="ch_1")
    (case,) = found(shop)
    assert case.category is Category.PAYMENT_DECLINED
    assert case.failure_class is FailureClass.FUNDS
    assert (case.team, case.priority, case.status) == ("payments", Priority.HIGH, Status.NEW)
    assert case.value == Money("120.00", "USD")
    assert (case.checkout_ref, case.customer_ref, case.occurrences) == ("c-81", "42", 1)
    assert case.first_response_due is not None
    assert case.first_response_due - case.opened_at == timedelta(minutes=15)
    assert "Insufficient funds" in case.subject
    assert "Ada Lovelace" in case.subject
    assert "120.00" in case.subject


def test_the_case_keeps_the_checkout_as_it_was(shop: Shop) -> None:
    decline(shop, payment_id="pi_1", attempt_id="ch_1")
    (row,) = rows(shop, CaseRow)
    kept = row.snapshot["checkout"]
    assert kept["step"] == "payment"
    assert kept["lines"][0]["title"] == "Bag"
    assert kept["lines"][0]["unit_minor"] == 12000
    assert row.attempt["raw_code"] == "insufficient_funds"
    assert row.attempt["attempt_id"] == "ch_1"
    assert row.reasons
    assert row.policy_version


def test_a_second_failure_is_an_occurrence_of_the_same_case(shop: Shop) -> None:
    decline(shop, attempt_id="ch_1")
    decline(shop, attempt_id="ch_2", decline_code="expired_card")
    (case,) = found(shop)
    assert case.occurrences == 2
    assert case.failure_class is FailureClass.EXPIRED
    failures = [row for row in rows(shop, EntryRow) if row.kind == "signal"]
    assert [row.data["attempt_id"] for row in failures] == ["ch_1", "ch_2"]


def test_two_reports_of_one_attempt_are_one(shop: Shop) -> None:
    decline(shop, attempt_id="ch_1")
    decline(shop, attempt_id="ch_1")
    (case,) = found(shop)
    assert case.occurrences == 1
    assert len(rows(shop, EventRow)) == 1


def test_an_unknown_code_is_soft_and_flagged(shop: Shop) -> None:
    decline(shop, decline_code="brand_new_reason")
    (case,) = found(shop)
    assert case.failure_class is FailureClass.SOFT
    (row,) = rows(shop, CaseRow)
    assert row.unmapped


def test_a_cancelled_payment_is_no_case(shop: Shop) -> None:
    decline(shop, failure_code="payment_method_customer_decline", decline_code=None)
    send(shop, "payment_canceled", checkout=checkout())
    assert found(shop) == []
    assert len(rows(shop, EventRow)) == 2


@pytest.mark.parametrize("name", ["payment_succeeded", "order_completed"])
def test_a_purchase_nobody_helped_with_closes_the_case(shop: Shop, name: str) -> None:
    decline(shop)
    send(shop, name, checkout=checkout(), order_ref="o-1")
    (case,) = found(shop)
    assert (case.status, case.outcome) == (Status.CLOSED, Outcome.SELF_RECOVERED)
    assert case.order_ref == "o-1"


def test_an_order_after_the_payment_is_written_on_the_ended_case(shop: Shop) -> None:
    decline(shop)
    send(shop, "payment_succeeded", checkout=checkout())
    assert found(shop)[0].order_ref is None
    send(shop, "order_completed", checkout=checkout(), order_ref="o-1")
    (case,) = found(shop)
    assert (case.status, case.order_ref) == (Status.CLOSED, "o-1")
    told = [row.data for row in rows(shop, EntryRow) if row.kind == "signal"]
    assert told[-1] == {"signal": "order_completed", "order_ref": "o-1"}


def test_a_purchase_after_an_answer_solves_the_case(shop: Shop) -> None:
    decline(shop)
    (case,) = found(shop)
    with shop.app.app_context():
        shop.cases.reply(case.reference, "Please try your other card.", agent=LIN)
    send(shop, "payment_succeeded", checkout=checkout())
    (case,) = found(shop)
    assert (case.status, case.outcome) == (Status.SOLVED, Outcome.ASSISTED)


def test_an_internal_note_is_no_help_to_the_customer(shop: Shop) -> None:
    decline(shop)
    (case,) = found(shop)
    with shop.app.app_context():
        shop.cases.note(case.reference, "Looks like a travel block.", agent=LIN)
    send(shop, "payment_succeeded", checkout=checkout())
    assert found(shop)[0].outcome is Outcome.SELF_RECOVERED


def test_a_late_failure_never_downgrades_a_paid_checkout(shop: Shop) -> None:
    decline(shop, attempt_id="ch_1")
    send(shop, "payment_succeeded", checkout=checkout())
    decline(shop, attempt_id="ch_0")
    (case,) = found(shop)
    assert case.status is Status.CLOSED
    assert case.occurrences == 1


def test_a_failure_that_arrives_after_the_success_opens_nothing(shop: Shop) -> None:
    send(shop, "payment_succeeded", checkout=checkout())
    decline(shop)
    assert found(shop) == []


def test_an_order_reported_by_its_ref_alone_closes_the_case(shop: Shop) -> None:
    decline(shop, checkout=checkout(order_ref="o-9"))
    send(shop, "order_completed", order_ref="o-9")
    assert found(shop)[0].outcome is Outcome.SELF_RECOVERED


@pytest.mark.parametrize(
    ("name", "arguments", "category"),
    [
        ("checkout_error", {"reason": "tax_service"}, Category.PAYMENT_ERROR),
        ("stock_short", {"sku": "BAG-1", "reason": "sold_out"}, Category.STOCK),
    ],
)
def test_other_trouble_opens_a_case_once_a_reason(
    shop: Shop, name: str, arguments: dict[str, str], category: Category
) -> None:
    send(shop, name, checkout=checkout(), **arguments)
    send(shop, name, checkout=checkout(), **arguments)
    send(shop, name, checkout=checkout(), **{**arguments, "reason": "another"})
    cases = found(shop)
    assert sorted(case.occurrences for case in cases) == [1, 2]
    assert {case.category for case in cases} == {category}


def test_what_breaks_after_the_payment_is_the_most_urgent(shop: Shop) -> None:
    send(shop, "payment_succeeded", checkout=checkout())
    send(shop, "checkout_error", checkout=checkout(), reason="order_write_failed")
    (case,) = found(shop)
    assert (case.category, case.priority) == (Category.PAYMENT_CONFLICT, Priority.URGENT)
    send(shop, "order_completed", checkout=checkout(), order_ref="o-1")
    assert found(shop)[0].status is Status.NEW


def test_an_error_told_late_is_over(shop: Shop) -> None:
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    send(shop, "payment_succeeded", checkout=checkout())
    send(shop, "checkout_error", checkout=checkout(), reason="tax_service", at=earlier)
    assert found(shop) == []


def test_what_is_sold_out_after_the_payment_is_a_case(shop: Shop) -> None:
    send(shop, "payment_succeeded", checkout=checkout())
    send(shop, "stock_short", checkout=checkout(), sku="BAG-1")
    assert [case.category for case in found(shop)] == [Category.STOCK]


def bare_webhook(shop: Shop, **arguments: Any) -> None:
    """A report that names the checkout and nothing else of it, as a gateway's does."""
    given = {"provider": "stripe", "decline_code": "do_not_honor", "attempt_id": "ch_1"}
    send(shop, "payment_failed", checkout_ref="c-81", **{**given, **arguments})


def test_the_richer_report_of_one_attempt_completes_the_case(shop: Shop) -> None:
    bare_webhook(shop)
    (case,) = found(shop)
    assert (case.team, case.value, case.customer_ref) == ("payments", None, None)
    decline(
        shop, checkout=checkout(value="9000.00"), decline_code="do_not_honor", attempt_id="ch_1"
    )
    (case,) = found(shop)
    assert case.occurrences == 1
    assert (case.team, case.priority) == ("concierge", Priority.URGENT)
    assert case.value == Money("9000.00", "USD")
    assert case.customer_ref == "42"
    assert "Ada Lovelace" in case.subject
    (row,) = rows(shop, CaseRow)
    assert row.customer_email == "ada@example.com"
    assert row.snapshot["checkout"]["lines"][0]["title"] == "Bag"
    assert row.wake_at is not None


def test_a_later_attempt_completes_the_case_too(shop: Shop) -> None:
    bare_webhook(shop)
    decline(shop, attempt_id="ch_2")
    (case,) = found(shop)
    assert (case.occurrences, case.customer_ref) == (2, "42")
    assert case.value == Money("120.00", "USD")


def test_nothing_of_another_customer_is_written_on_a_case(shop: Shop) -> None:
    decline(shop, checkout=checkout(customer=Customer(ref="7")))
    decline(shop)
    (row,) = rows(shop, CaseRow)
    assert (row.customer_ref, row.customer_email) == ("7", None)


def test_a_decline_that_turns_out_to_be_fraud_goes_to_the_risk_team(shop: Shop) -> None:
    decline(shop)
    (case,) = found(shop)
    with shop.app.app_context():
        shop.cases.reply(case.reference, "Try another card.", agent=LIN)
    decline(shop, decline_code="stolen_card")
    (case,) = found(shop)
    assert (case.team, case.category, case.assignee) == ("risk", Category.FRAUD, None)


def test_a_plain_decline_never_clears_a_suspicion(shop: Shop) -> None:
    decline(shop, decline_code="stolen_card")
    decline(shop)
    (row,) = rows(shop, CaseRow)
    assert (row.failure_class, row.team, row.category) == ("fraud", "risk", "fraud")
    with shop.app.app_context():
        runtime = shop.app.extensions["checkout_case"]
        assert outreach_at(runtime.policy, row) is None


def test_a_later_fault_of_ours_makes_the_case_urgent(shop: Shop) -> None:
    decline(shop)
    assert found(shop)[0].priority is Priority.HIGH
    decline(shop, failure_code="authentication_error", decline_code=None)
    assert found(shop)[0].priority is Priority.URGENT


def test_a_case_that_somebody_works_on_stays_with_them(shop: Shop) -> None:
    bare_webhook(shop)
    (case,) = found(shop)
    with shop.app.app_context():
        shop.cases.reply(case.reference, "I am here.", agent=LIN)
    decline(shop, checkout=checkout(value="9000.00"), attempt_id="ch_2")
    (case,) = found(shop)
    assert (case.team, case.assignee) == ("payments", "7")


def test_what_an_older_event_says_does_not_overwrite_a_newer(shop: Shop) -> None:
    now = datetime.now(UTC)
    send(shop, "checkout_step_viewed", checkout=checkout(step="payment"), at=now)
    earlier = now - timedelta(minutes=5)
    send(shop, "checkout_step_viewed", checkout=checkout(step="contact"), at=earlier)
    (row,) = rows(shop, CheckoutRow)
    assert (row.step, row.seen_at, row.started_at) == ("payment", now, earlier)


def test_a_bare_reference_does_not_erase_what_is_known(shop: Shop) -> None:
    send(shop, "checkout_started", checkout=checkout())
    send(shop, "payment_started", checkout_ref="c-81")
    (row,) = rows(shop, CheckoutRow)
    assert (row.value_minor, row.step, row.customer_ref) == (12000, "payment", "42")


def test_fraud_goes_to_the_risk_team(shop: Shop) -> None:
    decline(shop, decline_code="stolen_card")
    (case,) = found(shop)
    assert (case.category, case.team) == (Category.FRAUD, "risk")


def test_high_value_goes_to_the_concierges(shop: Shop) -> None:
    decline(shop, checkout=checkout(value="5200.00"))
    (case,) = found(shop)
    assert case.team == "concierge"


def test_exactly_the_threshold_is_not_over_it(shop: Shop) -> None:
    decline(shop, checkout=checkout(value="5000.00"))
    assert found(shop)[0].team == "payments"


def test_our_signals_come_after_the_commit(shop: Shop) -> None:
    seen: list[tuple[str, int]] = []

    def opened(sender: Any, case: CaseInfo, **_: Any) -> None:
        with sender.extensions["checkout_case"].read() as session:
            there = session.scalar(select(CaseRow.id).where(CaseRow.reference == case.reference))
        seen.append((case.reference, there or 0))

    with signals.case_opened.connected_to(opened, sender=shop.app):
        decline(shop)
    assert len(seen) == 1
    assert seen[0][1] > 0


def test_a_failing_receiver_hurts_nobody(shop: Shop) -> None:
    heard: list[str] = []

    def broken(sender: Any, **_: Any) -> None:
        raise RuntimeError("receiver")

    def fine(sender: Any, **_: Any) -> None:
        heard.append("fine")

    with (
        signals.case_opened.connected_to(broken, sender=shop.app),
        signals.case_opened.connected_to(fine, sender=shop.app),
    ):
        decline(shop)
    assert heard == ["fine"]
    assert len(found(shop)) == 1


def test_opening_a_case_takes_four_statements_and_one_commit(shop: Shop) -> None:
    decline(shop, checkout=checkout("warm-up"))
    statements: list[str] = []
    commits: list[int] = []
    runtime = shop.app.extensions["checkout_case"]
    from flask_checkout_case.capture import make_event
    from flask_checkout_case.services import ingest

    engine = runtime.database.engine

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", lambda _c: commits.append(1))
    made = make_event(
        "payment_failed",
        {"checkout": checkout(), "decline_code": "do_not_honor"},
        datetime.now(UTC),
    )
    assert ingest.record(runtime, [made]) == 1
    ours = [line for line in statements if not line.startswith(("BEGIN", "PRAGMA"))]
    assert len(ours) == 4, ours
    assert len(commits) == 1


def test_the_live_case_of_a_key_is_unique_in_the_database_itself(shop: Shop) -> None:
    decline(shop)
    (row,) = rows(shop, CaseRow)
    again = {
        attribute.key: getattr(row, attribute.key)
        for attribute in CaseRow.__mapper__.column_attrs
        if attribute.key != "id"
    }
    from sqlalchemy.exc import IntegrityError

    with (
        pytest.raises(IntegrityError),
        shop.app.extensions["checkout_case"].write() as unit,
    ):
        unit.session.add(CaseRow(**{**again, "reference": "CC-OTHER"}))


def test_the_shops_database_sees_our_tables(shop: Shop) -> None:
    decline(shop)
    with shop.app.app_context():
        count = shop.db.session.scalar(text("SELECT count(*) FROM checkout_case_case"))
    assert count == 1
