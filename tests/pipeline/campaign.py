"""A list with people in it, and a campaign on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pipeline.world import PHONE, World

from passerelle.domain.account import Account
from passerelle.domain.campaigns import Fault, Phase
from passerelle.domain.lists import Kind
from passerelle.domain.message import DuePart, TrafficClass
from passerelle.domain.profile import PRIMOTEXTO
from passerelle.pipeline import halting
from passerelle.pipeline.campaigns import Campaigns, Seen
from passerelle.pipeline.editing import Editor
from passerelle.pipeline.submit import Accepted
from passerelle.store import campaigns as store
from passerelle.store import lists
from passerelle.store.campaigns import Campaign, Draft

VALIDITY = timedelta(hours=48)


def address(code: str, host: str) -> str:
    """A short link."""
    return f"https://{host or 'l.example'}/{code}"


@dataclass
class Shop:
    """Who writes campaigns, and to whom."""

    world: World
    account: Account
    listed: lists.ContactList
    campaigns: Campaigns
    editor: Editor

    async def people(self, *names: str, first: int = PHONE, **columns: str) -> None:
        """Contacts with these first names; other columns are the same for all."""
        async with self.world.db.transaction() as connection:
            known = lists_by_name(await lists.columns_of(connection, self.account.id, self.listed.id))
            wanted = ["prénom", *columns]
            made = await lists.add_columns(
                connection, self.account.id, self.listed.id,
                [(name, Kind.STRING, "") for name in wanted if name not in known], self.world.clock.now(),
            )  # fmt: skip
            keys = {name: column.key for name, column in (known | lists_by_name(made)).items()}
            rows = [
                (first + n, {keys[key]: value for key, value in {"prénom": name, **columns}.items() if value})
                for n, name in enumerate(names)
            ]
            await lists.add_contacts(connection, self.account.id, self.listed.id, rows, self.world.clock.now())

    async def draft(self, text: str = "Bonjour {{prénom|vous}} !", **more: Any) -> Campaign:
        """A campaign that is not launched."""
        draft = Draft(
            "Soldes", TrafficClass.MARKETING, text, list_id=self.listed.id, list_token=self.listed.token,
        )  # fmt: skip
        token = await store.insert(self.world.db, self.account.id, 2, replace(draft, **more), self.world.clock.now())
        return (await self.seen(token)).campaign

    async def seen(self, token: bytes) -> Seen:
        """A campaign as it is now."""
        found = await self.campaigns.find(self.account.id, token)
        assert found is not None
        return found

    async def phase(self, campaign: Campaign) -> Phase:
        """Where it is now."""
        return (await self.seen(campaign.token)).phase

    async def launched(self, text: str = "Bonjour {{prénom|vous}} !", **more: Any) -> Campaign:
        """A campaign that is."""
        campaign = await self.draft(text, **more)
        result = await self.launch(campaign)
        assert isinstance(result, Accepted), result
        return (await self.seen(campaign.token)).campaign

    async def launch(self, campaign: Campaign, **more: Any) -> Any:
        """Whatever becomes of it."""
        fresh = await self.world.accounts.by_id(self.account.id)
        assert fresh is not None
        return await self.campaigns.launch(fresh, campaign, PRIMOTEXTO, **more)

    async def pause(self, campaign: Campaign) -> Fault | None:
        """Whether it could be."""
        return await halting.pause(self.world.db, self.account.id, campaign.submission_id or 0, self.world.clock.now())

    async def resume(self, campaign: Campaign) -> Fault | None:
        """Whether it could be."""
        now = self.world.clock.now()
        return await halting.resume(self.world.db, self.account.id, campaign.submission_id or 0, now, VALIDITY)

    async def stop(self, campaign: Campaign) -> Fault | None:
        """Whether it could be."""
        now = self.world.clock.now()
        return await halting.stop(self.world.db, self.account.id, campaign.submission_id or 0, now, VALIDITY)

    async def carry_on(self) -> None:
        """What workers do."""
        await halting.carry_on(self.world.db, self.world.clock, VALIDITY)
        await halting.end(self.world.db, self.world.clock, VALIDITY)

    async def edit(self, campaign: Campaign, text: str, name: str = "Soldes") -> Any:
        """Another text."""
        fresh = await self.world.accounts.by_id(self.account.id)
        assert fresh is not None
        seen = await self.seen(campaign.token)
        return await self.editor.edit(fresh, seen.campaign, name, text, PRIMOTEXTO)

    async def texts(self) -> dict[int, str]:
        """What everybody gets, by the end of the number."""
        rows = await self.world.db.fetch(
            "select m.phone, coalesce(m.text, s.text) as text from message m"
            " join submission s on s.account_id = m.account_id and s.id = m.submission_id where not s.test order by m.id"
        )
        return {row["phone"] - PHONE: row["text"].removesuffix("\nSTOP 36000") for row in rows}

    async def all_leave(self) -> list[DuePart]:
        """Everything that is due is handed over, page by page."""
        left: list[DuePart] = []
        while given := await self.world.pump():
            left += given
        return left


def lists_by_name(columns: list[Any]) -> dict[str, Any]:
    """Columns by their names."""
    return {column.name: column for column in columns}


async def shop(world: World, **rules: Any) -> Shop:
    """An account with an empty list."""
    account = await world.account(**rules)
    listed = await lists.add(world.db, account.id, "Clients", world.clock.now())
    campaigns = Campaigns(world.db, world.submitter, address, world.clock)
    return Shop(world, account, listed, campaigns, Editor(campaigns, world.submitter))
