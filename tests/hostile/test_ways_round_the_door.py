"""Requests that try to reach LiveKit beside the door: other spellings, other paths, a second request behind an admitted one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from livekit import api

from devstack import livekit_server
from devstack.ports import free_port
from tests.support.domain_setup import ALICE, BOB
from tests.support.doors import DOORS, why_not
from tests.support.signalling import address
from tests.support.whole_service import KEY, SECRET, whole_service

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(livekit_server.find_binary() is None, reason=livekit_server.NOT_FOUND)]
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
BODY = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """Alice may enter the room, Bob holds a token and may not."""

    port: int
    livekit: api.LiveKitAPI
    room: str
    good: str
    bad: str

    async def send(self, *requests: str) -> list[int]:
        """All of them at once on one connection; the statuses of the answers: one for each, or until it is closed or a websocket."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write("".join(requests).encode())
        statuses: list[int] = []
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(3):
                while len(statuses) < len(requests) and 101 not in statuses and (line := await reader.readline()):
                    _, found, rest = line.partition(b"HTTP/1.1 ")
                    statuses += [int(rest[:3])] if found else []
        writer.close()
        return statuses

    async def people(self) -> set[str]:
        rooms = await self.livekit.room.list_participants(api.ListParticipantsRequest(room=self.room))
        return {one.identity for one in rooms.participants}


@pytest.fixture(params=DOORS)
async def scene(request: pytest.FixtureRequest, demo_database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    if reason := why_not(request.param):
        pytest.skip(reason)
    door = free_port()
    async with AsyncExitStack() as stack:
        server = livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=None, log=tmp_path / "livekit.log")
        stack.callback(server.stop)
        service = await stack.enter_async_context(whole_service(demo_database_url, server.url))
        await stack.enter_async_context(DOORS[request.param](server.url, f"http://{service.address}", door, tmp_path))
        livekit = await stack.enter_async_context(api.LiveKitAPI(server.url, KEY, SECRET, failover=False))
        started = await service.person(ALICE).act("initiateCall", "roomName token", type="audio", targetUserIds=[str(BOB)])
        grants = api.VideoGrants(room_join=True, room=started["roomName"])
        bad = api.AccessToken(KEY, SECRET).with_identity(str(BOB)).with_grants(grants).to_jwt()
        yield Scene(door, livekit, started["roomName"], started["token"], bad)


def joins(target: str, *, method: str = "GET", fields: str = UPGRADE, body: str = "") -> str:
    return f"{method} {target} HTTP/1.1\r\nHost: livekit\r\n{fields}\r\n{body}"


def target(path: str, token: str | None) -> str:
    parts = urlsplit(address("ws://livekit", path, token))
    return f"{parts.path}?{parts.query}"


async def test_the_door_itself_opens(scene: Scene) -> None:
    assert (await scene.send(joins(target("/rtc", scene.good))))[:1] == [101]
    assert (await scene.send(joins(target("/rtc", scene.bad))))[:1] == [403]
    assert (await scene.send(joins(target("/rtc", None))))[:1] == [401]
    assert await scene.send(joins(target("/rtc/validate", scene.good), fields="Connection: close\r\n")) == [200]
    # A preflight carries no token: it is answered in front of the door, by Caddy's lines not at all.
    assert (await scene.send(joins("/rtc/validate", method="OPTIONS", fields="Origin: https://chat.example.org\r\n")))[0] in (204, 404)


async def test_no_other_spelling_or_path_reaches_livekit(scene: Scene) -> None:
    """Not even with a token that the door would take: what is not in the list is not there."""
    rtc = target("/rtc", scene.good)
    spellings = [
        f"/{rtc}",
        rtc.replace("/rtc", "/%72tc", 1),
        rtc.replace("/rtc", "/RTC", 1),
        rtc.replace("/rtc", "/rtc/", 1),
        rtc.replace("/rtc", "/rtc/../rtc", 1),
        rtc.replace("/rtc", "/./rtc", 1),
        rtc.replace("/rtc", "/rtc%3F", 1),
        rtc.replace("/rtc", "/rtc%00", 1),
        rtc.replace("/rtc", "/rtc%0A", 1),
        rtc.replace("/rtc", "/x/..%2Frtc", 1),
        rtc.replace("/rtc", "/rtc/v2", 1),
        rtc.replace("/rtc", "/agent", 1),
        rtc.replace("/rtc", "/whip/v1", 1),
        rtc.replace("/rtc", "/twirp/livekit.RoomService/ListRooms", 1),
        rtc.replace("?", "#?", 1),
    ]
    answers = {spelling.partition("?")[0]: await scene.send(joins(spelling)) for spelling in spellings}
    assert {path: statuses for path, statuses in answers.items() if not statuses or statuses[0] not in (400, 401, 403, 404, 405)} == {}
    assert await scene.people() == set()


async def test_a_token_hidden_from_the_door_is_not_seen_by_livekit(scene: Scene) -> None:
    """Alice's token for the door, Bob's for LiveKit."""
    form = f"access_token={scene.bad}"
    bearer = f"Authorization: Bearer {scene.bad}\r\n"
    requests = [
        joins(target("/rtc", scene.good), fields=UPGRADE + bearer),
        joins(target("/rtc", scene.good), fields=UPGRADE.replace("Upgrade\r\n", "Upgrade, Authorization\r\n", 1) + bearer),
        joins(target("/rtc", None), fields=UPGRADE + bearer + bearer.replace(scene.bad, scene.good)),
        joins(target("/rtc", scene.good) + f"&access_token={scene.bad}"),
        joins(target("/rtc", None) + f"&access_token={scene.bad}&access_token={scene.good}"),
        joins(target("/rtc", scene.bad), fields=f"{UPGRADE}X-Original-URI: {target('/rtc', scene.good)}\r\n"),
        joins(target("/rtc", scene.bad), fields=f"{UPGRADE}X-Forwarded-Uri: {target('/rtc', scene.good)}\r\n"),
        joins(target("/rtc", scene.bad), fields=f"{UPGRADE}X_Original_URI: {target('/rtc', scene.good)}\r\n"),
        joins(target("/rtc", scene.good), method="POST", fields=UPGRADE + BODY.format(len(form)), body=form),
        joins(target("/rtc", scene.good), fields=UPGRADE + BODY.format(len(form)), body=form),
        joins(target("/rtc", scene.good), fields=UPGRADE + "Transfer-Encoding: chunked\r\n", body=f"{len(form):x}\r\n{form}\r\n0\r\n\r\n"),
    ]
    for request in requests:
        await scene.send(request)
        assert str(BOB) not in await scene.people(), request


async def test_one_token_brings_one_person(scene: Scene) -> None:
    """With `publish` LiveKit would make a further person of each request, until the room is full for everybody else."""
    await scene.send(joins(target("/rtc", scene.good)))
    names = ("publish", "%70ublish", "publis%68", "Publish", "pub%6Cish")
    for path in ("/rtc", "/rtc/v1"):
        for name in names:
            for request in (f"{target(path, scene.good)}&{name}=g1", target(path, scene.good).replace("?", f"?{name}=g2&", 1)):
                assert (await scene.send(joins(request)))[:1] == [403], request
    bare = target("/rtc", None)
    assert (await scene.send(joins(f"{bare}&publish=g3", fields=f"{UPGRADE}Authorization: Bearer {scene.good}\r\n")))[:1] == [403]
    assert {identity for identity in await scene.people() if "#" in identity} == set()


async def test_one_request_admits_one_request(scene: Scene) -> None:
    """What comes behind an admitted request on the same connection is asked for itself, or goes nowhere."""
    admitted = [
        joins(target("/rtc/validate", scene.good), fields=""),
        joins(target("/rtc/validate", scene.good)),
        joins(target("/rtc", scene.good), fields=UPGRADE.replace("websocket", "h2c")),
        joins(target("/rtc", scene.good), fields=UPGRADE.replace("13", "12", 1)),
        joins(target("/rtc", scene.good), fields="Content-Length: 1\r\n", body="x"),
    ]

    async def no_second_one(first: str) -> None:
        await scene.send(first, joins(target("/rtc", scene.bad)))
        assert str(BOB) not in await scene.people(), first
        listed = await scene.send(first, joins("/twirp/livekit.RoomService/ListRooms", method="POST", fields="Content-Length: 0\r\n"))
        # LiveKit would say 401 to a request of its API without a token.
        assert 401 not in listed, first

    # Side by side: some of them wait until it is sure that nothing comes.
    await asyncio.gather(*map(no_second_one, admitted))
