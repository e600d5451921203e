"""Stream keys, of encoders and of platforms, are told once or never: all that two processes let out is searched for them."""

import asyncio
from contextlib import AsyncExitStack
from itertools import chain
from typing import Final
from uuid import uuid4

import pytest

from devstack.demo.story import mutation
from devstack.demo_stream.platform import platform
from devstack.ports import free_port
from tests.streams.trials.keys.secret_search import found
from tests.streams.trials.keys.wiretap import Wiretap
from tests.streams.trials.monitor import monitored
from tests.streams.trials.studio import Studio
from tests.support.databases import Databases
from tests.support.domain_setup import ALICE, GENERAL
from tests.support.encoder import ended, sending
from tests.support.waiting import eventually
from tests.support.whole_service import Refused, bearer

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]
FOLLOWED: Final = (
    "subscription ($id: uuid!) { streamEvents(streamId: $id) { kind status } }",
    "subscription ($id: uuid!) { streamHealth(streamId: $id) { state reason } }",
    "subscription ($id: uuid!) { streamChat(streamId: $id, after: 0) { seq kind } }",
    """subscription ($id: uuid!) { nchat_stream_destinations(where: {stream_id: {_eq: $id}}) {
      id platform rtmp_url status error_message } }""",
    "subscription ($id: uuid!) { nchat_streams_by_pk(id: $id) { status title metadata room_name recording { status error_message } } }",
)
STATUSES: Final = "SELECT platform::text, status::text FROM nchat_stream_destinations WHERE stream_id = $1"


class Told:
    """What was let out, and the keys that must not be in it."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.keys = studio, dict[str, str]()
        self.taps = [Wiretap(studio.http, service.address, bearer(ALICE)) for service in studio.services]

    async def destinations_are(self, stream_id: str, **statuses: str) -> None:
        found = dict[str, str]()

        async def so() -> bool:
            found.update({row[0]: row[1] for row in await self.studio.database.fetch(STATUSES, stream_id)})
            return found == statuses

        try:
            await eventually(so, seconds=120)
        except AssertionError as error:
            error.add_note(str(found))
            raise

    def texts(self) -> dict[str, str]:
        """By where they are: the logs of the service and of the workers, and what came over the wire."""
        logs = chain(*(self.studio.folder.glob(f"{name}*.log") for name in ("service", "ingest", "recorder")))
        heard = {"responses": [tap.responses for tap in self.taps], "frames": [tap.frames for tap in self.taps]}
        return {log.name: log.read_text(errors="replace") for log in logs} | {name: "\n".join(chain(*came)) for name, came in heard.items()}


async def test_keys_come_to_light_nowhere(studio: Studio, databases: Databases) -> None:
    studio.recorder()
    told = Told(studio)
    hosts, _ = told.taps
    async with AsyncExitStack() as stack:
        takes, refuses = await stack.enter_async_context(platform()), await stack.enter_async_context(platform())
        commands = await stack.enter_async_context(monitored(studio.redis))
        for tap in told.taps:
            stack.push_async_callback(tap.stop)
        # Signs that every program writes down in a way of its own.
        takes.key = f"{uuid4().hex}~1+2=3&4:5@6%7"
        unwelcome = ("a refused key", "a key to nowhere", "a key of a bad address")
        told.keys = {name: f"{uuid4().hex}~a+b=c&d:e@f%g" for name in unwelcome}
        told.keys["a platform's key"] = takes.key
        stream_id = await goes_live(stack, told, takes.url)
        await sends_on(told, stream_id, refuses.url)
        await asks_for_another(stack, told, stream_id)
        await asks_for_all(told, stream_id)
        await hosts.ask(mutation("stopStream", "streamId"), input={"streamId": stream_id})
        await eventually(lambda: is_over(studio, stream_id), seconds=60)
        await asks_for_all(told, stream_id)
        name = str(await studio.database.fetchval("SELECT current_database()"))
        dump = await asyncio.to_thread(databases.server.tool, "pg_dump", name)
        texts = {**told.texts(), "PostgreSQL": dump.stdout, "Redis": "".join(commands)}
    assert all(texts.values()), f"nothing was heard of {[name for name, text in texts.items() if not text]}"
    assert stream_id in texts["PostgreSQL"] and stream_id in texts["Redis"] and stream_id in texts["responses"]
    assert list(found(told.keys, texts)) == []


async def goes_live(stack: AsyncExitStack, told: Told, platform_url: str) -> str:
    """The stream's id: it has an encoder and a platform, and somebody follows all that can be followed."""
    output = {"platform": "youtube", "rtmpUrl": platform_url, "streamKey": told.keys["a platform's key"]}
    request = {"channelId": str(GENERAL), "title": "Friday", "visibility": "public", "clientRequestId": str(uuid4())}
    document = mutation("startStream", "streamId rtmpIngestUrl streamKey hostToken")
    given = {**request, "ingress": "rtmp", "rtmpOutputs": [output]}
    started = (await told.taps[0].ask(document, secret="streamKey", input=given))["startStream"]
    told.keys["the encoder's first key"] = started["streamKey"]
    await told.taps[1].ask(document, input=given)
    for tap in told.taps:
        for query in FOLLOWED:
            await tap.follow(query, id=started["streamId"])
    await stack.enter_async_context(sending(started["rtmpIngestUrl"], started["streamKey"]))
    await told.destinations_are(started["streamId"], youtube="connected")
    return str(started["streamId"])


async def sends_on(told: Told, stream_id: str, refusing_url: str) -> None:
    """To a platform that refuses the key, to one that is not there, and to an address that is none."""
    nowhere, document = f"rtmp://127.0.0.1:{free_port()}/app", mutation("addStreamDestination", "destinationId")
    for name, url, key in (("twitch", refusing_url, "a refused key"), ("custom", nowhere, "a key to nowhere")):
        given = {"streamId": stream_id, "platform": name, "rtmpUrl": url, "streamKey": told.keys[key]}
        await told.taps[1].ask(document, input=given)
    with pytest.raises(Refused):
        given = {"streamId": stream_id, "platform": "facebook", "rtmpUrl": "rtmp://10.0.0.1/app"}
        await told.taps[0].ask(document, input={**given, "streamKey": told.keys["a key of a bad address"]})
    await told.destinations_are(stream_id, youtube="connected", twitch="error", custom="error")


async def asks_for_another(stack: AsyncExitStack, told: Told, stream_id: str) -> None:
    """Whoever sends with the old key is cut off and stays out; the new one is sent with."""
    document = mutation("resetStreamIngress", "rtmpIngestUrl streamKey")
    fresh = (await told.taps[1].ask(document, secret="streamKey", input={"streamId": stream_id}))["resetStreamIngress"]
    old, told.keys["the encoder's second key"] = told.keys["the encoder's first key"], fresh["streamKey"]
    assert old != fresh["streamKey"]
    async with sending(fresh["rtmpIngestUrl"], old) as refused:
        assert await ended(refused) != 0
    await stack.enter_async_context(sending(fresh["rtmpIngestUrl"], fresh["streamKey"]))

    async def publishing() -> bool:
        return bool(await asyncio.to_thread(lambda: told.studio.ingest.running))

    await eventually(publishing, seconds=20)


async def asks_for_all(told: Told, stream_id: str) -> None:
    """Whatever an alice can ask for of her stream."""
    for tap in told.taps:
        for query in FOLLOWED[3:]:
            await tap.ask(query.replace("subscription", "query"), id=stream_id)
        for path in (f"/embed/{stream_id}", f"/embed/{stream_id}/showing", "/metrics", "/readyz"):
            await tap.fetch(path)


async def is_over(studio: Studio, stream_id: str) -> bool:
    return bool(await studio.database.fetchval("SELECT status = 'ended' FROM nchat_streams WHERE id = $1", stream_id))
