"""Directives that write reference pages from the code, so that they can't go stale.

``checkout-case-settings`` lists the configuration keys, ``checkout-case-signals`` the signals,
``checkout-case-conditions`` what a route of the policy may ask, ``checkout-case-failures`` the
failure classes, ``checkout-case-codes`` the codes of every gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from flask_checkout_case import signals
from flask_checkout_case.config import KEYS
from flask_checkout_case.gateways import GATEWAYS, title_of
from flask_checkout_case.gateways.adyen_codes import REASONS
from flask_checkout_case.gateways.codes import NETWORK_CLASSES
from flask_checkout_case.rules.conditions.shipped import SHIPPED
from flask_checkout_case.rules.failures import ACTIONS, FAILURES
from flask_checkout_case.types import FailureClass

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_MADE_FROM = {
    "conditions": ("rules/conditions/shipped.py", "rules/conditions/kinds.py"),
    "configuration": ("config.py",),
    "decline-codes": ("rules/failures.py", "gateways"),
    "signals": ("signals.py",),
}
_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")


class _Generated(SphinxDirective):
    def lines(self) -> Iterator[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)


class Settings(_Generated):
    """Every configuration key with its default, what is accepted, and what it does."""

    def lines(self) -> Iterator[str]:
        for key in KEYS:
            yield f"(key-{key.name})="
            yield f"## `{key.config_name}`\n"
            yield f"{key.meaning}\n"
            yield f"Expects {_sentence(key.expected)}. Default: {_literal(key.default)}.\n"


class Signals(_Generated):
    """Every signal of one direction, ``from-shop`` or ``to-shop``, with its payload."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def lines(self) -> Iterator[str]:
        chosen = {"from-shop": signals.FROM_SHOP, "to-shop": signals.TO_SHOP}[self.arguments[0]]
        analyzer = ModuleAnalyzer.for_module(signals.__name__)
        described = analyzer.find_attr_docs()
        yield "| signal | when, and what it carries |"
        yield "|---|---|"
        for name in chosen:
            yield f"| `{name}` | {_markdown(' '.join(described['', name]))} |"


class Conditions(_Generated):
    """What a route may ask: when it holds, what it takes, an example, and what exactly counts."""

    def lines(self) -> Iterator[str]:
        for condition in SHIPPED:
            words = f": {', '.join(f'`{word}`' for word in condition.words)}"
            expected = _sentence(condition.expected)
            yield f"(condition-{condition.name})="
            yield f"## `{condition.name}`\n"
            yield f"{condition.about}\n"
            yield f"```toml\nwhen = {{ {condition.example} }}\n```\n"
            yield f"Takes {expected}{words if condition.words else ''}.\n"
            yield f"{condition.strictness}\n"


class Failures(_Generated):
    """What follows from each failure class: for the case, for the customer, for a retry."""

    def lines(self) -> Iterator[str]:
        yield "| class | what it is | who can mend it | another try | category of the case |"
        yield "|---|---|---|---|---|"
        for failure_class, kind in FAILURES.items():
            category = f"`{kind.category}`" if kind.category else "no case"
            row = (f"`{failure_class}`", kind.label, kind.fixer, _words(kind.retry), category)
            yield f"| {' | '.join(row)} |"


class Codes(_Generated):
    """Every code of every gateway, with its class, the customer's text and what is offered."""

    def lines(self) -> Iterator[str]:
        for gateway in GATEWAYS.values():
            yield f"(codes-{gateway.NAME})="
            yield f"## {title_of(gateway.NAME)}\n"
            names = REASONS if gateway.NAME == "adyen" else {}
            yield from _codes(gateway.CODES, names)
        yield "(codes-network)="
        yield "## The card networks' response codes\n"
        yield "Asked where the gateway says no more than that the payment was declined.\n"
        yield from _codes(NETWORK_CLASSES, {})


def _codes(codes: Mapping[str, FailureClass], names: Mapping[str, str]) -> Iterator[str]:
    yield "| code | class | the customer reads | next action |"
    yield "|---|---|---|---|"
    for code, failure_class in codes.items():
        kind = FAILURES[failure_class]
        shown = f"`{code}` {names.get(code, '')}".strip()
        offered = "; ".join(ACTIONS[action] for action in kind.actions)
        yield f"| {shown} | `{failure_class}` | {kind.text or '–'} | {offered or '–'} |"
    yield ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _literal(value: object) -> str:
    shown = list(value) if isinstance(value, tuple) else value
    return f"`{shown!r}`"


def _sentence(text: str) -> str:
    return re.sub(r"'([^']+)'", r"`'\1'`", text)


def _markdown(text: str) -> str:
    return _ROLE.sub(r"`\1`", text).replace("``", "`").strip().replace("|", "\\|")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("checkout-case-settings", Settings)
    app.add_directive("checkout-case-signals", Signals)
    app.add_directive("checkout-case-conditions", Conditions)
    app.add_directive("checkout-case-failures", Failures)
    app.add_directive("checkout-case-codes", Codes)
    app.setup_extension("myst_parser")
    # Pages that hold the directives depend on the modules they are made from.
    app.connect("source-read", _note_sources)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _note_sources(app: Sphinx, docname: str, _source: list[str]) -> None:
    package = Path(signals.__file__).parent
    for source in [package / module for module in _MADE_FROM.get(docname, ())]:
        for file in sorted(source.glob("*.py")) or [source]:
            app.env.note_dependency(str(file), docname=docname)
    if docname in _MADE_FROM:
        app.env.note_dependency(__file__, docname=docname)
