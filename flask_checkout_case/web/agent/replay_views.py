"""The last days' cases against a version that isn't in force: sums, charts, case by case."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from babel.dates import get_day_names
from flask import render_template, request
from flask.typing import ResponseReturnValue

from ...errors import PolicyError
from ...i18n import current_locale
from ...rules.policy import Policy
from ...rules.policy_calendars import zone_of
from ...rules.replay import PER_HOUR, Comparison, staffing
from ...services import policies
from ...services.replay import differences_for, replay
from ...types import Priority
from ..current import runtime
from . import charts, fields, policy_words
from .blueprint import blueprint
from .policy_views import frame, supervisor

DAYS: Final = (7, 14, 30, 90)
MOST_CASES: Final = 5000
"""Of more than these the command line tells: a page has to answer soon."""
SHOWN: Final = 50


@blueprint.get("/policy/replay")
def policy_replay() -> ResponseReturnValue:
    """Show what a version would have made of the last days' cases."""
    agent = supervisor()
    policies.note_file(runtime())
    history = policies.history(runtime())
    chosen = request.args.get("version", type=fields.row_number)
    days = request.args.get("days", 30, type=int)
    days = days if days in DAYS else 30
    per_hour = min(max(request.args.get("per_hour", PER_HOUR, type=int), 1), 1000)
    found, is_refused, zones = None, False, _zones(runtime().policy)
    if chosen is not None:
        try:
            draft = policies.checked(runtime(), policies.find(runtime(), chosen)[1])
        except PolicyError:
            is_refused = True
        else:
            zones = _zones(runtime().policy, draft)
            zone = zone_of(zones[0])
            compared = replay(runtime(), draft, days=days, most=MOST_CASES, zone=zone or UTC)
            found = _told(compared, draft, per_hour, request.args.get("team", ""))
            found["differences"] = differences_for(runtime(), agent, compared)[:SHOWN]
    return render_template(
        "checkout_case/agent/policy_replay.html",
        history=[one for one in history if not one.mistakes],
        chosen=chosen,
        days=days,
        all_days=DAYS,
        per_hour=per_hour,
        is_refused=is_refused,
        zones=zones,
        is_zone_given=zone_of(request.args.get("zone")) is not None,
        found=found,
        weekdays=_weekdays(),
        number=policy_words.number,
        **frame(agent),
    )


def _zones(*compared: Policy) -> list[str]:
    """Return the time zones to choose from; the first is chosen, which else is the shop's own."""
    given = zone_of(request.args.get("zone"))
    ours = [one.timezone for policy in compared for one in policy.calendars.values()]
    names = [one.key for one in ([given] if given is not None else []) + ours]
    return list(dict.fromkeys([*names, "UTC"]))


def _weekdays() -> list[str]:
    names = get_day_names("abbreviated", locale=current_locale.get().replace("-", "_"))
    return [str(names[day]) for day in range(7)]


def _told(found: Comparison, draft: Policy, per_hour: int, team: str) -> dict[str, Any]:
    old, new = runtime().policy.teams, draft.teams
    names = {key: team.name for key, team in {**new, **old}.items()}
    before, after = found.before, found.after
    keys = sorted({*before.cases, *after.cases}, key=_by_team_and_rank)
    late = sorted({*before.missed, *after.missed})
    teams = sorted({*found.teams_before, *found.teams_after})
    team = team if team in teams else max(teams, key=lambda key: _moved(found, key), default="")
    now = staffing(found.teams_before.get(team), per_hour)
    then = staffing(found.teams_after.get(team), per_hour)
    return {
        "cases": found.cases,
        "is_cut": found.is_cut,
        "incomplete": found.incomplete,
        "differing": found.differing,
        "names": names,
        "teams": teams,
        "team": team,
        "sums": [(key, before.cases[key], after.cases[key]) for key in keys],
        "missed": [(key, before.missed[key], after.missed[key]) for key in late],
        "missed_sum": (sum(before.missed.values()), sum(after.missed.values())),
        "bars": charts.bars([_bar(found, key, names.get(key, key)) for key in teams]),
        "steps": charts.steps([one.people for one in now], [one.people for one in then]),
        "hours": [(hour, now[hour], then[hour]) for hour in range(len(now))],
    }


def _bar(found: Comparison, key: str, name: str) -> tuple[str, int, int]:
    sides = (found.teams_before.get(key), found.teams_after.get(key))
    old, new = (sum(side.cases.values()) if side else 0 for side in sides)
    return name, old, new


def _moved(found: Comparison, key: str) -> int:
    _, old, new = _bar(found, key, key)
    return abs(new - old)


def _by_team_and_rank(key: tuple[str, Priority]) -> tuple[str, int]:
    return key[0], -list(Priority).index(key[1])
