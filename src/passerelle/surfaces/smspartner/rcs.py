"""RCS: a text, a file, a card or a carousel, and the SMS for those who cannot get it (contract 13).

One rule: what is wrong with the content is one list of constraints, all found at once; the SMS is judged like a send.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...domain import rcs
from ...domain.admission import Wanted
from ...domain.message import TrafficClass
from ...domain.pricing import Service
from ...domain.rcs import Fault
from ...domain.reasons import Finding, Reason
from ...pipeline.failover import keep_failover
from ...pipeline.submit import Accepted
from ..http import Answer
from . import sending, wire
from .calls import POST, Call, Entry, Services
from .reading import Members, parse_send
from .wire import Reply

TEXTS: dict[Fault, str] = {
    Fault.FORM: "Le contenu doit être text, file, richCard ou carousel",
    Fault.TEXT_MISSING: "Le texte est requis",
    Fault.TEXT_LONG: f"Le texte ne peut pas être plus long que {rcs.LONGEST_TEXT} caractères",
    Fault.MEDIA_MISSING: "L'adresse du fichier est requise",
    Fault.MEDIA_URL: "L'adresse du fichier n'est pas valide",
    Fault.MEDIA_TYPE: "Ce type de fichier n'est pas accepté",
    Fault.MEDIA_HEIGHT: "La hauteur doit valoir SHORT, MEDIUM ou TALL",
    Fault.ORIENTATION: "L'orientation doit valoir VERTICAL ou HORIZONTAL",
    Fault.ALIGNMENT: "L'alignement doit valoir LEFT ou RIGHT",
    Fault.CARD_EMPTY: "Une carte doit avoir un titre, une description ou un média",
    Fault.TITLE_LONG: f"Le titre ne peut pas être plus long que {rcs.LONGEST_TITLE} caractères",
    Fault.DESCRIPTION_LONG: f"La description ne peut pas être plus longue que {rcs.LONGEST_DESCRIPTION} caractères",
    Fault.CARD_WIDTH: "La largeur des cartes doit valoir SMALL ou MEDIUM",
    Fault.CARD_COUNT: f"Un carrousel a de {min(rcs.CARDS)} à {max(rcs.CARDS)} cartes",
    Fault.SUGGESTION_COUNT: f"{rcs.MOST_SUGGESTIONS} suggestions au maximum",
    Fault.SUGGESTION_FORM: "Une suggestion doit être reply ou action",
    Fault.LABEL_MISSING: "Le texte de la suggestion est requis",
    Fault.LABEL_LONG: f"Le texte d'une suggestion ne peut pas être plus long que {rcs.LONGEST_LABEL} caractères",
    Fault.POSTBACK_LONG: f"postbackData ne peut pas être plus long que {rcs.LONGEST_POSTBACK} caractères",
    Fault.ACTION_FORM: "Une action doit en avoir exactement une",
    Fault.ACTION_URL: "L'adresse de l'action n'est pas valide",
    Fault.ACTION_PHONE: "Le numéro de l'action n'est pas valide",
    Fault.ACTION_PLACE: "Le lieu de l'action n'est pas valide",
    Fault.ACTION_DATES: "Les dates ou le titre de l'événement ne sont pas valides",
}


async def send(services: Services, call: Call) -> Reply | Answer:
    """POST `rcs/send`."""
    if not services.rcs:
        return wire.simple(40)
    wanted = parse(call.members, services.clock.now())
    return await sending.submit(services, call, wanted, sent, keep_failover)


def parse(members: Members, now: datetime) -> Wanted:
    """The members of `rcs/send`; what is wrong is in `faults`. What else `send` has counts in `failover` only."""
    wanted = parse_send(members, now, bulk=False)
    given = members.get("richContent")
    content = rcs.read(Members(given, {}).get("conversation") if isinstance(given, dict) else None)
    wanted.service, wanted.text, wanted.traffic = Service.RCS, content.text, None
    wanted.faults += [Finding(Reason.CONTENT_INVALID, TEXTS[fault]) for fault in content.faults]
    wanted.sender, wanted.unicode, wanted.stop_mention = "", False, False
    _failover(wanted, members.get("failover"))
    return wanted


def _failover(wanted: Wanted, given: Any) -> None:
    """The SMS that may follow; an empty list is what some languages make of an empty object."""
    if given is None or given == [] or given == {}:
        return
    if not isinstance(given, Mapping):
        wanted.faults.append(Finding(Reason.FAILOVER_INVALID))
        return
    members = Members(given, {})
    wanted.failover = members.text("message")
    wanted.sender = members.text("sender")
    wanted.unicode = members.flag("isUnicode")
    if members.flag("isStopSms"):
        wanted.stop_mention, wanted.traffic = True, TrafficClass.MARKETING


def sent(accepted: Accepted) -> Reply:
    """The answer: as that of `send`, in messages."""
    reply = sending.sent(accepted)
    return {"nb_rcs" if name == "nb_sms" else name: value for name, value in reply.items()}


ENTRIES = (Entry("/rcs/send", send, POST, cached=True),)
