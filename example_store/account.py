"""Accounts: signing in and out, and one's own orders."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import login_user, logout_user
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from . import baskets, forms
from .extensions import announce_writing, db
from .models import Account, Order

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.before_request
def before() -> None:
    if request.method == "POST":
        announce_writing()


@bp.get("/login")
def login() -> str:
    return render_template("account/login.html", values={}, problem=None)


@bp.post("/login")
def sign_in() -> Response | tuple[str, int]:
    email = request.form.get("email", "").strip().lower()
    found = db.session.scalar(select(Account).where(func.lower(Account.email) == email))
    if found is None or not found.has_password(request.form.get("password", "")):
        problem = "E-mail address and password don't go together."
        return render_template("account/login.html", values=request.form, problem=problem), 422
    return _welcome(found)


@bp.get("/register")
def register() -> str:
    return render_template("account/register.html", values={}, errors={})


@bp.post("/register")
def sign_up() -> Response | tuple[str, int]:
    answers = forms.read_account(request.form)
    email = answers.values["email"].lower()
    if db.session.scalar(select(Account.id).where(func.lower(Account.email) == email)):
        answers.errors["email"] = "There is an account with this address already."
    if answers.errors:
        return render_template(
            "account/register.html", values=answers.values, errors=answers.errors
        ), 422
    made = Account(email=email, name=answers.values["name"])
    made.set_password(answers.values["password"])
    db.session.add(made)
    db.session.flush()
    return _welcome(made)


@bp.post("/logout")
def logout() -> Response:
    logout_user()
    baskets.forget()
    return redirect(url_for("shop.home"), 303)


@bp.get("/orders")
def orders() -> str | Response:
    owner = baskets.account()
    if owner is None:
        return redirect(url_for("account.login", next=request.path), 303)
    return render_template("account/orders.html", orders=owner.orders)


@bp.get("/orders/<number>")
def order(number: str) -> str:
    owner = baskets.account()
    found = db.session.scalar(select(Order).where(Order.number == number))
    if found is None or owner is None:
        abort(404)
    if found.account_id != owner.id and not owner.is_staff:
        abort(404)
    return render_template("account/order.html", order=found)


def _welcome(owner: Account) -> Response:
    basket = baskets.current()
    login_user(owner)
    if not owner.is_staff:
        baskets.hand_over(basket, owner)
    db.session.commit()
    flash(f"Welcome, {owner.name}.", "notice")
    home = url_for("staff.home" if owner.is_staff else "account.orders")
    return redirect(_own_path(request.form.get("next", "")) or home, 303)


def _own_path(target: str) -> str | None:
    """Return ``target`` when it is a path of this shop, and nothing that only looks like one."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and not parts.scheme and not parts.netloc else None
