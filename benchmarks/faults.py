"""Kills processes at every step of capture, and counts what is lost or doubled.

``python -m benchmarks.faults --kills 1000``: half of them on SQLite, half on PostgreSQL. The oracle
is the sender's own log, written after ``send()`` has returned. The same harness runs in the tests,
with fewer kills, and there also under gunicorn's sync, gthread and gevent workers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._shop import databases

ROOT = Path(__file__).parents[1]


def run(name: str, url: str, home: Path, kills: int) -> bool:
    """Print one database's figures; whether nothing was lost or doubled."""
    home.mkdir(parents=True)
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.capture_kills", url, str(home)]
    began = time.monotonic()
    done = subprocess.run(
        [*command, str(kills)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stderr)
        return False
    found: dict[str, Any] = json.loads(done.stdout)
    print(f"\n{name}: {sum(found['killed'].values())} kills in {time.monotonic() - began:.0f} s")
    for point, count in found["killed"].items():
        print(f"  {point:22s}{count:6d}")
    print(f"  sent (the sender's log) {found['sent']:6d}")
    print(f"  checkouts with a case   {found['cases']:6d}")
    print(f"  lost                    {len(found['lost']):6d}    goal 0")
    print(f"  doubled                 {len(found['doubled']):6d}    goal 0")
    return not found["lost"] and not found["doubled"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    arguments = parser.parse_args()
    with databases() as found:
        good = [
            run(name, url, home / f"kills-{name}", (arguments.kills + 1) // 2)
            for name, (url, _other, home) in found.items()
        ]
    raise SystemExit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
