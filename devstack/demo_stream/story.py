"""The stream that `make demo-stream` plays, from the host's first request to the totals: every step waits for what it must cause."""

from collections.abc import Collection

from devstack.demo_stream.chat_story import ChatStory
from devstack.demo_stream.host_story import HostStory
from devstack.demo_stream.stage import Live, Stage
from devstack.demo_stream.watching_story import WatchingStory


class StreamStory:
    """All of it. `addresses` are those that pages may ask."""

    def __init__(self, stage: Stage, addresses: Collection[str]) -> None:
        self.stage = stage
        self.host, self.chat, self.viewer = HostStory(stage), ChatStory(stage), WatchingStory(stage, addresses)

    async def play(self) -> None:
        """Raises on anything that does not happen; whatever comes of it, the stream is over."""
        live = await self.host.goes_live()
        try:
            await self._play(live)
        except BaseException:
            await self.stage.act("alice", "stopStream", "streamId", streamId=live.id)
            raise
        finally:
            await live.end()

    async def _play(self, live: Live) -> None:
        await self.host.is_watched(live)
        await self.viewer.plays_live(live)
        await self.viewer.seeks_back()
        await self.chat.is_moderated(live)
        reactions = await self.chat.react(live)
        await self.host.sends_it_on(live)
        await self.viewer.sees_a_clip(live)
        await self.host.is_lost_and_comes_back(live)
        await self.stage.write_at_change("dave", live, "magenta")
        await self.viewer.goes_on("magenta")
        await self.viewer.sees_the_whole(live, await self.host.stops(live))
        await self.viewer.finds_messages_beside_their_pictures()
        await self.host.totals_add_up(live, reactions)
        self.viewer.asked_nobody_else()
