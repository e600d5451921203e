"""Those who watch: sessions as clients keep them, by heartbeats."""

import asyncio
from typing import Final

from devstack.demo.service import DemoService, Refused
from devstack.demo.story import mutation

HEARTBEAT: Final = 15.0
JOIN: Final = mutation("joinStream", "sessionId playbackUrl")
BEAT: Final = mutation("heartbeatStream", "viewerId")
LEAVE: Final = mutation("leaveStream", "viewerId")


class Audience:
    """Watches one stream, between `join` and `leave`."""

    def __init__(self, service: DemoService, stream_id: str) -> None:
        self._service, self._stream_id = service, stream_id
        # Who holds each, by the session's id; no token is nobody in particular.
        self._sessions: dict[str, str] = {}
        self._beating = asyncio.create_task(self._beat())

    async def join(self, token: str) -> None:
        answer = await self._service.ask(token, JOIN, input={"streamId": self._stream_id, "deviceType": "web"})
        joined = answer["joinStream"]
        if joined["playbackUrl"] is None:
            raise AssertionError("whoever joins a live stream is given nothing to play")
        self._sessions[joined["sessionId"]] = token

    async def leave(self) -> None:
        """All who are left. Raises what a heartbeat was refused with."""
        await self.stop()
        if not self._beating.cancelled():
            self._beating.result()
        for session_id, token in self._sessions.items():
            await self._service.ask(token, LEAVE, input={"sessionId": session_id})

    async def stop(self) -> None:
        """Says nothing any more."""
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            for session_id, token in list(self._sessions.items()):
                await self._say_still(session_id, token)

    async def _say_still(self, session_id: str, token: str) -> None:
        try:
            await self._service.ask(token, BEAT, input={"sessionId": session_id})
        except Refused as error:
            if error.code != "banned":
                raise
            del self._sessions[session_id]
