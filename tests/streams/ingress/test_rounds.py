"""LiveKit's ingresses beside ours: what is noted, what is removed, and who is missed."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.errors import MediaUnavailable
from domain.ports import IngressState, ListedIngress, MediaError
from domain.streams.ingress.issuing import issue
from domain.streams.ingress.news import hear, left
from domain.streams.ingress.retiring import retire
from tests.streams.ingress.conftest import EncodedStream

pytestmark = pytest.mark.anyio


async def test_what_livekit_measures_is_noted(stream: EncodedStream) -> None:
    await stream.start()
    began = stream.says("publishing", width=1280, height=720)
    await stream.round()
    stream.on.clock.advance(60)
    told = stream.says("publishing", width=1280, height=720, fps=24.9, video_bitrate=2_400_000, audio_bitrate=128_000)
    stream.on.publisher.topics()
    await stream.round()
    found = await stream.ingress()
    assert found is not None and found.publishing
    assert (found.publishing_since, found.told_at) == (began, told)
    assert (found.video_width, found.video_fps, found.video_bitrate, found.audio_bitrate) == (1280, 24.9, 2_400_000, 128_000)
    assert f"stream:{stream.id}" in stream.on.publisher.topics()


async def test_frame_rates_are_remembered_while_the_encoder_is_on_the_air(stream: EncodedStream) -> None:
    """The one before and the best; what was measured once and is not told any more is no picture."""
    await stream.start()
    said: list[float | None] = [None, 30, 9, None, 20]
    known: list[tuple[float | None, ...]] = []
    for fps in said:
        stream.says("publishing", **({} if fps is None else {"fps": fps}))
        known.append(await _rates(stream))
    assert known == [(None, None, None), (30, None, 30), (9, 30, 30), (0, 9, 30), (20, 0, 30)]
    stream.says("inactive")
    await stream.round()
    stream.says("publishing", fps=15.0)
    assert await _rates(stream) == (15, None, 15), "another time on the air"


async def test_an_encoder_that_stays_slower_settles_there(stream: EncodedStream) -> None:
    """Its figures are means of minutes; one that can't keep up never does."""
    await stream.start()
    for fps, minutes, best in ((30.0, 2, 30), (22.0, 1, 30), (15.0, 5, 30), (15.5, 1, 15.5), (9.0, 8, 15.5), (30.0, 1, 30)):
        for _ in range(minutes):
            stream.on.clock.advance(60)
            stream.says("publishing", fps=fps)
            assert (await _rates(stream))[0] == fps
        assert (await _rates(stream))[2] == best, (fps, minutes)


async def _rates(stream: EncodedStream) -> tuple[float | None, ...]:
    await stream.round()
    found = await stream.ingress()
    assert found is not None
    return found.video_fps, found.video_fps_before, found.video_fps_best


async def test_nothing_new_costs_nothing(stream: EncodedStream) -> None:
    await stream.start()
    stream.says("publishing")
    await stream.round()
    stream.on.publisher.topics()
    await stream.round()
    assert stream.on.publisher.topics() == set()


async def test_an_older_word_changes_nothing(stream: EncodedStream) -> None:
    await stream.start()
    early = stream.on.clock.now()
    stream.on.clock.advance(5)
    stream.says("publishing")
    await stream.round()
    async with stream.on.world.transaction("test.hear") as tx:
        await hear(tx, "IN_1", IngressState("inactive", early), stream.on.clock.now())
        await hear(tx, "IN_of_others", IngressState("inactive", stream.on.clock.now()), stream.on.clock.now())
    assert await stream.publishing()


async def test_an_encoder_that_stops_is_noted(stream: EncodedStream) -> None:
    await stream.start()
    stream.says("publishing")
    await stream.round()
    stream.says("inactive")
    await stream.round()
    found = await stream.ingress()
    assert found is not None and (found.status, found.publishing_since) == ("inactive", None)


@pytest.mark.parametrize("status", ["ended", "cancelled"])
async def test_a_stream_that_is_over_loses_its_ingress(stream: EncodedStream, status: str) -> None:
    await stream.start()
    stream.says("publishing")
    await stream.round()
    await stream.become(status)
    await stream.round()
    assert stream.on.ingests.deleted == ["IN_1"]
    (row,) = await stream.rows()
    assert row["removed_at"] and row["stream_key_encrypted"] is None
    await stream.round()
    assert stream.on.ingests.deleted == ["IN_1"]


async def test_an_ingress_without_a_stream_is_removed(stream: EncodedStream) -> None:
    await stream.start()
    await stream.start()
    lost = replace(stream.on.ingests.ingresses["IN_2"], id="IN_lost", wanted=uuid4())
    stream.on.ingests.ingresses["IN_lost"] = lost
    await stream.round()
    assert set(stream.on.ingests.ingresses) == {"IN_2"}
    assert sorted(stream.on.ingests.deleted) == ["IN_1", "IN_lost"]


async def test_who_never_had_one_asks_livekit_nothing(stream: EncodedStream) -> None:
    stream.on.ingests.broken.add("ours")
    await stream.round()
    assert stream.on.ingests.asked["ours"] == 0


async def test_one_whose_answer_was_lost_is_removed_but_not_at_once(stream: EncodedStream) -> None:
    stream.on.ingests.forgets_answer = True
    ours = await stream.want()
    with pytest.raises(MediaUnavailable):
        await issue(stream.on.world, ours)
    await stream.round()
    assert set(stream.on.ingests.ingresses) == {"IN_1"}
    await stream.round(seconds=60)
    assert stream.on.ingests.ingresses == {}


async def test_one_that_nobody_asked_livekit_for_is_forgotten(stream: EncodedStream) -> None:
    await stream.want()
    async with stream.on.world.transaction("test.retire") as tx:
        await retire(tx, [stream.id], stream.on.clock.now())
    await stream.round()
    assert (await stream.rows())[0]["removed_at"] is None
    await stream.round(seconds=60)
    assert (await stream.rows())[0]["removed_at"] is not None


async def test_a_silent_livekit_means_nothing(stream: EncodedStream) -> None:
    await stream.start()
    stream.says("publishing")
    await stream.round()
    stream.on.ingests.broken.add("ours")
    with pytest.raises(MediaError):
        await stream.round()
    assert await stream.publishing()


async def test_what_livekit_does_not_remove_holds_up_nothing(stream: EncodedStream) -> None:
    await stream.start()
    await stream.become("ended")
    stray = ListedIngress("IN_stray", stream.id, "room", IngressState("inactive"))
    stream.on.ingests.ingresses["IN_stray"] = stray
    stream.on.ingests.broken.add("delete")
    with pytest.raises(ExceptionGroup):
        await stream.round()
    stream.on.ingests.broken.clear()
    await stream.round()
    assert stream.on.ingests.ingresses == {}


async def test_who_is_missing_at_two_looks_is_gone_until_the_next_word(stream: EncodedStream) -> None:
    await stream.start()
    stream.says("publishing")
    await stream.round()
    stream.on.ingests.inside.clear()
    await stream.round()
    assert await stream.publishing()
    await stream.round()
    assert not await stream.publishing()
    await stream.round()
    assert not await stream.publishing()
    stream.says("publishing")
    await stream.round()
    assert await stream.publishing()


async def test_who_is_seen_again_was_never_gone(stream: EncodedStream) -> None:
    await stream.start()
    stream.says("publishing")
    await stream.round()
    inside = set(stream.on.ingests.inside)
    for _ in range(2):
        stream.on.ingests.inside.clear()
        await stream.round()
        stream.on.ingests.inside |= inside
        await stream.round()
    assert await stream.publishing()


async def test_a_participant_that_leaves_publishes_no_more(stream: EncodedStream) -> None:
    await stream.start()
    stream.says("publishing")
    await stream.round()
    async with stream.on.world.transaction("test.left") as tx:
        await left(tx, "ingress:of-somebody-else")
    assert await stream.publishing()
    async with stream.on.world.transaction("test.left") as tx:
        await left(tx, stream.on.ingests.wanted["IN_1"].identity)
    assert not await stream.publishing()
