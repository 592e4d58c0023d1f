"""Where a platform on this machine lives: its folder, ports, secret and settings, and how other commands find it.

The one rule: a data folder has one owner at a time, the process that holds the lock of its database.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hmac
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..settings import AS_JSON, PREFIX, CarrierSettings, MailSettings, RcsSettings, Settings
from ..store.embedded import running_url

SIMULATOR = "simulator"  # begins the names of its carriers


class CannotStart(Exception):
    """Why the platform does not come up, and what to do."""


class NotUp(Exception):
    """Nothing runs on this data folder: what to do."""


@dataclass(frozen=True)
class Places:
    """Where everything is."""

    data: Path
    host: str
    port: int
    smsc_port: int
    phone_port: int
    mail_port: int = 0

    @property
    def is_default(self) -> bool:
        """Whether other commands find the folder by themselves."""
        return self.data in folders(Settings())

    @property
    def base_url(self) -> str:
        """Of the HTTP APIs."""
        return f"http://{self.host}:{self.port}"

    @property
    def phones(self) -> str:
        """Of the simulated handsets."""
        return f"http://{self.host}:{self.phone_port}"


def folders(settings: Settings) -> list[Path]:
    """Where the platform may live: the folder that was named, else `var` here, else the one of this user."""
    if settings.data != Settings().data:
        return [settings.data.resolve()]
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return [settings.data.resolve(), home / "passerelle"]


def data_folder(settings: Settings) -> Path:
    """The first of them that is there or can be made, ready to be used. Raises CannotStart."""
    refused: OSError | None = None
    for folder in folders(settings):
        try:
            is_ours = not folder.exists() or not any(folder.iterdir())
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "logs").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            refused = refused or error
            continue
        if is_ours:
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)  # the account that runs PostgreSQL passes through
        return folder
    assert refused is not None
    raise CannotStart(
        f"the data folder {refused.filename} cannot be used ({refused.strerror}): name another, e.g. "
        "`passerelle up --data ~/passerelle`"
    )


def free_port(host: str, wanted: int) -> int:
    """`wanted` if nobody listens there, else any free port."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server((host, port)) as listening:
            return int(listening.getsockname()[1])
    raise CannotStart(f"no port is free on {host}")


def choose_places(settings: Settings) -> Places:
    """The ports: that of the APIs as asked, the simulator's beside it where they are free."""
    try:
        with socket.create_server((settings.host, settings.port)):
            return Places(
                settings.data,
                settings.host,
                settings.port,
                free_port(settings.host, 2775),
                free_port(settings.host, min(settings.port + 1, 65535)),
                free_port(settings.host, 2525),
            )
    except OSError as error:
        raise CannotStart(_no_port(settings, error)) from None


def _no_port(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"port {settings.port} needs more rights than you have: choose another, e.g. `passerelle up --port 8080`"
    if error.errno != errno.EADDRINUSE:
        return f"{settings.host} is no address of this machine: set PASSERELLE_HOST to 127.0.0.1"
    return (
        f"another program listens on port {settings.port}: choose another port, e.g. "
        f"`passerelle up --port {free_port(settings.host, 0)}`"
    )


def private(path: str, flags: int) -> int:
    """Opener of files that only their owner may read, from the first moment on."""
    return os.open(path, flags, 0o600)


def master_secret(data: Path) -> str:
    """The secret of this data folder, made at the first start; only its owner may read it."""
    file = data / "secret"
    if not file.exists():
        with open(file, "x", opener=private) as out:
            out.write(secrets.token_hex(32))
    return file.read_text().strip()


def demo_settings(settings: Settings, where: Places, url: str) -> Settings:
    """The settings of the demo: two routes to the simulated operator, which takes our mails too; callbacks to this
    machine allowed; the provider of RCS is simulated too."""
    carriers = settings.carriers or [
        CarrierSettings(
            name=f"{SIMULATOR}-{name}",
            host=where.host,
            port=where.smsc_port,
            system_id=name,
            password="simulator",
            ranges=[name],
            window=500,
        )
        for name in ("premium", "eco")
    ]
    mail = settings.mail
    if not mail.host and where.mail_port and any(one.name.startswith(SIMULATOR) for one in carriers):
        mail = MailSettings(host=where.host, port=where.mail_port, tls="none")
    secret = settings.secret or master_secret(where.data)
    rcs = settings.rcs
    if not rcs.url and any(one.name.startswith(SIMULATOR) for one in carriers):
        events_token = hmac.digest(secret.encode(), b"the webhook of the simulated provider of RCS", "sha256").hex()
        rcs = RcsSettings(
            url=f"{where.phones}/rcs", agent_id=SIMULATOR, token=SIMULATOR, events_token=events_token, ttl=rcs.ttl
        )
    return msgspec.structs.replace(
        settings,
        mail=mail,
        rcs=rcs,
        database_url=url,
        secret=secret,
        carriers=carriers,
        callback_private=True,
    )


def environment(settings: Settings) -> dict[str, str]:
    """All settings as the children read them, wherever they came from."""
    return {PREFIX + name.upper(): _written(name, getattr(settings, name)) for name in Settings.__struct_fields__}


def _written(name: str, value: Any) -> str:
    if name in AS_JSON:
        return msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, dict):
        return ",".join(f"{name}={meaning}" for name, meaning in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- a platform that runs ------------------------------------------------------------------------------------------


def is_up(data: Path) -> bool:
    """Whether a platform runs on a data folder. Raises NotUp where we may not look."""
    try:
        with open(data / "postgres" / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except PermissionError as refused:
        raise NotUp(_not_ours(refused)) from None
    return False


def _not_ours(refused: OSError) -> str:
    return f"{refused.filename} belongs to another user: run the command as the user who started Passerelle"


def read_demo(data: Path) -> dict[str, Any]:
    """What the running platform says of itself. Raises NotUp while it says nothing."""
    try:
        facts: dict[str, Any] = json.loads((data / "demo.json").read_text())
    except FileNotFoundError:
        raise NotUp(f"the platform on {data} is just starting: try again in a moment") from None
    except PermissionError as refused:
        raise NotUp(_not_ours(refused)) from None
    return facts


def forget_demo(data: Path) -> None:
    """What an earlier run said of itself is no longer so."""
    (data / "demo.json").unlink(missing_ok=True)


def running(settings: Settings) -> Settings:
    """The settings of the `up` that runs here: its database, secret and carriers. Raises NotUp."""
    places_ = folders(settings)
    data = next((folder for folder in places_ if is_up(folder)), None)
    if data is None:
        raise NotUp(
            f"no platform runs on {' or '.join(map(str, places_))}: start one with `passerelle up`, name the folder of "
            "a running one with --data, or set PASSERELLE_DATABASE_URL and PASSERELLE_SECRET"
        )
    facts = read_demo(data)
    base, phones, smsc = urlsplit(facts["base_url"]), urlsplit(facts["phones_url"]), facts["smsc"]
    mail_port = facts.get("smtp", {"port": 0})["port"]
    where = Places(data, smsc["host"], base.port or 0, smsc["port"], phones.port or 0, mail_port)
    found = msgspec.structs.replace(settings, data=data, test_clock=bool(facts.get("test_clock")))
    return demo_settings(found, where, running_url(data / "postgres") or "")


def write_demo(where: Places, account: int, key: str, test_clock: bool, native_key: str = "") -> None:
    """What scripts need to know, whole or not at all."""
    facts = {
        "base_url": where.base_url,
        "api_key": key,
        "native_key": native_key,
        "account": account,
        "smsc": {"host": where.host, "port": where.smsc_port},
        "smtp": {"host": where.host, "port": where.mail_port},
        "phones_url": where.phones,
        "pid": os.getpid(),
        "test_clock": test_clock,
    }
    file = where.data / "demo.json"
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with open(unfinished, "x", opener=private) as out:
        json.dump(facts, out, indent=1)
    unfinished.replace(file)
