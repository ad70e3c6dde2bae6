"""A shop that dies on command, for the fork server and for gunicorn."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from flask_checkout_case import Checkout, Customer, Line, Money, signals
from flask_checkout_case.capture.recorder import SpoolRecorder
from flask_checkout_case.services.runtime import Runtime
from tests.support.shop import Shop, build_shop

IN_REQUEST = (
    "signal:received",
    "spool:before-write",
    "spool:written",
    "signal:sent",
    "view:done",
    "body:sent",
    "insert:before",
    "insert:uncommitted",
    "insert:committed",
    "ack:before-write",
    "ack:written",
    "ack:done",
)
IN_DRAIN = (
    "drain:claimed",
    "drain:inserted",
    "drain:acknowledged",
    "drain:before-unlink",
    "drain:unlinked",
)


class Executioner:
    """Kills this process, without any warning, the moment it reaches the chosen step."""

    def __init__(self) -> None:
        self.at: str | None = None
        self.after = 0

    def __call__(self, step: str) -> None:
        if step == self.at:
            if self.after == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self.after -= 1


class Log:
    """The oracle: what the sender knows to have sent. It survives the sender's death."""

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        self._descriptor = os.open(path, flags, 0o600)

    def write(self, ref: str) -> None:
        os.write(self._descriptor, ref.encode() + b"\n")

    def read(self) -> list[str]:
        return self.path.read_text().split()


def build(database_url: str, home: Path, *, create_tables: bool = True) -> Shop:
    """Make the shop; ``POST /pay/<ref>?kill=<step>`` has its process killed at that step.

    Args:
        home: where spool and log lie; a second shop on it sees what the first has left.
    """
    shop = build_shop(
        database_url,
        home,
        create_tables=create_tables,
        CHECKOUT_CASE_PARTS=[],
        CHECKOUT_CASE_SPOOL_DIR=str(home / "spool"),
    )
    executioner = Executioner()
    instrument(shop, executioner)
    log = Log(home / "sent.log")

    @shop.app.post("/pay/<ref>")
    def pay(ref: str) -> ResponseReturnValue:
        executioner.at = request.args.get("kill")
        executioner.after = int(request.args.get("after", 0))
        decline(shop, ref)
        executioner("signal:sent-unlogged")
        log.write(ref)
        executioner("signal:sent")
        response = Response(f"declined {ref}\n", status=402)
        response.call_on_close(lambda: executioner("body:sent"))
        executioner("view:done")
        return response

    shop.app.extensions["faults"] = (executioner, log)
    return shop


def decline(shop: Shop, ref: str) -> None:
    """Report a declined card as a shop does."""
    signals.payment_failed.send(
        shop.app,
        checkout=Checkout(
            ref=ref,
            value=Money("120.00", "USD"),
            step="payment",
            customer=Customer(ref="42", name="Ada", email="ada@example.com"),
            lines=[Line(sku="BAG-1", title="Bag", unit_price=Money("120.00", "USD"))],
        ),
        provider="stripe",
        failure_code="card_declined",
        decline_code="insufficient_funds",
        attempt_id=f"ch_{ref}",
    )


def faults_of(shop: Shop) -> tuple[Executioner, Log]:
    found: tuple[Executioner, Log] = shop.app.extensions["faults"]
    return found


def recorder_of(shop: Shop) -> SpoolRecorder:
    recorder = shop.app.extensions["checkout_case"].recorder
    assert isinstance(recorder, SpoolRecorder)
    return recorder


def instrument(shop: Shop, step: Callable[[str], None]) -> None:
    """Have ``step`` called at every step of this shop's capture."""
    recorder = recorder_of(shop)
    runtime: Runtime = recorder.runtime
    now, record = runtime.clock, recorder._record

    def clock() -> Any:
        step("signal:received")
        return now()

    def recording(given: Runtime, events: Any, database: Any) -> int:
        from sqlalchemy import event

        used = database or given.database
        if used.engine not in watched:
            watched.add(used.engine)
            event.listen(used.engine, "commit", lambda _connection: step("insert:uncommitted"))
        return record(given, events, database)

    watched: set[Any] = set()
    runtime.clock = clock
    recorder._record = recording
    recorder._step = step
    recorder.spool._step = step
    recorder.leftovers._step = step
    recorder._begin()
