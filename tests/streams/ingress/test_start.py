"""startStream for a host who sends with an encoder: from the key to the picture, and to the end."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.errors import InvalidInput, MediaUnavailable
from domain.ports import IngressWanted, NewIngress
from domain.streams.actions.start import start_stream
from domain.streams.actions.stop import stop_stream
from domain.streams.ingress.issuing import ASKED_FOR
from domain.streams.ingress.reset import reset_stream_ingress
from domain.webhooks import inbox
from domain.webhooks.processing import process_pending
from domain.webhooks.webhook_event import WebhookEvent
from tests.streams.ingress.conftest import EncodedStream
from tests.support.actions import api
from tests.support.domain_setup import ALICE, GENERAL, session
from tests.support.fake_ingests import FakeIngests

pytestmark = pytest.mark.anyio
STARTS = """mutation ($input: StartStreamInput!) {
    startStream(input: $input) { streamId hostToken rtmpIngestUrl streamKey stream { status } }
}"""


@pytest.fixture
async def planned(stream: EncodedStream) -> EncodedStream:
    await stream.become("scheduled")
    return stream


async def status(stream: EncodedStream) -> str:
    return str(await stream.on.database.fetchval("SELECT status FROM nchat_streams WHERE id = $1", stream.id))


async def tell(stream: EncodedStream, event: str, *, sid: str | None = None, **parts: object) -> None:
    """A webhook of the stream's room, and what comes of it. Those of encoders name the room, and not which life of it."""
    room = await stream.on.database.fetchrow("SELECT room_name AS name, room_sid AS sid FROM nchat_streams WHERE id = $1", stream.id)
    assert room is not None
    named = {"name": room["name"], "sid": "" if event.startswith("ingress_") else sid or room["sid"] or ""}
    await inbox.store_all(stream.on.world, [WebhookEvent(f"EV_{uuid4()}", event, stream.on.clock.now(), {"room": named, **parts})])
    await process_pending(stream.on.world)


async def ingress_told(stream: EncodedStream, event: str, status: str, *, seconds: float = 0) -> None:
    told_at = (stream.on.clock.now() + timedelta(seconds=seconds)).isoformat()
    ingress = {
        "id": stream.on.ingests.last,
        "status": f"endpoint_{status}",
        "told_at": told_at,
        "started_at": told_at,
        "width": 1280,
        "height": 720,
    }
    await tell(stream, event, ingress=ingress)


async def test_the_key_is_told_once(planned: EncodedStream) -> None:
    world = planned.on.world
    started = await start_stream(world, session(ALICE), planned.id, "rtmp")
    assert started.way_in is not None and started.ticket is not None
    assert (started.way_in.url, started.way_in.stream_key) == ("rtmp://ingest.example/live", "key-1-of-nobody-else")
    again = await start_stream(world, session(ALICE), planned.id, "rtmp")
    assert again.way_in is None and again.ticket is not None
    assert set(planned.on.ingests.ingresses) == {"IN_1"} and await status(planned) == "starting"


async def test_two_starts_at_once_both_answer_and_one_has_the_key(planned: EncodedStream) -> None:
    asked = [start_stream(planned.on.world, session(ALICE), planned.id, "rtmp") for _ in range(2)]
    both = await asyncio.gather(*asked)
    assert all(one.ticket is not None for one in both)
    (told,) = [one.way_in.stream_key for one in both if one.way_in is not None]
    await planned.round()
    found = await planned.ingress()
    assert found is not None and {found.ingress_id} == set(planned.on.ingests.ingresses)
    assert [row["stream_key_encrypted"] for row in await planned.rows()] == [f"sealed:{told}"]


@dataclass(slots=True)
class SlowIngests(FakeIngests):
    """Answers when it is let go."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, wanted: IngressWanted) -> NewIngress:
        self.begun.set()
        await self.go_on.wait()
        return await FakeIngests.create(self, wanted)


async def test_a_start_while_livekit_is_asked_is_a_repeated_one(planned: EncodedStream) -> None:
    slow = planned.on.ingests = SlowIngests()
    world = replace(planned.on.world, ingests=slow)
    first = asyncio.create_task(start_stream(world, session(ALICE), planned.id, "rtmp"))
    await slow.begun.wait()
    second = await start_stream(world, session(ALICE), planned.id, "rtmp")
    assert second.way_in is None and second.ticket is not None
    slow.go_on.set()
    way_in = (await first).way_in
    assert way_in is not None and list(slow.ingresses) == ["IN_1"]
    assert [row["stream_key_encrypted"] for row in await planned.rows()] == [f"sealed:{way_in.stream_key}"]


async def test_one_whose_process_died_while_asking_is_asked_for_anew(planned: EncodedStream) -> None:
    await start_stream(planned.on.world, session(ALICE), planned.id)
    await planned.want()
    assert (await start_stream(planned.on.world, session(ALICE), planned.id, "rtmp")).way_in is None
    planned.on.clock.advance(ASKED_FOR.total_seconds())
    assert (await start_stream(planned.on.world, session(ALICE), planned.id, "rtmp")).way_in is not None


async def test_a_browser_needs_none(planned: EncodedStream) -> None:
    started = await start_stream(planned.on.world, session(ALICE), planned.id)
    assert started.way_in is None and planned.on.ingests.wanted == {}
    with pytest.raises(InvalidInput):
        await reset_stream_ingress(planned.on.world, session(ALICE), planned.id)


async def test_what_livekit_does_not_make_is_asked_for_again(planned: EncodedStream) -> None:
    planned.on.ingests.broken.add("create")
    with pytest.raises(MediaUnavailable):
        await start_stream(planned.on.world, session(ALICE), planned.id, "whip")
    assert await status(planned) == "starting"
    planned.on.ingests.broken.clear()
    started = await start_stream(planned.on.world, session(ALICE), planned.id, "whip")
    assert started.way_in is not None and planned.on.ingests.wanted[planned.on.ingests.last].kind == "whip"


async def test_without_ingresses_nothing_is_written(planned: EncodedStream) -> None:
    with pytest.raises(MediaUnavailable):
        await start_stream(replace(planned.on.world, ingests=None), session(ALICE), planned.id, "rtmp")
    assert await status(planned) == "scheduled" and await planned.rows() == []


async def test_webhooks_say_that_the_encoder_sends_and_that_it_stopped(planned: EncodedStream) -> None:
    await start_stream(planned.on.world, session(ALICE), planned.id, "rtmp")
    await ingress_told(planned, "ingress_started", "publishing")
    found = await planned.ingress()
    assert found is not None and found.publishing and (found.video_width, found.video_height) == (1280, 720)
    await ingress_told(planned, "ingress_ended", "inactive", seconds=-5)
    assert await planned.publishing(), "an older word came late"
    await ingress_told(planned, "ingress_ended", "inactive", seconds=5)
    assert not await planned.publishing()


async def test_the_same_in_a_call_that_is_broadcast(planned: EncodedStream) -> None:
    """Its room is the call's, whose events these are; nobody of the call changes."""
    call_id = await planned.on.database.fetchval(
        """INSERT INTO nchat_calls (initiator_id, type, status, room_name, room_sid)
        SELECT host_id, 'video', 'connected', room_name, 'RM_call' FROM nchat_streams WHERE id = $1 RETURNING id""",
        planned.id,
    )
    await planned.on.database.execute("UPDATE nchat_streams SET call_id = $2, status = 'live' WHERE id = $1", planned.id, call_id)
    await planned.start()
    planned.says("inactive")
    await ingress_told(planned, "ingress_started", "publishing", seconds=1)
    assert await planned.publishing()
    encoder = {"identity": planned.on.ingests.wanted["IN_1"].identity, "sid": "PA_encoder", "kind": "ingress"}
    await tell(planned, "participant_left", participant=encoder | {"disconnect_reason": "client_initiated"}, sid="RM_call")
    assert not await planned.publishing()
    assert await planned.on.database.fetchval("SELECT status FROM nchat_calls WHERE id = $1", call_id) == "connected"


async def test_the_encoder_is_the_host_s_presence(planned: EncodedStream) -> None:
    await start_stream(planned.on.world, session(ALICE), planned.id, "rtmp")
    await ingress_told(planned, "ingress_started", "publishing")
    encoder = {"identity": planned.on.ingests.wanted["IN_1"].identity, "sid": "PA_encoder", "kind": "ingress", "state": "active"}
    await tell(planned, "track_published", participant=encoder, track={"sid": "TR_1", "type": "video", "source": "camera", "muted": False})
    senders = "SELECT senders FROM nchat_streams WHERE id = $1"
    assert await planned.on.database.fetchval(senders, planned.id) == f'{{"{encoder["identity"]}": "PA_encoder"}}'
    await tell(planned, "participant_left", participant=encoder | {"disconnect_reason": "unknown_reason"})
    assert await planned.on.database.fetchval(senders, planned.id) == "{}"
    assert not await planned.publishing()


async def test_a_stop_removes_the_key_at_once(planned: EncodedStream) -> None:
    await start_stream(planned.on.world, session(ALICE), planned.id, "rtmp")
    await planned.become("live")
    await stop_stream(planned.on.world, session(ALICE), planned.id)
    assert planned.on.ingests.deleted == ["IN_1"] and await status(planned) == "ending"


async def test_a_stop_waits_for_no_livekit(planned: EncodedStream) -> None:
    await start_stream(planned.on.world, session(ALICE), planned.id, "rtmp")
    planned.on.ingests.broken.add("delete")
    await stop_stream(planned.on.world, session(ALICE), planned.id)
    assert await status(planned) == "cancelled" and set(planned.on.ingests.ingresses) == {"IN_1"}
    planned.on.ingests.broken.clear()
    await planned.round()
    assert planned.on.ingests.ingresses == {}


@pytest.mark.parametrize(("ingress", "told"), [("rtmp", ["rtmp://ingest.example/live", "key-1-of-nobody-else"]), ("none", [None, None])])
async def test_over_graphql(stream: EncodedStream, ingress: str, told: list[str | None]) -> None:
    wanted = {"channelId": str(GENERAL), "title": "Concert", "ingress": ingress}
    async with api(stream.on) as client:
        started = (await client.data(session(ALICE), STARTS, {"input": wanted}))["startStream"]
    assert [started["rtmpIngestUrl"], started["streamKey"]] == told
    assert started["hostToken"] and started["stream"] == {"status": "starting"}
