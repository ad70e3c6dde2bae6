"""Put the customer's and the agent's picture together into the one at the top of the README."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.browser import running_chromium

PAGE = """<!doctype html><style>
  body {{ margin: 0; width: 1600px; height: 1000px; position: relative; overflow: hidden;
    background: linear-gradient(135deg, #eef0fb, #e2e6f5) }}
  img {{ position: absolute; border-radius: 14px; outline: 1px solid #c7cdde;
    box-shadow: 0 24px 60px rgb(30 41 59 / .18) }}
  #agent {{ inset-inline-start: 56px; inset-block-start: 56px; width: 1220px }}
  #customer {{ inset-inline-end: 56px; inset-block-end: 48px; width: 372px; border-radius: 26px;
    outline: 6px solid #1e293b }}
</style><img id="agent" src="{agent}"><img id="customer" src="{customer}">"""


def main(folder: Path) -> None:
    """Compose ``readme.png`` in ``folder`` from pictures that the browser tests left there."""
    agent, customer = (folder / name for name in ("way-5-case.png", "way-phone-2-asked.png"))
    source = folder / "readme.html"
    source.write_text(PAGE.format(agent=agent.name, customer=customer.name))
    try:
        with running_chromium() as browser:
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.goto(source.resolve().as_uri())
            page.screenshot(path=folder / "readme.png")
    finally:
        source.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
