"""Keys: found by a hash, shown again only with the master secret."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from passerelle.pipeline.keys import NONCE, Keyring, new_key, new_webhook_secret

RING = Keyring("master secret")


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_to_the_same_bytes(plain: bytes) -> None:
    sealed = RING.seal(plain)
    assert RING.open(sealed) == plain
    assert Keyring("master secret").open(sealed) == plain, "another process, the same secret"


def test_sealing_twice_tells_nobody_that_two_keys_are_equal() -> None:
    assert RING.seal(b"key") != RING.seal(b"key")


@pytest.mark.parametrize("position", [0, NONCE, -1])
def test_a_changed_byte_does_not_open(position: int) -> None:
    sealed = bytearray(RING.seal(b"key"))
    sealed[position] ^= 1
    with pytest.raises(InvalidTag):
        RING.open(bytes(sealed))


def test_another_master_secret_neither_opens_nor_finds() -> None:
    other = Keyring("another secret")
    with pytest.raises(InvalidTag):
        other.open(RING.seal(b"key"))
    assert other.hash("key") != RING.hash("key")


def test_a_key_is_found_by_the_same_hash_after_a_restart_and_the_hash_does_not_show_it() -> None:
    key = new_key()
    assert Keyring("master secret").hash(key) == RING.hash(key)
    assert len(RING.hash(key)) == 32 and key.encode() not in RING.hash(key)
    assert RING.hash(key) != RING.hash(key.upper())


def test_keys_look_as_the_dialects_say() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100 and all(re.fullmatch(r"[0-9a-f]{32}", key) for key in keys)
    assert len(base64.b64encode(new_webhook_secret())) == 32  # Standard Webhooks: 24 to 64 bytes
