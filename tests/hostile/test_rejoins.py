"""Rejoining after the right to be there is lost: LiveKit takes any token back until it expires, and signs a new one for each joiner."""

import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from livekit import api, rtc

from devstack import livekit_server
from devstack.ports import free_port
from tests.hostile.scale import scaled
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL
from tests.support.doors import DOORS, why_not
from tests.support.signalling import SIGNALLING, refresh_token, refusal
from tests.support.waiting import eventually
from tests.support.whole_service import KEY, SECRET, WEBHOOKS, Caller, WholeService, whole_service

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(livekit_server.find_binary() is None, reason=livekit_server.NOT_FOUND)]

REJOINS: Final = 30
ARRIVALS = "SELECT count(*) FROM nchat_webhook_events WHERE event = 'participant_joined' AND payload->'participant'->>'identity' = $1"


@dataclass(slots=True)
class Scene:
    """The service, a real LiveKit, and the door between it and its clients."""

    service: WholeService
    livekit: api.LiveKitAPI
    database: "asyncpg.Connection[Any]"
    url: str
    room: str = ""
    call_id: str = ""
    tokens: dict[UUID, list[str]] = field(default_factory=dict)
    clients: dict[UUID, rtc.Room] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)

    def person(self, who: UUID) -> Caller:
        return self.service.person(who)

    async def keep(self, who: UUID, ticket: dict[str, str]) -> None:
        """What somebody was ever given: the ticket, a token that LiveKit made of it, and one that it made of that."""
        assert ticket["serverUrl"] == self.url
        tokens = [ticket["token"]]
        for _ in range(2):
            tokens.append(await refresh_token(self.url, tokens[-1]))
        self.tokens.setdefault(who, []).extend(tokens)

    async def enter(self, who: UUID) -> None:
        client = self.clients[who] = rtc.Room()
        for event in ("disconnected", "reconnecting"):
            client.on(event, lambda *_, event=event: self.trouble.append(f"{who} {event}"))
        await client.connect(self.url, self.tokens[who][-1])

    async def in_room(self) -> set[str]:
        answer = await self.livekit.room.list_participants(api.ListParticipantsRequest(room=self.room))
        return {one.identity for one in answer.participants}

    async def arrivals(self, who: UUID) -> int:
        return int(await self.database.fetchval(ARRIVALS, str(who)))

    async def participant(self, who: UUID) -> str:
        rows = "SELECT id FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2"
        return str(await self.database.fetchval(rows, UUID(self.call_id), who))

    async def admitted(self, tokens: Iterable[str], times: int) -> list[str]:
        """Joins with these tokens in turn at each path in each way; which of the attempts were let in, or seen in the room."""
        ways = itertools.cycle(itertools.product(SIGNALLING, ("query", "header")))
        got_in: list[str] = []
        people = await self.in_room()
        for token, (path, where) in itertools.islice(zip(itertools.cycle(tokens), ways, strict=False), times):
            status = await refusal(self.url, token, path, where)  # type: ignore[arg-type]
            if status != 403 or await self.in_room() - people:
                got_in.append(f"{path} by {where}: {status}")
        return got_in


@pytest.fixture(params=DOORS)
async def scene(request: pytest.FixtureRequest, demo_database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    if reason := why_not(request.param):
        pytest.skip(reason)
    port, door = free_port(), free_port()
    async with AsyncExitStack() as stack:
        webhooks = f"http://127.0.0.1:{port}{WEBHOOKS}"
        server = livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=webhooks, log=tmp_path / "livekit.log")
        stack.callback(server.stop)
        url = f"ws://127.0.0.1:{door}"
        opened = whole_service(demo_database_url, server.url, port=port, livekit_public_url=url)
        service = await stack.enter_async_context(opened)
        await stack.enter_async_context(DOORS[request.param](server.url, f"http://{service.address}", door, tmp_path))
        livekit = await stack.enter_async_context(api.LiveKitAPI(server.url, KEY, SECRET, failover=False))
        database = await asyncpg.connect(demo_database_url)
        stack.push_async_callback(database.close)
        ready = Scene(service, livekit, database, url)
        await group(ready)
        yield ready
        ready.trouble = []
        for client in ready.clients.values():
            await client.disconnect()


async def group(scene: Scene) -> None:
    """Alice, Bob and Carol talk in the channel general; Dave only listens to its rings."""
    fields = {"type": "audio", "channelId": str(GENERAL), "targetUserIds": [str(BOB), str(CAROL)]}
    started = await scene.person(ALICE).act("initiateCall", "callId roomName token serverUrl", **fields)
    scene.call_id, scene.room = started["callId"], started["roomName"]
    await scene.keep(ALICE, started)
    for who in (BOB, CAROL):
        await scene.keep(who, await scene.person(who).act("acceptCall", "token serverUrl", callId=scene.call_id))
    for who in (ALICE, BOB, CAROL):
        await scene.enter(who)
    await eventually(partial(connected, scene), seconds=20)
    scene.trouble.clear()


async def connected(scene: Scene) -> bool:
    rows = "SELECT bool_and(status = 'connected') FROM nchat_call_participants WHERE call_id = $1"
    return bool(await scene.database.fetchval(rows, UUID(scene.call_id)))


async def out_of_room(scene: Scene, who: UUID) -> bool:
    return str(who) not in await scene.in_room()


async def test_nobody_comes_back_after_a_kick_until_readmitted(scene: Scene) -> None:
    before = await scene.arrivals(BOB)
    bob = await scene.participant(BOB)
    await scene.person(ALICE).act("kickParticipant", callId=scene.call_id, participantId=bob)
    await eventually(partial(out_of_room, scene, BOB), seconds=2)
    assert await scene.admitted(scene.tokens[BOB], REJOINS) == []
    with pytest.raises(rtc.ConnectError):
        await rtc.Room().connect(scene.url, scene.tokens[BOB][-1])
    assert await scene.in_room() == {str(ALICE), str(CAROL)}

    await scene.person(ALICE).act("readmitParticipant", callId=scene.call_id, participantId=bob)
    # The block is lifted, a seat is not taken yet.
    assert await scene.admitted(scene.tokens[BOB], 2) == []
    await scene.keep(BOB, await scene.person(BOB).act("joinCall", "token serverUrl", callId=scene.call_id))
    scene.trouble = [line for line in scene.trouble if not line.startswith(str(BOB))]
    await scene.enter(BOB)
    await eventually(partial(connected, scene), seconds=20)
    # LiveKit tells of arrivals in order, and only Bob's last one came after the kick.
    assert await scene.arrivals(BOB) == before + 1
    assert scene.trouble == []


async def test_nobody_comes_back_to_a_call_that_ended(scene: Scene) -> None:
    await scene.person(ALICE).act("endCall", callId=scene.call_id)
    await eventually(partial(gone, scene))
    tokens = [token for held in scene.tokens.values() for token in held]
    refused = [await refusal(scene.url, token, path) for token, path in itertools.product(tokens, SIGNALLING)]
    assert refused == [403] * len(refused)
    assert await gone(scene)


async def gone(scene: Scene) -> bool:
    return not (await scene.livekit.room.list_rooms(api.ListRoomsRequest(names=[scene.room]))).rooms


async def test_a_seat_that_was_lost_with_the_channel_opens_nothing(scene: Scene) -> None:
    await scene.keep(DAVE, await scene.person(DAVE).act("joinCall", "token serverUrl", callId=scene.call_id))
    await scene.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", DAVE)
    await scene.database.execute("DELETE FROM nchat_call_participants WHERE user_id = $1", DAVE)
    await eventually(partial(out_of_room, scene, DAVE), seconds=30)
    assert await scene.admitted(scene.tokens[DAVE], scaled(REJOINS, 8)) == []
    assert scene.trouble == []


async def test_who_waits_in_the_lobby_waits(scene: Scene) -> None:
    await scene.clients[BOB].disconnect()
    await eventually(partial(out_of_room, scene, BOB))
    waiting = "UPDATE nchat_call_participants SET status = 'connecting', lobby_waiting_since = {} WHERE user_id = $1"
    await scene.database.execute(waiting.format("now()"), BOB)
    assert await scene.admitted(scene.tokens[BOB], 4) == []
    await scene.database.execute(waiting.format("NULL"), BOB)
    assert await refusal(scene.url, scene.tokens[BOB][-1]) is None


async def test_who_was_never_kicked_never_notices(scene: Scene) -> None:
    """Every token that LiveKit gives opens the door, at both paths and in both ways, as without one."""
    for token in scene.tokens[BOB]:
        for path, where in itertools.product(SIGNALLING, ("query", "header")):
            assert await refusal(scene.url, token, path, where) is None  # type: ignore[arg-type]
