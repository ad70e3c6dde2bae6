"""The words of the widget. The script gets all of its texts from here, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from babel.dates import format_timedelta

from ...i18n import N_, current_locale, gettext
from ...rules.failures import ACTIONS
from ...rules.policy_hesitation import OFFER
from ...services.conversation import Failure
from ...services.proactive import Prompt
from ...types import Category

REASONS: Final[Mapping[str, tuple[str, Category | None]]] = {
    "payment": (N_("Paying"), Category.PAYMENT_DECLINED),
    "price": (N_("Price or coupon"), Category.COUPON_PRICING),
    "delivery": (N_("Delivery"), Category.SHIPPING_DELIVERY),
    "product": (N_("A product"), Category.PRODUCT_QUESTION),
    "order": (N_("Changing my order"), Category.ORDER_CHANGE),
    "other": (N_("Something else"), None),
}

# These lead back to the payment; the rest is advice.
_LEADING: Final = frozenset({"retry", "other_method", "edit_card", "new_card", "confirm_identity"})


def reasons(failure: Failure | None) -> list[dict[str, Any]]:
    """Return what the customer may pick; paying is picked already when a payment has failed."""
    return [
        {"value": value, "label": gettext(label), "picked": value == "payment" and bool(failure)}
        for value, (label, _) in REASONS.items()
    ]


def failure_texts(failure: Failure | None) -> dict[str, Any] | None:
    """Return what the customer is told about a failed payment, and what to do next."""
    if failure is None:
        return None
    url = safe_url(failure.url)
    return {
        "title": gettext("Your payment didn't go through"),
        "text": gettext(failure.text),
        "actions": [
            {"text": gettext(ACTIONS[name]), "url": url if name in _LEADING else None}
            for name in failure.actions
            if name in ACTIONS
        ],
    }


def hint(failure: Failure | None, unread: int, who: str | None) -> str | None:
    """Return what the closed launcher says, if anything."""
    if unread:
        return answered(who)
    if failure is not None:
        return gettext("Payment didn't go through? We can help")
    return None


_HINTS: Final[Mapping[str, str]] = {
    "payment": N_("Card not working? Another card or way to pay often does"),
    "coupon": N_("Code not working? Look at its dates and its minimum order"),
    "delivery": N_("Delivery costs and takes what the method you pick says"),
    "returns": N_("Unsure about returns? Ask before you order"),
    "form": N_("Does a field not take your answer? Ask us"),
    "help": N_("Is anything unclear? Just ask"),
}
_OFFERS: Final[Mapping[str, str]] = {
    "payment": N_("Trouble paying? Write to us, we sort it out with you"),
    "coupon": N_("Code not working? We look at it with you"),
    "delivery": N_("Unsure about delivery? Ask us about cost and dates"),
    "returns": N_("Unsure about returns? Ask us before you order"),
    "form": N_("Does a field not take your answer? Tell us, we help"),
    "help": N_("Any question before you order? Ask us"),
}
_REASON_OF: Final = {"payment": "payment", "coupon": "price", "delivery": "delivery"}


def offer(prompt: Prompt | None) -> dict[str, Any]:
    """Return the quiet line that offers help, and what the panel has picked already, if any."""
    if prompt is None:
        return {}
    texts = _OFFERS if prompt.act == OFFER else _HINTS
    reason = _REASON_OF.get(prompt.topic)
    return {"offer": {"text": gettext(texts[prompt.topic]), "reason": reason}}


def answered(who: str | None) -> str:
    return gettext("%(name)s answered", name=who) if who else gettext("We answered")


def presence(within: timedelta | None) -> str:
    """Say honestly when to expect an answer."""
    if within is None:
        return gettext("We answer as soon as we can")
    return gettext("Usually answered within %(time)s", time=span(within))


def contact(name: str | None) -> str | None:
    """Name who looks after this customer, if somebody does."""
    return gettext("Your contact: %(name)s", name=name) if name else None


def span(time: timedelta) -> str:
    """Write a length of time in the largest unit that tells it exactly enough."""
    return str(format_timedelta(time, threshold=1.5, locale=current_locale.get().replace("-", "_")))


def status(last_author: str | None, last_name: str | None, *, ended: bool) -> dict[str, str] | None:
    """Return the word for how the conversation stands, and its kind for the eye."""
    if last_author is None:
        return None
    if ended:
        return {"kind": "solved", "text": gettext("Solved")}
    if last_author == "agent":
        return {"kind": "answered", "text": answered(last_name)}
    return {"kind": "sent", "text": gettext("We got your message")}


def safe_url(url: str | None) -> str | None:
    """Return an address that may stand in a link: a path of this site, or plain http(s)."""
    if not url or "\\" in url or any(ord(char) <= 32 for char in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme in ("http", "https") and parts.netloc:
        return url
    return url if url.startswith("/") and not url.startswith("//") else None


def script_texts(shop: str) -> dict[str, str]:
    """Return what only the script says."""
    return {
        "title": gettext("How can we help?"),
        "shop": shop,
        "close": gettext("Close"),
        "about": gettext("What is it about?"),
        "message": gettext("Your message"),
        "ask": gettext("Tell us what happened"),
        "more": gettext("Write a message"),
        "reopen": gettext("Still need help? Just write"),
        "email": gettext("Your e-mail"),
        "optional": gettext("optional"),
        "emailWhy": gettext("So that we can reach you if you leave this page."),
        "send": gettext("Send"),
        "sending": gettext("Sending"),
        "notSent": gettext("Not sent"),
        "again": gettext("Try again"),
        "you": gettext("You"),
        "team": gettext("Support team"),
        "empty": gettext("Please write a few words first."),
        "lost": gettext("No connection. We keep trying, and nothing you wrote is lost."),
        "failed": gettext("We can't be reached right now."),
        "talk": gettext("Conversation"),
        "next": gettext("What you can do"),
        "change": gettext("Change what I'm ordering"),
        "new": gettext("New message from %(name)s"),
    }
