"""The way back to a checkout that failed, by the link of a mail.

Opening the link changes nothing: those who look through mails for their readers open links too.
"""

from __future__ import annotations

from typing import Any, Final

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ...capture import snapshot_of
from ...i18n import N_, format_money, gettext
from ...rules.rescue import Difference, Kind
from ...services import rescue
from ...services.rescue import Rescue, Standing
from ..current import current_checkout, runtime
from ..guard import CsrfError, check_csrf, limit_rate
from . import wording
from .blueprint import blueprint

_PAGE: Final = "checkout_case/widget/rescue.html"
_ENDED: Final = {
    Standing.PAID: N_("This has been paid already: there is nothing left to do."),
    Standing.USED: N_("This link has been used. It works once."),
    Standing.EXPIRED: N_("This link is too old."),
}
_DIFFERENT: Final = {
    Kind.GONE: N_("%(title)s is no longer in your bag."),
    Kind.ADDED: N_("%(title)s is in your bag, too."),
    Kind.QUANTITY: N_("%(title)s: %(after)s instead of %(before)s."),
    Kind.PRICE: N_("%(title)s costs %(after)s now, it was %(before)s."),
    Kind.SHORT: N_("%(title)s: only %(after)s left."),
    Kind.TOTAL: N_("The total is %(after)s now, it was %(before)s."),
}


@blueprint.get("/rescue/<token>")
def rescue_page(token: str) -> ResponseReturnValue:
    """Show what the link leads back to."""
    limit_rate("help", reading=True)
    return _page(rescue.find(runtime(), token))


@blueprint.post("/rescue/<token>")
def rescue_post(token: str) -> ResponseReturnValue:
    """Restore the checkout in this browser, and lead on; what has changed is said before."""
    limit_rate("message")
    found = rescue.find(runtime(), token)
    try:
        check_csrf()
    except CsrfError as error:
        return _page(found, error=str(error)), error.status
    url = wording.safe_url(rescue.restore(runtime(), found))
    if url is None:
        found = rescue.find(runtime(), token)
        failed = found.standing is Standing.OPEN
        error_text = gettext("Your bag could not be restored. Please write to us.")
        return _page(found, error=error_text if failed else None), 409
    different = _differences(found)
    if not different:
        return redirect(url, 303)
    return _page(found, go_on=url, different=different)


def _differences(found: Rescue) -> list[str]:
    # What the loader said before the shop has restored it is another customer's, or nobody's.
    g.pop("checkout_case_checkout", None)
    checkout = current_checkout()
    if checkout is None:
        return []
    now = snapshot_of(checkout)
    return [_said(one) for one in rescue.differences(runtime(), found, now or {})]


def _said(one: Difference) -> str:
    def shown(number: int | None) -> str:
        if number is None:
            return ""
        return format_money(number, one.currency) if one.currency else str(number)

    if one.kind is Kind.TOTAL and one.before is None:
        return gettext("The total is %(after)s now.", after=shown(one.after))
    words = _DIFFERENT[one.kind]
    return gettext(words, title=one.title, before=shown(one.before), after=shown(one.after))


def _page(found: Rescue, **more: Any) -> str:
    shown = found.snapshot
    minor, currency = shown.get("value_minor"), shown.get("currency")
    given: dict[str, Any] = {"error": None, "go_on": None, "different": [], **more}
    return render_template(
        _PAGE,
        here=request.path,
        ended=gettext(_ENDED[found.standing]) if found.standing in _ENDED else None,
        paid=found.standing is Standing.PAID,
        lines=[
            (line.get("title") or line.get("sku"), line.get("quantity"))
            for line in shown.get("lines") or ()
        ],
        total=format_money(minor, currency) if minor is not None and currency else None,
        back=wording.safe_url(shown.get("url")) or "/",
        **given,
    )
