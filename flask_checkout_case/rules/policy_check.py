"""From the parsed TOML to a policy, or to the list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from ..change_types import ChangeKind
from ..i18n import N_
from ..types import Money, Priority
from .calendars import Calendar
from .conditions import Clause
from .policy import (
    Burst,
    Callbacks,
    CardTesting,
    Outreach,
    Payments,
    Policy,
    Protocol,
    Route,
    Sla,
    Step,
    Task,
    Team,
)
from .policy_calendars import read_calendars
from .policy_changes import Changes
from .policy_conditions import read_routes
from .policy_hesitation import NORMS, WEIGHTS, Act, HeldOut, Hesitation, Prompts, default_acts
from .policy_names import dangling
from .policy_schema import PolicySchema
from .policy_toml import Mistake, Path, flat
from .policy_values import Rates
from .saying import said_by, say


def build(
    raw: Mapping[str, Any], *, version: str, source: str
) -> tuple[Policy | None, list[Mistake]]:
    """Return the policy, or ``None`` and every mistake."""
    loaded: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    try:
        loaded = PolicySchema().load(raw)
    except ValidationError as error:
        mistakes += flat(error.messages_dict)
    calendars, in_calendars = read_calendars(raw)
    routes, in_routes = read_routes(raw, calendars)
    mistakes += [*in_calendars, *dangling(raw), *in_routes, *_without_rate(raw, loaded)]
    if mistakes:
        return None, mistakes
    return _assembled(loaded, calendars, routes, version=version, source=source), []


def _assembled(
    loaded: Mapping[str, Any],
    calendars: Mapping[str, Calendar],
    routes: list[dict[str, tuple[Clause, ...]]],
    *,
    version: str,
    source: str,
) -> Policy:
    slas = {key: _service_level(key, told) for key, told in loaded["sla"].items()}
    return Policy(
        currency=loaded["currency"],
        rates=loaded["rates"],
        teams={key: _team(key, told) for key, told in loaded["teams"].items()},
        sla=slas,
        routes=tuple(
            Route(
                **{
                    **told,
                    **clauses,
                    "sla": slas.get(told.get("sla", "")),
                    "priority": Priority(told.get("priority", Priority.NORMAL)),
                }
            )
            for told, clauses in zip(loaded["routes"], routes, strict=True)
        ),
        hesitation=_hesitation(loaded["hesitation"], loaded["currency"]),
        prompts=Prompts(**loaded["prompts"]),
        held_out=HeldOut(**loaded["held_out"]),
        payments=Payments(**loaded["payments"]),
        card_testing=CardTesting(**loaded["card_testing"]),
        outreach=Outreach(
            after=loaded["outreach"]["payment_failed_after"],
            enabled=loaded["outreach"]["enabled"],
            link_for=loaded["outreach"]["link_for"],
        ),
        # Whoever is worth a case of their own is worth a call.
        callbacks=Callbacks(**{"over": loaded["hesitation"]["over"], **loaded["callbacks"]}),
        changes=_changes(loaded["changes"], loaded["hesitation"]["over"]),
        version=version,
        source=source,
        calendars=calendars,
        protocols={key: _protocol(key, told) for key, told in loaded["protocols"].items()},
    )


def _team(key: str, told: Mapping[str, Any]) -> Team:
    burst = {"burst": Burst(*told["burst"])} if "burst" in told else {}
    return Team(key=key, **{"name": key.capitalize(), **told, **burst})


def _service_level(key: str, told: Mapping[str, Any]) -> Sla:
    steps = tuple(_step(step) for step in told.get("escalate", ()))
    return Sla(key=key, **{**told, "escalate": steps})


def _step(told: Mapping[str, Any]) -> Step:
    given = dict(told)
    given["percent"] = given.pop("at", None)
    if "priority" in given:
        given["priority"] = Priority(given["priority"])
    return Step(**given)


def _protocol(key: str, told: Mapping[str, Any]) -> Protocol:
    name = told.get("name", key.replace("-", " ").capitalize())
    return Protocol(key=key, name=name, tasks=tuple(Task(**task) for task in told["tasks"]))


def _hesitation(told: Mapping[str, Any], currency: str) -> Hesitation:
    acts = tuple(_act(one) for one in told["acts"]) if "acts" in told else default_acts(currency)
    weights, norms = {**WEIGHTS, **told["weights"]}, {**NORMS, **told["norms"]}
    shown = {"watch_over": Money(1000, currency)}
    return Hesitation(**{**shown, **told, "acts": acts, "weights": weights, "norms": norms})


def _changes(told: Mapping[str, Any], over: Money) -> Changes:
    kinds = {"kinds": frozenset(map(ChangeKind, told["kinds"]))} if "kinds" in told else {}
    return Changes(**{"over": over, **told, **kinds})


def _act(told: Mapping[str, Any]) -> Act:
    return Act(**told)


def _without_rate(raw: Mapping[str, Any], loaded: Mapping[str, Any]) -> Iterator[Mistake]:
    if not loaded:
        return
    hesitation, callbacks = loaded["hesitation"], loaded["callbacks"]
    rates = Rates(loaded["currency"], loaded["rates"])
    if callbacks.get("enabled", True) and "over" in callbacks:
        yield from _needs_rate(rates, callbacks["over"], ("callbacks", "over"))
    if "over" in loaded["changes"]:
        yield from _needs_rate(rates, loaded["changes"]["over"], ("changes", "over"))
    for number, act in enumerate(hesitation.get("acts", ())):
        path = ("hesitation", "acts", number, "over")
        yield from _needs_rate(rates, act["over"], path)
    if "watch_over" in hesitation:
        yield from _needs_rate(rates, hesitation["watch_over"], ("hesitation", "watch_over"))
    is_told = "over" in raw.get("hesitation", {})
    if is_told or hesitation["enabled"]:
        default = say(N_("; without one it is %(amount)s"), amount=str(hesitation["over"]))
        more = "" if is_told else default
        yield from _needs_rate(rates, hesitation["over"], ("hesitation", "over"), more)


def _needs_rate(rates: Rates, amount: Money, path: Path, more: str = "") -> Iterator[Mistake]:
    try:
        rates.required(amount)
    except ValueError as error:
        yield Mistake(path, said_by(error) + more)
