"""All commands under one name."""

from __future__ import annotations

from importlib.metadata import version

from cyclopts import App

from . import accounts, looking, programs, rental, sending

app = App(
    name="passerelle",
    version=version("passerelle"),
    help="The messaging platform that an organisation runs itself. Begin with `passerelle up`: it needs no argument.",
    result_action="return_value",
)
for module in (programs, sending, looking):
    for command in module.COMMANDS:
        app.command(command)
app.command(accounts.app)
app.command(rental.app)
