"""What the workspace's buttons do, without a script, also when somebody else was faster."""

from __future__ import annotations

import pytest

from flask_checkout_case import CaseInfo
from flask_checkout_case.services import cases
from flask_checkout_case.types import Outcome, Priority, Status
from tests.support.desk import Desk, body, now, runtime_of
from tests.support.shop import Shop


def test_reply(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "reply", reply_text="Please try another card.")
    answered = now(shop, case)
    assert (answered.status, answered.assignee) == (Status.WAITING, "7")
    assert "Please try another card." in lin.get(f"cases/{case.reference}").text


def test_reply_and_solve(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "reply", reply_text="It is done.", then="solved")
    assert (now(shop, case).status, now(shop, case).outcome) == (Status.SOLVED, Outcome.ASSISTED)


def test_the_same_reply_sent_twice_is_one(lin: Desk, case: CaseInfo) -> None:
    page = lin.get(f"cases/{case.reference}").text
    for _ in range(2):
        lin.send(case.reference, "reply", page, reply_text="Only once.")
    assert lin.get(f"cases/{case.reference}").text.count("Only once.") == 1


def test_a_note_stays_inside(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "note", note_text="Between us.")
    assert now(shop, case).status is Status.NEW
    assert "Between us." in lin.get(f"cases/{case.reference}").text


def test_take_assign_and_give_back(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "take")
    assert now(shop, case).assignee == "7"
    lin.do(case.reference, "assign", assignee="8")
    assert now(shop, case).assignee == "8"
    lin.do(case.reference, "assign", assignee="")
    assert now(shop, case).assignee is None


def test_a_case_goes_to_its_team_alone(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    page = lin.get(f"cases/{case.reference}").text
    assert "Sam Duarte" in page
    assert "Eve Lindqvist" not in page
    refused = lin.do(case.reference, "assign", answers=400, assignee="9")
    assert "Something in what was sent is not right." in refused.text
    assert now(shop, case).assignee is None


def test_transfer_takes_it_out_of_sight(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "transfer", team="risk")
    assert now(shop, case).team == "risk"
    lin.get(f"cases/{case.reference}", status=404)
    Desk(shop, "boss").get(f"cases/{case.reference}")


def test_status_and_priority(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "priority", priority="low")
    assert now(shop, case).priority is Priority.LOW
    press(lin, case, "solved lost")
    assert (now(shop, case).status, now(shop, case).outcome) == (Status.SOLVED, Outcome.LOST)
    press(lin, case, "open")
    assert (now(shop, case).status, now(shop, case).outcome) == (Status.OPEN, None)


def press(desk: Desk, case: CaseInfo, status: str, expected: int = 303) -> str:
    page = desk.get(f"cases/{case.reference}").text
    return body(desk.send(case.reference, "status", page, expected, status=status).text)


def test_a_move_that_the_lifecycle_refuses_is_said(lin: Desk, case: CaseInfo) -> None:
    press(lin, case, "closed")
    assert "can't become that" in press(lin, case, "waiting", 409)
    assert "not right" in press(lin, case, "nonsense", 400)


@pytest.mark.parametrize(
    ("text", "told"), [("  \n ", "Write something first."), ("x" * 10_001, "at most 10000")]
)
def test_a_text_that_cant_be_taken_stays_in_the_field(
    lin: Desk, case: CaseInfo, text: str, told: str
) -> None:
    page = lin.do(case.reference, "reply", answers=400, reply_text=text, note_text="keep me")
    assert told in page.text
    assert ">keep me</textarea>" in page.text


def test_a_stale_write_keeps_the_text_and_tells_who_did_what(
    shop: Shop, lin: Desk, case: CaseInfo
) -> None:
    page = lin.get(f"cases/{case.reference}").text
    boss = Desk(shop, "boss")
    boss.do(case.reference, "priority", priority="urgent")
    cases.customer_message(runtime_of(shop), case.reference, "Hello?", name="Ada Lovelace")
    stale = lin.send(case.reference, "take", page, 409, reply_text="Half a sentence", note_text="n")
    seen = body(stale.text)
    assert "Noor Haddad changed the priority from High to Urgent" in seen
    assert "Ada Lovelace wrote: “Hello?”" in seen
    assert ">Half a sentence</textarea>" in stale.text
    assert ">n</textarea>" in stale.text
    assert now(shop, case).assignee is None
    again = lin.send(case.reference, "take", stale.text, 200, reply_text="Half a sentence")
    assert ">Half a sentence</textarea>" in again.text
    assert now(shop, case).assignee == "7"


def test_replies_and_notes_never_conflict(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    page = lin.get(f"cases/{case.reference}").text
    Desk(shop, "boss").do(case.reference, "priority", priority="urgent")
    lin.send(case.reference, "reply", page, reply_text="An answer.")
    lin.send(case.reference, "note", page, note_text="A note.")
    seen = lin.get(f"cases/{case.reference}").text
    assert "An answer." in seen
    assert "A note." in seen


def test_a_write_without_a_version_is_refused(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "take", answers=428, version=None)
    assert now(shop, case).assignee is None


def test_what_is_typed_beside_an_action_is_not_lost(lin: Desk, case: CaseInfo) -> None:
    page = lin.do(case.reference, "take", answers=200, reply_text="Not sent yet")
    assert ">Not sent yet</textarea>" in page.text
    lin.do(case.reference, "reply", answers=200, reply_text="Sent", note_text="Still here")
