"""Print pip constraints: each dependency at the lowest version that pyproject.toml allows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

EXTRAS = ("stripe", "adyen", "braintree", "paypal", "postgres")


def main() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    required = list(project["dependencies"])
    for extra in EXTRAS:
        required += project["optional-dependencies"][extra]
    for requirement in required:
        found = re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)", requirement)
        if found is None:
            raise SystemExit(f"{requirement!r} is not of the form 'name>=version'")
        print(f"{found[1]}=={found[2]}")


if __name__ == "__main__":
    main()
