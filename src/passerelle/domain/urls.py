"""Addresses of the web that others give us: where something is posted, where a link leads.

One rule: this says only what an address looks like; whether it may be reached is decided when it is.
"""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2_048


def is_http(url: object) -> bool:
    """Whether this is an absolute http or https address of at most LONGEST printable characters."""
    if not isinstance(url, str) or len(url) > LONGEST or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
