"""Changing an order: what may be asked for, what it would mean, and what became of it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from ...change_types import ADDRESS_FIELDS, ChangeKind, ChangeState
from ...errors import CheckoutCaseError, InvalidInputError, NotFoundError
from ...i18n import gettext
from ...rules import changes as rules
from ...rules.addresses import form_of
from ...services import change_said, changes
from ...services.change_steps import RefusedChangeError
from ...services.change_terms import AddressError, Terms, terms_of
from ...services.changes import TermsChangedError
from ...types import Order
from ..address_words import FIELDS as ADDRESS_WORDS
from ..current import runtime
from ..guard import CsrfError, check_csrf, limit_rate
from . import change_places as places
from . import change_words, wording
from .blueprint import blueprint
from .views import read_key

log = logging.getLogger(__name__)

PAGE: Final = "checkout_case/widget/change.html"


@blueprint.get("/change/<token>")
def change_page(token: str) -> ResponseReturnValue:
    """Show what may be changed, a form for the chosen kind, and the requests so far."""
    limit_rate("help", reading=True)
    return _show(places.of_order(token))


@blueprint.get("/change")
def checkout_page() -> ResponseReturnValue:
    """Show the same of the checkout of this request."""
    limit_rate("help", reading=True)
    return _show(places.of_checkout())


@blueprint.post("/change/<token>")
def change_post(token: str) -> ResponseReturnValue:
    """Show what a change would mean (``do=look``), or take the request for it."""
    limit_rate("message")
    return _answer(places.of_order(token))


@blueprint.post("/change")
def checkout_post() -> ResponseReturnValue:
    """Do the same for the checkout of this request."""
    limit_rate("message")
    return _answer(places.of_checkout())


def _show(place: places.Place) -> str:
    kind = _kind(request.args.get("kind")) if request.args.get("kind") else None
    return _page(place, kind=kind)


def _answer(place: places.Place) -> ResponseReturnValue:
    kind = _kind(request.form.get("kind"))
    given = _given(kind, request.form)
    try:
        check_csrf()
        if request.form.get("do") == "agree":
            return _take(place, kind, given)
        terms = terms_of(runtime(), place.order, kind, given, runtime().clock())
        if terms.refusal is not None:
            raise RefusedChangeError(terms.refusal)
    except CheckoutCaseError as error:
        return _page(place, kind=kind, **_complaint(error)), error.status
    return _page(place, kind=kind, terms=terms)


def _complaint(error: CheckoutCaseError) -> dict[str, Any]:
    """Say what was wrong on the page itself, where nobody loses what they typed.

    Raises:
        CheckoutCaseError: the page has no place for it.
    """
    if isinstance(error, AddressError):
        return {"problems": error.problems}
    if isinstance(error, RefusedChangeError):
        return {"error": change_said.refused(error.reason)}
    if isinstance(error, TermsChangedError):
        told = gettext("The order or the price has changed meanwhile. Please look again.")
        return {"terms": error.terms, "error": told}
    if isinstance(error, InvalidInputError) and error.field is not None:
        return {"problems": {error.field: "invalid"}}
    if isinstance(error, CsrfError):
        return {"error": str(error)}
    raise error


def _take(place: places.Place, kind: ChangeKind, given: Mapping[str, Any]) -> Response:
    change = place.take(
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
    return redirect(f"{place.url}#requests", 303)


def _page(
    place: places.Place,
    *,
    kind: ChangeKind | None,
    terms: Terms | None = None,
    problems: Mapping[str, str] | None = None,
    error: str | None = None,
) -> str:
    now, plan, order = runtime().clock(), runtime().policy.changes, place.order
    stage = rules.stage_of(order)
    offered = places.offered(order)
    closed = rules.why_refused(plan, ChangeKind.ADDRESS, stage, order.cut_off_at, now)
    closes = rules.closes_at(plan, stage, order.placed_at, order.cut_off_at)
    typed = dict(request.form) if request.method == "POST" else _typed(order)
    return render_template(
        PAGE,
        here=place.url,
        in_checkout=place.in_checkout,
        order=order,
        kinds=places.kinds(order),
        addons=change_words.addons(order),
        # What was just refused has said so.
        closed=change_said.refused(closed)
        if closed is not None and not offered and not error
        else "",
        until=change_words.until(closes if closes is not None and closes > now else None),
        kind=kind if kind in offered else None,
        title=gettext(change_said.KINDS[kind]) if kind is not None else "",
        terms=_shown(terms, order) if terms is not None else None,
        problems={
            name: gettext(change_words.PROBLEMS[one]) for name, one in (problems or {}).items()
        },
        error=error,
        typed=typed,
        fields=_fields(typed.get("country") or ""),
        requests=[change_words.state(one, order) for one in changes.of_subject(runtime(), order)],
        back=wording.safe_url(order.url) or "/",
        key=secrets.token_urlsafe(12),
    )


def _shown(terms: Terms, order: Order) -> dict[str, Any]:
    return {
        "before": change_said.lines_of(terms.kind, terms.before, order),
        "after": change_said.lines_of(terms.kind, terms.asked, order),
        "fields": change_words.changed_fields(terms.kind, terms.before, terms.asked),
        "price": change_words.price(terms),
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
        # A shop's own page may lead to a line of the order, or to something that goes with it.
        "sku": request.args.get("sku"),
        "delivery": order.delivery,
        "instructions": order.instructions or "",
        "gift_note": order.gift_note or "",
    }


def _kind(given: str | None) -> ChangeKind:
    try:
        kind = ChangeKind(given or "")
    except ValueError as error:
        raise NotFoundError("no such change") from error
    if kind not in change_said.KINDS:
        raise NotFoundError("no such change")
    return kind


def _given(kind: ChangeKind, form: Mapping[str, str]) -> dict[str, Any]:
    if kind is ChangeKind.ADDRESS:
        return {name: form.get(name, "") for name in ADDRESS_FIELDS}
    if kind in (ChangeKind.ADD, ChangeKind.QUANTITY, ChangeKind.REMOVE):
        number = form.get("quantity", "")
        whole = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else None
        return {"sku": form.get("sku"), "quantity": whole}
    return {name: form.get(name, "") for name in ("delivery", "instructions", "gift_note")}
