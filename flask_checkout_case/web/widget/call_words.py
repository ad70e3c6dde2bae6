"""What the widget says about calls: the times that are offered, the one that is promised."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from ...data.queries_conversation import ReachedCase
from ...i18n import gettext
from ...rules.calendars import Interval
from ...rules.policy_calendars import zone_of
from ...services.access import Viewer
from ...services.callbacks import ABOUT_LIMIT, Offer
from ..local_times import day_of, from_to, offset, zone_name

PHONE_LIMIT: Final = 40


def offered(offer: Offer | None, viewer: Viewer) -> dict[str, Any] | None:
    """Return when the customer may be called, by day, in their own time."""
    if offer is None:
        return None
    days = [
        {"day": day, "slots": _labelled(offer, list(slots))}
        for day, slots in groupby(offer.slots, lambda slot: day_of(slot.start, offer.zone))
    ]
    return {
        "days": days,
        "zone": offer.zone.key,
        "times": gettext("All times: %(zone)s", zone=zone_name(offer.zone.key)),
        "own": viewer.customer.get("phone") or "",
        "instead": gettext("Or call us: %(phone)s", phone=offer.phone) if offer.phone else None,
        "limit": ABOUT_LIMIT,
    }


def _labelled(offer: Offer, slots: list[Interval]) -> list[dict[str, str]]:
    labels = [from_to(slot.start, slot.end, offer.zone) for slot in slots]
    # In the night in which the clocks go back, an hour comes twice.
    seen = Counter(from_to(slot.start, slot.start, offer.zone) for slot in slots)
    return [
        {
            "value": slot.start.isoformat(),
            "label": f"{label} ({offset(slot.start, offer.zone)})"
            if seen[from_to(slot.start, slot.start, offer.zone)] > 1
            else label,
        }
        for slot, label in zip(slots, labels, strict=True)
    ]


def promised(case: ReachedCase | None) -> dict[str, str] | None:
    """Return when the customer is called, in the zone in which they chose the time."""
    if case is None or case.call_start is None or case.call_end is None:
        return None
    zone = zone_of(case.call_zone) or ZoneInfo("UTC")
    return {
        "title": gettext("We will call you"),
        "when": f"{day_of(case.call_start, zone)}, {from_to(case.call_start, case.call_end, zone)}",
        "zone": zone_name(zone.key),
        "phone": case.call_phone or "",
    }


def texts() -> dict[str, str]:
    """Return what the script says around it."""
    return {
        "call": gettext("Ask us to call you"),
        "callDay": gettext("Day"),
        "callTime": gettext("Time"),
        "callPhone": gettext("Your phone number"),
        "callAbout": gettext("What is it about?"),
        "callSend": gettext("Ask for this call"),
        "callMove": gettext("Choose another time"),
        "callCancel": gettext("Cancel the call"),
        "callBack": gettext("Back"),
        "callOff": gettext("The call is cancelled."),
    }


def choose_a_time() -> str:
    return gettext("Please choose a time.")


def refused(field: str | None) -> str:
    """Say what is wrong with what was asked for."""
    if field == "phone":
        return gettext("This phone number can't be right.")
    if field == "slot":
        return gettext("This time is no longer free. Please choose another.")
    if field == "about":
        return gettext("Please keep it below %(count)s characters.", count=ABOUT_LIMIT)
    return gettext("That did not work")
