"""What our mails say: to customers in their language, to agents in the shop's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ..change_types import Change, ChangeState
from ..data.models import AgentRow, CaseRow
from ..i18n import N_, format_money, format_when, gettext, is_rtl, negotiate, use_locale
from ..rules.clocks import BREACH
from ..rules.failures import customer_text
from ..services import change_said, rescue
from ..services.clocks import promise_of
from ..services.escalation import CALL, INCIDENT, TASK
from ..services.runtime import Runtime
from ..types import FailureClass, Order
from .mail import Mail, message_id

_FOLDER: Final = "templates/checkout_case_mail"

_SOON: Final = {
    "first_response": N_("The first response is due soon"),
    "next_response": N_("The next response is due soon"),
    "resolution": N_("The resolution is due soon"),
}
_OVERDUE: Final = {
    "first_response": N_("The first response is overdue"),
    "next_response": N_("The next response is overdue"),
    "resolution": N_("The resolution is overdue"),
}


_ENDED: Final[Mapping[ChangeState, str]] = {
    ChangeState.APPLIED: N_("Your order %(order)s is changed"),
    ChangeState.REJECTED: N_("Your order %(order)s could not be changed"),
    ChangeState.EXPIRED: N_("Your order %(order)s was not changed"),
    ChangeState.CONFLICT: N_("Your order %(order)s: we are asking the warehouse"),
}


def payment_failed(runtime: Runtime, row: CaseRow, key: str, link: str | None = None) -> Mail:
    """Write to a customer whose payment failed: what happened, and where to go on.

    A service message about the customer's own payment: it advertises nothing.

    Args:
        key: the outbox's; it makes the Message-ID.
        link: the id of the one that restores the checkout, see :mod:`.services.rescue`.
    """
    attempt = row.attempt or {}
    failure = FailureClass(row.failure_class or FailureClass.SOFT)
    with use_locale(_language(runtime, row.language)) as language:
        shop = runtime.shop_name
        told = {
            "name": row.customer_name,
            "amount": _amount(row),
            "reason": gettext(customer_text(failure, attempt.get("outcome") or "failed")),
            "link": rescue.url_of(runtime, link) if link else checkout_link(runtime, row),
            "language": language,
            "subject": gettext("Your payment at %(shop)s didn't go through", shop=shop),
        }
        return _letter(runtime, "payment_failed", row, told, to=row.customer_email, key=key)


def agent_reply(runtime: Runtime, row: CaseRow, payload: Mapping[str, Any], key: str) -> Mail:
    """Write to a customer what an agent has answered, with the way back to the checkout.

    Args:
        payload: the ``text``, the ``agent``'s name, the link's id as ``rescue``.
        key: the outbox's; it makes the Message-ID.
    """
    with use_locale(_language(runtime, row.language)) as language:
        told = {
            "name": row.customer_name,
            "agent": payload["agent"],
            "words": payload["text"],
            "link": rescue.url_of(runtime, payload["rescue"]),
            "language": language,
            "subject": gettext("Your purchase at %(shop)s", shop=runtime.shop_name),
        }
        return _letter(runtime, "agent_reply", row, told, to=row.customer_email, key=key)


def payment_again(runtime: Runtime, row: CaseRow, key: str) -> Mail:
    """Write to a customer whose payment an outage has kept from passing that it is over.

    A service message about the customer's own payment: it advertises nothing.

    Args:
        key: the outbox's; it makes the Message-ID.
    """
    with use_locale(_language(runtime, row.language)) as language:
        told = {
            "name": row.customer_name,
            "amount": _amount(row),
            "link": checkout_link(runtime, row),
            "language": language,
            "subject": gettext("You can pay at %(shop)s again", shop=runtime.shop_name),
        }
        return _letter(runtime, "payment_again", row, told, to=row.customer_email, key=key)


def change_ended(runtime: Runtime, row: CaseRow, change: Change, order: Order, key: str) -> Mail:
    """Write to a customer what has become of the change they asked for.

    A service message about the customer's own order: it advertises nothing.

    Args:
        order: as it is now, or its ``ref`` alone.
        key: the outbox's; it makes the Message-ID.
    """
    with use_locale(_language(runtime, row.language)) as language:
        told = {
            "name": row.customer_name,
            "order": change.order_ref,
            "state": change.state,
            "kind": gettext(change_said.KINDS[change.kind]),
            "what": change_said.in_a_line(change, order),
            "why": change_said.why(change),
            "money": _money_of(change),
            "link": below_public(runtime, order.url),
            "language": language,
            "subject": gettext(_ENDED[change.state], order=change.order_ref),
        }
        return _letter(runtime, "change_ended", row, told, to=row.customer_email, key=key)


def _money_of(change: Change) -> str | None:
    """Say what happens to the money, as far as that is known."""
    if change.delta is None or change.delta.minor_units == 0:
        return None
    amount = format_money(abs(change.delta.minor_units), change.delta.currency)
    if change.state is ChangeState.APPLIED and change.delta.minor_units < 0:
        return gettext("You get %(amount)s back.", amount=amount)
    if change.state is not ChangeState.APPLIED and change.payment_id is not None:
        return gettext("You get the %(amount)s back that you have paid for it.", amount=amount)
    return None


def escalation(
    runtime: Runtime, row: CaseRow, agent: AgentRow, payload: Mapping[str, Any], key: str
) -> Mail:
    """Write to an agent what is due on a case, or overdue, and where the case is.

    Args:
        payload: the clock, the percentage reached, and the due time; or the task that is late.
        key: the outbox's; it makes the Message-ID.
    """
    with use_locale(runtime.settings.locales[0]) as language:
        what = _what(payload)
        hours = promise_of(runtime.policy, row).calendar
        zone = ZoneInfo("UTC") if hours is None else hours.timezone
        told = {
            "name": agent.name,
            "what": what,
            "about": row.subject,
            "when": format_when(datetime.fromisoformat(payload["due"]), tz=zone),
            "zone": zone.key,
            "link": case_link(runtime, row),
            "language": language,
            "subject": f"{row.reference}: {what}",
        }
        return _letter(runtime, "escalation", row, told, to=agent.email, key=key)


def _what(payload: Mapping[str, Any]) -> str:
    if payload["clock"] == INCIDENT:
        return gettext("Payments have trouble")
    if payload["clock"] == TASK:
        return gettext("A task of the protocol is overdue: %(task)s", task=payload["task"])
    if payload["clock"] == CALL:
        return gettext("A customer is to be called")
    words = _OVERDUE if payload["percent"] >= BREACH else _SOON
    return gettext(words[payload["clock"]])


def case_link(runtime: Runtime, row: CaseRow) -> str | None:
    """Return the case's page, below the shop's public address; ``None`` where there is none."""
    settings = runtime.settings
    if not settings.public_url or "agent" not in settings.parts:
        return None
    return f"{settings.public_url.rstrip('/')}{settings.url_prefix}/agent/cases/{row.reference}"


def checkout_link(runtime: Runtime, row: CaseRow) -> str | None:
    """Return where the customer goes on, below the shop's public address; else ``None``.

    A URL that leads anywhere else is left out.
    """
    checkout = (row.snapshot or {}).get("checkout")
    return below_public(runtime, checkout.get("url") if isinstance(checkout, dict) else None)


def below_public(runtime: Runtime, path: object) -> str | None:
    """Return the address of one of the shop's pages, below its public address."""
    public = runtime.settings.public_url
    if not public or not isinstance(path, str) or not path:
        return None
    if not path.isprintable() or any(char in path for char in " \\"):
        return None
    link = urljoin(public.rstrip("/") + "/", path)
    here, there = urlsplit(public), urlsplit(link)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        return None
    return link


def _letter(
    runtime: Runtime, name: str, row: CaseRow, told: Mapping[str, Any], *, to: str | None, key: str
) -> Mail:
    given = {
        **told,
        "shop": runtime.shop_name,
        "reference": row.reference,
        "direction": "rtl" if is_rtl() else "ltr",
    }
    return Mail(
        to=to or "",
        to_name=told["name"],
        subject=" ".join(told["subject"].split()),
        text=_render(f"{name}.txt", given),
        html=_render(f"{name}.html", given),
        language=told["language"],
        message_id=message_id(key, runtime.settings.mail_sender),
        reference=row.reference,
    )


def _amount(row: CaseRow) -> str | None:
    attempt = row.attempt or {}
    minor, currency = attempt.get("amount_minor"), attempt.get("currency")
    if not isinstance(minor, int) or not isinstance(currency, str):
        minor, currency = row.value_minor, row.currency
    return format_money(minor, currency) if minor is not None and currency else None


def _language(runtime: Runtime, wanted: str | None) -> str:
    offered = runtime.settings.locales
    tag = negotiate([wanted]) if wanted else offered[0]
    return tag if tag in offered else offered[0]


def _render(name: str, told: dict[str, Any]) -> str:
    return _environment().get_template(name).render(told)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flask_checkout_case.jobs", _FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["_"] = gettext
    return environment
