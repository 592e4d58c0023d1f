"""`passerelle surveys`: made from a file, opened, closed, looked at, taken out as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App

from .place import HERE, Json, Switch, Where, account_of, located, opened, run
from .screen import Problem, console, moment, plain, show_json, table

if TYPE_CHECKING:
    from ..app import Ground
    from ..domain.surveys import State, Survey
    from ..pipeline.survey_results import Asked, Results
    from ..store.surveys import Stored

app = App(name="surveys", help="Surveys: make one from a file, open and close it, see what was answered.")

BAR = 24  # characters of a hundred per cent
SHOWN = 10  # free answers
LISTED = 1_000


# --- making ----------------------------------------------------------------------------------------------------------


@app.command
def create(
    file: Path,
    /,
    *,
    account: str | None = None,
    open: Annotated[bool, Switch] = False,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Make a survey from a TOML or JSON file; its id is what `sondage/to/send` calls `sondageIdent`.

    Parameters
    ----------
    file
        title, introduction, mode ("reply" or "link"), questions with text, kind and choices; and if wanted marketing,
        opens_at, closes_at, thanks. docs/operations.md has one of each kind.
    account
        E-mail address of the account; the only one, or that of the demo, need not be named.
    open
        Open it at once.
    """
    from ..domain.surveys import State
    from ..pipeline import surveys
    from ..pipeline.survey_plans import facts

    async def go() -> None:
        wanted = _read(file)
        async with opened(located(where)) as base:
            owner = await account_of(base, account)
            stop_words = base.settings.stop_words
            made = await surveys.create(base.db, owner.id, wanted, stop_words, base.clock.now())
            if isinstance(made, list):
                raise Problem(f"{file}: " + "; ".join(made))
            if open:
                made = await surveys.set_state(base.db, made, State.OPEN)
            told = facts(made)
            if json:
                show_json(told)
                return
            print(f"survey {told['id']} of {owner.email}: {told['state']}")
            if not open:
                print(f"`passerelle surveys open {told['id']}` lets it be sent and answered")

    run(go())


def _read(file: Path) -> Survey:
    """Raises Problem."""
    import tomllib

    import msgspec

    from ..pipeline.survey_plans import PlanError, read

    try:
        text = file.read_text(encoding="utf-8-sig")
        return read(msgspec.json.decode(text) if file.suffix.lower() == ".json" else tomllib.loads(text))
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.DecodeError, PlanError) as error:
        raise Problem(f"{file}: {error}") from None


async def _found(base: Ground, ident: str, account: str | None) -> Stored:
    """Raises Problem."""
    from ..pipeline import surveys

    owner = await account_of(base, account)
    found = await surveys.find(base.db, owner.id, ident)
    if found is None:
        raise Problem(f"{owner.email} has no survey {ident}: `passerelle surveys list` shows them")
    return found


# --- its life --------------------------------------------------------------------------------------------------------


@app.command(name="list")
def list_surveys(*, account: str | None = None, json: Json = False, where: Where = HERE) -> None:
    """The surveys of an account, the newest first."""
    from ..pipeline.survey_plans import facts
    from ..store import surveys

    async def go() -> None:
        async with opened(located(where)) as base:
            owner = await account_of(base, account)
            told = [facts(one) for one in await surveys.page(base.db, owner.id, limit=LISTED)]
            if json:
                show_json(told)
                return
            rows = [
                (t["id"], t["title"], t["mode"], t["state"], _until(t["closes_at"]), moment(t["created_at"]))
                for t in told
            ]
            heads = ("Id", "Title", "Mode", "State", "Closes", "Made")
            console().print(table(heads, rows) if rows else "there is none yet: `passerelle surveys create FILE`")

    run(go())


def _until(at: Any) -> str:
    return moment(at) if at else ""


@app.command(name="open")
def open_survey(ident: str, /, *, account: str | None = None, where: Where = HERE) -> None:
    """Let a survey be sent and answered."""
    from ..domain.surveys import State

    run(_change(ident, account, where, State.OPEN))


@app.command
def close(ident: str, /, *, account: str | None = None, where: Where = HERE) -> None:
    """End a survey: what is answered from now on does not count."""
    from ..domain.surveys import State

    run(_change(ident, account, where, State.CLOSED))


async def _change(ident: str, account: str | None, where: Where, state: State) -> None:
    from ..pipeline import surveys

    async with opened(located(where)) as base:
        stored = await surveys.set_state(base.db, await _found(base, ident, account), state)
        print(f"survey {ident} is {state.name.lower()}")
        closes_at = stored.survey.closes_at
        if closes_at is not None and closes_at <= base.clock.now():
            print(f"but its time was over on {moment(closes_at)}: nothing is sent, no answer counts")


@app.command
def remove(
    ident: str,
    /,
    *,
    yes: Annotated[bool, Switch] = False,
    account: str | None = None,
    where: Where = HERE,
) -> None:
    """Delete a survey with all that was answered; its messages stay.

    Parameters
    ----------
    yes
        Really: nothing brings the answers back.
    """
    from ..store import surveys

    async def go() -> None:
        async with opened(located(where)) as base:
            stored = await _found(base, ident, account)
            if not yes:
                raise Problem(f"add --yes to delete {stored.survey.title!r} with all its answers")
            await surveys.remove(base.db, stored.account_id, stored.id)
            print(f"survey {ident} is deleted")

    run(go())


# --- what was answered -----------------------------------------------------------------------------------------------


@app.command
def show(ident: str, /, *, account: str | None = None, json: Json = False, where: Where = HERE) -> None:
    """A survey and what was answered to it by now."""
    from ..pipeline.survey_plans import facts, figures
    from ..pipeline.survey_results import results

    async def go() -> None:
        async with opened(located(where)) as base:
            stored = await _found(base, ident, account)
            found = await results(base.db, stored)
            if json:
                show_json(facts(stored) | {"results": figures(found)})
            else:
                _show(stored, found)

    run(go())


def _show(stored: Stored, found: Results) -> None:
    out, survey = console(), stored.survey
    ends = f", until {moment(survey.closes_at)}" if survey.closes_at else ""
    out.print(f"{plain(survey.title)} ({survey.mode.name.lower()}): {survey.state.name.lower()}{ends}", markup=False)
    opened = f", {found.opened} looked at it" if survey.mode.name == "LINK" else ""
    out.print(f"{found.invited} invited, {found.delivered} delivered{opened}, {found.answered} answered")
    for asked in found.questions:
        _show_question(asked)
    if found.texts:
        out.print("\nFree answers")
        rows = [(f"+{one.phone}", moment(one.at), one.text) for one in found.texts[:SHOWN]]
        out.print(table(("From", "When", "Text"), rows))
    if len(found.texts) > SHOWN:
        out.print(f"... and {len(found.texts) - SHOWN} more: `passerelle surveys export` has them")


def _show_question(asked: Asked) -> None:
    out = console()
    mean = f", {asked.mean} on average" if asked.mean is not None else ""
    answers = f"{asked.answers} answer{'' if asked.answers == 1 else 's'}"
    out.print(f"\n{asked.number}. {plain(asked.text)}  ({answers}{mean})", markup=False)
    rows = [(one.label, one.count, f"{one.share:.1f} %", "█" * round(one.share * BAR / 100)) for one in asked.choices]
    if rows:
        bars = table(("", "", "", ""), rows, right=frozenset({1, 2}))
        bars.show_header = False
        out.print(bars)


@app.command
def export(
    ident: str,
    /,
    *,
    to: Path | None = None,
    format: Literal["csv", "json"] = "csv",
    bom: Annotated[bool, Switch] = False,
    account: str | None = None,
    where: Where = HERE,
) -> None:
    """Write a row for each person who was invited, with the last answers.

    Parameters
    ----------
    to
        File; without one it is written to standard output.
    format
        csv (RFC 4180, UTF-8) or json.
    bom
        Begin with a byte order mark, for spreadsheets that read nothing else as UTF-8.
    """
    import msgspec

    from ..pipeline import survey_results

    async def go() -> None:
        async with opened(located(where)) as base:
            stored = await _found(base, ident, account)
            if format == "csv":
                written = (await survey_results.as_csv(base.db, stored, bom=bom)).encode()
            else:
                written = msgspec.json.format(await survey_results.as_json(base.db, stored), indent=1)
            _write(written, to)

    run(go())


def _write(written: bytes, to: Path | None) -> None:
    """Raises Problem."""
    if to is None:
        print(written.decode(), end="")
        return
    try:
        to.write_bytes(written)
    except OSError as error:
        raise Problem(f"{to} cannot be written: {error.strerror}") from None
