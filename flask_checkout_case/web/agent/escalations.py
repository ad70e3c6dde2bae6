"""What the clocks of a case and the steps of its escalation did, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from ...i18n import N_, gettext
from . import wording
from .times import span

_TOLD: Final = {
    "assignee": N_("the assignee"),
    "team": N_("the team"),
    "supervisors": N_("the supervisors"),
    "webhook": N_("the shop's systems"),
}


def sentence(data: Mapping[str, Any], team: Callable[[str], str]) -> str:
    """Return what a line of the timeline says about a clock or a step."""
    clock = wording.word("CLOCKS", data.get("clock", "resolution"))
    if data.get("action") == "escalated":
        return gettext("Escalated: %(what)s", what=" · ".join(_parts(data, clock, team)))
    if int(data.get("percent") or 0) >= 100:
        return gettext("%(clock)s is overdue", clock=clock)
    return gettext("%(clock)s is due soon", clock=clock)


def _parts(data: Mapping[str, Any], clock: str, team: Callable[[str], str]) -> list[str]:
    after, percent = int(data.get("after") or 0), int(data.get("percent") or 0)
    if after:
        time = span(timedelta(seconds=after))
        found = [gettext("%(clock)s is overdue by %(time)s", clock=clock, time=time)]
    elif percent >= 100:
        found = [gettext("%(clock)s is overdue", clock=clock)]
    else:
        found = [gettext("%(clock)s is due soon", clock=clock)]
    if data.get("priority"):
        new = wording.word("PRIORITIES", data["priority"].get("to"))
        found.append(gettext("priority raised to %(priority)s", priority=new))
    if data.get("team"):
        found.append(gettext("moved to %(team)s", team=team(str(data["team"].get("to")))))
    people = [str(name) for name in data.get("people") or ()]
    told = [word for word in data.get("notify") or () if word in _TOLD]
    whom = people + [gettext(_TOLD[word]) for word in told if not people or word == "webhook"]
    if whom:
        found.append(gettext("told: %(people)s", people=", ".join(whom)))
    return found
