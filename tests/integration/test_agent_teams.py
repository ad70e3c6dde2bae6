"""The page of teams, the presence in the header, and the button that hands a case back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from webtest import TestResponse

from flask_checkout_case.data.models import AgentRow
from flask_checkout_case.services.assignment import place_waiting
from tests.support.desk import (
    AGENT_PAGES,
    AGENTS,
    COOKIE,
    ORIGIN,
    Desk,
    ago,
    decline,
    know_agents,
    runtime_of,
)
from tests.support.giving import giving_shop, holders, open_cases
from tests.support.shop import Shop

Make = Callable[..., Shop]
BALANCED = 'assignment = "balanced"\nmember_limit = 3'


@pytest.fixture
def shop(make_sqlite_app: Make, tmp_path: Path) -> Shop:
    from flask import request

    made = giving_shop(make_sqlite_app, tmp_path, BALANCED)
    made.cases.agent_loader(lambda: AGENTS.get(request.cookies.get(COOKIE, "")))
    know_agents(made)
    return made


def present(desk: Desk, presence: str, *, answers: int = 303, **more: str) -> str:
    """Choose in the menu of the header; where that leads."""
    page = desk.get("teams").forms
    fields = page[0].submit_fields()
    kept = {name: value for name, value in fields if name not in ("presence", "of")}
    given = {**kept, "presence": presence, **more}
    answer = desk.http.post(f"{AGENT_PAGES}/presence", given, headers=ORIGIN, status=answers)
    return str(answer.headers.get("Location", ""))


def test_the_page_tells_who_is_there_and_what_waits(shop: Shop) -> None:
    present(Desk(shop, "lin"), "busy")
    open_cases(shop, 5)
    place_waiting(runtime_of(shop))
    page = Desk(shop, "sam").get("teams")
    lines = " ".join(page.html.get_text(" ").split())
    assert "Payments To whoever has the fewest There 1 / 2 In hands 3 Waiting 2" in lines
    assert "Sam Duarte you 3 of 3 Available" in lines
    assert "Lin Okafor 0 of 3 Busy" in lines
    assert "Nobody is available who has room" in lines


def test_agents_see_their_own_teams_and_supervisors_all(shop: Shop) -> None:
    assert "Fulfilment" not in Desk(shop, "sam").get("teams").html.main.text
    assert "Payments" not in Desk(shop, "eve").get("teams").html.main.text
    seen = Desk(shop, "boss").get("teams").html.main.text
    assert "Payments" in seen
    assert "Fulfilment" in seen


def test_choosing_ones_presence_leads_back_to_the_page(shop: Shop) -> None:
    sam = Desk(shop, "sam")
    assert present(sam, "away").endswith("/checkout-case/agent/teams")
    chosen = sam.get("teams").html.select_one('.desk [aria-current="true"]')
    assert chosen.text.strip() == "Away"


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "/shop", ""]
)
def test_no_form_leads_out_of_the_workspace(shop: Shop, back: str) -> None:
    assert present(Desk(shop, "sam"), "away", back=back).endswith("/checkout-case/agent/")


def test_a_presence_that_is_none_is_refused(shop: Shop) -> None:
    present(Desk(shop, "sam"), "asleep", answers=400)


def test_supervisors_send_others_home(shop: Shop) -> None:
    assert present(Desk(shop, "boss"), "gone", of="8")
    seen = " ".join(Desk(shop, "lin").get("teams").html.main.get_text(" ").split())
    assert "Sam Duarte 0 of 3 Gone" in seen
    present(Desk(shop, "lin"), "gone", of="8", answers=403)


def test_what_was_given_can_be_declined_on_its_page(shop: Shop) -> None:
    present(Desk(shop, "lin"), "away")
    (case,) = open_cases(shop, 1)
    assert "Decline" not in Desk(shop, "sam").get(f"cases/{case.reference}").text
    place_waiting(runtime_of(shop))
    sam = Desk(shop, "sam")
    page = sam.get(f"cases/{case.reference}")
    assert "Given to Sam Duarte automatically" in page.text
    assert page.html.select_one('[formaction$="/decline"]') is not None
    after = sam.do(case.reference, "decline").follow()
    assert "Sam Duarte declined the case" in after.text
    assert holders(shop)[case.reference] is None
    present(Desk(shop, "lin"), "available")
    assert holders(shop)[case.reference] == "7"


def test_what_a_solved_case_frees_is_given_out_at_once(shop: Shop) -> None:
    present(Desk(shop, "lin"), "away")
    first, *_, last = open_cases(shop, 4)
    place_waiting(runtime_of(shop))
    assert holders(shop)[last.reference] is None
    Desk(shop, "sam").do(first.reference, "status", status="solved assisted")
    assert holders(shop)[last.reference] == "8"


def test_the_part_answers_only_what_has_changed(shop: Shop) -> None:
    boss, sam = Desk(shop, "boss"), Desk(shop, "sam")
    part = boss.get("teams/live")
    assert part.html.select_one('#views [aria-current="page"]').text.strip() == "Teams"
    assert part.html.select_one("#teams")["data-etag"] == part.headers["ETag"].strip('"')

    def ask(**more: str) -> TestResponse:
        asked = {"If-None-Match": part.headers["ETag"], **more}
        return boss.get("teams/live", headers=asked, expect_errors=True)

    assert ask().status_int == 304
    assert ask(**{"Accept-Language": "de"}).status_int == 200
    present(sam, "busy")
    part = ask()
    assert "Busy" in part.html.select_one("#teams").text
    assert ask().status_int == 304
    open_cases(shop, 1)
    part = ask()
    assert part.status_int == 200
    assert ask().status_int == 304
    Desk(shop, "eve").get("teams")
    assert ask().status_int == 304


def test_who_is_gone_was_seen_some_time_ago(shop: Shop) -> None:
    present(Desk(shop, "boss"), "gone", of="8")
    with runtime_of(shop).write() as unit:
        seen = ago(hours=3, minutes=20)
        unit.session.execute(update(AgentRow).where(AgentRow.ref == "8").values(seen_at=seen))
    page = Desk(shop, "lin").get("teams").html
    assert "seen 3h ago" in " ".join(page.select_one('[data-key="8"]').get_text("").split())


def test_more_than_ones_limit_is_marked(shop: Shop) -> None:
    boss = Desk(shop, "boss")
    for number in range(4):
        boss.do(decline(shop, f"c-{number}").reference, "assign", assignee="8")
        line = boss.get("teams").html.select_one('[data-key="8"] .crew-load')
        assert line["class"][1:] == [[], [], ["is-full"], ["is-over"]][number]
        assert (line.select_one(".i-alert") is not None) == (number == 3)


def test_the_header_tells_how_full_ones_hands_are(shop: Shop) -> None:
    open_cases(shop, 2)
    place_waiting(runtime_of(shop))
    assert "1 of 3" in Desk(shop, "sam").get().html.select_one(".desk").text
