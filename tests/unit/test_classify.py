"""What a message is about, told from sentences of this project's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.classify import SURE, classify
from flask_checkout_case.rules.classify.rulebook import parse, rules
from flask_checkout_case.rules.classify.tokens import SENTENCE_LIMIT, TOKEN_LIMIT, read
from flask_checkout_case.rules.classify.vocabulary import Vocabulary, concepts
from flask_checkout_case.types import Category

ENGLISH = [
    ("My card was declined at your checkout", "payment_declined"),
    ("the payment didn't go through", "payment_declined"),
    ("Your checkout page shows an error when I click pay", "payment_error"),
    ("payment still pending since yesterday", "payment_error"),
    ("I was charged twice", "payment_conflict"),
    ("there's a double charge on my card", "payment_conflict"),
    ("The money was taken but I have no order confirmation", "payment_conflict"),
    ("My payment failed but the money left my account", "payment_conflict"),
    ("The 3D Secure code never came", "authentication"),
    ("my bank app asked me to approve it but nothing happens", "authentication"),
    ("Someone used my card in your shop", "fraud"),
    ("I don't recognise this charge from you", "fraud"),
    ("promo code doesn't work", "coupon_pricing"),
    ("why was I charged an extra fee?", "coupon_pricing"),
    ("Where is my order?", "shipping_delivery"),
    ("how long does shipping to France take", "shipping_delivery"),
    ("I need to change my delivery address", "address_change"),
    ("please add a second scarf to my order", "order_change"),
    ("Please cancel my order", "cancel_refund"),
    ("I got the wrong size and want to send it back", "cancel_refund"),
    ("i can't log in, forgot my password", "account_login"),
    ("Is the black one sold out?", "stock"),
    ("could you send me an invoice with VAT?", "invoice"),
    ("Is this jacket waterproof?", "product_question"),
    ("let me talk to a human being, a real person", "other"),
    ("Which payment methods do you take?", "other"),
    ("What's the weather in Lisbon?", "other"),
]
GERMAN = [
    ("Meine Karte wurde abgelehnt", "payment_declined"),
    ("Ich wurde doppelt belastet", "payment_conflict"),
    ("Wo ist meine Bestellung?", "shipping_delivery"),
    ("Ich möchte meine Lieferadresse ändern", "address_change"),
    ("Der Gutscheincode funktioniert nicht", "coupon_pricing"),
    ("Ich möchte die Bestellung stornieren", "cancel_refund"),
    ("Die TAN für 3D Secure kommt nicht an", "authentication"),
    ("Ich brauche eine Rechnung", "invoice"),
    ("Ich habe mein Passwort vergessen", "account_login"),
    ("Jemand hat meine Karte benutzt", "fraud"),
]
ARABIC = [
    ("بطاقتي مرفوضة", "payment_declined"),
    ("تم خصم المبلغ مرتين", "payment_conflict"),
    ("أين طلبي؟", "shipping_delivery"),
    ("أريد تغيير عنوان التوصيل", "address_change"),
    ("الكوبون لا يعمل", "coupon_pricing"),
    ("أريد إلغاء الطلب", "cancel_refund"),
    ("لم يصل رمز التحقق من البنك", "authentication"),
    ("أحتاج فاتورة", "invoice"),
    ("نسيت كلمة المرور", "account_login"),
]


@pytest.mark.parametrize(("text", "category"), [*ENGLISH, *GERMAN, *ARABIC])
def test_plain_messages(text: str, category: str) -> None:
    assert classify(text).category == category


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I want to cancle my ordr", "cancel_refund"),
        ("trcking number of my pacakge?", "shipping_delivery"),
        ("my vocher is not acepted", "coupon_pricing"),
        ("i need a refnud", "cancel_refund"),
        ("the paymant page has a probelm", "payment_error"),
    ],
)
def test_typing_errors(text: str, category: str) -> None:
    assert classify(text).category == category


def test_a_chatty_message_is_understood_by_the_sentence_that_counts() -> None:
    text = (
        "Hi there! Hope you are all well. I love your shop, my sister told me about it. "
        "Anyway, I moved last month and the parcel must go to my new address. Thanks a lot!"
    )
    assert classify(text).category is Category.ADDRESS_CHANGE


def test_what_the_customer_does_not_want_is_not_the_matter() -> None:
    text = "I don't want to cancel my order, I only want to change the delivery address"
    assert classify(text).category is Category.ADDRESS_CHANGE


def test_two_matters_are_both_told() -> None:
    found = classify("I forgot my password. Also, where is my package?")
    assert {found.category, found.second} == {Category.ACCOUNT_LOGIN, Category.SHIPPING_DELIVERY}
    assert found.confidence < SURE


def test_nothing_known_is_other_and_unsure() -> None:
    found = classify("lorem ipsum dolor sit amet")
    assert (found.category, found.confidence, found.second) == (Category.OTHER, 0.0, None)


def test_reasons_never_repeat_the_customers_words() -> None:
    found = classify("Ada Lovelace, 12 Elm Row: cancelling my order please")
    assert found.reasons
    assert not any("ada" in reason.lower() or "elm" in reason for reason in found.reasons)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    found = classify(text)
    assert 0.0 <= found.confidence <= 1.0
    assert found.second != found.category


@given(st.sampled_from([text for text, _ in ENGLISH]), st.sampled_from(["", "de", "ar", "en-GB"]))
def test_judging_is_repeatable(text: str, language: str) -> None:
    assert classify(text, language) == classify(text, language)


@pytest.mark.parametrize(
    "unit", ["card ", "cancel order ", "a", "aaaaaaa ", "؟", "ﷺ", "not ", "x1-"]
)
def test_a_huge_message_costs_no_more_than_a_long_one(unit: str) -> None:
    message = read(unit * 100_000)
    assert message == read(unit * 1_000_000)
    assert sum(map(len, message.sentences)) <= TOKEN_LIMIT
    assert all(len(words) <= SENTENCE_LIMIT for words in message.sentences)
    classify(unit * 100_000)


def test_every_category_a_customer_can_mean_has_rules() -> None:
    assert {rule.category for rule in rules()} == set(Category) - {Category.HESITATION}


def test_every_concept_is_used() -> None:
    used = frozenset().union(*(rule.unless.union(*rule.needs) for rule in rules()))
    assert concepts() == used


def test_a_rule_with_an_unknown_concept_is_refused() -> None:
    with pytest.raises(ValueError, match="NOSUCH"):
        parse(Category.STOCK, "8 CARD NOSUCH")


def test_a_phrase_of_words_that_are_left_out_is_refused() -> None:
    with pytest.raises(ValueError, match="left out"):
        Vocabulary({"THING": "it_was"})
