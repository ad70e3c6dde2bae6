"""What the shop begins with: products, coupons, customers, staff. Running it twice is fine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from werkzeug.security import generate_password_hash

from .catalogue import items
from .extensions import db
from .models import Account, Coupon, Product

PASSWORD: Final = "corvane-demo"
STAFF: Final = (
    ("lin.okafor@corvane.example", "Lin Okafor", "agent", ["payments"]),
    ("mateo.silva@corvane.example", "Mateo Silva", "agent", ["payments", "risk"]),
    ("greta.lindqvist@corvane.example", "Greta Lindqvist", "agent", ["concierge"]),
    ("yusuf.haddad@corvane.example", "Yusuf Haddad", "agent", ["fulfilment", "support"]),
    ("clara.moreau@corvane.example", "Clara Moreau", "agent", ["support"]),
    (
        "ines.castellan@corvane.example",
        "Ines Castellan",
        "supervisor",
        ["payments", "risk", "fulfilment", "concierge", "support", "supervisors"],
    ),
)
CUSTOMERS: Final = (
    ("ada.whitfield@mail.example", "Ada Whitfield", "US"),
    ("noah.brandt@mail.example", "Noah Brandt", "DE"),
    ("layla.mansour@mail.example", "Layla Mansour", "AE"),
    ("henri.duval@mail.example", "Henri Duval", "FR"),
    ("sora.tanaka@mail.example", "Sora Tanaka", "JP"),
    ("priya.raman@mail.example", "Priya Raman", "SG"),
    ("owen.maclean@mail.example", "Owen Maclean", "GB"),
    ("giulia.ferri@mail.example", "Giulia Ferri", "IT"),
    ("tomas.novak@mail.example", "Tomas Novak", "CH"),
    ("maya.okonjo@mail.example", "Maya Okonjo", "US"),
    ("elias.berg@mail.example", "Elias Berg", "US"),
    ("ruth.calloway@mail.example", "Ruth Calloway", "CA"),
)


def seed() -> None:
    """Add what is missing and commit. Needs an app context and up-to-date tables."""
    _add_products()
    _add_coupons()
    _add_accounts()
    db.session.commit()


def _add_products() -> None:
    known = set(db.session.scalars(select(Product.sku)))
    for rank, item in enumerate(items()):
        if item.sku not in known:
            db.session.add(
                Product(
                    sku=item.sku,
                    slug=item.slug,
                    name=item.name,
                    category=item.category,
                    price_minor=item.price_minor,
                    blurb=item.blurb,
                    story=item.story,
                    details=item.details,
                    stock=item.stock,
                    rank=rank,
                )
            )


def _add_coupons() -> None:
    known = set(db.session.scalars(select(Coupon.code)))
    past = datetime(2026, 8, 31, tzinfo=UTC)
    for coupon in (
        Coupon(code="WELCOME10", percent=10, minimum_minor=20_000),
        Coupon(code="ATELIER15", percent=15, minimum_minor=100_000),
        Coupon(code="SUMMER25", percent=25, minimum_minor=0, expires_at=past),
    ):
        if coupon.code not in known:
            db.session.add(coupon)


def _add_accounts() -> None:
    known = set(db.session.scalars(select(Account.email)))
    # The demonstration's one password is hashed once: eighteen times would take seconds.
    password_hash = generate_password_hash(PASSWORD)
    people = [(email, name, "customer", list[str](), country) for email, name, country in CUSTOMERS]
    people += [(email, name, role, teams, "") for email, name, role, teams in STAFF]
    for email, name, role, teams, country in people:
        if email not in known:
            db.session.add(
                Account(
                    email=email,
                    name=name,
                    role=role,
                    teams=teams,
                    country=country or None,
                    password_hash=password_hash,
                )
            )
