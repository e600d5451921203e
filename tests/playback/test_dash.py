"""A public stream as DASH, by a real ffmpeg: while it is live and afterwards, for everybody, and for nobody once it is not public."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.adapters.ffmpeg_packager import FfmpegPackager, FfmpegPackaging
from app.media.library import Asked, Elsewhere, Library, Text
from app.media.links import LinkKey
from app.media.visitors import Visitors
from devstack import ffmpeg
from domain.ports import Hint
from domain.recordings.life_cycle import PARTS_TOPIC
from domain.recordings.playing.visible import Visible
from domain.recordings.retention.removing import remove_all_due
from domain.recordings.retention.stray_objects import stray_objects
from domain.streams.dash.packaging import take_dash
from domain.streams.dash.taking import LONGEST_PAUSE, MOST_TRIES, TAKEN_FOR
from domain.world import World
from permissions.session import Session
from tests.media.film import FRAMES, SECONDS, film
from tests.playback.broadcast import Broadcast, broadcast
from tests.playback.test_clip_copies import DeadlyTransactions, Died
from tests.support.call_sites import DOMAIN, transactions
from tests.support.domain_setup import Setup
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
NOBODY = Session("anonymous", {"x-hasura-role": "anonymous"})
TOKEN = "public.mpd"


@dataclass(slots=True)
class Dashed:
    """A live, public stream with real segments, and what is made of it."""

    on: Setup
    world: World
    live: Broadcast
    folder: Path

    async def begin(self) -> "asyncio.Task[None]":
        """A process takes it in hand."""
        (work,) = await take_dash(self.world, most=4)
        return asyncio.create_task(work())

    async def nobody_s(self) -> bool:
        return await take_dash(self.world, most=4) == []

    async def row(self) -> Any:
        return await self.on.database.fetchrow(
            "SELECT dash.*, stream.dash_url FROM nchat_stream_dash AS dash JOIN nchat_streams AS stream ON stream.id = dash.stream_id"
        )

    async def has(self, segments: int) -> None:
        """Its manifest comes to have so many."""

        async def so() -> bool:
            await self.on.world.publisher.publish([Hint(PARTS_TOPIC)])
            return (row := await self.row()) is not None and row["segments"] >= segments and row["dash_url"] is not None

        await eventually(so, seconds=20)

    async def ends(self) -> None:
        await self.live.end()
        await self.on.world.publisher.publish([Hint(PARTS_TOPIC)])

    async def manifest(self) -> str | None:
        """As whoever has no name gets it."""
        found = await self.library.shelves["dash"](self.asked)
        return found.body.decode() if isinstance(found, Text) else None

    async def frames(self) -> int:
        """Of the picture, as a player finds them by the manifest alone."""
        text = await self.manifest()
        assert text is not None
        place = self.folder / "played"
        (place / TOKEN / "0").mkdir(parents=True, exist_ok=True)
        (place / "played.mpd").write_text(text)
        for key, body in self.on.store.objects.items():
            name = key.rpartition("/")[2]
            if "/dash-" in key and name.endswith(".m4s"):
                piece = await self.library.piece("dash", self.asked, 0, name)
                assert isinstance(piece, Elsewhere) and f"/{key}?" in piece.address
                (place / TOKEN / "0" / name).write_bytes(body)
        asked = ["-allowed_extensions", "ALL", "-i", "played.mpd", "-map", "0:v", "-f", "null", "-stats", "-"]
        done = await asyncio.to_thread(subprocess.run, [ffmpeg.program(), *asked], cwd=place, capture_output=True, text=True, check=True)
        return int(re.findall(r"frame=\s*([0-9]+)", done.stderr)[-1])

    @property
    def library(self) -> Library:
        return Library(Visible(self.world), self.on.store)

    @property
    def asked(self) -> Asked:
        return Asked(NOBODY, self.live.stream, TOKEN)

    @property
    def stored(self) -> set[str]:
        """What the keys of all that was repackaged begin with."""
        return {key.rpartition("/")[0] + "/" for key in self.on.store.objects if "/dash-" in key}


@pytest.fixture
async def dashed(on: Setup, tmp_path: Path) -> Dashed:
    live = await broadcast(on, on.store)
    await live.part(0, 3, objects=film(tmp_path / "red", "red", 3), closed=True)
    await live.part(1, 2, objects=film(tmp_path / "blue", "blue", 2))
    world = replace(on.world, packager=FfmpegPackager(ffmpeg.program()), public_url="https://rtc.example")
    return Dashed(on, world, live, tmp_path)


async def test_while_it_is_live_and_afterwards(dashed: Dashed) -> None:
    """Of all parts one after the other; the whole when it is over."""
    assert await dashed.manifest() is None
    running = await dashed.begin()
    await dashed.has(5)
    address = f"https://rtc.example/media/dash/{dashed.live.stream}/public.mpd"
    assert (await dashed.row())["dash_url"] == address
    live = await dashed.manifest()
    assert live is not None and 'type="dynamic"' in live and 'media="public.mpd/0/chunk-' in live
    began_at = await dashed.on.database.fetchval("SELECT min(media_started_at) FROM nchat_call_recording_parts")
    (told,) = re.findall('availabilityStartTime="([^"]+)"', live)
    assert abs((datetime.fromisoformat(told) - began_at).total_seconds()) < 1, "a player finds what is live by the clock"
    await dashed.ends()
    await running
    row = await dashed.row()
    assert row["completed_at"] is not None and row["taken_until"] is None
    whole = await dashed.manifest()
    assert whole is not None and 'type="static"' in whole
    assert await dashed.frames() == 5 * SECONDS * FRAMES
    assert await dashed.nobody_s()
    strays = [page.strays async for page in stray_objects(dashed.world.transaction, dashed.on.store, dashed.on.clock.now())]
    assert not any(strays)


async def test_by_the_address_that_nobody_signed(dashed: Dashed) -> None:
    """It is that of callers without a token, and no other kind has it."""
    visitors = Visitors(LinkKey(b"a secret of this test"), dashed.on.clock, "anonymous")
    assert visitors.session("dash", dashed.live.stream, TOKEN) == NOBODY
    assert visitors.session("stream", dashed.live.stream, TOKEN) is None
    assert visitors.session("dash", dashed.live.stream, "public.m3u8") is None


@pytest.mark.parametrize("visibility", ["channel_members", "invite_only"])
async def test_who_may_not_see_the_stream_gets_none(dashed: Dashed, visibility: str) -> None:
    running = await dashed.begin()
    await dashed.has(5)
    pieces = [key.rpartition("/")[2] for key in dashed.on.store.objects if "/dash-" in key]
    await dashed.live.show(visibility)
    assert (await dashed.row())["dash_url"] is None, "in the same transaction"
    assert await dashed.manifest() is None
    assert [await dashed.library.piece("dash", dashed.asked, 0, name) for name in pieces] == [None] * len(pieces)
    await dashed.on.world.publisher.publish([Hint(PARTS_TOPIC)])
    await running
    dashed.on.clock.advance(LONGEST_PAUSE.total_seconds())
    assert await dashed.nobody_s() and (await dashed.row())["dash_url"] is None
    await dashed.live.show("public")
    again = await dashed.begin()
    await dashed.has(5)
    assert await dashed.manifest() is not None
    await dashed.ends()
    await again


async def test_a_stream_that_is_not_public_has_none(on: Setup, dashed: Dashed) -> None:
    await dashed.live.show("channel_members")
    assert await dashed.nobody_s() and await dashed.row() is None


@dataclass
class Watched(FfmpegPackager):
    """The program that runs."""

    packaging: FfmpegPackaging | None = None

    def __post_init__(self) -> None:
        FfmpegPackager.__init__(self, ffmpeg.program())

    @asynccontextmanager
    async def open(self, began_at: datetime, segment_seconds: int) -> AsyncIterator[FfmpegPackaging]:
        async with FfmpegPackager.open(self, began_at, segment_seconds) as self.packaging:
            yield self.packaging


async def test_a_program_that_is_killed_is_followed_by_another(dashed: Dashed) -> None:
    packager = Watched()
    dashed.world = replace(dashed.world, packager=packager)
    running = await dashed.begin()
    await dashed.has(5)
    (first,) = dashed.stored
    assert packager.packaging is not None
    packager.packaging._program.kill()
    await packager.packaging._program.wait()
    await dashed.on.world.publisher.publish([Hint(PARTS_TOPIC)])
    await running
    assert await dashed.nobody_s() and await dashed.manifest() is not None, "what there was plays on"
    dashed.on.clock.advance(LONGEST_PAUSE.total_seconds())
    again = await dashed.begin()
    await dashed.ends()
    await again
    assert await dashed.frames() == 5 * SECONDS * FRAMES
    assert len(dashed.stored) == 1 and first not in dashed.stored


async def test_a_process_that_is_killed_is_followed_by_another(dashed: Dashed) -> None:
    running = await dashed.begin()
    await dashed.has(5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await dashed.nobody_s(), "perhaps it lives"
    dashed.on.clock.advance(TAKEN_FOR.total_seconds())
    again = await dashed.begin()
    await dashed.ends()
    await again
    assert (await dashed.row())["attempts"] == 2 and len(dashed.stored) == 1


async def test_what_never_works_is_given_up(dashed: Dashed) -> None:
    dashed.world = replace(dashed.world, packager=FfmpegPackager("false"))
    for _ in range(MOST_TRIES):
        await (await dashed.begin())
        dashed.on.clock.advance(LONGEST_PAUSE.total_seconds())
    assert await dashed.nobody_s()
    row = await dashed.row()
    assert row["completed_at"] is not None and row["dash_url"] is None and dashed.stored == set()


async def test_a_store_that_is_away_comes_back(dashed: Dashed) -> None:
    dashed.on.store.down = True
    await (await dashed.begin())
    dashed.on.store.down = False
    dashed.on.clock.advance(LONGEST_PAUSE.total_seconds())
    running = await dashed.begin()
    await dashed.ends()
    await running
    assert await dashed.frames() == 5 * SECONDS * FRAMES


@pytest.mark.parametrize("running", [True, False])
async def test_nothing_is_left_when_the_recording_goes(dashed: Dashed, running: bool) -> None:
    work = await dashed.begin()
    await dashed.has(5)
    await dashed.live.end()
    if not running:
        await dashed.on.world.publisher.publish([Hint(PARTS_TOPIC)])
        await work
    await dashed.on.database.execute("UPDATE nchat_call_recordings SET delete_asked_at = now(), next_work_at = now()")
    dashed.on.clock.advance(5)
    assert await dashed.manifest() is None
    assert await remove_all_due(dashed.world) == 1
    await dashed.on.world.publisher.publish([Hint(PARTS_TOPIC)])
    await work
    assert dashed.on.store.objects == {}
    assert await dashed.nobody_s() and await dashed.row() is None
    assert await dashed.on.database.fetchval("SELECT dash_url FROM nchat_streams") is None


MOMENTS = [(f"dash.{name}", "after") for name in ("take", "begin", "keep", "told", "let_go")]
MOMENTS += [(f"dash.{name}", "before") for name in ("begin", "told", "let_go")]


def test_every_commit_is_died_at() -> None:
    named = set(transactions(sorted((DOMAIN / "streams" / "dash").glob("*.py"))))
    assert named == {name for name, _ in MOMENTS} | {"dash.serves"}, "that one writes nothing"


@pytest.mark.parametrize(("name", "moment"), MOMENTS)
async def test_whoever_dies_at_it(dashed: Dashed, name: str, moment: str) -> None:
    await dashed.on.database.execute(
        "INSERT INTO nchat_stream_dash (stream_id, recording_id, not_before) SELECT id, recording_id, 'epoch' FROM nchat_streams"
    )
    await dashed.live.end()
    deadly = DeadlyTransactions(dashed.world.transaction, name, moment)
    with pytest.raises(Died):
        for work in await take_dash(replace(dashed.world, transaction=deadly), most=4):
            await work()
    for _ in range(2):
        dashed.on.clock.advance(TAKEN_FOR.total_seconds())
        for work in await take_dash(dashed.world, most=4):
            await work()
    row = await dashed.row()
    assert row["completed_at"] is not None and row["dash_url"] is not None
    assert dashed.stored == {row["path_prefix"]} and await dashed.frames() == 5 * SECONDS * FRAMES
