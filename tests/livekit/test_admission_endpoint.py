"""`/api/livekit/admit`: what a proxy may be told, and every request that two programs could read differently refused."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import asyncpg
import httpx2
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.livekit.admission_endpoint import ADMIT_PATH
from app.livekit.admissions import Admissions, Unanswered
from domain.admission import Entrance
from resolvers.sql.database import DatabaseError
from tests.support.domain_setup import ALICE, BOB, DAVE, GENERAL, MALLORY
from tests.support.dump import dump
from tests.support.log_lines import LogLines
from tests.support.waiting import eventually
from tests.support.whole_service import KEY, SECRET, WholeService, simulated, whole_service

pytestmark = pytest.mark.anyio
PATHS = ("/rtc", "/rtc/validate", "/rtc/v1", "/rtc/v1/validate")


@dataclass(frozen=True, slots=True)
class Door:
    service: WholeService
    token: str
    room: str

    async def ask(self, uri: str, *more: tuple[str, str], method: str = "GET", name: str = "X-Original-URI") -> int:
        headers = [(name, uri), *more]
        answer = await self.service.http.request(method, ADMIT_PATH, headers=headers)
        assert answer.content == b"" and answer.headers["cache-control"] == "no-store"
        return answer.status_code

    async def query(self, token: str, path: str = "/rtc") -> int:
        return await self.ask(f"{path}?sdk=js&access_token={token}&protocol=16")


@pytest.fixture
async def door(demo_database_url: str) -> AsyncIterator[Door]:
    """Alice rings Bob, and holds the one ticket."""
    async with simulated(None) as (_, url), whole_service(demo_database_url, url) as service:
        started = await service.person(ALICE).act("initiateCall", "roomName token", type="audio", targetUserIds=[str(BOB)])
        yield Door(service, started["token"], started["roomName"])


def signed(room: str, who: UUID | str, *, secret: str = SECRET, grants: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token as LiveKit refreshes one, with changes."""
    now = int(time.time())
    said = {"iss": KEY, "sub": str(who), "nbf": now, "exp": now + 600, "kind": "standard", "name": "A", "metadata": ""}
    video = {"room": room, "roomJoin": True, "canPublish": True, "canSubscribe": True, "canPublishSources": ["microphone"]}
    return jwt.encode({**said, "video": video | (grants or {}), **claims}, secret, algorithm="HS256")


async def said_and_done(url: str) -> dict[str, list[str]]:
    """Who is where, and what happened; the service's own jobs note on calls that LiveKit closed their rooms."""
    rows = await dump(url)
    return {name: rows[f"public.nchat_call_{name}"] for name in ("participants", "events")}


async def test_a_seat_opens_every_path_of_signalling(door: Door) -> None:
    for token in (door.token, signed(door.room, ALICE)):
        bearer = ("Authorization", f"Bearer {token}")
        for path in PATHS:
            assert await door.query(token, path) == 204
            assert await door.ask(path, bearer) == 204
            assert await door.ask(f"{path}?access_token={token}", bearer) == 204
        assert await door.ask("/rtc", bearer, ("X-Forwarded-Method", "GET"), name="X-Forwarded-Uri") == 204
        assert await door.ask("/rtc", bearer, method="POST") == 204


async def test_a_question_that_is_itself_an_upgrade_is_answered_and_not_opened(door: Door) -> None:
    """As Caddy asks for a websocket."""
    for who, status in ((ALICE, 204), (BOB, 403)):
        headers = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": f"/rtc?access_token={signed(door.room, who)}"}
        with pytest.raises(InvalidStatus) as answered:
            async with connect(f"ws://{door.service.address}{ADMIT_PATH}", additional_headers=headers):
                pass
        assert answered.value.response.status_code == status


async def test_without_a_token_there_is_nobody_to_admit(door: Door) -> None:
    assert await door.ask("/rtc") == 401
    assert await door.ask("/rtc?sdk=js") == 401


async def test_other_people_s_tokens_open_nothing(door: Door, demo_database_url: str) -> None:
    before = await said_and_done(demo_database_url)
    # Bob is still ringing, Dave and Mallory were never asked.
    for who in (BOB, DAVE, MALLORY, uuid4()):
        assert await door.query(signed(door.room, who)) == 403, who
    assert await door.query(signed(f"call_{uuid4()}", ALICE)) == 403
    assert await said_and_done(demo_database_url) == before


NO_PERSON_S: list[dict[str, Any]] = [
    {"secret": SECRET[::-1]},
    {"iss": "another"},
    {"exp": 1_000_000_000},
    {"exp": math.inf},
    {"exp": None},
    {"nbf": 4_000_000_000},
    {"sub": ""},
    {"sub": str(ALICE).replace("-", "")},
    {"sub": "nobody"},
    {"sub": 7},
    {"kind": "egress"},
    {"kind": "agent"},
    {"sip": {"admin": True}},
    {"video": None},
    {"video": "room"},
    {"grants": {"roomJoin": False}},
    {"grants": {"roomJoin": "true"}},
    {"grants": {"roomAdmin": True}},
    {"grants": {"hidden": True}},
    {"grants": {"recorder": True}},
    {"grants": {"agent": True}},
    {"grants": {"destinationRoom": "call_other"}},
    {"grants": {"room": ""}},
    {"grants": {"room": "a\0b"}},
    {"grants": {"room": ["a"]}},
]


async def test_a_token_that_is_no_person_s_opens_nothing(door: Door, demo_database_url: str) -> None:
    before = await said_and_done(demo_database_url)
    assert [change for change in NO_PERSON_S if await door.query(signed(door.room, ALICE, **change)) != 403] == []
    assert await said_and_done(demo_database_url) == before


async def test_who_watches_a_stream_is_let_in_unseen_for_as_long_as_the_session_lasts(door: Door, demo_database_url: str) -> None:
    database = await asyncpg.connect(demo_database_url)
    try:
        stream = "INSERT INTO nchat_streams (channel_id, host_id, title, status) VALUES ($1, $2, 'live', 'live') RETURNING id, room_name"
        (stream_id, room), *_ = await database.fetch(stream, GENERAL, ALICE)
        session = "INSERT INTO nchat_stream_viewers (stream_id, session_id, webrtc) VALUES ($1, $2, $3) RETURNING id"
        by_webrtc, otherwise = [await database.fetchval(session, stream_id, str(webrtc), webrtc) for webrtc in (True, False)]

        async def asks(who: UUID, where: str = room, kind: str = "agent", **grants: Any) -> int:
            return await door.query(signed(where, f"viewer:{who}", kind=kind, grants={"canPublish": False, "hidden": True, **grants}))

        assert await asks(by_webrtc) == 204
        assert [await asks(otherwise), await asks(uuid4()), await asks(by_webrtc, door.room), await asks(by_webrtc, recorder=True)] == [
            403
        ] * 4
        assert [await asks(by_webrtc, kind=kind) for kind in ("standard", "", "egress", "ingress")] == [403] * 4, "who counts as a person"
        assert await door.query(signed(room, f"viewer:{str(by_webrtc).upper()}", kind="agent")) == 403
        await database.execute("UPDATE nchat_stream_viewers SET left_at = now()")
        assert await asks(by_webrtc) == 403
        await database.execute("UPDATE nchat_stream_viewers SET left_at = NULL")
        await database.execute("UPDATE nchat_streams SET status = 'ending'")
        assert await asks(by_webrtc) == 403
    finally:
        await database.close()


async def test_a_token_without_a_signature_opens_nothing(door: Door) -> None:
    claims = jwt.decode(door.token, options={"verify_signature": False})
    assert await door.query(jwt.encode(claims, "", algorithm="none")) == 403
    assert await door.query(door.token.rpartition(".")[0] + ".") == 403
    for garbage in ("a.b.c", "x" * 5000, "...", f"{door.token}.{door.token}"):
        assert await door.query(garbage) == 403


async def test_what_two_programs_may_read_differently_opens_nothing(door: Door) -> None:
    good, other = door.token, signed(door.room, BOB)
    bearer = ("Authorization", f"Bearer {good}")
    queries = [
        f"access_token={good}&access_token={other}",
        f"access_token={other}&access_token={good}",
        f"access_token={good}&access_token={good}",
        f"access_token={good}&access%5Ftoken={other}",
        f"%61ccess_token={good}",
        f"access_token={good}&ACCESS_TOKEN={other}",
        f"access_token={good}&+access_token={other}",
        f"access_token={good};access_token={other}",
        f"access_token={quote(good).replace('.', '%2E')}",
        f"access_token={good}%00",
        f"access_token={good}#{other}",
        f"access_token={good}&access_token",
    ]
    assert [query for query in queries if await door.ask(f"/rtc?{query}") != 403] == []
    headers = [
        [("Authorization", f"Bearer {other}"), bearer],
        [bearer, bearer],
        [("Authorization", f"bearer {good}")],
        [("Authorization", f"Basic {good}")],
        [("Authorization", f"Bearer  {good}")],
        [("Authorization", f"Bearer {good}, Bearer {other}")],
    ]
    assert [given for given in headers if await door.ask("/rtc", *given) != 403] == []
    assert await door.ask(f"/rtc?access_token={other}", bearer) == 403
    assert await door.ask("/rtc?access_token=", bearer) == 403


@pytest.mark.parametrize("path", PATHS)
async def test_a_token_names_one_person_and_no_second_one(door: Door, path: str) -> None:
    """LiveKit makes `<identity>#camera` of `publish=camera`."""
    spellings = [
        "publish=camera",
        "publish=",
        "publish",
        "%70ublish=camera",
        "publis%68=camera",
        "Publish=x",
        "+publish=x",
        "publish+=x",
        "publish%00=x",
    ]
    for spelling in spellings:
        assert await door.ask(f"{path}?access_token={door.token}&{spelling}") == 403, spelling
        assert await door.ask(f"{path}?{spelling}&access_token={door.token}") == 403, spelling
        assert await door.ask(f"{path}?{spelling}", ("Authorization", f"Bearer {door.token}")) == 403, spelling


async def test_a_parameter_that_a_newer_client_may_send_locks_nobody_out(door: Door) -> None:
    sent = "auto_subscribe=1&sdk=js&device_model=iPhone%2015&browser_version=&client_protocol=2&publisher_offer=v%3D0&some.new-thing_2=%26&"
    assert await door.ask(f"/rtc?{sent}&access_token={door.token}") == 204


async def test_only_the_proxy_says_what_was_asked(door: Door) -> None:
    """What a client adds under another of the names, or twice, is never taken for the proxy's word."""
    good, other = f"/rtc?access_token={door.token}", f"/rtc?access_token={signed(door.room, BOB)}"
    assert await door.ask(good, ("X-Original-URI", other)) == 403
    assert await door.ask(good, ("X-Forwarded-Uri", other)) == 403
    assert await door.ask(good, ("X-Original-Method", "GET"), ("X-Forwarded-Method", "POST")) == 403
    assert await door.ask(good, ("X-Original-Method", "POST")) == 403
    assert (await door.service.http.get(ADMIT_PATH, params={"access_token": door.token})).status_code == 403


async def test_no_other_path_is_opened(door: Door) -> None:
    api = "/twirp/livekit.RoomService/ListRooms"
    paths = ["", "/", "/rtc/", "//rtc", "/RTC", "/%72tc", "/rtc/../rtc", "/rtc/v2", api, "/agent", "/whip", "/whip/v1"]
    assert [path for path in paths if await door.query(door.token, path) != 403] == []
    assert [path for path in paths if await door.query(door.token, f"http://livekit{path}") != 403] == []


async def test_every_answer_is_counted(door: Door) -> None:
    await door.query(door.token)
    for token in (signed(door.room, BOB), "a.b.c"):
        await door.query(token)
    shown = (await door.service.http.get("/metrics")).text
    assert 'nchat_livekit_admissions_total{outcome="admitted"} 1.0' in shown
    assert 'nchat_livekit_admissions_total{outcome="refused"} 2.0' in shown


async def test_nothing_of_a_request_is_logged(door: Door, log_lines: LogLines) -> None:
    await door.query(door.token)
    await door.query(signed(door.room, BOB))
    assert log_lines == []


async def test_without_its_database_nobody_is_admitted(demo_database_url: str, door: Door) -> None:
    async with locked(demo_database_url):
        answers = await asyncio.gather(*(door.query(door.token) for _ in range(3)), door.query("a.b.c"))
    assert answers == [503, 503, 503, 403]
    await eventually(lambda: is_open(door))


async def is_open(door: Door) -> bool:
    return await door.query(door.token) == 204


@asynccontextmanager
async def locked(url: str, table: str = "nchat_call_participants") -> AsyncIterator[None]:
    """Nobody reads the table meanwhile."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        await connection.close()


async def test_people_get_in_while_actions_and_jobs_have_every_connection_of_the_domain(demo_database_url: str) -> None:
    small = 2
    async with simulated(None) as (_, url), whole_service(demo_database_url, url, database_pool_size=small) as service:
        started = await service.person(ALICE).act("initiateCall", "roomName token", type="audio", targetUserIds=[str(BOB)])
        door = Door(service, started["token"], started["roomName"])
        async with locked(demo_database_url, "nchat_call_events"), asyncio.TaskGroup() as tasks:
            bob = service.person(BOB)
            stuck = [tasks.create_task(bob.act("initiateCall", type="audio", targetUserIds=[str(DAVE)])) for _ in range(3 * small)]
            await eventually(lambda: waiting(demo_database_url, 2 * small))
            assert await door.query(door.token) == 204
            for one in stuck:
                one.cancel()


async def waiting(url: str, most: int) -> bool:
    connection = await asyncpg.connect(url)
    try:
        found = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await connection.fetchval(found) >= most)
    finally:
        await connection.close()


async def test_a_thousand_at_once_are_a_few_statements() -> None:
    looks: list[int] = []

    async def look(asking: Any) -> frozenset[Entrance]:
        looks.append(len(asking))
        await asyncio.sleep(0)
        return frozenset(one for one in asking if one.room_name == "call_1")

    door = Admissions(look)
    people = [uuid4() for _ in range(1000)]
    inside, outside = [Entrance("call_1", str(one)) for one in people], [Entrance("call_2", str(one)) for one in people]
    answers = await asyncio.gather(*(door.may_enter(one) for one in [*inside, *outside]))
    assert answers == [True] * 1000 + [False] * 1000
    assert sum(looks) == 2000 and len(looks) <= 5


async def test_an_answer_is_never_older_than_its_question() -> None:
    kicked, begun, answer = False, asyncio.Event(), asyncio.Event()

    async def look(asking: Any) -> frozenset[Entrance]:
        inside = frozenset() if kicked else frozenset(asking)
        begun.set()
        await answer.wait()
        return inside

    door, bob = Admissions(look), Entrance("call_1", str(BOB))
    first = asyncio.create_task(door.may_enter(bob))
    await begun.wait()
    kicked = True
    second = asyncio.create_task(door.may_enter(bob))
    answer.set()
    assert (await first, await second) == (True, False)


async def test_a_database_that_is_away_is_asked_again_by_the_next() -> None:
    away = True

    async def look(asking: Any) -> frozenset[Entrance]:
        if away:
            raise DatabaseError("08006", "gone")
        return frozenset(asking)

    door, bob = Admissions(look), Entrance("call_1", str(BOB))
    with pytest.raises(Unanswered):
        await door.may_enter(bob)
    away = False
    assert await door.may_enter(bob)


async def test_the_door_is_shut_without_media(demo_database_url: str) -> None:
    async with whole_service(demo_database_url, "http://127.0.0.1:1", livekit_enabled=False) as service:
        answer: httpx2.Response = await service.http.get(ADMIT_PATH, headers={"X-Original-URI": "/rtc"})
    assert answer.status_code == 404
