"""The shop of the capture tests under gunicorn: ``CAPTURE_URL`` and ``CAPTURE_HOME`` say where."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.capture_shop import build, recorder_of

_shop = build(os.environ["CAPTURE_URL"], Path(os.environ["CAPTURE_HOME"]))
_shop.app.testing = False
# Loaded before the workers are forked: none may inherit a connection.
with _shop.app.app_context():
    _shop.db.engine.dispose()
recorder_of(_shop).database.dispose()

application = _shop.app
