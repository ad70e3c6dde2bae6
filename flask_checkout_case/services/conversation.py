"""What a customer sees of their cases, and how their messages reach the agents.

Nothing here tells a suspected fraud from a plain decline: texts, offers and promised times follow
from what the customer reads, never from the failure class itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ..data import queries_case
from ..data import queries_conversation as queries
from ..data.queries_conversation import PublicLine, ReachedCase
from ..errors import CheckoutCaseError
from ..i18n import current_locale
from ..rules import clocks, failures, folding, lifecycle
from ..rules.classify import classify
from ..rules.policy import Sla
from ..rules.routing import decide
from ..types import (
    AuthorKind,
    Category,
    EntryKind,
    FailureClass,
    Family,
    IncidentInfo,
    Origin,
    Status,
)
from .access import Viewer
from .cases import clean_text, customer_message
from .folding import of_stream
from .opening import CaseDraft, facts_of, open_apart
from .reading import info
from .runtime import Runtime

_JOINED_FIRST = (Family.PAYMENT, Family.MESSAGE, Family.HESITATION)


class UnavailableError(CheckoutCaseError):
    """The database can't take a message now; nothing was kept of it."""

    code = "unavailable"
    status = 503


@dataclass(frozen=True, slots=True)
class Failure:
    """What the customer is told about a failed payment.

    Args:
        text: English source; translate it when it is shown.
        actions: what is offered, most useful first.
        url: where the customer goes on with this checkout.
    """

    text: str
    actions: tuple[str, ...]
    url: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer's affairs stand, read in one statement.

    Args:
        cases: those that this customer may read, oldest first.
        mark: changes whenever something changes that the customer can see.
    """

    cases: tuple[ReachedCase, ...]
    failure: Failure | None
    mark: str

    @property
    def case_ids(self) -> tuple[int, ...]:
        return tuple(case.id for case in self.cases)

    @property
    def last_line(self) -> int:
        return max((case.last_line for case in self.cases), default=0)

    @property
    def contact(self) -> str | None:
        """The agent who looks after this customer, where so much is at stake that there is one.

        Never of a suspected fraud: that reads like a plain decline that nobody has taken yet.
        """
        for case in reversed(self.cases):
            suspected = FailureClass.FRAUD in (case.failure_class, case.category)
            live = lifecycle.is_live(Status(case.status))
            if case.high_value and live and case.assignee_name and not suspected:
                return case.assignee_name
        return None

    @property
    def call(self) -> ReachedCase | None:
        """The case about which the customer is to be called, if there is one."""
        for case in reversed(self.cases):
            if case.call_start is not None and lifecycle.is_live(Status(case.status)):
                return case
        return None

    @property
    def is_ended(self) -> bool:
        """Whether the case of the newest message has been solved or closed."""
        spoken = [case for case in self.cases if case.last_line]
        newest = max(spoken, key=lambda case: case.last_line, default=None)
        return newest is not None and not lifecycle.is_live(Status(newest.status))


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer has written.

    Args:
        key: makes a repeated post of one message one message.
        reason: what the customer picked; without it the text is classified.
        name, email: when the checkout doesn't tell them.
    """

    text: str
    key: str
    reason: Category | None = None
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message went: what the browser's token has to be widened by."""

    reference: str
    revocations: int


def stand(runtime: Runtime, viewer: Viewer) -> Standing:
    """Return how this customer's affairs stand."""
    incidents = runtime.incidents.current(runtime.database)
    with runtime.read() as session:
        found = queries.reached_cases(session, viewer.checkout_ref, viewer.references)
    cases = tuple(case for case in found if viewer.may_read(case))
    standing = Standing(cases, _failure(viewer, cases, incidents), "")
    return replace(standing, mark=_mark(standing))


def lines(runtime: Runtime, standing: Standing, after: int = 0) -> list[PublicLine]:
    """Return the conversation behind the line ``after``, oldest first."""
    with runtime.read() as session:
        return queries.public_lines(session, standing.case_ids, after)


def unread(runtime: Runtime, standing: Standing, seen: int | None) -> tuple[int, str | None]:
    """Return how many answers are new, and who gave the newest.

    Args:
        seen: the newest line that this browser has shown; without it everything behind the
            customer's own last message is new.
    """
    if not standing.last_line:
        return 0, None
    with runtime.read() as session:
        return queries.answers_after(session, standing.case_ids, seen)


def answered_within(runtime: Runtime, viewer: Viewer, failure: Failure | None) -> timedelta | None:
    """Return in what time the policy promises a first answer; ``None`` promises nothing.

    Out of hours that is longer: until the team is back, and the promise from then on.
    """
    policy, now = runtime.policy, runtime.clock()
    sla = promised_by(runtime, viewer, failure)
    calendar = policy.calendars.get(sla.calendar) if sla is not None else None
    due = clocks.first_dues(sla, now, calendar).first_response
    return due - now if due is not None else None


def promised_by(runtime: Runtime, viewer: Viewer, failure: Failure | None = None) -> Sla | None:
    """Return the service level of the route that this customer's message would take."""
    draft = CaseDraft(
        family=Family.MESSAGE,
        category=Category.OTHER if failure is None else Category.PAYMENT_DECLINED,
        origin=Origin.WIDGET,
        at=runtime.clock(),
        snapshot=viewer.checkout,
        language=language_of(viewer),
    )
    return decide(runtime.policy, facts_of(draft)).sla


def post(runtime: Runtime, viewer: Viewer, message: Message, nonce: str) -> Posted:
    """Take a customer's message: into the case it belongs to, else into a new one.

    Args:
        nonce: this browser's name; a customer without a checkout has one open case per browser.

    Raises:
        InvalidInputError: the text is empty or too long.
        UnavailableError: the database refuses; the message may be posted again under its key.
    """
    message = replace(
        message,
        text=clean_text(message.text),
        name=message.name or viewer.customer.get("name"),
        email=message.email or viewer.customer.get("email"),
    )
    try:
        return _post_again(runtime, viewer, message, nonce)
    except SQLAlchemyError as error:
        raise UnavailableError("the database can't take the message") from error


def _post_again(runtime: Runtime, viewer: Viewer, message: Message, nonce: str) -> Posted:
    try:
        return _post(runtime, viewer, message, nonce)
    except IntegrityError:
        # The same message came twice at once and the other was first: now it is found.
        return _post(runtime, viewer, message, nonce)


def _post(runtime: Runtime, viewer: Viewer, message: Message, nonce: str) -> Posted:
    with runtime.read() as session:
        found = queries.reached_cases(session, viewer.checkout_ref, viewer.references)
    cases = [case for case in found if viewer.may_read(case)]
    target = target_of(viewer, cases)
    if target is not None:
        return _append(runtime, target.reference, message)
    draft = _draft(runtime, viewer, message, nonce, is_alone=len(cases) == len(found))
    with runtime.write() as unit:
        taken = queries_case.live_case_by_key(unit.session, draft.dedupe_key)
        if taken is None or not viewer.may_read(taken):
            row, _ = open_apart(unit, draft, viewer.may_read, message.key)
            unit.emit("message_posted", case=info(row), author="customer", text=message.text)
            return Posted(row.reference, row.revocations)
        reference = taken.reference
    return _append(runtime, reference, message)


def _append(runtime: Runtime, reference: str, message: Message) -> Posted:
    posted = customer_message(
        runtime,
        reference,
        message.text,
        key=message.key,
        name=message.name,
        email=message.email,
    )
    with runtime.read() as session:
        row = queries_case.case_by_reference(session, posted.reference)
        return Posted(posted.reference, row.revocations if row is not None else 0)


def target_of(viewer: Viewer, cases: Sequence[ReachedCase]) -> ReachedCase | None:
    """Choose the case that a message belongs to, if there is one."""
    here = viewer.checkout_ref
    live = [case for case in cases if lifecycle.is_live(Status(case.status))]
    for family in _JOINED_FIRST:
        for case in reversed(live):
            if here is not None and case.checkout_ref == here and case.family == family:
                return case
    spoken = [case for case in live if case.last_line]
    if spoken:
        return max(spoken, key=lambda case: case.last_line)
    ended = [
        case
        for case in cases
        if case not in live and case.last_line and (here is None or case.checkout_ref == here)
    ]
    return max(ended, key=lambda case: case.last_line, default=None)


def language_of(viewer: Viewer) -> str | None:
    """Return the tag in which the shop, else the browser, says that the customer reads."""
    return viewer.customer.get("language") or viewer.language


def _draft(
    runtime: Runtime, viewer: Viewer, message: Message, nonce: str, *, is_alone: bool
) -> CaseDraft:
    """Describe the case that a first message opens.

    Args:
        is_alone: no case of this checkout belongs to somebody else.
    """
    language = language_of(viewer)
    found = classify(message.text, language)
    category = message.reason or found.category
    line = {
        "kind": EntryKind.MESSAGE,
        "author": AuthorKind.CUSTOMER,
        "author_name": message.name,
        "public": True,
        "text": message.text,
        "key": message.key,
    }
    return CaseDraft(
        family=Family.MESSAGE,
        category=category,
        second_category=found.second if found.category == category else found.category,
        confidence=found.confidence if message.reason is None else 1.0,
        origin=Origin.WIDGET,
        at=runtime.clock(),
        checkout_ref=viewer.checkout_ref,
        own_key=f"browser:{nonce}",
        # The cart has changed hands: its earlier owner's case is not this customer's.
        reason=None if is_alone else f"browser:{nonce}",
        snapshot=viewer.checkout,
        text=message.text,
        language=language,
        customer_name=message.name,
        customer_email=message.email,
        entries=(line,),
    )


def _failure(
    viewer: Viewer, cases: Sequence[ReachedCase], incidents: Sequence[IncidentInfo]
) -> Failure | None:
    """What is wrong with this checkout's payment, as far as the customer is told."""
    for case in reversed(cases):
        live = lifecycle.is_live(Status(case.status))
        here = viewer.checkout_ref is not None and case.checkout_ref == viewer.checkout_ref
        if live and here and case.family == Family.PAYMENT and case.failure_class:
            kind = FailureClass(case.failure_class)
            outcome = str((case.attempt or {}).get("outcome") or "failed")
            url = (viewer.checkout or {}).get("url")
            outage = _outage(incidents, case.attempt or {}, kind, outcome)
            return Failure(
                outage or failures.customer_text(kind, outcome),
                folding.ACTIONS if outage else failures.next_actions(kind, outcome),
                str(url) if url else None,
            )
    return None


def _outage(
    incidents: Sequence[IncidentInfo], attempt: Mapping[str, Any], kind: FailureClass, outcome: str
) -> str | None:
    """What the customer is told instead while payments like theirs fail for everybody."""
    for incident in of_stream(incidents, attempt):
        text = folding.outage_text(incident.class_group or "", kind, outcome)
        if text is not None:
            return text
    return None


def _mark(standing: Standing) -> str:
    # What agents do among themselves must not show: no version, and live is live.
    seen = [
        (case.id, case.last_line, lifecycle.is_live(Status(case.status))) for case in standing.cases
    ]
    call = standing.call
    told = (standing.failure, standing.contact, call and (call.call_start, call.call_phone))
    written = repr((seen, told, current_locale.get()))
    return hashlib.sha256(written.encode()).hexdigest()[:20]
