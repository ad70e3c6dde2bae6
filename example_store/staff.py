"""The staff's own start page."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from . import baskets
from .extensions import db
from .models import Order

bp = Blueprint("staff", __name__, url_prefix="/staff")


@bp.get("")
def home() -> str | Response:
    member = baskets.account()
    if member is None:
        return redirect(url_for("account.login", next=request.path), 303)
    if not member.is_staff:
        abort(403)
    latest = db.session.scalars(select(Order).order_by(Order.placed_at.desc()).limit(20)).all()
    prefix = current_app.config.get("CHECKOUT_CASE_URL_PREFIX", "/checkout-case")
    return render_template("staff.html", orders=latest, workspace=f"{prefix}/agent/")
