"""Texts, amounts and times in the reader's language.

The catalogues are our own (domain ``checkout_case``) and independent of the shop's, so that a shop
without Flask-Babel, or with another set of languages, still speaks to its customers in theirs.
English is the source; an unknown language is English, and a region falls back to its language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import UTC, datetime, tzinfo
from decimal import Context, Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.support import NullTranslations, Translations

from .types import currency_digits

DOMAIN: Final = "checkout_case"
SOURCE_LOCALE: Final = "en"
CATALOGUES: Final = Path(__file__).parent / "translations"
_EXACT: Final = Context(prec=40)
_CODE_BEFORE_NUMBER: Final = re.compile(r"([^\W\d_])(?=\d)")

current_locale: ContextVar[str] = ContextVar("checkout_case_locale", default=SOURCE_LOCALE)
"""The tag of the language in which this context speaks; read it, set it with :func:`set_locale`."""


def set_locale(tag: str | None) -> None:
    """Speak the language ``tag`` (``de``, ``de-AT``, ``ar_EG``) from here on in this context.

    A tag that Babel doesn't know, or ``None``, is English.
    """
    current_locale.set(_known(tag))


@contextmanager
def use_locale(tag: str | None) -> Iterator[str]:
    """Speak the language ``tag`` inside the ``with`` block; yields the tag in use."""
    token = current_locale.set(_known(tag))
    try:
        yield current_locale.get()
    finally:
        current_locale.reset(token)


def gettext(message: str, **values: Any) -> str:
    """Translate ``message`` and fill ``%(name)s`` in from ``values``.

    Without values nothing is filled in, and a per cent sign in the message stands for itself.
    A translation whose placeholders don't fit is replaced by the English text.
    """
    return _fill(_catalogue(current_locale.get()).ugettext(message), message, values)


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """Translate in the plural form that the language has for ``num``, and fill ``%(num)s`` in."""
    translated = _catalogue(current_locale.get()).ungettext(singular, plural, num)
    return _fill(translated, singular if num == 1 else plural, {"num": num, **values})


def N_(message: str) -> str:  # noqa: N802 - the name that extractors know
    """Mark ``message`` for extraction and return it unchanged; ``gettext`` it when it is shown."""
    return message


def negotiate(accept_languages: Iterable[str]) -> str:
    """Return the first of our languages that the reader takes.

    Args:
        accept_languages: language tags, the most wanted first; ``*`` and unknown ones are passed
            over, a region falls back to its language.
    """
    ours = available_locales()
    for tag in accept_languages:
        language = _language(tag)
        if language in ours:
            return language
    return SOURCE_LOCALE


@cache
def available_locales() -> tuple[str, ...]:
    """Return the languages we have texts for, English first."""
    translated = sorted(path.parent.parent.name for path in CATALOGUES.glob(f"*/*/{DOMAIN}.mo"))
    return (SOURCE_LOCALE, *(name for name in translated if name != SOURCE_LOCALE))


def is_rtl(locale: str | None = None) -> bool:
    """Say whether ``locale`` (the current one when ``None``) is written from right to left."""
    return _babel(locale).character_order == "right-to-left"


def format_money(minor: int, currency: str, locale: str | None = None) -> str:
    """Write an amount as the reader's language does.

    Args:
        minor: integer minor units; 519900 is 5,199.00 dollars and 519,900 yen.
        currency: ISO 4217 code.
        locale: the current one when ``None``.
    """
    # The digits are ISO 4217's: Babel's are display digits and drop the cents of some currencies.
    digits = currency_digits(currency)
    babel = _babel(locale)
    pattern = copy(babel.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    amount = Decimal(minor).scaleb(-digits, _EXACT)
    written = str(pattern.apply(amount, babel, currency=currency, currency_digits=False))
    # CLDR sets a space between a letter code and the number; Babel leaves it out.
    return _CODE_BEFORE_NUMBER.sub("\\1\N{NO-BREAK SPACE}", written)


def format_when(value: datetime, locale: str | None = None, *, tz: tzinfo = UTC) -> str:
    """Write an instant as a date and a time of day.

    Args:
        value: an aware instant.
        locale: the current one when ``None``.
        tz: the time zone of the reader.

    Raises:
        ValueError: when ``value`` is naive; it could mean any instant.
    """
    if value.tzinfo is None:
        raise ValueError("format_when takes an aware datetime")
    babel = _babel(locale)
    local = value.astimezone(tz)
    day = format_date(local, "medium", locale=babel)
    time = format_time(local, "short", tzinfo=tz, locale=babel)
    return str(babel.datetime_formats["medium"]).replace("{1}", day).replace("{0}", time)


def _fill(text: str, source: str, values: dict[str, Any]) -> str:
    if not values:
        return text
    try:
        return text % values
    except (KeyError, TypeError, ValueError):
        return source % values


def _language(tag: str) -> str:
    return tag.replace("-", "_").split("_", 1)[0].strip().lower()


@lru_cache(maxsize=256)
def _known(tag: str | None) -> str:
    if not tag:
        return SOURCE_LOCALE
    for candidate in (tag.replace("-", "_"), _language(tag)):
        try:
            return str(Locale.parse(candidate)).replace("_", "-")
        except (ValueError, UnknownLocaleError):
            continue
    return SOURCE_LOCALE


def _babel(tag: str | None) -> Locale:
    return _parsed(_known(tag) if tag else current_locale.get())


@cache
def _parsed(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


@cache
def _catalogue(tag: str) -> NullTranslations:
    return Translations.load(CATALOGUES, [_language(tag)], DOMAIN)
