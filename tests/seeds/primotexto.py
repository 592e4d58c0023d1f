"""An account that calls Primotexto v2 as the official samples do.

The one rule: every answer is held to the documented status, media type and shape before anybody looks into it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import requests
from seeds.conftest import Live, eventually
from seeds.primotexto_answers import FAILURE
from seeds.shapes import pairs, same

JSON = "application/json;charset=UTF-8"
BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile", "Accept": "text/html,*/*;q=0.8"}
PREVIEWER = {"User-Agent": "WhatsApp/2.23.20.0 A", "Accept": "*/*"}


class Shop:
    """An account with its key."""

    def __init__(self, live: Live, api_key: str, email: str = "") -> None:
        self.live, self.api_key, self.email = live, api_key, email
        self._session = requests.Session()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """One call; a text goes as it is."""
        given = {"X-Primotexto-ApiKey": self.api_key, "Content-Type": "application/json", **headers}
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        return self._session.request(method, f"{self.live.base_url}{path}", data=sent, headers=given, timeout=10)

    def get(self, path: str, documented: str) -> Any:
        """What a GET tells, in the documented shape."""
        return self._told(self.ask("GET", path), documented)

    def post(self, path: str, body: Any, documented: str, **headers: str) -> Any:
        """What a POST tells, in the documented shape."""
        return self._told(self.ask("POST", path, body, **headers), documented)

    def gone(self, path: str, method: str = "DELETE") -> None:
        """A call that is answered with 204 and nothing else."""
        answer = self.ask(method, path)
        assert (answer.status_code, answer.content) == (204, b""), answer.text
        assert "Content-Type" not in answer.headers

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, int]:
        """The HTTP status and the code of a call that fails."""
        answer = self.ask(method, path, body)
        assert answer.headers["Content-Type"] == JSON and same(answer.text, FAILURE), answer.text
        told = answer.json()
        assert told["error"] == told["message"]
        return answer.status_code, told["code"]

    @staticmethod
    def _told(answer: requests.Response, documented: str) -> Any:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON), answer.text
        assert same(answer.text, documented), answer.text
        return answer.json()

    def until(self, path: str, wanted: Callable[[Any], Any]) -> Any:
        """What a GET tells once it is as wanted."""
        last = ""

        def as_wanted() -> Any:
            nonlocal last
            last = (answer := self.ask("GET", path)).text
            return answer.ok and wanted(answer.json()) and (answer.json(),)

        try:
            return eventually(as_wanted)[0]
        except AssertionError:
            raise AssertionError(f"{path} stayed at {last}") from None

    def reached(self, state: str, number: str) -> Any:
        """The status of the latest message to a number, once it is in a state."""
        return self.until(f"/v2/messages/status?identifier=%2B{number[1:]}", lambda told: told["state"] == state)

    @property
    def credits(self) -> int:
        return int(self.ask("GET", "/v2/account/stats").json()["credits"])


def members(text: str) -> list[str]:
    """The names of an object's members, in their order."""
    return [name for name, _ in pairs(text)]
