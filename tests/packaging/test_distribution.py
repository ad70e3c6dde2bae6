"""What is built holds what is needed, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "flask_checkout_case"


@pytest.fixture(scope="session")
def wheel_names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_file_of_the_package_is_in_the_wheel(wheel_names: set[str]) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours - wheel_names == set()


@pytest.mark.parametrize("ending", [".html", ".css", ".js", ".toml", ".mo", ".po", "py.typed"])
def test_the_wheel_holds_more_than_code(wheel_names: set[str], ending: str) -> None:
    assert any(name.endswith(ending) for name in wheel_names)


def test_the_wheel_holds_one_package(wheel_names: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel_names} == {
        "flask_checkout_case",
        "flask_checkout_case-0.1.0.dist-info",
    }


def test_no_extra_is_imported_with_the_package() -> None:
    program = (
        "import sys, flask_checkout_case\n"
        "extras = {'stripe', 'Adyen', 'braintree', 'cryptography', 'celery', 'psycopg',"
        " 'prometheus_client'}\n"
        "print(*sorted(extras & sys.modules.keys()))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.split() == []
