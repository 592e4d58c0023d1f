"""Number -> script: what the simulated provider of RCS does with a message to that number. Pure.

One rule: an even last digit has RCS, an odd one has not; `MAGIC` lists the few that do otherwise. They lie in the range
that is kept for fiction, as those of the operator (behaviours.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from passerelle.simulator.behaviours import PREFIX


@dataclass(frozen=True, slots=True)
class RcsScript:
    """What happens to one message: so many refusals with `status`, then taken; events in order, one pause apart.

    `events` are RBM's event types; `TAP` taps the first suggestion, `SAY` writes `text`. `early`: the first event
    leaves before the answer.
    """

    name: str
    story: str
    events: tuple[str, ...] = ("DELIVERED",)
    status: int = 0
    refused: int = 0
    text: str = ""
    early: bool = False


TAP, SAY = "TAP", "SAY"
ORDINARY = RcsScript("has RCS", "Taken, delivered after 2 seconds.")
WITHOUT = RcsScript("no RCS", "Answered with HTTP 404.", (), status=404, refused=-1)

MAGIC: dict[str, RcsScript] = {
    PREFIX + ending: script
    for ending, script in {
        "050": RcsScript("reads", "Delivered, then read.", ("DELIVERED", "READ")),
        "052": RcsScript("taps", "Delivered, read, and the first suggestion is tapped.", ("DELIVERED", "READ", TAP)),
        "054": RcsScript("answers", "Delivered; answers Oui merci.", ("DELIVERED", SAY), text="Oui merci"),
        "056": RcsScript("offline", "Taken, never delivered: an SMS follows when its time is over.", ()),
        "058": RcsScript("too many", "HTTP 429 twice, then delivered.", status=429, refused=2),
        "060": RcsScript("unwell", "HTTP 503 twice, then delivered.", status=503, refused=2),
        "062": RcsScript("says STOP", "Delivered; answers STOP.", ("DELIVERED", SAY), text="STOP"),
        "064": RcsScript("event first", "DELIVERED is told before the answer.", early=True),
        "066": RcsScript("given up", "Taken, then TTL_EXPIRATION_REVOKED.", ("TTL_EXPIRATION_REVOKED",)),
        "068": RcsScript("refuses", "Each message is refused with HTTP 400.", (), status=400, refused=-1),
    }.items()
}


def rcs_script_for(number: str) -> RcsScript:
    """The script of a number, digits with or without `+`."""
    digits = number.lstrip("+")
    return MAGIC.get(digits) or (ORDINARY if digits[-1:] in set("02468") else WITHOUT)


def rcs_table() -> list[tuple[str, str, str]]:
    """(number, name, what happens) for people to read, the ordinary numbers last."""
    rows = [(number, script.name, script.story) for number, script in MAGIC.items()]
    return [*rows, ("even", ORDINARY.name, ORDINARY.story), ("odd", WITHOUT.name, WITHOUT.story)]
