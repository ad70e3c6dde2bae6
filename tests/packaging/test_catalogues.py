"""Every visible string is translated, and what is committed is what the sources say."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "flask_checkout_case" / "translations"
LANGUAGES = ("ar", "de")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# The same in both languages, rightly.
SAME_IN_GERMAN = {
    *("Concierge", "E-mail", "Link", "Name", "Spam"),
    *("Status", "Team", "Teams", "Version"),
}


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    template = tmp_path_factory.mktemp("messages") / "checkout_case.pot"
    command = ["extract_messages", "--output-file", str(template)]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import setuptools; setuptools.setup()", *command],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with template.open("rb") as stream:
        return read_po(stream)


def read_catalogue(language: str) -> Catalog:
    path = TRANSLATIONS / language / "LC_MESSAGES" / "checkout_case.po"
    with path.open("rb") as stream:
        return read_po(stream, locale=language)


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_missing(extracted: Catalog, language: str) -> None:
    catalogue = read_catalogue(language)
    known = {message.id for message in messages(catalogue)}
    assert {message.id for message in messages(extracted)} == known
    assert [m.id for m in messages(catalogue) if not _complete(m)] == []
    assert [message.id for message in messages(catalogue) if message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_survive_translation(language: str) -> None:
    for message in messages(read_catalogue(language)):
        wanted = set(PLACEHOLDER.findall(str(message.id)))
        for form in _forms(message.string):
            found = set(PLACEHOLDER.findall(form))
            assert found <= wanted, message.id
            if isinstance(message.id, str):
                assert found == wanted, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(language))
    committed = TRANSLATIONS / language / "LC_MESSAGES" / "checkout_case.mo"
    assert committed.read_bytes() == compiled.getvalue()


def test_arabic_is_arabic() -> None:
    latin = [
        message.id
        for message in messages(read_catalogue("ar"))
        if not any(re.search(r"[\u0600-\u06ff]", form) for form in _forms(message.string))
    ]
    assert latin == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_form_is_a_text_and_the_last_one_counts(language: str) -> None:
    plurals = [m for m in messages(read_catalogue(language)) if isinstance(m.id, tuple)]
    assert plurals != []
    short = [m.id for m in plurals if min(map(len, _forms(m.string))) < 3]
    uncounted = [m.id for m in plurals if "%(num)s" not in _forms(m.string)[-1]]
    assert (short, uncounted) == ([], [])


def test_german_is_german() -> None:
    same = {m.id for m in messages(read_catalogue("de")) if m.id == m.string}
    assert same <= SAME_IN_GERMAN


def _forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (str(text),)


def _complete(message: Message) -> bool:
    return bool(message.string) and all(_forms(message.string))
