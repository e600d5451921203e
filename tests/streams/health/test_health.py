"""The host asks how the stream is doing and follows it, the client reports, and rooms and playlists are looked at."""

import asyncio
from datetime import timedelta
from math import inf, nan
from uuid import UUID, uuid4

import pytest

from domain.errors import ActionError, InvalidInput, NotAllowed, NotFound, RateLimited, StreamNotLive
from domain.ports import RoomParticipant, Track
from domain.recordings.names import playlist_key
from domain.recordings.playlists import Segment, segments_of
from domain.streams.health.asking import stream_health
from domain.streams.health.looking import look_at_streams, media_share
from domain.streams.health.reports import ClientReport, report_stream_health
from domain.streams.health.verdict import FINE, NOT_RUNNING
from permissions.session import Session
from tests.streams.destinations.sent_stream import live_stream, new_stream, part_ends
from tests.subscriptions.listening import Listeners
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, MALLORY, MOD, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
ADMIN = Session("admin", {"x-hasura-role": "admin"})
GOOD = ClientReport(3_000_000, 128_000, 1280, 720, 30.0, 30.0, 0.0, "none")
FIGURES = "state reason videoBitrate audioBitrate width height fps since"
FOLLOW = f"subscription ($stream: uuid!) {{ streamHealth(streamId: $stream) {{ streamId {FIGURES} }} }}"
OTHERS: list[tuple[Session, type[ActionError]]] = [
    (session(BOB), NotAllowed),
    (session(MALLORY), NotFound),
    (session(MOD, "moderator"), NotAllowed),
    (session(BOB, "anonymous"), NotFound),
]
NAMES = ["a member", "a stranger", "a moderator", "anonymous"]


def playlist(*seconds: float, began: str = "2026-01-01T12:00:00", steps: float = 4) -> bytes:
    """Segments of so many seconds, one each `steps`."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4"]
    for number, length in enumerate(seconds):
        second = number * steps
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{began[:-2]}{second:06.3f}Z", f"#EXTINF:{length:.3f},", f"segment_{number:05d}.ts"]
    return "\n".join([*lines, ""]).encode()


async def everything(on: Setup) -> object:
    """All rows, and what is known of streams, which jobs write as well."""
    return await dump(on.database), [tuple(row) for row in await on.database.fetch("SELECT * FROM nchat_stream_health")]


async def prefix_of(on: Setup, egress: str) -> str:
    return str(await on.database.fetchval("SELECT path_prefix FROM nchat_call_recording_parts WHERE egress_id = $1", egress))


async def room_of(on: Setup, stream_id: UUID) -> str:
    return str(await on.database.fetchval("SELECT room_name FROM nchat_streams WHERE id = $1", stream_id))


def host(*tracks: Track) -> dict[str, RoomParticipant]:
    return {str(ALICE): RoomParticipant(str(ALICE), "PA_1", "active", tracks)}


CAMERA, MICROPHONE = Track("TR_1", "camera", muted=False), Track("TR_2", "microphone", muted=False)


@pytest.mark.parametrize(("who", "refused"), OTHERS, ids=NAMES)
async def test_nobody_but_the_host_asks_or_reports(on: Setup, who: Session, refused: type[ActionError]) -> None:
    stream_id, _ = await live_stream(on)
    await report_stream_health(on.world, session(ALICE), stream_id, GOOD)
    before = await everything(on)
    with pytest.raises(refused):
        await stream_health(on.world, who, stream_id)
    with pytest.raises(refused):
        await report_stream_health(on.world, who, stream_id, ClientReport(fps=1))
    assert await everything(on) == before


async def test_what_is_not_there(on: Setup) -> None:
    for act in (stream_health(on.world, session(ALICE), uuid4()), report_stream_health(on.world, session(ALICE), uuid4(), GOOD)):
        with pytest.raises(NotFound):
            await act


@pytest.mark.parametrize("status", ["scheduled", "ending", "ended", "cancelled"])
async def test_a_stream_that_does_not_run_takes_no_report(on: Setup, status: str) -> None:
    stream_id = await new_stream(on, status)
    before = await everything(on)
    with pytest.raises(StreamNotLive):
        await report_stream_health(on.world, session(ALICE), stream_id, GOOD)
    assert await everything(on) == before
    assert (await stream_health(on.world, session(ALICE), stream_id)).reason == NOT_RUNNING


@pytest.mark.parametrize(
    "report",
    [
        ClientReport(video_bitrate=-1), ClientReport(video_bitrate=1_000_000_001), ClientReport(audio_bitrate=10_000_001),
        ClientReport(width=-1), ClientReport(width=16_385), ClientReport(height=16_385), ClientReport(fps=-0.1), ClientReport(fps=1000.1),
        ClientReport(fps=nan), ClientReport(fps=inf), ClientReport(target_fps=nan), ClientReport(packet_loss=1.1),
        ClientReport(packet_loss=nan),
    ],
)  # fmt: skip
async def test_every_figure_has_bounds(on: Setup, report: ClientReport) -> None:
    stream_id, _ = await live_stream(on)
    before = await everything(on)
    with pytest.raises(InvalidInput):
        await report_stream_health(on.world, session(ALICE), stream_id, report)
    assert await everything(on) == before


async def test_more_reports_than_the_limit(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    on.limiter.used_up.add("health")
    before = await everything(on)
    with pytest.raises(RateLimited):
        await report_stream_health(on.world, session(ALICE), stream_id, GOOD)
    assert await everything(on) == before
    assert on.limiter.hits == [("health", str(ALICE))]


async def test_the_newest_report_counts_and_the_best_is_remembered(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    await report_stream_health(on.world, session(ALICE), stream_id, ClientReport(2_000_000, fps=60.0))
    on.clock.advance(5)
    await report_stream_health(on.world, ADMIN, stream_id, ClientReport(3_000_000, fps=25.0))
    found = await stream_health(on.world, session(ALICE), stream_id)
    assert (found.state, found.video_bitrate, found.fps, found.since, found.width) == ("bad", 3_000_000, 25.0, on.clock.now(), None)
    on.clock.time -= timedelta(seconds=3)
    await report_stream_health(on.world, session(ALICE), stream_id, ClientReport(1, fps=1.0))
    on.clock.advance(3)
    assert (await stream_health(on.world, session(ALICE), stream_id)).fps == 25.0, "what was overtaken on its way is old"


async def reports(on: Setup, stream_id: UUID, fps: float, seconds: int, *, every: int = 5, target: float | None = None) -> str:
    """What streamHealth says after so long of that."""
    for _ in range(seconds // every):
        on.clock.advance(every)
        await report_stream_health(on.world, session(ALICE), stream_id, ClientReport(fps=fps, target_fps=target))
    return (await stream_health(on.world, session(ALICE), stream_id)).state


async def test_a_client_that_is_slower_on_purpose_says_so_or_stays_so(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    await on.database.execute("UPDATE nchat_call_recording_parts SET segment_at = NULL")
    assert await reports(on, stream_id, 30, 60) == "ok"
    assert await reports(on, stream_id, 14, 10, target=15) == "ok", "at once"
    assert [await reports(on, stream_id, 14, seconds) for seconds in (10, 280, 15)] == ["bad", "bad", "ok"]
    # What falls from there is seen from there, and who is back is back at once.
    assert await reports(on, stream_id, 6, 5) == "bad"
    assert await reports(on, stream_id, 14, 5) == "ok"
    assert await reports(on, stream_id, 30, 5) == "ok"
    assert await reports(on, stream_id, 14, 5) == "bad"


async def test_who_can_not_keep_up_is_never_used_to_it(on: Setup) -> None:
    """Fewer frames than anybody wants, a rate that swings, one of a client that is silent in between, and a third of the best."""
    stream_id, _ = await live_stream(on)
    await on.database.execute("UPDATE nchat_call_recording_parts SET segment_at = NULL")
    assert await reports(on, stream_id, 30, 60) == "ok"
    assert await reports(on, stream_id, 9, 360) == "bad"
    for _ in range(60):
        await reports(on, stream_id, 14, 5)
        assert await reports(on, stream_id, 10, 5) == "bad"
    await reports(on, stream_id, 14, 200)
    on.clock.advance(90)
    assert await reports(on, stream_id, 14, 200) == "bad"
    assert await reports(on, stream_id, 60, 5) == "ok"
    assert await reports(on, stream_id, 18, 360) == "bad"


async def test_two_reports_at_once(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    reports = [report_stream_health(on.world, session(ALICE), stream_id, ClientReport(fps=float(fps))) for fps in range(20, 30)]
    await asyncio.gather(*reports)
    assert await on.database.fetchval("SELECT best_fps FROM nchat_stream_health") == 29


async def test_room_and_playlist_are_looked_at_every_few_seconds_by_one_process(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    await new_stream(on, "ended")
    on.rooms.people[await room_of(on, stream_id)] = host(CAMERA, Track("TR_2", "microphone", muted=True))
    on.store.objects[playlist_key(await prefix_of(on, egress))] = playlist(4, 4, 4, 4)
    assert [await look_at_streams(on.world), await look_at_streams(on.world)] == [1, 0]
    on.clock.advance(4)
    both = await asyncio.gather(look_at_streams(on.world), look_at_streams(on.world))
    assert sum(both) == 1
    found = await stream_health(on.world, session(ALICE), stream_id)
    assert (found.state, found.reason) == ("warn", "The sound is switched off.")


async def test_the_host_who_sends_nothing_is_seen_by_the_room(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    room = await room_of(on, stream_id)
    on.rooms.people[room] = host(CAMERA, MICROPHONE)
    await look_at_streams(on.world)
    assert (await stream_health(on.world, session(ALICE), stream_id)).reason == FINE
    on.rooms.people[room] = host()
    on.clock.advance(5)
    await look_at_streams(on.world)
    found = await stream_health(on.world, session(ALICE), stream_id)
    assert (found.state, found.reason) == ("bad", "Neither picture nor sound is sent.")


async def test_segments_that_stay_away_are_bad_within_ten_seconds(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    await on.database.execute("UPDATE nchat_call_recording_parts SET segment_at = $1", on.clock.now())
    on.clock.advance(9)
    assert (await stream_health(on.world, session(ALICE), stream_id)).state == "ok"
    on.clock.advance(1.1)
    assert (await stream_health(on.world, session(ALICE), stream_id)).reason == "Viewers get nothing new."
    await part_ends(on, egress)
    assert (await stream_health(on.world, session(ALICE), stream_id)).state == "bad", "until the next part's first segment"


async def test_what_does_not_answer_is_not_known(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    on.rooms.broken.add("list_participants")
    on.store.down = True
    assert await look_at_streams(on.world) == 1
    row = await on.database.fetchrow("SELECT room_video, room_audio, media_share FROM nchat_stream_health")
    assert row is not None
    assert tuple(row) == (None, None, None)
    await report_stream_health(on.world, session(ALICE), stream_id, GOOD)
    assert (await stream_health(on.world, session(ALICE), stream_id)).state == "ok"


async def test_an_encoder_is_heard_through_its_ingress(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    row = """
        INSERT INTO nchat_stream_ingresses (stream_id, kind, identity, status, told_at, video_width, video_height, video_fps, video_bitrate)
        VALUES ($1, 'rtmp', 'ingress:1', 'publishing', $2, 1920, 1080, 30, 4294967295)
    """
    await on.database.execute(row, stream_id, on.clock.now())
    await look_at_streams(on.world)
    found = await stream_health(on.world, session(ALICE), stream_id)
    assert (found.state, found.width, found.fps, found.video_bitrate, found.audio_bitrate) == ("ok", 1920, 30.0, 2**31 - 1, None)
    await on.database.execute("UPDATE nchat_stream_ingresses SET status = 'inactive'")
    found = await stream_health(on.world, session(ALICE), stream_id)
    assert (found.state, found.reason) == ("bad", "The encoder sends nothing.")


@pytest.mark.parametrize(
    ("segments", "share"),
    [
        ((4, 4, 4, 4), 1.0),
        ((4, 4, 4), 1.0),
        ((4, 4), None),
        ((), None),
        ((2, 2, 2, 4), 0.5),
        ((1, 4, 4, 4, 4), 1.0),
        ((3, 4, 4, 1), 11 / 12),
    ],
)
def test_how_much_media_the_last_segments_hold(segments: tuple[float, ...], share: float | None) -> None:
    found = media_share(segments_of(playlist(*segments)))
    assert found == (None if share is None else pytest.approx(share, abs=0.001))


def test_segments_without_times_say_nothing() -> None:
    assert media_share([Segment("segment_00000.ts", 4.0)] * 4) is None


async def test_the_host_follows_it(on: Setup, client: Api, listen: Listeners) -> None:
    stream_id, _ = await live_stream(on)
    following = listen(session(ALICE), FOLLOW, stream=str(stream_id))
    (first,) = await following.count(1)
    assert (first["streamId"], first["state"], first["since"]) == (str(stream_id), "none", None)
    report = """mutation ($stream: uuid!, $stats: StreamStatsInput!) {
      reportStreamHealth(input: {streamId: $stream, stats: $stats}) { streamId stream { status } }
    }"""
    stats = {"fps": 30, "targetFps": 30, "width": 1280, "height": 720, "videoBitrate": 3000000, "limitedBy": "cpu"}
    given = await client.data(session(ALICE), report, {"stream": str(stream_id), "stats": stats})
    assert given["reportStreamHealth"] == {"streamId": str(stream_id), "stream": {"status": "live"}}
    _, second = await following.count(2)
    assert second == {
        "streamId": str(stream_id),
        "state": "warn",
        "reason": "The host's machine is too slow for this picture.",
        "videoBitrate": 3000000,
        "audioBitrate": None,
        "width": 1280,
        "height": 720,
        "fps": 30.0,
        "since": on.clock.now().isoformat(),
    }
    query = f"query ($stream: uuid!) {{ streamHealth(input: {{streamId: $stream}}) {{ {FIGURES} }} }}"
    asked = (await client.data(session(ALICE), query, {"stream": str(stream_id)}))["streamHealth"]
    assert asked == {name: value for name, value in second.items() if name != "streamId"}


async def test_who_loses_the_right_is_told_and_hears_no_more(on: Setup, listen: Listeners) -> None:
    stream_id, _ = await live_stream(on)
    following = listen(session(ALICE), FOLLOW, stream=str(stream_id))
    await following.count(1)
    await on.database.execute("UPDATE nchat_streams SET host_id = $1", BOB)
    assert (await following.ended(seconds=3)).code == "not-allowed"


@pytest.mark.parametrize(("who", "refused"), OTHERS[:3], ids=NAMES[:3])
async def test_nobody_else_follows_it(on: Setup, listen: Listeners, who: Session, refused: type[ActionError]) -> None:
    stream_id, _ = await live_stream(on)
    following = listen(who, FOLLOW, stream=str(stream_id))
    assert (await following.ended()).code == refused.code
    assert following.got == []


async def test_anonymous_has_no_such_field(on: Setup, client: Api) -> None:
    query = "query ($stream: uuid!) { streamHealth(input: {streamId: $stream}) { state } }"
    code, _, _ = await client.refusal(Session("anonymous", {"x-hasura-role": "anonymous"}), query, {"stream": str(uuid4())})
    assert code == "validation-failed"
