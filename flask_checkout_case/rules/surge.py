"""When failed payments are an outage: a Bernoulli-CUSUM over the attempts of one stream.

A stream is a gateway and a method. Each attempt adds to the stream's score how much likelier it is
at twice the usual share of failures than at the usual one; a minute that ends below nothing starts
anew. Where successes are never told, failures are counted against time instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log
from typing import Any, Final, TypeAlias

from ..types import FailureClass

Stream: TypeAlias = tuple[str, str]
"""A gateway and a method, ``""`` where none is told."""
THRESHOLD: Final = 10.0
AT_ONCE: Final = 20.0
"""What a score passes only in a storm: then the end of the minute isn't waited for."""
LEAST_FAILURES: Final = 5
LEAST_CUSTOMERS: Final = 3
NORMAL_FOR: Final = timedelta(minutes=15)
"""So long all has to be well until an incident is over; failures of so long before are its own."""
FAILING: Final = 0.15
"""What share of payments fails where nothing is known yet."""

SILENCE: Final = "silence"
OTHER: Final = "other"
GROUPS: Final[Mapping[FailureClass, str]] = {
    FailureClass.SOFT: "issuer",
    FailureClass.HARD: "issuer",
    FailureClass.LIMIT: "issuer",
    FailureClass.FRAUD: "issuer",
    FailureClass.AUTH: "authentication",
    FailureClass.PROCESSING: "gateway",
    FailureClass.NETWORK: "gateway",
    FailureClass.CONFIG: "shop",
    FailureClass.DUPLICATE: "shop",
}
"""Failures of one cause; the classes that aren't here depend on the customer and tell nothing."""

_PRIOR_ATTEMPTS: Final = 400.0
_PRIOR_OF_HOUR: Final = 1000.0
_RATES: Final = (0.02, 0.45)
_PRIOR_FAILURES: Final = 5.0
"""A minute, where successes are never told and nothing is known yet."""
_PRIOR_MINUTES: Final = 60.0
_MOSTLY: Final = 0.9
_REMEMBERED: Final = 500
_RECENT: Final = 5
_BAD: Final = 3
_EXPECTED_IN_SILENCE: Final = 20.0
_SILENT_MINUTES: Final = 10
_KNOWN_MINUTES: Final = 110
"""An hour of the week whose attempts are expected: it has been seen twice."""
_FORGOTTEN_AFTER: Final = 480
_LONGEST_GAP: Final = 24 * 60
_WEEK_HOURS: Final = 168


@dataclass(frozen=True, slots=True)
class Trial:
    """One attempt to pay that came to an end.

    Args:
        at: when we came to know of it, UTC.
        customer: tells customers apart.
        group: of :data:`GROUPS`, when it failed; ``None`` for a success, :data:`OTHER` for what
            depends on the customer: it only shows that there are attempts.
    """

    at: datetime
    checkout: str
    customer: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Payments of a stream fail, or have stopped.

    Args:
        group: of most of the failures, or :data:`SILENCE`.
        began_at: the first minute that counts, UTC.
        usual: the share of failures that is usual in this hour; attempts a minute for silence.
    """

    group: str
    began_at: datetime
    attempts: int
    failures: int
    usual: float


@dataclass(slots=True)
class Watch:
    """What is known of a stream; all of it is plain JSON, see :meth:`as_json`.

    Args:
        minute: the one that is counted now, in minutes since 1970.
        score: at the end of the minute before.
        attempts, failures, others: of the minute that is counted now.
        run, run_failures: attempts and failures since the score was last nothing, this minute's
            left out.
        began: the minute in which it was.
        customers: the first few whose payments have failed since then.
        groups: how many failures of which group since then.
        failed: in which minute a checkout's last failure was counted.
        recent: attempts and failures of the last minutes.
        silent: attempts that were to be expected since the last one, ``silent_minutes`` ago.
        deaf: silence means nothing now.
        hours: for hours of the week, from Monday at midnight UTC: minutes, attempts, failures.
        known: attempts and failures of all these hours.
        passes: a payment of this stream has been told to have passed.
        ill_at: the last minute in which failures were too many.
    """

    minute: int
    score: float = 0.0
    attempts: int = 0
    failures: int = 0
    others: int = 0
    run: int = 0
    run_failures: int = 0
    began: int | None = None
    customers: list[str] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    recent: list[list[int]] = field(default_factory=list)
    silent: float = 0.0
    silent_minutes: int = 0
    deaf: bool = False
    hours: dict[str, list[int]] = field(default_factory=dict)
    known: list[int] = field(default_factory=lambda: [0, 0])
    passes: bool = False
    ill_at: int | None = None

    @classmethod
    def begin(cls, at: datetime) -> Watch:
        return cls(minute=_minute(at))

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Watch:
        # What another release has kept beside it is left out.
        return cls(**{name: told[name] for name in cls.__slots__ if name in told})

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def ill_until(self) -> datetime | None:
        """The end of the last minute in which failures were too many."""
        return _instant(self.ill_at + 1) if self.ill_at is not None else None

    def observe(
        self, trials: Iterable[Trial], now: datetime, *, suspended: bool = False, deaf: bool = False
    ) -> Alarm | None:
        """Take what happened up to ``now``; what is wrong by then, once.

        Args:
            trials: in the order of their instants.
            suspended: an incident of this stream is open: nothing is learnt of what is usual, and
                nobody attempting is no surprise.
            deaf: nobody has listened for a while, so that there may have been attempts.
        """
        self.deaf = suspended or deaf
        alarm: Alarm | None = None
        for trial in trials:
            found = self._close_until(_minute(trial.at), suspended=suspended)
            found = (self._alarm(AT_ONCE) if self._count(trial) else None) or found
            alarm = alarm or found
        found = self._close_until(_minute(now), suspended=suspended)
        return alarm or found

    def rate(self) -> float:
        """The share of failures that is usual in this hour of the week."""
        attempts, failures = self.known
        overall = (FAILING * _PRIOR_ATTEMPTS + failures) / (_PRIOR_ATTEMPTS + attempts)
        _, attempts, failures = self._hour()
        here = (overall * _PRIOR_OF_HOUR + failures) / (_PRIOR_OF_HOUR + attempts)
        return min(max(here, _RATES[0]), _RATES[1])

    def _hour(self) -> list[int]:
        return self.hours.get(_hour_of(self.minute), [0, 0, 0])

    def _tells_success(self) -> bool:
        attempts, failures = self.known
        # Some shops tell of one success in a hundred: no share can be told from that.
        return self.passes and (attempts < _PRIOR_ATTEMPTS or failures < attempts * _MOSTLY)

    def _count(self, trial: Trial) -> bool:
        """Count an attempt; whether that is one more failure."""
        counted = self.failed.get(trial.checkout)
        if trial.group == OTHER:
            self.others += 1
        elif trial.group is None:
            if counted is not None:
                self._take_back(trial.checkout, counted)
            self.attempts += 1
            self.passes = True
        elif counted is None:  # the last attempt counts: who fails again has failed once
            self.attempts += 1
            self.failures += 1
            self.groups[trial.group] = self.groups.get(trial.group, 0) + 1
            if len(self.customers) < LEAST_CUSTOMERS and trial.customer not in self.customers:
                self.customers.append(trial.customer)
            self._remember(trial.checkout)
            return True
        return False

    def _remember(self, checkout: str) -> None:
        self.failed[checkout] = self.minute
        if len(self.failed) > _REMEMBERED:
            del self.failed[next(iter(self.failed))]

    def _take_back(self, checkout: str, counted: int) -> None:
        del self.failed[checkout]
        if counted == self.minute:
            self.attempts -= 1
            self.failures -= 1
        elif self.run_failures:
            self.run -= 1
            self.run_failures -= 1
            self.score = max(0.0, self.score - log(2))

    def _score(self) -> float:
        if self._tells_success():
            return stepped(self.score, self.attempts, self.failures, self.rate())
        return self.score + self.failures * log(2) - self._usual_failures()

    def _usual_failures(self) -> float:
        """How many failures a minute are usual in this hour of the week."""
        minutes, _, failures = self._hour()
        return (_PRIOR_FAILURES * _PRIOR_MINUTES + failures) / (_PRIOR_MINUTES + minutes)

    def _alarm(self, threshold: float) -> Alarm | None:
        failures = self.run_failures + self.failures
        if failures < LEAST_FAILURES or len(self.customers) < LEAST_CUSTOMERS:
            return None
        score = self._score()
        if score < threshold:
            return None
        group = max(self.groups, key=lambda one: (self.groups[one], one))
        began = _instant(self.minute if self.began is None else self.began)
        alarm = Alarm(group, began, self.run + self.attempts, failures, self.rate())
        self.ill_at = self.minute
        # What has led to this alarm leads to no other; this minute goes on to be counted.
        self._start_anew(self.score - score)
        return alarm

    def _close_until(self, minute: int, *, suspended: bool) -> Alarm | None:
        if minute - self.minute > _LONGEST_GAP:
            # Nobody has looked for a day: what happened meanwhile isn't known.
            self._start_anew(0.0)
            self.minute, self.recent = minute, []
            self.attempts = self.failures = self.others = 0
        found: Alarm | None = None
        while self.minute < minute:
            found = self._close(suspended=suspended) or found
        return found

    def _close(self, *, suspended: bool) -> Alarm | None:
        alarm = self._alarm(THRESHOLD)
        self.score = min(max(0.0, self._score()), THRESHOLD)
        self._note_illness()
        silence = self._listen()
        # Bad minutes too: what is usual would look better than it is without them.
        if not suspended and not self._is_silent():
            self._learn()
        if self.score > 0:
            self.began = self.minute if self.began is None else self.began
            self.run += self.attempts
            self.run_failures += self.failures
        else:
            self._start_anew(0.0)
        self.minute += 1
        self.attempts = self.failures = self.others = 0
        oldest = self.minute - int(NORMAL_FOR.total_seconds() // 60)
        self.failed = {ref: at for ref, at in self.failed.items() if at >= oldest}
        return alarm or silence

    def _start_anew(self, score: float) -> None:
        self.score, self.began, self.run, self.run_failures = score, None, 0, 0
        self.customers, self.groups = [], {}

    def _note_illness(self) -> None:
        self.recent = [*self.recent, [self.attempts, self.failures]][-_RECENT:]
        attempts, failures = (sum(column) for column in zip(*self.recent, strict=True))
        most = self._usual_failures() * len(self.recent) / log(2)
        if self._tells_success():
            most = attempts * alternative(self.rate())
        # A minute without a failure isn't the one that had too many.
        if self.failures and failures >= max(most, _BAD):
            self.ill_at = self.minute

    def _learn(self) -> None:
        hour = self._hour()
        if hour[0] >= _FORGOTTEN_AFTER:
            hour = [number // 2 for number in hour]
        added = (1, self.attempts, self.failures)
        self.hours[_hour_of(self.minute)] = [
            one + more for one, more in zip(hour, added, strict=True)
        ]
        _, *known = (sum(column) for column in zip(*self.hours.values(), strict=True))
        self.known = known

    def _listen(self) -> Alarm | None:
        if self.attempts or self.others or self.deaf:
            self.silent, self.silent_minutes = 0.0, 0
            return None
        minutes, attempts, _ = self._hour()
        before = self._is_silent()
        self.silent += attempts / minutes if minutes >= _KNOWN_MINUTES else 0.0
        self.silent_minutes += 1
        if not self._is_silent():
            return None
        self.ill_at = self.minute
        if before:
            return None
        began = _instant(self.minute + 1 - self.silent_minutes)
        return Alarm(SILENCE, began, 0, 0, self.silent / self.silent_minutes)

    def _is_silent(self) -> bool:
        return self.silent >= _EXPECTED_IN_SILENCE and self.silent_minutes >= _SILENT_MINUTES


def alternative(rate: float) -> float:
    """Return the share of failures that an outage has: twice the usual one."""
    return min(2 * rate, 0.9)


def stepped(score: float, attempts: int, failures: int, rate: float) -> float:
    """Return the score after some more attempts; where a minute ends, nothing is the least.

    Args:
        rate: the usual share of failures.
    """
    other = alternative(rate)
    fails, passes = log(other / rate), log((1 - other) / (1 - rate))
    return score + failures * fails + (attempts - failures) * passes


def fingerprint(gateway: str, group: str, method: str) -> str:
    """Return what tells incidents apart: one of each is open at most."""
    return f"{gateway}|{group}|{method}"


def stream_of(data: Mapping[str, Any]) -> Stream:
    """Return the gateway and the method that a payment's signal names; ``""`` for an unknown."""
    gateway, method = (data.get(name) for name in ("provider", "method"))
    return _key(gateway), _key(method)


def stream_among(known: Iterable[Stream], stream: Stream) -> Stream:
    """Return the stream to which a report belongs: one that tells no method is of its gateway's
    only one, if that has just one.

    The page of the payment and the webhook may not both tell it.
    """
    gateway, method = stream
    named = {one for one in known if one[0] == gateway and one[1]}
    return named.pop() if not method and len(named) == 1 else stream


def classes_of(group: str) -> frozenset[FailureClass]:
    """Return the failure classes whose cases an incident of this group stands for.

    A suspected fraud stays with those who look at fraud.
    """
    found = {one for one, its in GROUPS.items() if its == group}
    return frozenset(found - {FailureClass.FRAUD, FailureClass.DUPLICATE})


def has_ended(opened_at: datetime, ill_until: datetime | None, now: datetime) -> bool:
    """Whether all has been well for long enough."""
    return now - max(opened_at, ill_until or opened_at) >= NORMAL_FOR


def _key(value: object) -> str:
    return value.strip().lower()[:64] if isinstance(value, str) else ""


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _hour_of(minute: int) -> str:
    # The first of January 1970 was a Thursday.
    return str((minute // 60 + 3 * 24) % _WEEK_HOURS)
