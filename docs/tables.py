"""Write the tables of the documentation from the code that they describe: `python docs/tables.py`.

The one rule: what stands between `<!-- table: name -->` and `<!-- /table -->` is made here, and a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from passerelle import telemetry
from passerelle.domain import lifecycle
from passerelle.domain.account import Rules
from passerelle.domain.message import State
from passerelle.pipeline import account_rules
from passerelle.settings import CarrierSettings, HlrSettings, MailSettings, RcsSettings, Settings
from passerelle.simulator import behaviours, rcs_behaviours
from passerelle.surfaces.http import Route
from passerelle.surfaces.primotexto import codes as primotexto_codes
from passerelle.surfaces.primotexto.routes import Primotexto
from passerelle.surfaces.smspartner import codes as smspartner_codes
from passerelle.surfaces.smspartner.routes import SmsPartner
from passerelle.telemetry import Event

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "passerelle"
LISTS = {"telemetry.py", "account_rules.py"}  # they name everything, and use nothing
PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)

SETTINGS = {
    "database_url": "PostgreSQL 16 or newer, `postgresql://user:password@host/database`. `serve` and `work` want it; "
    "empty, `up` runs a PostgreSQL of its own in the data folder",
    "secret": "Master secret: keys are hashed and sealed with it. No program starts without it; `up` makes one. "
    "Lost, every key has to be made anew",
    "data": "Folder of `up`: database, secret, logs, journal of the simulator. Where `var` cannot be used: "
    "`~/.local/share/passerelle`",
    "host": "Address that `serve` and `up` listen on",
    "port": "Port of the HTTP APIs",
    "trusted_proxies": "Addresses or networks whose `X-Forwarded-For` is believed",
    "hosts": "Host name to dialect, for paths that begin with `/v1`; every other host speaks SMS Partner there",
    "max_body": "Bytes of a request body; more is refused with 413 (Primotexto code 18)",
    "callback_private": "Whether callbacks may go to loopback, private and link-local addresses; `up` turns it on",
    "rate_default": "Calls a minute of an account over all calls, 0 for no limit; an account may have its own",
    "group_add_code": "What SMS Partner's `group/add` answers as `code`; its own page shows 2",
    "contact_page": "Contacts on a page of SMS Partner's `contact/list`",
    "short_code": "Sender of messages that name none, and where STOP is written to; an account may have its own",
    "stop_words": "First words of a reply that mean STOP, without regard to case and punctuation",
    "stop_mention": "Appended to marketing texts; `{short_code}` is replaced",
    "quiet_start": "When marketing stops in the evening",
    "quiet_end": "When marketing begins in the morning",
    "protected_senders": "Sender names for granted accounts only. Added to the database at the start of a program, and "
    "never taken out again by leaving one away",
    "validity_hours": "From the sending time on: what was not handed over by then is `ko`",
    "receipt_wait_hours": "From the first attempt on: without a final receipt by then a message ends unconfirmed",
    "lease_seconds": "How long a leased part belongs to one worker: the time after which a crash is noticed; at least 3"
    " more than any `response_timeout_seconds`",
    "text_days": "Days after the sending time that texts (and texts of replies) are kept; then they are blanked",
    "delivery_days": "Days that deliveries to the endpoints of webhooks are kept, to be looked at and posted again",
    "metadata_months": "Whole months that messages are kept besides the current one; then their month is dropped",
    "public_url": "Where people reach the public pages: the beginning of the links in mails and texts, e.g. "
    "`https://sms.example.org`. Empty: `http://` with `host` and `port`",
    "hlr": "Who is asked about numbers (SMS Partner `hlr/notify`), see below; in the environment as JSON",
    "hlr_error": "What `errorGrpId` of a number check is: the error's id, as the provider's page has it, or its group",
    "short_link_host": "Host name of short links, `https://HOST/CODE`; it leads to `serve` too, and contacts"
    " with an address get a short link. Empty: short links are `/l/CODE` below the public pages",
    "short_link_hosts": "Host names of customers that lead to `serve` too; the rule `short_link_host` of an account"
    " chooses one for its links",
    "robots_file": "Programs that fetch links without anybody reading them: a fragment of their User-Agent on each"
    " line, `!` before one that is a person. Empty: `surfaces/pages/robots.txt`",
    "mail": "The mail server for the platform's own mails, see below; in the environment as JSON",
    "subaccount_domain": "Domain of the addresses made up for sub-accounts that are created without one",
    "rcs": "The provider of RCS, see below; in the environment as JSON. Without a URL `rcs/send` answers 40",
    "carriers": "The operators, see below",
    "metrics": "Whether `/metrics` is answered",
    "work_port": "Port on which `work` answers `/healthz`, `/readyz` and `/metrics` of its own; 0: nowhere",
    "demo_key": "API key of the demo account that `up` makes; empty: a new one",
    "test_clock": "For tests: the clock follows an offset in the table `installation`",
    "log_level": "The least that is logged",
}
CARRIER = {
    "name": "Names the carrier in the database and in figures: do not change it while parts are queued for it",
    "host": "Of the operator's SMSC",
    "port": "Of the operator's SMSC",
    "system_id": "Login of the bind",
    "password": "Password of the bind; never logged",
    "system_type": "As the operator says",
    "bind": "What the bind may do",
    "binds": "Connections; each lives in exactly one worker",
    "window": "Submits that may wait for their answer, per bind",
    "rate": "Parts a second, 0 for as many as the windows let through. Each worker paces for itself: two "
    "workers that hold binds of one carrier reach twice the rate",
    "ranges": "What it carries. The first carrier of the list that has the range is used",
    "tls": "SMPP over TLS, certificate verified",
    "source_ton": "Type of number of the sender (SMPP 3.4, 5.2.5); empty: 3 short code, 1 number, 5 name",
    "source_npi": "Numbering plan of the sender; empty: 1 for a number, else 0",
    "dest_ton": "Type of number of the recipient",
    "dest_npi": "Numbering plan of the recipient",
    "enquire_link_seconds": "Seconds of silence after which the link is tested",
    "response_timeout_seconds": "Seconds after which a submit without an answer has an unknown outcome",
}
MAIL = {
    "host": "Of the mail server. Empty: mails stay in the outbox, and `doctor` says so",
    "port": "Of the mail server",
    "tls": "`starttls`: begin in the clear and change over, or send nothing; `tls`: from the first byte on",
    "user": "Login; empty: none",
    "password": "Its password; never logged",
    "from": "Sender of the mails, `Name <address>`",
}
RCS = {
    "url": "Of the RBM REST API, before `/v1/phones/...`",
    "agent_id": "The agent that sends",
    "credentials_file": "Key file (JSON) of a service account; or else:",
    "token": "A token that somebody else made",
    "events_token": "clientToken of the webhook `/rcs/events`",
    "ttl": "Seconds from the first attempt on: what is not delivered by then is revoked, and the SMS follows",
    "window": "Requests that may wait for their answer, in each worker",
    "check_capabilities": "Whether a phone is asked about before the first message to it, and again after an hour; "
    "without, the send tells who has no RCS",
}
HLR = {
    "url": "Asked by POST, with JSON, about each number. Empty: the answers are made up, and `doctor` says so",
    "headers": "Sent with each question, such as a key",
    "fields": "Our name of a member to the provider's, where they differ: `number` and `reference` of the question, "
    "`mccMnc`, `ported` and `error` of the answer; `data.network` is the member `network` of `data`",
}
RULES = {
    "eco": "May use the economic range (SMS Partner code 51 where not)",
    "subaccounts": "May have sub-accounts (SMS Partner 9, codes 2 and 4 where not); a sub-account never does",
    "rcs": "May send RCS messages (SMS Partner code 40 where not)",
    "unicode": "May send UCS-2 (`isUnicode` of SMS Partner; ignored where not)",
    "call_forwarding": "May set where calls to its long numbers go (SMS Partner `vn/callforward`, code 14 where not)",
    "traffic_class": "Class of SMS Partner sends that do not say `isStopSms`",
    "quiet_exempt": "Marketing may leave at any hour and on any day",
    "quiet_start": "When marketing stops in the evening",
    "quiet_end": "When marketing begins in the morning",
    "holiday_region": "Public holidays of a region besides those of mainland France; 57 is Alsace-Moselle",
    "short_code": "Sender of messages that name none",
    "short_link_host": "Host name of the tracked links that it sends; nothing: that of the platform",
    "stop_mention": "What is appended to marketing texts (`\\n` for a line feed)",
    "stop_scope_smspartner": "What the stop list blocks in SMS Partner sends",
    "stop_scope_primotexto": "What the stop list blocks in Primotexto sends",
    "stop_missing": "Primotexto marketing without a STOP mention: append one, or refuse with code 31",
    "quiet_dates": "Primotexto marketing with a date in a closed hour: hold it until the next opening, or refuse with "
    "code 62",
    "characters": "Primotexto texts outside GSM 03.38: refuse with code 31, bring near, or send as UCS-2",
    "international": "Primotexto sends abroad (code 91 where not); a price for the country is needed too",
    "allowed_addresses": "Client addresses or networks that may call with this key",
    "reply_url": "SMS Partner: where replies go when the request names no `urlResponse`",
    "dlr_url": "SMS Partner: where reports go when the request names no `urlDlr`",
    "webhook_url": "Primotexto: where all events go",
    "webhook_reply_url": "Primotexto: where replies go instead",
    "dlr_waiting": "SMS Partner: also tell the step `waiting`",
    "sandbox_callbacks": "Call back about sandbox sends too",
    "callback_form": "SMS Partner callbacks as a form instead of JSON",
    "status_date": "SMS Partner: dates of the status calls as epoch seconds or as `YYYY-MM-DD HH:MM:SS` in Paris",
    "legacy_lowcost": "SMS Partner: `me` also has the retired `creditSmsLowCost`",
    "national_blacklists": "Primotexto: `messages/blacklists` writes French numbers as they are dialled in France",
    "rate_default": "Calls a minute over all calls",
    "daily_quota": "Messages a day of Paris, over all dialects (SMS Partner 429, Primotexto 76 beyond)",
    "free_campaigns": "Primotexto campaigns that may be launched a month of Paris (44 beyond); 0: any number",
    "track_links": "Primotexto: addresses in single messages become short links too, as those of campaigns do",
    "daily_contacts": "Contacts that may be posted one by one to lists, a day of Paris (Primotexto 74 beyond)",
}
STATES = {
    State.ACCEPTED: "stored and paid for: queued, held or scheduled",
    State.SUBMITTED: "the operator took it; a receipt is to come",
    State.UNCERTAIN: "bytes may have left and no answer came",
    State.DELIVERED: "the operator says that it arrived, or somebody answered it",
    State.UNDELIVERED: "the operator says that it did not arrive",
    State.BOUNCED: "nobody has this number; it joins the account's list of dead numbers",
    State.REFUSED: "the operator refused it for good",
    State.EXPIRED: "its validity was over before it was handed over",
    State.CANCELLED: "its owner took it back",
    State.OPTED_OUT: "its recipient was on the stop list when it was to leave",
    State.UNCONFIRMED: "handed over, perhaps, and no receipt came in time",
}

LOGS = {
    Event.STARTED: "A program is ready to work",
    Event.STOPPED: "A program ended because it was told to",
    Event.MIGRATED: "The schema was changed",
    Event.DATABASE_STARTED: "The embedded PostgreSQL was started",
    Event.DATABASE_ELSEWHERE: "The account that runs PostgreSQL does not reach the data folder: it lives at `place`",
    Event.DATABASE_LOST: "The database is away; whoever says so waits and does its work again",
    Event.DATABASE_BACK: "The embedded PostgreSQL runs again after it was killed",
    Event.WORKER_FAILED: "A loop met an error that is no lost connection; it goes on. Worth a look every time",
    Event.REQUEST_FAILED: "A bug behind an HTTP call, with the place; the client got code 500 (Primotexto 1000)",
    Event.BIND_UP: "A bind is up",
    Event.BIND_LOST: "A bind was lost; it connects again by itself",
    Event.BIND_REFUSED: "The operator refuses the bind: `status` says why",
    Event.THROTTLED: "The operator asks for less",
    Event.PDU_MALFORMED: "The operator sent what is no SMPP",
    Event.LEASE_EXPIRED: "A worker died with so many parts leased: whether they left is unknown",
    Event.RECEIPT_UNMATCHED: "A receipt that nothing awaits",
    Event.REPLY_UNMATCHED: "Texts from handsets that answer nobody; `stops` of them were opt-outs",
    Event.OUTCOME_UNKNOWN: "Messages of a month to be dropped that never came to an end",
    Event.CALLBACK_FAILED: "An endpoint does not answer, or said 410 and was taken out of the account",
    Event.CALLBACK_GIVEN_UP: "So many notifications failed eight times; they are kept",
    Event.PRUNED: "Texts were blanked, or months dropped",
    Event.KEY_REVOKED: "A key was replaced, or its sub-account removed",
    Event.MAIL_FAILED: "A mail of the platform was not taken; it is tried again",
    Event.MAIL_GIVEN_UP: "A mail was refused for good, or is of no use any more; `passerelle mail list` shows it",
    Event.OPTED_OUT: "So many people answered STOP",
    Event.COMPLAINT: "So many people complained about messages of `account`; it was told if it listens",
    Event.RENTAL_ENDED: "The file of a contact rental is ready, or could not be made and the money went back",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(value: str) -> str:
    """Set as code; nothing stays nothing."""
    return f"`{value}`" if value else ""


# --- settings ------------------------------------------------------------------------------------------------------


def settings() -> str:
    """All settings but those of a carrier."""
    return _struct(Settings, SETTINGS)


def carrier_settings() -> str:
    """The settings of one carrier."""
    return _struct(CarrierSettings, CARRIER)


def mail_settings() -> str:
    """The settings of the mail server."""
    return _struct(MailSettings, MAIL)


def hlr_settings() -> str:
    """The settings of the provider of number checks."""
    return _struct(HlrSettings, HLR)


def rcs_settings() -> str:
    """The settings of the provider of RCS."""
    return _struct(RcsSettings, RCS)


def _struct(struct: Any, meanings: dict[str, str]) -> str:
    fields = msgspec.structs.fields(struct)
    assert {field.encode_name for field in fields} == set(meanings), "a setting without a meaning, or the reverse"
    rows = ((code(f.encode_name), _default(f), _allowed(f.type), meanings[f.encode_name]) for f in fields)
    return table(("Setting", "Default", "Allowed", "Meaning"), rows)


def _default(field: Any) -> str:
    if field.required:
        return "(needed)"
    made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if made in ("", [], {}, None, MailSettings(), HlrSettings(), RcsSettings()):
        return "(empty)"
    if isinstance(made, bool):
        return code(str(made).lower())
    return code(", ".join(made) if isinstance(made, list) else str(made).replace("\n", "\\n"))


def _allowed(kind: Any) -> str:
    """Types as a person says them."""
    kind, meta = _bare(kind)
    if get_origin(kind) is Literal:
        return ", ".join(map(code, get_args(kind)))
    if meta is not None and meta.pattern:
        return code(meta.pattern)
    if kind is int and meta is not None:
        return f"{meta.ge} to {meta.le}" if meta.le is not None else f"{meta.ge} or more"
    inner = [part for part in get_args(kind) if part is not type(None)]
    if get_origin(kind) is list:
        return "list of " + (_allowed(inner[0]) if inner[0] is not str else "texts")
    if get_origin(kind) is dict:
        return f"table of {_allowed(inner[0])} to {_allowed(inner[1])}"
    if inner:
        return _allowed(inner[0]) + ", or empty"
    if kind in (MailSettings, HlrSettings, RcsSettings):
        return "table"
    named = {bool: "true, false", str: "text", Path: "path", CarrierSettings: "carriers"}
    return named.get(kind, "whole number")


def _bare(kind: Any) -> tuple[Any, Any]:
    if hasattr(kind, "__metadata__"):
        return kind.__origin__, kind.__metadata__[0]
    return kind, None


def rules() -> str:
    """All rules of an account."""
    shown = account_rules.shown(Rules())
    assert set(shown) == set(RULES), "a rule without a meaning, or the reverse"
    unused = " (**read by nothing yet**)"
    rows = (
        (
            code(name),
            code(value) or "(nothing)",
            account_rules.allowed(name),
            RULES[name] + ("" if _reads(name) else unused),
        )
        for name, value in shown.items()
    )
    return table(("Rule", "Default", "Allowed", "Meaning"), rows)


# --- the life of a part --------------------------------------------------------------------------------------------


def states() -> str:
    """Every state: its stored number, whether it is final, what it means."""
    assert set(STATES) == set(State), "a state without a meaning"
    rows = (
        (code(s.name), str(int(s)), "final" if s in lifecycle.FINAL else "", meaning) for s, meaning in STATES.items()
    )
    return table(("State", "Stored as", "", "Meaning"), rows)


def life() -> str:
    """`lifecycle.ADVANCE` as a diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> ACCEPTED"]
    for state, events in lifecycle.ADVANCE.items():
        lines += [f"    {state.name} --> {event.name}" for event in sorted(events - lifecycle.FINAL)]
        assert events >= lifecycle.FINAL, "a state from which not every end can be reached: draw it"
        lines.append(f"    {state.name} --> final")
    names = [state.name for state in sorted(lifecycle.FINAL)]
    lines += ["    state final {", *(f"        {name}" for name in names), "    }", "    final --> [*]", "```", ""]
    return "\n".join(lines)


# --- telemetry and simulator ---------------------------------------------------------------------------------------


def _used(words: str) -> bool:
    """Whether anything but the list itself says these words."""
    wanted = re.compile(words)
    files = (path for path in SOURCE.rglob("*.py") if path.name not in LISTS)
    return any(wanted.search(path.read_text(encoding="utf-8")) for path in files)


def _reads(rule: str) -> bool:
    """Whether anything looks at a rule of an account."""
    return _used(rf"\.{rule}\b|\"{rule}\"")


def metrics() -> str:
    """Every metric, its labels, and whether anything counts it."""
    rows = []
    for name, metric in vars(telemetry).items():
        if hasattr(metric, "_labelnames") and hasattr(metric, "_documentation"):
            told = metric._documentation + ("" if _used(rf"telemetry\.{name}\b") else " (**not counted yet**)")
            rows.append((code(_exposed(metric)), ", ".join(map(code, metric._labelnames)), told))
    return table(("Metric", "Labels", "Meaning"), rows)


def _exposed(metric: Any) -> str:
    return metric._name + ("_total" if metric._type == "counter" else "")


def logs() -> str:
    """Every line that a log may hold."""
    assert set(LOGS) == set(Event), "an event without a meaning"
    unused = " (**not written yet**)"
    rows = (
        (code(event.value[0]), event.value[1], told + ("" if _used(rf"\bEvent\.{event.name}\b") else unused))
        for event, told in LOGS.items()
    )
    return table(("Event", "Level", "Meaning"), rows)


def magic() -> str:
    """The numbers that fail on purpose."""
    rows = ((_spoken(number), name, story) for number, name, story in behaviours.table())
    return table(("Number", "Name", "What happens"), rows)


def rcs_magic() -> str:
    """What the simulated provider of RCS does, by number."""
    rows = ((_spoken(number), name, story) for number, name, story in rcs_behaviours.rcs_table())
    return table(("Number", "Name", "What happens"), rows)


def _spoken(number: str) -> str:
    if not number.isdigit():
        return number
    local = "0" + number.removeprefix("33")
    return code(" ".join(local[at : at + 2] for at in range(0, len(local), 2)))


# --- dialects ------------------------------------------------------------------------------------------------------


def smspartner_calls() -> str:
    """The calls of SMS Partner that are served."""
    return _calls(SmsPartner(None).routes, "/v1")  # type: ignore[arg-type]


def primotexto_calls() -> str:
    """The calls of Primotexto that are served."""
    return _calls(Primotexto(None, None, None, None, None).routes, "/v2")  # type: ignore[arg-type]


def _calls(routes: Iterable[Route], prefix: str) -> str:
    rows = ((", ".join(sorted(route.handlers)), code(_path(route.path, prefix))) for route in routes)
    return table(("Method", "Path"), rows)


def _path(path: str, prefix: str) -> str:
    return path if path.startswith("/app/") else prefix + path


def smspartner_errors() -> str:
    """The general table of codes."""
    rows = ((str(n), str(smspartner_codes.status(n)), text) for n, text in sorted(smspartner_codes.TEXTS.items()))
    return table(("Code", "HTTP", "Text"), rows)


def primotexto_errors() -> str:
    """The codes that a served call can answer."""
    sent = set(primotexto_codes.CODES.values()) | {15, 16, 17, 18, 60, 61, 70, 72, 73, 74, 75, 76, 92, 1000}
    rows = ((str(n), str(primotexto_codes.status_of(n)), primotexto_codes.TEXTS[n]) for n in sorted(sent))
    return table(("Code", "HTTP", "Text"), rows)


MAKERS: dict[str, Callable[[], str]] = {
    maker.__name__: maker
    for maker in (
        settings, carrier_settings, mail_settings, hlr_settings, rcs_settings, rules, states, life, metrics, logs,
        magic, rcs_magic,
        smspartner_calls, primotexto_calls, smspartner_errors, primotexto_errors,
    )
}  # fmt: skip


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def filled(text: str) -> str:
    """The page with its tables as the code has them."""
    return PLACE.sub(lambda found: found[1] + MAKERS[found[2]]() + found[3], text)


if __name__ == "__main__":
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(page.relative_to(ROOT))
