"""All commands under one name, with a word on each."""

from __future__ import annotations

from importlib.metadata import version

import pytest

COMMANDS = ("up", "serve", "work", "migrate", "simulate", "account", "send", "status", "explain", "doctor")


async def test_the_version_is_that_of_the_package(bare):
    assert (await bare.ok("--version")).strip() == version("passerelle")


async def test_help_names_every_command_and_where_to_begin(bare):
    told = " ".join((await bare.ok("--help")).split())
    assert all(f" {command} " in told for command in COMMANDS) and "passerelle up" in told
    assert "Answer HTTP." in told, "each says what it does"


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_explains_itself(bare, command):
    assert "Usage: passerelle " + command in await bare.ok(command, "--help")


async def test_a_slip_of_the_pen_is_corrected(bare):
    code, _, err = await bare("sned")
    assert code == 2 and "send" in err
