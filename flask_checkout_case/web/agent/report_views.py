"""What the last days' cases have come to, for supervisors: a page, and the same as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from babel.dates import format_skeleton
from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from ...i18n import N_, current_locale, format_money, gettext
from ...rules.tally import BANDS, DAYS, UNKNOWN, Count, State
from ...services import reports as services
from ...services.reports import Line, Report
from ..current import runtime
from . import charts, policy_words, wording
from .blueprint import blueprint
from .policy_views import frame, supervisor

PERIODS: Final = (1, 7, DAYS)
STATES: Final[Mapping[State, str]] = {
    State.ALONE: N_("Went on alone"),
    State.LINK: N_("Brought back by a link"),
    State.HELPED: N_("Won with help"),
    State.CHANGED: N_("Order changed"),
    State.LOST: N_("Lost"),
    State.OTHER: N_("Ended otherwise"),
    State.OPEN: N_("Still open"),
}
_DIMENSIONS: Final = {
    "team": N_("By team"),
    "category": N_("By category"),
    "failure_class": N_("By kind of failure"),
    "provider": N_("By gateway"),
    "band": N_("By value of the checkout"),
}
_HEAD: Final = ("by", "name", "cases")
_TAIL: Final = ("value_alone", "value_won", "currency", "answers_due", "answers_in_time")
_CHARTED: Final = ((State.ALONE,), (State.LINK, State.HELPED, State.CHANGED), ())
"""What the parts of a day's column are; the last is everything else."""


@blueprint.get("/reports")
def reports() -> ResponseReturnValue:
    """Show what the cases of a period have come to."""
    agent = supervisor()
    days = _days()
    found = services.report(runtime(), agent, days=days)
    return render_template(
        "checkout_case/agent/reports.html",
        found=found,
        days=days,
        periods=PERIODS,
        states={state: gettext(STATES[state]) for state in STATES},
        chart=charts.columns([(_day(line), _parts(line)) for line in found.days]),
        tables=[
            (name, gettext(title), found.by[name], _names(name))
            for name, title in _DIMENSIONS.items()
        ],
        money=lambda minor: format_money(minor, found.currency),
        share=_share,
        minutes=_minutes,
        linked=_linked,
        day=_day,
        number=policy_words.number,
        S=State,
        **frame(agent),
    )


@blueprint.get("/reports.csv")
def reports_csv() -> ResponseReturnValue:
    """Give the tables of the page as one CSV file."""
    agent = supervisor()
    found = services.report(runtime(), agent, days=_days())
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([*_HEAD, *(str(state) for state in State), *_TAIL])
    for dimension, lines in (("day", found.days), *found.by.items()):
        for line in lines:
            writer.writerow(_safe(cell) for cell in _row(dimension, line, found))
    name = f"checkout-cases-{found.since.isoformat()}.csv"
    answer = Response(written.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _row(dimension: str, line: Line, found: Report) -> list[object]:
    total = line.total
    return [
        dimension,
        line.name or "",
        total.cases,
        *(line.cases(state) for state in State),
        line.value(State.ALONE),
        line.value(State.HELPED, State.LINK),
        found.currency,
        total.due,
        total.in_time,
    ]


def _safe(cell: object) -> object:
    """Keep spreadsheets from reading a name as a formula."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{cell}"
    return cell


def _days() -> int:
    days = request.args.get("days", DAYS, type=int)
    return days if days in PERIODS else DAYS


def _parts(line: Line) -> list[int]:
    known = [line.cases(*states) for states in _CHARTED if states]
    return [*known, line.total.cases - sum(known)]


def _day(line: Line) -> str:
    locale = current_locale.get().replace("-", "_")
    return str(format_skeleton("MMMd", date.fromisoformat(line.name or ""), locale=locale))


def _share(count: Count) -> str:
    return f"{100 * count.in_time // count.due} %" if count.due else "–"


def _minutes(count: Count) -> str:
    if not count.answered:
        return "–"
    return wording.span(timedelta(seconds=count.answer_seconds // count.answered))


def _names(dimension: str) -> Callable[[str | None], str]:
    if dimension == "band":
        return _band
    teams = runtime().policy.teams

    def called(key: str | None) -> str:
        if key is None:
            return gettext("None")
        if dimension == "team":
            return teams[key].name if key in teams else key
        if dimension == "failure_class":
            return wording.failure(key)
        return wording.word("CATEGORIES", key) if dimension == "category" else key

    return called


def _band(key: str | None) -> str:
    currency = runtime().policy.currency
    if key not in BANDS or key == UNKNOWN:
        return gettext("Unknown")
    amount = format_money(int(key.rpartition(" ")[2]) * 100, currency)
    if key.startswith("over"):
        return gettext("Over %(amount)s", amount=amount)
    return gettext("Up to %(amount)s", amount=amount)


def _linked(dimension: str, name: str | None) -> dict[str, Any] | None:
    """Return the query of the list of a line's cases, where lists can be asked for them."""
    if name is None or dimension not in ("team", "category"):
        return None
    return {"view": "all", dimension: name}
