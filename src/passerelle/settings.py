"""What the operator of the platform decides: one TOML file, then the environment over it, read once at the start.

The one rule: a setting that is unknown or wrong stops the start, and the message says its name and what is allowed.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

PREFIX = "PASSERELLE_"
AS_JSON = frozenset({"carriers", "mail", "hlr", "rcs"})
"""Settings that the environment writes as JSON."""
ANSWER_MARGIN = 3  # seconds between the last moment of an answer and the end of its lease

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Amount = Annotated[int, Meta(ge=0)]
Byte = Annotated[int, Meta(ge=0, le=255)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Dialect = Literal["smspartner", "primotexto"]


class SettingError(ValueError):
    """A setting is unknown or wrong: its name, and what is allowed."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"setting {name}: {message}")
        self.name = name
        self.message = message


class CarrierSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One operator that carries our SMS, over SMPP."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,32}$")]
    host: str
    port: Port = 2775
    system_id: str = ""
    password: str = ""
    system_type: str = ""
    bind: Literal["transceiver", "transmitter", "receiver"] = "transceiver"
    binds: Count = 1
    window: Count = 200
    """Submits that may wait for their answer, per bind."""
    rate: Amount = 0
    """Parts a second over all binds; 0: as many as the window lets through."""
    ranges: list[Literal["premium", "eco"]] = msgspec.field(default_factory=lambda: ["premium", "eco"])
    tls: bool = False
    source_ton: Byte | None = None
    """Type of number of the sender (SMPP 3.4, 5.2.5); none: by what the sender looks like. So is its plan."""
    source_npi: Byte | None = None
    dest_ton: Byte = 1
    dest_npi: Byte = 1
    enquire_link_seconds: Count = 30
    response_timeout_seconds: Count = 10

    def __repr__(self) -> str:
        return f"CarrierSettings({self.name})"  # a password must not reach a log


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """The mail server that takes the platform's own mails; without a host they stay in the outbox."""

    host: str = ""
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: str = "Passerelle <passerelle@localhost>"

    def __repr__(self) -> str:
        return f"MailSettings({self.host})"  # a password must not reach a log


class HlrSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked about numbers, over HTTP; without a URL the answers are made up."""

    url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$")] = ""
    headers: dict[str, str] = {}
    fields: dict[Literal["number", "reference", "mccMnc", "ported", "error"], str] = {}
    """Our name of a member -> the provider's; with dots for one inside others of its answer."""

    def __repr__(self) -> str:
        return "HlrSettings()"  # URL and headers may hold a password


class RcsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The provider of RCS, in Google's RBM REST API; without a URL there is no RCS."""

    url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$")] = ""
    """Before `/v1/phones/...`."""
    agent_id: str = ""
    credentials_file: str = ""
    """Key file of a service account, or else:"""
    token: str = ""
    events_token: str = ""
    """The clientToken of the webhook, `/rcs/events` of `serve`."""
    ttl: Annotated[int, Meta(ge=10, le=1_296_000)] = 300
    """Seconds from the first attempt on in which a message may be delivered."""
    window: Count = 100
    """Requests that may wait for their answer, per worker."""
    check_capabilities: bool = True
    """Whether a phone is asked about before the first message to it, and each hour."""

    def __post_init__(self) -> None:
        if self.url and not (self.agent_id and self.events_token and (self.credentials_file or self.token)):
            raise ValueError("agent_id, events_token and credentials_file (or token) belong to it")

    def __repr__(self) -> str:
        return f"RcsSettings({self.url})"  # tokens must not reach a log


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings; every one has a default that suits a laptop."""

    database_url: str = ""
    """Empty: our own PostgreSQL, in the data folder."""
    secret: str = ""
    """Master secret of the keys (hexadecimal or any long text); empty: `up` makes one."""
    data: Path = Path("var")
    host: str = "127.0.0.1"
    port: Port = 8080
    trusted_proxies: list[str] = []
    """Addresses whose X-Forwarded-For is believed."""
    hosts: dict[str, Dialect] = {}
    """Which dialect `/v1` speaks under which Host name; the others speak SMS Partner's."""
    max_body: Count = 4_194_304
    callback_private: bool = False
    """Whether callbacks may go to private addresses."""
    rate_default: Amount = 0
    group_add_code: Literal[200, 2] = 200
    contact_page: Annotated[int, Meta(ge=1, le=5000)] = 500

    short_code: Annotated[str, Meta(pattern=r"^[0-9]{3,8}$")] = "36000"
    stop_words: list[str] = msgspec.field(default_factory=lambda: ["STOP"])
    stop_mention: str = "\nSTOP {short_code}"
    quiet_start: TimeOfDay = "20:00"
    quiet_end: TimeOfDay = "08:00"
    protected_senders: list[str] = []

    validity_hours: Count = 48
    receipt_wait_hours: Count = 48
    lease_seconds: Count = 15
    text_days: Count = 90
    delivery_days: Count = 14
    """Days that deliveries to the endpoints of webhooks are listed."""
    metadata_months: Annotated[int, Meta(ge=1, le=13)] = 12

    public_url: Annotated[str, Meta(pattern=r"^(https?://[^/?#\s]+)?$")] = ""
    """Where people reach the public pages, e.g. https://sms.example.org; empty: at `host` and `port`."""
    short_link_host: Annotated[str, Meta(pattern=r"^([A-Za-z0-9.-]+(:[0-9]+)?)?$")] = ""
    """Host name of short links; empty: they stand below the public pages."""
    short_link_hosts: list[Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$")]] = []
    """More of them, of customers: an account may choose one."""
    robots_file: str = ""
    """Who is no reader, a piece of its User-Agent on each line; empty: the list that comes with us."""
    mail: MailSettings = MailSettings()
    subaccount_domain: Annotated[str, Meta(pattern=r"^[a-z0-9.-]+$")] = "subaccounts.invalid"
    """Of the addresses of sub-accounts that are made without one."""

    hlr: HlrSettings = HlrSettings()
    hlr_error: Literal["id", "group"] = "id"
    """What `errorGrpId` of a number check tells."""

    rcs: RcsSettings = RcsSettings()
    carriers: list[CarrierSettings] = []
    metrics: bool = True
    work_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Where `work` answers /healthz, /readyz and /metrics of its own; 0: nowhere."""
    demo_key: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?$")] = ""
    """Key of the account that `up` makes; empty: it makes one."""
    test_clock: bool = False
    """For tests: follow the offset that `installation` holds, so that one clock moves under several processes."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def __post_init__(self) -> None:
        names = [carrier.name for carrier in self.carriers]
        if len(set(names)) < len(names):
            raise ValueError("two carriers have the same name - at `$.carriers`")
        slowest = max((carrier.response_timeout_seconds for carrier in self.carriers), default=0)
        if self.lease_seconds < slowest + ANSWER_MARGIN:  # else parts are taken for lost while their answer may come
            least = f"{slowest + ANSWER_MARGIN}: the longest response_timeout_seconds of a carrier and {ANSWER_MARGIN}"
            raise ValueError(f"Expected `int` >= {least} - at `$.lease_seconds`")
        if self.rcs.ttl >= self.receipt_wait_hours * 3600:  # else a message has ended before its SMS may follow
            raise ValueError("it has to be shorter than receipt_wait_hours - at `$.rcs.ttl`")
        for proxy in self.trusted_proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(
                    f"{proxy!r} is no address or network like 10.0.0.0/8 - at `$.trusted_proxies`"
                ) from None

    @property
    def site(self) -> str:
        """Before every path of a link that people are given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    def __repr__(self) -> str:
        return "Settings()"  # the secret must not reach a log


_STRUCTS = (CarrierSettings, MailSettings, HlrSettings, RcsSettings, Settings)
_FIELDS = {field.encode_name: field.type for struct in _STRUCTS for field in msgspec.structs.fields(struct)}
_NAMES = Settings.__struct_fields__


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the file at `path` (TOML), and of `PASSERELLE_<NAME>` in `environ` over it.

    In the environment a list is written `a,b`, a table `a=b,c=d`, and carriers, mail and hlr as
    JSON. Raises `SettingError`.
    """
    written = (_read(path) if path else {}) | _overlay(environ)
    try:
        found = msgspec.convert(written, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from None
    if found.database_url and not _is_url(found.database_url):
        raise SettingError(
            "database_url",
            "it is not like postgresql://user:password@host/database; in a password write / as %2F, # as %23, ? as %3F",
        )
    return found


def _is_url(url: str) -> bool:
    """What the driver says of a URL that it cannot read may be a piece of the password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    port = parts.netloc.rpartition(":")[2]
    is_cut = "@" not in parts.netloc and ":" in parts.netloc and not port.isdigit() and not port.endswith("]")
    return parts.scheme in ("postgresql", "postgres") and "@" not in parts.path + parts.fragment and not is_cut


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError("file", f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError("file", f"{path} is not TOML: {error}") from error


def _overlay(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {name: name.removeprefix(PREFIX).lower() for name in environ if name.startswith(PREFIX)}
    return {short: _value(short, environ[name]) for name, short in names.items()}


def _value(name: str, text: str) -> Any:
    if name in AS_JSON:
        return _json(name, text)
    items = [item.strip() for item in text.split(",") if item.strip()]
    kind = getattr(_FIELDS.get(name), "__origin__", None)
    if kind is list:
        return items
    if kind is dict:
        return dict(_pair(name, item) for item in items)
    return text


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SettingError(name, f"not JSON: {error}") from None


def _pair(name: str, item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not equals:
        raise SettingError(name, f"expected name=value, got {item!r}")
    return key.strip(), value.strip()


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"Expected `str`, got {value!r}")


def _explain(message: str) -> SettingError:
    """Turn "What - at `$.name`" into a `SettingError` that names the setting and the values it may take."""
    what, _, place = message.partition(" - at `$")
    place = place.strip("`.")
    if unknown := re.search(r"unknown field `(\w+)`", what):
        name = unknown[1]
        near = difflib.get_close_matches(name, _FIELDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(_NAMES)}"
        return SettingError(f"{place}.{name}".strip("."), f"there is no such setting; {hint}")
    allowed = _literals(_FIELDS.get(re.split(r"\W+", place.rstrip("[].0123456789"))[-1]))
    return SettingError(place, what + (f"; allowed: {', '.join(allowed)}" if allowed else ""))


def _literals(kind: Any) -> list[str]:
    arguments = get_args(kind)
    if getattr(kind, "__origin__", None) is Literal:
        return list(arguments)
    return [value for argument in arguments for value in _literals(argument)]
