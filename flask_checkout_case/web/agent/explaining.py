"""Why a case is where it is, in words: the routes that were tried, and its place in the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...i18n import gettext
from ...rules.conditions import is_own
from ...rules.policy_values import parse_amount
from ...rules.urgency import Standing
from ...services.caseview import CaseView
from . import wording

_AMOUNTS = ("total_over", "total_under")
_CODE = "decline_code"


@dataclass(frozen=True, slots=True)
class Tested:
    """One condition of a route as people read it.

    Args:
        favours: whether the route could still match after it.
        detail: what the case has, and by how much it is over or under; empty where nothing is.
    """

    text: str
    detail: str
    favours: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """A route that was tried; ``tests`` are all of its conditions."""

    route: str
    matched: bool
    tests: tuple[Tested, ...]

    @property
    def failed(self) -> list[Tested]:
        """Why it didn't match."""
        return [one for one in self.tests if not one.favours]


def tried(reasons: Sequence[Mapping[str, Any]], *, codes: bool) -> list[Tried]:
    """Read the stored reasons of a case, in the order in which the routes were tried.

    Args:
        codes: whether who reads this may see raw decline codes.
    """
    return [
        Tried(
            route=str(reason.get("route")),
            matched=bool(reason.get("matched")),
            tests=tuple(_tested(check, codes=codes) for check in reason.get("checks") or ()),
        )
        for reason in reasons
    ]


def _tested(check: Mapping[str, Any], *, codes: bool) -> Tested:
    condition, unless = str(check.get("condition")), check.get("part") == "unless"
    # What was expected tells the code as well, where it was met.
    is_hidden = condition == _CODE and not codes
    name = wording.word("CONDITIONS", condition)
    text = name if is_hidden else f"{name}: {_said(condition, check.get('expected'))}"
    if unless:
        text = gettext("Unless %(condition)s", condition=text)
    favours = check.get("error") is None and bool(check.get("held")) != unless
    return Tested(text, "" if is_hidden else _detail(condition, check), favours)


def _detail(condition: str, check: Mapping[str, Any]) -> str:
    if check.get("error") is not None:
        return gettext("could not be asked: %(error)s", error=check["error"])
    if is_own(condition):
        return ""
    if check.get("actual") in (None, [], ""):
        return gettext("not known")
    actual = gettext("is %(actual)s", actual=_said(condition, check["actual"]))
    by = check.get("by")
    return f"{actual}, {_by(condition, str(by))}" if by else actual


def _by(condition: str, by: str) -> str:
    size = _said(condition, by.lstrip("+-"))
    if not any(digit in "123456789" for digit in by):
        return gettext("exactly as much")
    if by.startswith("-"):
        return gettext("%(size)s less", size=size)
    return gettext("%(size)s more", size=size)


def _said(condition: str, value: Any) -> str:
    if condition in _AMOUNTS:
        try:
            return wording.money(parse_amount(value)) or wording.expected(value)
        except ValueError:
            return wording.expected(value)
    if condition == "failure_class":
        words = [value] if isinstance(value, str) else list(value or ())
        return ", ".join(wording.failure(one) for one in words)
    return wording.expected(value)


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the sum that gives a case its place: a moment, or a shift of it."""

    text: str
    at: datetime | None = None
    shift: str = ""


def place(view: CaseView) -> list[Part]:
    """Return why a live case stands where it does, as a sum from its due time on."""
    standing = view.standing
    if standing is None:
        return []
    parts = [_start(view, standing), Part(_priority(view), shift=_shift(standing.by_priority))]
    if standing.by_value:
        share = wording.percent(standing.odds)
        worth = wording.money(view.case.value)
        text = gettext(
            "%(value)s at stake, of which %(share)s may be saved", value=worth, share=share
        )
        parts.append(Part(text, shift=_shift(standing.by_value)))
    return [*parts, Part(gettext("Stands as if due"), at=view.row.urgency_at)]


def _start(view: CaseView, standing: Standing) -> Part:
    if not standing.promised:
        return Part(gettext("Nothing is promised: a week from its opening"), at=standing.due)
    clock = next((one for one in view.clocks if one.due == standing.due), None)
    name = wording.word("CLOCKS", clock.name) if clock else gettext("Checkout ends")
    return Part(gettext("Due first: %(clock)s", clock=name), at=standing.due)


def _priority(view: CaseView) -> str:
    name = wording.word("PRIORITIES", view.case.priority)
    return gettext("Priority: %(name)s", name=name)


def _shift(earlier: timedelta) -> str:
    if abs(earlier) < timedelta(seconds=1):
        return gettext("no change")
    time = wording.span(earlier)
    if earlier < timedelta(0):
        return gettext("%(time)s later", time=time)
    return gettext("%(time)s earlier", time=time)
