"""The error codes of SMS Partner and their French texts (contract 14), and which fault becomes which code.

One rule: every `Reason`, `Barrier` and `Fault` has its code here; `{n}` stands for the number or value concerned.
"""

from __future__ import annotations

from ...domain.reasons import Reason
from ..door import Barrier
from ..http import Fault

CONSTRAINTS = 9
NOBODY = 55

TEXTS: dict[int, str] = {
    1: "La clé API est requise",
    2: "Le numéro de téléphone est requis",
    4: "Message introuvable",
    9: "Ce numéro n'est pas valide ({n})",
    10: "Clé API incorrecte",
    11: "Crédit insuffisant",
    13: "Aucun tarif par défaut pour ce numéro ({n})",
    14: "Ce numéro est dans la liste STOP ({n})",
    15: "Ce numéro est déjà dans la liste ({n})",
    20: "Compte désactivé",
    22: "SMS marketing : l'heure d'envoi doit être comprise entre {n}",
    23: "SMS marketing : pas d'envoi le dimanche ni les jours fériés",
    30: "Compte bloqué",
    40: "Accès à l'API refusé",
    42: "Gamme Eco : 160 caractères au maximum",
    43: "Le message est requis",
    44: "L'émetteur n'est pas valide",
    45: "La date d'envoi est requise",
    46: "L'heure d'envoi est absente ou n'est pas valide",
    47: "Les minutes ne sont pas valides",
    48: "Les minutes vont de 0 à 55 par pas de 5",
    49: "La date d'envoi n'est pas valide",
    50: "500 numéros au maximum par requête",
    51: "Gamme Eco non autorisée",
    52: "Le message dépasse 10 SMS concaténés",
    55: "Aucun numéro à qui envoyer ({n})",
    90: "Le format JSON n'est pas valide",
    96: "Adresse IP non autorisée",
    404: "Ressource introuvable",
    405: "Méthode non autorisée",
    409: "Cette clé d'idempotence a déjà servi à une autre requête",
    413: "Requête trop volumineuse",
    429: "Trop de requêtes, réessayez plus tard",
    500: "Erreur interne",
    992: "Émetteur non autorisé",
}
NOT_MOBILE = "Ce numéro n'est pas un mobile ({n})"
NUMBER_INVALID = "Ce numero de telephone n'est pas valide ({n})"
NOT_QUEUED = "L'envoi n'a pas pu être mis en file d'attente"

OF_REASON: dict[Reason, int] = {
    Reason.MALFORMED: 90,
    Reason.MEMBER_INVALID: 9,
    Reason.NO_RECIPIENT: 2,
    Reason.TOO_MANY_RECIPIENTS: 50,
    Reason.DATE_WITHOUT_DAY: 45,
    Reason.DAY_INVALID: 49,
    Reason.HOUR_MISSING: 9,
    Reason.HOUR_INVALID: 46,
    Reason.MINUTE_MISSING: 9,
    Reason.MINUTE_INVALID: 47,
    Reason.MINUTE_STEP: 48,
    Reason.DATE_PAST: 9,
    Reason.DATE_INVALID: 49,
    Reason.TAG_LONG: 9,
    Reason.TAG_INVALID: 9,
    Reason.CAMPAIGN_NAME_INVALID: 9,
    Reason.URL_INVALID: 9,
    Reason.CONTENT_INVALID: 9,
    Reason.FAILOVER_INVALID: 9,
    Reason.SURVEY_MISSING: 9,
    Reason.SURVEY_UNKNOWN: 4,
    Reason.TEXT_MISSING: 43,
    Reason.TEXT_CHARACTERS: 43,
    Reason.TEXT_LONG: 52,
    Reason.STOP_MENTION_MISSING: 43,
    Reason.ECO_FORBIDDEN: 51,
    Reason.ECO_LONG: 42,
    Reason.SENDER_CHARACTERS: 44,
    Reason.SENDER_SHORT: 44,
    Reason.SENDER_LONG: 9,
    Reason.SENDER_DIGITS: 992,
    Reason.SENDER_PROTECTED: 992,
    Reason.NUMBER_MISSING: 2,
    Reason.NUMBER_INVALID: 9,
    Reason.NUMBER_FIXED: 9,
    Reason.NOT_MOBILE: 9,
    Reason.DUPLICATE: 15,
    Reason.INTERNATIONAL_OFF: 13,
    Reason.NO_PRICE: 13,
    Reason.OPTED_OUT: 14,
    Reason.BOUNCED: 14,
    Reason.BOUNCED_PLATFORM: 14,
    Reason.CLOSED_DAY: 23,
    Reason.CLOSED_HOUR: 22,
    Reason.RCS_FORBIDDEN: 40,
    Reason.CREDIT: 11,
    Reason.QUOTA: 429,
    Reason.CAMPAIGN_LIMIT: 429,  # this dialect has no campaigns
}

OF_BARRIER: dict[Barrier, int] = {
    Barrier.KEY_MISSING: 1,
    Barrier.KEY_UNKNOWN: 10,
    Barrier.ADDRESS: 96,
    Barrier.DISABLED: 20,
    Barrier.BLOCKED: 30,
    Barrier.API_DENIED: 40,
    Barrier.RATE: 429,
}

OF_FAULT: dict[Fault, int] = {
    Fault.NOT_FOUND: 404,
    Fault.METHOD: 405,
    Fault.TOO_LARGE: 413,
    Fault.MALFORMED: 90,
    Fault.INTERNAL: 500,
}

# Contract 3.12; 9 stands for the whole list of constraints.
ORDER = (40, 2, 50, 9, 4, 44, 45, 49, 46, 47, 48, 51, 42, 52, 992, 23, 22, 55, 11, 429)

# Faults of the request that go into the list of constraints: (member, text). `{n}`: the subject of the finding.
CONSTRAINT_OF: dict[Reason, tuple[str, str]] = {
    Reason.NUMBER_INVALID: ("phoneNumbers", NUMBER_INVALID),
    Reason.TEXT_MISSING: ("message", "Le message est requis"),
    Reason.SENDER_LONG: ("sender", "L'emetteur ne peut pas etre plus long que 11 caracteres"),
    Reason.TAG_LONG: ("tag", "Le tag ne peut pas etre plus long que 20 caracteres"),
    Reason.TAG_INVALID: ("tag", "Le tag ne doit pas contenir d'espace"),
    Reason.DATE_PAST: ("scheduledDeliveryDate", "La date ({n}) est anterieure a la date actuelle."),
    Reason.HOUR_MISSING: ("time", "L'heure est requise"),
    Reason.MINUTE_MISSING: ("minute", "La minute est requise"),
    Reason.URL_INVALID: ("{n}", "Cette URL n'est pas valide"),
    Reason.CONTENT_INVALID: ("richContent", "{n}"),
    Reason.FAILOVER_INVALID: ("failover", "Le failover n'est pas valide"),
    Reason.SURVEY_MISSING: ("sondageIdent", "L'identifiant du sondage est requis"),
}
MEMBERS = (
    "phoneNumbers",
    "phoneNumber",
    "to",
    "sondageIdent",
    "richContent",
    "failover",
    "message",
    "sender",
    "tag",
    "scheduledDeliveryDate",
    "time",
    "minute",
    "urlResponse",
    "urlDlr",
)
"""The members of a send in the order of its table: so are the constraints listed."""


def rank(code: int) -> int:
    """The place of a code in the order of the checks; those without one come last."""
    return ORDER.index(code) if code in ORDER else len(ORDER)


def status(code: int) -> int:
    """The HTTP status of an error (contract 2.6)."""
    return code if code in (404, 405, 409, 413, 429, 500) else 400
