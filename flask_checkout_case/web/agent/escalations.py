"""What the clocks of a case and the steps of its escalation did, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from ...i18n import gettext
from . import wording
from .times import span


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
    whom = told(data)
    return [*found, whom] if whom else found


def told(data: Mapping[str, Any]) -> str | None:
    """Return who was told of it, if anybody was."""
    whom = [str(name) for name in data.get("people") or ()]
    if "webhook" in (data.get("notify") or ()):
        whom.append(gettext("the shop's systems"))
    return gettext("told: %(people)s", people=", ".join(whom)) if whom else None
