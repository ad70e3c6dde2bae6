"""An agent's answer that also goes out by e-mail, with a link back to the checkout."""

from __future__ import annotations

from typing import Final

from ..data import outbox, queries_case, queries_due
from ..data.models import CaseRow
from ..errors import InvalidInputError
from ..i18n import gettext
from ..types import Agent, Status
from . import rescue
from .outreach import can_send
from .runtime import Runtime
from .work import Work

KIND: Final = "agent_mail"


def may_send(runtime: Runtime, row: CaseRow) -> bool:
    """Whether this case's customer can be sent a link to their checkout."""
    is_reachable = bool(row.customer_email) and can_send(runtime)
    return is_reachable and row.checkout_ref is not None and rescue.is_offered(runtime)


def put(work: Work, text: str, agent: Agent) -> None:
    """Write the mail to the outbox, in the transaction of the answer.

    Args:
        text: what the agent has written.

    Raises:
        InvalidInputError: the customer can't be reached, or no link can be made
            (``field="with_link"``).
    """
    unit, row = work.unit, work.row
    if not may_send(unit.runtime, row):
        told = gettext("This customer can't be sent a link.")
        raise InvalidInputError(told, field="with_link")
    link = rescue.make(unit, row, agent)
    payload = {"text": text, "rescue": link, "agent": agent.name}
    outbox.put(unit.session, KIND, f"{KIND}:{link}", payload, now=unit.now, case_id=row.id)


def why_not_now(runtime: Runtime, case_id: int | None) -> tuple[CaseRow | None, str | None]:
    """Look once more right before sending: the case, and why not to send."""
    with runtime.read() as session:
        row = queries_due.case_by_id(session, case_id) if case_id is not None else None
        if row is None or not row.customer_email:
            return None, "nobody to write to"
        ref = row.checkout_ref
        checkout = queries_case.checkout_by_ref(session, ref) if ref else None
        is_paid = checkout is not None and (checkout.paid_at or checkout.ordered_at)
    if is_paid:
        return row, "paid or ordered"
    return row, "the case is closed" if row.status == Status.CLOSED else None
