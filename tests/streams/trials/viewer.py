"""One who watches by the embedded page: what its player loads and when, and what the page says meanwhile.

Reloads, updates (EXT-X-SKIP), tries and pauses are those of hls.js, what is done about a failure is the page's own (`player.js`); but for
the beginning: it plays from the start, so that all of it is looked at.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

import httpx2

AGAIN_AFTER: Final = {"waiting": 15.0, "soon": 2.0, "away": 3.0}
INTERRUPTED: Final = "The stream is interrupted; trying again."
LOST: Final = "The connection is lost; trying again."
PLAYLIST_TRIES, SEGMENT_TRIES = 3, 7
LONGEST_PAUSE: Final = 8.0
SEGMENT: Final = re.compile(
    r"(?P<apart>#EXT-X-DISCONTINUITY\n)?(?:#EXT-X-PROGRAM-DATE-TIME:(?P<at>\S+)\n)?(?P<gap>#EXT-X-GAP\n)?"
    r"#EXTINF:(?P<seconds>[\d.]+),\n(?P<name>[^#\n]+)\n"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A segment as a playlist has it: `apart` begins another part, of a `gap` there is no media."""

    name: str
    seconds: float
    began_at: float
    apart: bool
    gap: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """`came_at` is the unix time at which all of it was there."""

    listed: Listed
    media: bytes = field(repr=False)
    came_at: float


class Interrupted(Exception):
    """The player gives up; `refused` when it was told that this is not to be had."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered with {status}")
        self.refused = 400 <= status < 500


class Viewer:
    """`loaded` is what was played, `said` each sentence that the page showed, `interruptions` why the player gave up."""

    def __init__(self, http: httpx2.AsyncClient, service: str, stream_id: str) -> None:
        self._http, self._page = http, f"{service}/embed/{stream_id}"
        self.loaded: list[Loaded] = []
        self.said: list[str] = []
        self.showing = ""
        self.interruptions: list[str] = []
        self._known: list[Listed] = []
        self._known_at = 0.0

    async def watch(self) -> None:
        """Returns when all of a stream that is over was played."""
        while True:
            again_after = await self._look()
            if again_after is None:
                return
            await asyncio.sleep(again_after)

    def parts(self) -> list[list[Loaded]]:
        """What was played, apart at each discontinuity."""
        parts: list[list[Loaded]] = []
        for one in self.loaded:
            if one.listed.apart or not parts:
                parts.append([])
            parts[-1].append(one)
        return parts

    async def _look(self) -> float | None:
        """Asks what is to be shown, and plays it; the pause before the next look, None when there is nothing more."""
        try:
            told = (await self._http.get(f"{self._page}/showing")).json()
        except httpx2.TransportError:
            self._say(LOST)
            return AGAIN_AFTER["away"]
        self.showing = told["showing"]
        self._say(told["sentence"])
        if not told["playlist"]:
            return AGAIN_AFTER.get(self.showing)
        try:
            await self._play(urljoin(self._page, told["playlist"]))
        except Interrupted as why:
            self.interruptions.append(str(why))
            self._say(self.said[-1] if why.refused else INTERRUPTED)
            return 0.0 if why.refused else AGAIN_AFTER["away"]
        return None

    async def _play(self, address: str) -> None:
        """To its end. Raises Interrupted."""
        while True:
            target, ended = await self._reload(address)
            news = self._known[len(self.loaded) :]
            for listed in news:
                media = b"" if listed.gap else (await self._get(urljoin(address, listed.name), SEGMENT_TRIES)).content
                self.loaded.append(Loaded(listed, media, time.time()))
            if ended:
                return
            await asyncio.sleep(target if news else target / 2)

    async def _reload(self, address: str) -> tuple[float, bool]:
        """Seconds to the next reload, and whether nothing more comes. What was listed once must stand as it stood."""
        recent = self._known and time.monotonic() - self._known_at < 45
        answer = await self._get(f"{address}?_HLS_skip=YES" if recent else address, PLAYLIST_TRIES)
        text = answer.text
        skipped = int(found[1]) if (found := re.search(r"SKIPPED-SEGMENTS=(\d+)", text)) else 0
        listed = [*self._known[:skipped], *_listed(text)]
        assert [one.name for one in listed[: len(self._known)]] == [one.name for one in self._known], "the playlist took something back"
        self._known, self._known_at = listed, time.monotonic()
        target = re.search(r"TARGETDURATION:(\d+)", text)
        assert target is not None, text
        return float(target[1]), "#EXT-X-ENDLIST" in text

    async def _get(self, address: str, tries: int) -> httpx2.Response:
        """What is there; what may be back in a moment is tried again. Raises Interrupted."""
        status = 0
        for number in range(tries):
            if number:
                await asyncio.sleep(min(2.0 ** (number - 1), LONGEST_PAUSE))
            try:
                answer = await self._http.get(address, follow_redirects=True)
            except httpx2.TransportError:
                continue
            status = answer.status_code
            if answer.is_success:
                return answer
            if 400 <= status < 500:
                break
        raise Interrupted(status)

    def _say(self, sentence: str) -> None:
        if not self.said or self.said[-1] != sentence:
            self.said.append(sentence)


def _listed(text: str) -> Iterator[Listed]:
    for found in SEGMENT.finditer(text):
        at = datetime.fromisoformat(found["at"]).timestamp() if found["at"] else 0.0
        yield Listed(found["name"], float(found["seconds"]), at, found["apart"] is not None, found["gap"] is not None)
