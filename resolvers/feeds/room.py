"""One room that somebody follows."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Final

from resolvers.feeds.channel import Channel
from resolvers.feeds.follower import Follower
from resolvers.feeds.told import Told
from resolvers.hand_written.room_feed import RoomFeed

# A room of so many is hot: its events are collected for so long and go out together, for the kernel's write is what costs.
HOT: Final = 50
COLLECTED_FOR: Final = 0.045
# Seconds after which a room that nothing was told to, hints or no hints, is looked at by those who know its head.
A_MOMENT: Final = 0.5


class FollowedRoom:
    """A room with those who follow it, by what they get."""

    def __init__(self, feed: RoomFeed, id: str) -> None:
        self.feed, self.id = feed, id
        self.channels: dict[Hashable, Channel] = {}
        self.followers: dict[Follower, Channel] = {}
        # Those who are not yet let in.
        self.waiting = 0
        # Hints are heard: what is read from now on misses nothing.
        self.listens = asyncio.Event()
        self.keeping: asyncio.Task[None] | None = None
        # When all who follow were last found to have the right.
        self.verified = 0.0
        self.looking = asyncio.Lock()
        self._told_at = 0.0
        # A hint was heard, and what is new is about to be told.
        self.collects = False
        # The last seq that anybody here has heard of: a database that ends before it was restored to an older state.
        self.latest = 0

    @property
    def head(self) -> int:
        """The last seq that all who follow were told, or that the first of them knew: where one channel could not be read, the others are
        no reason to forget it."""
        return min((channel.told for channel in self.channels.values()), default=0)

    @property
    def is_hot(self) -> bool:
        return len(self.followers) > HOT

    def rest(self, hinted_at: float) -> float:
        """Seconds until what was hinted at may be told: in a hot room that was told something a moment before, or by a feed that takes its
        time, it waits for what else comes. A window begins with the first event that waits, so that as many as can be go together."""
        collected = COLLECTED_FOR if self.is_hot and hinted_at - self._told_at < COLLECTED_FOR else 0.0
        return max(0.0, hinted_at + collected - now(), self._too_soon)

    @property
    def takes_its_time(self) -> bool:
        """It needs no look in between: it is too soon, or its channels were all told the same a moment ago and will be told more."""
        is_about_to_tell = self.collects and now() - self._told_at < A_MOMENT
        return self._too_soon > 0 or (is_about_to_tell and len({channel.told for channel in self.channels.values()}) == 1)

    @property
    def _too_soon(self) -> float:
        """Seconds until a feed that takes its time may send again."""
        return max(0.0, self._told_at + self.feed.every - now()) if self.feed.every else 0.0

    def tell(self, channel: Channel, news: Sequence[Told]) -> None:
        """Sends what is new to all who get the same."""
        self.latest = max(self.latest, news[-1].seq)
        self._told_at = now()
        if taken_back := max(told.takes_back for told in news):
            # The first who hear of it are not the only ones who may: nobody gets it from what others hold.
            for other in self.channels.values():
                if other is not channel:
                    other.take_back(taken_back)
        channel.tell(news)

    async def all_have_what_was_told(self) -> None:
        """Returns when nothing is on its way to anybody here."""
        for channel in list(self.channels.values()):
            await channel.delivery.arrived()

    def pass_over(self, channel: Channel, head: int) -> None:
        """As far as this there is nothing that they see who get the same."""
        channel.pass_over(head)
        self.latest = max(self.latest, channel.told)

    def join(self, follower: Follower, key: Hashable, channel: Callable[[], Channel]) -> Channel:
        """Into the channel of this key, which is made where there is none."""
        joined = self.channels.get(key)
        if joined is None:
            joined = self.channels[key] = channel()
        joined.followers[follower] = None
        self.followers[follower] = joined
        self.latest = max(self.latest, joined.told, follower.known)
        return joined

    def leave(self, follower: Follower) -> None:
        """It follows no more; a channel ends with its last follower. Safe to call twice."""
        channel = self.followers.pop(follower, None)
        follower.live = False
        if channel is None:
            return
        del channel.followers[follower]
        if not channel.followers:
            channel.close()
            self.channels = {key: one for key, one in self.channels.items() if one is not channel}

    def end(self, follower: Follower, error: Exception) -> None:
        """It may not follow any more, and nothing is read in its name."""
        self.leave(follower)
        follower.end(error)

    def end_all(self, error: Callable[[], Exception]) -> None:
        """Nobody can follow from where they are."""
        self.latest = 0
        for follower in list(self.followers):
            self.end(follower, error())


def now() -> float:
    """Seconds of the loop's clock."""
    return asyncio.get_running_loop().time()
