"""RCS: a text, a file, a card or a carousel, and the SMS for those who cannot get it.

A message that cannot arrive becomes its SMS: the same id, another text and price. Without one it ends undelivered.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...domain import rcs
from ...domain.pricing import Service
from ...domain.reasons import Finding, Reason
from ...pipeline.failover import keep_failover
from . import reasons, shapes
from .calls import Caller, Raw, Services, endpoint
from .messages import SendAnswer, accepted
from .sending import Manner, Number, profile_of, submitted, wanted_like
from .words import ClassWord

MOST_RECIPIENTS = 500
_TEXT = {"text": "Bonjour", "suggestions": [{"reply": {"text": "Oui", "postbackData": "yes"}}]}


class Failover(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The SMS for those who cannot get the message."""

    text: str
    sender: Annotated[
        str, Meta(description="3 to 11 letters and digits, or a number of the account; empty: the short code.")
    ] = ""


class RcsSend(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A content to one or many."""

    to: Annotated[
        list[Number],
        Meta(min_length=1, max_length=MOST_RECIPIENTS, description="Mobile numbers.", examples=[["+33639980002"]]),
    ]
    content: Annotated[
        dict[str, Any],
        Meta(
            description="Exactly one of `text`, `file`, `richCard`, `carousel`, with `suggestions`: as `conversation` "
            "of SMS Partner's `rcs/send`.",
            examples=[_TEXT],
        ),
    ]
    failover: Annotated[Failover | None, Meta(description="Null: none.")] = None
    traffic: Annotated[
        ClassWord | None, Meta(description="Transactional or marketing; null: as the account is set.")
    ] = msgspec.field(default=None, name="class")
    send_at: Annotated[shapes.When | None, Meta(description="When to send, at most a year ahead; null: at once.")] = (
        None
    )
    tag: Annotated[str, Meta(max_length=64, description="To find it again, and for statistics.")] = ""
    callback_url: Annotated[
        str, Meta(description="Where the events of these messages are posted, besides to the endpoints of the account.")
    ] = ""
    sandbox: Annotated[bool, Meta(description="Try only: nothing leaves, nothing is charged.")] = False


@endpoint("POST", "/rcs", "messages:send", status=201, problems=("refused", "credit", "quota"), idempotent=True)
async def send(services: Services, caller: Caller, body: RcsSend) -> SendAnswer | Raw:
    """Send an RCS message to one or many. Its price is that of one message, whatever it shows. `GET /messages` has it
    beside the texts; where it became an SMS, that is what is told from there on."""
    if not services.settings.rcs.url:
        raise reasons.refused([Finding(Reason.RCS_FORBIDDEN)], [])
    after = body.failover
    manner = Manner(
        sender=after.sender if after else "",
        traffic=body.traffic,
        send_at=body.send_at,
        tag=body.tag,
        callback_url=body.callback_url,
    )
    content = rcs.read(body.content)
    items = [(phone, None) for phone in body.to]
    wanted = wanted_like(manner, content.text, items, caller.account, services.clock.now())
    wanted.service, wanted.sandbox = Service.RCS, body.sandbox
    wanted.failover = after.text if after else None
    wanted.faults += [Finding(Reason.CONTENT_INVALID, fault.value) for fault in content.faults]
    profile = profile_of(manner, caller.account)
    answer = await submitted(services, caller, wanted, profile, accepted, beside=keep_failover)
    return answer  # type: ignore[no-any-return]


HANDLERS = [send]
