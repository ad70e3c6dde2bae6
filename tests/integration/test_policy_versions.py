"""Versions of the policy: stored, activated, rolled back, and routed by."""

from __future__ import annotations

import logging
import multiprocessing
import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flask_checkout_case.data.models import CaseRow, PolicyRow
from flask_checkout_case.errors import (
    NotFoundError,
    PermissionDeniedError,
    PolicyChangedError,
    PolicyError,
)
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.rules.policy import read_policy_text
from flask_checkout_case.rules.policy_diff import Change
from flask_checkout_case.services import policies, policy_source
from flask_checkout_case.services.runtime import Runtime
from tests.support.desk import BOSS, SAM, decline, runtime_of
from tests.support.due import set_clock
from tests.support.shop import Shop, build_shop, dispose

Make = Callable[..., Shop]

FILE, _ = read_policy_text(None)
DRAFT = FILE.replace(
    'name = "Payment declined"\n', 'name = "Declined, to the concierge"\n'
).replace('"authentication"] }\nteam = "payments"', '"authentication"] }\nteam = "concierge"')
OFFICE = """
[teams.support]
[calendars.office]
timezone = "UTC"
mon-fri = ["09:00-17:00"]
holidays = {holidays}
[sla.office]
calendar = "office"
first_response = "90m"
[[routes]]
name = "Everything"
team = "support"
sla = "office"
"""
CHANGES = (
    Change("added", "route", "Declined, to the concierge"),
    Change("removed", "route", "Payment declined"),
)


@pytest.fixture
def shop(make_app: Make) -> Shop:
    made = make_app(CHECKOUT_CASE_POLICY_EDITABLE=True)
    policies.note_file(runtime_of(made))
    return made


@pytest.fixture
def runtime(shop: Shop) -> Runtime:
    return runtime_of(shop)


def rows(shop: Shop) -> list[PolicyRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(PolicyRow).order_by(PolicyRow.id)))


def activate_draft(runtime: Runtime, text: str = DRAFT) -> policies.Version:
    draft = policies.save_draft(runtime, text, agent=BOSS)
    seen, _ = policies.active(runtime)
    return policies.activate(runtime, draft.id, agent=BOSS, based_on=seen.id)


def test_the_first_version_ever_is_the_file_and_in_force(shop: Shop, runtime: Runtime) -> None:
    (row,) = rows(shop)
    assert (row.active, row.text, row.source) == (True, FILE, "default_policy.toml")
    policies.note_file(runtime)
    assert len(rows(shop)) == 1


def test_a_draft_decides_nothing_until_it_is_activated(shop: Shop, runtime: Runtime) -> None:
    draft = policies.save_draft(runtime, DRAFT, agent=BOSS)
    assert (draft.active, draft.made_by, draft.changes) == (False, "Noor Haddad", CHANGES)
    assert decline(shop, "before").team == "payments"

    active, _ = policies.active(runtime)
    done = policies.activate(runtime, draft.id, agent=BOSS, based_on=active.id)
    assert (done.active, done.activated_by) == (True, "Noor Haddad")
    assert decline(shop, "after").team == "concierge"


def test_a_case_keeps_the_version_and_the_reasons_it_was_routed_by(
    shop: Shop, runtime: Runtime
) -> None:
    first, _ = policies.active(runtime)
    before = decline(shop, "before")
    second = activate_draft(runtime)
    after = decline(shop, "after")
    with runtime.read() as session:
        found = {row.reference: row for row in session.scalars(select(CaseRow))}
    assert found[before.reference].policy_version == first.version
    assert found[after.reference].policy_version == second.version
    assert found[before.reference].reasons[-1]["route"] == "Payment declined"
    assert found[after.reference].reasons[-1]["route"] == "Declined, to the concierge"


def test_rolling_back_is_a_new_version_so_that_history_stays(shop: Shop, runtime: Runtime) -> None:
    first, _ = policies.active(runtime)
    second = activate_draft(runtime)
    back = policies.activate(runtime, first.id, agent=BOSS, based_on=second.id)
    assert (back.version, back.active) == (first.version, True)
    assert {change.what for change in back.changes} == {"added", "removed"}
    assert [row.active for row in rows(shop)] == [False, False, True]
    assert [told.id for told in policies.history(runtime)] == [back.id, second.id, first.id]
    assert decline(shop, "again").team == "payments"


def test_of_two_supervisors_the_second_is_told_who_was_first(runtime: Runtime) -> None:
    seen, _ = policies.active(runtime)
    one = policies.save_draft(runtime, DRAFT, agent=BOSS)
    other = policies.save_draft(runtime, f"{FILE}\n# Another remark.\n", agent=BOSS)
    policies.activate(runtime, one.id, agent=BOSS, based_on=seen.id)
    with pytest.raises(PolicyChangedError) as refused:
        policies.activate(runtime, other.id, agent=BOSS, based_on=seen.id)
    assert refused.value.current["name"] == "Noor Haddad"
    assert refused.value.current["changes"] == CHANGES
    assert policies.active(runtime)[0].id == one.id


def test_of_many_at_once_one_wins(shop: Shop, runtime: Runtime) -> None:
    seen, _ = policies.active(runtime)
    texts = [f"{FILE}\n# Version {number}.\n" for number in range(4)]
    drafts = [policies.save_draft(runtime, text, agent=BOSS).id for text in texts]
    told: queue.Queue[str] = queue.Queue()

    def press(draft: int) -> None:
        try:
            policies.activate(runtime, draft, agent=BOSS, based_on=seen.id)
            told.put("activated")
        except PolicyChangedError:
            told.put("refused")

    threads = [threading.Thread(target=press, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told.queue) == ["activated", "refused", "refused", "refused"]
    assert sum(row.active for row in rows(shop)) == 1


def test_mistakes_are_told_by_line(runtime: Runtime) -> None:
    wrong = FILE.replace('team = "risk"', 'team = "rusk"')
    (problem,) = policies.problems_of(runtime, wrong)
    assert problem.line == wrong[: wrong.index('"rusk"')].count("\n") + 1
    assert "risk" in problem.message
    assert policies.problems_of(runtime, FILE) == ()
    assert policies.problems_of(runtime, "teams = [")[0].line == 1


def test_a_draft_with_mistakes_is_kept_and_never_in_force(shop: Shop, runtime: Runtime) -> None:
    wrong = FILE.replace('team = "risk"', 'team = "rusk"').replace('"5000 USD"', '"5000"')
    seen, _ = policies.active(runtime)
    draft = policies.save_draft(runtime, wrong, agent=BOSS)
    assert (draft.active, draft.mistakes, draft.changes) == (False, 5, ())
    assert policies.find(runtime, draft.id) == (draft, wrong)
    assert policies.history(runtime)[0] == draft
    assert policies.save_draft(runtime, wrong, agent=BOSS).id == draft.id
    with pytest.raises(PolicyError):
        policies.activate(runtime, draft.id, agent=BOSS, based_on=seen.id)
    assert [row.active for row in rows(shop)] == [True, False]
    assert decline(shop, "c-1").team == "payments"


def test_a_draft_that_a_later_release_takes_loses_its_mark_with_its_activation(
    shop: Shop, runtime: Runtime
) -> None:
    seen, _ = policies.active(runtime)
    draft = policies.save_draft(runtime, "routes = 1", agent=BOSS)
    with runtime.write() as unit:
        row = unit.session.get(PolicyRow, draft.id)
        assert row is not None
        row.text = DRAFT
    done = policies.activate(runtime, draft.id, agent=BOSS, based_on=seen.id)
    assert (done.active, done.mistakes, done.changes) == (True, 0, CHANGES)


def test_a_changed_list_of_holidays_dates_an_open_case_anew(make_app: Make, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(OFFICE.format(holidays='"DE"'), "utf-8")
    shop = make_app(CHECKOUT_CASE_POLICY=str(path), CHECKOUT_CASE_POLICY_EDITABLE=True)
    runtime = runtime_of(shop)
    policies.note_file(runtime)
    friday = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
    clock = set_clock(shop, friday)
    due = decline(shop, "c-1", at=friday).first_response_due
    assert due == datetime(2026, 3, 9, 9, 30, tzinfo=UTC)

    activate_draft(runtime, OFFICE.format(holidays="['DE', 2026-03-09]"))
    clock.now = due
    with shop.app.app_context():
        sweep(runtime)
        (case,) = shop.cases.find(checkout_ref="c-1")
    assert case.first_response_due == datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    with runtime.read() as session:
        fired = session.scalars(select(CaseRow.fired)).one()
    assert not any(key.startswith("first_response:100") for key in fired)


def test_the_same_text_is_kept_once(shop: Shop, runtime: Runtime) -> None:
    one = policies.save_draft(runtime, DRAFT, agent=BOSS)
    assert policies.save_draft(runtime, DRAFT, agent=BOSS).id == one.id
    assert len(rows(shop)) == 2


def test_only_supervisors(runtime: Runtime) -> None:
    seen, _ = policies.active(runtime)
    draft = policies.save_draft(runtime, DRAFT, agent=BOSS)
    with pytest.raises(PermissionDeniedError):
        policies.save_draft(runtime, DRAFT, agent=SAM)
    with pytest.raises(PermissionDeniedError):
        policies.activate(runtime, draft.id, agent=SAM, based_on=seen.id)
    with pytest.raises(NotFoundError):
        policies.activate(runtime, 999, agent=BOSS, based_on=seen.id)
    assert policies.active(runtime)[0].id == seen.id


def test_a_changed_file_waits_to_be_activated(make_app: Make, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(FILE, "utf-8")
    config = {"CHECKOUT_CASE_POLICY": str(path), "CHECKOUT_CASE_POLICY_EDITABLE": True}
    policies.note_file(runtime_of(make_app(**config)))

    path.write_text(DRAFT, "utf-8")
    shop = make_app(**config)
    policies.note_file(runtime_of(shop))
    first, waiting = rows(shop)
    assert (first.active, waiting.active) == (True, False)
    assert (waiting.text, waiting.made_by_name) == (DRAFT, None)
    assert policies.version_of(waiting).changes == CHANGES
    assert decline(shop, "c-1").team == "payments"


def test_the_worker_notes_the_file_where_nobody_opens_the_page(make_app: Make) -> None:
    shop = make_app(CHECKOUT_CASE_POLICY_EDITABLE=True)
    sweep(runtime_of(shop))
    sweep(runtime_of(shop))
    (row,) = rows(shop)
    assert row.active
    without = make_app()
    sweep(runtime_of(without))
    assert len(rows(without)) == 1


def test_without_editing_the_file_is_the_policy(make_app: Make, tmp_path: Path) -> None:
    edited = make_app(CHECKOUT_CASE_POLICY_EDITABLE=True)
    policies.note_file(runtime_of(edited))
    activate_draft(runtime_of(edited))
    shop = make_app()
    assert decline(shop, "c-1").team == "payments"
    assert policies.history(runtime_of(shop)) == ()
    with pytest.raises(PermissionDeniedError):
        policies.save_draft(runtime_of(shop), DRAFT, agent=BOSS)


def test_without_tables_the_file_is_the_policy_and_nothing_breaks(
    make_app: Make, caplog: pytest.LogCaptureFixture
) -> None:
    shop = make_app(CHECKOUT_CASE_POLICY_EDITABLE=True, create_tables=False)
    with caplog.at_level(logging.WARNING):
        assert runtime_of(shop).policy.source == "default_policy.toml"
        assert runtime_of(shop).policy.source == "default_policy.toml"
    told = [one for one in caplog.messages if "can't be read" in one]
    assert len(told) == 1, "asked again at once"


def test_a_stored_text_that_cannot_be_used_leaves_the_file_in_force(
    shop: Shop, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    with runtime.write() as unit:
        row = unit.session.scalar(select(PolicyRow))
        assert row is not None
        row.text = "this is no policy"
    runtime.policies._mark = None
    runtime.policies.forget()
    with caplog.at_level(logging.WARNING):
        assert decline(shop, "c-1").team == "payments"
    assert any("can't be used" in one for one in caplog.messages)


def test_one_unit_of_work_knows_one_policy(shop: Shop, runtime: Runtime) -> None:
    old = runtime.policy.version
    draft = policies.save_draft(runtime, DRAFT, agent=BOSS)
    seen, _ = policies.active(runtime)
    with runtime.read():
        pressing = threading.Thread(
            target=policies.activate,
            args=(runtime, draft.id),
            kwargs={"agent": BOSS, "based_on": seen.id},
        )
        pressing.start()
        pressing.join()
        assert runtime.policy.version == old
    assert runtime.policy.version == draft.version


def test_reading_costs_one_statement_in_some_seconds(shop: Shop, runtime: Runtime) -> None:
    from tests.support.desk import statements

    now = 1000.0
    runtime.policies._seconds = lambda: now
    runtime.policies.forget()
    assert runtime.policy.version
    runtime.policies.forget()
    with statements(shop) as noted:
        for _ in range(50):
            assert runtime.policy.version
        assert len(noted) == 1
        now += policy_source.FRESH_FOR
        assert runtime.policy.version
    assert len(noted) == 2
    assert not any(".text" in one for one in noted), "the text is read again"


def route_in_another_process(
    url: str, home: Path, orders: Any, answers: Any
) -> None:  # pragma: no cover - in the child
    shop = build_shop(url, home, create_tables=False, CHECKOUT_CASE_POLICY_EDITABLE=True)
    number = 0
    while orders.get() is not None:
        number += 1
        answers.put(decline(shop, f"other-{number}").team)
    dispose(shop)


def test_another_process_routes_by_what_was_activated_here(
    shop: Shop, runtime: Runtime, tmp_path: Path
) -> None:
    spawn = multiprocessing.get_context("spawn")
    orders, answers = spawn.Queue(), spawn.Queue()
    home = tmp_path / "other"
    home.mkdir()
    other = spawn.Process(
        target=route_in_another_process, args=(shop.database_url, home, orders, answers)
    )
    other.start()
    try:
        orders.put("go")
        assert answers.get(timeout=60) == "payments"
        activate_draft(runtime)
        teams = ["payments"]
        # Asked again and again until it has noticed: it may take as long as what it read counts.
        while teams[-1] == "payments" and len(teams) < 2000:
            orders.put("go")
            teams.append(answers.get(timeout=60))
        assert teams[-1] == "concierge"
    finally:
        orders.put(None)
        other.join(timeout=60)
    assert other.exitcode == 0
