"""What each table of a policy may hold, as marshmallow schemas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from ..change_types import ChangeKind
from ..i18n import N_
from ..types import Money, Priority
from .policy_calendars import zone_of
from .policy_hesitation import ACTS, WEIGHTS
from .policy_values import (
    expected_one_of,
    parse_amount,
    parse_delay,
    parse_duration,
    parse_percent,
    parse_rate,
    unknown_key,
)
from .saying import said_by, say

if TYPE_CHECKING:
    _Field = fields.Field[Any]
else:
    # Generic from marshmallow 4 on.
    _Field = fields.Field

CLOCKS: Final = ("first_response", "next_response", "resolution")
_MOST_DAYS: Final = 14
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_SHARE: Final = re.compile(r"([0-9]|[1-8][0-9]|90)%", re.ASCII)
_BURST: Final = re.compile(r"([1-9][0-9]{0,3}) in (\S+)", re.ASCII)
_MISSING: Final = say(N_("expected a value, but it is missing"))


class _Value(_Field):
    """A value read by a function that raises ``ValueError`` with what was expected."""

    def __init__(self, read: Callable[[Any], Any], **more: Any) -> None:
        super().__init__(**more, error_messages={"required": _MISSING})
        self._read = read

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        try:
            return self._read(value)
        except ValueError as error:
            raise ValidationError(said_by(error)) from error


class _Table(_Field):
    """A table of one schema."""

    def __init__(self, schema: type[Schema], **more: Any) -> None:
        super().__init__(**more)
        self._schema = schema

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, Mapping):
            raise ValidationError(say(N_("expected a table")))
        return self._schema().load(value)


class _Tables(_Field):
    """A table of tables of one schema: ``[teams.payments]``."""

    def __init__(
        self,
        value: _Field,
        *,
        required: str | None = None,
        names: Callable[[Any], str] | None = None,
        **more: Any,
    ) -> None:
        messages: dict[str, Any] = {"required": required} if required else {}
        super().__init__(required=required is not None, error_messages=messages, **more)
        self._value = value
        self._empty = required
        self._names = names or _text

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, Mapping):
            raise ValidationError(say(N_("expected a table")))
        if self._empty and not value:
            raise ValidationError(self._empty)
        return _each(value.items(), self._value, self._names)


class _Array(_Field):
    """An array of tables, at least one: ``[[routes]]``; ``expected`` is the complaint."""

    def __init__(self, value: _Field, *, expected: str, **more: Any) -> None:
        super().__init__(error_messages={"required": expected}, **more)
        self._value = value
        self._empty = expected

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, list) or not value:
            raise ValidationError(self._empty)
        return list(_each(enumerate(value), self._value).values())


def _each(
    items: Iterable[tuple[Any, Any]], field: _Field, name: Callable[[Any], Any] = lambda key: key
) -> dict[Any, Any]:
    loaded: dict[Any, Any] = {}
    wrong: dict[Any, Any] = {}
    for key, value in items:
        try:
            loaded[name(key)] = field.deserialize(value)
        except ValidationError as error:
            wrong[key] = error.messages
        except ValueError as error:
            wrong[key] = [said_by(error)]
    if wrong:
        raise ValidationError(wrong)
    return loaded


class _Strict(Schema):
    """Refuses keys it doesn't know, with the nearest one it does, beside all other mistakes."""

    class Meta:
        unknown = EXCLUDE

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _refuse_unknown(
        self, data: Mapping[str, Any], original: Mapping[str, Any], **_more: Any
    ) -> None:
        known = list(self.fields)
        wrong = {key: [unknown_key(key, known)] for key in original if key not in known}
        if wrong:
            raise ValidationError(wrong)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 64:
        raise ValueError(say(N_("expected a text of 1 to 64 characters")))
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 255:
        raise ValueError(say(N_("expected a text of 1 to 255 characters")))
    return value


def currency_code(value: Any) -> str:
    """Return an ISO 4217 code as it is; raises ``ValueError`` for anything else."""
    if not (isinstance(value, str) and _CURRENCY.fullmatch(value)):
        raise ValueError(say(N_("expected an ISO 4217 code such as 'USD'")))
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(say(N_("expected a whole number of at least 1")))
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(say(N_("expected true or false")))  # noqa: TRY004 - read functions raise one kind
    return value


def _word(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(expected_one_of(words, value))
        return str(value)

    return read


_priority: Final = _word(*(str(one) for one in Priority))


def _several(read: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    """Read one value, or a list of them, each once."""

    def read_all(value: Any) -> tuple[str, ...]:
        given = value if isinstance(value, list) else [value]
        if not given:
            raise ValueError(say(N_("expected at least one")))
        return tuple(dict.fromkeys(read(one) for one in given))

    return read_all


def _members(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(say(N_("expected a list of agents' refs, each a text such as '7'")))
    return tuple(dict.fromkeys(_name(one) for one in value))


def _weight(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value <= 10:
        raise ValueError(say(N_("expected a weight from 0 to 10, such as 0.35")))
    return float(value)


def _points(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise ValueError(say(N_("expected a score from 1 to 100")))
    return value


def _share(value: Any) -> float:
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(say(N_("expected a share from '0%' to '90%', such as '10%'")))
    return int(found[1]) / 100


def _burst(value: Any) -> tuple[int, timedelta]:
    found = _BURST.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(say(N_("expected a number of cases and a time such as '3 in 10m'")))
    return int(found[1]), parse_duration(found[2])


def _anything(value: Any) -> Any:
    """``policy_calendars`` reads what is in it."""
    if not isinstance(value, Mapping):
        raise ValueError(say(N_("expected a table such as [calendars.office]")))  # noqa: TRY004
    return value


def _conditions(value: Any) -> None:
    """Only that it is a table: ``policy_check`` reads what is in it."""
    if not isinstance(value, Mapping):
        raise ValueError(say(N_("expected conditions such as { category = ['fraud'] }")))  # noqa: TRY004


class TeamSchema(_Strict):
    name = _Value(_name)
    team_limit = _Value(_count)
    member_limit = _Value(_count)
    assignment = _Value(_word("manual", "round_robin", "balanced"))
    burst = _Value(_burst)
    accept_within = _Value(parse_duration)
    members = _Value(_members)


class StepSchema(_Strict):
    """A step of a service level's ``escalate``."""

    clock = _Value(_word(*CLOCKS))
    at = _Value(parse_percent)
    after = _Value(parse_duration)
    notify = _Value(_several(_word("assignee", "team", "supervisors", "webhook")))
    priority = _Value(_priority)
    team = _Value(_text)
    protocol = _Value(_text)

    @validates_schema(skip_on_field_errors=True)
    def _one_moment_and_something_to_do(self, data: Mapping[str, Any], **_more: Any) -> None:
        if len(data.keys() & {"at", "after"}) != 1:
            raise ValidationError(say(N_("expected either `at` ('75%') or `after` ('15m')")))
        if not data.keys() & {"notify", "priority", "team", "protocol"}:
            raise ValidationError(
                say(N_("expected notify, priority, team or protocol: it does nothing"))
            )


class SlaSchema(_Strict):
    calendar = _Value(_text)
    first_response = _Value(parse_duration)
    next_response = _Value(parse_duration)
    resolution = _Value(parse_duration)
    escalate = _Array(
        _Table(StepSchema), expected=say(N_("expected steps such as [{ at = '75%', … }]"))
    )

    @validates_schema(skip_on_field_errors=True)
    def _some_target(self, data: Mapping[str, Any], **_more: Any) -> None:
        if not data.keys() & set(CLOCKS):
            raise ValidationError(say(N_("expected first_response, next_response or resolution")))


class TaskSchema(_Strict):
    """A step of a protocol."""

    title = _Value(_name, required=True)
    owner = _Value(_text)
    within = _Value(parse_duration)
    required = _Value(_switch)


class ProtocolSchema(_Strict):
    name = _Value(_name)
    tasks = _Array(
        _Table(TaskSchema),
        required=True,
        expected=say(N_("expected at least one of its [[….tasks]]")),
    )


class RouteSchema(_Strict):
    name = _Value(_name, required=True)
    team = _Value(_text, required=True)
    sla = _Value(_text)
    priority = _Value(_priority)
    protocol = _Value(_text)
    when = _Value(_conditions)
    unless = _Value(_conditions)


WeightsSchema: Final = _Strict.from_dict(
    {kind: _Value(_weight) for kind in WEIGHTS}, name="WeightsSchema"
)


class ActSchema(_Strict):
    """What is done from a score on: ``[[hesitation.acts]]``."""

    act = _Value(_word(*ACTS), required=True)
    over = _Value(parse_amount, required=True)
    score = _Value(_points, required=True)
    on_failure = _Value(_switch)


class HesitationSchema(_Strict):
    over = _Value(parse_amount, load_default=Money(5000, "USD"))
    after = _Value(parse_duration, load_default=timedelta(minutes=10))
    watch_over = _Value(parse_amount)
    enabled = _Value(_switch, load_default=True)
    half_life = _Value(parse_duration, load_default=timedelta(minutes=10))
    norm = _Value(parse_duration, load_default=timedelta(seconds=90))
    norms = _Tables(_Value(parse_duration), load_default=dict)
    weights = _Table(WeightsSchema, load_default=dict)
    acts = _Array(_Table(ActSchema), expected=say(N_("expected at least one [[hesitation.acts]]")))


class PromptsSchema(_Strict):
    per_checkout = _Value(_count, load_default=1)
    per_day = _Value(_count, load_default=1)
    per_month = _Value(_count, load_default=3)
    dismissed_for = _Value(parse_duration, load_default=timedelta(days=7))


class HeldOutSchema(_Strict):
    share = _Value(_share, load_default=0.0)
    salt = _Value(_text, load_default="1")


class OutreachSchema(_Strict):
    payment_failed_after = _Value(parse_duration, load_default=timedelta(minutes=10))
    link_for = _Value(parse_duration, load_default=timedelta(days=3))
    enabled = _Value(_switch, load_default=True)


def _slot(value: Any) -> timedelta:
    length = parse_duration(value)
    if not timedelta(minutes=5) <= length <= timedelta(hours=12):
        raise ValueError(say(N_("expected a time from 5m to 12h")))
    return length


def _days(value: Any) -> int:
    if _count(value) > _MOST_DAYS:
        raise ValueError(say(N_("expected at most %(most)s days"), most=str(_MOST_DAYS)))
    return int(value)


def _zone(value: Any) -> ZoneInfo:
    zone = zone_of(value)
    if zone is None:
        raise ValueError(say(N_("expected a time zone such as 'America/New_York'")))
    return zone


class CallbacksSchema(_Strict):
    enabled = _Value(_switch)
    over = _Value(parse_amount)
    calendar = _Value(_text)
    slot = _Value(_slot)
    lead = _Value(parse_delay)
    days = _Value(_days)
    per_slot = _Value(_count)
    phone = _Value(_text)
    timezone = _Value(_zone)


class ChangesSchema(_Strict):
    enabled = _Value(_switch)
    over = _Value(parse_amount)
    grace = _Value(parse_delay)
    secured_within = _Value(parse_delay)
    pay_within = _Value(parse_duration)
    decide_within = _Value(parse_duration)
    answer_within = _Value(parse_duration)
    mail = _Value(_switch)
    kinds = _Array(_Value(_word(*ChangeKind)), expected=say(N_("expected a list of kinds")))


class CardTestingSchema(_Strict):
    enabled = _Value(_switch, load_default=True)


class PaymentsSchema(_Strict):
    recovers_within = _Value(parse_delay, load_default=timedelta(minutes=2))
    order_within = _Value(parse_duration, load_default=timedelta(minutes=10))
    action_within = _Value(parse_duration, load_default=timedelta(minutes=10))


class PolicySchema(_Strict):
    currency = _Value(currency_code, load_default="USD")
    rates = _Tables(_Value(parse_rate), names=currency_code, load_default=dict)
    teams = _Tables(
        _Table(TeamSchema), required=say(N_("expected at least one team, [teams.support]"))
    )
    sla = _Tables(_Table(SlaSchema), load_default=dict)
    calendars = _Tables(_Value(_anything), load_default=dict)
    protocols = _Tables(_Table(ProtocolSchema), load_default=dict)
    routes = _Array(
        _Table(RouteSchema),
        required=True,
        expected=say(N_("expected at least one route, [[routes]]")),
    )
    hesitation = _Table(HesitationSchema, load_default=lambda: HesitationSchema().load({}))
    outreach = _Table(OutreachSchema, load_default=lambda: OutreachSchema().load({}))
    prompts = _Table(PromptsSchema, load_default=lambda: PromptsSchema().load({}))
    held_out = _Table(HeldOutSchema, load_default=lambda: HeldOutSchema().load({}))
    payments = _Table(PaymentsSchema, load_default=lambda: PaymentsSchema().load({}))
    callbacks = _Table(CallbacksSchema, load_default=lambda: {"enabled": False})
    changes = _Table(ChangesSchema, load_default=dict)
    card_testing = _Table(CardTestingSchema, load_default=lambda: CardTestingSchema().load({}))
