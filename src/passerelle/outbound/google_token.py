"""Access tokens of a Google service account: signed by its key, exchanged once, kept until shortly before they expire.

The one rule: one exchange at a time, and a token that was refused is never used again.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SCOPE = "https://www.googleapis.com/auth/rcsbusinessmessaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523, section 2.1
LIFE = 3600  # seconds that we ask for
MARGIN = 60.0  # seconds before its end that a token is renewed


class NoToken(Exception):
    """The token endpoint gave none, for now."""


class CredentialsError(ValueError):
    """The file of credentials cannot be used: why."""


class Tokens(Protocol):
    """Gives tokens."""

    async def token(self, session: aiohttp.ClientSession) -> str:
        """A token that is good now. Raises NoToken."""

    def refused(self, token: str) -> None:
        """The API refused this one."""


class FixedToken:
    """A token that somebody else made."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, session: aiohttp.ClientSession) -> str:
        """Always the same."""
        return self._token

    def refused(self, token: str) -> None:
        """There is no other."""


class _Credentials(msgspec.Struct):
    """What counts in the JSON file of a service account."""

    client_email: str
    private_key: str
    token_uri: str
    private_key_id: str = ""


class ServiceAccount:
    """Tokens of the service account in a file. Raises CredentialsError."""

    def __init__(self, file: Path, *, scope: str = SCOPE) -> None:
        try:
            self._account = msgspec.json.decode(file.read_bytes(), type=_Credentials)
            key = serialization.load_pem_private_key(self._account.private_key.encode(), None)
        except OSError as error:
            raise CredentialsError(f"{file} cannot be read: {error.strerror}") from None
        except (msgspec.DecodeError, ValueError, TypeError):
            raise CredentialsError(f"{file} is no key file of a service account") from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise CredentialsError(f"the key in {file} is no RSA key")
        self._key = key
        self._scope = scope
        self._token = ""
        self._until = 0.0  # monotonic seconds
        self._asking = asyncio.Lock()

    async def token(self, session: aiohttp.ClientSession) -> str:
        """A token that is good now. Raises NoToken."""
        async with self._asking:
            if time.monotonic() >= self._until:
                await self._ask(session)
            return self._token

    def refused(self, token: str) -> None:
        """Ask for another the next time."""
        if token == self._token:
            self._until = 0.0

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        form = {"grant_type": GRANT, "assertion": self.assertion(int(time.time()))}
        try:
            async with session.post(self._account.token_uri, data=form, allow_redirects=False) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoToken(f"token: {type(error).__name__}") from None
        if response.status != 200:
            raise NoToken(f"token: HTTP {response.status}")
        try:
            answer: dict[str, Any] = json.loads(body)
            self._token = str(answer["access_token"])
            self._until = time.monotonic() + float(answer.get("expires_in", LIFE)) - MARGIN
        except (ValueError, KeyError, TypeError):
            raise NoToken("token: the answer cannot be read") from None

    def assertion(self, now: int) -> str:
        """The signed JWT (RFC 7519, RS256) that is exchanged for a token; `now` in epoch seconds."""
        header = {"alg": "RS256", "typ": "JWT"} | (
            {"kid": self._account.private_key_id} if self._account.private_key_id else {}
        )
        claims = {
            "iss": self._account.client_email,
            "scope": self._scope,
            "aud": self._account.token_uri,
            "iat": now,
            "exp": now + LIFE,
        }
        signed = b".".join(_base64(msgspec.json.encode(part)) for part in (header, claims))
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (signed + b"." + _base64(signature)).decode()


def tokens(token: str, credentials_file: str) -> Tokens:
    """From a token made elsewhere, or from the key file of a service account. Raises CredentialsError."""
    return FixedToken(token) if token else ServiceAccount(Path(credentials_file))


def _base64(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")
