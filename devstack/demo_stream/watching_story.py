"""What is seen in the browser: live, back and at the edge again, a clip, the whole, and each message beside its picture."""

import asyncio
import time
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from devstack.demo.story import say
from devstack.demo_stream.following import Following
from devstack.demo_stream.stage import Live, Stage, require, tell, within

COLOUR_SECONDS: Final = 6.0
BACK: Final = 30.0
WHOLE_WITHIN: Final = 2.0
BESIDE: Final = 1.0
READY_WITHIN: Final = 60.0
# Before a message's moment, to see what comes then.
EARLIER: Final = 4.0
MESSAGE: Final = "query ($id: uuid!) { nchat_stream_chat_by_pk(id: $id) { content media_seconds } }"
CLIP: Final = """subscription ($id: uuid!) { nchat_call_recordings_by_pk(id: $id) {
  status clip_progress duration error_message playlist_url } }"""


class WatchingStory:
    """The browser's part. `addresses` are those that its pages may ask: the service's own, the store's, a CDN's."""

    def __init__(self, stage: Stage, addresses: Collection[str]) -> None:
        self.stage, self.screen, self.addresses = stage, stage.screen, addresses
        self.green_from = self.green_until = 0.0

    async def plays_live(self, live: Live) -> None:
        say("The page begins to play by itself: time goes on, and red, green and blue come in order")
        await self.screen.shows("red")
        place = await self.screen.plays(await self.screen.place())
        tell(f"plays at {place:.1f} s")
        watching = asyncio.create_task(self.screen.changes("red", "green", "blue"))
        for colour in ("green", "blue"):
            await live.encoder.show(colour)
            await asyncio.sleep(COLOUR_SECONDS)
        came = await within(watching, 60, "two changes of colour")
        tell(", ".join(f"{colour} at {seconds:.1f} s" for colour, seconds in came))
        require([colour for colour, _ in came] == ["red", "green", "blue"], "the colours came in another order")
        self.green_from, self.green_until = came[1][1], came[2][1]

    async def seeks_back(self) -> None:
        say(f"The viewer goes {BACK:.0f} s back, and returns to the edge")
        before = await self.screen.plays(BACK + 1)
        back = await self.screen.seek(before - BACK)
        require(before - BACK < back < before - BACK / 2, f"from {before:.1f} s it went to {back:.1f} s")
        await self.screen.to_the_edge()
        edge = await self.screen.plays(before)
        await self.screen.shows("blue")
        tell(f"from {before:.1f} s to {back:.1f} s, and to {edge:.1f} s")

    async def sees_a_clip(self, live: Live) -> None:
        say("Alice cuts what was green into a clip, and it plays")
        wanted = {"streamId": live.id, "from": self.green_from, "to": self.green_until, "title": "The green part"}
        clip_id = (await self.stage.act("alice", "clipStream", "clipId", **wanted))["clipId"]
        rows = Following(self.stage.service, self.stage.people["alice"].token, CLIP, "nchat_call_recordings_by_pk", id=clip_id)
        clip = await within(rows.until(lambda row: row["status"] in ("ready", "failed")), READY_WITHIN, "the clip to be ready")
        await rows.stop()
        require(clip["status"] == "ready", f"the clip failed: {clip['error_message']}")
        await self.stage.other_screen.open_recording(clip["playlist_url"])
        ((_, seconds),) = await within(self.stage.other_screen.changes("green"), 30, "the clip to be green")
        tell(f"a clip of {clip['duration']} s, green from {seconds:.1f} s on")

    async def goes_on(self, colour: str) -> None:
        """The page that was open all the time comes to show what is sent now."""
        await self.screen.shows(colour)
        tell(f"the page plays on, at {await self.screen.place():.1f} s")

    async def sees_the_whole(self, live: Live, ended: float) -> None:
        say("The whole plays from its start")
        await self.screen.open_stream(live.id)
        place = await self.screen.plays()
        took = time.monotonic() - ended
        tell(f"{took:.2f} s after `ended`, at {place:.1f} s")
        require(took <= WHOLE_WITHIN, f"that took {took:.2f} s")
        require(place < WHOLE_WITHIN, "it begins somewhere else")

    async def finds_messages_beside_their_pictures(self) -> None:
        say("Each message that was written at a change of colour stands beside that change")
        for colour, message_id in self.stage.marked.items():
            found = await self.stage.service.ask(self.stage.people["carol"].token, MESSAGE, id=message_id)
            stands = float(found["nchat_stream_chat_by_pk"]["media_seconds"])
            await self.screen.seek(max(0.0, stands - EARLIER))
            ((_, seen),) = await within(self.screen.changes(colour), 30, f"{colour} to come")
            tell(f"“{found['nchat_stream_chat_by_pk']['content']}” stands at {stands:.2f} s, {colour} comes at {seen:.2f} s")
            require(abs(seen - stands) <= BESIDE, f"that is {abs(seen - stands):.2f} s apart")

    def asked_nobody_else(self) -> None:
        say("Pages, playlists and segments came from the service and the store alone, and no page complained")
        screens = (self.screen, self.stage.other_screen)
        asked = [url for screen in screens for url in screen.asked if url.startswith("http")]
        hosts = {urlsplit(url).netloc for url in asked}
        require(hosts <= set(self.addresses), f"pages asked {hosts}")
        complaints = [words for screen in screens for words in screen.complaints]
        require(complaints == [], f"pages complained: {complaints}")
        requests = sum(urlsplit(url).path.endswith(".ts") for url in asked)
        tell(f"{requests} requests for segments, to {' and '.join(sorted(hosts))}")
