"""Cases as code reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..data import queries_case as queries
from ..data.models import CaseRow
from ..data.queries_queue import QueueRow
from ..errors import InvalidInputError, NotFoundError
from ..types import (
    CaseInfo,
    Category,
    FailureClass,
    Money,
    Outcome,
    Priority,
    Ref,
    Status,
    make_ref,
)
from .runtime import Runtime

LIMIT_MOST: Final = 1000
_STATUS_WORDS: Final = frozenset(item.value for item in Status)


def info(row: CaseRow | QueueRow) -> CaseInfo:
    """Copy a case, or its line in the queue, into the frozen record that leaves the services."""
    return CaseInfo(
        reference=row.reference,
        status=Status(row.status),
        category=Category(row.category),
        failure_class=FailureClass(row.failure_class) if row.failure_class else None,
        priority=Priority(row.priority),
        team=row.team,
        assignee=row.assignee_ref,
        route=row.route,
        subject=row.subject,
        occurrences=row.occurrences,
        first_response_due=row.first_response_due,
        next_response_due=row.next_response_due,
        resolution_due=row.resolution_due,
        value=value_of(row),
        checkout_ref=row.checkout_ref,
        order_ref=row.order_ref,
        customer_ref=row.customer_ref,
        outcome=Outcome(row.outcome) if row.outcome else None,
        version=row.version,
        opened_at=row.opened_at,
    )


def value_of(row: CaseRow | QueueRow) -> Money | None:
    """The checkout's total when the case was opened."""
    if row.value_minor is None or row.currency is None:
        return None
    return Money.minor(row.value_minor, row.currency)


def get(runtime: Runtime, reference: str) -> CaseInfo:
    """Return a case.

    Raises:
        NotFoundError: there is none of that reference.
    """
    with runtime.read() as session:
        row = queries.case_by_reference(session, reference)
        if row is None:
            raise NotFoundError(f"there is no case {reference}")
        return info(row)


def find(
    runtime: Runtime,
    *,
    checkout_ref: Ref | None = None,
    order_ref: Ref | None = None,
    customer_ref: Ref | None = None,
    status: str | Iterable[str] | None = None,
    team: str | None = None,
    category: str | None = None,
    limit: int = 50,
) -> list[CaseInfo]:
    """Return the newest cases that fit everything given, at most ``limit`` (1 to 1,000).

    Raises:
        InvalidInputError: for a status or limit that can't be.
    """
    if not 1 <= limit <= LIMIT_MOST:
        raise InvalidInputError(f"limit is a number from 1 to {LIMIT_MOST}", field="limit")
    given = [status] if isinstance(status, str) else list(status or ())
    unknown = [word for word in given if word not in _STATUS_WORDS]
    if unknown:
        raise InvalidInputError(f"{unknown[0]!r} is not a status", field="status")
    wanted = {
        "checkout_ref": make_ref(checkout_ref),
        "order_ref": make_ref(order_ref),
        "customer_ref": make_ref(customer_ref),
        "team": team,
        "category": category,
    }
    with runtime.read() as session:
        rows = queries.find_cases(session, wanted, [str(word) for word in given], limit)
        return [info(row) for row in rows]
