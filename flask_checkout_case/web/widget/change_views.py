"""Changing an order: what may be asked for, what it would mean, and what became of it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from ...change_types import ADDRESS_FIELDS, ChangeKind, ChangeState
from ...errors import CheckoutCaseError, InvalidInputError, NotFoundError
from ...i18n import gettext
from ...rules import changes as rules
from ...rules.addresses import form_of
from ...services import changes
from ...services.change_steps import RefusedChangeError
from ...services.change_terms import AddressError, Terms, is_offered, order_now, terms_of
from ...services.changes import TermsChangedError
from ...services.shop import current_customer_ref
from ...types import Order, make_ref
from ..address_words import FIELDS as ADDRESS_WORDS
from ..current import runtime
from ..guard import CsrfError, check_csrf, limit_rate, signing_keys
from . import change_words, wording
from .blueprint import blueprint
from .views import read_key

log = logging.getLogger(__name__)

SALT: Final = "checkout-case-order"
TOKEN_AGE: Final = 24 * 3600
"""Seconds for which a link to change an order works; a newer one is on each page of the order."""
PAGE: Final = "checkout_case/widget/change.html"


def change_url(order_ref: Any) -> str:
    """Return where this order's customer can change it; nothing where changes aren't offered.

    For the shop's own page of the order, which only its customer sees: whoever has the link can
    change the order for a day.
    """
    found: Any = current_app.extensions["checkout_case"]
    ref = make_ref(order_ref)
    if ref is None or not is_offered(found):
        return ""
    return url_for(f"{blueprint.name}.change_page", token=seal(ref))


def seal(order_ref: str) -> str:
    """Return the token of an order, which only the shop hands out."""
    return str(URLSafeTimedSerializer(signing_keys(), salt=SALT).dumps(order_ref))


def _order(token: str) -> Order:
    try:
        ref = URLSafeTimedSerializer(signing_keys(), salt=SALT).loads(token, max_age=TOKEN_AGE)
    except BadSignature as error:
        raise NotFoundError("no such order") from error
    if not isinstance(ref, str) or not is_offered(runtime()):
        raise NotFoundError("no such order")
    order = order_now(runtime(), ref)
    # A link that was forwarded is of no use to somebody else who is logged in.
    owner = make_ref(order.customer.ref) if order.customer is not None else None
    here = current_customer_ref(runtime())
    if owner is not None and here is not None and owner != here:
        raise NotFoundError("no such order")
    return order


@blueprint.get("/change/<token>")
def change_page(token: str) -> ResponseReturnValue:
    """Show what may be changed, a form for the chosen kind, and the requests so far."""
    limit_rate("help", reading=True)
    order = _order(token)
    kind = _kind(request.args.get("kind")) if request.args.get("kind") else None
    return _page(token, order, kind=kind)


@blueprint.post("/change/<token>")
def change_post(token: str) -> ResponseReturnValue:
    """Show what a change would mean (``do=look``), or take the request for it."""
    limit_rate("message")
    order = _order(token)
    kind = _kind(request.form.get("kind"))
    given = _given(kind, request.form)
    try:
        check_csrf()
        if request.form.get("do") == "agree":
            return _take(token, order, kind, given)
        terms = terms_of(runtime(), order, kind, given, runtime().clock())
        if terms.refusal is not None:
            raise RefusedChangeError(terms.refusal)
    except CheckoutCaseError as error:
        return _page(token, order, kind=kind, **_complaint(error)), error.status
    return _page(token, order, kind=kind, terms=terms)


def _complaint(error: CheckoutCaseError) -> dict[str, Any]:
    """Say what was wrong on the page itself, where nobody loses what they typed.

    Raises:
        CheckoutCaseError: the page has no place for it.
    """
    if isinstance(error, AddressError):
        return {"problems": error.problems}
    if isinstance(error, RefusedChangeError):
        return {"error": change_words.refused(error.reason)}
    if isinstance(error, TermsChangedError):
        told = gettext("The order or the price has changed meanwhile. Please look again.")
        return {"terms": error.terms, "error": told}
    if isinstance(error, InvalidInputError) and error.field is not None:
        return {"problems": {error.field: "invalid"}}
    if isinstance(error, CsrfError):
        return {"error": str(error)}
    raise error


def _take(token: str, order: Order, kind: ChangeKind, given: Mapping[str, Any]) -> Response:
    change = changes.ask(
        runtime(),
        make_ref(order.ref) or "",
        kind,
        given,
        agreed=request.form.get("content", ""),
        key=read_key(request.form.get("key")),
    )
    pay = runtime().hooks.change_payment
    if change.state is ChangeState.AWAITING_PAYMENT and pay is not None:
        where = wording.safe_url(pay(change))
        if where:
            return redirect(where, 303)
    return redirect(url_for(f"{blueprint.name}.change_page", token=token) + "#requests", 303)


def _page(
    token: str,
    order: Order,
    *,
    kind: ChangeKind | None,
    terms: Terms | None = None,
    problems: Mapping[str, str] | None = None,
    error: str | None = None,
) -> str:
    now, plan = runtime().clock(), runtime().policy.changes
    stage = rules.stage_of(order)
    offered = frozenset(
        one
        for one in change_words.KINDS
        if rules.why_refused(plan, one, stage, order.cut_off_at, now) is None
    )
    closed = rules.why_refused(plan, ChangeKind.ADDRESS, stage, order.cut_off_at, now)
    closes = rules.closes_at(plan, stage, order.placed_at, order.cut_off_at)
    typed = dict(request.form) if request.method == "POST" else _typed(order)
    return render_template(
        PAGE,
        token=token,
        order=order,
        kinds=change_words.kinds(order, offered),
        # What was just refused has said so.
        closed=change_words.refused(closed)
        if closed is not None and not offered and not error
        else "",
        until=change_words.until(closes if closes is not None and closes > now else None),
        kind=kind if kind in offered else None,
        title=gettext(change_words.KINDS[kind]) if kind is not None else "",
        terms=_shown(terms, order) if terms is not None else None,
        problems={
            name: gettext(change_words.PROBLEMS[one]) for name, one in (problems or {}).items()
        },
        error=error,
        typed=typed,
        fields=_fields(typed.get("country") or ""),
        requests=[change_words.state(one) for one in changes.of_order(runtime(), str(order.ref))],
        back=wording.safe_url(order.url) or "/",
        key=secrets.token_urlsafe(12),
    )


def _shown(terms: Terms, order: Order) -> dict[str, Any]:
    return {
        "before": change_words.lines_of(terms.kind, terms.before, order),
        "after": change_words.lines_of(terms.kind, terms.asked, order),
        "fields": change_words.changed_fields(terms.kind, terms.before, terms.asked),
        "price": change_words.price(terms.delta),
        "leave": change_words.leave(terms),
        "content": terms.content,
        "given": {name: value for name, value in terms.asked.items() if name != "title"},
    }


def _fields(country: str) -> list[dict[str, Any]]:
    form = form_of(country.strip().upper())
    shown = {"name", "line1", "line2", "city", "postcode", "country", "region", *form.used}
    required = form.required | {"name", "country"}
    return [
        {"name": name, "label": gettext(ADDRESS_WORDS[name]), "required": name in required}
        for name in ADDRESS_FIELDS
        if name in shown
    ]


def _typed(order: Order) -> dict[str, Any]:
    return {
        **(order.address or {}),
        "delivery": order.delivery,
        "instructions": order.instructions or "",
        "gift_note": order.gift_note or "",
    }


def _kind(given: str | None) -> ChangeKind:
    try:
        kind = ChangeKind(given or "")
    except ValueError as error:
        raise NotFoundError("no such change") from error
    if kind not in change_words.KINDS:
        raise NotFoundError("no such change")
    return kind


def _given(kind: ChangeKind, form: Mapping[str, str]) -> dict[str, Any]:
    if kind is ChangeKind.ADDRESS:
        return {name: form.get(name, "") for name in ADDRESS_FIELDS}
    if kind in (ChangeKind.QUANTITY, ChangeKind.REMOVE):
        number = form.get("quantity", "")
        whole = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else None
        return {"sku": form.get("sku"), "quantity": whole}
    return {name: form.get(name, "") for name in ("delivery", "instructions", "gift_note")}
