"""Why somebody seems to hesitate, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ...i18n import gettext, ngettext

_WORDS: Final[Mapping[str, Callable[[int], str]]] = {
    "payment_failed": lambda n: ngettext("a failed payment", "%(num)s failed payments", n),
    "idle": lambda _n: gettext("a long pause"),
    "back_and_forth": lambda n: ngettext(
        "went back a step", "went back and forth %(num)s times", n
    ),
    "validation": lambda n: ngettext("an error in a form", "%(num)s errors in forms", n),
    "coupon_rejected": lambda n: ngettext("a refused coupon", "%(num)s refused coupons", n),
    "coupon_away": lambda _n: gettext("left to look for a coupon"),
    "late_shipping": lambda _n: gettext("the total grew late"),
    "policy_page": lambda _n: gettext("read the terms or about returns"),
    "line_removed": lambda n: ngettext("took an item out", "took items out %(num)s times", n),
    "exit_intent": lambda _n: gettext("the pointer left the page"),
    "return_visit": lambda n: ngettext("came back later", "came back %(num)s times", n),
    "rage_click": lambda _n: gettext("clicked again and again"),
    "dead_click": lambda _n: gettext("clicked in vain"),
    "field_reentry": lambda _n: gettext("filled a field in again and again"),
    "field_dwell": lambda _n: gettext("stayed long in one field"),
    "away": lambda n: ngettext("looked elsewhere", "looked elsewhere %(num)s times", n),
    "slow_page": lambda _n: gettext("the page answers slowly"),
}


def sentence(reason: Mapping[str, Any]) -> str:
    """Return one reason in words."""
    kind = str(reason.get("kind"))
    words = _WORDS.get(kind)
    return words(int(reason.get("count") or 1)) if words is not None else kind


def sentences(reasons: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """Return reasons in words, in their order."""
    return [sentence(one) for one in reasons or ()]
