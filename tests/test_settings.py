"""Settings: a file, the environment over it, and a clear word about what is wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from passerelle.settings import SettingError, Settings, load

CARRIER = '[[carriers]]\nname = "orange"\nhost = "smpp.example"\n'


def from_file(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "passerelle.toml"
    file.write_text(text)
    return load(file, environ)


def test_nothing_written_is_a_laptop() -> None:
    settings = load(None, {"HOME": "/root"})
    assert (settings.host, settings.port, settings.database_url, settings.carriers) == ("127.0.0.1", 8080, "", [])


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = from_file(
        tmp_path, 'port = 1000\nshort_code = "36111"\n' + CARRIER + "window = 10\n", PASSERELLE_PORT="2000"
    )
    assert (settings.port, settings.short_code) == (2000, "36111")
    assert (settings.carriers[0].name, settings.carriers[0].window, settings.carriers[0].port) == ("orange", 10, 2775)


def test_every_kind_of_value_can_be_in_the_environment() -> None:
    settings = load(
        None,
        {
            "PASSERELLE_STOP_WORDS": "STOP, ARRET",
            "PASSERELLE_HOSTS": "api.a.example=smspartner, api.b.example=primotexto",
            "PASSERELLE_CALLBACK_PRIVATE": "true",
            "PASSERELLE_DATA": "/srv/passerelle",
            "PASSERELLE_CARRIERS": '[{"name": "sim", "host": "127.0.0.1", "ranges": ["eco"]}]',
        },
    )
    assert settings.stop_words == ["STOP", "ARRET"]
    assert settings.hosts == {"api.a.example": "smspartner", "api.b.example": "primotexto"}
    assert settings.callback_private is True
    assert settings.data == Path("/srv/passerelle")
    assert settings.carriers[0].ranges == ["eco"]


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("prot = 1", "prot", "did you mean port"),
        ("zzzzzz = 1", "zzzzzz", "known are database_url, secret"),
        ("port = 70000", "port", "<= 65535"),
        ('port = "x"', "port", "Expected `int`"),
        ('quiet_start = "25:00"', "quiet_start", "matching regex"),
        ('log_level = "loud"', "log_level", "allowed: debug, info, warning, error"),
        ("data = 3", "data", "Expected `str`"),
        ('[hosts]\n"a.example" = "french"', "hosts[...]", "allowed: smspartner, primotexto"),
        (CARRIER + 'bind = "both"', "carriers[0].bind", "allowed: transceiver, transmitter, receiver"),
        (CARRIER + 'ranges = ["gold"]', "carriers[0].ranges[0]", "allowed: premium, eco"),
        (CARRIER + "windwo = 3", "carriers[0].windwo", "did you mean window"),
        (CARRIER + CARRIER, "carriers", "two carriers have the same name"),
        (CARRIER + "response_timeout_seconds = 13\n", "lease_seconds", ">= 16"),
        ("[rcs]\nttl = 172800", "rcs.ttl", "shorter than receipt_wait_hours"),
        ("lease_seconds = 12\n" + CARRIER, "lease_seconds", ">= 13"),
        ('[[carriers]]\nname = "a"', "carriers[0]", "missing required field `host`"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, name: str, words: str) -> None:
    with pytest.raises(SettingError) as wrong:
        from_file(tmp_path, text)
    assert wrong.value.name == name
    assert words in wrong.value.message


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PASSERELLE_PROT", "1", "did you mean port"),
        ("PASSERELLE_CARRIERS", "orange", "not JSON"),
        ("PASSERELLE_HOSTS", "a.example", "expected name=value"),
        ("PASSERELLE_METRICS", "perhaps", "Expected `bool`"),
    ],
)
def test_a_wrong_variable_is_refused(variable: str, value: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        load(None, {variable: value})


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    for text in ("port = ", None):
        with pytest.raises(SettingError, match=r"passerelle\.toml"):
            from_file(tmp_path, text) if text else load(tmp_path / "no" / "passerelle.toml", {})


def test_secrets_stay_out_of_what_is_printed() -> None:
    settings = msgspec.convert(
        {"secret": "s3cret", "carriers": [{"name": "a", "host": "b", "password": "s3cret"}]}, Settings
    )
    assert "s3cret" not in repr(settings) + repr(settings.carriers)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:Geheim/x@db.example/p",
        "postgresql://u:Geheim#x@db.example/p",
        "postgresql://u:Geheim?x@db.example/p",
        "postgresql://u:5432/Geheim@db.example/p",
        "Geheim",
        "mysql://u:Geheim@db.example/p",
        "postgresql://u:Geheim@[::1/p",
    ],
)
def test_a_url_of_the_database_that_cannot_be_read_is_told_without_a_piece_of_it(url: str) -> None:
    with pytest.raises(SettingError, match="database_url") as told:
        load(None, {"PASSERELLE_DATABASE_URL": url})
    assert "Geheim" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgresql://u:%2F%23@a,b:5433/p?sslmode=require",
        "postgresql://p@/p?host=/tmp/a@b",
        "postgresql://[::1]/p",
        "postgresql://h:5432/p",
        "postgres://u@h/p",
    ],
)
def test_a_url_of_the_database_is_taken_as_it_is(url: str) -> None:
    assert load(None, {"PASSERELLE_DATABASE_URL": url}).database_url == url


def test_callbacks_to_private_addresses_have_to_be_wanted() -> None:
    assert load(None, {}).callback_private is False
