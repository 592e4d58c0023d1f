from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from outbound.receiver import answer, receiving

from passerelle.outbound.google_token import CredentialsError, NoToken, ServiceAccount, tokens

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: object) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()  # type: ignore[attr-defined]


def credentials(folder: Path, url: str = "http://127.0.0.1:1/token", key: object = KEY, **more: str) -> Path:
    file = folder / "account.json"
    known = {"client_email": "robot@example.org", "private_key": pem(key), "token_uri": url, "private_key_id": "k1"}
    file.write_text(json.dumps(known | {"type": "service_account"} | more))
    return file


def read(piece: str) -> bytes:
    return base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))


def granted(name: str, seconds: int = 3600) -> bytes:
    return answer(200, json.dumps({"access_token": name, "expires_in": seconds}).encode())


def test_the_assertion_is_signed_by_the_key_of_the_account(tmp_path: Path) -> None:
    signed = ServiceAccount(credentials(tmp_path)).assertion(1_795_000_000)
    header, claims, signature = signed.split(".")
    assert json.loads(read(header)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert json.loads(read(claims)) == {
        "iss": "robot@example.org", "scope": "https://www.googleapis.com/auth/rcsbusinessmessaging",
        "aud": "http://127.0.0.1:1/token", "iat": 1_795_000_000, "exp": 1_795_003_600,
    }  # fmt: skip
    KEY.public_key().verify(read(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())


async def test_a_token_is_asked_for_once_and_again_when_it_was_refused(tmp_path: Path) -> None:
    names = iter(["one", "two"])
    async with receiving(lambda request: granted(next(names))) as receiver, aiohttp.ClientSession() as session:
        account = ServiceAccount(credentials(tmp_path, receiver.url("/token")))
        assert await asyncio.gather(*(account.token(session) for _ in range(5))) == ["one"] * 5
        form = parse_qs(receiver.requests[0].body.decode())
        assert (
            form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
            and form["assertion"][0].count(".") == 2
        )
        account.refused("another")
        assert await account.token(session) == "one"
        account.refused("one")
        assert await account.token(session) == "two" and len(receiver.requests) == 2


async def test_a_token_that_ends_soon_is_renewed(tmp_path: Path) -> None:
    names = iter(["one", "two"])
    async with receiving(lambda request: granted(next(names), 59)) as receiver, aiohttp.ClientSession() as session:
        account = ServiceAccount(credentials(tmp_path, receiver.url()))
        assert [await account.token(session), await account.token(session)] == ["one", "two"]


@pytest.mark.parametrize(
    "reply",
    [
        answer(401, b"{}"),
        answer(503, b""),
        answer(200, b"{}"),
        answer(200, b"["),
        answer(200, b'{"access_token": "a", "expires_in": "x"}'),
        b"",
    ],
)
async def test_no_token(tmp_path: Path, reply: bytes) -> None:
    async with receiving(lambda request: reply) as receiver, aiohttp.ClientSession() as session:
        with pytest.raises(NoToken):
            await ServiceAccount(credentials(tmp_path, receiver.url())).token(session)


def test_files_that_are_no_credentials(tmp_path: Path) -> None:
    for file in (
        tmp_path / "none.json",
        credentials(tmp_path, key=ec.generate_private_key(ec.SECP256R1())),
    ):
        with pytest.raises(CredentialsError):
            tokens("", str(file))
    for text in ("", "{}", "[]", '{"client_email": "a", "private_key": "b", "token_uri": "c"}'):
        (tmp_path / "account.json").write_text(text)
        with pytest.raises(CredentialsError, match="no key file"):
            tokens("", str(tmp_path / "account.json"))


async def test_a_token_made_elsewhere() -> None:
    given = tokens("abc", "")
    async with aiohttp.ClientSession() as session:
        assert await given.token(session) == "abc"
        given.refused("abc")
        assert await given.token(session) == "abc"
