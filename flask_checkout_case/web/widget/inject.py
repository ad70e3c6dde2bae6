"""How the widget gets into the shop's pages, without ever harming them."""

from __future__ import annotations

import logging
import re
from fnmatch import fnmatchcase
from typing import Final

from flask import Flask, Response, current_app, g, request, url_for
from markupsafe import Markup

from ...i18n import current_locale, gettext, is_rtl, use_locale
from ...services.runtime import Runtime
from ..guard import asset_of, pick_locale
from .blueprint import blueprint
from .change_places import change_url

log = logging.getLogger(__name__)

_BODY_END: Final = re.compile(rb"</body\s*>", re.IGNORECASE)
_DECLINED: Final = frozenset({402, 422})
MOST_MARKUPS: Final = 64


def install(app: Flask, runtime: Runtime) -> None:
    """Add the template global, and in mode ``auto`` the widget to matching pages of the shop."""
    settings = runtime.settings

    def checkout_case_widget() -> Markup:
        """Return the widget's markup; nothing in mode ``off`` and the second time."""
        if settings.widget == "off" or g.get("checkout_case_widget_there"):
            return Markup("")
        g.checkout_case_widget_there = True
        return _markup(runtime)

    app.jinja_env.globals["checkout_case_widget"] = checkout_case_widget
    app.jinja_env.globals["checkout_case_change_url"] = change_url
    if settings.widget == "auto":

        @app.after_request
        def _add_widget(response: Response) -> Response:
            try:
                if _takes_widget(runtime, response):
                    _add(runtime, response)
            except Exception:
                log.exception("the widget could not be added; the page goes out without it")
            return response


def _takes_widget(runtime: Runtime, response: Response) -> bool:
    """Whether this is a whole HTML page of a matching endpoint that can be changed."""
    endpoint = request.endpoint
    if endpoint is None or g.get("checkout_case_widget_there"):
        return False
    if not any(fnmatchcase(endpoint, glob) for glob in runtime.settings.widget_endpoints):
        return False
    if (request.blueprint or "").startswith("checkout_case_"):
        return False
    fine = 200 <= response.status_code < 300 or response.status_code in _DECLINED
    return (
        fine
        and response.status_code not in (204, 206)
        and response.mimetype == "text/html"
        and not response.is_streamed
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
    )


def _add(runtime: Runtime, response: Response) -> None:
    page = response.get_data()
    place = _end_of_body(page)
    if place < 0:
        return
    # Character references are right in whatever encoding the shop's page is.
    markup = str(_markup(runtime)).encode("ascii", "xmlcharrefreplace")
    if runtime.hooks.locale_loader is None:
        response.vary.add("Accept-Language")
    had_etag = response.headers.get("ETag")
    response.set_data(page[:place] + markup + page[place:])
    if had_etag is not None:
        response.headers.pop("ETag")
        response.add_etag(weak=had_etag.startswith("W/"))


def _end_of_body(page: bytes) -> int:
    """Return where the last ``</body>`` begins; -1 without one."""
    place = page.rfind(b"</body>")
    return place if place >= 0 else max((m.start() for m in _BODY_END.finditer(page)), default=-1)


def _markup(runtime: Runtime) -> Markup:
    """Return link, style sheet and script; the same for every customer, as pages get cached."""
    with use_locale(pick_locale()) as language:
        kept: dict[tuple[str, str], Markup] = runtime.extras.setdefault("widget_markup", {})
        place = (language, request.script_root)
        if place not in kept or current_app.debug:
            if len(kept) >= MOST_MARKUPS:
                kept.clear()
            kept[place] = _render(runtime)
        return kept[place]


def _render(runtime: Runtime) -> Markup:
    # Not render_template: the shop's context processors have no part in this, and take time.
    template = current_app.jinja_env.get_template("checkout_case/widget/launcher.html")
    markup = template.render(
        label=gettext("Help"),
        failed=gettext("We can't be reached right now."),
        close=gettext("Close"),
        dismiss=gettext("No, thank you"),
        again=gettext("Try again"),
        direction="rtl" if is_rtl() else "ltr",
        lang=current_locale.get(),
        help_url=url_for(f"{blueprint.name}.help_page"),
        state_url=url_for(f"{blueprint.name}.state"),
        panel_url=url_for(f"{blueprint.name}.panel"),
        style=asset_of(blueprint, "launcher.css"),
        script=asset_of(blueprint, "launcher.js"),
        panel=asset_of(blueprint, "panel.js"),
        offer=asset_of(blueprint, "offer.js"),
        signals=asset_of(blueprint, "signals.js"),
        side=runtime.settings.widget_position,
        z_index=runtime.settings.widget_z_index,
    )
    return Markup(markup.strip())  # noqa: S704 - the template escapes
