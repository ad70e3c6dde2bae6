"""Many at once: answers, approvals and requests about one order."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from flask_checkout_case import Change, ChangeKind, ChangeState
from tests.support.due import runtime_of
from tests.support.orders import YORK, Orders, Warehouse
from tests.support.shop import Shop


def test_twelve_answers_at_once_apply_it_once(
    shop: Shop, orders: Orders, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: warehouse.answer(shop, change).status_code, range(12)))
    orders.work()
    assert Counter(answers) == {200: 12}
    assert orders.data()["applied"] == [change.id]
    assert orders.now(change).state is ChangeState.APPLIED


def test_of_many_requests_at_once_one_is_open_and_one_waits_at_most(
    shop: Shop, orders: Orders
) -> None:
    orders.place()

    def ask(number: int) -> Change | Exception:
        try:
            return orders.ask(ChangeKind.GIFT_NOTE, {"gift_note": f"Note {number}"}, f"k-{number}")
        except Exception as error:  # noqa: BLE001 - what came instead is looked at below
            return error

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(8)))
    assert [one for one in found if isinstance(one, Exception)] == []
    with shop.app.app_context(), runtime_of(shop).read():
        states = Counter(one.state for one in shop.cases.changes_of("o-1"))
    assert states[ChangeState.APPROVED] == 1
    assert states[ChangeState.PRICED] == 1
    assert states[ChangeState.SUPERSEDED] == 6
