"""Leaves out what judges by data of others where there is none, and says so."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support import shared_data

# A law holds on a busy machine too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

collect_ignore = (
    []
    if shared_data.is_wanted()
    else [
        "test_addresses_data.py",
        "test_calendars_data.py",
        "test_classify_data.py",
        "test_gateways_data.py",
        "test_redact_data.py",
    ]
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(
            f"not collected: {', '.join(collect_ignore)} ({shared_data.VARIABLE} is not set and "
            f"there is no {shared_data.root()})"
        )
