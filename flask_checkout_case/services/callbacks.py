"""Calls that customers with large carts ask for: offered, promised, made.

What is offered follows from the checkout's total and never from a failure class. Somebody who tests
cards is answered like somebody whose cart is too small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from ..data import queries_callback as queries
from ..data import queries_case, queries_conversation, queries_incident
from ..data.callback_models import CallbackRow
from ..errors import InvalidInputError, InvalidTransitionError, NotFoundError
from ..i18n import N_
from ..rules import callbacks as rules
from ..rules import lifecycle
from ..rules.calendars import Calendar, Interval
from ..rules.policy_calendars import zone_of
from ..types import Agent, AuthorKind, CaseInfo, Category, EntryKind, Family, Money, Origin, Status
from . import card_testing
from .access import Viewer
from .cases import clean_text
from .conversation import Posted, UnavailableError, language_of, promised_by, target_of
from .opening import CaseDraft, open_apart
from .runtime import Runtime, Unit
from .work import Work, on_case, versioned

ABOUT_LIMIT: Final = 500
_LONGEST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """When this customer may be called.

    Args:
        zone: in which the times are shown.
        phone: a number that the customer may call instead.
    """

    slots: tuple[Interval, ...]
    zone: ZoneInfo
    phone: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer asks for.

    Args:
        start: of one of the offered slots, UTC.
        phone: as it was typed.
        key: makes a repeated request one.
    """

    start: datetime
    phone: str
    zone: str
    key: str
    about: str | None = None


class SlotTakenError(InvalidInputError):
    """The time is no longer free."""

    def __init__(self) -> None:
        super().__init__("this time is no longer free", field="slot")


def offer(runtime: Runtime, viewer: Viewer, zone: str | None = None) -> Offer | None:
    """Return when this customer may be called; ``None`` for those to whom no call is offered.

    Args:
        zone: the customer's time zone as their browser tells it.
    """
    if not _is_offered(runtime, viewer):
        return None
    plan, calendar = runtime.policy.callbacks, _calendar(runtime, viewer)
    with runtime.read() as session:
        taken = _taken(session, runtime.clock())
    slots = rules.open_slots(plan, calendar, runtime.clock(), map(_time, taken))
    if not slots:
        return None
    shown = (
        zone_of(zone) or zone_of(viewer.customer.get("timezone")) or _own_zone(runtime, calendar)
    )
    return Offer(tuple(slots), shown, plan.phone)


def ask(runtime: Runtime, viewer: Viewer, wish: Wish, nonce: str) -> Posted:
    """Promise a call at a time that is offered, instead of an earlier promise if there is one.

    Args:
        nonce: this browser's name.

    Raises:
        NotFoundError: no call is offered to this customer.
        InvalidInputError: this is no phone number (``field="phone"``), or too much is told.
        SlotTakenError: the time isn't free, or never was offered.
        UnavailableError: the database refuses.
    """
    if not _is_offered(runtime, viewer):
        raise NotFoundError("no call is offered")
    phone = rules.read_phone(wish.phone)
    if phone is None:
        raise InvalidInputError("this is no phone number", field="phone")
    about = clean_text(wish.about) if wish.about and wish.about.strip() else None
    if about is not None and len(about) > ABOUT_LIMIT:
        raise InvalidInputError(f"at most {ABOUT_LIMIT} characters", field="about")
    told = {"phone": phone, "about": about, "zone": _zone_name(wish.zone)}
    try:
        return _ask(runtime, viewer, wish, told, nonce)
    except IntegrityError as error:
        # Somebody else was faster, or the same customer in another tab.
        raise SlotTakenError from error
    except SQLAlchemyError as error:
        raise UnavailableError("the database can't take the wish") from error


def _ask(runtime: Runtime, viewer: Viewer, wish: Wish, told: dict[str, Any], nonce: str) -> Posted:
    calendar = _calendar(runtime, viewer)
    with runtime.write() as unit:
        work = _case(unit, viewer, wish, nonce)
        if work.is_repeated(wish.key):
            return Posted(work.row.reference, work.row.revocations)
        before = queries.open_callback(unit.session, work.row.id)
        taken = [one for one in _taken(unit.session, unit.now) if one.case_id != work.row.id]
        slots = rules.open_slots(runtime.policy.callbacks, calendar, unit.now, map(_time, taken))
        slot = next((one for one in slots if one.start == wish.start), None)
        if slot is None:
            raise SlotTakenError
        if before is not None:
            queries.set_callback(unit.session, before.id, {"cancelled_at": unit.now})
        values = {
            "case_id": work.row.id,
            "start_at": slot.start,
            "end_at": slot.end,
            "place": _place(slot, taken),
            "name": viewer.customer.get("name") or work.row.customer_name,
            "asked_at": unit.now,
            **told,
        }
        queries.add_callback(unit.session, values)
        work.change({}, status=lifecycle.after_customer_message(Status(work.row.status)))
        action = "callback_asked" if before is None else "callback_moved"
        _note(work, action, slot, about=told["about"], key=wish.key)
        return Posted(work.row.reference, work.row.revocations)


def _case(unit: Unit, viewer: Viewer, wish: Wish, nonce: str) -> Work:
    """Return the live case that the wish belongs to, locked; a new one where there is none."""
    session = unit.session
    found = queries_conversation.reached_cases(session, viewer.checkout_ref, viewer.references)
    cases = [case for case in found if viewer.may_read(case)]
    target = target_of(viewer, [case for case in cases if lifecycle.is_live(Status(case.status))])
    if target is not None:
        row = queries_case.case_by_reference(session, target.reference, lock=True)
        if row is not None and lifecycle.is_live(Status(row.status)):
            return Work(unit, row, unit.now)
    draft = CaseDraft(
        family=Family.MESSAGE,
        category=Category.OTHER,
        origin=Origin.WIDGET,
        at=unit.now,
        checkout_ref=viewer.checkout_ref,
        # The cart has changed hands: its earlier owner's case is not this customer's.
        reason=None if len(cases) == len(found) else f"browser:{nonce}",
        snapshot=viewer.checkout,
        about=N_("Asks to be called"),
        language=language_of(viewer),
    )
    row, _ = open_apart(unit, draft, viewer.may_read, wish.key)
    return Work(unit, row, unit.now)


def cancel(runtime: Runtime, viewer: Viewer) -> None:
    """Take back what this customer has asked for.

    Raises:
        NotFoundError: there is nothing of the kind.
    """
    with runtime.read() as session:
        found = queries_conversation.reached_cases(session, viewer.checkout_ref, viewer.references)
    asked = [case for case in found if case.call_start is not None and viewer.may_read(case)]
    if not asked:
        raise NotFoundError("no call has been asked for")
    with on_case(runtime, asked[-1].reference) as work:
        row = queries.open_callback(work.unit.session, work.row.id)
        if row is not None:
            queries.set_callback(work.unit.session, row.id, {"cancelled_at": work.now})
            work.change({})
            _note(work, "callback_cancelled", _time(row))


def finish(
    runtime: Runtime, reference: str, *, agent: Agent, version: int | None, reached: bool
) -> CaseInfo:
    """Note that the customer was called. Whoever was reached has been answered.

    Raises:
        InvalidTransitionError: no call is to be made about this case.
        NotFoundError, PermissionDeniedError, VersionRequiredError, StaleVersionError.
    """
    with versioned(runtime, reference, agent, "reply", version) as work:
        row = queries.open_callback(work.unit.session, work.row.id)
        if row is None:
            raise InvalidTransitionError("no call is to be made")
        done = {"done_at": work.now, "done_by": str(agent.ref), "done_by_name": agent.name}
        queries.set_callback(work.unit.session, row.id, {**done, "reached": reached})
        values: dict[str, Any] = {}
        if reached:
            values["unanswered_since"] = None
            values["first_response_at"] = work.row.first_response_at or work.now
        work.change(values)
        action = "callback_reached" if reached else "callback_missed"
        work.append(EntryKind.DECISION, agent=agent, data={"action": action})
        return work.result


def _is_offered(runtime: Runtime, viewer: Viewer) -> bool:
    plan, ref = runtime.policy.callbacks, viewer.checkout_ref
    checkout = viewer.checkout or {}
    minor, currency = checkout.get("value_minor"), checkout.get("currency")
    if not plan.enabled or ref is None or minor is None or currency is None:
        return False
    if not runtime.policy.is_over(Money.minor(minor, currency), plan.over):
        return False
    known = runtime.incidents.current(runtime.database)
    tests = [one.id for one in known if one.kind == card_testing.KIND]
    with runtime.read() as session:
        return not queries_incident.is_member(session, tests, ref)


def _calendar(runtime: Runtime, viewer: Viewer) -> Calendar | None:
    key = runtime.policy.callbacks.calendar
    if key is None:
        sla = promised_by(runtime, viewer)
        key = sla.calendar if sla is not None else None
    return runtime.policy.calendars.get(key or "")


def _own_zone(runtime: Runtime, calendar: Calendar | None) -> ZoneInfo:
    told = runtime.policy.callbacks.timezone
    return told or (calendar.timezone if calendar is not None else ZoneInfo("UTC"))


def _zone_name(given: str) -> str:
    return given if len(given) <= 64 and zone_of(given) is not None else "UTC"


def _taken(session: Session, now: datetime) -> list[CallbackRow]:
    return list(queries.promised(session, now - _LONGEST))


def _time(row: CallbackRow) -> Interval:
    return Interval(row.start_at.astimezone(UTC), row.end_at.astimezone(UTC))


def _place(slot: Interval, taken: Iterable[CallbackRow]) -> int:
    used = {row.place for row in taken if row.start_at == slot.start}
    return next(place for place in range(1, len(used) + 2) if place not in used)


def _note(
    work: Work, action: str, slot: Interval, *, about: str | None = None, key: str | None = None
) -> None:
    told = {"action": action, "start": slot.start.isoformat(), "about": about}
    who = work.row.customer_name
    work.append(EntryKind.DECISION, author=AuthorKind.CUSTOMER, author_name=who, data=told, key=key)
