"""What the public pages say, in French and in English; a visitor's browser says which.

One rule: every language has the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from ...domain.calendar import PARIS

FRENCH = {
    "questions_one": "1 question",
    "questions_many": "{n} questions",
    "optional": "facultatif",
    "several": "Plusieurs réponses possibles",
    "write": "Votre réponse",
    "send": "Envoyer mes réponses",
    "to_whom": "Vos réponses vont à l'organisation qui vous a écrit. Vous pouvez répondre une fois.",
    "check": "Il manque encore quelque chose",
    "missing": "Une réponse est attendue ici.",
    "invalid": "Cette réponse n'est pas possible.",
    "long": "2 000 caractères au plus.",
    "thanks": "Merci !",
    "kept": "Vos réponses sont enregistrées.",
    "yours": "Vos réponses",
    "nothing": "Sans réponse",
    "test": "Ceci est un essai : ces réponses ne comptent pas.",
    "closed": "Ce sondage est terminé",
    "closed_text": "Il ne prend plus de réponses. Merci de votre intérêt !",
    "early": "Ce sondage n'est pas encore ouvert",
    "early_text": "Revenez un peu plus tard.",
    "early_date": "Revenez à partir du {date}.",
    "lost": "Ce lien ne mène nulle part",
    "lost_text": "Vérifiez qu'il est complet, tel qu'il figure dans le message.",
    "landing": "Message",
    "landing_why": "Vous voyez cette page parce que vous avez reçu un SMS.",
    "landing_stop": "STOP : ne plus recevoir de messages",
    "stop": "Ne plus recevoir de messages ?",
    "stop_text": "Le numéro qui se termine par {digits} ne recevra plus de publicité de cette organisation.",
    "stop_button": "Oui, STOP",
    "stopped": "C'est fait",
    "away": "Un instant, s'il vous plaît",
    "away_text": "Ce lien ne répond pas pour le moment. Réessayez dans une minute.",
    "nowhere": "Cette page n'existe pas",
    "nowhere_text": "Vérifiez l'adresse.",
    "foreign": "Refusé",
    "foreign_text": "Ce formulaire n'a pas été envoyé depuis cette page.",
    "invalid_request": "Cette demande n'est pas valable",
    "invalid_request_text": "Revenez en arrière et réessayez.",
    "failed": "Une erreur est survenue",
    "failed_text": "Réessayez dans un moment.",
}
ENGLISH = {
    "questions_one": "1 question",
    "questions_many": "{n} questions",
    "optional": "optional",
    "several": "Choose as many as you like",
    "write": "Your answer",
    "send": "Send my answers",
    "to_whom": "Your answers go to the organisation that wrote to you. You can answer once.",
    "check": "Something is still missing",
    "missing": "Please answer this one.",
    "invalid": "This answer is not possible.",
    "long": "2,000 characters at most.",
    "thanks": "Thank you!",
    "kept": "Your answers are saved.",
    "yours": "Your answers",
    "nothing": "Not answered",
    "test": "This is a test: these answers do not count.",
    "closed": "This survey is over",
    "closed_text": "It takes no more answers. Thank you for your interest!",
    "early": "This survey is not open yet",
    "early_text": "Please come back later.",
    "early_date": "Please come back from {date} on.",
    "lost": "This link leads nowhere",
    "lost_text": "Please check that it is complete, as it stands in the message.",
    "landing": "Message",
    "landing_why": "You see this page because you were sent a text message.",
    "landing_stop": "STOP: no more messages",
    "stop": "No more messages?",
    "stop_text": "The number that ends in {digits} will get no more advertising from this organisation.",
    "stop_button": "Yes, STOP",
    "stopped": "Done",
    "away": "One moment, please",
    "away_text": "This link does not answer right now. Please try again in a minute.",
    "nowhere": "This page does not exist",
    "nowhere_text": "Please check the address.",
    "foreign": "Refused",
    "foreign_text": "This form was not sent from this page.",
    "invalid_request": "This request is not valid",
    "invalid_request_text": "Please go back and try again.",
    "failed": "Something went wrong",
    "failed_text": "Please try again in a moment.",
}
WORDS: Mapping[str, Mapping[str, str]] = {"fr": FRENCH, "en": ENGLISH}
DATES = {"fr": "%d/%m/%Y à %H:%M", "en": "%d %B %Y, %H:%M"}
PREFERRED = "fr"


def language(accepted: str) -> str:
    """The language of a page by the header Accept-Language (RFC 9110, 12.5.4); French where it names none of ours."""
    best, most = PREFERRED, 0.0
    for item in accepted[:1000].split(","):
        tag, _, parameters = item.partition(";")
        weight = _weight(parameters)
        name = tag.strip().lower().partition("-")[0]
        if weight > most and name in WORDS:
            best, most = name, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0


def typeset(text: str) -> str:
    """As French is set: what stands before `?`, `!`, `:`, `;` and `»` stays on its line."""
    return re.sub(r" ([?!:;»])", "\u00a0\\1", text).replace("« ", "«\u00a0")


def date(at: datetime, language: str) -> str:
    """A moment in Paris, as people write it."""
    return at.astimezone(PARIS).strftime(DATES[language])
