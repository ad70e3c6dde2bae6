"""The conditions that we ship. A new one is an entry here, and a kind where none fits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...types import Category, FailureClass, Origin
from . import kinds
from .base import Condition

_SAME_TEXT: Final = "The whole text, whatever its case. A case that has none doesn't match."
_SAME_WORD: Final = "Exactly the word."

SHIPPED: Final[Iterable[Condition]] = (
    kinds.one_of(
        "category",
        Category,
        lambda facts: facts.category,
        about="The case is of this kind.",
        strictness=f"{_SAME_WORD} Every case has one category.",
        example='category = ["payment_declined", "payment_error"]',
    ),
    kinds.one_of(
        "failure_class",
        FailureClass,
        lambda facts: facts.failure_class,
        about="A payment failed for this reason, in the same words whatever the gateway.",
        strictness=f"{_SAME_WORD} A case without a failed payment doesn't match.",
        example='failure_class = "funds"',
    ),
    kinds.folded(
        "decline_code",
        lambda facts: facts.decline_code,
        about="The gateway gave this code for the failed payment.",
        strictness=_SAME_TEXT,
        example='decline_code = ["do_not_honor", "05"]',
    ),
    kinds.folded(
        "provider",
        lambda facts: facts.provider,
        about="The payment went through this gateway.",
        strictness=_SAME_TEXT,
        example='provider = "stripe"',
    ),
    kinds.total(
        "total_over",
        1,
        about="What the customer would pay is more than this.",
        strictness=(
            "Strictly more, to the smallest unit: 5,000.00 isn't over 5,000, 5,000.01 is. Other "
            "currencies are converted at the policy's rates; a total without a rate doesn't match."
        ),
        example='total_over = "5000 USD"',
    ),
    kinds.total(
        "total_under",
        -1,
        about="What the customer would pay is less than this.",
        strictness=(
            "Strictly less: 20.00 isn't under 20. A case without a total, or without a rate for "
            "its currency, doesn't match."
        ),
        example='total_under = "20 USD"',
    ),
    kinds.folded(
        "country",
        lambda facts: facts.country,
        about="The delivery goes to this country, by its ISO 3166 code.",
        strictness=_SAME_TEXT,
        example='country = ["DE", "AT", "CH"]',
    ),
    kinds.folded(
        "step",
        lambda facts: facts.step,
        about="The customer is at this step of the checkout.",
        strictness=_SAME_TEXT,
        example='step = "payment"',
    ),
    kinds.one_of(
        "origin",
        Origin,
        lambda facts: facts.origin,
        about="The case came about in this way.",
        strictness=_SAME_WORD,
        example='origin = ["widget", "agent"]',
    ),
    kinds.tags(
        "tags",
        about="The customer has one of these tags of the shop.",
        strictness="The whole tag, whatever its case. Of several tags one is enough.",
        example='tags = ["vip", "press"]',
    ),
    kinds.count(
        "orders_over",
        1,
        lambda facts: facts.orders,
        about="The customer has made more orders than this.",
        strictness="Strictly more. A customer whose orders the shop doesn't tell doesn't match.",
        example="orders_over = 10",
    ),
    kinds.count(
        "orders_under",
        -1,
        lambda facts: facts.orders,
        about="The customer has made fewer orders than this.",
        strictness="Strictly fewer: `orders_under = 1` is a first order.",
        example="orders_under = 1",
    ),
    kinds.count(
        "attempts_over",
        1,
        lambda facts: facts.attempts,
        about="Paying has failed more often than this on the checkout, this time included.",
        strictness=(
            "Strictly more: `attempts_over = 2` holds from the third failure on. A case that "
            "nobody has touched is routed again with each failure."
        ),
        example="attempts_over = 2",
    ),
    kinds.words(
        "words",
        about="The customer's message has one of these words in it.",
        strictness=(
            "Whole words, whatever their case; accents count and apostrophes don't. `refund*` is "
            "any word that begins so, `*versand*` any word with this in it; a star stands for "
            "any letters of one word, also none. Several words stand next to each other, "
            "whatever is between them that is no letter or digit. The first 10,000 characters are "
            "read. Of a language that is written without spaces, put stars around each word."
        ),
        example='words = ["refund*", "money back"]',
    ),
    kinds.language(
        "language",
        about="The customer reads this language.",
        strictness="`de` takes `de-AT` and `de_CH` too; `de-AT` takes nothing else.",
        example='language = ["de", "fr"]',
    ),
    kinds.hours(
        "inside",
        opened=True,
        about="It happened while this calendar is open.",
        strictness=(
            "The opening instant is inside, the closing instant isn't. Days and hours are those "
            "of the calendar's time zone; on its holidays it is closed."
        ),
        example='inside = "office"',
    ),
    kinds.hours(
        "outside",
        opened=False,
        about="It happened while this calendar is closed.",
        strictness="Exactly when `inside` doesn't hold; of several calendars one closed is enough.",
        example='outside = "office"',
    ),
    kinds.count(
        "stock_under",
        -1,
        lambda facts: facts.stock,
        about="Fewer pieces than this are left, as `stock_short` said in `available`.",
        strictness="Strictly fewer: `stock_under = 1` is sold out. Other cases don't match.",
        example="stock_under = 1",
    ),
)
