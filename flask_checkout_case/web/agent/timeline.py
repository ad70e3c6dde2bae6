"""A case's timeline in words: what the system noted becomes a sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ...data.models import EntryRow
from ...i18n import gettext, ngettext
from ...services.caseview import CaseView
from . import change_words, escalations, reasons, wording

TeamName = Callable[[str], str]
AgentName = Callable[[str | None], str | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation.

    Args:
        form: ``customer``, ``agent``, ``note`` or ``system``.
        tone: of a system line: ``bad``, ``good`` or nothing.
    """

    id: int
    form: str
    at: datetime
    name: str
    text: str
    mine: bool = False
    tone: str = ""


def lines(view: CaseView, me: str, team: TeamName) -> list[Line]:
    """Return the timeline of a case, oldest first."""
    return [_line(entry, me, team, view.name_of) for entry in view.entries]


def _line(entry: EntryRow, me: str, team: TeamName, agent: AgentName) -> Line:
    if entry.kind == "note" or (entry.kind == "message" and not entry.public):
        form = "note"
    elif entry.kind == "message" and entry.author in ("customer", "agent"):
        form = entry.author
    else:
        text, tone = sentence(entry.kind, entry.author_name, entry.data or {}, team, agent)
        if entry.kind == "change":
            text, tone = change_words.sentence(entry.data or {}, entry.text)
            return Line(entry.id, "system", entry.at, "", text, tone=tone)
        return Line(entry.id, "system", entry.at, "", entry.text or text, tone=tone)
    name = entry.author_name or (
        gettext("Customer") if entry.author == "customer" else gettext("Support")
    )
    return Line(entry.id, form, entry.at, name, entry.text or "", mine=entry.author_ref == me)


def sentence(
    kind: str, who: str | None, data: Mapping[str, Any], team: TeamName, agent: AgentName
) -> tuple[str, str]:
    """Return what a line without a text of its own says, and its tone."""
    if kind == "decision":
        return _decision(who or gettext("The system"), data, team, agent)
    if kind == "signal":
        return _signal(data)
    if kind == "mail":
        return _mail(data)
    if kind == "change":
        return change_words.sentence(data, None)
    if kind == "escalation":
        return _escalation(data, team), "bad"
    return kind, ""


def _decision(
    who: str, data: Mapping[str, Any], team: TeamName, agent: AgentName
) -> tuple[str, str]:
    tell = _DECISIONS.get(str(data.get("action")))
    if tell is None:
        return f"{who}: {data.get('action')}", ""
    return tell(who, data, team, agent)


def _routed(
    _who: str, data: Mapping[str, Any], team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    name = team(str(data.get("to")))
    return gettext("Routed to %(team)s by “%(route)s”", team=name, route=data.get("route")), ""


def _taken(
    who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("%(who)s took the case", who=who), ""


def _assigned(
    who: str, data: Mapping[str, Any], _team: TeamName, agent: AgentName
) -> tuple[str, str]:
    if data.get("to") is None:
        return gettext("%(who)s put the case back, nobody has it", who=who), ""
    name = data.get("name") or agent(str(data["to"]))
    return gettext("%(who)s gave the case to %(name)s", who=who, name=name), ""


def _placed(
    _who: str, data: Mapping[str, Any], _team: TeamName, agent: AgentName
) -> tuple[str, str]:
    name = data.get("name") or agent(str(data.get("to")))
    return gettext("Given to %(name)s automatically", name=name), ""


def _declined(
    who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("%(who)s declined the case", who=who), ""


def _timed_out(
    _who: str, data: Mapping[str, Any], _team: TeamName, agent: AgentName
) -> tuple[str, str]:
    name = data.get("name") or agent(str(data.get("from")))
    return gettext("%(name)s did not begin in time, the case goes on", name=name), "bad"


def _left(_who: str, data: Mapping[str, Any], _team: TeamName, agent: AgentName) -> tuple[str, str]:
    name = data.get("name") or agent(str(data.get("from")))
    return gettext("%(name)s has gone, the case goes on", name=name), "bad"


def _transferred(
    who: str, data: Mapping[str, Any], team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    old, new = team(str(data.get("from"))), team(str(data.get("to")))
    return gettext("%(who)s moved the case from %(old)s to %(new)s", who=who, old=old, new=new), ""


def _priority(
    who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    old, new = (wording.word("PRIORITIES", data.get(end)) for end in ("from", "to"))
    return (
        gettext("%(who)s changed the priority from %(old)s to %(new)s", who=who, old=old, new=new),
        "",
    )


def _status(
    who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    new = wording.word("STATUSES", data.get("to"))
    if data.get("outcome"):
        result = wording.word("OUTCOMES", data["outcome"])
        text = gettext(
            "%(who)s set the case to %(new)s: %(result)s", who=who, new=new, result=result
        )
    else:
        text = gettext("%(who)s set the case to %(new)s", who=who, new=new)
    if data.get("left"):
        left = ", ".join(str(title) for title in data["left"])
        text = f"{text} · {gettext('Left open: %(tasks)s', tasks=left)}"
    if data.get("reason"):
        text = f"{text} · {gettext('Reason: “%(reason)s”', reason=data['reason'])}"
    return text, "good" if data.get("to") == "solved" else ""


def _reopened(
    _who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("The customer wrote again and reopened the case"), ""


def _recovered(
    _who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    if data.get("outcome") == "assisted":
        text = gettext("The customer completed the purchase: solved with our help")
    else:
        text = gettext("The customer completed the purchase without help: closed by itself")
    order = data.get("order_ref")
    return f"{text} · {gettext('Order %(ref)s', ref=order)}" if order else text, "good"


def _protocol_added(
    _who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("Protocol added: %(name)s", name=data.get("name")), ""


def _protocol_dropped(
    _who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("Protocol no longer needed: %(name)s", name=data.get("name")), ""


def _task_done(
    who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("%(who)s has done: %(task)s", who=who, task=data.get("task")), "good"


def _task_undone(
    who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("%(who)s took the tick back: %(task)s", who=who, task=data.get("task")), ""


def _folded(
    _who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("Left to the incident: nothing is due until it is over"), ""


def _unfolded(
    _who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("Back in the queue: the incident no longer stands for it"), ""


def _incident_over(
    _who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    count = int(data.get("members") or 0)
    text = ngettext(
        "The incident is over; it held %(num)s checkout",
        "The incident is over; it held %(num)s checkouts",
        count,
    )
    return text, "good"


def _lost(
    _who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("Not paid a day after the incident: closed as lost"), ""


def _spam(
    _who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("Of somebody who tested cards: closed as spam"), ""


def _callback_asked(
    _who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    text = gettext("The customer asks to be called: %(time)s", time=_begin(data))
    return _with_about(text, data), ""


def _callback_moved(
    _who: str, data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    text = gettext("The customer asks for another time to be called: %(time)s", time=_begin(data))
    return _with_about(text, data), ""


def _callback_cancelled(
    _who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("The customer no longer asks to be called"), ""


def _callback_reached(
    who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("%(who)s called and reached the customer", who=who), "good"


def _callback_missed(
    who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("%(who)s called and did not reach the customer", who=who), "bad"


def _begin(data: Mapping[str, Any]) -> str:
    return wording.instant(datetime.fromisoformat(str(data.get("start"))))


def _with_about(text: str, data: Mapping[str, Any]) -> str:
    return f"{text} · “{data['about']}”" if data.get("about") else text


def _came_back(
    _who: str, _data: Mapping[str, Any], _team: TeamName, _agent: AgentName
) -> tuple[str, str]:
    return gettext("The customer came back by the link"), "good"


_DECISIONS: Final[
    Mapping[str, Callable[[str, Mapping[str, Any], TeamName, AgentName], tuple[str, str]]]
] = {
    "routed": _routed,
    "taken": _taken,
    "assigned": _assigned,
    "placed": _placed,
    "declined": _declined,
    "timed_out": _timed_out,
    "left": _left,
    "transferred": _transferred,
    "priority": _priority,
    "status": _status,
    "reopened": _reopened,
    "protocol_added": _protocol_added,
    "protocol_dropped": _protocol_dropped,
    "task_done": _task_done,
    "task_undone": _task_undone,
    "recovered": _recovered,
    "came_back": _came_back,
    "folded": _folded,
    "unfolded": _unfolded,
    "incident_over": _incident_over,
    "lost": _lost,
    "spam": _spam,
    "callback_asked": _callback_asked,
    "callback_moved": _callback_moved,
    "callback_cancelled": _callback_cancelled,
    "callback_reached": _callback_reached,
    "callback_missed": _callback_missed,
}


def _mail(data: Mapping[str, Any]) -> tuple[str, str]:
    if data.get("state") == "failed":
        return gettext("An e-mail to the customer could not be sent"), "bad"
    if data.get("state") == "withheld":
        return gettext("No e-mail: this customer is of the share without help"), ""
    if data.get("subject"):
        return gettext("E-mail to the customer: “%(subject)s”", subject=data["subject"]), ""
    return gettext("An e-mail was sent to the customer"), ""


def _signal(data: Mapping[str, Any]) -> tuple[str, str]:
    name = str(data.get("signal"))
    if name == "hesitation" and data.get("reasons"):
        why = ", ".join(reasons.sentences(data["reasons"]))
        return gettext("Wavers (%(score)s of 100): %(why)s", score=data.get("score"), why=why), ""
    if name == "hesitation":
        idle = wording.span(timedelta(minutes=int(data.get("minutes") or 0)))
        return gettext("No progress in the checkout for %(time)s", time=idle), ""
    text = wording.word("STEPS", name)
    if data.get("order_ref"):
        text = f"{text}: {gettext('Order %(ref)s', ref=data['order_ref'])}"
    detail = data.get("failure_class")
    if detail:
        text = f"{text}: {wording.failure(detail)}"
    elif data.get("reason") or data.get("sku"):
        text = f"{text}: {data.get('reason') or data.get('sku')}"
    tone = "bad" if name in wording.TROUBLE else "good" if name in wording.SUCCESS else ""
    return text, tone


def _task_overdue(data: Mapping[str, Any], team: TeamName) -> str:
    owner = wording.owner(str(data.get("owner")), team)
    text = gettext("Task overdue: %(task)s (%(owner)s)", task=data.get("task"), owner=owner)
    if data.get("from") != data.get("to"):
        new = wording.word("PRIORITIES", data.get("to"))
        text = f"{text} · {gettext('Priority raised to %(new)s', new=new)}"
    whom = escalations.told(data)
    return f"{text} · {whom}" if whom else text


def _escalation(data: Mapping[str, Any], team: TeamName) -> str:
    if data.get("action") == "task_overdue":
        return _task_overdue(data, team)
    if data.get("action") == "change_contradiction":
        return change_words.contradiction(data)
    if data.get("action") == "change_unapplied":
        return change_words.unapplied(data)
    if data.get("action") == "callback_due":
        due = wording.instant(datetime.fromisoformat(str(data.get("due"))))
        text, whom = gettext("A call is due: %(time)s", time=due), escalations.told(data)
        return f"{text} · {whom}" if whom else text
    return escalations.sentence(data, team)
