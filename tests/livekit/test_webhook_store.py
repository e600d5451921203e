"""Deliveries that come together are stored together, and one that can't be stored costs the others nothing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from app.livekit.webhook_store import MOST, StoredTogether, Unstorable
from domain.webhooks.inbox import store_all
from domain.webhooks.webhook_event import WebhookEvent
from resolvers.sql.database import DatabaseError
from tests.support.domain_setup import setup

pytestmark = pytest.mark.anyio


def event(name: str, payload: dict[str, object] | None = None) -> WebhookEvent:
    return WebhookEvent(name, "room_started", datetime.now(UTC), payload or {})


class Inbox:
    """Keeps what is stored, statement by statement; each waits until it is let through. `fault` is raised for what it says of an id."""

    def __init__(self) -> None:
        self.statements: list[list[str]] = []
        self.open = asyncio.Event()
        self.begun = asyncio.Event()
        self.faults: dict[str, DatabaseError] = {}

    async def __call__(self, events: Sequence[WebhookEvent]) -> list[bool]:
        self.begun.set()
        await self.open.wait()
        ids = [one.id for one in events]
        self.statements.append(ids)
        for one in ids:
            if one in self.faults:
                raise self.faults[one]
        return [True] * len(ids)


async def outcomes(store: StoredTogether, *names: str) -> list[bool | BaseException]:
    """Of deliveries that arrive while the first is being stored."""
    return await asyncio.gather(*(store(event(name)) for name in names), return_exceptions=True)


async def a_turn() -> None:
    """Whoever could run has run."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_soon(over.set)
    await over.wait()


async def together(inbox: Inbox, *names: str) -> list[bool | BaseException]:
    """One delivery is on its way, and these come meanwhile."""
    store = StoredTogether(inbox)
    first = asyncio.create_task(store(event("first")))
    await inbox.begun.wait()
    rest = asyncio.create_task(outcomes(store, *names))
    for _ in range(2):
        await a_turn()
    inbox.open.set()
    return [await first, *await rest]


async def test_what_comes_meanwhile_is_one_statement() -> None:
    inbox = Inbox()
    assert await together(inbox, *"abc") == [True] * 4
    assert inbox.statements == [["first"], ["a", "b", "c"]]


async def test_a_statement_has_a_size() -> None:
    inbox = Inbox()
    names = [str(number) for number in range(2 * MOST)]
    await together(inbox, *names)
    assert inbox.statements == [["first"], names[:MOST], names[MOST:]]


@pytest.mark.parametrize("state", ["22P05", "22021", "54000"])
async def test_one_that_can_not_be_stored_is_alone_with_it(state: str) -> None:
    inbox = Inbox()
    inbox.faults["b"] = DatabaseError(state, "not this one")
    first, a, b, c = await together(inbox, *"abc")
    assert (first, a, c) == (True, True, True)
    assert isinstance(b, Unstorable)


async def test_a_database_that_is_away_is_everybodys_trouble() -> None:
    inbox = Inbox()
    inbox.faults["b"] = DatabaseError("57P01", "terminating connection")
    first, *rest = await together(inbox, *"abc")
    assert first is True
    assert [isinstance(one, DatabaseError) for one in rest] == [True] * 3
    inbox.faults.clear()
    assert await outcomes(StoredTogether(inbox), "b") == [True]


async def test_a_sender_who_hangs_up_takes_nobody_with_him() -> None:
    inbox = Inbox()
    store = StoredTogether(inbox)
    first = asyncio.create_task(store(event("first")))
    await inbox.begun.wait()
    leaving, staying = [asyncio.create_task(store(event(name))) for name in ("leaving", "staying")]
    await a_turn()
    leaving.cancel()
    inbox.open.set()
    assert await first
    assert await staying
    assert inbox.statements == [["first"], ["leaving", "staying"]]


async def test_on_postgresql(database_url: str) -> None:
    """A NUL that came past the door, beside good ones and a double."""
    async with setup(database_url) as on:

        async def keep(events: Sequence[WebhookEvent]) -> list[bool]:
            return await store_all(on.world, events)

        names = ["a", "b", "a"]
        store = StoredTogether(keep)
        found = await asyncio.gather(
            *(store(event(name)) for name in names), store(event("bad", {"room": {"name": "\0"}})), return_exceptions=True
        )
        assert found[:3] == [True, True, False]
        assert isinstance(found[3], Unstorable)
        assert await on.database.fetchval("SELECT array_agg(id ORDER BY received_at) FROM nchat_webhook_events") == ["a", "b"]


async def test_two_processes_that_store_the_same_wait_in_one_direction(database_url: str) -> None:
    async with setup(database_url) as on:
        events = [event(f"EV_{number}") for number in range(150)]
        found = await asyncio.gather(*(store_all(on.world, way) for way in (events, events[::-1]) * 4))
        assert sum(map(sum, found)) == 150
