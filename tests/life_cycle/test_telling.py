"""What LiveKit is asked for after a commit: each has its own outcome, and only silence stops the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from domain.calls.repairs import AT_ONCE, RemoveParticipant, tell
from domain.ports import MediaError, MediaRefused, MediaSilent
from tests.support.domain_setup import Setup
from tests.support.fake_rooms import FakeRooms

pytestmark = pytest.mark.anyio
ROOMS = 5 * AT_ONCE + 1
# The last of those that are asked together.
LAST = AT_ONCE - 1


@dataclass(slots=True)
class FailingRooms(FakeRooms):
    """One identity's removal fails, before any other is answered."""

    failure: MediaError = field(default_factory=MediaError)
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    async def remove_participant(self, room: str, identity: str) -> bool:
        self.asked[room] += 1
        if identity == str(LAST):
            self.failed.set()
            raise self.failure
        await self.failed.wait()
        return True


async def outcomes(on: Setup, failure: MediaError) -> tuple[Sequence[MediaError | None], int]:
    """What became of the removal of each, and how many LiveKit was asked for."""
    rooms = FailingRooms(failure=failure)
    told = await tell(replace(on.world, rooms=rooms), [[RemoveParticipant("room", str(number))] for number in range(ROOMS)])
    return told, rooms.asked["room"]


@pytest.mark.parametrize("failure", [MediaError("503 unavailable"), MediaRefused("400 invalid")], ids=lambda one: type(one).__name__)
async def test_an_answer_stops_no_other(on: Setup, failure: MediaError) -> None:
    assert await outcomes(on, failure) == ([*[None] * LAST, failure, *[None] * (ROOMS - AT_ONCE)], ROOMS)


async def test_after_silence_nobody_else_waits(on: Setup) -> None:
    silence = MediaSilent("no answer within 5 s")
    told, asked = await outcomes(on, silence)
    assert asked == AT_ONCE
    assert told == [*[None] * LAST, *[silence] * (ROOMS - LAST)]
