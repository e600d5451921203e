"""The right is asked in two ways: in a transaction of the domain's, and as GraphQL asks. Both answer the same."""

import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from app.database.pool import PoolDatabase, open_pool
from app.database.shares.shared_pool import SharedPool, StatementLimits
from app.hints import open_hub
from app.media.looks import SharedLooks, asker_of
from domain.recordings.playing.visible import Visible
from permissions.session import Session
from resolvers.sql.database import Asker
from tests.media.library import Shelf
from tests.support.domain_setup import ALICE, BOB, MALLORY, Setup, session

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shared(on: Setup) -> AsyncIterator[Visible]:
    async with open_hub() as hub, open_pool(on.url, max_size=4) as pool:
        database = SharedPool(PoolDatabase(pool, hub), 2, StatementLimits(), time.monotonic)
        yield Visible(on.world, SharedLooks(database))


@pytest.mark.parametrize(
    "who",
    [session(ALICE), session(BOB), session(MALLORY), session(ALICE, "moderator"), Session("admin"), Session("anonymous"), Session("else")],
    ids=lambda who: f"{who.role} {who.variables.get('x-hasura-user-id', 'nobody')[-1:]}",
)
async def test_both_ways_answer_the_same(shelf: Shelf, shared: Visible, who: Session) -> None:
    plain = Visible(shelf.on.world)
    part: UUID = await shelf.on.database.fetchval("SELECT id FROM nchat_call_recording_parts WHERE index = 1")
    sees = who.role in ("admin", "moderator") or who.variables.get("x-hasura-user-id") in (str(ALICE), str(BOB))
    for _ in range(2):
        recording = await shared.recording(who, shelf.recording)
        assert (recording is not None) == sees and recording == await plain.recording(who, shelf.recording)
        assert await shared.playlist(who, shelf.recording) == await plain.playlist(who, shelf.recording)
        assert await shared.part(who, part) == await plain.part(who, part)
        assert await shared.prefix(who, shelf.recording, 1) == await plain.prefix(who, shelf.recording, 1)
        assert await shared.recording(who, uuid4()) is None


def test_a_link_takes_from_the_share_of_its_person() -> None:
    assert asker_of(session(ALICE)) == Asker(f"user {ALICE}")
    assert asker_of(Session("admin")) == Asker("admin", True)
