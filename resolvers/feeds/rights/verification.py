"""Those who follow are asked for their right again and again; who lost it is told so, and gets nothing more."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from resolvers.feeds.channel import Channel
from resolvers.feeds.follower import Follower
from resolvers.feeds.rights.asked import ASKED_AT_ONCE, RightAsked, Rights, Standing
from resolvers.feeds.room import FollowedRoom, now
from resolvers.hand_written.room_feed import RoomFeed

Followed = tuple[FollowedRoom, Follower]


class Verification:
    """`is_of` hears of the history that a feed was found in. What is asked here raises DatabaseError."""

    def __init__(self, rights: Rights, is_of: Callable[[RoomFeed, str], None]) -> None:
        self.rights, self._is_of = rights, is_of

    async def ask(self, feed: RoomFeed, role: str, asked: Sequence[RightAsked]) -> Sequence[Standing]:
        """How each of them stands; all of one role."""
        epoch, standings = await self.rights.ask(feed, role, asked)
        if epoch:
            self._is_of(feed, epoch)
        return standings

    async def of_rooms(self, rooms: Sequence[FollowedRoom]) -> None:
        """All who follow there."""
        began = now()
        await self.ask_again((room, follower) for room in rooms for follower in room.followers)
        for room in rooms:
            room.verified = began

    async def of_channel(self, room: FollowedRoom, channel: Channel) -> None:
        """All of a channel, and those who come meanwhile: these were asked before it was read."""
        asked: set[Follower] = set()
        while others := channel.followers.keys() - asked:
            asked |= others
            await self.ask_again((room, follower) for follower in others)

    async def ask_again(self, followers: Iterable[Followed]) -> None:
        """Each of them, in as few statements as there are roles."""
        by_role: dict[tuple[RoomFeed, str], list[Followed]] = defaultdict(list)
        for room, follower in followers:
            by_role[room.feed, follower.session.role].append((room, follower))
        for (feed, role), those in by_role.items():
            for start in range(0, len(those), ASKED_AT_ONCE):
                await self._ask(feed, role, those[start : start + ASKED_AT_ONCE])

    async def _ask(self, feed: RoomFeed, role: str, followers: Sequence[Followed]) -> None:
        # The same person in the same room on several sockets is one question.
        asked = [(room.id, follower.who or self._who(feed, follower)) for room, follower in followers]
        questions = {key: RightAsked(room.id, follower.session) for key, (room, follower) in zip(asked, followers, strict=True)}
        standings = dict(zip(questions, await self.ask(feed, role, list(questions.values())), strict=True))
        for key, (room, follower) in zip(asked, followers, strict=True):
            standing = standings[key]
            if standing.error is not None:
                room.end(follower, standing.error)
            elif standing.refusal is not None:
                room.end(follower, standing.refusal())

    def _who(self, feed: RoomFeed, follower: Follower) -> tuple[str, ...]:
        follower.who = self.rights.who(feed, follower.session)
        return follower.who
