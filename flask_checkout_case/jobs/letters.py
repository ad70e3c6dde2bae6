"""What our mails say, in the customer's language."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ..data.models import CaseRow
from ..i18n import format_money, gettext, is_rtl, negotiate, use_locale
from ..rules.failures import customer_text
from ..services.runtime import Runtime
from ..types import FailureClass
from .mail import Mail, message_id

_FOLDER: Final = "templates/checkout_case_mail"


def payment_failed(runtime: Runtime, row: CaseRow, key: str) -> Mail:
    """Write to a customer whose payment failed: what happened, and where to go on.

    A service message about the customer's own payment: it advertises nothing.

    Args:
        key: the outbox's; it makes the Message-ID.
    """
    attempt = row.attempt or {}
    failure = FailureClass(row.failure_class or FailureClass.SOFT)
    with use_locale(_language(runtime, row.language)) as language:
        told: dict[str, Any] = {
            "shop": runtime.shop_name,
            "name": row.customer_name,
            "amount": _amount(row),
            "reason": gettext(customer_text(failure, attempt.get("outcome") or "failed")),
            "link": checkout_link(runtime, row),
            "reference": row.reference,
            "language": language,
            "direction": "rtl" if is_rtl() else "ltr",
            "subject": gettext(
                "Your payment at %(shop)s didn't go through", shop=runtime.shop_name
            ),
        }
        return Mail(
            to=row.customer_email or "",
            to_name=row.customer_name,
            subject=" ".join(str(told["subject"]).split()),
            text=_render("payment_failed.txt", told),
            html=_render("payment_failed.html", told),
            language=language,
            message_id=message_id(key, runtime.settings.mail_sender),
            reference=row.reference,
        )


def checkout_link(runtime: Runtime, row: CaseRow) -> str | None:
    """Return where the customer goes on, below the shop's public address; else ``None``.

    A URL that leads anywhere else is left out.
    """
    public = runtime.settings.public_url
    checkout = (row.snapshot or {}).get("checkout")
    path = checkout.get("url") if isinstance(checkout, dict) else None
    if not public or not isinstance(path, str) or not path:
        return None
    if not path.isprintable() or any(char in path for char in " \\"):
        return None
    link = urljoin(public.rstrip("/") + "/", path)
    here, there = urlsplit(public), urlsplit(link)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        return None
    return link


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
