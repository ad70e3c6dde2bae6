"""Sending what lies in the outbox: at least once, and once in all that isn't a crash.

A row is leased, looked at once more, sent, and settled. A worker that dies in between loses its
lease and another sends: the message has the same Message-ID then.
"""

from __future__ import annotations

import logging
import os
import secrets
import smtplib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ..data import claims, queries_due
from ..data.models import OutboxRow
from ..errors import ConfigurationError
from ..services import agent_mail, change_steps, changes, escalation, outreach, shop
from ..services import handover as handing
from ..services.runtime import Runtime
from ..types import Order
from . import alerts, handover, letters
from .alerts import Alert
from .drain import drain
from .handover import Application, LateApplication, Post, Refund
from .mail import Mail, Mailer, PermanentError, mailer_of

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=3)
"""Longer than a mail server that answers each step just in time."""
TRIES: Final = 12
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
AT_ONCE: Final = 200
"""Messages of one run; the rest waits for the next, so that stopping never takes long."""

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Item:
    """One leased row of the outbox."""

    id: int
    key: str
    kind: str
    case_id: int | None
    payload: Mapping[str, Any]
    attempts: int


class NotWantedError(Exception):
    """It must not be sent any more; the message says why."""


Message = Mail | Alert | Post | Application | LateApplication | Refund
Prepare = Callable[[Runtime, Item], Message]


def deliver(
    runtime: Runtime,
    *,
    owner: str | None = None,
    lease: timedelta = LEASE,
    limit: int = AT_ONCE,
    stopping: Callable[[], bool] = lambda: False,
    step: Step | None = None,
) -> int:
    """Send what is due; the number of messages that left.

    Args:
        owner: names this worker; another one for each call when ``None``.
        lease: how long a message is this worker's.
        stopping: asked before each message.
        step: called with the name of each step; the fault tests' way in.

    Raises:
        ConfigurationError: the mail server's address is wrong.
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    worker = _Worker(runtime, owner or _owner(), lease, step)
    sent = 0
    for _ in range(limit):
        if stopping():
            break
        item = worker.claim()
        if item is None:
            break
        sent += worker.work(item)
    return sent


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failed attempts: 30 s, doubled, at most an hour."""
    doublings = max(0, min(attempts - 1, 20))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _owner() -> str:
    return f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"


class _Worker:
    def __init__(self, runtime: Runtime, owner: str, lease: timedelta, step: Step | None) -> None:
        self.runtime = runtime
        self.owner = owner
        self.lease = lease
        self._step = step
        self._mailer: Mailer | None = mailer_of(runtime)

    def claim(self) -> Item | None:
        with self.runtime.write() as unit:
            rows = claims.claim(unit.session, unit.now, owner=self.owner, lease=self.lease, limit=1)
            found = [_item(row) for row in rows]
        self._stepped("claimed")
        return found[0] if found else None

    def work(self, item: Item) -> bool:
        """Send one; whether it left. Whatever goes wrong with it is written down, not raised."""
        try:
            message = self._prepared(item)
            self._stepped("prepared")
            if not self._renewed(item):
                log.warning("another worker has taken over %s", item.key)
                return False
            self._stepped("renewed")
            self._send(message)
        except NotWantedError as error:
            self._settle(item, claims.CANCELLED, str(error))
            return False
        except PermanentError as error:
            log.warning("%s can't be sent: %s", item.key, error)
            self._give_up(item, str(error))
            return False
        except Exception as error:  # noqa: BLE001 - the shop's mailer may raise anything
            self._failed(item, error)
            return False
        self._stepped("sent")
        self._settle(item, claims.DONE, None, message)
        self._stepped("settled")
        return True

    def _prepared(self, item: Item) -> Message:
        prepare = KINDS.get(item.kind)
        if prepare is None:
            raise PermanentError(f"nobody delivers a {item.kind!r}")
        return prepare(self.runtime, item)

    def _renewed(self, item: Item) -> bool:
        with self.runtime.write() as unit:
            return claims.renew(unit.session, item.id, unit.now, owner=self.owner, lease=self.lease)

    def _send(self, message: Message) -> None:
        if isinstance(message, Alert):
            alerts.send(self.runtime, message, self.runtime.clock())
            return
        if isinstance(message, Post | Application | LateApplication | Refund):
            message.send(self.runtime)
            return
        if self._mailer is None:
            raise ConfigurationError("there is no mailer: set CHECKOUT_CASE_MAIL_URL")
        self._mailer(message)

    def _settle(
        self, item: Item, state: str, error: str | None, sent: Message | None = None
    ) -> None:
        with self.runtime.write() as unit:
            settled = claims.settle(
                unit.session, item.id, unit.now, owner=self.owner, state=state, error=error
            )
            case = (
                queries_due.case_by_id(unit.session, item.case_id)
                if settled
                and item.case_id is not None
                and item.kind in _TO_CUSTOMERS
                and state != claims.CANCELLED
                else None
            )
            if case is not None:
                told = {"state": "sent" if sent else "failed", "error": error}
                kept = _kept(sent) if isinstance(sent, Mail) else {}
                outreach.record(unit, case, told | kept, item.kind)
        if not settled:
            log.warning("%s was settled by another worker", item.key)

    def _failed(self, item: Item, error: Exception) -> None:
        told = _described(error)
        pause = _pause(item, error)
        if pause is None:
            log.error("gave up on %s after %s tries: %s", item.key, item.attempts, told)
            self._give_up(item, told)
            return
        log.warning("%s could not be sent (try %s): %s", item.key, item.attempts, told)
        with self.runtime.write() as unit:
            due_at = unit.now + pause
            claims.put_back(unit.session, item.id, due_at, owner=self.owner, error=told)

    def _give_up(self, item: Item, told: str) -> None:
        if item.kind == change_steps.HANDOVER:
            handing.give_up(self.runtime, str(item.payload["change"]), told)
        elif item.kind == change_steps.APPLY:
            handing.give_up_applying(self.runtime, str(item.payload["change"]), told)
        self._settle(item, claims.GAVE_UP, told)

    def _stepped(self, name: str) -> None:
        if self._step is not None:
            self._step(name)


def _pause(item: Item, error: Exception) -> timedelta | None:
    if item.kind in handing.TYPES:
        return handover.pause_after(item.attempts, error)
    return pause_after(item.attempts) if item.attempts < TRIES else None


def _described(error: Exception) -> str:
    """Say what went wrong without what mail servers quote: addresses belong in no log."""
    name = type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{name}: {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"{name}: {', '.join(str(code) for code, _ in error.recipients.values())}"
    return f"{name}: {error}"[:1000]


def _kept(mail: Mail) -> dict[str, Any]:
    return {"message_id": mail.message_id, "subject": mail.subject, "text": mail.text}


def _item(row: OutboxRow) -> Item:
    return Item(row.id, row.key, row.kind, row.case_id, dict(row.payload), row.attempts)


def _payment_failed(runtime: Runtime, item: Item) -> Mail:
    # A purchase of a moment ago may still lie in the spool.
    drain(runtime)
    row, reason = outreach.why_not_now(runtime, item.case_id)
    if row is None or reason is not None:
        raise NotWantedError(reason or "the case is gone")
    return letters.payment_failed(runtime, row, item.key, item.payload.get("rescue"))


def _payment_again(runtime: Runtime, item: Item) -> Mail:
    drain(runtime)
    row, reason = outreach.why_not_now(runtime, item.case_id, invited=True)
    if row is None or reason is not None:
        raise NotWantedError(reason or "the case is gone")
    return letters.payment_again(runtime, row, item.key)


def _escalation(runtime: Runtime, item: Item) -> Mail:
    row, agent, reason = escalation.why_not_now(runtime, item.case_id, item.payload)
    if row is None or agent is None or reason is not None:
        raise NotWantedError(reason or "the case is gone")
    return letters.escalation(runtime, row, agent, item.payload, item.key)


def _alert(runtime: Runtime, item: Item) -> Alert:
    return alerts.escalated(runtime, item.case_id, item.payload, item.key)


def _change(runtime: Runtime, item: Item) -> Post:
    found = handover.prepare(runtime, item.kind, str(item.payload["change"]), item.key)
    if isinstance(found, str):
        raise NotWantedError(found)
    return found


def _change_applied(_runtime: Runtime, item: Item) -> Application:
    return Application(str(item.payload["change"]))


def _change_mail(runtime: Runtime, item: Item) -> Mail:
    change = changes.get(runtime, str(item.payload["change"]))
    if change.state != item.payload["state"]:
        raise NotWantedError(f"the change is {change.state} by now")
    with runtime.read() as session:
        row = queries_due.case_by_id(session, item.case_id) if item.case_id is not None else None
    if row is None or not row.customer_email:
        raise NotWantedError("nobody to write to")
    order = shop.order_of(runtime, change.order_ref) or Order(ref=change.order_ref or "")
    return letters.change_ended(runtime, row, change, order, item.key)


def _agent_reply(runtime: Runtime, item: Item) -> Mail:
    row, reason = agent_mail.why_not_now(runtime, item.case_id)
    if row is None or reason is not None:
        raise NotWantedError(reason or "the case is gone")
    return letters.agent_reply(runtime, row, item.payload, item.key)


def _change_refund(_runtime: Runtime, item: Item) -> Refund:
    return Refund(str(item.payload["change"]))


def _checkout_change(_runtime: Runtime, item: Item) -> LateApplication:
    return LateApplication(str(item.payload["change"]))


_TO_CUSTOMERS: Final = frozenset(
    {outreach.KIND, outreach.INVITATION, change_steps.MAIL, agent_mail.KIND}
)
KINDS: Final[Mapping[str, Prepare]] = {
    outreach.KIND: _payment_failed,
    outreach.INVITATION: _payment_again,
    agent_mail.KIND: _agent_reply,
    escalation.KIND: _escalation,
    escalation.ALERT: _alert,
    change_steps.HANDOVER: _change,
    change_steps.HOLD: _change,
    change_steps.RELEASE: _change,
    change_steps.APPLY: _change_applied,
    change_steps.CHECKOUT: _checkout_change,
    change_steps.MAIL: _change_mail,
    change_steps.REFUND: _change_refund,
}
"""Who prepares what, by the outbox's ``kind``: a new one is a function and a line here."""
