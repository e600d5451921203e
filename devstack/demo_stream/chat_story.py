"""What viewers do: they write, a moderator keeps order, they react."""

from collections.abc import Mapping
from typing import Any, Final

from devstack.demo.story import refused, say
from devstack.demo_stream.following import Following
from devstack.demo_stream.stage import Live, Stage, require, tell, within

WRITERS: Final = ("carol", "dave", "mallory")
REACTIONS: Final[Mapping[str, tuple[str, int]]] = {"bob": ("love", 1), "carol": ("fire", 3), "dave": ("clap", 2)}
# Whoever is banned hears no more after so many seconds.
BANNED_WITHIN: Final = 2.0
CHAT: Final = """subscription ($streamId: uuid!) { streamChat(streamId: $streamId, after: 0) {
  seq kind messageId message { content isPinned mediaSeconds author { displayName } } } }"""
# What happened in the order in which it happened: a message at a change of colour, one of each writer, and what Bob does.
HAPPENED: Final = ["message", "message", "message", "message", "pinned", "deleted"]


class ChatStory:
    """Everybody's part but Alice's."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def is_moderated(self, live: Live) -> None:
        say("Carol writes when the picture turns yellow; Dave, Mallory and she chat, and Bob moderates: he pins, deletes and bans")
        feeds = {name: self._follow(name, live) for name in WRITERS}
        await self.stage.write_at_change("carol", live, "yellow")
        written = {name: await self.stage.write(name, live, f"Hello, says {name}") for name in WRITERS}
        await self.stage.act("bob", "pinStreamChat", "messageId", messageId=written["carol"])
        await self.stage.act("bob", "deleteStreamChat", "messageId", messageId=written["dave"])
        for name, feed in feeds.items():
            await within(feed.until(lambda event: event["seq"] == len(HAPPENED)), 10, f"{name} to see the whole chat")
            seen = [(event["seq"], event["kind"]) for event in feed.told]
            require(seen == list(enumerate(HAPPENED, 1)), f"{name} saw {seen}")
        await self._is_banned(live, feeds["mallory"])
        await self._replay(live, written)
        for feed in feeds.values():
            await feed.stop()

    async def _is_banned(self, live: Live, feed: Following) -> None:
        await self.stage.act("bob", "banFromStream", "banId", streamId=live.id, userId=self.stage.people["mallory"].id)
        code = await within(feed.refusal(), BANNED_WITHIN, "the banned to hear no more")
        require(code == "banned", f"what Mallory followed ended with {code}")
        async with refused("banned"):
            await self.stage.write("mallory", live, "And yet")
        await within(live.events.until(lambda told: told["viewerCount"] == 3), 20, "the banned to be counted no more")
        tell("Mallory hears and says nothing any more")

    async def _replay(self, live: Live, written: Mapping[str, str]) -> None:
        """Who comes later is told all but what was deleted."""
        late = self._follow("bob", live)
        await within(late.until(lambda event: event["seq"] == len(HAPPENED)), 10, "a replay")
        for event in late.told:
            gone = event["messageId"] == written["dave"]
            require((event["message"] is None) == gone, f"in the replay event {event['seq']} is wrong")
            if event["kind"] == "message":
                tell(f"{event['seq']:>2}  {_line(event['message'])}")
        await late.stop()

    async def react(self, live: Live) -> int:
        """How many there were."""
        say("Bob, Carol and Dave react")
        for name, (kind, times) in REACTIONS.items():
            for _ in range(times):
                await self.stage.act(name, "reactToStream", "streamId", streamId=live.id, type=kind)
        right = dict(REACTIONS.values())

        def counted(told: dict[str, Any]) -> bool:
            return {one["type"]: int(one["count"]) for one in told["reactions"]} == right

        await within(live.events.until(counted), 10, "the reactions to be told")
        tell(", ".join(f"{kind} {times}" for kind, times in right.items()))
        return sum(right.values())

    def _follow(self, name: str, live: Live) -> Following:
        return Following(self.stage.service, self.stage.people[name].token, CHAT, "streamChat", streamId=live.id)


def _line(message: dict[str, Any] | None) -> str:
    if message is None:
        return "(deleted)"
    place = "" if message["mediaSeconds"] is None else f" at {message['mediaSeconds']:.1f} s"
    return f"{message['author']['displayName']}: {message['content']}{place}{', pinned' if message['isPinned'] else ''}"
