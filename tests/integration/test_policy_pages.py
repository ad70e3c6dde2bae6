"""The policy in the workspace, as a browser without scripts sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete
from webtest import Form, TestResponse

from flask_checkout_case.data.models import EntryRow
from flask_checkout_case.rules.policy import read_policy_text
from flask_checkout_case.services import policies
from flask_checkout_case.web.agent import replay_views
from tests.support.desk import (
    AGENT_PAGES,
    BOSS,
    ORIGIN,
    Desk,
    body,
    decline,
    open_desk,
    runtime_of,
)
from tests.support.shop import Shop

Make = Callable[..., Shop]

TEXT, _ = read_policy_text(None)
DRAFT = TEXT.replace('total_over = "5000 USD"', 'total_over = "100 USD"')
ONE_TEAM = '[teams.other]\n\n[[routes]]\nname = "All"\nteam = "other"\n'
OFFICE = '\n[calendars.office]\ntimezone = "Asia/Tokyo"\nmon-fri = ["09:00-17:00"]\n'


@pytest.fixture
def shop(make_app: Make) -> Shop:
    return open_desk(make_app, CHECKOUT_CASE_POLICY_EDITABLE=True)


@pytest.fixture
def boss(shop: Shop) -> Desk:
    return Desk(shop, "boss")


def policy_form(page: TestResponse) -> Form:
    """The one form that changes the policy, among those that every page has."""
    (form,) = {id(one): one for one in page.forms.values() if "/policy" in one.action}.values()
    return form


def send(
    page: TestResponse, text: str, do: str = "save", status: int | None = None
) -> TestResponse:
    form = policy_form(page)
    form["text"] = text.replace("\n", "\r\n")
    return form.submit("do", value=do, headers=ORIGIN, status=status)


def test_a_draft_is_looked_at_activated_and_rolled_back(shop: Shop, boss: Desk) -> None:
    assert decline(shop, "before", value="120.00").team == "payments"
    saved = send(boss.get("policy"), DRAFT).follow()
    assert "High-value checkout" in saved.text
    assert "total_over = &#34;100 USD&#34;" in saved.text
    assert decline(shop, "draft", value="120.00").team == "payments"

    page = policy_form(saved).submit(headers=ORIGIN, status=303).follow()
    assert "Noor Haddad" in page.text
    assert decline(shop, "after", value="120.00").team == "concierge"

    first = boss.get("policy/versions/1")
    assert "Roll back to this version" in first.text
    policy_form(first).submit(headers=ORIGIN, status=303)
    assert decline(shop, "back", value="120.00").team == "payments"
    assert len(policies.history(runtime_of(shop))) == 3


def test_the_text_is_kept_as_it_was_typed(shop: Shop, boss: Desk) -> None:
    send(boss.get("policy"), DRAFT, status=303)
    (draft, _first) = policies.history(runtime_of(shop))
    assert policies.find(runtime_of(shop), draft.id)[1] == DRAFT


def test_mistakes_are_listed_by_line_without_being_kept(shop: Shop, boss: Desk) -> None:
    wrong = DRAFT.replace('team = "risk"', 'team = "rusk"')
    answer = send(boss.get("policy"), wrong, "check", status=422)
    line = wrong[: wrong.index('"rusk"')].count("\n") + 1
    assert f'data-line="{line}"' in answer.text
    assert "1 mistake" in answer.text
    assert policy_form(answer)["text"].value.replace("\r\n", "\n") == wrong
    assert len(policies.history(runtime_of(shop))) == 1


def test_a_draft_with_mistakes_is_kept_marked_and_mended(shop: Shop, boss: Desk) -> None:
    wrong = DRAFT.replace('team = "risk"', 'team = "rusk"')
    line = wrong[: wrong.index('"rusk"')].count("\n") + 1
    kept = send(boss.get("policy"), wrong).follow()
    assert "Kept with 1 mistake" in kept.text
    assert f"Line {line}" in body(kept.text)
    assert "Activate this version" not in kept.text
    assert "policy/replay?" not in kept.text
    assert "Draft · 1 mistake" in body(boss.get("policy").text)
    assert not boss.get("policy/replay").forms["replay"]["version"].options[1:]
    assert "can’t be replayed" in boss.get("policy/replay?version=2").text

    fields = {**dict(policy_form(boss.get("policy")).submit_fields()), "based_on": "1"}
    address = f"{AGENT_PAGES}/policy/versions/2/activate"
    refused = boss.http.post(address, fields, headers=ORIGIN, status=422)
    assert "Not activated: this version has mistakes." in refused.text

    editor = kept.click("Go on editing")
    assert policy_form(editor)["text"].value.replace("\r\n", "\n") == wrong
    assert f'data-line="{line}"' in editor.text
    mended = send(editor, DRAFT).follow()
    assert "Activate this version" in mended.text
    assert len(policies.history(runtime_of(shop))) == 3


def test_characters_that_no_database_keeps_are_no_reason_to_lose_the_rest(
    shop: Shop, boss: Desk
) -> None:
    kept = send(boss.get("policy"), "# A\0B\n").follow()
    assert "# A\N{REPLACEMENT CHARACTER}B" in kept.text


def test_what_is_typed_is_compared_without_being_kept(shop: Shop, boss: Desk) -> None:
    answer = send(boss.get("policy"), DRAFT, "check", status=200)
    assert "No mistakes" in answer.text
    assert '<tr class="plus">' in answer.text
    assert '<tr class="minus">' in answer.text
    assert len(policies.history(runtime_of(shop))) == 1


def test_while_typing_the_editor_is_answered_as_json(shop: Shop, boss: Desk) -> None:
    form = policy_form(boss.get("policy"))
    fields = {**dict(form.submit_fields()), "text": "currency = 1\r\nteams = ["}
    answer = boss.http.post(f"{AGENT_PAGES}/policy/check", fields, headers=ORIGIN)
    assert answer.json["verdict"] == "1 mistake"
    (problem,) = answer.json["problems"]
    assert problem["line"] == 2
    assert "TOML" in problem["message"]


def test_the_second_of_two_supervisors_sees_who_was_first(shop: Shop, boss: Desk) -> None:
    draft = send(boss.get("policy"), DRAFT).follow()
    other = policies.save_draft(runtime_of(shop), TEXT + "\n# Another.\n", agent=BOSS)
    policies.activate(runtime_of(shop), other.id, agent=BOSS, based_on=1)
    answer = policy_form(draft).submit(headers=ORIGIN, status=409)
    assert "another version came into force" in answer.text
    assert "Noor Haddad" in answer.text
    assert policy_form(answer)["based_on"].value == str(other.id)
    policy_form(answer).submit(headers=ORIGIN, status=303)
    assert policies.active(runtime_of(shop))[1] == DRAFT


def test_only_supervisors_find_it_in_the_menu(shop: Shop, boss: Desk) -> None:
    assert f'href="{AGENT_PAGES}/policy"' in boss.get().text
    assert f'href="{AGENT_PAGES}/policy"' not in Desk(shop, "sam").get().text


def test_without_editing_the_page_shows_the_file(make_app: Make) -> None:
    desk = Desk(open_desk(make_app), "boss")
    page = desk.get("policy")
    assert "CHECKOUT_CASE_POLICY_EDITABLE" in page.text
    assert "<textarea" not in page.text
    assert "High-value checkout" in page.text
    desk.get("policy/versions/1", status=404)
    assert "policy replay" in desk.get("policy/replay").text


def test_a_replay_shows_sums_and_cases(shop: Shop, boss: Desk) -> None:
    case = decline(shop, "c-1", value="120.00")
    send(boss.get("policy"), DRAFT, status=303)
    page = boss.get("policy/replay?version=2&days=7")
    for text in (case.reference, "Concierge", "<svg", "polyline", "+1", "-1"):
        assert text in page.text
    assert " style=" not in page.text
    nothing = boss.get("policy/replay?version=1&days=7")
    assert "No case would be treated differently." in nothing.text
    boss.get("policy/replay?version=99", status=404)


def test_a_text_that_is_too_long_is_told_so(shop: Shop, boss: Desk) -> None:
    text = "é" * (policies.TEXT_LIMIT + 1)
    answer = send(boss.get("policy"), text, status=422)
    assert "at most 60,000 characters" in answer.text
    assert policy_form(answer)["text"].value == text
    assert len(policies.history(runtime_of(shop))) == 1


def test_the_limit_of_other_bodies_costs_no_policy(make_app: Make) -> None:
    shop = open_desk(make_app, CHECKOUT_CASE_POLICY_EDITABLE=True, CHECKOUT_CASE_MAX_BODY=1024)
    shop.app.config["MAX_FORM_MEMORY_SIZE"] = 1024
    desk = Desk(shop, "boss")
    send(desk.get("policy"), DRAFT, status=303)
    answer = send(desk.get("policy"), "#" * policies.BODY_LIMIT, status=413)
    assert "at most 60,000 characters" in answer.text
    assert "what you typed is still there" in answer.text
    elsewhere = desk.http.post(f"{AGENT_PAGES}/presence", "#" * 2000, headers=ORIGIN, status=413)
    assert "more than can be sent at once" in elsewhere.text


def test_hours_are_counted_in_the_zone_that_is_chosen(make_app: Make, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(TEXT + OFFICE, "utf-8")
    config = {"CHECKOUT_CASE_POLICY_EDITABLE": True, "CHECKOUT_CASE_POLICY": str(path)}
    shop = open_desk(make_app, **config)
    boss = Desk(shop, "boss")
    at = datetime.now(UTC).replace(hour=20, minute=30) - timedelta(days=2)
    decline(shop, "c-1", value="120.00", at=at)
    send(boss.get("policy"), DRAFT + OFFICE, status=303)

    def shown(query: str) -> str:
        page = body(boss.get(f"policy/replay?version=2&days=7{query}").text)
        found = re.search(r"in the time zone (\S+)\.", page)
        assert found is not None
        zone = ZoneInfo(found[1])
        there = at.astimezone(zone)
        assert f"{there:%a} {there:%H}:00" in page
        return zone.key

    assert shown("") == "Asia/Tokyo"
    assert shown("&zone=Europe/Berlin") == "Europe/Berlin"
    assert shown("&zone=UTC") == "UTC"
    assert shown("&zone=../../etc/passwd") == "Asia/Tokyo"
    assert shown("&zone=America") == "Asia/Tokyo"


def test_a_page_that_was_cut_says_so(
    shop: Shop, boss: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        decline(shop, f"c-{number}")
    boss.get("policy")
    page = "policy/replay?version=1&days=7"
    monkeypatch.setattr(replay_views, "MOST_CASES", 3)
    assert "There are more cases" not in boss.get(page).text
    monkeypatch.setattr(replay_views, "MOST_CASES", 2)
    assert "There are more cases: these are the newest 2." in boss.get(page).text


def test_cases_that_have_lost_their_signal_are_counted(shop: Shop, boss: Desk) -> None:
    decline(shop, "c-1")
    boss.get("policy")
    page = "policy/replay?version=1&days=7"
    assert "no longer has the signal" not in boss.get(page).text
    with runtime_of(shop).write() as unit:
        unit.session.execute(delete(EntryRow).where(EntryRow.kind == "signal"))
    assert "1 case no longer has the signal" in boss.get(page).text


def test_a_replay_names_no_case_that_its_reader_may_not_see(shop: Shop, boss: Desk) -> None:
    hidden, shown = decline(shop, "c-1"), decline(shop, "c-2", value="6000.00")
    shop.cases.permission(
        lambda _agent, _action, case: case is not None and case.team != hidden.team
    )
    draft = policies.save_draft(runtime_of(shop), ONE_TEAM, agent=BOSS)
    page = boss.get(f"policy/replay?version={draft.id}").text
    assert shown.reference in page
    assert hidden.reference not in page
    assert hidden.team != shown.team
