"""What could not be sent: for supervisors, who send it again or let it be."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInputError, InvalidTransitionError, NotFoundError
from ...i18n import N_, gettext
from ...services import agent_mail, change_steps, dead_letters, escalation, outreach, queue
from ...types import Agent
from ..current import current_agent, runtime
from ..guard import csrf_protected
from .blueprint import blueprint
from .fields import MOST_ROWS, word

_KINDS: Final = {
    change_steps.HANDOVER: N_("A change of an order, to the warehouse"),
    change_steps.HOLD: N_("To the warehouse: hold an order"),
    change_steps.RELEASE: N_("To the warehouse: release an order"),
    change_steps.APPLY: N_("A change that the warehouse has taken, to the shop"),
    outreach.KIND: N_("A message to a customer"),
    outreach.INVITATION: N_("A message to a customer"),
    change_steps.MAIL: N_("A message to a customer"),
    agent_mail.KIND: N_("A message to a customer"),
    change_steps.REFUND: N_("Money for a change that isn't made, back to the customer"),
    change_steps.CHECKOUT: N_("A change of a checkout, to the shop"),
    escalation.KIND: N_("A message to an agent"),
    escalation.ALERT: N_("An alert to your systems"),
}


@blueprint.get("/not-sent")
def letters() -> ResponseReturnValue:
    """Show what was given up."""
    return _page(current_agent())


@blueprint.post("/not-sent/<int:number>")
@csrf_protected
def letter(number: int) -> ResponseReturnValue:
    """Send one again (``do`` is ``again``), or let it be (``leave``)."""
    agent, deed = current_agent(), word("do")
    if number > MOST_ROWS:
        raise NotFoundError(f"there is no letter {number}")
    try:
        if deed == "again":
            dead_letters.again(runtime(), number, agent)
        elif deed == "leave":
            dead_letters.put_away(runtime(), number, agent)
        else:
            raise InvalidInputError("expected again or leave", field="do")
    except InvalidTransitionError as error:
        problem = gettext("This one can’t be sent again as it is: decide on its case’s page.")
        return _page(agent, problem), error.status
    return redirect(url_for(".letters"), 303)


def _page(agent: Agent, problem: str | None = None) -> str:
    return render_template(
        "checkout_case/agent/letters.html",
        agent=agent,
        letters=dead_letters.letters(runtime(), agent),
        kind=lambda name: gettext(_KINDS[name]) if name in _KINDS else name,
        problem=problem,
        views=queue.views_of(agent),
        counts=queue.counts(runtime(), agent),
    )
