"""Links that lead customers back to the step at which their checkout failed, in any browser.

Signed, for one use, and for a time: whoever has one has the checkout.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from ..data import queries_case, queries_due
from ..data import queries_rescue as queries
from ..data.models import CaseRow
from ..data.rescue_models import RescueRow
from ..errors import NotFoundError
from ..rules import rescue as rules
from ..rules.rescue import Difference
from ..types import Agent, EntryKind
from .entries import entry
from .runtime import Runtime, Unit
from .shop import is_ordered

log = logging.getLogger(__name__)

_SALT: Final = "checkout-case-rescue"


class Standing(StrEnum):
    """Whether a link still leads anywhere."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Rescue:
    """A link, and the checkout as it was when it failed.

    Args:
        snapshot: see ``capture``.
    """

    public_id: str
    case: str
    checkout_ref: str
    standing: Standing
    snapshot: Mapping[str, Any]


def is_offered(runtime: Runtime) -> bool:
    """Whether the shop can restore a checkout, and mails know where the shop is."""
    settings = runtime.settings
    has_page = bool(settings.public_url) and "widget" in settings.parts
    return has_page and runtime.hooks.checkout_restorer is not None


def make(unit: Unit, case: CaseRow, agent: Agent | None = None) -> str | None:
    """Make a link for a case's checkout; its id, or nothing where none can be made."""
    if case.checkout_ref is None or not is_offered(unit.runtime):
        return None
    row = RescueRow(
        public_id=secrets.token_urlsafe(24),
        case_id=case.id,
        checkout_ref=case.checkout_ref,
        made_at=unit.now,
        made_by=str(agent.ref) if agent is not None else None,
        expires_at=unit.now + unit.runtime.policy.outreach.link_for,
    )
    queries.add_rescue(unit.session, row)
    return row.public_id


def url_of(runtime: Runtime, public_id: str) -> str:
    """Return the link's address, for a mail."""
    settings = runtime.settings
    token = _serializer(runtime).dumps(public_id)
    return f"{(settings.public_url or '').rstrip('/')}{settings.url_prefix}/rescue/{token}"


def _serializer(runtime: Runtime) -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(runtime.secret_keys())), salt=_SALT)


def find(runtime: Runtime, token: str) -> Rescue:
    """Return what a link leads to.

    Raises:
        NotFoundError: it is forged, or its case has been erased.
    """
    try:
        public_id = _serializer(runtime).loads(token)
    except BadSignature as error:
        raise NotFoundError("there is no such link") from error
    with runtime.read() as session:
        row = queries.rescue_by_id(session, str(public_id))
        case = queries_due.case_by_id(session, row.case_id) if row is not None else None
        if row is None or case is None:
            raise NotFoundError("there is no such link")
        standing = _standing(session, row, runtime.clock())
        snapshot = (case.snapshot or {}).get("checkout") or {}
        found = Rescue(row.public_id, case.reference, row.checkout_ref, standing, snapshot)
    if found.standing is Standing.OPEN and is_ordered(runtime, found.checkout_ref):
        return Rescue(
            found.public_id, found.case, found.checkout_ref, Standing.PAID, found.snapshot
        )
    return found


def _standing(session: Session, row: RescueRow, now: datetime) -> Standing:
    checkout = queries_case.checkout_by_ref(session, row.checkout_ref)
    if checkout is not None and (checkout.paid_at is not None or checkout.ordered_at is not None):
        return Standing.PAID
    if row.used_at is not None:
        return Standing.USED
    return Standing.EXPIRED if now >= row.expires_at else Standing.OPEN


def restore(runtime: Runtime, rescue: Rescue) -> str | None:
    """Use a link: let the shop restore the checkout in this browser.

    Returns:
        Where the customer goes on; ``None`` where somebody was faster, or the shop can't restore
        it: then the link is as unused as before.
    """
    hook = runtime.hooks.checkout_restorer
    if rescue.standing is not Standing.OPEN or hook is None:
        return None
    now = runtime.clock()
    with runtime.write() as unit:
        if not queries.claim_rescue(unit.session, rescue.public_id, now):
            return None
    try:
        url = hook(rescue.checkout_ref)
    except Exception:
        log.exception("the checkout_restorer failed")
        url = None
    with runtime.write() as unit:
        if url is None:
            queries.release_rescue(unit.session, rescue.public_id, now)
        else:
            _note(unit, rescue)
    return url


def _note(unit: Unit, rescue: Rescue) -> None:
    case = queries_case.case_by_reference(unit.session, rescue.case)
    if case is not None:
        line = entry(case, EntryKind.DECISION, unit.now, data={"action": "came_back"})
        queries_case.add_entries(unit.session, [line])


def differences(runtime: Runtime, rescue: Rescue, now: Mapping[str, Any]) -> list[Difference]:
    """Return what is other than it was when the checkout failed.

    Args:
        now: the checkout's snapshot after it was restored.
    """
    loader = runtime.hooks.inventory_loader
    skus = [line["sku"] for line in now.get("lines") or () if line.get("sku")]
    stock: dict[str, int | None] = {}
    if loader is not None:
        try:
            with runtime.apart():
                stock = {sku: loader(sku) for sku in skus}
        except Exception:
            log.exception("the inventory_loader failed: nothing is said about stock")
    return rules.differences(rescue.snapshot, now, stock)


def has_brought_back(session: Session, case: CaseRow, paid_at: datetime) -> bool:
    """Whether a payment is to be put down to a link of this case."""
    since, until = paid_at - rules.CREDITED_FOR, paid_at + rules.CLOCKS_DIFFER
    return queries.was_rescued(session, case.id, since, until)
