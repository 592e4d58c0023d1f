"""What the rules need to know of an account: one frozen value, read once and kept with its version."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import time

from .message import TrafficClass


class AccountState(enum.IntEnum):
    """Whether an account may call."""

    ACTIVE = 0
    DISABLED = 1  # SMS Partner 20
    BLOCKED = 2  # SMS Partner 30, Primotexto 92
    API_DENIED = 3  # SMS Partner 40, Primotexto 70


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of an account, with those of the installation where it has none of its own.

    Stored as JSON in `account.settings`; members absent there keep the value of the installation.
    """

    eco: bool = True
    unicode: bool = True
    subaccounts: bool = True  # may have some; a sub-account never does
    rcs: bool = True
    call_forwarding: bool = True  # of long numbers
    traffic_class: TrafficClass = TrafficClass.TRANSACTIONAL
    quiet_exempt: bool = False
    quiet_start: time = time(20, 0)
    quiet_end: time = time(8, 0)
    holiday_region: str = ""  # '57': Alsace-Moselle
    short_code: str = "36000"
    short_link_host: str = ""  # one of the setting `short_link_hosts`; '': that of the platform
    stop_mention: str = "\nSTOP 36000"
    stop_scope_smspartner: str = "all"  # all | marketing
    stop_scope_primotexto: str = "marketing"
    stop_missing: str = "append"  # append | refuse (Primotexto)
    quiet_dates: str = "hold"  # hold | refuse (Primotexto)
    characters: str = "reject"  # reject | transliterate | unicode (Primotexto)
    international: bool = False  # Primotexto 91
    allowed_addresses: tuple[str, ...] = ()
    reply_url: str = ""
    dlr_url: str = ""
    webhook_url: str = ""  # Primotexto, all events
    webhook_reply_url: str = ""
    dlr_waiting: bool = False
    sandbox_callbacks: bool = False
    callback_form: bool = False
    status_date: str = "epoch"  # epoch | datetime
    legacy_lowcost: bool = False
    national_blacklists: bool = True
    rate_default: int = 0  # calls a minute, 0: none
    daily_quota: int = 0  # messages a day of Paris, over all dialects; 0: none
    free_campaigns: int = 0  # Primotexto campaigns launched a month of Paris; 0: any number
    track_links: bool = False  # addresses in single Primotexto messages become short links, as those of campaigns
    daily_contacts: int = 0  # contacts posted one by one to Primotexto lists, a day of Paris; 0: none


@dataclass(frozen=True, slots=True)
class Account:
    """An account as a door sees it. `prices`: (service, country or `*`) -> micro-euros a part."""

    id: int
    version: int
    state: AccountState
    email: str
    firstname: str
    lastname: str
    rules: Rules
    prices: dict[tuple[int, str], int]
    refused_senders: frozenset[str] = frozenset()  # protected and not granted; upper case, no blanks
    numbers: frozenset[str] = frozenset()  # long numbers that it may send from, E.164 without +
    balance: int = 0  # micro-euros, as read; only the store decides with it
    secrets: tuple[bytes, ...] = ()  # of its notifications, the newest first
    key_hash: bytes = b""
    parent_id: int = 0

    def price(self, service: int, country: str) -> int | None:
        """Micro-euros per part, or None where nothing is offered."""
        found = self.prices.get((service, country))
        return self.prices.get((service, "*")) if found is None else found
