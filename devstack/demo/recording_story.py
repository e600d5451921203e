"""The recording that `make demo` makes: what people sang and showed is found in it, what they sang in the pause is nowhere."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from devstack.demo.feed import Feed
from devstack.demo.person import DemoPerson
from devstack.demo.recorded_objects import RecordedObjects
from devstack.demo.service import DemoService
from devstack.demo.story import SEAT, mutation, say, soon
from devstack.demo.watching import Watched, share, watch

ALICE_SINGS, BOB_SINGS, IN_THE_PAUSE = 440, 660, 880
RED, BLUE = (255, 0, 0), (0, 0, 255)
# A picture of two side by side fills half of the frame.
SHARE: Final = 0.15
# Each so manyth frame.
LOOKED_AT: Final = 5
READY_WITHIN: Final = 60.0
EXPIRES_IN: Final = 5
INITIATE = "mutation ($input: InitiateCallInput!) { initiateCall(input: $input) { callId token serverUrl } }"
RECORDING = """subscription ($id: uuid!) { nchat_call_recordings_by_pk(id: $id) {
  status duration gaps playlist_url url file_reason parts(order_by: {index: asc}) { status media_started_at } } }"""
DOWNLOAD = "query ($input: RecordingDownloadInput!) { recordingDownload(input: $input) { url } }"
EXPIRE = """mutation ($id: uuid!, $at: timestamptz!) {
  update_nchat_call_recordings_by_pk(pk_columns: {id: $id}, _set: {expires_at: $at}) { id } }"""


class RecordingStory:
    """Alice calls Bob, and records it. `objects` is the bucket as its owner sees it."""

    def __init__(self, service: DemoService, alice: DemoPerson, bob: DemoPerson, objects: RecordedObjects) -> None:
        self.service, self.alice, self.bob, self.objects = service, alice, bob, objects
        self.call_id = self.recording_id = ""

    async def play(self) -> Feed:
        """Plays it all; returns the feed with every event. Raises on anything that does not happen."""
        feed = await self.they_meet()
        await self.alice_records(feed)
        await self.a_pause_is_sung_through(feed)
        link = await self.alice_stops(feed)
        await self.it_holds_what_was_sung(link)
        await self.it_expires(link)
        await self._act(self.alice, "endCall", callId=self.call_id)
        await soon(feed.until("call_end"), "the end's event")
        return feed

    async def they_meet(self) -> Feed:
        say(f"Alice calls Bob again; they sing {ALICE_SINGS} and {BOB_SINGS} Hz, and show red and blue")
        wanted = {"targetUserIds": [self.bob.identity], "type": "video"}
        started = (await self.service.ask(self.alice.token, INITIATE, input=wanted))["initiateCall"]
        self.call_id = started["callId"]
        feed = Feed(self.service, self.alice.token, self.call_id)
        await self.alice.enter(started)
        await self.bob.enter(await self._act(self.bob, "acceptCall", SEAT, callId=self.call_id))
        await soon(feed.until("call_state_changed", lambda e: e["payload"]["to"] == "connected"), "the call to be connected")
        self.alice.hertz, self.bob.hertz = ALICE_SINGS, BOB_SINGS
        await asyncio.gather(self.alice.sing(), self.bob.sing(), self.alice.show_face(RED), self.bob.show_face(BLUE))
        return feed

    async def alice_records(self, feed: Feed) -> None:
        say("Alice records; it plays by link while it runs")
        begun = await self._act(self.alice, "startRecording", "recordingId", callId=self.call_id, resolution="720p", layout="grid")
        self.recording_id = begun["recordingId"]
        await soon(feed.until("recording_started"), "everybody to be told")
        row = await self._until(lambda row: row["playlist_url"] is not None, "the first segment")
        heard = (await self._play(row["playlist_url"])).tones(-2)
        _require(heard == {ALICE_SINGS, BOB_SINGS}, f"in the playlist {heard} Hz are heard")

    async def a_pause_is_sung_through(self, feed: Feed) -> None:
        say(f"Alice pauses; both sing {IN_THE_PAUSE} Hz until she goes on")
        await self._act(self.alice, "pauseRecording", "recordingId", recordingId=self.recording_id)
        await soon(feed.until("recording_paused"), "the pause")
        self.alice.hertz = self.bob.hertz = IN_THE_PAUSE
        await soon(self.bob.hear(self.alice), "the other tone")
        self.alice.hertz, self.bob.hertz = ALICE_SINGS, BOB_SINGS
        await self._act(self.alice, "resumeRecording", "recordingId", recordingId=self.recording_id)
        await soon(feed.until("recording_resumed"), "recording to go on")
        await self._until(lambda row: len(row["parts"]) > 1 and row["parts"][1]["media_started_at"] is not None, "more segments")

    async def alice_stops(self, feed: Feed) -> str:
        say("Alice stops; it is ready, and downloaded by the link")
        await self._act(self.alice, "stopRecording", "recordingId", recordingId=self.recording_id)
        await self._until(lambda row: row["status"] == "ready", "the recording to be ready")
        await soon(feed.until("recording_ready"), "everybody to be told")
        row = await self._until(lambda row: row["url"] is not None or row["file_reason"] is not None, "the file")
        _require(row["url"] is not None, f"there is no file: {row['file_reason']}")
        _require([gap["reason"] for gap in row["gaps"]] == ["paused"], f"the gaps are {row['gaps']}")
        found = await self.service.ask(self.alice.token, DOWNLOAD, input={"recordingId": self.recording_id})
        link = str(found["recordingDownload"]["url"])
        print(f"         {link}", flush=True)
        return link

    async def it_holds_what_was_sung(self, link: str) -> None:
        say("Both tones and both colours are in the file; what was sung in the pause is in no object")
        watched = await asyncio.to_thread(watch, await self.service.fetch(link))
        heard = set().union(*(watched.tones(window) for window in range(int(watched.seconds * 2) - 1)))
        _require(heard == {ALICE_SINGS, BOB_SINGS}, f"in the file {heard} Hz are heard")
        # A part begins black: pictures come to the recorder a moment after the sound.
        shares = [min(share(frame, colour) for colour in (RED, BLUE)) for frame in watched.frames[::LOOKED_AT]]
        both = sum(part > SHARE for part in shares) / len(shares)
        _require(both > 0.5, f"red and blue fill the picture in {both:.0%} of the frames")
        everywhere = await self.objects.tones(self.recording_id)
        _require(IN_THE_PAUSE not in everywhere, f"{IN_THE_PAUSE} Hz are in an object")
        print(f"         {watched.seconds:.0f} s, {', '.join(watched.codecs)}", flush=True)

    async def it_expires(self, link: str) -> None:
        say(f"It expires in {EXPIRES_IN} s: the link is dead, and every object gone")
        at = datetime.now(UTC) + timedelta(seconds=EXPIRES_IN)
        await self.service.ask_as_admin(EXPIRE, id=self.recording_id, at=at.isoformat())
        await self._until(lambda row: row is None, "the recording to go")
        _require(await self.objects.names(self.recording_id) == [], "objects are left")
        _require(await self.service.is_gone(link), "the link still works")

    async def _play(self, playlist_url: str) -> Watched:
        """Every segment that the playlist names, one after the other."""
        lines = (await self.service.fetch(playlist_url)).decode().splitlines()
        names = [line for line in lines if line and not line.startswith("#")]
        segments = [await self.service.fetch(name, beside=playlist_url) for name in names]
        return await asyncio.to_thread(watch, b"".join(segments))

    async def _until(self, so: Callable[[Any], bool], what: str) -> Any:
        """The recording's row as a live query shows it, once it is `so`; None when it is gone."""

        async def look() -> Any:
            async with self.service.subscribe(self.alice.token, RECORDING, id=self.recording_id) as rows:
                async for data in rows:
                    if so(row := data["nchat_call_recordings_by_pk"]):
                        return row
            return None

        return await _within(look(), what)

    async def _act(self, who: DemoPerson, action: str, selection: str = "callId", **given: Any) -> dict[str, Any]:
        payload: dict[str, Any] = (await self.service.ask(who.token, mutation(action, selection), input=given))[action]
        return payload


async def _within(waiting: Awaitable[Any], what: str) -> Any:
    try:
        async with asyncio.timeout(READY_WITHIN):
            return await waiting
    except TimeoutError:
        raise AssertionError(f"waited {READY_WITHIN:.0f} s for {what}") from None


def _require(so: bool, otherwise: str) -> None:
    if not so:
        raise AssertionError(otherwise)
