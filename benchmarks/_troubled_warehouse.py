"""The example store's warehouse on a bad day: it fails, hangs, and answers twice or late.

``python -m benchmarks._troubled_warehouse --port N --home DIR --shop URL``. What it did is counted
in ``trouble.log`` in its home, a word a line.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from pathlib import Path
from typing import Any, Final

from flask import request
from werkzeug.serving import run_simple

from example_store.fulfilment.app import Answering, create_app
from example_store.fulfilment.parcels import Answer, Parcels

HANGS: Final = 25.0
"""Seconds: longer than whoever posts waits."""
LATE: Final = 45.0
"""Seconds, at sixty times the speed 45 minutes: longer than anybody waits for an answer."""


class Trouble:
    """Draws what goes wrong next, and writes it down."""

    def __init__(self, home: Path) -> None:
        self._log = home / "trouble.log"
        self._chance = random.Random()

    def draw(self, **shares: float) -> str | None:
        """Return one of the names, each with its share of all cases, or nothing."""
        number = self._chance.random()
        for name, share in shares.items():
            if number < share:
                with self._log.open("a") as log:
                    log.write(f"{name}\n")
                return name
            number -= share
        return None


class TroubledAnswering(Answering):
    """Answers twice now and then, and late."""

    def __init__(self, trouble: Trouble, *given: Any) -> None:
        super().__init__(*given)
        self._trouble = trouble
        self._not_before: dict[str, float] = {}

    def _post(self, answer: Answer) -> None:
        now = time.monotonic()
        if answer.change_id not in self._not_before:
            late = self._trouble.draw(late=0.1) is not None
            self._not_before[answer.change_id] = now + LATE if late else now
        if now < self._not_before[answer.change_id]:
            return
        if self._trouble.draw(twice=0.3):
            super()._post(answer)
        super()._post(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--shop", required=True)
    given = parser.parse_args()
    parcels, secret = Parcels(given.home / "warehouse.db"), os.environ["FULFILMENT_SECRET"]
    app, trouble = create_app(parcels, secret, given.shop), Trouble(given.home)
    answering = app.extensions["answering"] = TroubledAnswering(
        trouble, parcels, secret, given.shop
    )

    @app.before_request
    def fail() -> tuple[str, int] | None:
        if request.method == "POST" and trouble.draw(failed=0.2):
            return "", 500
        return None

    @app.after_request
    def hang(response: Any) -> Any:
        # It has the change by now: whoever posted it doesn't know.
        if request.method == "POST" and trouble.draw(hung=0.04):
            time.sleep(HANGS)
        return response

    answering.start()
    run_simple("127.0.0.1", given.port, app, threaded=True)


if __name__ == "__main__":
    main()
