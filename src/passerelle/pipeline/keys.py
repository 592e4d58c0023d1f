"""Keys of customers and secrets of the platform: made, hashed for look-up, sealed for the calls that show them again.

Everything hangs on one master secret (`PASSERELLE_SECRET`); it and the keys are never logged.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12  # bytes


class Keyring:
    """Derives from the master secret what hashes keys and what seals them."""

    def __init__(self, secret: str) -> None:
        root = secret.encode()
        self._pepper = hmac.digest(root, b"passerelle: look-up of keys", "sha256")
        self._seal = AESGCM(hmac.digest(root, b"passerelle: sealed keys", "sha256"))

    def hash(self, key: str) -> bytes:
        """HMAC-SHA256 of a key, 32 bytes: what the database knows it by."""
        return hmac.digest(self._pepper, key.encode(), hashlib.sha256)

    def seal(self, plain: bytes) -> bytes:
        """AES-256-GCM, the nonce in front."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._seal.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises cryptography.exceptions.InvalidTag when sealed under another master secret."""
        return self._seal.decrypt(sealed[:NONCE], sealed[NONCE:], None)


def new_key() -> str:
    """A key of a dialect: 32 lower-case hexadecimal characters (128 random bits)."""
    return secrets.token_hex(16)


def new_webhook_secret() -> bytes:
    """24 random bytes, shown as `whsec_` and base64 (Standard Webhooks)."""
    return secrets.token_bytes(24)
