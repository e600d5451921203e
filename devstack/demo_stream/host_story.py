"""What Alice does, who streams: she goes live with an encoder, is lost and comes back, sends it on to platforms, and stops."""

import time
from typing import Any, Final

from devstack.demo.story import say
from devstack.demo_data import GENERAL
from devstack.demo_stream.audience import Audience
from devstack.demo_stream.encoder import Encoder
from devstack.demo_stream.following import Following
from devstack.demo_stream.stage import NOBODY, Live, Stage, require, tell, within

LIVE_WITHIN, ENDED_WITHIN = 60.0, 90.0
EVENTS: Final = """subscription ($streamId: uuid!) {
  streamEvents(streamId: $streamId) { kind status viewerCount reactions { type count } } }"""
DESTINATIONS: Final = """subscription ($streamId: uuid!) {
  nchat_stream_destinations(where: {stream_id: {_eq: $streamId}}) { platform status error_message } }"""
TOTALS: Final = """subscription ($streamId: uuid!) { nchat_streams_by_pk(id: $streamId) {
  status viewer_count peak_viewers total_views total_reactions recording { status duration } } }"""


class HostStory:
    """Alice's part."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def goes_live(self) -> Live:
        say("Alice asks for a stream and gives address and key to ffmpeg, which sends red; the page waits for it")
        first, _ = self.stage.platforms
        output = {"platform": "custom", "rtmpUrl": first.url, "streamKey": first.key}
        wanted = {
            "channelId": str(GENERAL),
            "title": "Release party",
            "visibility": "public",
            "recordStream": True,
            "rtmpOutputs": [output],
        }
        started = await self.stage.act("alice", "startStream", "streamId rtmpIngestUrl streamKey", ingress="rtmp", **wanted)
        live = self._live(started)
        tell(f"{live.id} at {started['rtmpIngestUrl']}, with the key that is told this once")
        await self.stage.screen.open_stream(live.id)
        tell(f"the page: “{await self.stage.screen.sentence()}”")
        return live

    def _live(self, started: dict[str, Any]) -> Live:
        stream_id, service = started["streamId"], self.stage.service
        events = Following(service, self.stage.people["alice"].token, EVENTS, "streamEvents", streamId=stream_id)
        encoder = Encoder(started["rtmpIngestUrl"], started["streamKey"], "red")
        return Live(stream_id, encoder, events, Audience(service, stream_id))

    async def is_watched(self, live: Live) -> None:
        began = time.monotonic()
        await live.encoder.start()
        await within(live.events.until(lambda told: told["status"] == "live"), LIVE_WITHIN, "the stream to be live")
        tell(f"live after {time.monotonic() - began:.1f} s")
        say("Carol, Dave, Mallory and somebody without a name join")
        for name in ("carol", "dave", "mallory"):
            await live.audience.join(self.stage.people[name].token)
        await live.audience.join(NOBODY)
        await within(live.events.until(lambda told: told["viewerCount"] == 4), 20, "four viewers to be counted")

    async def sends_it_on(self, live: Live) -> None:
        say("Alice adds a second platform while it is live; both get the picture")
        first, second = self.stage.platforms
        added = {"streamId": live.id, "platform": "twitch", "rtmpUrl": second.url, "streamKey": second.key}
        await self.stage.act("alice", "addStreamDestination", "destinationId", **added)
        status = Following(
            self.stage.service, self.stage.people["alice"].token, DESTINATIONS, "nchat_stream_destinations", streamId=live.id
        )
        both = status.until(lambda rows: [row["status"] for row in rows] == ["connected", "connected"])
        await within(both, 60, "both platforms to be connected")
        await status.stop()
        await live.encoder.show("white")
        await within(first.shows("white"), 30, "the first platform to show white")
        await within(second.shows("white"), 30, "the second platform to show white")

    async def is_lost_and_comes_back(self, live: Live) -> None:
        say("Alice's encoder stops, and sends again with the same key")
        since = len(live.events.told)
        await live.encoder.stop()
        await within(live.events.until(lambda told: told["kind"] == "host_reconnecting", since=since), 30, "viewers to be told")
        await live.encoder.start()
        await within(live.events.until(lambda told: told["kind"] == "host_back", since=since), 30, "viewers to hear that she is back")
        await live.encoder.show("cyan")
        await within(self.stage.platforms[0].shows("cyan"), 30, "the picture to be back")

    async def stops(self, live: Live) -> float:
        """The moment of `ended`, of time.monotonic()."""
        say("All viewers leave, Alice stops: the encoder is cut off, and nothing is sent on any more")
        await live.audience.leave()
        stopped = await self.stage.act("alice", "stopStream", "duration peakViewers totalViews", streamId=live.id)
        tell(f"{stopped['duration']} s, {stopped['peakViewers']} viewers at once, {stopped['totalViews']} views")
        require((stopped["peakViewers"], stopped["totalViews"]) == (4, 4), "there were four viewers")
        require(await within(live.encoder.over(), 20, "the encoder to be cut off") != 0, "the encoder ended as if by itself")
        await within(live.events.until(lambda told: told["status"] == "ended"), ENDED_WITHIN, "the stream to be ended")
        ended = time.monotonic()
        for platform in self.stage.platforms:
            await within(platform.over.wait(), 10, "a platform to be sent to no more")
        return ended

    async def totals_add_up(self, live: Live, reactions: int) -> None:
        say("The totals add up, and the recording is ready")
        rows = Following(self.stage.service, self.stage.people["alice"].token, TOTALS, "nchat_streams_by_pk", streamId=live.id)
        row = await within(rows.until(lambda row: row["recording"]["status"] == "ready"), 60, "the recording to be ready")
        counted = {name: row[name] for name in ("status", "viewer_count", "peak_viewers", "total_views", "total_reactions")}
        await rows.stop()
        right = {"status": "ended", "viewer_count": 0, "peak_viewers": 4, "total_views": 4, "total_reactions": reactions}
        require(counted == right, f"the stream's row says {counted}")
        tell(", ".join(f"{name} {value}" for name, value in counted.items()) + f"; a recording of {row['recording']['duration']} s")
