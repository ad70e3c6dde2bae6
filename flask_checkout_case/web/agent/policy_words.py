"""The policy pages' words: what changed, who did it, what the editor says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from babel.numbers import format_decimal

from ...i18n import N_, current_locale, gettext, ngettext
from ...rules.policy_diff import Change
from ...rules.saying import translated

PARTS: Final[Mapping[str, str]] = {
    "route": N_("Route"),
    "team": N_("Team"),
    "sla": N_("Service level"),
    "calendar": N_("Calendar"),
    "protocol": N_("Protocol"),
    "currency": N_("Currency"),
    "rates": N_("Rates"),
    "hesitation": N_("Hesitation"),
    "prompts": N_("Prompts"),
    "held_out": N_("Held-out share"),
    "outreach": N_("Outreach"),
    "payments": N_("Payments"),
    "card_testing": N_("Card testing"),
    "callbacks": N_("Callbacks"),
    "changes": N_("Changes"),
}
WHATS: Final[Mapping[str, str]] = {
    "added": N_("added"),
    "removed": N_("removed"),
    "changed": N_("changed"),
    "moved": N_("moved"),
}


def told(change: Change) -> str:
    """Write one change: ``Route “Payment declined”: removed``."""
    part, what = gettext(PARTS[change.part]), gettext(WHATS[change.what])
    return f"{part} “{change.name}”: {what}" if change.name else f"{part}: {what}"


def author(name: str | None) -> str:
    """Write who did something; what came with the shop's release was nobody of the staff."""
    return name or gettext("The policy file")


def mistake(message: str) -> str:
    """Write what is wrong in a policy's text in the reader's language."""
    return translated(message, gettext)


def longest(most: int) -> str:
    """Write how long a policy's text may be."""
    return gettext("That is too long: at most %(most)s characters.", most=number(most))


def number(count: int) -> str:
    """Write a number as the reader's language does."""
    return str(format_decimal(count, locale=current_locale.get().replace("-", "_")))


def verdict(problems: int) -> str:
    """Write how a check came out."""
    if not problems:
        return gettext("No mistakes")
    return ngettext("%(num)s mistake", "%(num)s mistakes", problems)
