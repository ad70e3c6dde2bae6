"""Texts, amounts and times in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from flask_checkout_case import i18n


def test_english_needs_no_catalogue() -> None:
    assert i18n.gettext("Nothing translates this") == "Nothing translates this"


def test_values_are_filled_in() -> None:
    assert i18n.gettext("Hello %(name)s", name="Ada") == "Hello Ada"


def test_a_per_cent_sign_stands_for_itself_without_values() -> None:
    assert i18n.gettext("100% sure") == "100% sure"


@pytest.mark.parametrize(("number", "written"), [(1, "1 case"), (0, "0 cases"), (3, "3 cases")])
def test_plural(number: int, written: str) -> None:
    assert i18n.ngettext("%(num)s case", "%(num)s cases", number) == written


def test_the_marker_returns_its_message() -> None:
    assert i18n.N_("Queue") == "Queue"


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (["de-AT", "en"], "de"),
        (["ar_EG"], "ar"),
        (["xx", "*", "DE"], "de"),
        (["fr", "en-GB", "de"], "en"),
        (["zz"], "en"),
        ([], "en"),
    ],
)
def test_negotiation(accepted: list[str], chosen: str) -> None:
    assert i18n.negotiate(accepted) == chosen


def test_english_comes_first() -> None:
    assert i18n.available_locales() == ("en", "ar", "de")


def test_a_region_speaks_its_language_and_a_block_ends() -> None:
    with i18n.use_locale("de_AT") as tag:
        assert tag == "de-AT"
        assert i18n.format_money(123456, "EUR") == "€\N{NO-BREAK SPACE}1.234,56"
    assert i18n.current_locale.get() == "en"


@pytest.mark.parametrize("tag", ["", None, "../../etc/passwd", "x" * 500, "\0", "de_XX_YY_ZZ"])
def test_an_unknown_tag_never_breaks_a_page(tag: str | None) -> None:
    with i18n.use_locale(tag):
        assert i18n.gettext("%(a)s", a="b") == "b"
        assert i18n.format_money(100, "USD")


@pytest.mark.parametrize(
    ("locale", "rtl"), [("ar", True), ("ar-EG", True), ("he", True), ("de", False), ("en", False)]
)
def test_direction(locale: str, rtl: bool) -> None:
    assert i18n.is_rtl(locale) is rtl


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "written"),
    [
        (519900, "USD", "en", "$5,199.00"),
        (519900, "JPY", "en", "¥519,900"),
        (519900, "EUR", "de", "5.199,00\N{NO-BREAK SPACE}€"),
        (-500, "USD", "en", "-$5.00"),
        (1234567, "BHD", "en", "BHD\N{NO-BREAK SPACE}1,234.567"),
        (12345, "RSD", "en", "RSD\N{NO-BREAK SPACE}123.45"),
    ],
)
def test_money(minor: int, currency: str, locale: str, written: str) -> None:
    assert i18n.format_money(minor, currency, locale) == written


def test_money_is_exact_where_a_float_is_not() -> None:
    assert i18n.format_money(9007199254740993, "USD") == "$90,071,992,547,409.93"


def test_time() -> None:
    noon = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    assert i18n.format_when(noon, "de") == "23.11.2026, 12:05"
    assert i18n.format_when(noon, "de", tz=ZoneInfo("America/New_York")) == "23.11.2026, 07:05"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        i18n.format_when(datetime(2026, 11, 23, 12, 5))  # noqa: DTZ001
