"""Cases that have been against a draft: what the database holds, read and not touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from flask_checkout_case import signals
from flask_checkout_case.data import queries_replay
from flask_checkout_case.data.base import Base
from flask_checkout_case.data.models import CaseRow, EntryRow
from flask_checkout_case.rules.policy import parse_policy, read_policy_text
from flask_checkout_case.services import cases
from flask_checkout_case.services.opening import facts_of
from flask_checkout_case.services.replay import recorded, replay, told
from flask_checkout_case.types import Priority
from tests.support.desk import SAM, ago, checkout, decline, know_agents, runtime_of
from tests.support.shop import Shop

Make = Callable[..., Shop]

TEXT, _ = read_policy_text(None)
CHEAPER_TEXT = TEXT.replace('total_over = "5000 USD"', 'total_over = "900 USD"')
CHEAPER = parse_policy(CHEAPER_TEXT, "cheaper.toml")


@pytest.fixture
def shop(make_app: Make) -> Shop:
    made = make_app()
    know_agents(made)
    return made


def everything(shop: Shop) -> dict[str, list[Any]]:
    with runtime_of(shop).read() as session:
        return {
            name: [tuple(row) for row in session.execute(select(table))]
            for name, table in sorted(Base.metadata.tables.items())
        }


def test_a_draft_is_measured_and_nothing_is_touched(shop: Shop) -> None:
    small = decline(shop, "c-1", value="120.00")
    large = decline(shop, "c-2", value="1000.00")
    decline(shop, "c-3", code="stolen_card")
    cases.reply(runtime_of(shop), small.reference, "Try again.", agent=SAM)

    before = everything(shop)
    found = replay(runtime_of(shop), CHEAPER, days=1)
    assert everything(shop) == before

    assert (found.cases, found.differing) == (3, 1)
    assert found.after.cases["concierge", Priority.URGENT] == 1
    (one,) = found.differences
    assert one.reference == large.reference
    assert (one.before.team, one.after.team) == ("payments", "concierge")


def test_the_facts_are_those_that_the_case_was_routed_by(shop: Shop) -> None:
    routed = {}
    original = facts_of

    def noting(draft: Any) -> Any:
        facts = original(draft)
        routed[draft.checkout_ref] = facts
        return facts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flask_checkout_case.services.opening.facts_of", noting)
        case = decline(shop, "c-1", value="777.00", country="DE")
    with runtime_of(shop).read() as session:
        (one,) = recorded(session, ago(days=1))
    assert one.reference == case.reference
    assert one.facts == routed["c-1"]


def test_what_went_wrong_later_was_no_fact_at_the_opening(shop: Shop) -> None:
    decline(shop, "c-1")
    case = decline(shop, "c-1", code="stolen_card", at=ago(minutes=-1))
    assert case.category == "fraud"
    with runtime_of(shop).read() as session:
        (one,) = recorded(session, ago(days=1))
    assert one.facts.category == "payment_declined"
    assert (one.facts.failure_class, one.facts.decline_code) == ("funds", "insufficient_funds")
    assert one.facts.attempts == 1
    assert one.is_complete


def test_stock_counts_as_it_was_told(shop: Shop) -> None:
    with shop.app.app_context():
        signals.stock_short.send(shop.app, checkout=checkout("c-1"), sku="BAG-1", available=2)
        shop.cases.flush()
    text = TEXT.replace(
        "[[routes]]",
        '[[routes]]\nname = "Low"\nwhen = { stock_under = 3 }\nteam = "risk"\n[[routes]]',
        1,
    )
    found = replay(runtime_of(shop), parse_policy(text, "low.toml"), days=1)
    (one,) = found.differences
    assert (one.after.route, one.after.team) == ("Low", "risk")
    assert not found.incomplete


def test_a_case_without_its_first_signal_counts_as_it_is_and_is_told_of(shop: Shop) -> None:
    decline(shop, "c-1")
    decline(shop, "c-1", code="stolen_card", at=ago(minutes=-1))
    with runtime_of(shop).write() as unit:
        unit.session.execute(delete(EntryRow).where(EntryRow.kind == "signal"))
    found = replay(runtime_of(shop), CHEAPER, days=1)
    assert (found.cases, found.incomplete) == (1, 1)
    assert found.before.cases["risk", Priority.URGENT] + found.before.cases["risk", Priority.HIGH]


def test_answers_count_as_they_were_given(shop: Shop) -> None:
    case = decline(shop, "c-1", at=ago(hours=1))
    cases.reply(runtime_of(shop), case.reference, "Try again.", agent=SAM)
    found = replay(runtime_of(shop), parse_policy(TEXT, "same.toml"), days=1)
    assert found.before.missed == {("payments", "first_response"): 1}
    patient = TEXT.replace('first_response = "15m"', 'first_response = "2h"')
    found = replay(runtime_of(shop), parse_policy(patient, "patient.toml"), days=1)
    assert not found.after.missed


def test_only_the_last_days_and_at_most_so_many(shop: Shop) -> None:
    decline(shop, "old", at=ago(days=3))
    for number in range(3):
        decline(shop, f"c-{number}")
    assert replay(runtime_of(shop), CHEAPER, days=2).cases == 3
    assert replay(runtime_of(shop), CHEAPER, days=5).cases == 4
    cut = replay(runtime_of(shop), CHEAPER, days=5, most=2)
    assert (cut.cases, cut.is_cut) == (2, True)
    assert "these are the newest; there are more" in list(told(cut, 4))
    assert not replay(runtime_of(shop), CHEAPER, days=5, most=4).is_cut


def test_many_cases_come_in_portions(shop: Shop) -> None:
    decline(shop, "c-0")
    runtime = runtime_of(shop)
    many = 2 * queries_replay.AT_ONCE + 10
    with runtime.write() as unit:
        row = unit.session.scalar(select(CaseRow))
        assert row is not None
        kept = {
            item.key: getattr(row, item.key)
            for item in CaseRow.__mapper__.column_attrs
            if item.key != "id"
        }
        copies = [
            {**kept, "reference": f"CC-{number}", "dedupe_key": f"copy {number}"}
            for number in range(many)
        ]
        unit.session.execute(insert(CaseRow), copies)
    with runtime.read() as session:
        portions = [len(rows) for rows in queries_replay.opened_since(session, ago(days=1))]
        assert max(portions) == queries_replay.AT_ONCE
        references = {case.reference for case in recorded(session, ago(days=1))}
    assert len(references) == sum(portions) == many + 1


def test_the_command_prints_tables(shop: Shop, tmp_path: Path) -> None:
    decline(shop, "c-1", value="120.00")
    large = decline(shop, "c-2", value="1000.00")
    path = tmp_path / "cheaper.toml"
    path.write_text(CHEAPER_TEXT, "utf-8")
    run = shop.app.test_cli_runner().invoke
    result = run(args=["checkout-case", "policy", "replay", "--days", "30", str(path)])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert "2 case(s), 1 of them differ" in lines
    cells = [line.split() for line in lines]
    assert ["concierge", "urgent", "0", "1", "+1"] in cells
    assert ["payments", "high", "2", "1", "-1"] in cells
    assert any(line.startswith(large.reference) for line in lines)

    path.write_text("teams = 1", "utf-8")
    wrong = run(args=["checkout-case", "policy", "replay", str(path)])
    assert wrong.exit_code == 1
    assert "cheaper.toml:1" in wrong.output
    path.write_text(CHEAPER_TEXT, "utf-8")
    nowhere = run(
        args=["checkout-case", "policy", "replay", "--timezone", "Mars/Olympus", str(path)]
    )
    assert nowhere.exit_code == 2


def test_ago_is_within_the_window(shop: Shop) -> None:
    decline(shop, "edge", at=runtime_of(shop).clock() - timedelta(days=1, minutes=1))
    assert replay(runtime_of(shop), CHEAPER, days=1).cases == 0
