"""One service process that stays up while its database is restored, and what everybody hears."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx2

from bench.faults.calls import connected, open_calls
from bench.faults.services import Service
from bench.faults.writers import ACT, WRITE
from devstack.demo_data import USER_IDS
from devstack.ports import free_port
from tests.hostile.attacked_service import environment
from tests.restores.audience import Audience, Calls, Heads, coming_back, follows, newest
from tests.restores.backups import Backup
from tests.restores.ears import Ear, listening
from tests.support.forked_commands import ForkedCommands
from tests.support.whole_service import bearer

# Seconds: until everybody is told, and until a live query shows what is there now.
TOLD_WITHIN, SHOWN_WITHIN = 2.0, 1.5
# Events of the busy call that the backup has, and events that it does not have: 500 in all.
KEPT: Final = 300
LOST: Final = {"busy": 350, "later": 150}
LAST: Final = "SELECT event_seq FROM nchat_call_counters WHERE call_id = $1"
# Nothing ends it before the restore does.
RINGS: Final = (
    "INSERT INTO nchat_call_participants (call_id, user_id, status, status_since) VALUES ($1, $2, 'ringing', now() + interval '1 day')"
)


class Trial:
    """A service over a database with a backup; `heads` are the last events of its calls before the restore."""

    def __init__(self, backup: Backup, service: Service) -> None:
        self._backup, self._service = backup, service
        self.told: list[tuple[str, int, float]] = []

    async def prepare(self) -> None:
        """Takes the backup, and then more happens."""
        async with connected(self._backup.url) as database:
            busy, quiet = await open_calls(database, 2)
            await database.execute(WRITE, busy, USER_IDS["alice"], KEPT)
            await database.execute(WRITE, quiet, USER_IDS["alice"], 5)
            self.kept = {call: await database.fetchval(LAST, call) for call in (busy, quiet)}
        await asyncio.to_thread(self._backup.take)
        self._busy, self._quiet = busy, quiet

    async def go_on(self) -> tuple[Calls, Heads]:
        """What the backup does not have."""
        async with connected(self._backup.url) as database:
            (later,) = await open_calls(database, 1)
            await database.execute(WRITE, self._busy, USER_IDS["alice"], LOST["busy"])
            await database.execute(WRITE, later, USER_IDS["alice"], LOST["later"] - 1)
            await database.execute(RINGS, later, USER_IDS["carol"])
            calls = Calls(self._busy, self._quiet, later)
            return calls, {call: await database.fetchval(LAST, call) for call in (calls.busy, calls.quiet, calls.later)}

    async def restore_under(self, calls: Calls, heads: Heads) -> str:
        """Returns the epoch that is over."""
        audience = Audience(calls)
        address = self._service.address
        async with listening(address, audience.everybody):
            epoch = await audience.has_all(heads)
            meanwhile = coming_back(calls, heads, epoch)
            restoring = asyncio.create_task(asyncio.to_thread(self._backup.restore))
            async with listening(address, meanwhile):
                await restoring
                back = asyncio.get_running_loop().time()
                await self._all_told("running", audience.following, back)
                await self._all_told("streaming", audience.streaming, back)
                await self._all_told("coming back meanwhile", meanwhile, back)
                await self._shown(audience, back)
        return epoch

    async def come_back(self, calls: Calls, heads: Heads, epoch: str) -> None:
        """With what they have from before, and to a service that is up."""
        ears = coming_back(calls, heads, epoch)
        now = asyncio.get_running_loop().time()
        async with listening(self._service.address, ears):
            await self._all_told("coming back", ears, now)

    async def _all_told(self, who: str, ears: Collection[Ear], since: float) -> None:
        await asyncio.gather(*(ear.until(lambda ear: ear.refused) for ear in ears))
        codes = Counter(ear.code for ear in ears)
        assert codes == {"history-changed": len(ears)}, (who, codes)
        longest = max(ear.waited(since) for ear in ears)
        self.told.append((who, len(ears), longest))
        assert longest < TOLD_WITHIN, (who, longest)

    async def _shown(self, audience: Audience, since: float) -> None:
        """Live queries show the restored state, and the ring that it does not have is taken back."""
        kept = self.kept[self._busy]
        await asyncio.gather(*(ear.until(lambda ear: newest(ear) == kept) for ear in audience.looking))
        await audience.ringing.until(lambda ear: ear.last["kind"] == "cancelled")
        longest = max(ear.waited(since) for ear in [*audience.looking, audience.ringing])
        self.told.append(("live", len(audience.looking) + 1, longest))
        assert longest < SHOWN_WITHIN, longest

    async def lives_on(self, epochs: Collection[str]) -> None:
        """What is there is told from its beginning, and goes on with what people do."""
        ear = follows("dave", self._busy)
        kept = self.kept[self._busy]
        async with listening(self._service.address, [ear]), httpx2.AsyncClient(base_url=f"http://{self._service.address}") as http:
            await ear.until(lambda ear: ear.last and ear.last["seq"] == kept)
            for number in range(3):
                muted = {"query": ACT, "variables": {"call": str(self._busy), "muted": bool(number % 2)}}
                answer = (await http.post("/v1/graphql", json=muted, headers=bearer(USER_IDS["alice"]))).json()
                assert "data" in answer, answer
            await ear.until(lambda ear: ear.last["seq"] == kept + 3)
        assert [event["seq"] for _, event in ear.heard] == list(range(1, kept + 4))
        assert not {*epochs} & {event["epoch"] for _, event in ear.heard}


@asynccontextmanager
async def trial_of(backup: Backup, commands: ForkedCommands, output: Path) -> AsyncIterator[Trial]:
    """One service process from before the backup to the end."""
    service = Service(free_port(), environment(backup.url, {}), output, commands.run)
    await service.start()
    try:
        yield Trial(backup, service)
        assert service.lives
    finally:
        await service.kill()
