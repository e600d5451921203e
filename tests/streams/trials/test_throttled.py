"""The encoder comes to send less than a third: its host is told so, and why, and told as fast that all is well again."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from devstack.demo.story import mutation
from devstack.demo_stream.following import Following
from devstack.demo_stream.stage import within
from tests.streams.trials.browser_host import RATE, browser_host
from tests.streams.trials.show import token
from tests.streams.trials.studio import Studio
from tests.support.domain_setup import ALICE, GENERAL
from tests.support.encoder import sending
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]
SHARE: Final = 0.3
# Of LiveKit's ingress between two reports.
EVERY: Final = 60.0 if WHOLE else 4.0
BY_REPORT, BY_INGRESS = 10.0, 90.0
PICTURE: Final = f"testsrc2=size=160x90:rate={RATE:.0f}"
HEALTH: Final = """subscription ($id: uuid!) { streamHealth(streamId: $id) { state reason fps videoBitrate audioBitrate since } }"""


@asynccontextmanager
async def followed(studio: Studio, stream_id: str) -> AsyncIterator[Following]:
    """What alice is told of her stream's health; it is stopped at the end of the block."""
    following = Following(studio.hosts, token(ALICE), HEALTH, "streamHealth", id=stream_id)
    try:
        yield following
    finally:
        await following.stop()
        await studio.hosts.ask(token(ALICE), mutation("stopStream", "streamId"), input={"streamId": stream_id})


async def start(studio: Studio, answer: str, **more: object) -> Any:
    wanted = {"channelId": str(GENERAL), "title": "Friday", **more}
    return (await studio.hosts.ask(token(ALICE), mutation("startStream", f"streamId {answer}"), input=wanted))["startStream"]


async def seconds_until(health: Following, state: str, *, within_seconds: float) -> tuple[float, Any]:
    """How long it took from now on until alice was told of this state, and what she was told."""
    began, since = time.monotonic(), len(health.told)
    told = await within(health.until(lambda one: one["state"] == state, since=since), within_seconds, f"alice to be told: {state}")
    return time.monotonic() - began, told


async def test_where_the_hosts_client_reports(studio: Studio) -> None:
    studio.recorder(blank=True)
    started = await start(studio, "hostToken serverUrl")
    given = {"stream_id": started["streamId"], "room_token": started["hostToken"], "room_url": started["serverUrl"]}
    async with followed(studio, started["streamId"]) as health, browser_host(studio.hosts, token(ALICE), **given) as host:
        await within(health.until(lambda one: one["state"] == "ok" and one["fps"]), 60, "all to be well")
        host.rate = SHARE * RATE
        bad, told = await seconds_until(health, "bad", within_seconds=BY_REPORT)
        assert told["reason"] == "The host's client sends far too few frames: the picture halts."
        host.rate = RATE
        well, told = await seconds_until(health, "ok", within_seconds=BY_REPORT)
    print(f"\nby the host's client: bad after {bad:.1f} s, ok after {well:.1f} s")  # noqa: T201 - for `pytest -s`


async def test_by_what_the_ingress_says_alone(studio: Studio) -> None:
    studio.recorder(blank=True)
    studio.ingest.turn(report_seconds=EVERY, throttle_kbps=0.0)
    started = await start(studio, "rtmpIngestUrl streamKey", ingress="rtmp")
    async with (
        sending(started["rtmpIngestUrl"], started["streamKey"], PICTURE),
        followed(studio, started["streamId"]) as health,
    ):
        measured = await within(health.until(lambda one: one["state"] == "ok" and one["fps"]), EVERY + 60, "all to be well")
        rate = ((measured["videoBitrate"] or 0) + (measured["audioBitrate"] or 0)) / 1000
        try:
            # In the middle between two reports: the next one is of both times.
            await asyncio.sleep(EVERY / 2)
            studio.ingest.turn(throttle_kbps=SHARE * rate)
            bad, told = await seconds_until(health, "bad", within_seconds=BY_INGRESS)
            assert told["reason"] == "The encoder sends far too few frames: the picture halts."
            await asyncio.sleep(EVERY / 2)
        finally:
            studio.ingest.turn(throttle_kbps=0.0, report_seconds=EVERY)
        well, told = await seconds_until(health, "ok", within_seconds=BY_INGRESS)
    print(f"\nby the ingress alone, {rate:.0f} kbit/s: bad after {bad:.1f} s, ok after {well:.1f} s")  # noqa: T201 - for `pytest -s`


async def test_an_encoder_that_stops(studio: Studio) -> None:
    """Its connection is gone, and viewers wait for it."""
    studio.recorder(blank=True)
    started = await start(studio, "rtmpIngestUrl streamKey", ingress="rtmp")
    address = (started["rtmpIngestUrl"], started["streamKey"], PICTURE)
    async with followed(studio, started["streamId"]) as health:
        async with sending(*address):
            await within(health.until(lambda one: one["state"] == "ok"), 60, "all to be well")
        bad, told = await seconds_until(health, "bad", within_seconds=BY_REPORT)
        assert told["reason"] == "The host's connection is lost."
        async with sending(*address):
            well, _ = await seconds_until(health, "ok", within_seconds=BY_REPORT)
    print(f"\nan encoder that stops: bad after {bad:.1f} s, ok after {well:.1f} s")  # noqa: T201 - for `pytest -s`


@pytest.mark.skipif(not WHOLE, reason="a minute: make trial-streams")
async def test_an_encoder_that_falls_silent(studio: Studio) -> None:
    """Its connection stays open, as with a cable that was pulled: LiveKit's next report has no pictures, and then it is cut off."""
    studio.recorder(blank=True)
    studio.ingest.turn(report_seconds=EVERY)
    started = await start(studio, "rtmpIngestUrl streamKey", ingress="rtmp")
    async with (
        sending(started["rtmpIngestUrl"], started["streamKey"], PICTURE) as process,
        followed(studio, started["streamId"]) as health,
    ):
        await within(health.until(lambda one: one["state"] == "ok" and one["fps"]), EVERY + 60, "all to be well")
        process.send_signal(signal.SIGSTOP)
        bad, told = await seconds_until(health, "bad", within_seconds=BY_INGRESS)
    print(f"\nan encoder that falls silent: bad after {bad:.1f} s: {told['reason']}")  # noqa: T201 - for `pytest -s`
