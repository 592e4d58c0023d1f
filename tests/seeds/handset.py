"""The handsets of the simulated operator, as people use them: on their pages.

The one rule: an answer is given to a text that is there.
"""

from __future__ import annotations

from itertools import count

import requests
from seeds.conftest import Live, eventually

_digits = count(1000)


def a_number() -> str:
    """An ordinary number of the simulated operator that nobody has written to."""
    return f"+3363998{next(_digits)}"


class Handset:
    """One phone of the simulated operator, on its HTTP pages."""

    def __init__(self, live: Live, number: str) -> None:
        self._url, self.number = live.phones_url, number

    def texts(self) -> list[str]:
        """What came, oldest first."""
        screen = requests.get(f"{self._url}/api/phones/{self.number}", timeout=10).json()
        return [one["text"] for one in screen["texts"] if not one["mine"]]

    def latest(self, told: int = 1) -> str:
        """The newest text, once there are `told`."""
        return eventually(lambda: len(found := self.texts()) >= told and found[-1])

    def shows(self, words: str) -> None:
        """Waits until the newest text has these words: nobody answers what has not come yet."""
        eventually(lambda: words in next(reversed(self.texts()), ""))

    def answer(self, text: str, to: str = "36000") -> None:
        """Text back, in the box of its page."""
        form = {"to": to, "text": text}
        page = requests.post(f"{self._url}/{self.number}/reply", data=form, allow_redirects=False, timeout=10)
        assert page.status_code == 303, page.text
