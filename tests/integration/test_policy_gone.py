"""A policy without something that is still asked for: the team of live cases, an own condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from flask_checkout_case.jobs.check import OK, WARNING, check
from flask_checkout_case.jobs.runner import Worker
from flask_checkout_case.rules import conditions
from flask_checkout_case.services import policies
from tests.support.desk import BOSS, Desk, decline, now, open_desk, runtime_of
from tests.support.protocols import LARGE, tasks
from tests.support.shop import Shop

EDITABLE = {"CHECKOUT_CASE_POLICY_EDITABLE": True}
OTHER = """
[teams.other]
[[routes]]
name = "All"
team = "other"
"""
LUCKY = OTHER + '[[routes]]\nname = "Rest"\nteam = "other"\n'
LUCKY = LUCKY.replace('"All"\n', '"All"\nwhen = { lucky = true }\n')


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    made = open_desk(make_app, **EDITABLE)
    policies.note_file(runtime_of(made))
    return made


@pytest.fixture
def lucky() -> Iterator[None]:
    conditions.register("lucky", lambda _facts, expected: expected)
    yield
    conditions.CONDITIONS.pop("lucky", None)


def put_into_force(shop: Shop, text: str) -> policies.Version:
    runtime = runtime_of(shop)
    draft = policies.save_draft(runtime, text, agent=BOSS)
    seen, _ = policies.active(runtime)
    return policies.activate(runtime, draft.id, agent=BOSS, based_on=seen.id)


def test_cases_of_a_team_that_is_gone_are_worked_on(shop: Shop) -> None:
    case = decline(shop, "c-1", value=LARGE)
    put_into_force(shop, OTHER)
    assert Worker(shop.app, runtime_of(shop)).run_once()
    lin, boss = Desk(shop, "lin"), Desk(shop, "boss")
    assert case.reference in lin.get().text
    assert case.reference in boss.get("?view=all").text
    assert "Other" in boss.get("teams").text
    Desk(shop, "eve").get(f"cases/{case.reference}", status=404)
    lin.do(case.reference, "take")
    lin.do(case.reference, "tick", task=f"{tasks(shop)[0].id} done")
    lin.do(case.reference, "reply", reply_text="I am here.")
    boss.do(case.reference, "transfer", team="other")
    assert now(shop, case).team == "other"
    assert decline(shop, "c-2").team == "other"


@pytest.mark.usefixtures("lucky")
def test_check_tells_that_another_policy_is_in_force_than_was_activated(
    shop: Shop, make_app: Callable[..., Shop]
) -> None:
    kept = put_into_force(shop, LUCKY)
    assert told_of_the_policy(shop) == {OK: [f"workspace, version {kept.version}"]}
    del conditions.CONDITIONS["lucky"]
    restarted = make_app(**EDITABLE)
    assert decline(restarted, "c-1").team == "payments"
    told = told_of_the_policy(restarted)
    assert told[WARNING] == [f"workspace, version {kept.version}, was activated and can't be used"]
    assert told[OK][0].startswith("default_policy.toml, version ")


def test_check_tells_of_missing_tables_once(make_app: Callable[..., Shop]) -> None:
    shop = make_app(**EDITABLE)
    with shop.app.app_context():
        shop.db.drop_all()
    assert list(told_of_the_policy(shop)) == [OK]


def told_of_the_policy(shop: Shop) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for one in check(shop.app, runtime_of(shop)):
        if one.about == "policy":
            told.setdefault(one.state, []).append(one.message.partition(": ")[0])
    return told
