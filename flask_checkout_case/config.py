"""Every ``CHECKOUT_CASE_*`` key: name, default, check and meaning. Read once, at ``init_app``."""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from .errors import ConfigurationError

PREFIX: Final = "CHECKOUT_CASE_"
SECRET_BYTES: Final = 24
"""What the Standard Webhooks ask of a secret at least."""
PARTS: Final = ("widget", "agent", "api", "webhooks")


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key.

    Args:
        default: used when the shop sets nothing.
        expected: the sentence in the error message and in the documentation.
        check: turns the raw value into the stored one; raises ``ValueError`` or ``TypeError``
            when it can't.
        meaning: what the key does, for the documentation.
    """

    name: str
    default: Any
    expected: str
    check: Callable[[Any], Any]
    meaning: str

    @property
    def config_name(self) -> str:
        return PREFIX + self.name.upper()


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _optional_path(value: Any) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise TypeError
    return Path(value)


def _prefix(value: Any) -> str:
    text = _text(value)
    if not text.startswith("/") or text == "/" or "<" in text or "//" in text:
        raise ValueError
    return text.rstrip("/")


def _choice(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError
        return str(value)

    return check


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(item, str) and item for item in value):
        raise TypeError
    return tuple(value)


def _parts(value: Any) -> tuple[str, ...]:
    chosen = _texts(value)
    if set(chosen) - set(PARTS):
        raise ValueError
    return chosen


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return check


class _AmissError(ValueError):
    """What exactly is amiss within a value; tells nothing of what it holds."""


BRAINTREE_KEYS: Final = ("merchant_id", "public_key", "private_key")
BRAINTREE_ENVIRONMENTS: Final = ("production", "sandbox")


def _signing_secret(secret: Any) -> bool:
    return isinstance(secret, str) and bool(secret.strip())


def _hex_key(secret: Any) -> bool:
    return isinstance(secret, str) and bool(re.fullmatch("(?:[0-9A-Fa-f]{2}){16,}", secret))


def _braintree_keys(secret: Any) -> bool:
    if not isinstance(secret, Mapping) or set(secret) - {"environment"} != set(BRAINTREE_KEYS):
        return False
    # The library knows no other letters in a key.
    keys = [secret[name] for name in BRAINTREE_KEYS]
    environment = secret.get("environment", "production")
    return environment in BRAINTREE_ENVIRONMENTS and all(
        _signing_secret(key) and key.isascii() for key in keys
    )


_SECRET_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "adyen": ("the HMAC key in hexadecimal digits", _hex_key),
    "paypal": ("the webhook's id", _signing_secret),
    "braintree": (
        f"a mapping with {', '.join(BRAINTREE_KEYS)} and, for the sandbox, environment='sandbox'",
        _braintree_keys,
    ),
}


def _secrets(value: Any) -> Mapping[str, tuple[Any, ...]]:
    if not isinstance(value, Mapping):
        raise TypeError
    found: dict[str, tuple[Any, ...]] = {}
    for gateway, given in value.items():
        if not isinstance(gateway, str):
            raise TypeError
        kind, is_one = _SECRET_KINDS.get(gateway, ("a text", _signing_secret))
        alone = isinstance(given, (str, Mapping))
        pair = (given,) if alone else tuple(given) if isinstance(given, (list, tuple)) else ()
        if not 1 <= len(pair) <= 2 or not all(is_one(secret) for secret in pair):
            raise _AmissError(f"{gateway!r} takes {kind}, or a list of one or two of that")
        found[gateway] = pair
    return found


def _signing(value: Any) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else _texts(value)
    if len(found) > 2:
        raise ValueError
    for secret in found:
        if not secret.startswith("whsec_"):
            raise ValueError
        if len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) < SECRET_BYTES:
            raise ValueError
    return found


KEYS: Final[tuple[Key, ...]] = (
    Key(
        "enabled",
        True,
        "True or False",
        _boolean,
        "Off: nothing is captured and no page is mounted; the tables stay.",
    ),
    Key(
        "url_prefix",
        "/checkout-case",
        "a path such as '/help', with a leading slash",
        _prefix,
        "Where our pages are mounted.",
    ),
    Key(
        "parts",
        PARTS,
        f"a list out of {', '.join(PARTS)}",
        _parts,
        "Which faces are mounted. A shop with a separate back office mounts `agent` there alone.",
    ),
    Key(
        "widget",
        "auto",
        "'auto', 'manual' or 'off'",
        _choice("auto", "manual", "off"),
        "`auto` adds help link and script to matching HTML pages; `manual` leaves it to "
        "`{{ checkout_case_widget() }}` in a template.",
    ),
    Key(
        "widget_endpoints",
        ("checkout.*",),
        "a list of endpoint globs such as 'checkout.*'",
        _texts,
        "On which endpoints `auto` adds the widget.",
    ),
    Key(
        "widget_position",
        "end",
        "'start' or 'end'",
        _choice("start", "end"),
        "At which side of the page the launcher floats on a wide screen, in reading direction.",
    ),
    Key(
        "widget_z_index",
        50,
        "a whole number from 0 to 2147483647",
        _whole(0, 2**31 - 1),
        "Stacking order of launcher and panel.",
    ),
    Key(
        "policy",
        None,
        "a path to a TOML file, or None for the policy that is shipped",
        _optional_path,
        "The policy: teams, service levels, routes. A relative path starts at the app's root.",
    ),
    Key(
        "policy_editable",
        False,
        "True or False",
        _boolean,
        "On: supervisors change the policy in the workspace, its versions are stored, and a "
        "changed file waits there to be activated. Off: the file is the policy.",
    ),
    Key(
        "shop_name",
        None,
        "a text, or None for the app's name",
        _optional_text,
        "How the shop is called in pages and mails.",
    ),
    Key(
        "capture",
        "spool",
        "'spool' or 'direct'",
        _choice("spool", "direct"),
        "`direct` writes at once through a connection of our own: for containers without a volume, "
        "on PostgreSQL only.",
    ),
    Key(
        "spool_dir",
        None,
        "a path, or None for 'checkout_case_spool' in the instance folder",
        _optional_path,
        "Where captured events wait until the database has them. Must outlive the process.",
    ),
    Key(
        "secret_keys",
        (),
        "a list of texts; without it the app's SECRET_KEY and SECRET_KEY_FALLBACKS",
        _texts,
        "Keys that sign customers' tokens, the current one first.",
    ),
    Key(
        "token_days",
        30,
        "a whole number of days from 1 to 365",
        _whole(1, 365),
        "How long a browser can come back to its conversation.",
    ),
    Key(
        "rate_limit",
        "30 per minute; 300 per hour",
        "a limit such as '30 per minute; 300 per hour'",
        _text,
        "How much one address may write on the public routes.",
    ),
    Key(
        "rate_limit_storage",
        "memory://",
        "a storage address of the `limits` library",
        _text,
        "Where the counts are kept; `redis://…` when several processes serve the shop.",
    ),
    Key(
        "max_body",
        65536,
        "a whole number of bytes from 1024 to 10485760",
        _whole(1024, 10 * 2**20),
        "Largest request body taken on our routes.",
    ),
    Key(
        "webhook_secrets",
        {},
        "a mapping from gateway to one or two secrets, such as {'stripe': ['whsec_…']}",
        _secrets,
        "What verifies incoming webhooks; two of a gateway while one is being rotated. For Stripe "
        "and gateways of your own a signing secret, for Adyen the HMAC key, for PayPal the "
        "webhook's id, for Braintree a mapping with `merchant_id`, `public_key`, `private_key` "
        "and, for the sandbox, `environment`.",
    ),
    Key(
        "stripe_api_key",
        None,
        "a secret key such as 'sk_live_…', or None",
        _optional_text,
        "With it, or with `stripe.api_key`, Stripe is asked what became of a payment whose outcome "
        "is unknown. The `reconcile` hook goes first.",
    ),
    Key(
        "alert_urls",
        (),
        "a list of addresses such as 'https://ops.example.com/hook'",
        _texts,
        "Where escalations are posted to whose `notify` has `webhook`.",
    ),
    Key(
        "alert_secrets",
        (),
        "one or two secrets such as 'whsec_' and the base64 of at least 24 random bytes",
        _signing,
        "Sign what is posted to `alert_urls`; two while one is being replaced.",
    ),
    Key(
        "fulfilment_url",
        None,
        "an address such as 'https://warehouse.example.com/changes', or None",
        _optional_text,
        "Where approved order changes are posted. Without it the `change_applier` alone has them.",
    ),
    Key(
        "fulfilment_secrets",
        (),
        "one or two secrets such as 'whsec_' and the base64 of at least 24 random bytes",
        _signing,
        "Sign what is posted to `fulfilment_url`, and verify what it answers.",
    ),
    Key(
        "mail_url",
        None,
        "an address such as 'smtp://user:password@host:587?tls=starttls', or None",
        _optional_text,
        "The mail server. Without it, and without a `mailer` hook, no mail is sent.",
    ),
    Key(
        "mail_sender",
        None,
        "an address such as 'Shop <help@example.com>', or None",
        _optional_text,
        "The sender of our mails; needed as soon as `mail_url` is set.",
    ),
    Key(
        "public_url",
        None,
        "an address such as 'https://shop.example.com', or None",
        _optional_text,
        "How customers reach the shop. Without it mails carry no link.",
    ),
    Key(
        "egress_allow",
        (),
        "a list of networks such as '10.0.0.0/8'",
        _texts,
        "Private networks that outgoing connections may reach; others are refused.",
    ),
    Key(
        "locales",
        ("en", "de", "ar"),
        "a list of language tags",
        _texts,
        "Languages offered; the first is used when none fits.",
    ),
    Key(
        "base_currency",
        None,
        "an ISO 4217 code, or None for the policy's currency",
        _optional_text,
        "The currency in which values of several currencies are compared.",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked configuration of one app. Field for field what :data:`KEYS` documents."""

    enabled: bool
    url_prefix: str
    parts: tuple[str, ...]
    widget: str
    widget_endpoints: tuple[str, ...]
    widget_position: str
    widget_z_index: int
    policy: Path | None
    policy_editable: bool
    shop_name: str | None
    capture: str
    spool_dir: Path | None
    secret_keys: tuple[str, ...]
    token_days: int
    rate_limit: str
    rate_limit_storage: str
    max_body: int
    webhook_secrets: Mapping[str, tuple[Any, ...]]
    stripe_api_key: str | None
    alert_urls: tuple[str, ...]
    alert_secrets: tuple[str, ...]
    fulfilment_url: str | None
    fulfilment_secrets: tuple[str, ...]
    mail_url: str | None
    mail_sender: str | None
    public_url: str | None
    egress_allow: tuple[str, ...]
    locales: tuple[str, ...]
    base_currency: str | None


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Check every key of ours in ``config``.

    Raises:
        ConfigurationError: names the key, its value's type and what was expected; an unknown key
            of our prefix is named with the nearest known one.
    """
    known = {key.config_name: key for key in KEYS}
    for name in config:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"{name} is not a key of flask_checkout_case{hint}")
    values = {key.name: _value(key, config) for key in KEYS}
    return Settings(**{item.name: values[item.name] for item in fields(Settings)})


def _value(key: Key, config: Mapping[str, Any]) -> Any:
    raw = config.get(key.config_name, key.default)
    try:
        return key.check(raw)
    except (TypeError, ValueError) as error:
        # Secrets and addresses with passwords must not end up in a log.
        shown = repr(raw) if isinstance(raw, (bool, int, float)) else f"a {type(raw).__name__}"
        amiss = f": {error}" if isinstance(error, _AmissError) else ""
        raise ConfigurationError(
            f"{key.config_name}: expected {key.expected}, got {shown}{amiss}"
        ) from error
