"""Order changes as rules: whose leave, and no way around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flask_checkout_case import Money, Order
from flask_checkout_case.change_types import ChangeKind, ChangeState, Stage
from flask_checkout_case.errors import InvalidTransitionError
from flask_checkout_case.rules import changes
from flask_checkout_case.rules.changes import Asked, Leave, Progress, Refusal
from flask_checkout_case.rules.policy_changes import LATE, Changes
from flask_checkout_case.rules.policy_values import Rates

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = Changes(over=Money(5000, "USD"))
RATES = Rates("USD", {"EUR": Decimal("1.1")})
LONDON = {"line1": "12 St James's Square", "city": "London", "country": "GB"}
YORK = {**LONDON, "city": "York"}
PARIS = {**LONDON, "city": "Paris", "country": "FR"}


def asked(kind: ChangeKind = ChangeKind.ADDRESS, **more: Any) -> Asked:
    given = {
        "stage": Stage.PLACED,
        "before": LONDON,
        "after": YORK,
        "value": Money(240, "USD"),
        "delta": Money(0, "USD"),
        "placed_at": NOW - timedelta(hours=3),
        "secured_at": None,
        **more,
    }
    return Asked(kind, **given)


@pytest.mark.parametrize(
    ("what", "leave"),
    [
        (asked(), Leave.AUTOMATIC),
        (asked(delta=Money(5, "USD")), Leave.AGENT),
        (asked(delta=Money(5, "USD"), placed_at=NOW - timedelta(minutes=29)), Leave.AUTOMATIC),
        (asked(after=PARIS), Leave.SUPERVISOR),
        (asked(after=PARIS, stage=Stage.CHECKOUT), Leave.AUTOMATIC),
        (asked(value=Money(5000, "USD")), Leave.AUTOMATIC),
        (asked(value=Money.minor(500001, "USD")), Leave.SUPERVISOR),
        (asked(value=Money(4600, "EUR")), Leave.SUPERVISOR),
        (asked(value=Money(1, "GBP")), Leave.SUPERVISOR),
        (asked(value=None), Leave.SUPERVISOR),
        (asked(secured_at=NOW - timedelta(hours=23)), Leave.SUPERVISOR),
        (asked(secured_at=NOW - timedelta(hours=24)), Leave.AUTOMATIC),
        (asked(stage=Stage.PACKED), Leave.AGENT),
        (asked(stage=Stage.PACKED, after=PARIS), Leave.SUPERVISOR),
        (asked(ChangeKind.GIFT_NOTE, stage=Stage.RELEASED), Leave.AUTOMATIC),
        (asked(ChangeKind.INSTRUCTIONS, stage=Stage.PICKING), Leave.AGENT),
        (asked(ChangeKind.CANCEL, stage=Stage.RELEASED), Leave.AGENT),
        (asked(ChangeKind.QUANTITY, placed_at=NOW), Leave.AUTOMATIC),
        (asked(ChangeKind.QUANTITY, placed_at=None), Leave.AGENT),
    ],
)
def test_whose_leave_a_change_needs(what: Asked, leave: Leave) -> None:
    assert changes.leave_for(POLICY, RATES, what, NOW) is leave


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize("stage", Stage)
def test_what_a_stage_allows(kind: ChangeKind, stage: Stage) -> None:
    found = changes.why_refused(POLICY, kind, stage, None, NOW)
    if stage is Stage.SHIPPED:
        assert found is Refusal.SHIPPED
    elif stage is Stage.CANCELLED:
        assert found is Refusal.CANCELLED
    elif stage is Stage.CHECKOUT and kind is ChangeKind.CANCEL:
        assert found is Refusal.NOT_OFFERED
    elif stage in (Stage.PICKING, Stage.PACKED):
        assert found is (None if kind in LATE else Refusal.TOO_LATE)
    else:
        assert found is None


def test_at_the_cut_off_it_is_too_late() -> None:
    for before, refusal in ((1, None), (0, Refusal.TOO_LATE), (-1, Refusal.TOO_LATE)):
        cut_off = NOW + timedelta(seconds=before)
        found = changes.why_refused(POLICY, ChangeKind.ADDRESS, Stage.RELEASED, cut_off, NOW)
        assert found is refusal


@pytest.mark.parametrize("stage", [None, "nonsense", "partly shipped"])
def test_an_order_of_which_nobody_says_how_far_it_is_counts_as_released(stage: str | None) -> None:
    assert changes.stage_of(Order(ref="o-1", stage=stage)) is Stage.RELEASED


def test_an_approval_binds_the_order_the_change_and_the_price() -> None:
    one = ("o-1", "1", "address", YORK, Money(0, "USD"))
    others = [
        ("o-2", *one[1:]),
        ("o-1", "2", *one[2:]),
        (*one[:3], PARIS, one[4]),
        (*one[:4], Money(1, "USD")),
        (*one[:4], Money(0, "EUR")),
        (*one[:4], None),
    ]
    hashes = {changes.content_hash(*given) for given in [one, *others]}
    assert len(hashes) == len(others) + 1
    turned = dict(reversed(YORK.items()))
    assert changes.content_hash(*one[:3], turned, one[4]) == changes.content_hash(*one)


CONTENTS = st.sampled_from(["a", "b", "c"])


class Ways(RuleBasedStateMachine):
    """Whatever is done in whatever order, what is applied was approved, paid, sent, taken, once."""

    @initialize(must_pay=st.booleans(), leave=st.sampled_from(Leave))
    def ask(self, must_pay: bool, leave: Leave) -> None:
        state = ChangeState.AWAITING_PAYMENT if must_pay else ChangeState.PRICED
        self.now = Progress(state, "a", leave, must_pay)
        self.approvals: list[tuple[str, Leave]] = []
        self.paid = self.sent = self.taken = False
        self.applied = 0

    def attempt(self, step: Any, *given: Any, **more: Any) -> bool:
        before = self.now
        try:
            self.now = step(self.now, *given, **more)
        except InvalidTransitionError:
            assert self.now == before
            return False
        return True

    @rule(content=CONTENTS, must_pay=st.booleans(), leave=st.sampled_from(Leave))
    def price(self, content: str, must_pay: bool, leave: Leave) -> None:
        self.attempt(changes.price, content, must_pay=must_pay, leave=leave)

    @rule()
    def pay(self) -> None:
        self.paid |= self.attempt(changes.pay)

    @rule(content=CONTENTS, by=st.sampled_from(Leave))
    def approve(self, content: str, by: Leave) -> None:
        if self.attempt(changes.approve, content, by):
            self.approvals.append((content, by))

    @rule()
    def send(self) -> None:
        if self.attempt(changes.send):
            assert self.now.approved == self.now.content
            self.sent = True

    @rule()
    def again(self) -> None:
        if self.attempt(changes.again):
            assert not self.now.must_pay, "its money has gone back"

    @rule(by_hand=st.booleans())
    def acknowledge(self, by_hand: bool) -> None:
        late = self.now.state is ChangeState.CONFLICT
        if self.attempt(changes.acknowledge, by_hand=by_hand):
            self.taken = True
            # Whoever has asked the warehouse knows that it was done, however it got there.
            self.sent |= by_hand
            assert by_hand or not (late and self.now.must_pay)

    @rule()
    def apply(self) -> None:
        self.applied += self.attempt(changes.apply)

    @rule(state=st.sampled_from(ChangeState))
    def end(self, state: ChangeState) -> None:
        self.attempt(changes.end, state)

    @invariant()
    def only_what_was_agreed_to_is_applied(self) -> None:
        assert self.applied <= 1
        if self.now.state is ChangeState.APPLIED:
            assert self.sent
            assert self.taken
            assert self.applied == 1
        if self.now.state in (ChangeState.SENT, ChangeState.ACKNOWLEDGED, ChangeState.APPLIED):
            order = list(Leave)
            given = [by for content, by in self.approvals if content == self.now.content]
            assert any(order.index(by) >= order.index(self.now.leave) for by in given)
            assert self.paid or not self.now.must_pay

    @invariant()
    def an_end_is_an_end(self) -> None:
        if self.now.state is ChangeState.SUPERSEDED:
            assert not self.applied


TestWays = Ways.TestCase
TestWays.settings = settings(max_examples=150, stateful_step_count=25)
