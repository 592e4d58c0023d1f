"""All commands under one name. One is imported when it is asked for: imports are most of a start."""

from __future__ import annotations

from importlib.metadata import version

from cyclopts import App

app = App(
    name="passerelle",
    version=lambda: version("passerelle"),
    help="The messaging platform that an organisation runs itself. Begin with `passerelle up`: it needs no argument.",
    result_action="return_value",
)
COMMANDS = {
    "programs": ("up", "serve", "work", "migrate", "simulate"),
    "sending": ("send",),
    "looking": ("status", "explain", "doctor"),
    "complaints": ("complaint",),
}
FAMILIES = {
    "account": "accounts",
    "contacts": "contacts",
    "campaigns": "campaigns",
    "lists": "lists",
    "rental": "rental",
    "subaccount": "subaccounts",
    "mail": "mails",
    "numbers": "numbers",
    "surveys": "surveys",
}
for module, names in COMMANDS.items():
    for name in names:
        app.command(f"{__package__}.{module}:{name}", name=name)
for name, module in FAMILIES.items():
    app.command(f"{__package__}.{module}:app", name=name)


def import_all() -> None:
    """For who asks what there is: each says of itself what it does."""
    for name in app:
        app[name]
