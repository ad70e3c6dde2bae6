"""The customer behind a request: this browser's token and this request's checkout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from flask import Response, g, request

from ...capture import snapshot_of
from ...i18n import current_locale
from ...services import conversation
from ...services.access import Grant, Guarded, Viewer, seal, unseal
from ...services.conversation import Posted, Standing
from ...services.shop import current_customer_ref
from ...types import Checkout, Customer, make_ref
from ..current import current_checkout, runtime
from ..guard import keep_browser_nonce, known_nonce, new_browser_nonce, set_cookie, signing_keys

TOKEN_COOKIE: Final = "checkout_case_token"  # noqa: S105 - the name of a cookie
DAY_SECONDS: Final = 24 * 3600
LARGEST_ID: Final = 2**62


def current_viewer() -> Viewer:
    """Return who is reading, as far as the shop and this browser's token tell."""
    if "checkout_case_reader" not in g:
        g.checkout_case_reader = _read_viewer()
    found: Viewer = g.checkout_case_reader
    return found


def _read_viewer() -> Viewer:
    checkout = current_checkout()
    grant = unseal(
        signing_keys(),
        request.cookies.get(TOKEN_COOKIE),
        nonce=known_nonce(),
        max_age=runtime().settings.token_days * DAY_SECONDS,
    )
    plain = _in_short(checkout) if checkout is not None else None
    # Asked only where it matters: a token that is a customer's, and no checkout that names one.
    asks = checkout is None and grant is not None
    person = current_customer_ref(runtime()) if asks else None
    return Viewer(plain, grant, current_locale.get(), person)


def writing_viewer(viewer: Viewer) -> Viewer:
    """Return the same customer with all of the checkout, as a case keeps it."""
    checkout = current_checkout()
    return replace(viewer, checkout=snapshot_of(checkout)) if checkout is not None else viewer


def _in_short(checkout: Checkout) -> dict[str, Any]:
    """What reading needs of a checkout; a whole snapshot would cost each poll its time."""
    customer, value = checkout.customer or Customer(), checkout.value
    return {
        "ref": make_ref(checkout.ref),
        "value_minor": value.minor_units if value else None,
        "currency": value.currency if value else None,
        "url": checkout.url,
        "customer": {
            "ref": make_ref(customer.ref),
            "email": customer.email,
            "language": customer.language,
            "name": customer.name,
            "phone": customer.phone,
            "timezone": customer.timezone,
        },
    }


def widen_token(viewer: Viewer, posted: Posted) -> Grant:
    """Let this browser come back to the case that its message went to."""
    nonce = keep_browser_nonce()
    before = viewer.grant
    if before is None or before.nonce != nonce or viewer.has_changed_owner:
        before = Grant(nonce, viewer.owner)
    grant = before.with_case(posted.reference, posted.revocations)
    g.checkout_case_grant = grant
    return grant


def rotate_token(viewer: Viewer, cases: Iterable[Guarded]) -> Viewer:
    """Give the browser a new name and token when the cart has changed owner meanwhile."""
    if not viewer.has_changed_owner:
        return viewer
    grant = viewer.rotated(new_browser_nonce(), cases)
    g.checkout_case_grant = grant
    return replace(viewer, grant=grant)


def set_token_cookie(response: Response) -> Response:
    grant = g.get("checkout_case_grant")
    if grant is not None:
        set_cookie(response, TOKEN_COOKIE, seal(signing_keys(), grant))
    return response


def look() -> tuple[Viewer, Standing]:
    """Return this request's customer and how their affairs stand."""
    viewer: Viewer = g.get("checkout_case_viewer") or current_viewer()
    standing = conversation.stand(runtime(), viewer)
    if viewer.has_changed_owner:
        viewer = rotate_token(viewer, standing.cases)
    return viewer, standing


def line_id(given: object) -> int | None:
    """Return a number that can be the id of a line; anything else is as if it weren't there."""
    if isinstance(given, bool) or not isinstance(given, int):
        return None
    return given if 0 <= given < LARGEST_ID else None
