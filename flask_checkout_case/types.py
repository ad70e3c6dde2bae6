"""Frozen values that cross layers.

Amounts are integer minor units with an ISO 4217 code; instants are aware UTC.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeAlias

from .errors import InvalidInputError

Ref: TypeAlias = str | int | uuid.UUID

# ISO 4217 list one, column "minor unit"; every other active code has two digits.
_WITHOUT_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DIGITS: Final[Mapping[str, int]] = {
    **dict.fromkeys(_WITHOUT_DIGITS.split(), 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_MINOR_LIMIT: Final = 2**62


def currency_digits(currency: str) -> int:
    """Return how many decimal digits the ISO 4217 ``currency`` has (JPY 0, USD 2, BHD 3)."""
    return _DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True, init=False, order=False)
class Money:
    """An exact amount of one currency.

    Args:
        amount: in major units, as ``Decimal``, ``str`` or ``int``. A ``float`` is refused: it
            can't hold cents.
        currency: ISO 4217 code, three capital letters.

    Raises:
        InvalidInputError: for a float, a number with more digits than the currency has, or a
            bad code.
    """

    minor_units: int
    currency: str

    def __init__(self, amount: Decimal | str | int, currency: str) -> None:
        code = _currency(currency)
        if isinstance(amount, bool) or not isinstance(amount, (Decimal, str, int)):
            raise InvalidInputError(
                f"Money takes Decimal, str or int, not {type(amount).__name__}", field="amount"
            )
        try:
            scaled = Decimal(amount).scaleb(currency_digits(code))
            minor = int(scaled)
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise InvalidInputError(
                f"{amount!r} is not an amount of money", field="amount"
            ) from error
        if minor != scaled:
            raise InvalidInputError(
                f"{amount} has more digits than {code} has ({currency_digits(code)})",
                field="amount",
            )
        self._set(minor, code)

    @classmethod
    def minor(cls, units: int, currency: str) -> Money:
        """Make an amount from minor units: ``Money.minor(519900, "USD")`` is 5,199.00 dollars."""
        if isinstance(units, bool) or not isinstance(units, int):
            raise InvalidInputError("minor units are an int", field="amount")
        made = object.__new__(cls)
        made._set(units, _currency(currency))
        return made

    def _set(self, units: int, currency: str) -> None:
        if abs(units) > _MINOR_LIMIT:
            raise InvalidInputError("the amount is too large to store", field="amount")
        object.__setattr__(self, "minor_units", units)
        object.__setattr__(self, "currency", currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units."""
        return Decimal(self.minor_units).scaleb(-currency_digits(self.currency))

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def _currency(code: str) -> str:
    if not (isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha()):
        raise InvalidInputError(f"{code!r} is not an ISO 4217 currency code", field="currency")
    return code.upper()


def make_ref(value: Ref | None) -> str | None:
    """Turn a shop's identifier into the opaque string we store; ``None`` and ``""`` stay nothing.

    Raises:
        InvalidInputError: when it is no str, int or UUID, or longer than 255 characters.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, uuid.UUID)):
        raise InvalidInputError(f"a reference is a str, int or UUID, not {type(value).__name__}")
    ref = str(value)
    if len(ref) > 255:
        raise InvalidInputError("a reference has at most 255 characters")
    return ref


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is buying. Everything is optional: guests have no ``ref``.

    Args:
        orders: how many they have placed.
        lifetime_value: what they have bought so far, all together.
        since: when they placed their first order.
        note: what an agent should know of them; customers never see it.
        timezone: an IANA name such as ``Europe/Paris``.
    """

    ref: Ref | None = None
    name: str | None = None
    email: str | None = None
    language: str | None = None
    country: str | None = None
    tags: Sequence[str] = ()
    orders: int | None = None
    lifetime_value: Money | None = None
    since: datetime | None = None
    note: str | None = None
    phone: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line item of a checkout or an order; ``unit_price`` is what one piece costs."""

    sku: str
    title: str
    quantity: int = 1
    unit_price: Money | None = None
    image_url: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout as it is at this moment.

    Args:
        ref: the shop's own identifier; the same over all requests of one checkout.
        value: the total that the customer would pay.
        step: where the customer is, in the shop's words (``contact``, ``shipping``, ``payment``).
        order_ref: set as soon as the shop has an order for it.
        country: ISO 3166 code of the delivery address.
        url: where the customer can go on with this checkout, a path of the shop.
        version, address, delivery, deliveries, instructions, gift_note, addons: what the customer
            may change without going back, as :class:`Order` has them.
    """

    ref: Ref
    value: Money | None = None
    step: str | None = None
    customer: Customer | None = None
    lines: Sequence[Line] = ()
    order_ref: Ref | None = None
    country: str | None = None
    url: str | None = None
    version: str | int | None = None
    address: Mapping[str, str] | None = None
    delivery: str | None = None
    deliveries: Mapping[str, str] = field(default_factory=dict)
    instructions: str | None = None
    gift_note: str | None = None
    addons: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the shop knows it.

    Args:
        version: changes whenever the order does; a number or any text.
        placed_at: aware UTC.
        stage: how far its fulfilment is, see :class:`Stage`; ``None`` where nobody knows.
        address: where it goes, by the names of :data:`.ADDRESS_FIELDS`.
        delivery: the key of its way of delivery, one of ``deliveries``.
        deliveries: the ways of delivery that it may have, by key, with what the customer reads.
        cut_off_at: until when the warehouse takes changes, aware UTC.
        secured_at: when the customer's password or e-mail address was last changed, aware UTC.
        addons: what may be added to it, each with the price of one piece.
    """

    ref: Ref
    status: str | None = None
    value: Money | None = None
    checkout_ref: Ref | None = None
    customer: Customer | None = None
    lines: Sequence[Line] = ()
    url: str | None = None
    version: str | int | None = None
    placed_at: datetime | None = None
    stage: str | None = None
    address: Mapping[str, str] | None = None
    delivery: str | None = None
    deliveries: Mapping[str, str] = field(default_factory=dict)
    instructions: str | None = None
    gift_note: str | None = None
    cut_off_at: datetime | None = None
    secured_at: datetime | None = None
    addons: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of the staff, as the shop's ``agent_loader`` gives it.

    Args:
        role: ``"agent"`` or ``"supervisor"``.
        limit: how many open cases this agent takes at once; the team's limit when ``None``.
    """

    ref: Ref
    name: str
    teams: Sequence[str] = ()
    role: str = "agent"
    email: str | None = None
    limit: int | None = None

    @property
    def is_supervisor(self) -> bool:
        return self.role == "supervisor"


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    SOLVED = "solved"
    CLOSED = "closed"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Origin(StrEnum):
    SIGNAL = "signal"
    GATEWAY = "gateway"
    WIDGET = "widget"
    AGENT = "agent"
    API = "api"
    SWEEP = "sweep"


class Outcome(StrEnum):
    SELF_RECOVERED = "self_recovered"
    ASSISTED = "assisted"
    RESCUED = "rescued"
    SAVED_CHANGE = "saved_change"
    REFUSED = "refused"
    LOST = "lost"
    DUPLICATE = "duplicate"
    SPAM = "spam"


class Family(StrEnum):
    """The second half of a case's dedupe key: one live case per checkout and family."""

    PAYMENT = "payment"
    HESITATION = "hesitation"
    MESSAGE = "message"
    CHANGE = "change"


class Category(StrEnum):
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_ERROR = "payment_error"
    PAYMENT_CONFLICT = "payment_conflict"
    AUTHENTICATION = "authentication"
    FRAUD = "fraud"
    HESITATION = "hesitation"
    COUPON_PRICING = "coupon_pricing"
    SHIPPING_DELIVERY = "shipping_delivery"
    ADDRESS_CHANGE = "address_change"
    ORDER_CHANGE = "order_change"
    CANCEL_REFUND = "cancel_refund"
    ACCOUNT_LOGIN = "account_login"
    STOCK = "stock"
    INVOICE = "invoice"
    PRODUCT_QUESTION = "product_question"
    OTHER = "other"


class FailureClass(StrEnum):
    SOFT = "soft"
    HARD = "hard"
    FUNDS = "funds"
    LIMIT = "limit"
    AUTH = "auth"
    FRAUD = "fraud"
    CARD_DATA = "card_data"
    EXPIRED = "expired"
    PROCESSING = "processing"
    NETWORK = "network"
    CONFIG = "config"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"


class EntryKind(StrEnum):
    """What a line of a case's timeline is."""

    MESSAGE = "message"
    NOTE = "note"
    SIGNAL = "signal"
    DECISION = "decision"
    CHANGE = "change"
    ESCALATION = "escalation"
    MAIL = "mail"


class AuthorKind(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


LIVE: Final = (Status.NEW, Status.OPEN, Status.WAITING)


@dataclass(frozen=True, slots=True)
class PaymentFailure:
    """One failed payment attempt in our words, whatever the gateway said.

    Args:
        attempt: the gateway's id of this very attempt (a charge): two reports of it are one.
        retry: ``once``, ``later``, ``never``, ``after_edit``, ``after_challenge``, ``same_key``
            or ``reconcile``.
        fixer: ``issuer``, ``customer``, ``risk``, ``gateway`` or ``shop``.
        outcome: ``failed``, or ``unknown`` when the money may have moved all the same.
        unmapped: the code is not in our tables.
    """

    gateway: str | None
    failure_class: FailureClass
    retry: str
    fixer: str
    outcome: str = "failed"
    attempt: str | None = None
    event_key: str | None = None
    checkout_ref: str | None = None
    amount: Money | None = None
    raw_code: str | None = None
    network_code: str | None = None
    advice_code: str | None = None
    unmapped: bool = False
    classifier_version: int = 1


@dataclass(frozen=True, slots=True)
class PaymentAttempt:
    """One try to pay whose outcome is asked for, see ``CheckoutCase.reconcile``.

    Args:
        gateway: as the shop named it in ``provider``.
        payment_id, attempt_id: as the shop or the gateway told them; often only one of them.
        began_at: when it was first heard of, UTC.
    """

    gateway: str | None
    payment_id: str | None
    attempt_id: str | None
    checkout_ref: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One captured signal: plain, masked, capped values only; what the spool holds.

    Args:
        id: idempotency key; two reports of one attempt share it.
        name: the signal's name (``payment_failed``).
        at: when it happened, UTC.
        checkout: snapshot as plain JSON (``ref, value_minor, currency, step, customer, lines, …``)
            or ``None``.
        data: the signal's other arguments, plain JSON.
    """

    id: str
    name: str
    at: datetime
    checkout_ref: str | None = None
    order_ref: str | None = None
    customer_ref: str | None = None
    checkout: Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = Origin.SIGNAL


@dataclass(frozen=True, slots=True)
class Emission:
    """One of our own signals, to be sent after the commit."""

    signal: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaseInfo:
    """A case as code reads it: a snapshot, never a live row."""

    reference: str
    status: Status
    category: Category
    failure_class: FailureClass | None
    priority: Priority
    team: str
    assignee: str | None
    route: str
    subject: str
    occurrences: int
    first_response_due: datetime | None
    next_response_due: datetime | None
    resolution_due: datetime | None
    value: Money | None
    checkout_ref: str | None
    order_ref: str | None
    customer_ref: str | None
    outcome: Outcome | None
    version: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class IncidentInfo:
    """An incident as code reads it: many failures of one cause, told once.

    Args:
        kind: ``outage``, ``silence`` (nobody tries to pay any more) or ``card_testing``.
        gateway, method: as the shop names them in ``provider`` and ``method``, in small letters;
            ``None`` where it names none.
        class_group: what fails: ``gateway``, ``issuer``, ``authentication`` or ``shop``.
        began_at: since when there are too many failures, UTC.
        members: how many checkouts were hit.
        case: the reference of its one case in the queue.
    """

    id: int
    kind: str
    gateway: str | None
    method: str | None
    class_group: str | None
    began_at: datetime
    opened_at: datetime
    members: int
    case: str | None
    resolved_at: datetime | None


def utc_now() -> datetime:
    return datetime.now(UTC)
