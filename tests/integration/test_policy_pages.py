"""The policy in the workspace, as a browser without scripts sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from webtest import Form, TestResponse

from flask_checkout_case.rules.policy import read_policy_text
from flask_checkout_case.services import policies
from tests.support.desk import AGENT_PAGES, BOSS, ORIGIN, Desk, decline, open_desk, runtime_of
from tests.support.shop import Shop

Make = Callable[..., Shop]

TEXT, _ = read_policy_text(None)
DRAFT = TEXT.replace('total_over = "5000 USD"', 'total_over = "100 USD"')


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


def test_mistakes_are_listed_by_line_and_nothing_typed_is_lost(shop: Shop, boss: Desk) -> None:
    wrong = DRAFT.replace('team = "risk"', 'team = "rusk"')
    answer = send(boss.get("policy"), wrong, status=422)
    line = wrong[: wrong.index('"rusk"')].count("\n") + 1
    assert f'data-line="{line}"' in answer.text
    assert "1 mistake" in answer.text
    assert policy_form(answer)["text"].value.replace("\r\n", "\n") == wrong
    assert len(policies.history(runtime_of(shop))) == 1


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
    page = boss.get("policy")
    policy_form(page)["text"].attrs.pop("maxlength", None)
    answer = send(page, "#" * (policies.TEXT_LIMIT + 1), status=422)
    assert "too long" in answer.text
