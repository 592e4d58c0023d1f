"""Sub-accounts (contract 9): made, removed, listed, given credit and relieved of it.

One rule: a main account names its sub-accounts by their tokens, and sees nobody else's; the order of the checks is
that of the contract.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ...domain import pricing, tokens
from ...domain.subaccounts import LONGEST_NAME, Fault, Type, Wanted, amount, is_email
from ...pipeline import subaccounts
from ...pipeline.subaccounts import PAGE, Created, Moved
from ...store import subaccounts as store
from .. import values
from ..door import Barrier
from . import wire
from .calls import GET, GET_POST, POST, Call, Entry, Services
from .reading import Members
from .wire import Reply

TYPES = {"simple": Type.SIMPLE, "advanced": Type.ADVANCED}
CREATING = {
    2: "Création de sous-compte non autorisée",
    3: "Le paramètre isBuyer est requis",
    4: "Le type est requis",
    5: "Type inconnu",
    6: "L'adresse e-mail est requise",
    7: "Adresse e-mail déjà utilisée",
    8: "creditToAttribute doit être supérieur à 0",
    9: "Le solde doit être supérieur à 0",
}
MOVING = {
    2: "Le crédit est requis",
    3: "Le paramètre tokenSubaccount est requis",
    4: "Opération non autorisée",
    5: "Le crédit doit être supérieur à 0",
    6: "Le solde doit être supérieur à 0",
    7: "Sous-compte introuvable",
    8: "Crédit insuffisant",
}
OF_CREATING = {Fault.EMAIL_TAKEN: 7, Fault.AMOUNT: 8, Fault.EMPTY: 9, Fault.SHORT: 9}
OF_MOVING = {Fault.UNKNOWN: 7, Fault.AMOUNT: 5, Fault.EMPTY: 6, Fault.SHORT: 8}
WRONG_KEY = (10, "Clef API incorrecte")
LAST_PAGE = 10**9


async def create(services: Services, call: Call) -> Reply:
    """POST `subaccount/create`: an account of its own with its first credit; an advanced one gets a mail."""
    if not subaccounts.may_make_more(call.account):
        return _refused(CREATING, 2)
    wanted = _parse(call.members)
    if isinstance(wanted, int):
        return _refused(CREATING, wanted)
    made = await subaccounts.create(services.db, services.accounts, call.account, wanted, services.clock.now())
    if isinstance(made, Fault):
        return _refused(CREATING, OF_CREATING[made])
    return _created(made, call.account.email)


def _created(made: Created, parent_email: str) -> Reply:
    reply: Reply = {
        "success": True,
        "code": 200,
        "subaccount": {"email": made.email, "token": tokens.text20(made.token)},
    }
    if made.mailed:
        reply["sendConfirmMailTo"] = made.email
    return reply | {"parent_email": parent_email}


def _parse(members: Members) -> Wanted | int:
    """What is wanted, or the code of the first fault: 4, 5, 3, 6."""
    named = members.text("type").strip()
    if not named:
        return 4
    type_ = TYPES.get(named.lower())
    if type_ is None:
        return 5
    given = members.get("parameters")
    parameters = Members(given if isinstance(given, dict) else {}, {})
    if type_ is Type.ADVANCED and parameters.scalar("isBuyer") is None:
        return 3
    email = parameters.text("email").strip()
    if (email or type_ is Type.ADVANCED) and not is_email(email):
        return 6
    credit = parameters.scalar("creditToAttribute")
    return Wanted(
        type=type_,
        email=email,
        is_buyer=type_ is Type.ADVANCED and parameters.flag("isBuyer"),
        credit=None if credit is None else amount(values.text(credit)),
        title=_name(parameters, "title"),
        firstname=_name(parameters, "firstname"),
        lastname=_name(parameters, "lastname"),
    )


def _name(parameters: Members, name: str) -> str:
    return parameters.text(name).strip()[:LONGEST_NAME]


async def remove(services: Services, call: Call) -> Reply:
    """DELETE `subaccount/remove`: its key is dead at once, its credit comes back."""
    given = call.members.text("token").strip()
    if not given:
        return wire.simple(1, "Le token est requis")
    token = tokens.read20(given)
    now = services.clock.now()
    if token is None or not await subaccounts.remove(services.db, call.account.id, token, now):
        return wire.simple(404, "Sous-compte introuvable")
    return {"success": True, "code": 200}


async def listing(services: Services, call: Call) -> Reply:
    """GET `subaccount/list`: twenty a page, the oldest first, with their keys."""
    asked = values.integer(call.members.get("page")) or 1
    page = min(max(asked, 1), LAST_PAGE)
    rows = await store.page(services.db, call.account.id, (page - 1) * PAGE, PAGE)
    data = [_listed(row, services.accounts.keyring.open(bytes(row["key_sealed"])).decode()) for row in rows]
    return {
        "success": True,
        "code": 200,
        "total": await store.total(services.db, call.account.id),
        "nb_per_page": PAGE,
        "page": page,
        "data": data,
    }


def _listed(row: Any, key: str) -> Reply:
    return {
        "id": row["number"],
        "email": row["email"],
        "type": Type(row["type"]).name.lower(),
        "token": tokens.text20(bytes(row["token"])),
        "apiKey": key,
        "createdAt": wire.local(row["created_at"]),
        "credits": {"balance": pricing.text(row["balance"]), "currency": "EUR"},
    }


async def credit(services: Services, call: Call, *, back: bool = False) -> Reply:
    """POST `subaccount/credit/add` and `subaccount/credit/remove`: both balances change together."""
    if not subaccounts.may_make(call.account):
        return _refused(MOVING, 4)
    wanted, given = call.members.scalar("credit"), call.members.text("tokenSubaccount").strip()
    if wanted is None:
        return _refused(MOVING, 2)
    if not given:
        return _refused(MOVING, 3)
    token = tokens.read20(given)
    if token is None:
        return _refused(MOVING, 7)
    move = subaccounts.take if back else subaccounts.give
    moved = await move(services.db, call.account.id, token, amount(values.text(wanted)), services.clock.now())
    return _moved(moved) if isinstance(moved, Moved) else _refused(MOVING, OF_MOVING[moved])


def _moved(moved: Moved) -> Reply:
    return {
        "success": True,
        "code": 200,
        "credit": wire.money(moved.parent),
        "subaccountCredit": wire.money(moved.child),
        "currency": "EUR",
    }


def _refused(texts: dict[int, str], code: int) -> Reply:
    return wire.simple(code, texts[code])


_BARRIERS = {Barrier.KEY_MISSING: WRONG_KEY, Barrier.KEY_UNKNOWN: WRONG_KEY}
_REMOVE = ("DELETE", "POST")

ENTRIES = (
    Entry("/subaccount/create", create, GET_POST),
    Entry("/subaccount/remove", remove, _REMOVE, barriers=_BARRIERS),
    Entry("/subaccount/delete", remove, _REMOVE, barriers=_BARRIERS),
    Entry("/subaccount/list", listing, GET),
    Entry("/subaccount/credit/add", credit, POST),
    Entry("/subaccount/credit/sms", credit, POST),
    Entry("/subaccount/credit/remove", partial(credit, back=True), POST),
)
