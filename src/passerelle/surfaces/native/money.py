"""Micro-euros as the native API writes them: a decimal text in euros, exact. Pure."""

from __future__ import annotations


def money(micro: int) -> str:
    """`0.038` for 38,000 micro-euros; as many decimals as it takes, at least three."""
    whole, rest = divmod(abs(micro), 1_000_000)
    decimals = f"{rest:06d}"
    return f"{'-' if micro < 0 else ''}{whole}.{decimals[:3]}{decimals[3:].rstrip('0')}"
