"""Where a platform on this machine lives, and how the other commands find it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path

import msgspec
import pytest

from passerelle.demo import places as p
from passerelle.settings import CarrierSettings, MailSettings, Settings, load

EVERYTHING = Settings(
    database_url="postgresql://u@/d?host=/tmp/x",
    secret="s" * 64,
    data=Path("/srv/p"),
    trusted_proxies=["10.0.0.1", "10.0.0.2"],
    hosts={"api.a.example": "primotexto"},
    callback_private=True,
    stop_words=["STOP", "ARRET"],
    stop_mention="\nSTOP au {short_code}",
    carriers=[CarrierSettings(name="a", host="b", password="p,=\"'", ranges=["eco"])],
    mail=MailSettings(host="m.example", password="p,=\"'", sender="Boulangerie <sms@example.org>"),
    metrics=False,
    demo_key="0" * 32,
)


@pytest.mark.parametrize("settings", [Settings(), EVERYTHING])
def test_the_programs_read_the_very_settings_they_are_given(settings: Settings) -> None:
    assert load(None, p.environment(settings)) == settings


def test_a_taken_port_is_told_with_one_that_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(p.CannotStart, match=rf"port {port}: choose another port, e.g. `passerelle up --port \d+`"):
            p.choose_places(Settings(port=port))
        assert p.free_port("127.0.0.1", port) != port


def test_a_foreign_address_is_told() -> None:
    with pytest.raises(p.CannotStart, match="no address of this machine"):
        p.choose_places(Settings(host="192.0.2.1"))


def test_the_simulator_takes_what_is_free_beside_the_port_that_was_asked() -> None:
    wanted = p.free_port("127.0.0.1", 0)
    where = p.choose_places(Settings(port=wanted))
    assert where.port == wanted and len({wanted, where.smsc_port, where.phone_port, where.mail_port}) == 4
    assert where.base_url == f"http://127.0.0.1:{wanted}"


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    made = p.master_secret(tmp_path)
    assert len(made) == 64 and p.master_secret(tmp_path) == made
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_the_demo_has_two_ways_to_its_operator_unless_there_are_carriers(tmp_path: Path) -> None:
    where = p.Places(tmp_path, "127.0.0.1", 1, 2, 3)
    made = p.demo_settings(Settings(data=tmp_path), where, "url")
    assert [(c.name, c.port, c.ranges) for c in made.carriers] == [
        ("simulator-premium", 2, ["premium"]),
        ("simulator-eco", 2, ["eco"]),
    ]
    own = [CarrierSettings(name="orange", host="smpp.example")]
    assert p.demo_settings(Settings(data=tmp_path, carriers=own), where, "url").carriers == own


def test_the_folder_is_the_named_one_or_the_first_that_can_be_made(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert p.data_folder(Settings(data=tmp_path / "own")) == tmp_path / "own"
    (tmp_path / "var").write_text("a file is in the way")
    assert p.data_folder(Settings()) == tmp_path / "home" / "passerelle"
    with pytest.raises(p.CannotStart, match="name another"):
        p.data_folder(Settings(data=tmp_path / "var" / "x"))


def up(data: Path, **facts: object):
    """As the owner of a data folder leaves it."""
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "url").write_text("postgresql://p@/p?host=/s")
    lock = open(data / "postgres" / "lock", "w")  # noqa: SIM115
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def test_a_command_finds_the_platform_that_runs(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with pytest.raises(p.NotUp, match="passerelle up"):
        p.running(settings)
    lock = up(tmp_path)
    with pytest.raises(p.NotUp, match="just starting"):
        p.running(settings)
    p.write_demo(p.Places(tmp_path, "127.0.0.1", 8080, 2775, 8081), 1000, "key", True)
    assert json.loads((tmp_path / "demo.json").read_text())["api_key"] == "key"
    (tmp_path / "secret").write_text("x" * 64)
    found = p.running(settings)
    assert (found.database_url, found.secret, found.test_clock) == ("postgresql://p@/p?host=/s", "x" * 64, True)
    assert {c.port for c in found.carriers} == {2775}
    lock.close()  # the owner is gone, however it ended
    with pytest.raises(p.NotUp, match="no platform runs"):
        p.running(settings)


def test_what_an_earlier_run_said_is_not_believed(tmp_path: Path) -> None:
    p.write_demo(p.Places(tmp_path, "127.0.0.1", 1, 2, 3), 1, "k", False)
    p.forget_demo(tmp_path)
    p.forget_demo(tmp_path)
    with up(tmp_path), pytest.raises(p.NotUp, match="just starting"):
        p.running(msgspec.structs.replace(Settings(), data=tmp_path))


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "letter").touch()
    assert p.data_folder(Settings(data=home)) == home
    assert home.stat().st_mode & 0o777 == 0o700
    made = p.data_folder(Settings(data=tmp_path / "made"))
    assert made.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
    assert (made / "logs").stat().st_mode & 0o777 == 0o700


def test_the_key_of_the_demo_is_for_its_owner_only_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(Path, "replace", lambda file, to: seen.append((file.stat().st_mode & 0o777, to.name)))
    old = os.umask(0)
    try:
        p.write_demo(p.Places(tmp_path, "127.0.0.1", 1, 2, 3), 1, "k" * 32, False)
    finally:
        os.umask(old)
    assert seen == [(0o600, "demo.json")]
    assert (tmp_path / "demo.new").stat().st_mode & 0o777 == 0o600


def test_the_simulator_takes_our_mails_unless_there_is_a_mail_server(tmp_path: Path) -> None:
    where = p.Places(tmp_path, "127.0.0.1", 1, 2, 3, 4)
    caught = p.demo_settings(Settings(secret="s"), where, "").mail
    assert (caught.host, caught.port, caught.tls) == ("127.0.0.1", 4, "none")
    assert p.demo_settings(Settings(secret="s", mail=EVERYTHING.mail), where, "").mail == EVERYTHING.mail
    assert not p.demo_settings(Settings(secret="s", carriers=EVERYTHING.carriers), where, "").mail.host
