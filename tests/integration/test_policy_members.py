"""Agents whom the policy lists in a team, though the shop's loader doesn't say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import request
from webtest import TestResponse

from tests.support.desk import AGENTS, COOKIE, Desk, decline, know_agents
from tests.support.giving import giving_shop
from tests.support.shop import Shop

Make = Callable[..., Shop]


@pytest.fixture
def listing(make_sqlite_app: Make, tmp_path: Path) -> Callable[[str], Shop]:
    """Make a shop whose policy lists one agent in the team that gets every case."""

    def make(ref: str) -> Shop:
        made = giving_shop(make_sqlite_app, tmp_path, f'members = ["{ref}"]')
        made.cases.agent_loader(lambda: AGENTS.get(request.cookies.get(COOKIE, "")))
        know_agents(made)
        return made

    return make


def offered(page: TestResponse) -> set[str]:
    return {one["value"] for one in page.html.select('[name="assignee"]') if one.get("value")} | {
        one["value"] for one in page.html.select('select[name="assignee"] option') if one["value"]
    }


def test_they_see_and_take_the_teams_cases(listing: Callable[[str], Shop]) -> None:
    shop = listing("9")
    case = decline(shop, "c-1")
    eve = Desk(shop, "eve")
    assert case.reference in eve.get("").text
    assert "Ada Lovelace" in eve.get(f"cases/{case.reference}").text
    eve.do(case.reference, "take")
    with shop.app.app_context():
        assert shop.cases.get(case.reference).assignee == "9"


def test_they_can_be_given_a_case_and_nobody_else_can(listing: Callable[[str], Shop]) -> None:
    shop = listing("9")
    case = decline(shop, "c-1")
    page = Desk(shop, "sam").get(f"cases/{case.reference}")
    assert "9" in offered(page)
    shop = listing("77")
    case = decline(shop, "c-2")
    page = Desk(shop, "sam").get(f"cases/{case.reference}")
    assert "7" in offered(page)
    assert "9" not in offered(page)


def test_who_is_listed_no_more_sees_nothing_more(listing: Callable[[str], Shop]) -> None:
    shop = listing("77")
    case = decline(shop, "c-1")
    Desk(shop, "eve").get(f"cases/{case.reference}", status=404)
