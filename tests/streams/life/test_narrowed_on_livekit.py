"""A public stream on the real servers is made one of members: what its recorder writes from then on is nowhere that the CDN reads."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.media.cdn import Cdn
from app.media.library import Asked, Elsewhere, Library, Text
from app.storage.s3_store import S3Store
from domain.recordings.names import segment_name
from domain.recordings.playing.visible import Visible
from domain.streams.actions.start import start_new_stream
from domain.streams.planning import StreamPlan
from permissions.session import Session
from tests.livekit.serving import serving
from tests.recordings import conftest as servers
from tests.streams.life import test_on_livekit as real
from tests.support.domain_setup import ALICE, BOB, GENERAL, MALLORY, session
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
# The servers of the tests of recordings, and a world on them.
recorder_port, recorder_redis, recording_livekit = servers.recorder_port, servers.recorder_redis, servers.recording_livekit
bucket, workers, own_store, stage = servers.bucket, servers.workers, servers.own_store, real.stage
PARTS = "SELECT * FROM nchat_call_recording_parts ORDER BY index"
MOVED = "SELECT bool_or(moved_to > late_from AND closed_at IS NOT NULL) FROM nchat_call_recording_parts"
SUCCEEDED = "SELECT count(*) = 2 AND bool_or(status = 'recording' AND NOT on_cdn AND segments > 0) FROM nchat_call_recording_parts"


@pytest.fixture
async def cdn(own_store: S3Store) -> AsyncIterator[str]:
    """Reads the bucket for whoever knows a key."""

    async def read(request: Request) -> Response:
        found = await own_store.read(request.path_params["key"])
        return Response("Not found.", 404) if found is None else Response(found, media_type="video/mp2t")

    async with serving(Starlette(routes=[Route("/{key:path}", read)])) as url:
        yield url


async def test_late_segments_are_refused_by_the_cdn_and_played_by_members(
    stage: real.LiveStage, workers: servers.Workers, own_store: S3Store, cdn: str
) -> None:
    workers()
    library = Library(Visible(stage.world), own_store, cdn=Cdn(cdn, [own_store.bucket]))
    started = await start_new_stream(stage.world, session(ALICE), StreamPlan(GENERAL, "Friday"))
    show = "UPDATE nchat_streams SET visibility = $1::stream_visibility WHERE id = $2"
    await stage.on.database.execute(show, "public", started.stream_id)
    assert started.ticket is not None
    await stage.send(started.ticket.token)
    await stage.becomes(started.stream_id, "live")

    async def playlist(who: Session) -> list[str]:
        found = await library.shelves["stream"](Asked(who, started.stream_id, "link"))
        return [line for line in found.body.decode().splitlines() if line[0] != "#"] if isinstance(found, Text) else []

    async with httpx2.AsyncClient() as browser:
        before = (await playlist(session(MALLORY)))[-1]
        assert before.startswith(f"{cdn}/recordings/") and (await browser.get(before)).status_code == 200
        await stage.on.database.execute(show, "channel_members", started.stream_id)
        await stage.says(MOVED)
        await stage.says(SUCCEEDED, seconds=30)
        first, second = await stage.on.database.fetch(PARTS)
        assert (await browser.get(f"{cdn}/{first['path_prefix']}{segment_name(first['late_from'] - 1)}")).status_code == 200
        for number in range(first["late_from"], first["moved_to"]):
            assert (await browser.get(f"{cdn}/{first['path_prefix']}{segment_name(number)}")).status_code == 404

        async def all_play() -> bool:
            names = [name.split("/") for name in await playlist(session(BOB))]
            return {index for _, index, _ in names} == {"0", "1"}

        await eventually(all_play)
        for _, index, name in [name.split("/") for name in await playlist(session(BOB))]:
            piece = await library.piece("stream", Asked(session(BOB), started.stream_id, "link"), int(index), name)
            assert isinstance(piece, Elsewhere) and (await browser.get(piece.address)).is_success, name
            refused = await library.piece("stream", Asked(session(MALLORY), started.stream_id, "link"), int(index), name)
            assert refused is None
        assert await playlist(session(MALLORY)) == [] and second["late_prefix"] is None
